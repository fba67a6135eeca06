//! Who is calling?
//!
//! Verifies Hallpass access tokens, found in an `Authorization` header or in a cookie, with
//! CSRF protection where a cookie carries them. A resource service depends on this crate alone:
//! nothing in here can mint a token.

mod alg;
mod clock;
mod ids;
mod revocations;
mod token;

pub use alg::Algorithm;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use ids::{InvalidId, SessionId, USER_ID_LEN_MAX, UserId};
pub use revocations::EndedSessions;
pub use token::AccessToken;

#[doc(hidden)]
pub use zeroize;
