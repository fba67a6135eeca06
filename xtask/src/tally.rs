//! How many tests passed and failed, read from what `cargo test` and `node --test` print.

use std::fmt;
use std::ops::AddAssign;

/// Tests that ran.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Returns what one line of output reports.
    pub(crate) fn of_line(line: &str) -> Self {
        Self::of_cargo(line)
            .or_else(|| Self::of_node(line))
            .unwrap_or_default()
    }

    /// `test result: ok. 36 passed; 4 failed; 0 ignored; …`
    fn of_cargo(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word: &str| {
            let part = counts.split(';').find(|part| part.trim().ends_with(word))?;
            part.split_whitespace().next()?.parse().ok()
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
        })
    }

    /// `ℹ pass 12` and `ℹ fail 0`; in TAP, `# pass 12` and `# fail 0`.
    fn of_node(line: &str) -> Option<Self> {
        let rest = line
            .strip_prefix("ℹ ")
            .or_else(|| line.strip_prefix("# "))?;
        let (word, count) = rest.split_once(' ')?;
        let count = count.trim().parse().ok()?;
        match word {
            "pass" => Some(Self {
                passed: count,
                failed: 0,
            }),
            "fail" | "cancelled" => Some(Self {
                passed: 0,
                failed: count,
            }),
            _ => None,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_is_counted() {
        let output = "running 40 tests\n\
            test result: FAILED. 36 passed; 4 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.5s\n\
            test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            ℹ tests 13\nℹ pass 12\nℹ fail 1\nℹ cancelled 0\n# pass 5\n# fail 0\n\
            test something::passed ... ok\n# a heading about 3 things\n";
        let mut total = Tally::default();
        output
            .lines()
            .for_each(|line| total += Tally::of_line(line));
        assert_eq!(
            total,
            Tally {
                passed: 55,
                failed: 5
            }
        );
        assert_eq!(total.to_string(), "55 passed, 5 failed");
    }
}
