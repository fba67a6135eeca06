//! What one round measured, and what several say together.

use super::load::{Load, Script, drive};
use super::process::Server;
use crate::steps::Stop;
use std::time::Duration;

/// What one round measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// CPU time of the server per request, in microseconds.
    pub(crate) cpu_micros: f64,
}

impl Sample {
    /// Drives a server for `span`. The scripts are left where they stand.
    pub(crate) async fn take(
        server: &Server,
        scripts: &mut Vec<Script>,
        span: Duration,
    ) -> Result<Self, Stop> {
        let before = server.cpu()?;
        let load = drive(server.address, std::mem::take(scripts), span).await?;
        let used = server.cpu()?.saturating_sub(before);
        let sample = Self::of(&load, used);
        *scripts = load.scripts;
        Ok(sample)
    }

    fn of(load: &Load, used: Duration) -> Self {
        let requests = float(load.latencies.count());
        Self {
            requests_per_second: requests / load.elapsed.as_secs_f64(),
            p50: load.latencies.quantile(500),
            p99: load.latencies.quantile(990),
            cpu_micros: used.as_secs_f64() * 1e6 / requests,
        }
    }

    /// Returns the median of each figure.
    pub(crate) fn median(samples: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(samples.iter().map(figure).collect());
        let span = |figure: fn(&Self) -> f64| Duration::from_secs_f64(of(figure).max(0.0));
        Self {
            requests_per_second: of(|sample| sample.requests_per_second),
            p50: span(|sample| sample.p50.as_secs_f64()),
            p99: span(|sample| sample.p99.as_secs_f64()),
            cpu_micros: of(|sample| sample.cpu_micros),
        }
    }
}

/// Returns the median, or 0 of nothing. Of an even number, the lower of the two in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures
        .get(figures.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(0.0)
}

/// Returns a count as a number to divide.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^52"
)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::histogram::Histogram;

    #[test]
    fn a_sample_is_requests_per_second_and_cpu_per_request() {
        let mut latencies = Histogram::new();
        (0..1000).for_each(|_| latencies.record(Duration::from_micros(100)));
        let load = Load {
            latencies,
            elapsed: Duration::from_secs(2),
            scripts: Vec::new(),
        };
        let sample = Sample::of(&load, Duration::from_millis(10));
        assert!(
            (sample.requests_per_second - 500.0).abs() < 1e-9,
            "{sample:?}"
        );
        assert!((sample.cpu_micros - 10.0).abs() < 1e-9, "{sample:?}");
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < 1e-9);
        assert!((median(vec![9.0, 1.0]) - 1.0).abs() < 1e-9);
        assert!(median(Vec::new()).abs() < 1e-9);
    }
}
