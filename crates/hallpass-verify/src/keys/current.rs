//! The set in force, shared by everything that verifies.

use super::KeySet;
use crate::revocations::Waiting;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The key set in force: shared by all verifiers, replaced as a whole.
#[derive(Debug)]
pub struct Keys {
    current: RwLock<Current>,
    /// The epoch again, for readers that need no set.
    epoch: AtomicU64,
    /// Who wants to know when a key goes.
    waiting: Waiting,
}

/// The set and its epoch change together.
#[derive(Debug)]
struct Current {
    set: Arc<KeySet>,
    epoch: u64,
    /// Keys that were revoked: no set brings them back.
    withdrawn: BTreeSet<Box<str>>,
}

impl Keys {
    /// Starts with `set`, in epoch 0. An empty set verifies nothing until it is replaced.
    #[must_use]
    pub fn new(set: KeySet) -> Self {
        Self {
            current: RwLock::new(Current {
                set: Arc::new(set),
                epoch: 0,
                withdrawn: BTreeSet::new(),
            }),
            epoch: AtomicU64::new(0),
            waiting: Waiting::default(),
        }
    }

    /// Puts `set` in force, without the keys that were withdrawn.
    ///
    /// # Security
    /// No verification that begins after this has returned accepts a token of a removed key,
    /// remembered ones included: this is how a stolen key loses its power.
    pub fn replace(&self, set: KeySet) {
        self.change(|current| {
            let kept = set.without(|kid| current.withdrawn.contains(kid));
            current.set = Arc::new(kept);
        });
    }

    /// Takes the key `kid` out of force, for good: a set that still has it, from a cache on the
    /// way, does not bring it back.
    pub fn withdraw(&self, kid: &str) {
        // Told again, as after each reconnect: what was remembered stays good.
        if self.is_withdrawn(kid) {
            return;
        }
        self.change(|current| {
            current.withdrawn.insert(kid.into());
            current.set = Arc::new(current.set.as_ref().clone().without(|other| other == kid));
        });
    }

    /// Returns the set in force.
    #[must_use]
    pub fn current(&self) -> Arc<KeySet> {
        self.current_with_epoch().0
    }

    /// Returns how often the set has been changed.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Returns the set in force and its epoch.
    pub(crate) fn current_with_epoch(&self) -> (Arc<KeySet>, u64) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&current.set), current.epoch)
    }

    /// Tells whether tokens of the key `kid`, which verified once, are refused now.
    ///
    /// Without any key nothing can be said about a token: then only a withdrawn key is gone.
    pub(crate) fn is_gone(&self, kid: &str) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let is_replaced = || !current.set.is_empty() && current.set.get(kid).is_none();
        current.withdrawn.contains(kid) || is_replaced()
    }

    fn is_withdrawn(&self, kid: &str) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.withdrawn.contains(kid)
    }

    pub(crate) const fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    fn change(&self, change: impl FnOnce(&mut Current)) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let before = Arc::clone(&current.set);
        change(&mut current);
        let after = Arc::clone(&current.set);
        current.epoch = current.epoch.wrapping_add(1);
        self.epoch.store(current.epoch, Ordering::Release);
        drop(current);
        // After an empty set nobody knows which key was in force before it.
        if before.is_empty() || before.iter().any(|key| after.get(key.kid()).is_none()) {
            self.waiting.wake_all();
        }
    }
}
