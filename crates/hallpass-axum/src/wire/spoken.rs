//! Problems in the words of the profile.

use crate::mount::Mount;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hallpass_verify::problem::Problem;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

/// Says again, as the profile says it, what a handler refused. Headers stay: when to come back,
/// which cookies go, that nobody keeps the answer.
pub(crate) async fn spoken(State(mount): State<Mount>, request: Request, next: Next) -> Response {
    let wire = mount.wire();
    let Some(problem_of) = wire.problem else {
        return next.run(request).await;
    };
    let path = request.uri().path();
    let prefix = &mount.web().settings().prefix;
    let asked = wire.asked(path.strip_prefix(prefix.as_str()).unwrap_or(path));
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let said = problem_of(asked, &problem);
    let (mut parts, _) = response.into_parts();
    parts.status = said.like.status();
    parts.headers.remove(CONTENT_LENGTH);
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(CONTENT_TYPE, json);
    Response::from_parts(parts, Body::from(said.body.to_string()))
}
