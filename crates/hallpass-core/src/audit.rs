//! What happened, for whoever has to find out later.

use crate::session::Device;
use hallpass_verify::{SessionId, Timestamp, UserId};
use std::fmt::Debug;

/// One event: when, what, who, from where.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Whose account it is about, if it is known.
    pub user: Option<&'a UserId>,
    /// Which session it is about, if one.
    pub session: Option<SessionId>,
    /// Where the request came from.
    pub device: &'a Device,
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// Somebody signed up.
    SignedUp,
    /// A session was opened.
    SessionOpened,
    /// A password was wrong, or there is no such user.
    SignInFailed,
    /// An attempt was refused unseen: too many had failed.
    SignInRateLimited,
    /// A user signed out.
    SignedOut,
    /// A session was ended from elsewhere.
    SessionRevoked,
    /// A session was ended because the same browser signed in again.
    SessionReplaced,
    /// A refresh token was used again: its session was ended.
    RefreshReused,
    /// The store was behind a client, and caught up.
    RefreshHealed,
    /// A user got other roles.
    RolesChanged,
    /// An access token that belongs to no session was issued.
    TokenIssued,
    /// One access token was ended, by its name.
    TokenRevoked,
    /// A signing key was announced.
    KeyAnnounced,
    /// A signing key was revoked.
    KeyRevoked,
    /// Keys were sealed with another master secret.
    KeysResealed,
    /// Somebody asked as a service, with a wrong name or secret.
    ServiceRefused,
    /// A state-changing request that rode on a cookie came without proof, or from elsewhere.
    CrossSiteRefused,
}

impl EventKind {
    /// Returns the name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedUp => "signed_up",
            Self::SessionOpened => "session_opened",
            Self::SignInFailed => "sign_in_failed",
            Self::SignInRateLimited => "sign_in_rate_limited",
            Self::SignedOut => "signed_out",
            Self::SessionRevoked => "session_revoked",
            Self::SessionReplaced => "session_replaced",
            Self::RefreshReused => "refresh_reused",
            Self::RefreshHealed => "refresh_healed",
            Self::RolesChanged => "roles_changed",
            Self::TokenIssued => "token_issued",
            Self::TokenRevoked => "token_revoked",
            Self::KeyAnnounced => "key_announced",
            Self::KeyRevoked => "key_revoked",
            Self::KeysResealed => "keys_resealed",
            Self::ServiceRefused => "service_refused",
            Self::CrossSiteRefused => "cross_site_refused",
        }
    }

    const fn is_alarming(self) -> bool {
        matches!(
            self,
            Self::SignInRateLimited
                | Self::RefreshReused
                | Self::RefreshHealed
                | Self::KeyRevoked
                | Self::ServiceRefused
                | Self::CrossSiteRefused
        )
    }
}

/// Takes events. No event contains a secret.
pub trait Audit: Send + Sync + Debug + 'static {
    /// Takes one. It must not block.
    fn record(&self, event: &Event<'_>);
}

/// Writes events to the log, target `hallpass::audit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditLog;

impl Audit for AuditLog {
    fn record(&self, event: &Event<'_>) {
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    target: "hallpass::audit",
                    event = event.kind.name(),
                    user = event.user.map(UserId::as_str),
                    session = event.session.map(tracing::field::display),
                    ip = event.device.ip.map(tracing::field::display),
                    user_agent = event.device.user_agent.as_deref(),
                )
            };
        }
        if event.kind.is_alarming() {
            log!(warn);
        } else {
            log!(info);
        }
    }
}
