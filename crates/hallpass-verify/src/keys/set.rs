//! The keys of one issuer.

use super::{KeyFault, VerifyingKey};
use std::sync::Arc;

/// The keys of one issuer, each under its own id. All public, or all secret.
#[derive(Clone, Default)]
pub struct KeySet(Vec<Arc<VerifyingKey>>);

impl KeySet {
    /// Takes keys.
    ///
    /// # Errors
    /// When two keys have the same id, or public keys are mixed with secret ones.
    ///
    /// # Security
    /// Public and secret keys in one set invite the oldest of attacks: to sign with HS256 and a
    /// public key as the secret (RFC 8725 §2.1).
    pub fn new(keys: Vec<VerifyingKey>) -> Result<Self, KeyFault> {
        let mut kids: Vec<&str> = keys.iter().map(VerifyingKey::kid).collect();
        kids.sort_unstable();
        if kids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(KeyFault::DuplicateKid);
        }
        let secret = keys.iter().filter(|key| key.is_secret()).count();
        if secret != 0 && secret != keys.len() {
            return Err(KeyFault::Mixed);
        }
        Ok(Self(keys.into_iter().map(Arc::new).collect()))
    }

    /// Returns the key with exactly this id.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.iter().find(|key| key.kid() == kid)
    }

    /// Goes through the keys.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Returns the set without the keys that `goes` picks by their id.
    pub(crate) fn without(mut self, goes: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|key| !goes(key.kid()));
        self
    }

    /// Returns how many keys there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is no key. Such a set verifies nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
