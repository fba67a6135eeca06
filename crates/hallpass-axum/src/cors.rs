//! CORS: exact trusted origins, with credentials, never a wildcard.

use crate::mount::Mount;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// How long a browser may remember a preflight, in seconds.
const PREFLIGHT_MAX_AGE_SECONDS: u64 = 600;

pub(crate) async fn answer(State(mount): State<Mount>, request: Request, next: Next) -> Response {
    let origin = trusted_origin(&mount, request.headers());
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        // Neither authenticated nor with any effect (Fetch §3.2.2).
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        if is_preflight {
            allow(headers, &mount);
        } else {
            let readable = HeaderValue::from_static("retry-after, www-authenticate, x-request-id");
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, readable);
        }
    }
    response
}

/// Returns the one `Origin` of a request, if it is on the list.
fn trusted_origin(mount: &Mount, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins
        .next()
        .filter(|origin| mount.web().origins().trusts(origin))?;
    origins.next().is_none().then(|| origin.clone())
}

fn allow(headers: &mut HeaderMap, mount: &Mount) {
    let settings = mount.web().settings();
    let (token, csrf) = (settings.token_header.name(), &settings.csrf_header);
    let allowed = format!("{token}, content-type, idempotency-key, {csrf}");
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    );
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    headers.insert(
        ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from(PREFLIGHT_MAX_AGE_SECONDS),
    );
}
