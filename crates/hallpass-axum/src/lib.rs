//! The listener and the routes.

mod client_ip;
#[cfg(feature = "serve")]
pub mod serve;

pub use client_ip::{InvalidProxy, TrustedProxies};
