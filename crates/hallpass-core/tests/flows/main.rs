//! The rules through the public API, on a store in memory and a clock that stands still.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod audit;
mod clocks;
mod grants;
mod imports;
mod keys;
mod lone;
mod lone_ends;
mod master_secret;
mod passwords;
mod processes;
mod profiles;
mod refresh;
mod ring;
mod secrets;
mod services;
mod sessions;
mod throttle;
