//! One deployment in memory: a store, a clock, an audit that keeps everything, and as many
//! processes as a test starts.
#![allow(dead_code, reason = "no test file needs all of it")]

pub(crate) mod schedule;
pub(crate) mod wrapped;

use hallpass_core::audit::{Audit, Event, EventKind};
use hallpass_core::key::MasterSecret;
use hallpass_core::password::{
    Argon2id, Argon2idCost, HashError, HashPoolSettings, PasswordHasher, SALT_LEN, Verdict,
};
use hallpass_core::session::{Device, Session};
use hallpass_core::store::{MemoryStore, SessionStore as _, Store};
use hallpass_core::user::{Email, Password, PasswordHash};
use hallpass_core::{
    Carrier, Error, Hallpass, IdempotencyKey, Issued, Opening, Parts, Proof, SeededRandom,
    Settings, SignIn, SignUp,
};
use hallpass_verify::{
    Caller, Clock as _, Location, ManualClock, SessionId, Timestamp, TokenError, UserId,
};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const PASSWORD: &str = "a fox on the moon";
pub(crate) const KEY: &str = "one-attempt-to-refresh-0001";
pub(crate) const CHEAP: Argon2idCost = Argon2idCost {
    memory_kib: 64,
    iterations: 1,
    parallelism: 1,
};

/// Settings with which a sign-in costs next to nothing.
pub(crate) fn cheap() -> Settings {
    Settings {
        password_cost: CHEAP,
        password_pool: HashPoolSettings {
            workers: 1,
            queue_len_max: 64,
        },
        ..Settings::new("https://auth.example.test")
    }
}

pub(crate) fn secret(first: u8) -> MasterSecret {
    MasterSecret::from_bytes((first..first + 32).collect()).unwrap()
}

/// What all processes of a deployment share, and what the tests look at.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) audit: Arc<Collected>,
    /// How many passwords were hashed.
    pub(crate) hashes: Arc<AtomicUsize>,
    seed: AtomicU64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            store: Arc::default(),
            clock: Arc::new(ManualClock::at(NOW)),
            audit: Arc::default(),
            hashes: Arc::default(),
            seed: AtomicU64::new(1),
        }
    }

    /// A new deployment and its first process.
    pub(crate) async fn started() -> (Self, Hallpass) {
        let world = Self::new();
        let hallpass = world.process().await;
        (world, hallpass)
    }

    /// Starts a process on the store of this deployment.
    pub(crate) async fn process(&self) -> Hallpass {
        self.process_with(cheap()).await
    }

    pub(crate) async fn process_with(&self, settings: Settings) -> Hallpass {
        let (cost, count) = (settings.password_cost, self.hashes.clone());
        let parts = self.parts(self.store.clone()).hasher(move || {
            let hasher = Box::new(Argon2id::new(cost).unwrap());
            Box::new(Counting(hasher, count.clone()))
        });
        Hallpass::start(settings, parts).await.unwrap()
    }

    /// The parts of a process, with another store in front of the shared one.
    pub(crate) fn parts(&self, store: Arc<dyn Store>) -> Parts {
        // No two processes draw the same bytes.
        let seed = self.seed.fetch_add(1, Ordering::SeqCst) << 32;
        Parts::new(store, secret(0))
            .clock(self.clock.clone())
            .random(Arc::new(SeededRandom::new(seed)))
            .audit(self.audit.clone())
    }

    pub(crate) fn hashes(&self) -> usize {
        self.hashes.load(Ordering::SeqCst)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn row(&self, id: SessionId) -> Session {
        self.store.session(&id).await.unwrap().unwrap()
    }
}

/// Counts the passwords that are hashed.
pub(crate) struct Counting(
    pub(crate) Box<dyn PasswordHasher>,
    pub(crate) Arc<AtomicUsize>,
);

impl PasswordHasher for Counting {
    fn hash(
        &mut self,
        password: &Password,
        salt: &[u8; SALT_LEN],
    ) -> Result<PasswordHash, HashError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.hash(password, salt)
    }

    fn verify(&mut self, password: &Password, stored: &PasswordHash) -> Result<Verdict, HashError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.verify(password, stored)
    }
}

/// Keeps every event.
#[derive(Debug, Default)]
pub(crate) struct Collected(Mutex<Vec<Recorded>>);

/// An event, and how it prints itself.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) at: Timestamp,
    pub(crate) kind: EventKind,
    pub(crate) user: Option<UserId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) device: Device,
    pub(crate) printed: String,
}

impl Collected {
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(crate) fn events(&self) -> Vec<Recorded> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, kind: EventKind) -> usize {
        self.events().iter().filter(|e| e.kind == kind).count()
    }

    /// Returns the last event of a kind.
    pub(crate) fn last(&self, kind: EventKind) -> Recorded {
        let events = self.events();
        events.into_iter().rfind(|e| e.kind == kind).unwrap()
    }
}

impl Audit for Collected {
    fn record(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(Recorded {
            at: event.at,
            kind: event.kind,
            user: event.user.cloned(),
            session: event.session,
            device: event.device.clone(),
            printed: format!("{event:?}"),
        });
    }
}

/// A browser at 192.0.2.`number`.
pub(crate) fn device(number: u8) -> Device {
    Device {
        ip: Some([192, 0, 2, number].into()),
        user_agent: Some(format!("Browser/{number}")),
    }
}

pub(crate) fn opening() -> Opening {
    Opening {
        device: device(1),
        ..Opening::default()
    }
}

pub(crate) fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.test")).unwrap()
}

pub(crate) fn user_id(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

pub(crate) async fn sign_up(hallpass: &Hallpass, name: &str) -> Issued {
    let sign_up = SignUp {
        email: email(name),
        password: Password::chosen(PASSWORD).unwrap(),
        name: None,
        roles: Vec::new(),
    };
    hallpass.sign_up(sign_up, opening()).await.unwrap()
}

pub(crate) async fn sign_in(
    hallpass: &Hallpass,
    name: &str,
    password: &str,
    opening: Opening,
) -> Result<Issued, Error> {
    let sign_in = SignIn {
        email: email(name),
        password: Password::presented(password).unwrap(),
    };
    hallpass.sign_in(sign_in, opening).await
}

/// Opens a session for a user of the app's own: costs no hash.
pub(crate) async fn open(hallpass: &Hallpass, name: &str) -> Issued {
    let proof = Proof::asserted_by_app(user_id(name), &["hwk"]);
    hallpass.open_session(proof, opening()).await.unwrap()
}

pub(crate) async fn refresh(hallpass: &Hallpass, token: &str) -> Result<Issued, Error> {
    refresh_keyed(hallpass, token, None).await
}

pub(crate) async fn refresh_keyed(
    hallpass: &Hallpass,
    token: &str,
    key: Option<&str>,
) -> Result<Issued, Error> {
    let presented = hallpass.open_refresh_token(token, Carrier::Cookie).unwrap();
    let key = key.map(|key| IdempotencyKey::parse(key).unwrap());
    hallpass.refresh(presented, key, &device(2)).await
}

/// Names what came of a request.
pub(crate) fn outcome<T>(result: &Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(Error::SessionEnded) => "session_ended",
        Err(Error::RefreshReused) => "refresh_reused",
        Err(Error::InvalidCredentials) => "invalid_credentials",
        Err(Error::EmailTaken) => "email_taken",
        Err(Error::InvalidTicket) => "invalid_ticket",
        Err(Error::NotFound) => "not_found",
        Err(Error::RateLimited { .. }) => "rate_limited",
        Err(Error::Overloaded { .. }) => "overloaded",
        Err(Error::Grant(_)) => "grant",
        Err(_) => "internal",
    }
}

#[track_caller]
pub(crate) fn expect<T>(result: &Result<T, Error>, expected: &str) {
    assert_eq!(outcome(result), expected);
}

/// Presents an access token to a process, now.
pub(crate) fn verify(hallpass: &Hallpass, issued: &Issued) -> Result<Caller, TokenError> {
    let now = hallpass.clock().now();
    hallpass
        .verifier()
        .verify(issued.access.expose(), Location::Header, now)
}
