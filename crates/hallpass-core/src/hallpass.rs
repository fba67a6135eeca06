//! The one object an app holds.

use crate::audit::{Audit, AuditLog, Event, EventKind};
use crate::error::Error;
use crate::key::{KeyError, MasterSecret, SigningKey};
use crate::password::{Argon2id, HashError, HashPool, PasswordHasher};
use crate::random::{Random, SystemRandom};
use crate::session::Device;
use crate::settings::{RefusedSettings, Settings};
use crate::store::{Cursor, Store, StoreError};
use crate::throttle::Throttle;
use crate::token::{DerivedKeys, RefreshKeys};
use hallpass_verify::{
    Algorithm, Clock, KeySet, Keys, Revocations, SessionId, SystemClock, Timestamp, UserId,
    Verifier, VerifierSettings,
};
use std::fmt;
use std::sync::Arc;

/// The rules, with everything they need. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Hallpass(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) audit: Arc<dyn Audit>,
    pub(crate) passwords: HashPool,
    pub(crate) throttle: Throttle,
    pub(crate) refresh_keys: RefreshKeys,
    pub(crate) derived: DerivedKeys,
    pub(crate) signing: SigningKey,
    pub(crate) verifier: Arc<Verifier>,
    /// How far this process has read the feed of ended sessions.
    pub(crate) cursor: tokio::sync::Mutex<Cursor>,
}

/// Makes the hasher of one worker thread.
type HasherFactory = Arc<dyn Fn() -> Box<dyn PasswordHasher> + Send + Sync>;

/// What a [`Hallpass`] is made of.
pub struct Parts {
    store: Arc<dyn Store>,
    secret: MasterSecret,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    audit: Arc<dyn Audit>,
    hasher: Option<HasherFactory>,
}

impl Parts {
    /// Takes the two that have no default: where things are kept, and the master secret.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, secret: MasterSecret) -> Self {
        Self {
            store,
            secret,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            audit: Arc::new(AuditLog),
            hasher: None,
        }
    }

    /// Tells the time by another clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Draws from another source.
    ///
    /// # Security
    /// Every token is only as hard to guess as this is.
    #[must_use]
    pub fn random(self, random: Arc<dyn Random>) -> Self {
        Self { random, ..self }
    }

    /// Sends events somewhere else.
    #[must_use]
    pub fn audit(self, audit: Arc<dyn Audit>) -> Self {
        Self { audit, ..self }
    }

    /// Hashes passwords with another implementation, called once for each worker thread.
    #[must_use]
    pub fn hasher(
        self,
        hasher: impl Fn() -> Box<dyn PasswordHasher> + Send + Sync + 'static,
    ) -> Self {
        Self {
            hasher: Some(Arc::new(hasher)),
            ..self
        }
    }
}

/// Tells why Hallpass did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are refused.
    #[error(transparent)]
    Settings(#[from] RefusedSettings),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The machine gave no threads.
    #[error("the threads that hash passwords did not start")]
    Threads(#[source] std::io::Error),
    /// The verifier refused its settings.
    #[error("the verifier refused its settings: {0}")]
    Verifier(String),
    /// The feed of ended sessions could not be read.
    #[error("the feed of ended sessions could not be read")]
    Feed(#[source] Error),
}

impl Hallpass {
    /// Starts: checks the settings, opens or makes the signing key, learns which sessions ended
    /// while access tokens of theirs may still be unexpired.
    ///
    /// # Errors
    /// When a setting is refused, the store fails, or a stored key does not open with this
    /// master secret.
    pub async fn start(settings: Settings, parts: Parts) -> Result<Self, StartError> {
        let faults = settings.faults();
        if !faults.is_empty() {
            return Err(RefusedSettings(faults).into());
        }
        let Parts {
            store,
            secret,
            clock,
            random,
            audit,
            hasher,
        } = parts;
        let (signing, keys) = open_keys(
            &settings,
            &secret,
            store.as_ref(),
            random.as_ref(),
            clock.now(),
        )
        .await?;
        let cost = settings.password_cost;
        Argon2id::new(cost)?;
        let hasher = hasher.unwrap_or_else(|| Arc::new(move || default_hasher(cost)));
        let passwords = HashPool::start(settings.password_pool, move || hasher())
            .map_err(StartError::Threads)?;
        let hallpass = Self(Arc::new(Inner {
            verifier: Arc::new(verifier(&settings, keys)?),
            throttle: Throttle::new(settings.throttle),
            refresh_keys: RefreshKeys::new(&secret)?,
            derived: DerivedKeys::new(&secret)?,
            cursor: tokio::sync::Mutex::default(),
            settings,
            store,
            clock,
            random,
            audit,
            passwords,
            signing,
        }));
        hallpass.sync().await.map_err(StartError::Feed)?;
        Ok(hallpass)
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns what verifies this deployment's access tokens.
    #[must_use]
    pub fn verifier(&self) -> &Arc<Verifier> {
        &self.0.verifier
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// Records an event.
    pub fn record(
        &self,
        kind: EventKind,
        user: Option<&UserId>,
        session: Option<SessionId>,
        device: &Device,
    ) {
        self.0.audit.record(&Event {
            at: self.0.clock.now(),
            kind,
            user,
            session,
            device,
        });
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl fmt::Debug for Hallpass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hallpass")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::unreachable,
    reason = "the same cost was accepted when the settings were checked"
)]
fn default_hasher(cost: crate::password::Argon2idCost) -> Box<dyn PasswordHasher> {
    match Argon2id::new(cost) {
        Ok(hasher) => Box::new(hasher),
        Err(_) => unreachable!(),
    }
}

/// Opens the stored keys, and makes one for the configured algorithm if there is none.
async fn open_keys(
    settings: &Settings,
    secret: &MasterSecret,
    store: &dyn Store,
    random: &dyn Random,
    now: Timestamp,
) -> Result<(SigningKey, KeySet), StartError> {
    let algorithm = settings.algorithm;
    let mut stored = store.keys().await?;
    if !stored.iter().any(|key| key.algorithm == algorithm) {
        let made = SigningKey::generate(algorithm, secret, random, now)?;
        stored.push(store.first_key(made).await?);
    }
    // A symmetric key never shares a set with public ones (RFC 8725 §3.1).
    let is_symmetric = algorithm == Algorithm::Hs256;
    stored.retain(|key| (key.algorithm == Algorithm::Hs256) == is_symmetric);
    let mut active = None;
    let mut verifying = Vec::new();
    for key in &stored {
        let opened = SigningKey::open(key, secret)?;
        verifying.push(opened.verifying_key()?);
        if key.algorithm == algorithm {
            active = Some(opened);
        }
    }
    let active = active.ok_or(KeyError::Crypto("find the signing key"))?;
    let keys = KeySet::new(verifying).map_err(|fault| StartError::Verifier(fault.to_string()))?;
    Ok((active, keys))
}

fn verifier(settings: &Settings, keys: KeySet) -> Result<Verifier, StartError> {
    let mut verifier = VerifierSettings::new(&settings.issuer, settings.audience());
    verifier.leeway = settings.leeway;
    // Rounding to whole seconds may add one.
    verifier.lifetime_max = settings.access_ttl + std::time::Duration::from_secs(1);
    Verifier::new(
        verifier,
        Arc::new(Keys::new(keys)),
        Arc::new(Revocations::default()),
    )
    .map_err(|fault| StartError::Verifier(fault.to_string()))
}
