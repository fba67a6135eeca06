//! Latencies, counted in buckets of equal relative width.

use std::time::Duration;

/// Buckets per doubling: a quantile is off by less than 1/64.
const FINE_BITS: u32 = 6;
const FINE: usize = 1 << FINE_BITS;
const BUCKETS: usize = (65 - FINE_BITS as usize) * FINE;

/// Counts durations of up to centuries, in nanoseconds.
#[derive(Clone)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    /// Returns an empty histogram.
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }

    /// Counts one duration.
    pub(crate) fn record(&mut self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(nanos)) {
            *bucket += 1;
        }
        self.count += 1;
    }

    /// Adds what another one counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.buckets
            .iter_mut()
            .zip(&other.buckets)
            .for_each(|(mine, theirs)| *mine += theirs);
        self.count += other.count;
    }

    /// Returns how many durations were counted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the duration that `per_mille` of 1,000 do not exceed.
    pub(crate) fn quantile(&self, per_mille: u64) -> Duration {
        let rank = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        });
        Duration::from_nanos(found.map_or(0, highest_of))
    }
}

fn bucket_of(nanos: u64) -> usize {
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(FINE_BITS + 1);
    // Below 128 each number has a bucket of its own: the shift is 0.
    let fine = usize::try_from(nanos >> shift).unwrap_or(0);
    fine + FINE * usize::try_from(shift).unwrap_or(0)
}

/// Returns the highest duration that falls into a bucket.
fn highest_of(bucket: usize) -> u64 {
    let shift = (bucket / FINE).saturating_sub(1);
    let fine = u64::try_from(bucket - FINE * shift).unwrap_or(0);
    let next = u128::from(fine + 1) << shift;
    u64::try_from(next - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_off_by_less_than_a_64th() {
        let mut histogram = Histogram::new();
        (1..=100_000_u64).for_each(|n| histogram.record(Duration::from_nanos(n * n)));
        for (per_mille, exact) in [(1, 100_u128), (500, 50_000), (990, 99_000), (1000, 100_000)] {
            let exact = exact * exact;
            let found = histogram.quantile(per_mille).as_nanos();
            assert!(
                found >= exact && (found - exact) * 64 <= exact,
                "{found} for {exact}"
            );
        }
    }

    #[test]
    fn every_duration_has_one_bucket_and_the_buckets_are_in_order() {
        let edges = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        let mut edges: Vec<u64> = edges.chain([u64::MAX]).collect();
        edges.sort_unstable();
        edges.dedup();
        for pair in edges.windows(2) {
            assert!(bucket_of(pair[0]) <= bucket_of(pair[1]), "{pair:?}");
        }
        for nanos in edges {
            let bucket = bucket_of(nanos);
            assert!(bucket < BUCKETS && nanos <= highest_of(bucket), "{nanos}");
            assert!(bucket == 0 || highest_of(bucket - 1) < nanos, "{nanos}");
        }
    }

    #[test]
    fn merged_histograms_count_as_one() {
        let (mut one, mut other) = (Histogram::new(), Histogram::new());
        (0..99).for_each(|_| one.record(Duration::from_micros(10)));
        other.record(Duration::from_secs(1));
        one.merge(&other);
        assert_eq!(one.count(), 100);
        assert!(one.quantile(990) < Duration::from_micros(11));
        assert!(one.quantile(1000) >= Duration::from_secs(1));
    }
}
