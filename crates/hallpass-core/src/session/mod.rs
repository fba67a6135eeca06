//! A session: one sign-in on one device.

mod rotate;

pub use rotate::{Rotation, decide};

use crate::Delivery;
use crate::grant::{OwnClaims, Scopes};
use hallpass_verify::{SessionId, Timestamp, UserId};
use std::net::IpAddr;
use std::time::Duration;

/// The longest user agent that is kept, in bytes; the rest is cut off.
pub const USER_AGENT_LEN_MAX: usize = 256;

/// One sign-in on one device: one row in the store, the unit of rotation, listing and revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name. Random, and not a credential: a refresh token needs a MAC beside it.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How its tokens are handed out, for as long as it lives.
    pub delivery: Delivery,
    /// Whether it outlives the browser window.
    pub persistence: Persistence,
    /// What its access tokens may be used for.
    pub scopes: Scopes,
    /// What the app says in its access tokens.
    pub claims: OwnClaims,
    /// How the user proved who they are: values of the claim `amr` (RFC 8176).
    pub methods: Vec<String>,
    /// When the user proved who they are: the claim `auth_time`.
    pub authenticated_at: Timestamp,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its refresh token was last rotated; at first, when it was opened.
    pub rotated_at: Timestamp,
    /// How often its refresh token has been rotated.
    pub generation: u32,
    /// The idempotency key of the request that rotated last, hashed.
    pub rotation_key: Option<RotationKeyHash>,
    /// How far each rotation slides `idle_expires_at`.
    pub idle_ttl: Duration,
    /// When it ends unless it is refreshed before.
    pub idle_expires_at: Timestamp,
    /// When it ends, however often it is refreshed.
    pub expires_at: Timestamp,
    /// When and why it was ended, if it was.
    pub ended: Option<(Timestamp, EndReason)>,
    /// Where it was opened from.
    pub device: Device,
}

impl Session {
    /// Returns when this session's refresh token stops working if it is not used.
    #[must_use]
    pub fn refresh_expires_at(&self) -> Timestamp {
        self.idle_expires_at.min(self.expires_at)
    }

    /// Tells whether this session can still be refreshed at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.refresh_expires_at()
    }
}

/// Whether a session outlives the browser window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Persistence {
    /// "Remember me": persistent cookies and the long lifetimes.
    #[default]
    Remembered,
    /// Session cookies and the short lifetimes.
    Transient,
}

/// Where a session was opened from, as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Device {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The header `User-Agent`, at most [`USER_AGENT_LEN_MAX`] bytes of it.
    pub user_agent: Option<String>,
}

/// Why a session was ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// The user signed out.
    SignedOut,
    /// The user, or an operator for them, ended it from elsewhere.
    Revoked,
    /// A refresh token was used again after its grace period.
    RefreshReused,
    /// The same browser signed in again.
    Replaced,
}

impl EndReason {
    /// Every reason, for stores that keep it by name.
    pub const ALL: [Self; 4] = [
        Self::SignedOut,
        Self::Revoked,
        Self::RefreshReused,
        Self::Replaced,
    ];

    /// Returns the name a store keeps.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::RefreshReused => "refresh_reused",
            Self::Replaced => "replaced",
        }
    }
}

/// A client's idempotency key as it is stored: an HMAC of it, bound to the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RotationKeyHash(pub [u8; 16]);
