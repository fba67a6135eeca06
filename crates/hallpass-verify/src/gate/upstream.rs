//! What a gate far from the issuer can ask for: keys anew, how current it is, and the issuer.

use crate::{AccessTokenText, Timestamp};
use std::fmt;
use std::pin::Pin;

/// A future on the heap.
pub type BoxFuture<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// What a gate far from the issuer asks for beside the token.
pub trait Upstream: Send + Sync + fmt::Debug + 'static {
    /// Asks for the keys anew, because a token names one that is not known, or none is known.
    ///
    /// Returns what ends when a fetch that may help is over, in bounded time; `None` when no fetch
    /// may be made now.
    fn keys_wanted(&self) -> Option<BoxFuture<'static, ()>>;

    /// Tells whether what was revoked is known up to the stated bound.
    fn is_current(&self, now: Timestamp) -> bool;

    /// Asks the issuer about a token (RFC 7662), in bounded time.
    fn ask(&self, token: AccessTokenText) -> BoxFuture<'static, Result<Active, AskFault>>;
}

/// What the issuer says about a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Active {
    /// It is good now.
    Yes,
    /// It is not, for whatever reason (RFC 7662 §2.2).
    No,
}

/// Why the issuer did not say anything about a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskFault {
    /// This service has no credentials, or the issuer has nothing to ask.
    #[error("expected service credentials and an issuer with an introspection endpoint")]
    NotSetUp,
    /// The issuer does not take the credentials of this service.
    #[error("the issuer does not know this service by its credentials")]
    Credentials,
    /// The issuer cannot be reached, or did not answer in time.
    #[error("the issuer cannot be reached")]
    Unreachable,
    /// The answer is not one.
    #[error("expected an answer to an introspection request")]
    Answer,
}

/// What happens to a good token when what was revoked is not known up to the stated bound: the
/// issuer has not been heard of for longer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum WhenStale {
    /// The token is good as before, until it expires: the route stays up while the issuer is down.
    #[default]
    GoOn,
    /// The issuer is asked about each token; if it does not answer, the request gets 503.
    Ask,
    /// The request gets 503.
    Refuse,
}
