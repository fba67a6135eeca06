//! Tokens that were verified before.

use crate::Claims;
use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// The longest token that is remembered, in bytes: bounds the memory.
const REMEMBERED_LEN_MAX: usize = 4096;

/// The SHA-256 of a token: no token lies in memory, and no two share an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(token: &str) -> Self {
        let hash = digest(&SHA256, token.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        Self(bytes)
    }
}

/// The claims of tokens that were verified, each with the epoch of the key set that did it.
/// Refused tokens are never kept, so strangers cannot fill it.
pub(super) struct Remembered(Option<Cache<Fingerprint, (Arc<Claims>, u64)>>);

impl Remembered {
    pub(super) fn new(tokens_max: usize) -> Self {
        Self((tokens_max > 0).then(|| Cache::new(tokens_max)))
    }

    /// Returns the claims of a token, if the keys of `epoch` verified it.
    pub(super) fn get(&self, fingerprint: &Fingerprint, epoch: u64) -> Option<Arc<Claims>> {
        let (claims, verified_in) = self.0.as_ref()?.get(fingerprint)?;
        (verified_in == epoch).then_some(claims)
    }

    pub(super) fn insert(
        &self,
        fingerprint: Fingerprint,
        claims: Arc<Claims>,
        epoch: u64,
        token_len: usize,
    ) {
        if let Some(cache) = &self.0
            && token_len <= REMEMBERED_LEN_MAX
        {
            cache.insert(fingerprint, (claims, epoch));
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
