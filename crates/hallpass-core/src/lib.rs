//! The rules of Hallpass: prove, issue, rotate, revoke.
//!
//! All decisions about security are in here, and nothing in here can block on a socket: no SQL,
//! no network, no web framework. Time, randomness and the store are arguments.

mod delivery;
pub mod key;
pub mod password;
mod random;
pub mod session;
pub mod store;
pub mod user;

pub use delivery::{Carrier, Delivery};
pub use random::{NoRandomness, Random, SeededRandom, SystemRandom};
