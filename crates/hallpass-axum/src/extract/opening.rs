//! How a session is to be opened, as the client asks for it.

use super::caller::refused;
use super::{Fields, device};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::wire::Remember;
use hallpass_core::session::Persistence;
use hallpass_core::{Delivery, Opening};
use hallpass_verify::Refusal;
use http::request::Parts;

/// Refuses a request that opens a session from a page that is not trusted: login CSRF would sign
/// a visitor in to an account of the attacker's.
pub(crate) fn from_our_page(mount: &Mount, parts: &Parts) -> Result<(), Refused> {
    let check = mount.web().origins().check(&parts.headers);
    check.map_err(|_| refused(mount, parts, Refusal::OriginDenied))
}

/// Takes `delivery` and `remember` out of a body.
pub(crate) fn opening(mount: &Mount, parts: &Parts, fields: &mut Fields) -> Opening {
    let settings = mount.web().settings();
    let delivery = match fields.optional_text("delivery") {
        None => settings.delivery,
        Some(name) => Delivery::parse(&name)
            .filter(|delivery| settings.deliveries.contains(delivery))
            .unwrap_or_else(|| {
                fields.refuse(
                    "delivery",
                    "not_allowed",
                    "expected a delivery that is offered here",
                );
                settings.delivery
            }),
    };
    let persistence = match (fields.optional_flag("remember"), mount.wire().remember) {
        (Some(true), _) | (None, Remember::BeyondTheWindow) => Persistence::Remembered,
        (Some(false), _) | (None, Remember::Longer) => Persistence::Transient,
    };
    Opening {
        delivery,
        persistence,
        device: device(mount, parts),
        replaces: mount.former(parts, delivery),
        ..Opening::default()
    }
}
