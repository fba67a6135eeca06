//! What can go wrong, by whose fault. HTTP is not known here.

use crate::grant::GrantFault;
use crate::key::KeyError;
use crate::password::HashError;
use crate::random::NoRandomness;
use crate::store::StoreError;
use std::time::Duration;

/// Why an answer is no. One for the whole crate; branch on the cases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such user, or another password: the caller learns no more.
    #[error("no user has this e-mail address and password")]
    InvalidCredentials,
    /// Another user has this e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The session is over: signed out, revoked, or its lifetime has passed.
    #[error("the session is over")]
    SessionEnded,
    /// The refresh token had been used before, and this ended the session.
    #[error("the refresh token had been used before")]
    RefreshReused,
    /// The ticket was used before, has expired, or is none of ours.
    #[error("the ticket is not good")]
    InvalidTicket,
    /// There is nothing by this name, or it belongs to someone else.
    #[error("not found")]
    NotFound,
    /// Too many failed attempts.
    #[error("too many failed attempts")]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Too much to do at the moment.
    #[error("too many sign-ins at once")]
    Overloaded {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The app asked for tokens that it does not get: its code or its settings have to change.
    #[error("the app asked for tokens that it does not get")]
    Grant(#[from] GrantFault),
    /// Our own fault, or the machine's. The chain of sources is for the log.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How long a client should wait when the queue for hashing is full.
const OVERLOAD_RETRY_AFTER: Duration = Duration::from_secs(2);

impl From<StoreError> for Error {
    fn from(fault: StoreError) -> Self {
        Self::Internal(Box::new(fault))
    }
}

impl From<NoRandomness> for Error {
    fn from(fault: NoRandomness) -> Self {
        Self::Internal(Box::new(fault))
    }
}

impl From<KeyError> for Error {
    fn from(fault: KeyError) -> Self {
        Self::Internal(Box::new(fault))
    }
}

impl From<HashError> for Error {
    fn from(fault: HashError) -> Self {
        match fault {
            HashError::Overloaded => Self::Overloaded {
                retry_after: OVERLOAD_RETRY_AFTER,
            },
            other => Self::Internal(Box::new(other)),
        }
    }
}
