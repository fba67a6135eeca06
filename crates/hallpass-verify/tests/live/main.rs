//! WebSockets and event streams as clients meet them: in memory, on a clock that stands still until
//! everybody waits.
#![cfg(test)]
#![cfg(feature = "live")]

mod events;
mod handshake;
#[path = "../http/support.rs"]
#[expect(dead_code, reason = "the tests of the gate use the rest")]
mod issuer;
mod places;
#[cfg(feature = "remote")]
mod remote;
mod renewal;
mod support;
mod websocket;
