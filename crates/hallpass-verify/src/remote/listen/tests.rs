//! A verifier against an issuer on loopback, well or bad.

mod hostile;
mod issuer;
mod polling;
mod streaming;
mod tries;

use super::*;
use crate::remote::client::Trust;
use crate::remote::endpoints::{Issuer as IssuerUrl, PlainHttp};
use crate::remote::service::{Service, ServiceSecret};
use crate::remote::state::RevocationStatus;
use crate::{KeySet, Keys, Location, ManualClock, SessionId, TokenError};
use crate::{VerifierSettings, VerifyingKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use issuer::{Issuer, LIVE, Mode, WELL, head, hello};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinHandle;

const NOW: u64 = 1_800_000_000;

/// The bound that a verifier of these tests has.
const BOUND: Duration = Duration::from_secs(30);

/// As quick as a test needs it. Nothing waits for it: it is waited for conditions.
fn pace() -> Pace {
    Pace {
        retry_min: Duration::from_millis(2),
        retry_max: Duration::from_millis(10),
        refused_retry: Duration::from_millis(5),
        poll: Duration::from_millis(2),
        sweep: Duration::from_millis(5),
        ..Pace::default()
    }
}

/// A clock that is moved by hand and counts how often it is asked.
#[derive(Debug)]
struct CountingClock {
    time: ManualClock,
    asked: AtomicU64,
}

impl CountingClock {
    fn at(start: Timestamp) -> Self {
        Self {
            time: ManualClock::at(start),
            asked: AtomicU64::new(0),
        }
    }

    fn advance(&self, span: Duration) {
        self.time.advance(span);
    }
}

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.time.now()
    }
}

/// A service that listens to an issuer.
struct Listening {
    ears: Ears,
    clock: Arc<CountingClock>,
    keys_asked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Listening {
    fn to(issuer: &Issuer) -> Self {
        Self::with(issuer, pace())
    }

    fn with(issuer: &Issuer, pace: Pace) -> Self {
        Self::of(verifier(), issuer, pace)
    }

    fn of(verifier: Verifier, issuer: &Issuer, pace: Pace) -> Self {
        let keys_asked = Arc::new(AtomicU64::new(0));
        let asked = Arc::clone(&keys_asked);
        let clock = Arc::new(CountingClock::at(Timestamp::from_seconds(NOW)));
        let ears = Ears {
            verifier: Arc::new(verifier),
            state: Arc::new(RevocationState::new(BOUND)),
            clock: Arc::<CountingClock>::clone(&clock),
            key_withdrawn: Arc::new(move || {
                asked.fetch_add(1, Ordering::SeqCst);
            }),
        };
        let listener = Listener {
            line: line(&issuer.url),
            endpoint: watch::Sender::new(Some(issuer.url.clone())).subscribe(),
            ears: ears.clone(),
            pace,
        };
        Self {
            ears,
            clock,
            keys_asked,
            task: tokio::spawn(listener.run()),
        }
    }

    /// Waits until what has expired is forgotten: each time that is done, the time is asked first.
    async fn swept(&self) {
        let asked = || self.clock.asked.load(Ordering::SeqCst);
        let before = asked();
        until("swept", || asked() > before + 1).await;
    }

    fn is_current(&self) -> bool {
        self.ears.state.is_current(self.clock.now())
    }

    fn status(&self) -> RevocationStatus {
        self.ears.state.status()
    }

    fn knows(&self, number: u64) -> bool {
        let revocations = self.ears.verifier.revocations();
        revocations.has_session(&session(number))
    }

    fn fault(&self, token: &str) -> Option<TokenError> {
        let verified = self
            .ears
            .verifier
            .verify(token, Location::Header, self.clock.now());
        verified.err()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The connection settings that the product has, with credentials.
fn line(url: &Url) -> Line {
    let origin = url.origin().ascii_serialization();
    let issuer = IssuerUrl::checked(&origin, PlainHttp::LoopbackOnly).unwrap();
    let client = Trust::default().client(issuer.url()).build().unwrap();
    let secret = ServiceSecret::new("hps_secret".into());
    Line::new(client, &Service::checked("orders", &secret).unwrap())
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap()
}

fn verifier() -> Verifier {
    verifier_with(VerifierSettings::new(
        "https://auth.example",
        "https://api.example",
    ))
}

fn verifier_with(settings: VerifierSettings) -> Verifier {
    let key = VerifyingKey::ed25519("ed-1", pair().public_key().as_ref()).unwrap();
    let keys = Arc::new(Keys::new(KeySet::new(vec![key]).unwrap()));
    Verifier::new(settings, keys, Arc::default()).unwrap()
}

fn token(session: SessionId, jti: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"ed-1","typ":"at+jwt"}"#);
    let payload = serde_json::json!({
        "iss": "https://auth.example", "aud": "https://api.example", "sub": "alice",
        "sid": session.to_string(), "jti": jti, "iat": NOW, "exp": NOW + 900,
    });
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let input = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(pair().sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn session(number: u64) -> SessionId {
    SessionId::from_bytes(u128::from(number).to_be_bytes())
}

/// An entry that ends session `number`.
fn end(number: u64) -> String {
    format!(r#"["s","{}",{NOW}]"#, session(number))
}

/// Waits until something is true.
async fn until(what: &str, is_true: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !is_true() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "in vain: {what}");
}
