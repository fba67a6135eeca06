//! What tokens with made-up keys cost.

use crate::spans::Spans;
use crate::{Fault, Setup};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::remote::Remote;
use hallpass_verify::{Admission, Refusal, TokenError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many present tokens at once: some join a fetch that others began.
const STRANGERS: u64 = 64;

/// After so many made-up ones the good token is presented.
const GOOD_EVERY: u64 = 100;

/// What came of some of the tokens.
#[derive(Default)]
struct Outcome {
    spans: Spans,
    /// What else than an unknown key was the answer to a made-up one.
    others: BTreeMap<String, u64>,
    good_admitted: u64,
    good_refused: u64,
}

/// Presents a good token under a million other key ids, all issued for us and unexpired but for
/// their signature.
pub(crate) async fn run(
    setup: &Setup,
    verifiers: &[Remote],
    mut tokens: UnboundedReceiver<String>,
) -> Result<Value, Fault> {
    let token: Arc<str> = tokens.recv().await.ok_or("expected a token")?.into();
    let verifier = verifiers.first().ok_or("expected a verifier")?;
    let kids = setup.kids.unwrap_or(1_000_000);
    let fetched_before = verifier.status().keys.fetches;
    let started = Instant::now();
    let mut strangers = JoinSet::new();
    for first in 0..STRANGERS {
        let numbers = (first..kids).step_by(usize::try_from(STRANGERS)?);
        strangers.spawn(present(verifier.clone(), Arc::clone(&token), numbers));
    }
    let mut all = Outcome::default();
    while let Some(outcome) = strangers.join_next().await {
        all.add(outcome??);
    }
    let elapsed = started.elapsed();
    Ok(json!({
        "elapsed_millis": u64::try_from(elapsed.as_millis())?,
        "spans": all.spans.summary(),
        "others": all.others,
        "good_admitted": all.good_admitted,
        "good_refused": all.good_refused,
        "fetches": verifier.status().keys.fetches - fetched_before,
    }))
}

async fn present(
    verifier: Remote,
    good: Arc<str>,
    numbers: impl Iterator<Item = u64>,
) -> Result<Outcome, Fault> {
    let (_, rest) = good.split_once('.').ok_or("expected a token")?;
    let good_request = request(&good)?;
    let mut outcome = Outcome::default();
    for number in numbers {
        let header = json!({ "alg": "EdDSA", "kid": format!("made-up-{number}"), "typ": "at+jwt" });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let request = request(&format!("{header}.{rest}"))?;
        let started = Instant::now();
        let admission = verifier.admit(&request).await;
        outcome.spans.push(started.elapsed());
        if !matches!(
            admission,
            Admission::Refused(Refusal::Token(TokenError::UnknownKey))
        ) {
            *outcome.others.entry(format!("{admission:?}")).or_default() += 1;
        }
        if number % GOOD_EVERY == 0 {
            match verifier.admit(&good_request).await {
                Admission::Caller(_) => outcome.good_admitted += 1,
                _ => outcome.good_refused += 1,
            }
        }
        // As between two requests of a server.
        tokio::task::yield_now().await;
    }
    Ok(outcome)
}

fn request(token: &str) -> Result<http::Request<()>, Fault> {
    let request = http::Request::builder().header("authorization", format!("Bearer {token}"));
    Ok(request.body(())?)
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.spans.append(other.spans);
        self.good_admitted += other.good_admitted;
        self.good_refused += other.good_refused;
        for (what, count) in other.others {
            *self.others.entry(what).or_default() += count;
        }
    }
}
