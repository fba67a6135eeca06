use crate::extract::{Authenticated, device};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::done;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use hallpass_verify::problem::{Code, FieldError, Problem};
use hallpass_verify::{Location, SessionId};
use http::request::Parts;
use serde_json::json;

/// `GET /auth/sessions`
pub(crate) async fn list_sessions(
    State(mount): State<Mount>,
    Authenticated {
        caller,
        session: current,
    }: Authenticated,
) -> Result<Response, Refused> {
    let sessions = mount.hallpass().sessions(caller.user()).await?;
    Ok((mount.wire().sessions.listed)(&sessions, current))
}

/// `DELETE /auth/sessions/{id}`
pub(crate) async fn end_session(
    State(mount): State<Mount>,
    Path(id): Path<String>,
    Authenticated {
        caller,
        session: current,
    }: Authenticated,
    parts: Parts,
) -> Result<Response, Refused> {
    // What is no id is nobody's session.
    let id = SessionId::parse(&id).map_err(|_| Code::NotFound)?;
    let device = device(&mount, &parts);
    mount
        .hallpass()
        .end_own_session(caller.user(), id, &device)
        .await?;
    let mut response = done(mount.wire().sessions.ended);
    if id == current && caller.location() == Location::Cookie {
        mount.clear().put_into(response.headers_mut());
    }
    Ok(response)
}

/// `DELETE /auth/sessions`, with `?keep=current` all but the caller's own
pub(crate) async fn end_sessions(
    State(mount): State<Mount>,
    RawQuery(query): RawQuery,
    Authenticated {
        caller,
        session: current,
    }: Authenticated,
    parts: Parts,
) -> Result<Response, Refused> {
    let keep = match query.as_deref() {
        None | Some("") => None,
        Some("keep=current") => Some(current),
        Some(_) => {
            let message = "expected `keep=current`, or no query at all";
            let error = FieldError {
                field: "keep",
                code: "invalid",
                message,
            };
            return Err(Problem::fields(vec![error]).into());
        }
    };
    let device = device(&mount, &parts);
    let ended = mount
        .hallpass()
        .end_sessions(caller.user(), keep, &device)
        .await?;
    let mut response = Json(json!({ "ended": ended })).into_response();
    if keep.is_none() && caller.location() == Location::Cookie {
        mount.clear().put_into(response.headers_mut());
    }
    Ok(response)
}

/// `DELETE /auth/sessions/all`, under profiles that have it
pub(crate) async fn end_all_sessions(
    State(mount): State<Mount>,
    Authenticated { caller, .. }: Authenticated,
    parts: Parts,
) -> Result<Response, Refused> {
    let all_ended = mount.wire().sessions.all_ended.ok_or(Code::NotFound)?;
    let device = device(&mount, &parts);
    mount
        .hallpass()
        .end_sessions(caller.user(), None, &device)
        .await?;
    let mut response = done(all_ended);
    if caller.location() == Location::Cookie {
        mount.clear().put_into(response.headers_mut());
    }
    Ok(response)
}
