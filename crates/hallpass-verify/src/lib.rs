//! Who is calling?
//!
//! Verifies Hallpass access tokens, found in an `Authorization` header or in a cookie (or in a
//! query or a body, where an app says so), with CSRF protection where a cookie carries them. A
//! resource service depends on this crate alone: nothing in here can mint a token.

mod alg;
#[cfg(feature = "axum")]
pub mod axum;
mod caller;
mod claims;
mod clock;
pub mod cookies;
pub mod csrf;
mod error;
mod gate;
mod ids;
pub mod json;
mod jwks;
#[doc(hidden)]
pub mod jws;
mod keys;
#[cfg(feature = "live")]
pub mod live;
mod origin;
pub mod problem;
#[cfg(feature = "remote")]
pub mod remote;
mod revocations;
mod scope;
mod token;
mod transport;
mod verify;

pub use alg::Algorithm;
pub use caller::Caller;
pub use claims::{Claims, TOKEN_ID_LEN_MAX};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use cookies::{Candidates, Cookie, CookieFault, CookiePolicy, CookieSettings, Lifetime};
pub use csrf::{CsrfHash, CsrfSecret, CsrfToken};
pub use error::TokenError;
pub use gate::{Active, Admission, AskFault, BoxFuture, CsrfDuty, CsrfRule, Gate, GateSettings};
pub use gate::{Head, InBody, Refusal, RouteTerms, Upstream, WhenStale};
pub use ids::{InvalidId, SessionId, USER_ID_LEN_MAX, UserId};
pub use jwks::{JWKS_KEYS_MAX, JWKS_LEN_MAX};
pub use keys::{HS256_SECRET_LEN_MIN, KID_LEN_MAX, KeyFault, KeySet, Keys, VerifyingKey};
pub use origin::{Origin, OriginDenied, OriginFault, OriginPolicy, Provenance};
pub use revocations::{Revocations, Revoked};
pub use token::{AccessToken, AccessTokenText};
pub use transport::{Found, InvalidLocation, Location, Locations, LocationsFault};
pub use transport::{TokenHeader, TokenHeaderFault, bearer};
pub use verify::{AudienceClaim, SessionClaim, SettingsFault};
pub use verify::{UntilRefused, Verifier, VerifierSettings};

#[doc(hidden)]
pub use zeroize;
