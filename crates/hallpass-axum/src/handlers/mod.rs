//! One file for each flow: a translation from HTTP to one call, and back.

mod csrf;
mod introspect;
mod jwks;
mod me;
mod metadata;
mod own_token;
mod refresh;
mod revocations;
mod revoke;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod ticket;

pub(crate) use csrf::csrf;
pub(crate) use introspect::introspect;
pub(crate) use jwks::jwks;
pub(crate) use me::me;
pub(crate) use metadata::metadata;
pub(crate) use own_token::{NO_REFRESH_TOKEN, NO_TOKEN, introspect_own, revoke_own};
pub(crate) use refresh::refresh;
pub(crate) use revocations::revocations;
pub(crate) use revoke::revoke;
pub(crate) use sessions::{end_all_sessions, end_session, end_sessions, list_sessions};
pub(crate) use sign_in::sign_in;
pub(crate) use sign_out::sign_out;
pub(crate) use sign_up::sign_up;
pub(crate) use ticket::{redeem_ticket, ticket};
