//! A store in memory: for tests, and for programs that may forget everything.

use super::{
    Advance, Advanced, Changed, Credentials, Cursor, End, FeedEntry, FeedStore, Inserted,
    KeyRevocation, KeyStore, Resealing, SessionStore, StoreError, Successor, Ticket, TicketHash,
    TicketStore, UserStore,
};
use crate::key::{SealedKey, SealedRoot};
use crate::session::{EndReason, Session};
use crate::user::{EmailKey, PasswordHash, User};
use async_trait::async_trait;
use hallpass_verify::{Revoked, SessionId, Timestamp, UserId};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps everything in this process. One lock makes every method atomic.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    users: BTreeMap<UserId, (User, PasswordHash)>,
    emails: BTreeMap<EmailKey, UserId>,
    sessions: BTreeMap<SessionId, Session>,
    feed: Vec<FeedEntry>,
    last_cursor: Cursor,
    root: Option<SealedRoot>,
    keys: Vec<SealedKey>,
    tickets: BTreeMap<TicketHash, Ticket>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn end(&mut self, id: SessionId, reason: EndReason, now: Timestamp) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.ended = Some((now, reason));
            self.append(Revoked::Session(id), now);
        }
    }

    fn append(&mut self, revoked: Revoked, at: Timestamp) {
        self.last_cursor = Cursor(self.last_cursor.0.saturating_add(1));
        self.feed.push(FeedEntry {
            cursor: self.last_cursor,
            revoked,
            at,
        });
    }

    fn key(&mut self, kid: &str) -> Option<&mut SealedKey> {
        self.keys.iter_mut().find(|key| key.kid == kid)
    }
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn insert_user(
        &self,
        user: &User,
        password: &PasswordHash,
    ) -> Result<Inserted, StoreError> {
        let mut kept = self.lock();
        if kept.emails.contains_key(&user.email.key()) {
            return Ok(Inserted::EmailTaken);
        }
        let password = PasswordHash::new(password.expose().to_owned());
        kept.emails.insert(user.email.key(), user.id.clone());
        kept.users.insert(user.id.clone(), (user.clone(), password));
        Ok(Inserted::Inserted)
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        Ok(self.lock().users.get(id).map(|(user, _)| user.clone()))
    }

    async fn credentials(&self, email: &EmailKey) -> Result<Option<Credentials>, StoreError> {
        let kept = self.lock();
        let found = kept.emails.get(email).and_then(|id| kept.users.get(id));
        Ok(found.map(|(user, password)| Credentials {
            user: user.clone(),
            password: PasswordHash::new(password.expose().to_owned()),
        }))
    }

    async fn replace_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<Changed, StoreError> {
        let mut kept = self.lock();
        match kept.users.get_mut(user) {
            Some((_, password)) if password.expose() == old.expose() => {
                *password = PasswordHash::new(new.expose().to_owned());
                Ok(Changed::Changed)
            }
            _ => Ok(Changed::Unchanged),
        }
    }

    async fn replace_roles(&self, user: &UserId, roles: &[String]) -> Result<Changed, StoreError> {
        match self.lock().users.get_mut(user) {
            Some((user, _)) => {
                user.roles = roles.to_vec();
                Ok(Changed::Changed)
            }
            None => Ok(Changed::Unchanged),
        }
    }

    async fn users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let kept = self.lock();
        let all = kept.users.values().map(|(user, _)| user);
        let rest = all.filter(|user| after.is_none_or(|after| user.id > *after));
        Ok(rest.take(limit).cloned().collect())
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        self.lock().sessions.insert(session.id, session.clone());
        Ok(())
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.lock().sessions.get(id).cloned())
    }

    async fn live_sessions(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let kept = self.lock();
        let live = kept
            .sessions
            .values()
            .filter(|row| row.user == *user && row.is_live(now));
        let mut live: Vec<_> = live.cloned().collect();
        live.sort_by_key(|session| (std::cmp::Reverse(session.rotated_at), session.id));
        Ok(live)
    }

    async fn advance(&self, advance: &Advance) -> Result<Advanced, StoreError> {
        let mut kept = self.lock();
        let Some(row) = kept.sessions.get_mut(&advance.session) else {
            return Ok(Advanced::Stayed(None));
        };
        if row.generation != advance.from || !row.is_live(advance.now) {
            return Ok(Advanced::Stayed(Some(row.clone())));
        }
        row.generation = advance.to;
        row.rotated_at = advance.now;
        row.rotation_key = advance.key;
        row.idle_expires_at = advance.now.plus(row.idle_ttl).min(row.expires_at);
        Ok(Advanced::Moved(row.clone()))
    }

    async fn end_session(&self, end: &End) -> Result<Changed, StoreError> {
        let mut kept = self.lock();
        match kept.sessions.get(&end.session) {
            Some(row)
                if row.ended.is_none() && end.owner.as_ref().is_none_or(|own| *own == row.user) =>
            {
                kept.end(end.session, end.reason, end.now);
                Ok(Changed::Changed)
            }
            _ => Ok(Changed::Unchanged),
        }
    }

    async fn end_sessions(
        &self,
        user: &UserId,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut kept = self.lock();
        let theirs = kept
            .sessions
            .values()
            .filter(|row| row.user == *user && Some(row.id) != keep && row.ended.is_none());
        let (ids, live): (Vec<_>, Vec<_>) = theirs.map(|row| (row.id, row.is_live(now))).unzip();
        for id in &ids {
            kept.end(*id, reason, now);
        }
        Ok(ids
            .into_iter()
            .zip(live)
            .filter_map(|(id, live)| live.then_some(id))
            .collect())
    }

    async fn purge_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut kept = self.lock();
        let count = kept.sessions.len();
        kept.sessions
            .retain(|_, row| row.refresh_expires_at() >= before);
        Ok(u64::try_from(count - kept.sessions.len()).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl FeedStore for MemoryStore {
    async fn revoke(&self, revoked: &Revoked, at: Timestamp) -> Result<(), StoreError> {
        self.lock().append(revoked.clone(), at);
        Ok(())
    }

    async fn revoked_since(
        &self,
        cursor: Cursor,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let kept = self.lock();
        let rest = kept.feed.iter().filter(|entry| entry.cursor > cursor);
        Ok(rest.take(limit).cloned().collect())
    }

    async fn purge_feed(&self, before: Timestamp) -> Result<(), StoreError> {
        let stays = |entry: &FeedEntry| matches!(entry.revoked, Revoked::Key(_));
        let mut kept = self.lock();
        kept.feed.retain(|entry| entry.at >= before || stays(entry));
        Ok(())
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn root_key(&self, sealed: SealedRoot) -> Result<SealedRoot, StoreError> {
        Ok(self.lock().root.get_or_insert(sealed).clone())
    }

    async fn keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        Ok(self.lock().keys.clone())
    }

    async fn add_key(&self, key: SealedKey, after: Option<&str>) -> Result<Changed, StoreError> {
        let mut kept = self.lock();
        if kept.keys.last().map(|key| key.kid.as_str()) != after {
            return Ok(Changed::Unchanged);
        }
        kept.keys.push(key);
        Ok(Changed::Changed)
    }

    async fn revoke_key(&self, revocation: KeyRevocation) -> Result<Changed, StoreError> {
        let KeyRevocation { kid, at, successor } = revocation;
        let mut kept = self.lock();
        match kept.key(&kid) {
            Some(key) if key.revoked_at.is_none() => key.revoked_at = Some(at),
            _ => return Ok(Changed::Unchanged),
        }
        kept.append(Revoked::Key(kid), at);
        match successor {
            Successor::Unchanged => {}
            Successor::Promoted(next) => {
                if let Some(key) = kept.key(&next) {
                    key.signs_from = at;
                }
            }
            Successor::Added(key) => kept.keys.push(key),
        }
        Ok(Changed::Changed)
    }

    async fn forget_keys(&self, kids: &[String]) -> Result<(), StoreError> {
        self.lock().keys.retain(|key| !kids.contains(&key.kid));
        Ok(())
    }

    async fn reseal(&self, resealing: Resealing) -> Result<Changed, StoreError> {
        let mut kept = self.lock();
        let (old_root, new_root) = resealing.root;
        let is_same = |kept: &mut Kept, (kid, old, _): &(String, Vec<u8>, Vec<u8>)| {
            kept.key(kid).is_some_and(|key| key.sealed == *old)
        };
        let all_same = resealing.keys.iter().all(|key| is_same(&mut kept, key));
        if kept.root.as_ref() != Some(&old_root) || !all_same {
            return Ok(Changed::Unchanged);
        }
        kept.root = Some(new_root);
        for (kid, _, new) in resealing.keys {
            if let Some(key) = kept.key(&kid) {
                key.sealed = new;
            }
        }
        Ok(Changed::Changed)
    }
}

#[async_trait]
impl TicketStore for MemoryStore {
    async fn insert_ticket(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.lock().tickets.insert(ticket.hash, ticket);
        Ok(())
    }

    async fn take_ticket(
        &self,
        hash: &TicketHash,
        now: Timestamp,
    ) -> Result<Option<SessionId>, StoreError> {
        let taken = self.lock().tickets.remove(hash);
        let good = taken.filter(|ticket| ticket.expires_at > now);
        Ok(good.map(|ticket| ticket.session))
    }

    async fn purge_tickets(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut kept = self.lock();
        kept.tickets.retain(|_, ticket| ticket.expires_at >= before);
        Ok(())
    }
}
