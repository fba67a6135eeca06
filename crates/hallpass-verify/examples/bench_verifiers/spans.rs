//! Durations, all of them kept.

use serde_json::{Value, json};
use std::time::Duration;

/// Durations that were measured.
#[derive(Default)]
pub(crate) struct Spans(Vec<u64>);

impl Spans {
    /// Keeps one.
    pub(crate) fn push(&mut self, span: Duration) {
        self.0
            .push(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Keeps those of another one.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Returns what they say together, in nanoseconds.
    pub(crate) fn summary(mut self) -> Value {
        self.0.sort_unstable();
        json!({
            "count": self.0.len(),
            "p50_nanos": self.quantile(500),
            "p99_nanos": self.quantile(990),
            "max_nanos": self.quantile(1000),
        })
    }

    /// Returns what `per_mille` of 1,000 do not exceed.
    fn quantile(&self, per_mille: usize) -> u64 {
        let rank = (self.0.len() * per_mille).div_ceil(1000);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}
