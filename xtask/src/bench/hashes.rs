//! Argon2id alone, on every core: the most sign-ins that any server could do.

use crate::machine;
use crate::steps::Stop;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::time::Duration;

/// What OWASP asks for, and what Hallpass does by default: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes passwords on all cores for `span`. Returns how many a second.
///
/// # Errors
/// When the parameters are refused.
pub(crate) fn per_second(span: Duration) -> Result<f64, Stop> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|fault| Stop::because(format!("argon2: {fault}")))?;
    let started = machine::now();
    let counts: Vec<Result<u32, Stop>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..machine::cores())
            .map(|_| scope.spawn(|| hash_until(&params, || started.elapsed() >= span)))
            .collect();
        let lost = |_| Err(Stop::because("a thread that hashes ended early"));
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(lost))
            .collect()
    });
    let count = counts.into_iter().sum::<Result<u32, Stop>>()?;
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

fn hash_until(params: &Params, is_over: impl Fn() -> bool) -> Result<u32, Stop> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut memory = vec![Block::default(); params.block_count()];
    let mut hash = [0; 32];
    let mut count = 0;
    loop {
        argon2
            .hash_password_into_with_memory(b"a password", &[7; 16], &mut hash, &mut memory)
            .map_err(|fault| Stop::because(format!("argon2: {fault}")))?;
        count += 1;
        if is_over() {
            return Ok(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_counted() {
        assert!(per_second(Duration::from_millis(1)).unwrap() > 0.0);
    }
}
