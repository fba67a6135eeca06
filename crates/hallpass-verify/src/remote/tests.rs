//! A remote verifier against issuers on loopback, honest and hostile.

mod cold;
mod counted;
mod hostile;
mod issuer;
mod keys;
mod setup;
mod tls;
mod told;

use super::*;
use crate::problem::Code;
use crate::{ManualClock, Timestamp};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use issuer::Issuer;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: u64 = 1_800_000_000;

/// A verifier, the issuer that it knows, and the clock that it looks at.
struct Stage {
    issuer: Issuer,
    clock: Arc<ManualClock>,
    remote: Remote,
}

impl Stage {
    /// A verifier that has fetched the key `k1`.
    async fn new() -> Self {
        let stage = Self::cold(Issuer::with_keys(&["k1"]).await, |builder| builder);
        stage.until(|status| status.keys.fetches == 1).await;
        stage
    }

    /// A verifier that was started a moment ago.
    fn cold(issuer: Issuer, change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(NOW)));
        let builder = Remote::builder(&issuer.url()).clock(clock.clone());
        let mut builder = builder.audience("api");
        builder.pace.tick = Duration::from_millis(2);
        builder.document_timeout = Duration::from_millis(400);
        builder.listening.poll = Duration::from_millis(2);
        builder.listening.retry_min = Duration::from_millis(2);
        builder.listening.retry_max = Duration::from_millis(8);
        let remote = change(builder).start().unwrap();
        Self {
            issuer,
            clock,
            remote,
        }
    }

    /// Waits until the status is so.
    async fn until(&self, is_so: impl Fn(&Status) -> bool) {
        let waiting = async {
            while !is_so(&self.remote.status()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let over = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(over.is_ok(), "{:?}", self.remote.status());
    }

    /// Lets the time pass and waits for the fetch that is then due.
    async fn fetch_after(&self, span: Duration) {
        let before = self.remote.status().keys.fetches;
        self.clock.advance(span);
        self.until(|status| status.keys.fetches > before).await;
    }

    fn token(&self, kid: &str) -> String {
        self.token_with(&header(kid), &json!({}))
    }

    /// A token signed by the key that the header names, with some claims changed.
    fn token_with(&self, header: &Value, changes: &Value) -> String {
        let now = crate::Clock::now(&*self.clock).as_seconds();
        let mut claims = json!({
            "iss": self.issuer.url(), "aud": "api", "sub": "alice",
            "sid": "AAAAAAAAAAAAAAAAAAAAAA", "jti": "t1", "iat": now, "exp": now + 900,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        sign(header, &claims)
    }

    async fn verdict(&self, token: &str) -> String {
        let request = Request::builder().header("authorization", format!("Bearer {token}"));
        told(&self.remote.admit(&request.body(()).unwrap()).await)
    }
}

fn told(admission: &Admission) -> String {
    match admission {
        Admission::Anonymous => "anonymous".into(),
        Admission::Caller(caller) => caller.subject().into(),
        Admission::Refused(refusal) => Code::from(*refusal).as_str().into(),
    }
}

fn header(kid: &str) -> Value {
    json!({ "alg": "EdDSA", "kid": kid, "typ": "at+jwt" })
}

/// The key of this name: each name has its own.
fn key(kid: &str) -> Ed25519KeyPair {
    let mut seed = [7; 32];
    for (to, from) in seed.iter_mut().zip(kid.bytes()) {
        *to = from;
    }
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

fn sign(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let kid = header["kid"].as_str().unwrap();
    let signature = URL_SAFE_NO_PAD.encode(key(kid).sign(message.as_bytes()));
    format!("{message}.{signature}")
}
