//! Our own wire.

use super::{Done, Handed, InBody, OwnSessions, Remember, Shown, SignUpAnswer, Wire};
use crate::respond::rfc3339;
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::Introspected;
use hallpass_core::session::Session;
use hallpass_verify::json::Object;
use hallpass_verify::{Claims, CsrfRule, SessionId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) static WIRE: Wire = Wire {
    sign_up_path: "/signup",
    sign_up: SignUpAnswer::Session,
    sign_out: Done::NoContent,
    in_body: InBody::Refused,
    remember: Remember::BeyondTheWindow,
    csrf: CsrfRule::OriginAndToken,
    session,
    user,
    sessions: SESSIONS,
    tokens: None,
    introspection,
    problem: None,
};

pub(super) const SESSIONS: OwnSessions = OwnSessions {
    listed: sessions,
    ended: Done::NoContent,
    all_ended: None,
};

fn sessions(live: &[Session], current: SessionId) -> Response {
    let shown: Vec<_> = live.iter().map(|one| listed(one, current)).collect();
    Json(json!({ "sessions": shown })).into_response()
}

/// A session as its owner sees it. No token can be made of this.
fn listed(session: &Session, current: SessionId) -> Value {
    json!({
        "id": session.id.to_string(),
        "current": session.id == current,
        "delivery": session.delivery.name(),
        "created_at": rfc3339(session.created_at),
        "last_used_at": rfc3339(session.rotated_at),
        "expires_at": rfc3339(session.refresh_expires_at()),
        "ip": session.device.ip,
        "user_agent": session.device.user_agent,
    })
}

/// The session answer.
#[derive(Serialize)]
struct SessionAnswer<'a> {
    user: UserAnswer<'a>,
    session: SessionRef,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u64>,
}

#[derive(Serialize)]
struct SessionRef {
    id: String,
    expires_at: String,
}

/// A user on the wire.
#[derive(Serialize)]
struct UserAnswer<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
}

impl<'a> UserAnswer<'a> {
    fn new(shown: &Shown<'a>) -> Self {
        let user = shown.user;
        Self {
            id: shown.id.as_str(),
            email: user.map(|user| user.email.as_str()),
            name: user.and_then(|user| user.name.as_deref()),
            roles: user.map(|user| user.roles.as_slice()),
            created_at: user.map(|user| rfc3339(user.created_at)),
        }
    }
}

fn session(handed: &Handed<'_>) -> Response {
    let answer = SessionAnswer {
        user: UserAnswer::new(&handed.user),
        session: SessionRef {
            id: handed.session.id.to_string(),
            expires_at: rfc3339(handed.session.refresh_expires_at()),
        },
        expires_in: handed.access_expires_in_seconds,
        csrf_token: handed.csrf,
        access_token: handed.access,
        token_type: handed.access.map(|_| "Bearer"),
        refresh_token: handed.refresh,
        refresh_expires_in: handed.refresh.map(|_| handed.refresh_expires_in_seconds),
    };
    Json(answer).into_response()
}

fn user(shown: &Shown<'_>) -> Response {
    Json(UserAnswer::new(shown)).into_response()
}

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
    /// What the app says: under names that none of the others has.
    #[serde(flatten)]
    own: &'a Object,
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
            own: &claims.others,
        }
    }
}

pub(super) fn introspection(found: Option<&Introspected>) -> Response {
    match found {
        Some(found) => Json(ActiveAnswer::new(found.caller.claims(), &found.roles)).into_response(),
        None => Json(json!({ "active": false })).into_response(),
    }
}
