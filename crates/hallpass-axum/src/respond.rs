//! Handing tokens out, and taking them back.

use crate::mount::Mount;
use crate::problem::Refused;
use crate::wire::{Done, Handed, Shown};
use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::{Carrier, Delivery, Issued, RefreshToken, TICKET_TTL, TicketText};
use hallpass_verify::{AccessToken, Timestamp};
use http::header::{CACHE_CONTROL, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use std::time::{Duration, SystemTime};

/// Whether a session has just been opened, or goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Occasion {
    Opened,
    /// By a token that travelled so.
    Refreshed(Carrier),
}

/// Answers with the tokens of a session, each where its delivery puts it.
pub(crate) fn session_answer(
    mount: &Mount,
    status: StatusCode,
    occasion: Occasion,
    issued: &Issued,
) -> Result<Response, Refused> {
    let session = &issued.session;
    let owes_csrf = mount.owes_csrf() && session.delivery != Delivery::Body;
    let access_in_body = session.delivery.puts_access_in(Carrier::Body);
    let handed = Handed {
        user: Shown {
            id: &session.user,
            user: issued.user.as_ref(),
            session: Some(session.id),
        },
        session,
        csrf: owes_csrf.then(|| issued.csrf.expose()),
        access: access_in_body.then(|| issued.access.expose()),
        access_expires_in_seconds: issued.access_expires_in.as_secs(),
        refresh: refresh_in_body(occasion, issued).map(RefreshToken::expose),
        refresh_expires_in_seconds: issued.refresh_expires_in.as_secs(),
    };
    let mut response = (mount.wire().session)(&handed);
    *response.status_mut() = status;
    mount.put(issued)?.put_into(response.headers_mut());
    Ok(response)
}

/// Returns the refresh token that the body is given.
///
/// # Security
/// Script on the page can ask for a refresh by cookie and read the answer. It gets no refresh
/// token out of it.
fn refresh_in_body(occasion: Occasion, issued: &Issued) -> Option<&RefreshToken> {
    match issued.session.delivery {
        Delivery::Cookie | Delivery::Split => None,
        Delivery::Body => Some(&issued.refresh),
        Delivery::Both if occasion == Occasion::Refreshed(Carrier::Cookie) => None,
        Delivery::Both => issued.refresh_in_body.as_ref(),
    }
}

/// Answers to whoever ended something.
pub(crate) fn done(answer: Done) -> Response {
    match answer {
        Done::NoContent => StatusCode::NO_CONTENT.into_response(),
        Done::Message(message) => Json(json!({ "message": message })).into_response(),
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
