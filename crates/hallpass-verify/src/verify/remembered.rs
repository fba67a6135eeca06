//! Tokens that were verified before.

use crate::caller::Verified;
use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The longest token that is remembered, in bytes: bounds the memory.
const REMEMBERED_LEN_MAX: usize = 4096;

/// A token as it is looked up: what is signed as it is, the signature hashed.
///
/// Two tokens share an entry only if they are equal. And nothing that lies in memory can be
/// presented: what is signed is no credential without its signature.
#[derive(Clone, Copy)]
pub(super) struct Fingerprint<'t> {
    signing_input: &'t str,
    signature_hash: [u8; 32],
}

impl<'t> Fingerprint<'t> {
    /// Takes the fingerprint of a token; `None` if it is not even two parts.
    pub(super) fn of(token: &'t str) -> Option<Self> {
        let (signing_input, signature) = token.rsplit_once('.')?;
        let hash = digest(&SHA256, signature.as_bytes());
        let mut signature_hash = [0; 32];
        signature_hash.copy_from_slice(hash.as_ref());
        Some(Self {
            signing_input,
            signature_hash,
        })
    }
}

impl Hash for Fingerprint<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature_hash.hash(state);
    }
}

/// A [`Fingerprint`] that is kept.
#[derive(PartialEq, Eq)]
struct Kept {
    signing_input: Box<str>,
    signature_hash: [u8; 32],
}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature_hash.hash(state);
    }
}

impl Equivalent<Kept> for Fingerprint<'_> {
    fn equivalent(&self, kept: &Kept) -> bool {
        self.signature_hash == kept.signature_hash && *self.signing_input == *kept.signing_input
    }
}

/// The claims of tokens that were verified, each with the epoch of the key set that did it.
/// Refused tokens are never kept, so strangers cannot fill it.
pub(super) struct Remembered(Option<Cache<Kept, (Arc<Verified>, u64)>>);

impl Remembered {
    pub(super) fn new(tokens_max: usize) -> Self {
        Self((tokens_max > 0).then(|| Cache::new(tokens_max)))
    }

    /// Returns the claims of a token, if the keys of `epoch` verified it.
    pub(super) fn get(&self, fingerprint: &Fingerprint<'_>, epoch: u64) -> Option<Arc<Verified>> {
        let (verified, verified_in) = self.0.as_ref()?.get(fingerprint)?;
        (verified_in == epoch).then_some(verified)
    }

    pub(super) fn insert(&self, fingerprint: Fingerprint<'_>, verified: Arc<Verified>, epoch: u64) {
        if let Some(cache) = &self.0
            && fingerprint.signing_input.len() <= REMEMBERED_LEN_MAX
        {
            let kept = Kept {
                signing_input: fingerprint.signing_input.into(),
                signature_hash: fingerprint.signature_hash,
            };
            cache.insert(kept, (verified, epoch));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Cache::len)
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered")
    }
}
