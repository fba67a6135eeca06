//! What was measured, as a table.

use super::sample::{Sample, median};
use std::time::Duration;

/// Whether the CPU time of a process went into one scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Process {
    /// It did nothing else.
    Alone,
    /// It served two at once, and nobody can tell which took how much.
    Shared,
}

/// One line of the table: a scenario, and the bare server measured just before each round of it.
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) connections: usize,
    pub(crate) process: Process,
    pub(crate) samples: Vec<Sample>,
    pub(crate) hello: Vec<Sample>,
    /// How many times the bare server's CPU time it may take.
    pub(crate) ratio_max: Option<f64>,
}

impl Line {
    /// Returns a line without figures.
    pub(crate) fn new(what: impl Into<String>, connections: usize, process: Process) -> Self {
        Self {
            what: what.into(),
            connections,
            process,
            samples: Vec::new(),
            hello: Vec::new(),
            ratio_max: None,
        }
    }

    /// Returns how much CPU time a request costs, as a multiple of the bare server's.
    fn ratio(&self) -> Option<f64> {
        ratio(&self.samples, &self.hello)
    }

    /// Returns how much CPU time a request costs, as a multiple of another build's.
    pub(crate) fn ratio_to(&self, other: &Self) -> Option<f64> {
        ratio(&self.samples, &other.samples)
    }

    fn shown(&self) -> String {
        let sample = Sample::median(&self.samples);
        let ratio = self
            .ratio()
            .map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"));
        let cpu = match self.process {
            Process::Alone => format!("{:.1}", sample.cpu_micros),
            Process::Shared => "-".into(),
        };
        let target = match (self.ratio_max, self.ratio()) {
            (Some(max), Some(ratio)) => format!("  ≤ {max} {}", verdict(ratio <= max)),
            _ => String::new(),
        };
        format!(
            "{:<32} {:>5} {:>10.0} {:>9.0} {:>9.0} {cpu:>9} {ratio:>8}{target}",
            self.what,
            self.connections,
            sample.requests_per_second,
            micros(sample.p50),
            micros(sample.p99),
        )
    }
}

/// Returns the table: medians of all rounds.
pub(crate) fn table(lines: &[Line]) -> String {
    let head = format!(
        "{:<32} {:>5} {:>10} {:>9} {:>9} {:>9} {:>8}",
        "scenario", "conns", "requests/s", "p50 µs", "p99 µs", "CPU µs", "x hello"
    );
    let lines = lines.iter().map(Line::shown);
    std::iter::once(head)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Returns the median of the ratios, round by round.
fn ratio(samples: &[Sample], others: &[Sample]) -> Option<f64> {
    let ratios = samples.iter().zip(others);
    let ratios = ratios.map(|(sample, other)| sample.cpu_micros / other.cpu_micros);
    let ratios: Vec<f64> = ratios.collect();
    (!ratios.is_empty()).then(|| median(ratios))
}

/// Something that was measured, and what it should be.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) found: String,
    pub(crate) target: String,
    pub(crate) is_met: bool,
}

/// Returns a line for each.
pub(crate) fn figures(figures: &[Figure]) -> Vec<String> {
    let lines = figures.iter().map(|figure| {
        let Figure {
            what,
            found,
            target,
            is_met,
        } = figure;
        format!("{what}: {found} (target {target}: {})", verdict(*is_met))
    });
    lines.collect()
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu_micros: f64) -> Sample {
        let (p50, p99) = (Duration::from_micros(50), Duration::from_micros(99));
        Sample {
            requests_per_second: 1000.0,
            p50,
            p99,
            cpu_micros,
        }
    }

    #[test]
    fn a_round_is_compared_with_the_bare_server_just_before_it() {
        let mut line = Line::new("x", 8, Process::Alone);
        // The machine was slower in the second round, for both.
        line.samples = vec![sample(2.0), sample(6.0), sample(2.0)];
        line.hello = vec![sample(1.0), sample(3.0), sample(1.0)];
        assert!((line.ratio().unwrap() - 2.0).abs() < 1e-9);
        let words: Vec<String> = line.shown().split_whitespace().map(String::from).collect();
        assert_eq!(words, ["x", "8", "1000", "50", "99", "2.0", "2.00"]);
    }

    #[test]
    fn what_misses_its_target_says_so() {
        let mut line = Line::new("x", 1, Process::Alone);
        line.samples = vec![sample(1.5)];
        line.hello = vec![sample(1.0)];
        for (max, verdict) in [(1.5, "met"), (1.4, "MISSED")] {
            line.ratio_max = Some(max);
            assert!(line.shown().ends_with(verdict), "{}", line.shown());
        }
        let figure = |is_met| Figure {
            what: "a".into(),
            found: "2 s".into(),
            target: "1 s".into(),
            is_met,
        };
        let shown = figures(&[figure(true), figure(false)]);
        let expected = ["a: 2 s (target 1 s: met)", "a: 2 s (target 1 s: MISSED)"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_was_not_compared_or_cannot_be_told_apart_is_not_shown() {
        let mut line = Line::new("x", 1, Process::Shared);
        line.samples = vec![sample(1.0)];
        let shown = table(&[line]);
        let words: Vec<&str> = shown.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(words, ["x", "1", "1000", "50", "99", "-", "-"]);
    }
}
