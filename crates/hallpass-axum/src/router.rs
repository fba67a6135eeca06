//! Every route, in one table.

use crate::mount::Mount;
use crate::{cors, handlers, problem};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use hallpass_verify::SessionId;
use hallpass_verify::axum::GateLayer;

/// Where other services find the keys that verify access tokens (RFC 8414 §2 names the document).
const JWKS_PATH: &str = "/.well-known/jwks.json";

impl Mount {
    /// Returns the routes: those under the prefix, and the key set for other services.
    pub fn routes(&self) -> Router {
        routes(self)
    }

    /// Returns the layer for the app's own routes: it finds out who is calling, and refuses
    /// state-changing requests that ride on a cookie without proof.
    ///
    /// It may go around our routes too. It leaves them alone: they ask the gate themselves, and
    /// signing in again owes no proof of the session that it replaces.
    #[must_use]
    pub fn layer(&self) -> GateLayer {
        let prefix = self.0.web.settings().prefix.clone();
        GateLayer::new(self.0.gate.clone())
            .leaving(move |path| path.strip_prefix(prefix.as_str()).is_some_and(is_ours))
    }
}

fn routes(mount: &Mount) -> Router {
    //  method and path        handler                         what it needs
    let under_prefix = Router::new()
        .route("/signup", post(handlers::sign_up)) //            our origin, JSON
        .route("/login", post(handlers::sign_in)) //             our origin, JSON
        .route("/refresh", post(handlers::refresh)) //           a refresh token
        .route("/logout", post(handlers::sign_out)) //           any credential, or none
        .route("/me", get(handlers::me)) //                      an access token
        .route("/csrf", get(handlers::csrf)) //                  an access token, or a refresh cookie
        .route(
            "/sessions",
            get(handlers::list_sessions) //                      an access token
                .delete(handlers::end_sessions), //              an access token
        )
        .route("/sessions/{id}", delete(handlers::end_session)) // an access token
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(mount.clone(), cors::answer))
        .layer(from_fn(crate::respond::guarded));
    Router::new()
        .nest(&mount.web().settings().prefix, under_prefix)
        .route(JWKS_PATH, get(handlers::jwks))
        .with_state(mount.clone())
}

/// Tells whether a path below the prefix is exactly one of the table's.
fn is_ours(path: &str) -> bool {
    match path {
        "/signup" | "/login" | "/refresh" | "/logout" | "/me" | "/csrf" | "/sessions" => true,
        _ => path
            .strip_prefix("/sessions/")
            .is_some_and(|id| SessionId::parse(id).is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layer leaves to their handlers what the table routes, and nothing else.
    #[test]
    fn every_path_of_the_table_is_ours() {
        let table = include_str!("router.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap();
        let quoted = table.split('"').skip(1).step_by(2);
        let routed: Vec<_> = quoted
            .filter(|text| text.starts_with('/') && *text != JWKS_PATH)
            .map(|path| path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAA"))
            .collect();
        for path in &routed {
            assert!(is_ours(path) || path == "/sessions/", "{path}");
        }
        assert!(routed.len() >= 16, "{routed:?}");
        for foreign in [
            "",
            "/",
            "/loginx",
            "/login/",
            "/me/x",
            "/sessions/x",
            "/Login",
        ] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }
}
