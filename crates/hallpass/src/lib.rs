//! Authentication for Rust web apps: one sign-in for browsers, mobile apps and services.
//!
//! A browser holds its tokens in HttpOnly cookies, a mobile app sends them as bearer tokens, and a
//! page can keep the access token in memory and the refresh token in a cookie. CSRF protection,
//! refresh rotation and immediate revocation come with it.
//!
//! # Examples
//! A whole app with a protected route:
//! ```no_run
#![doc = include_str!("../examples/quick_start.rs")]
//! ```

mod error;
#[cfg(feature = "live")]
mod live;
mod open;
mod serve;

pub use error::Error;
pub use open::{Builder, Hallpass};

pub use hallpass_axum::{BodyLayer, Mount, Refused, TokenCookies, TrustedProxies};
pub use hallpass_core as core;
pub use hallpass_core::{
    AccessGrant, Accounts, CookieNames, CsrfCookie, Delivery, Freshness, Issued, Lifetimes,
    LoneToken, Opening, OwnClaims, Profile, Proof, SameSites, Scopes, Settings, Web, WebSettings,
    session,
};
pub use hallpass_verify as verify;
pub use hallpass_verify::axum::{ErrorShape, Fresh, GateLayer, MaybeCaller};
pub use hallpass_verify::problem::{Code, Problem};
pub use hallpass_verify::{Caller, Location, Locations, SessionId, TokenHeader, UserId};

/// The Rust in the documents compiles.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/manual.md")]
    struct Manual;
    #[doc = include_str!("../../../docs/own-routes.md")]
    struct OwnRoutes;
    #[doc = include_str!("../../../docs/services.md")]
    struct Services;
}
