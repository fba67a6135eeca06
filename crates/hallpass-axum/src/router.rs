//! Every route, in one table.

use crate::mount::Mount;
use crate::wire::{ALL_SESSIONS_PATH, OWN_INTROSPECT_PATH, OWN_REVOKE_PATH};
use crate::wire::{Asked, Said, Wire, spoken};
use crate::{BodyLayer, ErrorShape, cors, handlers, problem};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use hallpass_core::Accounts;
use hallpass_verify::SessionId;
use hallpass_verify::axum::GateLayer;
use hallpass_verify::problem::Problem;
use url::Url;

/// Where other services find the keys that verify access tokens (RFC 8414 §2 names the document).
const JWKS_PATH: &str = "/.well-known/jwks.json";
/// Where other services find everything else (RFC 8414 §3).
const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

// Below the prefix, and named in the metadata.
pub(crate) const INTROSPECT_PATH: &str = "/introspect";
pub(crate) const REVOKE_PATH: &str = "/revoke";
pub(crate) const REVOCATIONS_PATH: &str = "/revocations";
pub(crate) const TICKET_PATH: &str = "/ticket";

impl Mount {
    /// Returns the routes: those under the prefix, and what other services find by themselves:
    /// the key set, and the metadata that says where everything is.
    pub fn routes(&self) -> Router {
        routes(self)
    }

    /// Lets pages of the trusted origins call routes of the app's own, with cookies and every
    /// method. Put it around the layers that ask for a credential: a preflight has none.
    ///
    /// # Security
    /// Around the app's own routes alone: ours let these pages already, but for those that answer
    /// other services, which no page has any business with.
    pub fn with_cors<S: Clone + Send + Sync + 'static>(&self, app: Router<S>) -> Router<S> {
        app.layer(from_fn_with_state(self.clone(), cors::answer))
    }

    /// Returns the layer for the app's own routes: it finds out who is calling, and refuses
    /// state-changing requests that ride on a cookie without proof.
    ///
    /// It may go around our routes too. It leaves them alone: they ask the gate themselves, and
    /// signing in again owes no proof of the session that it replaces.
    #[must_use]
    pub fn layer(&self) -> GateLayer {
        let (prefix, wire) = (self.0.web.settings().prefix.clone(), self.wire());
        GateLayer::new(self.0.gate.clone()).leaving(move |path| {
            path.strip_prefix(prefix.as_str())
                .is_some_and(|path| is_ours(wire, path))
        })
    }
}

impl Mount {
    /// Puts around an app what its routes need: the [`layer`](Self::layer) and, where the settings
    /// ask for them, [`body_layer`](Self::body_layer) and [`error_shape`](Self::error_shape).
    pub fn around(&self, app: Router) -> Router {
        let mut app = app.layer(self.layer());
        let bodies = self.body_layer();
        if bodies.is_of_use() {
            app = app.layer(bodies);
        }
        if self.wire().problem.is_some() {
            app = app.layer(self.error_shape());
        }
        app
    }

    /// Returns the layer that reads bodies for [`layer`](Self::layer): an access token in JSON, a
    /// CSRF token in a form. Put it around that layer. It is of use where
    /// [`WebSettings`](hallpass_core::WebSettings) names the body among the locations, or a
    /// `csrf_field`.
    #[must_use]
    pub fn body_layer(&self) -> BodyLayer {
        BodyLayer::new(&self.layer())
    }

    /// Returns the layer that says errors of the app's own routes in the words of this mount's
    /// profile, for a front end that was written for another system. Put it around
    /// [`layer`](Self::layer). Without a profile it changes nothing.
    #[must_use]
    pub fn error_shape(&self) -> ErrorShape {
        match self.wire().problem {
            None => ErrorShape::new(Problem::clone),
            Some(say) => ErrorShape::new(move |problem| {
                let Said { like, body } = say(Asked::Other, problem);
                (like.status(), Json(body))
            }),
        }
    }
}

fn routes(mount: &Mount) -> Router {
    Router::new()
        .nest(&mount.web().settings().prefix, under_prefix(mount))
        .merge(well_known(mount))
        .with_state(mount.clone())
}

fn under_prefix(mount: &Mount) -> Router<Mount> {
    //  method and path        handler                         what it needs
    let for_clients = of_profile(mount)
        .merge(opening(mount))
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
        .route(TICKET_PATH, post(handlers::ticket)) //           an access token
        .route(REVOKE_PATH, post(handlers::revoke)) //           the token itself
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(mount.clone(), cors::answer));
    // No browser asks these, so no page is told that it may.
    let for_services = Router::new()
        .route(INTROSPECT_PATH, post(handlers::introspect)) //   a service's secret
        .route(REVOCATIONS_PATH, get(handlers::revocations)) //  a service's secret
        .route("/ticket/redeem", post(handlers::redeem_ticket)) // a service's secret
        .method_not_allowed_fallback(problem::method_not_allowed);
    for_clients
        .merge(for_services)
        .layer(from_fn_with_state(mount.clone(), spoken))
        .layer(from_fn(crate::respond::guarded))
}

/// Routes that lead to a session, as far as the settings have them.
fn opening(mount: &Mount) -> Router<Mount> {
    let accounts = mount.web().settings().accounts;
    let sign_up = match accounts {
        Accounts::Open => post(handlers::sign_up), //             our origin, JSON
        Accounts::ByInvitation => post(problem::sign_up_closed), // nothing
        Accounts::OfTheApp => return Router::new(),
    };
    Router::new()
        .route(mount.wire().sign_up_path, sign_up)
        .route("/login", post(handlers::sign_in)) //              our origin, JSON
}

/// Routes that only some profiles have.
fn of_profile(mount: &Mount) -> Router<Mount> {
    let mut routes = Router::new();
    if mount.wire().tokens.is_some() {
        routes = routes
            .route(OWN_INTROSPECT_PATH, post(handlers::introspect_own)) // an access token
            .route(OWN_REVOKE_PATH, post(handlers::revoke_own)); //        an access token
    }
    if mount.wire().sessions.all_ended.is_some() {
        routes = routes.route(ALL_SESSIONS_PATH, delete(handlers::end_all_sessions)); // an access token
    }
    routes
}

/// What is for everybody. An issuer with a path is found under its own name too (RFC 8414 §3.1);
/// where there are several kinds of users, each is found under its own name alone.
fn well_known(mount: &Mount) -> Router<Mount> {
    let mut published = Router::new().route(&jwks_path(mount), get(handlers::jwks));
    if mount.web().settings().kind.is_none() {
        published = published.route(METADATA_PATH, get(handlers::metadata));
    }
    if let Some(path) = path_of(&mount.hallpass().settings().issuer) {
        published = published.route(&format!("{METADATA_PATH}{path}"), get(handlers::metadata));
    }
    published.method_not_allowed_fallback(problem::method_not_allowed)
}

/// Returns where the key set is.
pub(crate) fn jwks_path(mount: &Mount) -> String {
    match &mount.web().settings().kind {
        Some(kind) => format!("/{kind}{JWKS_PATH}"),
        None => JWKS_PATH.to_owned(),
    }
}

/// Returns the path of an issuer that has one, without the slash at its end. What the router
/// would read as a pattern is no path.
fn path_of(issuer: &str) -> Option<String> {
    let url = Url::parse(issuer).ok()?;
    let path = url.path().strip_suffix('/').unwrap_or(url.path());
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut segments = path.strip_prefix('/')?.split('/');
    segments
        .all(|segment| !segment.is_empty() && segment.bytes().all(is_plain))
        .then(|| path.to_owned())
}

/// Tells whether a path below the prefix is exactly one of the table's.
fn is_ours(wire: &Wire, path: &str) -> bool {
    match path {
        "/login" | "/refresh" | "/logout" | "/me" | "/csrf" | "/sessions" | "/ticket/redeem"
        | TICKET_PATH | REVOKE_PATH | INTROSPECT_PATH | REVOCATIONS_PATH => true,
        _ => {
            let id = path.strip_prefix("/sessions/");
            wire.has_path(path) || id.is_some_and(|id| SessionId::parse(id).is_ok())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::Profile;

    /// The layer leaves to their handlers what the table routes, and nothing else.
    #[test]
    fn every_path_of_the_table_is_ours() {
        let wire = Wire::of(Profile::Native);
        let table = include_str!("router.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap();
        let quoted = table.split('"').skip(1).step_by(2);
        let routed: Vec<_> = quoted
            .filter(|text| text.starts_with('/') && text.len() > 1)
            .filter(|text| !text.starts_with("/.well-known/") && !text.starts_with("/{kind}"))
            .map(|path| path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAA"))
            .collect();
        for path in &routed {
            assert!(is_ours(wire, path) || path == "/sessions/", "{path}");
        }
        assert!(routed.len() >= 19, "{routed:?}");
        for profile in Profile::ALL {
            let wire = Wire::of(profile);
            assert!(is_ours(wire, wire.sign_up_path));
            let other = ["/signup", "/register"].map(|path| is_ours(wire, path));
            assert!(other.contains(&false), "{profile:?}");
            let few = [OWN_INTROSPECT_PATH, OWN_REVOKE_PATH, ALL_SESSIONS_PATH];
            let has_them = profile == Profile::FastAuth;
            assert_eq!(few.map(|path| is_ours(wire, path)), [has_them; 3]);
        }
        for foreign in [
            "",
            "/",
            "/loginx",
            "/login/",
            "/me/x",
            "/sessions/x",
            "/Login",
            "/ticket/",
            "/ticket/x",
            "/ticket/redeem/",
            "/revocations/x",
            "/introspect2",
        ] {
            assert!(!is_ours(wire, foreign), "{foreign}");
        }
    }

    #[test]
    fn an_issuer_has_a_path_or_none() {
        for (issuer, path) in [
            ("https://auth.example.test", None),
            ("https://auth.example.test/", None),
            ("https://auth.example.test/one", Some("/one")),
            ("https://auth.example.test/one/two/", Some("/one/two")),
            ("https://auth.example.test/one//two", None),
            ("https://auth.example.test/{one}", None),
            ("https://auth.example.test/:one", None),
            ("https://auth.example.test/*", None),
            ("auth", None),
            ("urn:auth", None),
        ] {
            assert_eq!(path_of(issuer).as_deref(), path, "{issuer}");
        }
    }
}
