//! What a store must do. Whatever must be atomic is one method; no store holds a security rule.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;

pub use memory::MemoryStore;

use crate::key::{SealedKey, SealedRoot};
use crate::session::{EndReason, RotationKeyHash, Session};
use crate::user::{EmailKey, PasswordHash, User};
use async_trait::async_trait;
use hallpass_verify::{Revoked, SessionId, Timestamp, UserId};
use std::fmt::Debug;

/// Tells that the store could not do what it was asked, for a reason of its own.
#[derive(Debug, thiserror::Error)]
#[error("the store failed to {doing}")]
pub struct StoreError {
    doing: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// Says what failed (`"insert a session"`) and why.
    pub fn new(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            doing,
            source: source.into(),
        }
    }
}

/// Everything Hallpass keeps.
pub trait Store: UserStore + SessionStore + FeedStore + KeyStore + TicketStore + Debug {}

impl<S: UserStore + SessionStore + FeedStore + KeyStore + TicketStore + Debug> Store for S {}

/// Keeps users and their passwords.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// Adds a user unless another one has the same e-mail address, in one step.
    async fn insert_user(
        &self,
        user: &User,
        password: &PasswordHash,
    ) -> Result<Inserted, StoreError>;

    /// Returns a user.
    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError>;

    /// Returns the user with this e-mail address, and the password to check.
    async fn credentials(&self, email: &EmailKey) -> Result<Option<Credentials>, StoreError>;

    /// Replaces a password hash, provided that it is still `old`, in one step.
    ///
    /// Returns whether it was: a password that changed meanwhile must not come back.
    async fn replace_password(
        &self,
        user: &UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<Changed, StoreError>;

    /// Replaces the roles of a user. Returns whether there is one.
    async fn replace_roles(&self, user: &UserId, roles: &[String]) -> Result<Changed, StoreError>;

    /// Returns up to `limit` users in the order of their ids, those after `after`.
    async fn users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<User>, StoreError>;
}

/// Keeps sessions.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Adds a session.
    async fn insert_session(&self, session: &Session) -> Result<(), StoreError>;

    /// Returns a session, ended or not, as long as it is kept.
    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// Returns a user's sessions that are live at `now`, the most recently used first.
    async fn live_sessions(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError>;

    /// Moves a session to another generation if it is live at `advance.now` and still at
    /// `advance.from`: one conditional update. It also sets `rotated_at` and `rotation_key`, and
    /// slides `idle_expires_at` to `now + idle_ttl`, at most to `expires_at`.
    async fn advance(&self, advance: &Advance) -> Result<Advanced, StoreError>;

    /// Ends a session unless it has been ended already, and appends it to the feed of ended
    /// sessions, in one step. With an owner, only if it is theirs.
    async fn end_session(&self, end: &End) -> Result<Changed, StoreError>;

    /// Ends all sessions of a user that are not ended, but `keep`, and appends them to the feed,
    /// in one step. Returns those that were live at `now`.
    async fn end_sessions(
        &self,
        user: &UserId,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Forgets sessions whose lifetime was over before `before`. Returns how many went.
    async fn purge_sessions(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// Keeps the feed: what was revoked, by whichever process, in order.
///
/// An entry is never seen later than one with a greater cursor.
#[async_trait]
pub trait FeedStore: Send + Sync + 'static {
    /// Appends to the feed. Sessions and keys are appended by what ends them.
    async fn revoke(&self, revoked: &Revoked, at: Timestamp) -> Result<(), StoreError>;

    /// Returns up to `limit` entries after `cursor`, in order.
    async fn revoked_since(&self, cursor: Cursor, limit: u32)
    -> Result<Vec<FeedEntry>, StoreError>;

    /// Forgets entries older than `before`, but those about keys: a revoked key stays so.
    async fn purge_feed(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// Keeps keys, sealed.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Keeps the root key unless there is one, in one step. Returns the one that is kept.
    async fn root_key(&self, sealed: SealedRoot) -> Result<SealedRoot, StoreError>;

    /// Returns all signing keys, in the order in which they were added.
    async fn keys(&self) -> Result<Vec<SealedKey>, StoreError>;

    /// Adds a signing key if the last of [`keys`](Self::keys) is `after` (or there is none and `after`
    /// is `None`), in one step: of many processes that add one at once, one does.
    async fn add_key(&self, key: SealedKey, after: Option<&str>) -> Result<Changed, StoreError>;

    /// Revokes a signing key that is not revoked yet, appends it to the feed and puts its successor
    /// in place, in one step. Nothing changes when the key is not there or revoked already.
    async fn revoke_key(&self, revocation: KeyRevocation) -> Result<Changed, StoreError>;

    /// Forgets signing keys.
    async fn forget_keys(&self, kids: &[String]) -> Result<(), StoreError>;

    /// Replaces sealed texts, provided that all of them are still what they were, in one step.
    async fn reseal(&self, resealing: Resealing) -> Result<Changed, StoreError>;
}

/// Keeps one-time tickets, hashed.
#[async_trait]
pub trait TicketStore: Send + Sync + 'static {
    /// Keeps a ticket.
    async fn insert_ticket(&self, ticket: Ticket) -> Result<(), StoreError>;

    /// Takes a ticket out, and returns its session unless it had expired by `now`, in one step: a
    /// ticket is taken once.
    async fn take_ticket(
        &self,
        hash: &TicketHash,
        now: Timestamp,
    ) -> Result<Option<SessionId>, StoreError>;

    /// Forgets tickets that expired before `before`.
    async fn purge_tickets(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// Whether a user was added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inserted {
    /// They were.
    Inserted,
    /// Another user has this e-mail address.
    EmailTaken,
}

/// Whether a conditional change took place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    /// It did.
    Changed,
    /// The condition did not hold.
    Unchanged,
}

/// A user and the password to check.
#[derive(Debug)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// Their password, hashed.
    pub password: PasswordHash,
}

/// A step from one generation to another.
#[derive(Clone, Debug)]
pub struct Advance {
    /// Which session.
    pub session: SessionId,
    /// The generation it must be at.
    pub from: u32,
    /// The generation it moves to.
    pub to: u32,
    /// Now: becomes `rotated_at`; the session must be live.
    pub now: Timestamp,
    /// The idempotency key of the request, hashed.
    pub key: Option<RotationKeyHash>,
}

/// What became of an [`Advance`].
#[derive(Clone, Debug)]
pub enum Advanced {
    /// The session moved; this is its row now.
    Moved(Session),
    /// Nothing was written; this is the row, if there is one.
    Stayed(Option<Session>),
}

/// Which session to end, and why.
#[derive(Clone, Debug)]
pub struct End {
    /// Which session.
    pub session: SessionId,
    /// Whose it must be.
    pub owner: Option<UserId>,
    /// Why.
    pub reason: EndReason,
    /// Now.
    pub now: Timestamp,
}

/// A place in the feed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Cursor(pub u64);

/// An entry in the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedEntry {
    /// Where it stands in the feed.
    pub cursor: Cursor,
    /// What was revoked.
    pub revoked: Revoked,
    /// When; for a user, until when their tokens were issued.
    pub at: Timestamp,
}

/// Which signing key is revoked, and what takes its place.
#[derive(Clone, Debug)]
pub struct KeyRevocation {
    /// Which key.
    pub kid: String,
    /// Now.
    pub at: Timestamp,
    /// What signs from now on.
    pub successor: Successor,
}

/// What signs when a key has been revoked.
#[derive(Clone, Debug)]
pub enum Successor {
    /// What signed before: the key was not the one that signs.
    Unchanged,
    /// A key that is announced already: it signs from now on.
    Promoted(String),
    /// A new key.
    Added(SealedKey),
}

/// Sealed texts before and after.
#[derive(Clone, Debug)]
pub struct Resealing {
    /// The root key.
    pub root: (SealedRoot, SealedRoot),
    /// Signing keys: their names, and what they are sealed as.
    pub keys: Vec<(String, Vec<u8>, Vec<u8>)>,
}

/// A one-time ticket as it is kept.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// What is left of it.
    pub hash: TicketHash,
    /// For which session it is.
    pub session: SessionId,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The SHA-256 of a one-time ticket. Tickets cannot be made from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TicketHash(pub [u8; 32]);
