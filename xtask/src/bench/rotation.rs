//! Keys that come and go every few seconds while tokens are issued and verified.

use super::accounts::Account;
use super::http::Connection;
use super::issuer::Issuer;
use super::load::Script;
use super::report::Figure;
use super::revocation::{DONE_WITHIN, READY_WITHIN, number};
use super::servers::Programs;
use super::tool::Tool;
use crate::machine;
use crate::steps::Stop;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;

const VERIFIERS: usize = 50;

/// How many sessions refresh, each again when its answer is there.
const CONNECTIONS: usize = 4;

/// Of all tokens that are issued, one is shown to the verifiers so often.
const SHOWN_EVERY: Duration = Duration::from_millis(25);

/// As fast as the settings allow: tokens of several keys are unexpired at any moment.
const SETTINGS: [(&str, &str); 5] = [
    ("HALLPASS_KEYS_ROTATE_EVERY", "5s"),
    ("HALLPASS_KEYS_ANNOUNCE", "2s"),
    ("HALLPASS_KEYS_JWKS_MAX_AGE", "1s"),
    ("HALLPASS_TOKENS_ACCESS_TTL", "10s"),
    ("HALLPASS_TOKENS_REFRESH_GRACE", "5s"),
];

/// Issues tokens for `span`, and has each that is shown verified until it expires.
pub(crate) async fn measure(
    programs: &Programs,
    folder: &Path,
    span: Duration,
) -> Result<Vec<Figure>, Stop> {
    println!("    {VERIFIERS} verifiers, a new key every 5 s, for {span:?}");
    let issuer = Issuer::start(programs, &folder.join("issuer"), &SETTINGS).await?;
    let mut tool = Tool::start(&programs.verifiers, &["rotation"], folder)?;
    tool.tell(&issuer.setup(VERIFIERS, &json!({}))).await?;
    tool.hear(READY_WITHIN).await?;
    let (sender, mut tokens) = channel(1);
    let started = machine::now();
    let mut refreshing = JoinSet::new();
    for number in 0..CONNECTIONS {
        let address = issuer.server.address;
        let account = Account::sign_up(address, &format!("rotates-{number}"), "body").await?;
        let script = Script::Refresh {
            address,
            token: account.refresh_token,
        };
        let connection = Connection::open(address).await?;
        let until = started + span;
        refreshing.spawn(refresh(connection, script, until, sender.clone()));
    }
    drop(sender);
    while let Some(token) = tokens.recv().await {
        tool.tell(&token).await?;
        tokio::time::sleep(SHOWN_EVERY).await;
    }
    let mut refreshes = 0;
    while let Some(count) = refreshing.join_next().await {
        refreshes += count.map_err(|fault| Stop::because(fault.to_string()))??;
    }
    tool.told_all();
    Ok(figures(&tool.hear(DONE_WITHIN).await?, refreshes, span)?.into())
}

/// Refreshes a session again and again, and hands on a token when there is a place for it. Returns
/// how many were issued.
async fn refresh(
    mut connection: Connection,
    mut script: Script,
    until: Instant,
    tokens: Sender<String>,
) -> Result<u64, Stop> {
    let mut issued = 0;
    while machine::now() < until {
        let answer = connection.exchange(&script.next()).await?;
        script
            .answered(answer.status, answer.body)
            .map_err(Stop::because)?;
        issued += 1;
        if let Ok(place) = tokens.try_reserve() {
            let session = answer.json()?;
            let token = session.get("access_token").and_then(Value::as_str);
            let token = token.ok_or_else(|| Stop::because("a refresh without an access token"))?;
            place.send(token.into());
        }
    }
    Ok(issued)
}

fn figures(found: &Value, refreshes: u64, span: Duration) -> Result<[Figure; 2], Stop> {
    let checks = number(found, "checks")?;
    let refused = found.get("refused").and_then(Value::as_object);
    let refused = refused.ok_or_else(|| Stop::because(format!("expected `refused` in {found}")))?;
    let refusals: u64 = refused.values().filter_map(Value::as_u64).sum();
    let (tokens, verifiers) = (number(found, "tokens")?, number(found, "verifiers")?);
    // A new one every 5 s, and what it takes to notice that it is time.
    let (keys, keys_min) = (number(found, "keys")?, (span.as_secs_f64() / 6.0).floor());
    let fetches = number(found, "key_fetches")?;
    Ok([
        Figure {
            what: format!("valid tokens refused, {tokens} tokens × {verifiers} verifiers"),
            found: format!(
                "{refusals} of {checks} checks {}, up to {:.1} s old; {refreshes} refreshes; timers up to {} ms late{}",
                Value::Object(refused.clone()),
                number(found, "oldest_millis")? / 1e3,
                number(found, "late_millis")?,
                refused_by(found),
            ),
            target: "0".into(),
            is_met: refusals == 0 && checks > 0.0,
        },
        Figure {
            what: "keys that signed what was shown".into(),
            found: format!("{keys}; {:.1} key fetches a verifier", fetches / verifiers),
            target: format!("≥ {keys_min}"),
            is_met: keys >= keys_min,
        },
    ])
}

/// Says how old the keys were that refused a token, if any did.
fn refused_by(found: &Value) -> String {
    match found.get("refused_by_keys_of_millis") {
        None | Some(Value::Null) => String::new(),
        Some(ages) => format!("; refused by keys of {ages} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(refused: &Value, checks: u64, keys: u64) -> Value {
        json!({
            "verifiers": 50, "tokens": 100, "keys": keys, "checks": checks, "oldest_millis": 9_900, "late_millis": 20,
            "refused": refused, "key_fetches": 500, "key_fetches_failed": 0,
        })
    }

    #[test]
    fn one_refusal_one_key_too_few_or_no_check_at_all_misses_the_target() {
        let span = Duration::from_secs(24);
        let are_met = |found: &Value| figures(found, 1, span).unwrap().map(|figure| figure.is_met);
        assert_eq!(are_met(&found(&json!({}), 5_000, 4)), [true, true]);
        let refused = json!({ "Token(UnknownKey)": 1 });
        assert_eq!(are_met(&found(&refused, 5_000, 4)), [false, true]);
        assert_eq!(are_met(&found(&json!({}), 5_000, 3)), [true, false]);
        assert_eq!(are_met(&found(&json!({}), 0, 4)), [false, true]);
        assert!(figures(&json!({ "checks": 1 }), 1, span).is_err());
    }
}
