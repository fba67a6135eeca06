//! How long it takes from a sign-out until every verifier refuses.

use crate::Fault;
use crate::spans::Spans;
use hallpass_verify::remote::Remote;
use hallpass_verify::{Clock as _, Location, SystemClock, TokenError, Verifier};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// A verifier that has not heard by then never will.
const HEARD_MAX: Duration = Duration::from_secs(20);

/// Signs out the session of each token, one after the other. Each time it is from the answer until
/// a verifier, woken, refuses the token.
pub(crate) async fn run(
    issuer: &str,
    verifiers: &[Remote],
    mut tokens: UnboundedReceiver<String>,
) -> Result<Value, Fault> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let logout = format!("{issuer}/auth/logout");
    let (mut spans, mut sign_outs) = (Spans::default(), 0_u64);
    while let Some(token) = tokens.recv().await {
        let token: Arc<str> = token.into();
        let mut waiting = JoinSet::new();
        for verifier in verifiers {
            let verifier = Arc::clone(verifier.verifier());
            let caller = verifier.verify(&token, Location::Header, SystemClock.now())?;
            let until_refused = verifier.until_refused(&caller);
            let token = Arc::clone(&token);
            waiting.spawn(async move {
                until_refused.await;
                let fault = refusal(&verifier, &token);
                (Instant::now(), fault)
            });
        }
        let answer = client.post(&logout).bearer_auth(&token).send().await?;
        let answered = Instant::now();
        if answer.status() != 204 {
            return Err(format!("the sign-out answered {}", answer.status()).into());
        }
        while let Some(heard) = timeout(HEARD_MAX, waiting.join_next()).await? {
            let (at, fault) = heard?;
            if fault != Some(TokenError::SessionEnded) {
                return Err(format!("woken, a verifier says {fault:?}").into());
            }
            spans.push(at.saturating_duration_since(answered));
        }
        sign_outs += 1;
    }
    Ok(json!({
        "verifiers": verifiers.len(),
        "sign_outs": sign_outs,
        "spans": spans.summary(),
    }))
}

fn refusal(verifier: &Verifier, token: &str) -> Option<TokenError> {
    let now = SystemClock.now();
    verifier.verify(token, Location::Header, now).err()
}
