//! Handing tokens out, and taking them back.

use crate::mount::Mount;
use crate::problem::Refused;
use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::session::{Persistence, Session};
use hallpass_core::user::User;
use hallpass_core::{Carrier, Delivery, Issued, TICKET_TTL, TicketText};
use hallpass_verify::problem::Code;
use hallpass_verify::{AccessToken, Cookie, Lifetime, Timestamp, UserId};
use http::header::{
    CACHE_CONTROL, HeaderName, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;
use std::time::{Duration, SystemTime};

/// Whether a session has just been opened, or goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Occasion {
    Opened,
    Refreshed,
}

/// The session answer of the native wire.
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

/// A user on the wire. An app may have users of its own: then there is an id alone.
#[derive(Serialize)]
pub(crate) struct UserAnswer<'a> {
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
    pub(crate) fn new(id: &'a UserId, user: Option<&'a User>) -> Self {
        Self {
            id: id.as_str(),
            email: user.map(|user| user.email.as_str()),
            name: user.and_then(|user| user.name.as_deref()),
            roles: user.map(|user| user.roles.as_slice()),
            created_at: user.map(|user| rfc3339(user.created_at)),
        }
    }
}

/// Answers with the tokens of a session, each where its delivery puts it.
pub(crate) fn session_answer(
    mount: &Mount,
    status: StatusCode,
    occasion: Occasion,
    issued: &Issued,
) -> Result<Response, Refused> {
    let session = &issued.session;
    let in_body = |carrier, text| (carrier == Carrier::Body).then_some(text);
    let access_token = in_body(session.delivery.access(), issued.access.expose());
    let refresh_token = in_body(session.delivery.refresh(), issued.refresh.expose());
    let answer = SessionAnswer {
        user: UserAnswer::new(&session.user, issued.user.as_ref()),
        session: SessionRef {
            id: session.id.to_string(),
            expires_at: rfc3339(session.refresh_expires_at()),
        },
        expires_in: issued.access_expires_in.as_secs(),
        csrf_token: (session.delivery != Delivery::Body).then(|| issued.csrf.expose()),
        access_token,
        token_type: access_token.map(|_| "Bearer"),
        refresh_token,
        refresh_expires_in: refresh_token.map(|_| issued.refresh_expires_in.as_secs()),
    };
    let mut response = (status, Json(answer)).into_response();
    set_cookies(mount, occasion, issued, response.headers_mut())?;
    Ok(response)
}

fn set_cookies(
    mount: &Mount,
    occasion: Occasion,
    issued: &Issued,
    headers: &mut HeaderMap,
) -> Result<(), Refused> {
    let (cookies, session) = (mount.web().cookies(), &issued.session);
    if session.delivery == Delivery::Body {
        return Ok(());
    }
    let mut set = |cookie: &Cookie, value: &str, lifetime: Duration| {
        let line = cookie
            .set(value, cookie_lifetime(session, lifetime))
            .map_err(|fault| {
                tracing::error!(cookie = %cookie.name(), %fault, "a cookie cannot be sent");
                Refused::from(Code::Internal)
            })?;
        headers.append(SET_COOKIE, line);
        Ok::<(), Refused>(())
    };
    if session.delivery.access() == Carrier::Cookie {
        set(
            cookies.access(),
            issued.access.expose(),
            issued.access_expires_in,
        )?;
    }
    set(
        cookies.refresh(),
        issued.refresh.expose(),
        issued.refresh_expires_in,
    )?;
    set(
        cookies.csrf(),
        issued.csrf.expose(),
        issued.refresh_expires_in,
    )?;
    if session.delivery == Delivery::Split && occasion == Occasion::Opened {
        // An access cookie of the session before would still name its user.
        headers.append(SET_COOKIE, cookies.access().clear());
    }
    for retired in cookies.retired() {
        headers.append(SET_COOKIE, retired.clear());
    }
    Ok(())
}

const fn cookie_lifetime(session: &Session, lifetime: Duration) -> Lifetime {
    match session.persistence {
        Persistence::Remembered => Lifetime::MaxAge(lifetime),
        Persistence::Transient => Lifetime::Session,
    }
}

/// Answers with a one-time ticket.
pub(crate) fn ticket_answer(ticket: &TicketText) -> Response {
    let answer = json!({ "ticket": ticket.expose(), "expires_in": TICKET_TTL.as_secs() });
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// Answers with the access token that a ticket was good for.
pub(crate) fn redeemed_answer(token: &AccessToken, expires_in: Duration) -> Response {
    let answer = json!({
        "access_token": token.expose(),
        "token_type": "Bearer",
        "expires_in": expires_in.as_secs(),
    });
    Json(answer).into_response()
}

/// Deletes every auth cookie, in every scope it may have.
pub(crate) fn clear_cookies(mount: &Mount, headers: &mut HeaderMap) {
    let cookies = mount.web().cookies();
    for cookie in [cookies.access(), cookies.refresh(), cookies.csrf()] {
        headers.append(SET_COOKIE, cookie.clear());
    }
    for retired in cookies.retired() {
        headers.append(SET_COOKIE, retired.clear());
    }
}

/// Says of each answer of ours that it stays in no cache (RFC 6750 §5.3), that no other site may
/// load it as a script or an image, and that nothing about it is told to others.
pub(crate) async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Returns a time as RFC 3339 text, in whole seconds, UTC.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_seconds());
    humantime::format_rfc3339_seconds(time).to_string()
}
