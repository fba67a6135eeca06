use crate::mount::Mount;
use crate::published::published;
use crate::router::{INTROSPECT_PATH, REVOCATIONS_PATH, REVOKE_PATH, TICKET_PATH, jwks_path};
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::json;

/// `GET /.well-known/oauth-authorization-server`
///
/// Where everything is that other services ask for (RFC 8414 §2): the issuer is all that they
/// have to be told.
pub(crate) async fn metadata(State(mount): State<Mount>, headers: HeaderMap) -> Response {
    let origin = mount.web().origins().own().as_str();
    let prefix = &mount.web().settings().prefix;
    let under_prefix = |path: &str| format!("{origin}{prefix}{path}");
    let document = json!({
        "issuer": mount.hallpass().settings().issuer,
        "jwks_uri": format!("{origin}{}", jwks_path(&mount)),
        "introspection_endpoint": under_prefix(INTROSPECT_PATH),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "revocation_endpoint": under_prefix(REVOKE_PATH),
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        // RFC 8414 §2 requires it; there is no authorization endpoint.
        "response_types_supported": [],
        "hallpass_revocations_endpoint": under_prefix(REVOCATIONS_PATH),
        "hallpass_ticket_endpoint": under_prefix(TICKET_PATH),
        "hallpass_verifier": { "kept_seconds": mount.kept_seconds() },
    });
    published(&mount, &headers, "application/json", &document)
}
