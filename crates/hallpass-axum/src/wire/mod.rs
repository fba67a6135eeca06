//! What differs from profile to profile: names, paths and shapes, as data. No rule is in here.

mod authfort;
mod native;

use axum::response::Response;
use hallpass_core::{Introspected, Profile};

/// The shapes of one wire.
#[derive(Debug)]
pub(crate) struct Wire {
    /// What a service is told about a token; `None` is one that is not active.
    pub(crate) introspection: fn(Option<&Introspected>) -> Response,
}

impl Wire {
    /// Returns the wire of a profile.
    pub(crate) const fn of(profile: Profile) -> &'static Self {
        match profile {
            Profile::Native => &native::WIRE,
            Profile::AuthFort => &authfort::WIRE,
        }
    }
}
