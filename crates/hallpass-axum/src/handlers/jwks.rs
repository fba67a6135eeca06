use crate::mount::Mount;
use crate::published::published;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

/// `GET /.well-known/jwks.json`
///
/// The public keys that sign, will sign, or signed what has not expired yet, for anyone (RFC 7517
/// §5).
pub(crate) async fn jwks(State(mount): State<Mount>, headers: HeaderMap) -> Response {
    let keys = mount.hallpass().verifier().keys().current().to_jwks();
    published(&mount, &headers, "application/jwk-set+json", &keys)
}
