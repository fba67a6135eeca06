//! Randomness, as an argument.

use std::fmt::Debug;

/// Tells that the machine gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the machine gave no randomness")]
pub struct NoRandomness(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Gives bytes that nobody can guess.
pub trait Random: Send + Sync + Debug + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// When the source fails. Nothing is issued then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// Returns `N` random bytes.
pub(crate) fn bytes<const N: usize>(random: &dyn Random) -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}

/// The randomness of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|fault| NoRandomness(Box::new(fault)))
    }
}

/// Bytes that repeat for the same seed: for tests and snapshots.
///
/// # Security
/// Whoever knows the seed knows every token. Never use it outside a test.
#[derive(Debug)]
pub struct SeededRandom(std::sync::Mutex<u64>);

impl SeededRandom {
    /// Returns a source that starts at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(std::sync::Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: every state gives another word, so no two draws of a test are equal.
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            let word = word.to_le_bytes();
            chunk
                .iter_mut()
                .zip(word)
                .for_each(|(byte, drawn)| *byte = drawn);
        }
        Ok(())
    }
}
