//! The one object an app holds.

use crate::audit::{Audit, AuditLog, Event, EventKind};
use crate::error::Error;
use crate::feed::Feed;
use crate::key::{KeyError, MasterSecret, Ring, RingFault, RootKey, Sealer};
use crate::password::{Argon2id, HashError, HashPool, PasswordHasher};
use crate::random::{Random, SystemRandom};
use crate::session::Device;
use crate::settings::{RefusedSettings, Settings};
use crate::store::{Cursor, Store, StoreError};
use crate::throttle::Throttle;
use crate::token::{DerivedKeys, RefreshKeys};
use hallpass_verify::{
    Clock, KeySet, Keys, Revocations, SessionClaim, SessionId, SystemClock, Timestamp, UserId,
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
    pub(crate) ring: Ring,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) feed: Feed,
    /// How far this process has read the feed of the store.
    pub(crate) cursor: tokio::sync::Mutex<Cursor>,
}

/// Makes the hasher of one worker thread.
type HasherFactory = Arc<dyn Fn() -> Box<dyn PasswordHasher> + Send + Sync>;

/// What a [`Hallpass`] is made of.
pub struct Parts {
    store: Arc<dyn Store>,
    secret: MasterSecret,
    former_secrets: Vec<MasterSecret>,
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
            former_secrets: Vec::new(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            audit: Arc::new(AuditLog),
            hasher: None,
        }
    }

    /// Opens what is still sealed with these secrets too. Nothing new is sealed with them.
    #[must_use]
    pub fn former_secrets(self, former_secrets: Vec<MasterSecret>) -> Self {
        Self {
            former_secrets,
            ..self
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
    /// The feed of what was revoked could not be read.
    #[error("the feed of what was revoked could not be read")]
    Feed(#[source] Error),
}

impl From<RingFault> for StartError {
    fn from(fault: RingFault) -> Self {
        match fault {
            RingFault::Key(fault) => Self::Key(fault),
            RingFault::Store(fault) => Self::Store(fault),
        }
    }
}

impl Hallpass {
    /// Starts: checks the settings, opens or makes the keys, learns which sessions ended while
    /// access tokens of theirs may still be unexpired.
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
            former_secrets,
            clock,
            random,
            audit,
            hasher,
        } = parts;
        let sealer = Sealer::new(&secret, &former_secrets)?;
        let root = RootKey::draw(&sealer, random.as_ref())?;
        let root = RootKey::open(&store.root_key(root).await?, &sealer)?;
        let ring = Ring::new(&settings, sealer);
        ring.start(store.as_ref(), random.as_ref(), clock.now())
            .await?;
        let cost = settings.password_cost;
        Argon2id::new(cost)?;
        let hasher = hasher.unwrap_or_else(|| Arc::new(move || default_hasher(cost)));
        let passwords = HashPool::start(settings.password_pool, move || hasher())
            .map_err(StartError::Threads)?;
        let hallpass = Self(Arc::new(Inner {
            verifier: Arc::new(verifier(&settings)?),
            throttle: Throttle::new(settings.throttle),
            refresh_keys: RefreshKeys::new(&root)?,
            derived: DerivedKeys::new(&root)?,
            feed: Feed::default(),
            cursor: tokio::sync::Mutex::default(),
            settings,
            store,
            clock,
            random,
            audit,
            passwords,
            ring,
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

    /// Returns what was revoked lately, for streams to other services.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.0.feed
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

fn verifier(settings: &Settings) -> Result<Verifier, StartError> {
    let mut verifier = VerifierSettings::new(&settings.issuer, settings.audience());
    verifier.audience_claim = settings.profile.audience_claim();
    verifier.leeway = settings.leeway;
    // Rounding to whole seconds may add one.
    verifier.lifetime_max = settings.token_ttl_max() + std::time::Duration::from_secs(1);
    verifier.session_claim = match settings.sessionless_ttl_max {
        Some(_) => SessionClaim::Optional,
        None => SessionClaim::Required,
    };
    Verifier::new(
        verifier,
        Arc::new(Keys::new(KeySet::default())),
        Arc::new(Revocations::default()),
    )
    .map_err(|fault| StartError::Verifier(fault.to_string()))
}
