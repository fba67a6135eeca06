use crate::extract::{Authenticated, Fields, Presence, device, json_object};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::done;
use crate::wire::{OwnTokens, Worth};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hallpass_core::{Carrier, Introspected, PresentedRefresh};
use hallpass_verify::problem::{Code, FieldError, Problem};
use hallpass_verify::{Location, UserId};
use http::{HeaderMap, Request};

/// What is no token of ours.
pub(crate) const NO_TOKEN: &str = "invalid_token";
/// What is a token of ours, and not one that renews a session.
pub(crate) const NO_REFRESH_TOKEN: &str = "not_a_refresh_token";

/// `POST /auth/token/introspect`, under profiles that have it
///
/// What a token of the caller's own is worth.
///
/// # Security
/// Of another user's token nothing is said but that it is not active.
pub(crate) async fn introspect_own(
    State(mount): State<Mount>,
    Authenticated { caller, .. }: Authenticated,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let token = token_in(&parts.headers, body).await?;
    let found = if let Some(refresh) = opened(&mount, &token) {
        refreshing(&mount, caller.user(), refresh).await?
    } else {
        mount.learn_key_of(&token).await;
        let found = mount.hallpass().introspect(&token).await?;
        let own = found.filter(|found| found.caller.user() == caller.user());
        own.map(Worth::Access)
    };
    Ok((offered(&mount)?.introspection)(found.as_ref()))
}

/// `POST /auth/token/revoke`, under profiles that have it
///
/// Ends the session that a refresh token of the caller's own belongs to.
pub(crate) async fn revoke_own(
    State(mount): State<Mount>,
    Authenticated { caller, session }: Authenticated,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let token = token_in(&parts.headers, body).await?;
    let rules = mount.hallpass();
    let Some(refresh) = opened(&mount, &token) else {
        mount.learn_key_of(&token).await;
        let access = rules.introspect(&token).await?;
        return Err(no_refresh_token(access.as_ref()));
    };
    let found = rules.introspect_refresh(refresh).await?;
    if found.is_some_and(|found| found.user != *caller.user()) {
        return Err(Code::InsufficientScope.into());
    }
    let device = device(&mount, &parts);
    rules.revoke_token(&token, &device).await?;
    let mut response = done(offered(&mount)?.revoked);
    if refresh.session() == session && caller.location() == Location::Cookie {
        mount.clear().put_into(response.headers_mut());
    }
    Ok(response)
}

/// Only profiles that have the routes mount them.
fn offered(mount: &Mount) -> Result<&'static OwnTokens, Refused> {
    let tokens = mount.wire().tokens.as_ref();
    tokens.ok_or_else(|| Code::NotFound.into())
}

async fn token_in(headers: &HeaderMap, body: Body) -> Result<String, Refused> {
    let object = json_object(headers, body, Presence::Required).await?;
    let mut fields = Fields::new(object);
    let token = fields.text("token", |text| Ok(text.to_owned()));
    token.ok_or_else(|| fields.refused())
}

fn opened(mount: &Mount, text: &str) -> Option<PresentedRefresh> {
    let mut carriers = [Carrier::Body, Carrier::Cookie].into_iter();
    carriers.find_map(|carrier| mount.hallpass().open_refresh_token(text, carrier))
}

async fn refreshing(
    mount: &Mount,
    owner: &UserId,
    refresh: PresentedRefresh,
) -> Result<Option<Worth>, Refused> {
    let rules = mount.hallpass();
    let found = rules.introspect_refresh(refresh).await?;
    let own = found.filter(|found| found.user == *owner);
    let Some(session) = own.and_then(|found| found.renews) else {
        return Ok(None);
    };
    let user = rules.user(owner).await?;
    Ok(Some(Worth::Refresh(session, user)))
}

fn no_refresh_token(access: Option<&Introspected>) -> Refused {
    let (code, message) = match access {
        Some(_) => (NO_REFRESH_TOKEN, "Only refresh tokens can be revoked"),
        None => (NO_TOKEN, "Invalid token"),
    };
    Problem::fields(vec![FieldError {
        field: "token",
        code,
        message,
    }])
    .into()
}
