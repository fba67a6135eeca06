//! The answer to *who is calling?*

use crate::problem::Code;
use crate::{Caller, TokenError};

/// The answer to *who is calling?*
#[derive(Clone, Debug)]
pub enum Admission {
    /// The request has no credential.
    Anonymous,
    /// The request has a good credential and all the proof it owes.
    Caller(Caller),
    /// The request has a credential that does not do. It is not anonymous.
    Refused(Refusal),
}

/// Why a request with a credential was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// What stands where the credential belongs cannot be one.
    #[error("expected exactly one credential")]
    Malformed,
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// What was revoked is not known, and this route does not go on without.
    #[error("what was revoked cannot be asked now")]
    Unavailable,
    /// Several cookies of one name verify, for different sessions.
    #[error("two access cookies of different sessions")]
    AmbiguousCookies,
    /// The request rides on a cookie and comes from an origin that is not trusted.
    #[error("the request comes from an origin that is not trusted")]
    OriginDenied,
    /// The request rides on a cookie and has no CSRF token.
    #[error("the CSRF token is missing")]
    CsrfMissing,
    /// The CSRF token is not one of the session.
    #[error("the CSRF token is not one of the session")]
    CsrfInvalid,
}

impl Refusal {
    /// Tells whether it is about where the request comes from, not about the token.
    #[must_use]
    pub const fn is_forgery(self) -> bool {
        matches!(
            self,
            Self::OriginDenied | Self::CsrfMissing | Self::CsrfInvalid
        )
    }
}

impl From<Refusal> for Code {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed
            | Refusal::AmbiguousCookies
            | Refusal::Token(TokenError::Malformed) => Self::TokenMalformed,
            Refusal::Token(TokenError::Expired) => Self::TokenExpired,
            Refusal::Token(TokenError::Invalid | TokenError::UnknownKey) => Self::TokenInvalid,
            Refusal::Token(TokenError::NoKeys) | Refusal::Unavailable => Self::Unavailable,
            Refusal::Token(TokenError::SessionEnded) => Self::SessionEnded,
            Refusal::OriginDenied => Self::OriginDenied,
            Refusal::CsrfMissing => Self::CsrfMissing,
            Refusal::CsrfInvalid => Self::CsrfInvalid,
        }
    }
}
