//! What was ended while access tokens of it may still be unexpired.

use crate::{Claims, SessionId, Timestamp, UserId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// What can be refused before it expires.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Revoked {
    /// A session: it was signed out, ended, or found stolen.
    Session(SessionId),
    /// Tokens of a user that belong to no session and were issued until then.
    User(UserId),
    /// One token, by its claim `jti`.
    Token(String),
    /// A signing key, by its `kid`: for good, whatever it signed.
    Key(String),
}

/// What a verifier has to know of ended sessions, users and tokens, fed from outside.
///
/// Each is kept until no access token of it can be unexpired, so the set is bounded by how much
/// ends within one access-token lifetime. The check costs no query. A session takes at most 58
/// bytes.
#[derive(Debug, Default)]
pub struct Revocations {
    known: RwLock<Known>,
    /// How many there are: lets the common case, none, do without the lock.
    count: AtomicUsize,
}

/// Each with the moment after which none of its access tokens is unexpired.
#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<SessionId, Timestamp>,
    tokens: HashMap<Box<str>, Timestamp>,
    /// The first of the two: tokens issued until then are refused.
    users: HashMap<UserId, (Timestamp, Timestamp)>,
}

impl Known {
    fn len(&self) -> usize {
        self.sessions.len() + self.tokens.len() + self.users.len()
    }
}

impl Revocations {
    /// Remembers that `session` has ended. Its access tokens are refused from now on.
    ///
    /// `until` is the moment after which none of its access tokens can be unexpired.
    pub fn end_session(&self, session: SessionId, until: Timestamp) {
        self.change(|known| later(known.sessions.entry(session).or_insert(until), until));
    }

    /// Remembers that one token is refused from now on, by its claim `jti`.
    pub fn end_token(&self, token_id: &str, until: Timestamp) {
        self.change(|known| later(known.tokens.entry(token_id.into()).or_insert(until), until));
    }

    /// Remembers that tokens of `user` that belong to no session and were issued at or before
    /// `not_before` are refused from now on.
    pub fn end_user(&self, user: &UserId, not_before: Timestamp, until: Timestamp) {
        self.change(|known| {
            let kept = known.users.entry(user.clone()).or_default();
            later(&mut kept.0, not_before);
            later(&mut kept.1, until);
        });
    }

    /// Tells whether `session` has ended.
    #[must_use]
    pub fn has_session(&self, session: &SessionId) -> bool {
        self.asked(|known| known.sessions.contains_key(session))
    }

    /// Tells whether a token with these claims is refused.
    #[must_use]
    pub fn refuse(&self, claims: &Claims) -> bool {
        self.asked(|known| {
            let of_its_user = || {
                let (not_before, _) = known.users.get(&claims.subject)?;
                // `iat` has whole seconds: a token of the same second is refused too.
                Some(claims.issued_at <= *not_before)
            };
            known.tokens.contains_key(claims.token_id.as_str())
                || match &claims.session {
                    Some(session) => known.sessions.contains_key(session),
                    None => of_its_user().unwrap_or(false),
                }
        })
    }

    /// Forgets what no unexpired token can belong to by `now`.
    pub fn forget_expired(&self, now: Timestamp) {
        if self.is_empty() {
            return;
        }
        self.change(|known| {
            known.sessions.retain(|_, until| *until >= now);
            known.tokens.retain(|_, until| *until >= now);
            known.users.retain(|_, (_, until)| *until >= now);
            // After a flood the memory is given back.
            if known.sessions.capacity() > 8 * known.sessions.len() {
                known.sessions.shrink_to_fit();
            }
        });
    }

    /// Returns how many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Tells whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn asked(&self, question: impl FnOnce(&Known) -> bool) -> bool {
        !self.is_empty() && question(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        self.count.store(known.len(), Ordering::Release);
    }
}

fn later(kept: &mut Timestamp, other: Timestamp) {
    *kept = (*kept).max(other);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_is_known_until_its_last_token_has_expired() {
        let ended = Revocations::default();
        let session = SessionId::from_bytes([1; 16]);
        assert!(!ended.has_session(&session));
        ended.end_session(session, Timestamp::from_seconds(100));
        ended.end_session(session, Timestamp::from_seconds(50));
        ended.forget_expired(Timestamp::from_seconds(100));
        assert!(ended.has_session(&session));
        ended.forget_expired(Timestamp::from_seconds(101));
        assert!(!ended.has_session(&session));
        assert!(ended.is_empty());
    }
}
