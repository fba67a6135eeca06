//! Our own wire.

use super::Wire;
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::Introspected;
use hallpass_verify::{Claims, Timestamp};
use serde::Serialize;
use serde_json::json;

pub(super) static WIRE: Wire = Wire { introspection };

/// What is said about a token that is good now (RFC 7662 §2.2). No personal data, and nothing
/// that a token could be made of.
#[derive(Serialize)]
struct ActiveAnswer<'a> {
    active: bool,
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    jti: &'a str,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    roles: &'a [String],
    token_type: &'static str,
}

/// RFC 7519 §4.1.3: one audience stands alone.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

impl<'a> ActiveAnswer<'a> {
    fn new(claims: &'a Claims, roles: &'a [String]) -> Self {
        Self {
            active: true,
            iss: &claims.issuer,
            sub: claims.subject.as_str(),
            aud: match claims.audiences.as_slice() {
                [one] => Audience::One(one),
                several => Audience::Several(several),
            },
            sid: claims.session.map(|session| session.to_string()),
            jti: &claims.token_id,
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
            auth_time: claims.authenticated_at.map(Timestamp::as_seconds),
            amr: &claims.methods,
            scope: (!claims.scopes.is_empty()).then(|| claims.scopes.join(" ")),
            roles,
            token_type: "Bearer",
        }
    }
}

fn introspection(found: Option<&Introspected>) -> Response {
    match found {
        Some(found) => Json(ActiveAnswer::new(found.caller.claims(), &found.roles)).into_response(),
        None => Json(json!({ "active": false })).into_response(),
    }
}
