//! A million tokens with made-up keys against one verifier.

use super::accounts::Account;
use super::issuer::Issuer;
use super::process::free_address;
use super::relay::Relay;
use super::report::Figure;
use super::revocation::{DONE_WITHIN, READY_WITHIN, nanos, number, shown};
use super::sample::float;
use super::servers::Programs;
use super::tool::Tool;
use crate::steps::Stop;
use serde_json::{Value, json};
use std::path::Path;

const KIDS: u64 = 1_000_000;

/// Instead of the default of 30 s, so that several cool-downs pass.
const COOLDOWN_SECONDS: u64 = 2;

/// No fetch is made because the keys are stale: what is counted is what strangers brought about.
const SETTINGS: [(&str, &str); 2] = [
    ("HALLPASS_KEYS_ANNOUNCE", "2h"),
    ("HALLPASS_KEYS_JWKS_MAX_AGE", "1h"),
];

/// Counts fetches on the way to the issuer.
pub(crate) async fn measure(programs: &Programs, folder: &Path) -> Result<Vec<Figure>, Stop> {
    println!("    {KIDS} made-up keys, a cool-down of {COOLDOWN_SECONDS} s");
    let own = free_address()?;
    let relay = Relay::open(own, "GET /.well-known/jwks.json ").await?;
    let addresses = [own, relay.address];
    let folder_of_issuer = folder.join("issuer");
    let issuer = Issuer::start_behind(programs, &folder_of_issuer, &SETTINGS, addresses).await?;
    let mut tool = Tool::start(&programs.verifiers, &["kids"], folder)?;
    let others = json!({ "cooldown_seconds": COOLDOWN_SECONDS, "kids": KIDS });
    tool.tell(&issuer.setup(1, &others)).await?;
    tool.hear(READY_WITHIN).await?;
    let account = Account::sign_up(issuer.server.address, "stranger", "body").await?;
    let before = relay.seen();
    tool.tell(&account.access_token).await?;
    let found = tool.hear(DONE_WITHIN).await?;
    figures(&found, relay.seen() - before)
}

fn figures(found: &Value, fetches: u64) -> Result<Vec<Figure>, Stop> {
    let spans = found.get("spans").unwrap_or(&Value::Null);
    let others = found.get("others").unwrap_or(&Value::Null);
    let elapsed = number(found, "elapsed_millis")? / 1e3;
    // One at once, and one after each cool-down.
    let fetches_max = 1.0 + (elapsed / float(COOLDOWN_SECONDS)).floor();
    let count = number(spans, "count")?;
    let (p50, p99) = (nanos(spans, "p50_nanos")?, nanos(spans, "p99_nanos")?);
    let max = nanos(spans, "max_nanos")?;
    let (admitted, refused) = (
        number(found, "good_admitted")?,
        number(found, "good_refused")?,
    );
    let all_unknown = others.as_object().is_some_and(serde_json::Map::is_empty);
    Ok(vec![
        Figure {
            what: format!("fetches for {count} made-up keys"),
            found: format!("{fetches} in {elapsed:.1} s"),
            target: format!("1 to {fetches_max}: one a cool-down"),
            is_met: (1.0..=fetches_max).contains(&float(fetches)),
        },
        Figure {
            what: "time of a refusal".into(),
            found: format!(
                "p50 {}, p99 {}, max {}; other answers: {others}",
                shown(p50),
                shown(p99),
                shown(max)
            ),
            target: "every one as of an unknown key".into(),
            is_met: all_unknown && count >= float(KIDS),
        },
        Figure {
            what: "a good token meanwhile".into(),
            found: format!("{refused} of {} refused", admitted + refused),
            target: "0".into(),
            is_met: refused < 0.5 && admitted > 0.5,
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(others: &Value, good_refused: u64) -> Value {
        json!({
            "elapsed_millis": 4_900, "others": others, "good_admitted": 9, "good_refused": good_refused,
            "spans": { "count": KIDS, "p50_nanos": 9_000, "p99_nanos": 20_000, "max_nanos": 5_000_000 },
        })
    }

    #[test]
    fn a_fetch_too_many_another_answer_and_a_good_token_refused_miss_the_target() {
        let are_met = |found: &Value, fetches| -> Vec<bool> {
            let figures = figures(found, fetches).unwrap();
            figures.iter().map(|figure| figure.is_met).collect()
        };
        let good = found(&json!({}), 0);
        assert_eq!(are_met(&good, 3), [true, true, true]);
        assert_eq!(are_met(&good, 1), [true, true, true]);
        assert_eq!(are_met(&good, 4), [false, true, true]);
        // Without a fetch nothing was tried.
        assert_eq!(are_met(&good, 0), [false, true, true]);
        assert_eq!(
            are_met(&found(&json!({ "x": 1 }), 0), 3),
            [true, false, true]
        );
        assert_eq!(are_met(&found(&json!({}), 1), 3), [true, true, false]);
    }
}
