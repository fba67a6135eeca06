//! The routes as clients meet them: requests in, answers out, through the public API alone.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod codes;
mod cookie_header;
mod cookies;
mod cors;
mod csrf;
mod fuzz;
mod other_sites;
mod parsing;
mod refresh;
mod retries;
mod sessions;
mod snapshots;
mod table;
mod tokens;
mod users;
mod vectors;
