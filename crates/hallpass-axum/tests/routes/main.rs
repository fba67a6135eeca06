//! The routes as clients meet them: requests in, answers out, through the public API alone.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod authfort;
mod bodies;
mod codes;
mod cookie_header;
mod cookies;
mod cors;
mod csrf;
mod feed;
mod fuzz;
mod introspection;
mod keys;
mod locations;
mod other_sites;
mod parsing;
mod profiles;
mod published;
mod refresh;
mod retries;
mod revocation;
mod services;
mod sessions;
mod snapshots;
mod streams;
mod table;
mod tickets;
mod tokens;
mod users;
mod vectors;
mod wire;
