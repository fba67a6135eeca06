//! The wire of `AuthFort` 0.0.31.

use super::Wire;
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::{Introspected, TOKEN_VERSION};
use serde::Serialize;

pub(super) static WIRE: Wire = Wire { introspection };

/// What is said about a token: all members are always there.
#[derive(Serialize, Default)]
struct Introspection<'a> {
    active: bool,
    sub: Option<&'a str>,
    email: Option<&'a str>,
    name: Option<&'a str>,
    roles: Option<&'a [String]>,
    token_version: Option<u64>,
    exp: Option<u64>,
    iat: Option<u64>,
    iss: Option<&'a str>,
}

impl<'a> From<&'a Introspected> for Introspection<'a> {
    fn from(found: &'a Introspected) -> Self {
        let (claims, user) = (found.caller.claims(), found.user.as_ref());
        Self {
            active: true,
            sub: Some(claims.subject.as_str()),
            email: user.map(|user| user.email.as_str()),
            name: user.and_then(|user| user.name.as_deref()),
            roles: Some(&found.roles),
            token_version: Some(TOKEN_VERSION),
            exp: Some(claims.expires_at.as_seconds()),
            iat: Some(claims.issued_at.as_seconds()),
            iss: Some(&claims.issuer),
        }
    }
}

fn introspection(found: Option<&Introspected>) -> Response {
    let answer = found.map_or_else(Introspection::default, Introspection::from);
    Json(answer).into_response()
}
