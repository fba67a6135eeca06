//! Who wants to know at once when something is revoked.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Seats, each under the topics it listens to. It needs no runtime.
///
/// Topics are kept as hashes under a random key: two topics that share one wake each other's
/// seats, which look again and go on waiting.
#[derive(Default)]
pub(crate) struct Waiting {
    hasher: RandomState,
    /// By topic and by where the seat lies, so that a crowd at one topic leaves quickly.
    seats: Mutex<BTreeMap<(u64, usize), Arc<Seat>>>,
}

/// Where the waker of one future lies.
#[derive(Default)]
pub(crate) struct Seat(Mutex<Option<Waker>>);

impl Seat {
    /// Has `waker` woken from now on. Look at what you wait for afterwards, never before: what
    /// changes in between wakes it.
    pub(crate) fn set(&self, waker: &Waker) {
        let known = lock(&self.0)
            .as_ref()
            .is_some_and(|known| known.will_wake(waker));
        if !known {
            // Wakers are cloned and dropped outside the lock: both may run code of a runtime,
            // and that code may come back here.
            let next = waker.clone();
            let _previous = lock(&self.0).replace(next);
        }
    }

    fn wake(&self) {
        let waker = lock(&self.0).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Waiting {
    /// Lets `seat` listen to `topic`.
    pub(crate) fn join(&self, topic: &impl Hash, seat: &Arc<Seat>) {
        let place = self.place(topic, seat);
        let _earlier = lock(&self.seats).insert(place, Arc::clone(seat));
    }

    /// Ends what [`join`](Self::join) began.
    pub(crate) fn leave(&self, topic: &impl Hash, seat: &Arc<Seat>) {
        let place = self.place(topic, seat);
        let _own = lock(&self.seats).remove(&place);
    }

    /// Wakes who listens to `topic`. Change what they look at before, never afterwards.
    pub(crate) fn wake(&self, topic: &impl Hash) {
        let topic = self.hasher.hash_one(topic);
        let here: Vec<_> = {
            let seats = lock(&self.seats);
            let here = seats.range((topic, 0)..=(topic, usize::MAX));
            here.map(|(_, seat)| Arc::clone(seat)).collect()
        };
        for seat in here {
            seat.wake();
        }
    }

    /// Wakes everyone.
    pub(crate) fn wake_all(&self) {
        let all: Vec<_> = lock(&self.seats).values().cloned().collect();
        for seat in all {
            seat.wake();
        }
    }

    fn place(&self, topic: &impl Hash, seat: &Arc<Seat>) -> (u64, usize) {
        (self.hasher.hash_one(topic), Arc::as_ptr(seat).addr())
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.seats).len()
    }
}

/// Shows nothing: wakers tell nothing.
impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
