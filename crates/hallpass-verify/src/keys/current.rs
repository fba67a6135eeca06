//! The set in force, shared by everything that verifies.

use super::KeySet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The key set in force: shared by all verifiers, replaced as a whole.
#[derive(Debug)]
pub struct Keys {
    /// The set and its epoch. They change together.
    current: RwLock<(Arc<KeySet>, u64)>,
    /// The epoch again, for readers that need no set.
    epoch: AtomicU64,
}

impl Keys {
    /// Starts with `set`, in epoch 0.
    #[must_use]
    pub fn new(set: KeySet) -> Self {
        Self {
            current: RwLock::new((Arc::new(set), 0)),
            epoch: AtomicU64::new(0),
        }
    }

    /// Puts `set` in force.
    ///
    /// # Security
    /// No verification that begins after this has returned accepts a token of a removed key,
    /// remembered ones included: this is how a stolen key loses its power.
    pub fn replace(&self, set: KeySet) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let epoch = current.1.wrapping_add(1);
        *current = (Arc::new(set), epoch);
        self.epoch.store(epoch, Ordering::Release);
    }

    /// Returns the set in force.
    #[must_use]
    pub fn current(&self) -> Arc<KeySet> {
        self.current_with_epoch().0
    }

    /// Returns how often the set has been replaced.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Returns the set in force and its epoch.
    pub(crate) fn current_with_epoch(&self) -> (Arc<KeySet>, u64) {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
