use crate::extract::{RefreshCookie, admitted_on, refresh_cookie};
use crate::mount::Mount;
use crate::problem::Refused;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use hallpass_verify::problem::Code;
use hallpass_verify::{CsrfDuty, RouteTerms, SessionId};
use http::Request;
use http::request::Parts;
use serde_json::json;

/// `GET /auth/csrf`
///
/// For a page on another host, which cannot read the cookie: after a reload the refresh cookie
/// alone will do.
pub(crate) async fn csrf(
    State(mount): State<Mount>,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, _) = request.into_parts();
    // Where even a GET owes a CSRF token, this is where one is had. Nothing changes, and browsers
    // let no page read the answer that may not (CORS).
    let terms = RouteTerms {
        csrf: CsrfDuty::DangerWaived,
        ..mount.0.gate.terms()
    };
    let rules = mount.hallpass();
    let token = match admitted_on(&mount, &parts, terms).await? {
        Some(caller) => rules.csrf_token_of(&caller)?,
        None => rules.csrf_token(by_refresh_cookie(&mount, &parts).await?)?,
    };
    Ok(Json(json!({ "csrf_token": token.expose() })).into_response())
}

async fn by_refresh_cookie(mount: &Mount, parts: &Parts) -> Result<SessionId, Refused> {
    match refresh_cookie(mount, parts) {
        RefreshCookie::Absent => Err(Code::NotAuthenticated.into()),
        RefreshCookie::Broken => Err(Code::TokenInvalid.into()),
        RefreshCookie::Ours(token) => {
            mount.hallpass().expect_live(token.session()).await?;
            Ok(token.session())
        }
    }
}
