//! How often and for how long the issuer is asked for what was revoked.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Times of the task that listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The first wait after a connection broke.
    pub(crate) retry_min: Duration,
    /// The longest wait after connections broke. A connection that lasted longer makes the next
    /// wait the first one again.
    pub(crate) retry_max: Duration,
    /// The wait after the credentials were refused: an operator has to act.
    pub(crate) refused_retry: Duration,
    /// How long an answer, and the first event of a stream, may take.
    pub(crate) answer: Duration,
    /// How long a stream may take to tell all it knew when it began. It goes on where it came to.
    pub(crate) catch_up: Duration,
    /// For how long one stream is used: after that a fresh connection finds where the issuer is
    /// now.
    pub(crate) stream_life: Duration,
    /// How often is asked where there is no stream.
    pub(crate) poll: Duration,
    /// How often a stream is tried where there was none.
    pub(crate) stream_again: Duration,
    /// How often what has expired is forgotten.
    pub(crate) sweep: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry_min: Duration::from_millis(250),
            retry_max: Duration::from_secs(10),
            refused_retry: Duration::from_mins(1),
            answer: Duration::from_secs(10),
            catch_up: Duration::from_mins(1),
            stream_life: Duration::from_hours(1),
            poll: Duration::from_secs(1),
            stream_again: Duration::from_mins(1),
            sweep: Duration::from_secs(5),
        }
    }
}

impl Pace {
    /// Returns how long to wait after `failures` connections in a row that did not last: twice
    /// as long each time, up to the longest wait.
    pub(super) fn retry(&self, failures: u32) -> Duration {
        let doublings = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.retry_min.saturating_mul(doublings).min(self.retry_max)
    }
}

/// Returns something between half of `span` and all of it, so that a crowd that lost the issuer
/// together does not come back together.
pub(super) fn spread(span: Duration) -> Duration {
    // Each state of the standard hasher has other keys: enough to part a crowd.
    share(span, RandomState::new().hash_one(()))
}

/// Half of `span`, and as much of the other half as `part` is of all numbers.
fn share(span: Duration, part: u64) -> Duration {
    let part = u32::try_from(part >> 32).unwrap_or(u32::MAX);
    span / 2 + (span / 2).mul_f64(f64::from(part) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let pace = Pace::default();
        let waits: Vec<_> = (0..9).map(|count| pace.retry(count).as_millis()).collect();
        let expected = [250, 250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
        assert_eq!(waits, expected);
        assert_eq!(pace.retry(u32::MAX), pace.retry_max);
    }

    #[test]
    fn a_spread_wait_is_between_half_and_all_of_it() {
        let span = Duration::from_secs(10);
        assert_eq!(share(span, 0), span / 2);
        assert_eq!(share(span, u64::MAX), span);
        let waits: Vec<_> = (0..100).map(|_| spread(span)).collect();
        assert!(waits.iter().all(|wait| (span / 2..=span).contains(wait)));
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }
}
