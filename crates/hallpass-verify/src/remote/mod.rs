//! A verifier for a service far from the issuer: it learns the keys, and what was revoked, by
//! itself.

mod client;
mod endpoints;
mod fault;
mod service;

pub use fault::RemoteFault;
pub use service::ServiceSecret;
