//! Who is calling?
//!
//! Verifies Hallpass access tokens, found in an `Authorization` header or in a cookie, with
//! CSRF protection where a cookie carries them. A resource service depends on this crate alone:
//! nothing in here can mint a token.

mod alg;
mod clock;
pub mod cookies;
pub mod csrf;
mod ids;
mod origin;
pub mod problem;
mod revocations;
mod token;
mod transport;

pub use alg::Algorithm;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use cookies::{Candidates, Cookie, CookieFault, CookiePolicy, CookieSettings, Lifetime};
pub use csrf::{CsrfHash, CsrfSecret, CsrfToken};
pub use ids::{InvalidId, SessionId, USER_ID_LEN_MAX, UserId};
pub use origin::{Origin, OriginDenied, OriginFault, OriginPolicy, Provenance};
pub use revocations::EndedSessions;
pub use token::AccessToken;
pub use transport::{Found, Location, Locations, LocationsFault, bearer};

#[doc(hidden)]
pub use zeroize;
