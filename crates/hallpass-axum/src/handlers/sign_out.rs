use super::refresh::refresh_token_in;
use crate::extract::{
    Fields, RefreshCookie, admitted, device, from_our_page, json_object_from_our_page, proved,
    refresh_cookie,
};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::{clear_cookies, done};
use crate::wire::InBody;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hallpass_core::Carrier;
use hallpass_verify::problem::Code;
use hallpass_verify::{Found, Location, SessionId, bearer};
use http::Request;
use http::request::Parts;

/// `POST /auth/logout`
///
/// Needs no live access token: a refresh token will do, wherever it is. Whoever has no credential
/// is signed out already. When the proof is missing nothing is ended and nothing cleared.
pub(crate) async fn sign_out(
    State(mount): State<Mount>,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let object = json_object_from_our_page(&mount, &parts, body).await?;
    let mut fields = Fields::new(object);
    let in_body = refresh_token_in(&mount, &mut fields);
    if !fields.is_fine() {
        return Err(fields.refused());
    }
    let device = device(&mount, &parts);
    let rides_on_cookie = mount.uses_cookies()
        && in_body.is_none()
        && matches!(bearer(&parts.headers), Found::Absent);
    let session = match in_body {
        Some(text) => by_body(&mount, &text)?,
        None if rides_on_cookie => {
            // Other sites shall not make a browser drop even a broken cookie.
            from_our_page(&mount, &parts)?;
            by_cookie(&mount, &parts).await?
        }
        None => by_access(&mount, &parts).await?,
    };
    let mut response = done(mount.wire().sign_out);
    // A session in a cookie and elsewhere: the cookie is of no use any more.
    let in_cookie_too = session.is_some() && session == refresh_cookie_session(&mount, &parts);
    if rides_on_cookie || in_cookie_too {
        clear_cookies(&mount, response.headers_mut());
    }
    if let Some(session) = session {
        mount.hallpass().sign_out(session, &device).await?;
    }
    Ok(response)
}

/// Returns the session of a refresh token in the body.
fn by_body(mount: &Mount, text: &str) -> Result<Option<SessionId>, Refused> {
    let token = mount.hallpass().open_refresh_token(text, Carrier::Body);
    match (token, mount.wire().in_body) {
        (Some(token), _) => Ok(Some(token.session())),
        (None, InBody::PutUpWith) => Ok(None),
        (None, InBody::Refused) => Err(Code::TokenInvalid.into()),
    }
}

/// Returns the session of the refresh cookie, or else of the access cookie.
async fn by_cookie(mount: &Mount, parts: &Parts) -> Result<Option<SessionId>, Refused> {
    match refresh_cookie(mount, parts) {
        RefreshCookie::Ours(token) => Ok(Some(proved(mount, parts, token)?.session())),
        RefreshCookie::Absent => by_access(mount, parts).await,
        // Nothing to end.
        RefreshCookie::Broken => Ok(None),
    }
}

/// Returns the session of the access token. One that ended already is signed out.
async fn by_access(mount: &Mount, parts: &Parts) -> Result<Option<SessionId>, Refused> {
    match admitted(mount, parts).await {
        Ok(caller) => Ok(caller.and_then(|caller| caller.session())),
        Err(refused) if refused.0.code == Code::SessionEnded => Ok(None),
        Err(refused) if refused.0.code == Code::TokenExpired => by_expired(mount, parts, refused),
        Err(refused) => Err(refused),
    }
}

fn refresh_cookie_session(mount: &Mount, parts: &Parts) -> Option<SessionId> {
    match refresh_cookie(mount, parts) {
        RefreshCookie::Ours(token) => Some(token.session()),
        RefreshCookie::Absent | RefreshCookie::Broken => None,
    }
}

/// Returns the session of a bearer token that has expired: whoever held it may still sign out.
fn by_expired(
    mount: &Mount,
    parts: &Parts,
    refused: Refused,
) -> Result<Option<SessionId>, Refused> {
    let Found::Present(token) = bearer(&parts.headers) else {
        // A cookie that the browser kept too long: nothing to end.
        return Ok(None);
    };
    let rules = mount.hallpass();
    rules
        .verifier()
        .verify_even_expired(token, Location::Header, rules.clock().now())
        .map(|caller| caller.session())
        .map_err(|_| refused)
}
