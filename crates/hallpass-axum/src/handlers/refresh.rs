use crate::extract::{
    Fields, RefreshCookie, device, json_object_from_our_page, proved, refresh_cookie,
};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::{Occasion, clear_cookies, session_answer};
use crate::wire::InBody;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::{Carrier, Error, IdempotencyKey, PresentedRefresh};
use hallpass_verify::problem::{Code, FieldError, Problem};
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};

/// `POST /auth/refresh`
///
/// The token is in the body or in the cookie; the first place where there is one counts.
pub(crate) async fn refresh(
    State(mount): State<Mount>,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let object = json_object_from_our_page(&mount, &parts, body).await?;
    let key = idempotency_key(&parts.headers)?;
    let mut fields = Fields::new(object);
    let in_body = refresh_token_in(&mount, &mut fields);
    if !fields.is_fine() {
        return Err(fields.refused());
    }
    let token = match in_body {
        Some(text) => mount
            .hallpass()
            .open_refresh_token(&text, Carrier::Body)
            .ok_or(Code::TokenInvalid)?,
        None => from_cookie(&mount, &parts)?,
    };
    match mount
        .hallpass()
        .refresh(token, key, &device(&mount, &parts))
        .await
    {
        Ok(issued) => {
            let occasion = Occasion::Refreshed(token.carrier());
            session_answer(&mount, StatusCode::OK, occasion, &issued)
        }
        Err(fault) => Ok(refusal(&mount, token, fault)),
    }
}

/// Takes the refresh token out of a body.
pub(super) fn refresh_token_in(mount: &Mount, fields: &mut Fields) -> Option<String> {
    let is_absent = |text: &str| text.is_empty() && mount.wire().in_body == InBody::PutUpWith;
    fields
        .optional_text("refresh_token")
        .filter(|text| !is_absent(text))
}

fn from_cookie(mount: &Mount, parts: &Parts) -> Result<PresentedRefresh, Refused> {
    match refresh_cookie(mount, parts) {
        RefreshCookie::Absent => Err(Code::NotAuthenticated.into()),
        RefreshCookie::Broken => Err(Code::TokenInvalid.into()),
        RefreshCookie::Ours(token) => proved(mount, parts, token),
    }
}

/// Cookies are cleared only when the session is really over.
fn refusal(mount: &Mount, token: PresentedRefresh, fault: Error) -> Response {
    let is_over = matches!(fault, Error::SessionEnded | Error::RefreshReused);
    let mut response = Refused::from(fault).into_response();
    if is_over && token.carrier() == Carrier::Cookie {
        clear_cookies(mount, response.headers_mut());
    }
    response
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refused> {
    let refused = || {
        Refused(Problem::fields(vec![FieldError {
            field: "Idempotency-Key",
            code: "invalid",
            message: "expected one key of 16 to 128 visible ASCII characters",
        }]))
    };
    let mut lines = headers.get_all("idempotency-key").iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => {
            let text = line.to_str().map_err(|_| refused())?;
            IdempotencyKey::parse(text).map(Some).map_err(|_| refused())
        }
        (Some(_), Some(_)) => Err(refused()),
    }
}
