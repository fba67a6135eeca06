//! What was ended while access tokens of it may still be unexpired.

mod waiting;

pub(crate) use waiting::{Seat, Waiting};

use crate::{Claims, SessionId, Timestamp, UserId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// How many are forgotten before those who ask get their turn.
const FORGOTTEN_AT_ONCE: usize = 1024;

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
/// bytes, the first one 116.
#[derive(Debug, Default)]
pub struct Revocations {
    known: RwLock<Known>,
    /// How many there are: lets the common case, none, do without the lock.
    count: AtomicUsize,
    /// Who wants to know at once.
    waiting: Waiting,
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

/// What someone who waits listens to.
#[derive(Hash)]
pub(crate) enum Topic<'c> {
    Session(&'c SessionId),
    User(&'c UserId),
    Token(&'c str),
}

impl<'c> Topic<'c> {
    /// Returns what can refuse a token with these claims: see [`Revocations::refuse`].
    pub(crate) fn all_of(claims: &'c Claims) -> [Self; 2] {
        let of_whom = match &claims.session {
            Some(session) => Self::Session(session),
            None => Self::User(&claims.subject),
        };
        [of_whom, Self::Token(&claims.token_id)]
    }
}

impl Revocations {
    /// Remembers that `session` has ended. Its access tokens are refused from now on.
    ///
    /// `until` is the moment after which none of its access tokens can be unexpired.
    pub fn end_session(&self, session: SessionId, until: Timestamp) {
        self.change(|known| later(known.sessions.entry(session).or_insert(until), until));
        self.waiting.wake(&Topic::Session(&session));
    }

    /// Remembers that one token is refused from now on, by its claim `jti`.
    pub fn end_token(&self, token_id: &str, until: Timestamp) {
        self.change(|known| later(known.tokens.entry(token_id.into()).or_insert(until), until));
        self.waiting.wake(&Topic::Token(token_id));
    }

    /// Remembers that tokens of `user` that belong to no session and were issued at or before
    /// `not_before` are refused from now on.
    pub fn end_user(&self, user: &UserId, not_before: Timestamp, until: Timestamp) {
        self.change(|known| {
            let kept = known.users.entry(user.clone()).or_default();
            later(&mut kept.0, not_before);
            later(&mut kept.1, until);
        });
        self.waiting.wake(&Topic::User(user));
    }

    /// Tells whether `session` has ended.
    #[must_use]
    pub fn has_session(&self, session: &SessionId) -> bool {
        self.asked(|known| known.sessions.contains_key(session))
    }

    /// Returns the moment until which tokens of `user` that belong to no session are refused,
    /// whenever they were issued before.
    #[must_use]
    pub fn user_not_before(&self, user: &UserId) -> Option<Timestamp> {
        if self.is_empty() {
            return None;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.users.get(user).map(|(not_before, _)| *not_before)
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
    ///
    /// Those who ask meanwhile are not kept waiting, however much there is to forget.
    pub fn forget_expired(&self, now: Timestamp) {
        if self.is_empty() {
            return;
        }
        let (sessions, tokens, users) = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            (
                expired(&known.sessions, |until| *until < now),
                expired(&known.tokens, |until| *until < now),
                expired(&known.users, |(_, until)| *until < now),
            )
        };
        self.forget(&sessions, |known| &mut known.sessions, |until| *until < now);
        self.forget(&tokens, |known| &mut known.tokens, |until| *until < now);
        self.forget(&users, |known| &mut known.users, |(_, until)| *until < now);
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

    pub(crate) const fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    fn asked(&self, question: impl FnOnce(&Known) -> bool) -> bool {
        !self.is_empty() && question(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        self.count.store(known.len(), Ordering::Release);
    }

    /// Forgets `names`, unless someone ended them again meanwhile.
    fn forget<K: Eq + Hash, V>(
        &self,
        names: &[K],
        map: impl Fn(&mut Known) -> &mut HashMap<K, V>,
        is_over: impl Fn(&V) -> bool,
    ) {
        for some in names.chunks(FORGOTTEN_AT_ONCE) {
            self.change(|known| {
                let map = map(known);
                for name in some {
                    if map.get(name).is_some_and(&is_over) {
                        map.remove(name);
                    }
                }
            });
        }
        // After a flood the memory is given back.
        if !names.is_empty() {
            self.change(|known| {
                let map = map(known);
                if map.capacity() > 8 * map.len() {
                    map.shrink_to_fit();
                }
            });
        }
    }
}

fn expired<K: Clone, V>(map: &HashMap<K, V>, is_over: impl Fn(&V) -> bool) -> Vec<K> {
    let over = map.iter().filter(|(_, value)| is_over(value));
    over.map(|(name, _)| name.clone()).collect()
}

fn later(kept: &mut Timestamp, other: Timestamp) {
    *kept = (*kept).max(other);
}

#[cfg(test)]
mod tests;
