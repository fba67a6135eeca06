//! The program as an operator meets it: started, asked over HTTP, stopped by a signal.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod common;
mod demo;
mod http;
mod keys;
mod master_secret;
mod profiles;
mod services;
mod serving;
mod sessions;
