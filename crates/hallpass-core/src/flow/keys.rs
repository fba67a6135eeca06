//! Signing keys: announced, rotated, revoked, brought in, sealed anew.

use crate::audit::EventKind;
use crate::error::Error;
use crate::hallpass::Hallpass;
use crate::key::{
    ImportedKey, KeyError, KeyInfo, Occasion, ROOT_BOUND_TO, RingFault, SealedKey, bound_to,
};
use crate::session::Device;
use crate::store::{Changed, Resealing};

impl From<RingFault> for Error {
    fn from(fault: RingFault) -> Self {
        match fault {
            RingFault::Key(fault) => fault.into(),
            RingFault::Store(fault) => fault.into(),
        }
    }
}

impl Hallpass {
    /// Returns the signing keys in the order in which they sign.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyInfo> {
        self.0.ring.infos(self.now())
    }

    /// Announces the next key when it is due, and forgets keys of which no token can be unexpired.
    /// Call it several times within the announcement of a key.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails; the next call catches up.
    pub async fn keep_keys(&self) -> Result<(), Error> {
        let (rules, now) = (&self.0, self.now());
        let (store, random) = (rules.store.as_ref(), rules.random.as_ref());
        let made = rules.ring.keep(store, random, now, Occasion::Later).await?;
        if made.is_some() {
            self.record(EventKind::KeyAnnounced, None, None, &Device::default());
        }
        rules.ring.forget_expired(store, now).await?;
        rules.ring.publish(rules.verifier.keys(), now)?;
        Ok(())
    }

    /// Announces the next key now, unless one is announced already; returns the one that is. It
    /// signs once every verifier can know it.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn rotate_key(&self) -> Result<KeyInfo, Error> {
        let (rules, now) = (&self.0, self.now());
        let announced = rules
            .ring
            .announce(rules.store.as_ref(), rules.random.as_ref(), now)
            .await?;
        let next = announced.ok_or(KeyError::Crypto("announce a key"))?;
        self.record(EventKind::KeyAnnounced, None, None, &Device::default());
        self.sync().await?;
        Ok(next)
    }

    /// Adds a key that was made elsewhere; it is announced like any other.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is a key of this name already, [`Error::Internal`] when the
    /// store fails or the key is for another algorithm than the deployment's.
    pub async fn import_key(&self, key: ImportedKey) -> Result<KeyInfo, Error> {
        let (rules, now) = (&self.0, self.now());
        let (store, random) = (rules.store.as_ref(), rules.random.as_ref());
        let added = rules.ring.import(store, random, key, now).await?;
        let added = added.ok_or(Error::NotFound)?;
        self.record(EventKind::KeyAnnounced, None, None, &Device::default());
        self.sync().await?;
        Ok(added)
    }

    /// Revokes a key that others may have: whatever it signed is refused from now on, everywhere.
    /// Nobody is signed out, as the next refresh gives a token of another key.
    ///
    /// If it was the one that signs, the announced key takes its place at once, or else a new one.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key, or it is revoked already; [`Error::Internal`]
    /// when the store fails.
    pub async fn revoke_key(&self, kid: &str) -> Result<(), Error> {
        let (rules, now) = (&self.0, self.now());
        let changed = rules
            .ring
            .revoke(rules.store.as_ref(), rules.random.as_ref(), kid, now)
            .await?;
        if changed == Changed::Unchanged {
            return Err(Error::NotFound);
        }
        self.record(EventKind::KeyRevoked, None, None, &Device::default());
        rules.feed.appended.notify_one();
        // The announced key may have been revoked in the same moment, by somebody else: then there
        // is none, and one is made.
        self.keep_keys().await?;
        self.sync().await
    }

    /// Seals every key with the master secret of now, so that the former ones can be thrown away.
    /// Returns how many were sealed anew.
    ///
    /// # Errors
    /// [`Error::Internal`] when a key does not open with any of the secrets, or the store fails.
    pub async fn reseal(&self) -> Result<usize, Error> {
        let rules = &self.0;
        let (sealer, random) = (rules.ring.sealer(), rules.random.as_ref());
        rules.ring.read(rules.store.as_ref()).await?;
        let anew = |sealed: &[u8], bound_to: &str, kid: &str| {
            let lost = || KeyError::Sealed { kid: kid.into() };
            let plain = sealer.open(sealed, bound_to).ok_or_else(lost)?;
            sealer.seal(&plain, bound_to, random)
        };
        let rows: Vec<SealedKey> = rules.ring.rows();
        let stale =
            |key: &&SealedKey| !sealer.is_current(&key.sealed, &bound_to(&key.kid, key.algorithm));
        let mut keys = Vec::new();
        for key in rows.iter().filter(stale) {
            let new = anew(&key.sealed, &bound_to(&key.kid, key.algorithm), &key.kid)?;
            keys.push((key.kid.clone(), key.sealed.clone(), new));
        }
        let kept = self.sealed_root().await?;
        let root_is_stale = !sealer.is_current(&kept.0, ROOT_BOUND_TO);
        let count = keys.len() + usize::from(root_is_stale);
        if count == 0 {
            return Ok(0);
        }
        let new_root = if root_is_stale {
            crate::key::SealedRoot(anew(&kept.0, ROOT_BOUND_TO, ROOT_BOUND_TO)?)
        } else {
            kept.clone()
        };
        let root = (kept, new_root);
        match rules.store.reseal(Resealing { root, keys }).await? {
            Changed::Changed => {
                self.record(EventKind::KeysResealed, None, None, &Device::default());
                rules.ring.read(rules.store.as_ref()).await?;
                Ok(count)
            }
            // Somebody else changed the keys in the same moment: whoever asked may ask again.
            Changed::Unchanged => Err(KeyError::Crypto("seal keys that change").into()),
        }
    }

    /// Tells whether anything is still sealed with a former master secret.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn has_former_seals(&self) -> Result<bool, Error> {
        let sealer = self.0.ring.sealer();
        let root = self.sealed_root().await?;
        let stale =
            |key: &SealedKey| !sealer.is_current(&key.sealed, &bound_to(&key.kid, key.algorithm));
        Ok(!sealer.is_current(&root.0, ROOT_BOUND_TO) || self.0.ring.rows().iter().any(stale))
    }

    async fn sealed_root(&self) -> Result<crate::key::SealedRoot, Error> {
        let fresh = crate::key::RootKey::draw(self.0.ring.sealer(), self.0.random.as_ref())?;
        Ok(self.0.store.root_key(fresh).await?)
    }
}
