//! The sessions that ended while access tokens of theirs may still be unexpired.

use crate::{SessionId, Timestamp};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// The ended sessions that a verifier has to know, fed from outside.
///
/// A session is kept until no access token issued for it can be unexpired, so the set is
/// bounded by how many sessions end within one access-token lifetime. The check costs no query.
#[derive(Debug, Default)]
pub struct EndedSessions {
    /// Session → the moment after which none of its access tokens is unexpired.
    until: RwLock<HashMap<SessionId, Timestamp>>,
    /// How many there are: lets the common case, none, do without the lock.
    count: AtomicUsize,
}

impl EndedSessions {
    /// Remembers that `session` has ended. Its access tokens are refused from now on.
    ///
    /// `until` is the moment after which none of its access tokens can be unexpired.
    pub fn insert(&self, session: SessionId, until: Timestamp) {
        let mut map = self.until.write().unwrap_or_else(PoisonError::into_inner);
        let kept = map.entry(session).or_insert(until);
        *kept = (*kept).max(until);
        self.count.store(map.len(), Ordering::Release);
    }

    /// Tells whether `session` has ended.
    #[must_use]
    pub fn contains(&self, session: &SessionId) -> bool {
        self.count.load(Ordering::Acquire) > 0
            && self
                .until
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .contains_key(session)
    }

    /// Forgets the sessions whose last access token has expired by `now`.
    pub fn forget_expired(&self, now: Timestamp) {
        let mut map = self.until.write().unwrap_or_else(PoisonError::into_inner);
        map.retain(|_, until| *until >= now);
        self.count.store(map.len(), Ordering::Release);
    }

    /// Returns how many ended sessions are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Tells whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_is_known_until_its_last_token_has_expired() {
        let ended = EndedSessions::default();
        let session = SessionId::from_bytes([1; 16]);
        assert!(!ended.contains(&session));
        ended.insert(session, Timestamp::from_seconds(100));
        ended.insert(session, Timestamp::from_seconds(50));
        ended.forget_expired(Timestamp::from_seconds(100));
        assert!(ended.contains(&session));
        ended.forget_expired(Timestamp::from_seconds(101));
        assert!(!ended.contains(&session));
        assert!(ended.is_empty());
    }
}
