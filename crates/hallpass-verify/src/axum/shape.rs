//! Error answers in the app's own shape.

use crate::problem::Problem;
use axum_core::response::{IntoResponse, Response};
use http::Request;
use http::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, SET_COOKIE,
    TRANSFER_ENCODING, VARY,
};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_layer::Layer;
use tower_service::Service;

/// Says every [`Problem`] in the app's own words: its status, its body, its content type.
///
/// Put it around the [`GateLayer`](super::GateLayer), whose refusals it says too. What a client and
/// a browser act on stays as it was: `WWW-Authenticate`, `Retry-After`, `Set-Cookie`,
/// `Cache-Control`, `Allow`, and every other header that is not about the body. Of two such layers
/// the inner one speaks.
///
/// # Examples
/// ```
/// use axum::{Json, Router, routing::get};
/// use hallpass_verify::Caller;
/// use hallpass_verify::axum::{ErrorShape, GateLayer};
/// use serde_json::json;
///
/// fn app(gate: GateLayer) -> Router {
///     let errors = ErrorShape::new(|problem| {
///         let body = json!({ "message": problem.code.title(), "error": problem.code.as_str() });
///         (problem.code.status(), Json(body))
///     });
///     Router::new()
///         .route("/me", get(|caller: Caller| async move { caller.subject().to_owned() }))
///         .layer(gate)
///         .layer(errors)
/// }
/// ```
#[derive(Clone)]
pub struct ErrorShape {
    say: Arc<Say>,
}

type Say = dyn Fn(&Problem) -> Response + Send + Sync;

/// Headers that are about the body that is replaced.
const OF_THE_BODY: [HeaderName; 5] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    TRANSFER_ENCODING,
];

/// Headers of which there may be several lines, of both.
const OF_BOTH: [HeaderName; 2] = [SET_COOKIE, VARY];

impl ErrorShape {
    /// Takes what is said about a problem: anything that makes a response.
    pub fn new<Said: IntoResponse>(say: impl Fn(&Problem) -> Said + Send + Sync + 'static) -> Self {
        Self {
            say: Arc::new(move |problem| say(problem).into_response()),
        }
    }
}

impl fmt::Debug for ErrorShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErrorShape")
    }
}

/// Says a response again, if it is a problem.
fn said_again(mut response: Response, say: &Say) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let (parts, _) = response.into_parts();
    let mut said = say(&problem);
    let headers = said.headers_mut();
    for name in parts.headers.keys() {
        if OF_THE_BODY.contains(name) {
            continue;
        }
        if !OF_BOTH.contains(name) {
            headers.remove(name);
        }
        for value in parts.headers.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    said.extensions_mut().extend(parts.extensions);
    said
}

impl<S> Layer<S> for ErrorShape {
    type Service = ErrorShapeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let shape = self.clone();
        ErrorShapeService { inner, shape }
    }
}

/// A service behind an [`ErrorShape`].
#[derive(Clone, Debug)]
pub struct ErrorShapeService<S> {
    inner: S,
    shape: ErrorShape,
}

impl<S, ReqBody> Service<Request<ReqBody>> for ErrorShapeService<S>
where
    S: Service<Request<ReqBody>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ErrorShapeFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ErrorShapeFuture {
            inner: self.inner.call(request),
            shape: self.shape.clone(),
        }
    }
}

pin_project! {
    /// The answer of a service behind an [`ErrorShape`], to come.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct ErrorShapeFuture<F> {
        #[pin]
        inner: F,
        shape: ErrorShape,
    }
}

impl<F, E> Future for ErrorShapeFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(context));
        Poll::Ready(answer.map(|response| said_again(response, this.shape.say.as_ref())))
    }
}
