//! The signing keys of this process: the rows of the store, opened.

use super::rule::{self, KeyInfo, Occasion};
use super::{KeyError, SealedKey, Sealer, SigningKey};
use crate::random::Random;
use crate::settings::Settings;
use crate::store::{Changed, KeyRevocation, Store, StoreError, Successor};
use arc_swap::ArcSwap;
use hallpass_verify::{Algorithm, KeySet, Keys, Timestamp, VerifyingKey};
use std::sync::Arc;
use std::time::Duration;

/// Several processes may change the keys at once: each time one of them does.
const ATTEMPTS_MAX: usize = 32;

/// What went wrong with the ring.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RingFault {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The signing keys, opened. Which one signs follows from the time.
#[derive(Debug)]
pub(crate) struct Ring {
    sealer: Sealer,
    algorithm: Algorithm,
    settings: super::KeySettings,
    /// How long a key verifies after it signed for the last time.
    kept_for: Duration,
    opened: ArcSwap<Opened>,
}

/// Rows of the store, each with its key if it opens with our secrets.
#[derive(Debug, Default)]
struct Opened {
    rows: Vec<SealedKey>,
    keys: Vec<Option<Arc<SigningKey>>>,
    /// What can sign, in the order in which it does.
    signing: Vec<(Timestamp, Arc<SigningKey>)>,
}

impl Opened {
    fn key(&self, kid: &str) -> Option<&Arc<SigningKey>> {
        let at = self.rows.iter().position(|row| row.kid == kid)?;
        self.keys.get(at)?.as_ref()
    }
}

impl Ring {
    pub(crate) fn new(settings: &Settings, sealer: Sealer) -> Self {
        Self {
            sealer,
            algorithm: settings.algorithm,
            settings: settings.keys,
            kept_for: settings.kept_for(),
            opened: ArcSwap::default(),
        }
    }

    pub(crate) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Reads the keys of the store, and makes the first one if there is none. Every key has to
    /// open: a wrong master secret is found here.
    pub(crate) async fn start(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<(), RingFault> {
        self.keep(store, random, now, Occasion::Start).await?;
        let opened = self.opened.load();
        let ours = opened.rows.iter().zip(&opened.keys);
        for (row, key) in ours.filter(|(row, _)| self.is_ours(row)) {
            if key.is_none() {
                return Err(SigningKey::open(row, &self.sealer).err().map_or_else(
                    || {
                        KeyError::Sealed {
                            kid: row.kid.clone(),
                        }
                        .into()
                    },
                    RingFault::from,
                ));
            }
        }
        Ok(())
    }

    /// Announces the next key when it is due. Returns its name if this process did.
    pub(crate) async fn keep(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        now: Timestamp,
        occasion: Occasion,
    ) -> Result<Option<String>, RingFault> {
        for _ in 0..ATTEMPTS_MAX {
            self.read(store).await?;
            let keys = self.infos(now);
            let due = rule::due(&keys, self.algorithm, &self.settings, occasion, now);
            let Some(signs_from) = due else {
                return Ok(None);
            };
            if let Some(kid) = self.add(store, random, now, signs_from).await? {
                return Ok(Some(kid));
            }
        }
        Ok(None)
    }

    /// Announces a key unless one is announced already. Returns the one that is.
    pub(crate) async fn announce(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<Option<KeyInfo>, RingFault> {
        for _ in 0..ATTEMPTS_MAX {
            self.read(store).await?;
            if let Some(next) = self.next(now) {
                return Ok(Some(next));
            }
            let signs_from = now.plus(self.settings.announce);
            self.add(store, random, now, signs_from).await?;
        }
        Ok(None)
    }

    /// Adds a key that was made elsewhere, announced like any other.
    pub(crate) async fn import(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        key: super::ImportedKey,
        now: Timestamp,
    ) -> Result<Option<KeyInfo>, RingFault> {
        if key.algorithm != self.algorithm {
            let (wanted, got) = (self.algorithm, key.algorithm);
            return Err(KeyError::Algorithm { wanted, got }.into());
        }
        let signs_from = now.plus(self.settings.announce);
        let key = SigningKey::import(key, &self.sealer, random, now, signs_from)?;
        for _ in 0..ATTEMPTS_MAX {
            self.read(store).await?;
            if self.opened.load().rows.iter().any(|row| row.kid == key.kid) {
                return Ok(None);
            }
            let after = self.last_added();
            if store.add_key(key.clone(), after.as_deref()).await? == Changed::Changed {
                self.read(store).await?;
                let added = self.infos(now);
                return Ok(added.into_iter().find(|info| info.kid == key.kid));
            }
        }
        Ok(None)
    }

    /// Revokes a key. If it signed, or was to sign next with no other announced, another one takes
    /// its place at once.
    pub(crate) async fn revoke(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        kid: &str,
        now: Timestamp,
    ) -> Result<Changed, RingFault> {
        self.read(store).await?;
        let keys = self.infos(now);
        let Some(revoked) = keys.iter().find(|key| key.kid == kid) else {
            return Ok(Changed::Unchanged);
        };
        let successor = if revoked.state == rule::KeyState::Active {
            match self.next(now) {
                Some(next) => Successor::Promoted(next.kid),
                None => Successor::Added(SigningKey::generate(
                    self.algorithm,
                    &self.sealer,
                    random,
                    now,
                    now,
                )?),
            }
        } else {
            Successor::Unchanged
        };
        let revocation = KeyRevocation {
            kid: kid.to_owned(),
            at: now,
            successor,
        };
        let changed = store.revoke_key(revocation).await?;
        self.read(store).await?;
        Ok(changed)
    }

    /// Forgets the keys of which nothing can be unexpired.
    pub(crate) async fn forget_expired(
        &self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(), RingFault> {
        let keys = self.infos(now);
        let expired = keys
            .into_iter()
            .filter(|key| key.state == rule::KeyState::Expired);
        let kids: Vec<String> = expired.map(|key| key.kid).collect();
        if !kids.is_empty() {
            store.forget_keys(&kids).await?;
            self.read(store).await?;
        }
        Ok(())
    }

    /// Reads what other processes did to the keys. One that does not open with our secrets is told
    /// about, and does without.
    pub(crate) async fn read(&self, store: &dyn Store) -> Result<(), StoreError> {
        let rows = store.keys().await?;
        let before = self.opened.load();
        if before.rows == rows {
            return Ok(());
        }
        let open = |row: &SealedKey| {
            if let Some(key) = before.key(&row.kid) {
                return Some(Arc::clone(key));
            }
            let opened = SigningKey::open(row, &self.sealer);
            opened
                .inspect_err(|fault| tracing::error!(%fault, "a signing key cannot be used"))
                .ok()
                .map(Arc::new)
        };
        let keys: Vec<_> = rows.iter().map(open).collect();
        let can_sign = rows.iter().zip(&keys).filter_map(|(row, key)| {
            let signs = self.is_ours(row) && row.revoked_at.is_none();
            let key = key.as_ref().filter(|_| signs)?;
            Some((row.signs_from, Arc::clone(key)))
        });
        let mut signing: Vec<_> = can_sign.collect();
        signing.sort_by_key(|(signs_from, _)| *signs_from);
        self.opened.store(Arc::new(Opened {
            rows,
            keys,
            signing,
        }));
        Ok(())
    }

    /// Returns the key that signs now: as [`rule::stand`] says, of those that open here.
    pub(crate) fn signing(&self, now: Timestamp) -> Result<Arc<SigningKey>, KeyError> {
        let opened = self.opened.load();
        let begun = opened.signing.iter().rfind(|(from, _)| *from <= now);
        let (_, key) = begun
            .or_else(|| opened.signing.first())
            .ok_or(KeyError::Crypto("find the signing key"))?;
        Ok(Arc::clone(key))
    }

    /// Puts the keys in force that verify at `now`, if they are others than those that do.
    pub(crate) fn publish(&self, keys: &Keys, now: Timestamp) -> Result<(), KeyError> {
        let opened = self.opened.load();
        let infos = self.infos_of(&opened, now);
        let published: Vec<&Arc<SigningKey>> = infos
            .iter()
            .filter(|info| info.state.is_published())
            .filter_map(|info| opened.key(&info.kid))
            .collect();
        let current = keys.current();
        let same = current.len() == published.len()
            && published.iter().all(|key| current.get(key.kid()).is_some());
        if same {
            return Ok(());
        }
        let verifying: Vec<VerifyingKey> = published
            .into_iter()
            .map(|key| key.verifying_key())
            .collect::<Result<_, _>>()?;
        keys.replace(KeySet::new(verifying).map_err(|_| KeyError::Crypto("publish the keys"))?);
        Ok(())
    }

    /// Returns where each key stands.
    pub(crate) fn infos(&self, now: Timestamp) -> Vec<KeyInfo> {
        self.infos_of(&self.opened.load(), now)
    }

    /// Returns the rows as they were read last, those of another kind too.
    pub(crate) fn rows(&self) -> Vec<SealedKey> {
        self.opened.load().rows.clone()
    }

    fn infos_of(&self, opened: &Opened, now: Timestamp) -> Vec<KeyInfo> {
        let ours = opened.rows.iter().filter(|row| self.is_ours(row));
        rule::stand(&ours.cloned().collect::<Vec<_>>(), now, self.kept_for)
    }

    /// A symmetric key never shares a set with public ones (RFC 8725 §3.1).
    fn is_ours(&self, row: &SealedKey) -> bool {
        (row.algorithm == Algorithm::Hs256) == (self.algorithm == Algorithm::Hs256)
    }

    fn next(&self, now: Timestamp) -> Option<KeyInfo> {
        let keys = self.infos(now);
        keys.into_iter()
            .find(|key| key.state == rule::KeyState::Next)
    }

    fn last_added(&self) -> Option<String> {
        self.opened.load().rows.last().map(|row| row.kid.clone())
    }

    /// Adds a new key. Returns its name, or `None` when another process was first.
    async fn add(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        now: Timestamp,
        signs_from: Timestamp,
    ) -> Result<Option<String>, RingFault> {
        let after = self.last_added();
        let key = SigningKey::generate(self.algorithm, &self.sealer, random, now, signs_from)?;
        let kid = key.kid.clone();
        let added = store.add_key(key, after.as_deref()).await?;
        self.read(store).await?;
        Ok((added == Changed::Changed).then_some(kid))
    }
}
