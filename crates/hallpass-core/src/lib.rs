//! The rules of Hallpass: prove, issue, rotate, revoke.
//!
//! All decisions about security are in here, and nothing in here can block on a socket: no SQL,
//! no network, no web framework. Time, randomness and the store are arguments.

pub mod audit;
mod delivery;
mod error;
pub mod feed;
mod flow;
pub mod grant;
mod hallpass;
pub mod key;
pub mod password;
mod profile;
mod proof;
mod random;
pub mod service;
pub mod session;
mod settings;
pub mod store;
mod throttle;
mod token;
pub mod user;
mod web;

pub use delivery::{Carrier, Delivery};
pub use error::Error;
pub use flow::{
    AUDIENCES_LEN_MAX, AccessGrant, Freshness, IDEMPOTENCY_KEY_LEN_MAX, IDEMPOTENCY_KEY_LEN_MIN,
    IdempotencyKey, Introspected, IntrospectedRefresh, InvalidIdempotencyKey, Issued, LoneToken,
    Opening, SignIn, SignUp, TICKET_TTL,
};
pub use grant::{GrantFault, OwnClaims, ROLES_LEN_MAX, Scopes};
pub use hallpass::{Hallpass, Parts, StartError};
pub use profile::Profile;
pub use proof::Proof;
pub use random::{NoRandomness, Random, SeededRandom, SystemRandom};
pub use settings::{
    ACCESS_TTL_MAX, GRACE_MAX, LEEWAY_MAX, LIFETIME_MAX, Lifetimes, RefusedSettings, SettingFault,
    Settings,
};
pub use throttle::ThrottleSettings;
pub use token::{PresentedRefresh, REFRESH_TOKEN_LEN, RefreshToken, TOKEN_VERSION, TicketText};
pub use web::{Accounts, CookieNames, CsrfCookie, SameSites, Web, WebSettings};
