//! A store in front of another one, which fails or lets others go first when it is told to.

use async_trait::async_trait;
use hallpass_core::key::{SealedKey, SealedRoot};
use hallpass_core::session::{EndReason, Session};
use hallpass_core::store::{
    Advance, Advanced, Changed, Credentials, Cursor, End, FeedEntry, FeedStore, Inserted,
    KeyRevocation, KeyStore, MemoryStore, Resealing, SessionStore, StoreError, Ticket, TicketHash,
    TicketStore, UserStore,
};
use hallpass_core::user::{EmailKey, PasswordHash, User};
use hallpass_verify::{Revoked, SessionId, Timestamp, UserId};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// What a [`Wrapped`] does around each call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Nothing.
    Pass,
    /// It fails instead.
    Fail,
    /// It is pending once before and once after, so that a test decides who goes on. Reads of
    /// users are pending once: nothing here writes users.
    Yield,
    /// The same, but reads of one row are not pending: what they find was decided by a write.
    YieldAtWrites,
}

#[derive(Debug)]
pub(crate) struct Wrapped {
    inner: Arc<MemoryStore>,
    mode: Mutex<Mode>,
}

impl Wrapped {
    pub(crate) fn around(inner: &Arc<MemoryStore>) -> Self {
        Self {
            inner: inner.clone(),
            mode: Mutex::new(Mode::Pass),
        }
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// Before a call that may change something.
    async fn before(&self) -> Result<(), StoreError> {
        self.expect_plugged_in()?;
        self.pending_in(&[Mode::Yield, Mode::YieldAtWrites]).await;
        Ok(())
    }

    async fn after(&self) {
        self.pending_in(&[Mode::Yield, Mode::YieldAtWrites]).await;
    }

    async fn before_read(&self) -> Result<(), StoreError> {
        self.expect_plugged_in()?;
        self.pending_in(&[Mode::Yield]).await;
        Ok(())
    }

    fn expect_plugged_in(&self) -> Result<(), StoreError> {
        match *self.mode.lock().unwrap() {
            Mode::Fail => Err(StoreError::new("answer", "the cable is unplugged")),
            _ => Ok(()),
        }
    }

    async fn pending_in(&self, modes: &[Mode]) {
        let mut is_due = modes.contains(&*self.mode.lock().unwrap());
        std::future::poll_fn(|_| {
            if std::mem::take(&mut is_due) {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

/// Runs a future that waits for nothing but the wish to let others go first.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("the future waits for something");
}

macro_rules! through {
    ($self:ident, $call:expr) => {{
        $self.before().await?;
        let result = $call.await;
        $self.after().await;
        result
    }};
}

#[async_trait]
impl UserStore for Wrapped {
    async fn insert_user(
        &self,
        user: &User,
        password: &PasswordHash,
    ) -> Result<Inserted, StoreError> {
        through!(self, self.inner.insert_user(user, password))
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.before_read().await?;
        self.inner.user(id).await
    }

    async fn credentials(&self, email: &EmailKey) -> Result<Option<Credentials>, StoreError> {
        self.before_read().await?;
        self.inner.credentials(email).await
    }

    async fn replace_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<Changed, StoreError> {
        through!(self, self.inner.replace_password(user, old, new))
    }

    async fn replace_roles(&self, user: &UserId, roles: &[String]) -> Result<Changed, StoreError> {
        through!(self, self.inner.replace_roles(user, roles))
    }

    async fn users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.before_read().await?;
        self.inner.users(after, limit).await
    }
}

#[async_trait]
impl SessionStore for Wrapped {
    async fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        through!(self, self.inner.insert_session(session))
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.before_read().await?;
        self.inner.session(id).await
    }

    async fn live_sessions(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        through!(self, self.inner.live_sessions(user, now))
    }

    async fn advance(&self, advance: &Advance) -> Result<Advanced, StoreError> {
        through!(self, self.inner.advance(advance))
    }

    async fn end_session(&self, end: &End) -> Result<Changed, StoreError> {
        through!(self, self.inner.end_session(end))
    }

    async fn end_sessions(
        &self,
        user: &UserId,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        through!(self, self.inner.end_sessions(user, keep, reason, now))
    }

    async fn purge_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        through!(self, self.inner.purge_sessions(before))
    }
}

#[async_trait]
impl FeedStore for Wrapped {
    async fn revoke(&self, revoked: &Revoked, at: Timestamp) -> Result<(), StoreError> {
        through!(self, self.inner.revoke(revoked, at))
    }

    async fn revoked_since(
        &self,
        cursor: Cursor,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        through!(self, self.inner.revoked_since(cursor, limit))
    }

    async fn purge_feed(&self, before: Timestamp) -> Result<(), StoreError> {
        through!(self, self.inner.purge_feed(before))
    }
}

#[async_trait]
impl KeyStore for Wrapped {
    async fn root_key(&self, sealed: SealedRoot) -> Result<SealedRoot, StoreError> {
        through!(self, self.inner.root_key(sealed))
    }

    async fn keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        through!(self, self.inner.keys())
    }

    async fn add_key(&self, key: SealedKey, after: Option<&str>) -> Result<Changed, StoreError> {
        through!(self, self.inner.add_key(key, after))
    }

    async fn revoke_key(&self, revocation: KeyRevocation) -> Result<Changed, StoreError> {
        through!(self, self.inner.revoke_key(revocation))
    }

    async fn forget_keys(&self, kids: &[String]) -> Result<(), StoreError> {
        through!(self, self.inner.forget_keys(kids))
    }

    async fn reseal(&self, resealing: Resealing) -> Result<Changed, StoreError> {
        through!(self, self.inner.reseal(resealing))
    }
}

#[async_trait]
impl TicketStore for Wrapped {
    async fn insert_ticket(&self, ticket: Ticket) -> Result<(), StoreError> {
        through!(self, self.inner.insert_ticket(ticket))
    }

    async fn take_ticket(
        &self,
        hash: &TicketHash,
        now: Timestamp,
    ) -> Result<Option<SessionId>, StoreError> {
        through!(self, self.inner.take_ticket(hash, now))
    }

    async fn purge_tickets(&self, before: Timestamp) -> Result<(), StoreError> {
        through!(self, self.inner.purge_tickets(before))
    }
}
