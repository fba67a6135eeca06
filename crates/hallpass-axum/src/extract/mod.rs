//! What handlers ask for.

mod body;
mod caller;
mod device;
mod fields;
mod form;
mod opening;
mod refresh;
mod service;

pub(crate) use body::{
    BODY_READ_TIMEOUT, Presence, announced_len, form_or_json, json_object,
    json_object_from_our_page,
};
pub(crate) use caller::{Authenticated, admitted, admitted_on};
pub(crate) use device::device;
pub(crate) use fields::Fields;
pub(crate) use opening::{from_our_page, opening};
pub(crate) use refresh::{RefreshCookie, idempotency_key, proved, refresh_cookie};
pub(crate) use service::{KnownService, known_service};
