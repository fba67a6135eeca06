//! Tables for terminals.

use hallpass_verify::Timestamp;
use std::time::{Duration, UNIX_EPOCH};

/// RFC 3339 §5.6: years have four digits.
const TIME_MAX: Duration = Duration::from_secs(253_402_300_799);

/// Returns a table with aligned columns. What others chose themselves cannot steer the terminal.
pub(crate) fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> String {
    let escaped = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| cell.escape_debug().to_string()));
    let lines: Vec<_> = std::iter::once(head.map(str::to_owned))
        .chain(escaped)
        .collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let line = |cells: &[String; COLUMNS]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns a time as people and programs read it: `2026-11-21T14:38:58Z`.
pub(crate) fn time(at: Timestamp) -> String {
    let since_epoch = Duration::from_secs(at.as_seconds());
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_epoch.min(TIME_MAX)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["a".to_owned(), "long enough".to_owned(), String::new()],
            ["longer".to_owned(), "é".to_owned(), "z".to_owned()],
        ];
        assert_eq!(
            table(["ONE", "TWO", "THREE"], &rows),
            "ONE     TWO          THREE\na       long enough\nlonger  é            z"
        );
        assert_eq!(table(["ONE", "TWO"], &[]), "ONE  TWO");
    }

    #[test]
    fn kl_02_a_cell_cannot_steer_the_terminal() {
        let rows = [["\u{1b}[31m\r\n\u{202e}".to_owned()]];
        assert_eq!(table(["X"], &rows), "X\n\\u{1b}[31m\\r\\n\\u{202e}");
    }

    #[test]
    fn a_time_is_written_as_rfc_3339_says_however_late_it_is() {
        assert_eq!(
            time(Timestamp::from_seconds(1_795_271_938)),
            "2026-11-21T14:38:58Z"
        );
        assert_eq!(
            time(Timestamp::from_millis(u64::MAX)),
            "9999-12-31T23:59:59Z"
        );
    }
}
