use super::*;
use crate::{Algorithm, KeySet, SessionId, VerifyingKey};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::time::Duration;

mod attacks;
mod properties;
mod remembering;
mod rules;
mod until_refused;

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// An issuer with one Ed25519 key, and a verifier that knows it.
struct Stage {
    pair: Ed25519KeyPair,
    verifier: Verifier,
}

impl Stage {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut VerifierSettings)) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
        let key = VerifyingKey::ed25519("ed-1", pair.public_key().as_ref()).unwrap();
        let keys = Arc::new(Keys::new(KeySet::new(vec![key]).unwrap()));
        let mut settings = VerifierSettings::new("https://auth.example", "https://api.example");
        change(&mut settings);
        let verifier = Verifier::new(settings, keys, Arc::default()).unwrap();
        Self { pair, verifier }
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        let input = input(header, payload);
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    fn token(&self, changes: &serde_json::Value) -> String {
        self.sign(HEADER, &payload(changes))
    }

    fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        self.verify_at(token, at(NOW))
    }

    fn verify_at(&self, token: &str, now: Timestamp) -> Result<Caller, TokenError> {
        self.verifier.verify(token, Location::Header, now)
    }

    fn fault(&self, token: &str) -> Option<TokenError> {
        let fault = self.verify(token).err();
        assert_eq!(
            self.verifier.remembered.len(),
            0,
            "a refused token is not remembered"
        );
        fault
    }
}

/// The public key of every stage.
fn stage_key() -> impl AsRef<[u8]> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
    pair.public_key().clone()
}

const HEADER: &str = r#"{"alg":"EdDSA","kid":"ed-1","typ":"at+jwt"}"#;

fn input(header: &str, payload: &str) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}

fn session() -> SessionId {
    SessionId::from_bytes([8; 16])
}

fn payload(changes: &serde_json::Value) -> String {
    let mut claims = json!({
        "iss": "https://auth.example", "aud": "https://api.example", "sub": "alice",
        "sid": session().to_string(), "jti": "t1", "iat": NOW, "exp": NOW + 900,
    });
    for (name, value) in changes.as_object().unwrap() {
        let claims = claims.as_object_mut().unwrap();
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims.to_string()
}
