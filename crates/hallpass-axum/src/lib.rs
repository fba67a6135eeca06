//! The routes of Hallpass for axum, and a listener with limits.

mod client_ip;
mod cors;
mod doors;
mod extract;
mod feed;
mod handlers;
mod in_body;
mod jobs;
mod mount;
mod problem;
mod published;
mod put;
mod respond;
mod resync;
mod router;
#[cfg(feature = "serve")]
pub mod serve;
mod wire;

pub use client_ip::TrustedProxies;
pub use hallpass_verify::axum::ErrorShape;
pub use in_body::{BodyLayer, BodyService, READ_LEN_MAX};
pub use mount::Mount;
pub use problem::Refused;
pub use put::TokenCookies;
