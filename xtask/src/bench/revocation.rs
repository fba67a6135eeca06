//! From a sign-out until every verifier refuses, and what ended sessions take there.

use super::accounts::Account;
use super::issuer::Issuer;
use super::process::resident_kib;
use super::report::Figure;
use super::sample::float;
use super::servers::Programs;
use super::tool::Tool;
use crate::steps::Stop;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const VERIFIERS: usize = 100;
const SIGN_OUTS: usize = 200;
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
const BYTES_PER_SESSION_MAX: f64 = 64.0;

/// How many sessions have ended: the figure that is asked for, and the worst place of a table that
/// doubles when seven eighths of 2²⁰ places are taken.
const ENDED: [u32; 2] = [1_000_000, 917_505];

/// How long verifiers may take to start, and to do what they are there for.
pub(crate) const READY_WITHIN: Duration = Duration::from_mins(1);
pub(crate) const DONE_WITHIN: Duration = Duration::from_mins(10);

/// Measures both.
pub(crate) async fn measure(programs: &Programs, folder: &Path) -> Result<Vec<Figure>, Stop> {
    println!("    {SIGN_OUTS} sign-outs, {VERIFIERS} verifiers");
    let issuer = Issuer::start(programs, &folder.join("issuer"), &[]).await?;
    let mut tool = Tool::start(&programs.verifiers, &["revocation"], folder)?;
    tool.tell(&issuer.setup(VERIFIERS, &json!({}))).await?;
    tool.hear(READY_WITHIN).await?;
    for number in 0..SIGN_OUTS {
        let name = format!("signs-out-{number}");
        let account = Account::sign_up(issuer.server.address, &name, "body").await?;
        tool.tell(&account.access_token).await?;
    }
    tool.told_all();
    let found = tool.hear(DONE_WITHIN).await?;
    let mut figures = vec![heard(&found)?];
    for ended in ENDED {
        figures.push(memory(programs, folder, ended).await?);
    }
    Ok(figures)
}

fn heard(found: &Value) -> Result<Figure, Stop> {
    let spans = found.get("spans").unwrap_or(&Value::Null);
    let [p50, p99, max] = ["p50_nanos", "p99_nanos", "max_nanos"].map(|name| nanos(spans, name));
    let (p50, p99, max) = (p50?, p99?, max?);
    let count = spans.get("count").and_then(Value::as_u64);
    if count != u64::try_from(VERIFIERS * SIGN_OUTS).ok() {
        return Err(Stop::because(format!("not every verifier heard: {found}")));
    }
    Ok(Figure {
        what: format!("sign-out to refusal in {VERIFIERS} verifiers"),
        found: format!("p50 {}, p99 {}, max {}", shown(p50), shown(p99), shown(max)),
        target: format!("p99 < {}", shown(REFUSED_WITHIN)),
        is_met: p99 < REFUSED_WITHIN,
    })
}

async fn memory(programs: &Programs, folder: &Path, ended: u32) -> Result<Figure, Stop> {
    let mut tool = Tool::start(&programs.verifiers, &["memory"], folder)?;
    tool.hear(READY_WITHIN).await?;
    let before = resident_kib(tool.id()?)?;
    tool.tell(&ended.to_string()).await?;
    tool.hear(DONE_WITHIN).await?;
    let grown = resident_kib(tool.id()?)?.saturating_sub(before);
    let bytes = float(grown) * 1024.0 / f64::from(ended);
    Ok(Figure {
        what: format!("memory of {ended} ended sessions"),
        found: format!("{bytes:.1} bytes each"),
        target: format!("≤ {BYTES_PER_SESSION_MAX} bytes"),
        is_met: bytes <= BYTES_PER_SESSION_MAX,
    })
}

/// Returns a number that a tool found.
pub(crate) fn number(found: &Value, name: &str) -> Result<f64, Stop> {
    let number = found.get(name).and_then(Value::as_f64);
    number.ok_or_else(|| Stop::because(format!("expected `{name}` in {found}")))
}

/// Returns a duration that a tool found.
pub(crate) fn nanos(found: &Value, name: &str) -> Result<Duration, Stop> {
    Ok(Duration::from_secs_f64(number(found, name)? / 1e9))
}

/// Returns a duration as people read it.
pub(crate) fn shown(span: Duration) -> String {
    match span.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.1} µs", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(p99_nanos: u64) -> Value {
        json!({ "spans": {
            "count": 20_000, "p50_nanos": 20_000_000, "p99_nanos": p99_nanos, "max_nanos": 2_000_000_000_u64,
        } })
    }

    #[test]
    fn the_target_is_about_the_99th_percentile() {
        let figure = heard(&found(999_000_000)).unwrap();
        assert_eq!(figure.found, "p50 20.0 ms, p99 999.0 ms, max 2.0 s");
        assert!(figure.is_met);
        assert!(!heard(&found(1_000_000_000)).unwrap().is_met);
    }

    #[test]
    fn a_verifier_that_did_not_hear_is_no_figure() {
        let mut found = found(1);
        found["spans"]["count"] = json!(19_999);
        assert!(heard(&found).is_err());
        assert!(heard(&json!({})).is_err());
    }
}
