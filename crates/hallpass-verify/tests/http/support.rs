//! An issuer with one key, two users, and a gate in front.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::cookies::Security;
use hallpass_verify::problem::Code;
use hallpass_verify::{
    Admission, AudienceClaim, Cookie, CookieSettings, CsrfSecret, Gate, GateSettings, KeySet, Keys,
    ManualClock, Origin, OriginPolicy, Revocations, SessionClaim, SessionId, Timestamp, Verifier,
    VerifierSettings, VerifyingKey,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const OWN: &str = "https://app.example.test";
pub(crate) const TRUSTED: &str = "https://spa.other.test";
pub(crate) const FOREIGN: &str = "https://evil.test";
pub(crate) const COOKIE: &str = "__Secure-hp_access";

/// Somebody with one session, numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct User(pub(crate) &'static str, pub(crate) u8);

pub(crate) const ALICE: User = User("alice", 1);
pub(crate) const BOB: User = User("bob", 2);

impl User {
    pub(crate) const fn session(self) -> SessionId {
        SessionId::from_bytes([self.1; 16])
    }

    pub(crate) fn secret(self) -> CsrfSecret {
        CsrfSecret::from_bytes([self.1; 32])
    }

    /// A CSRF token of the user's session.
    pub(crate) fn csrf(self) -> String {
        self.secret().mask([9; 32]).expose().to_owned()
    }

    pub(crate) fn claims(self) -> Value {
        json!({
            "iss": "https://auth.example.test", "aud": "api", "sub": self.0,
            "sid": self.session().to_string(), "jti": "t1", "iat": NOW - 60, "exp": NOW + 60,
            "csh": URL_SAFE_NO_PAD.encode(self.secret().hash().as_bytes()),
        })
    }

    /// A good access token.
    pub(crate) fn token(self) -> String {
        sign(&self.claims())
    }

    /// A good access token but for some claims.
    pub(crate) fn token_with(self, changes: Value) -> String {
        sign(&self.claims_with(changes))
    }

    /// The claims of a good access token but for some.
    pub(crate) fn claims_with(self, changes: Value) -> Value {
        let Value::Object(changes) = changes else {
            panic!("expected members, got {changes}")
        };
        let mut claims = self.claims();
        for (name, value) in changes {
            claims[name] = value;
        }
        // A claim that was changed to null is left out.
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        claims
    }

    pub(crate) fn expired_token(self) -> String {
        self.token_with(json!({ "exp": NOW - 30 }))
    }
}

fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

pub(crate) fn public_key(seed: u8) -> Vec<u8> {
    key(seed).public_key().as_ref().to_vec()
}

pub(crate) fn sign(claims: &Value) -> String {
    sign_with(42, "k1", claims)
}

/// A token of another key.
pub(crate) fn sign_with(seed: u8, kid: &str, claims: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "kid": kid, "typ": "at+jwt" });
    sign_as(seed, &header, claims)
}

pub(crate) fn sign_as(seed: u8, header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(key(seed).sign(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(crate) fn verifier(session_claim: SessionClaim) -> Arc<Verifier> {
    let key = VerifyingKey::ed25519("k1", &public_key(42)).unwrap();
    let settings = VerifierSettings {
        issuer: "https://auth.example.test".into(),
        audience: "api".into(),
        audience_claim: AudienceClaim::Required,
        leeway: std::time::Duration::from_secs(10),
        lifetime_max: std::time::Duration::from_hours(24),
        session_claim,
        token_len_max: 16_384,
        remembered_tokens_max: 100,
    };
    let keys = Arc::new(Keys::new(KeySet::new(vec![key]).unwrap()));
    Arc::new(Verifier::new(settings, keys, Arc::new(Revocations::default())).unwrap())
}

pub(crate) fn settings(cookie_name: &str) -> GateSettings {
    let secure = if cookie_name.starts_with("__") {
        Security::Secure
    } else {
        Security::Plain
    };
    let cookie = CookieSettings {
        secure,
        ..CookieSettings::new(cookie_name)
    };
    let origin = |text| Origin::parse(text).unwrap();
    let origins = OriginPolicy::new(origin(OWN), vec![origin(TRUSTED)]);
    GateSettings::new(Cookie::checked(cookie).unwrap(), origins)
}

pub(crate) fn gate_with(settings: GateSettings) -> Gate {
    let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(NOW)));
    Gate::new(settings, verifier(SessionClaim::Required), clock)
}

pub(crate) fn gate() -> Gate {
    gate_with(settings(COOKIE))
}

pub(crate) fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// A verdict as text: `anonymous`, `alice by Cookie`, or the code of the refusal.
pub(crate) fn told(admission: &Admission) -> String {
    match admission {
        Admission::Anonymous => "anonymous".into(),
        Admission::Caller(caller) => format!("{} by {:?}", caller.subject(), caller.location()),
        Admission::Refused(refusal) => Code::from(*refusal).as_str().into(),
    }
}

/// The verdict on a request.
pub(crate) fn verdict(gate: &Gate, method: &str, lines: &[(&str, &str)]) -> String {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    told(&gate.admit((&method, &headers(lines))))
}

/// A `Cookie` line with these values under the access cookie's name, in order.
pub(crate) fn cookies(values: &[&str]) -> String {
    let pairs: Vec<_> = values
        .iter()
        .map(|value| format!("{COOKIE}={value}"))
        .collect();
    pairs.join("; ")
}
