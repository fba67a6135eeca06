//! A verifier for a service far from the issuer: it learns the keys, and what was revoked, by
//! itself.

mod answer;
mod ask;
mod client;
mod endpoints;
mod fault;
mod feed;
mod listen;
mod pace;
mod poll;
mod service;
mod sse;
mod state;
mod stream;

pub use ask::RedeemFault;
pub use fault::RemoteFault;
pub use service::ServiceSecret;
pub use state::{Feed, RevocationStatus};
