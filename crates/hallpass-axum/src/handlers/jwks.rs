use crate::mount::Mount;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};

/// `GET /.well-known/jwks.json`: public keys alone, for anyone (RFC 7517 §5).
pub(crate) async fn jwks(State(mount): State<Mount>) -> Response {
    let keys = mount.hallpass().verifier().keys().current().to_jwks();
    let mut response = Json(keys).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
