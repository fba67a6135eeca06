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
    pub(crate) what: &'static str,
    pub(crate) connections: usize,
    pub(crate) process: Process,
    pub(crate) samples: Vec<Sample>,
    pub(crate) hello: Vec<Sample>,
}

impl Line {
    /// Returns a line without figures.
    pub(crate) fn new(what: &'static str, connections: usize, process: Process) -> Self {
        Self {
            what,
            connections,
            process,
            samples: Vec::new(),
            hello: Vec::new(),
        }
    }

    /// Returns how much CPU time a request costs, as a multiple of the bare server's.
    fn ratio(&self) -> Option<f64> {
        let pairs = self.samples.iter().zip(&self.hello);
        let ratios: Vec<f64> = pairs
            .map(|(sample, hello)| sample.cpu_micros / hello.cpu_micros)
            .collect();
        (!ratios.is_empty()).then(|| median(ratios))
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
        format!(
            "{:<28} {:>5} {:>10.0} {:>9.0} {:>9.0} {cpu:>9} {ratio:>8}",
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
        "{:<28} {:>5} {:>10} {:>9} {:>9} {:>9} {:>8}",
        "scenario", "conns", "requests/s", "p50 µs", "p99 µs", "CPU µs", "x hello"
    );
    let lines = lines.iter().map(Line::shown);
    std::iter::once(head)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
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
    fn what_was_not_compared_or_cannot_be_told_apart_is_not_shown() {
        let mut line = Line::new("x", 1, Process::Shared);
        line.samples = vec![sample(1.0)];
        let shown = table(&[line]);
        let words: Vec<&str> = shown.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(words, ["x", "1", "1000", "50", "99", "-", "-"]);
    }
}
