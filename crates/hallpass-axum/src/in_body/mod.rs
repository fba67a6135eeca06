//! Bodies, read for the gate: an access token in JSON, a CSRF token in a form.

mod read;
mod replayed;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::Either;
use hallpass_verify::axum::GateLayer;
use hallpass_verify::{Gate, Location, Locations};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

pub use read::READ_LEN_MAX;

/// Reads small bodies, so that the gate finds what stands in them, and hands them on unchanged.
///
/// Put it around the [`GateLayer`]. JSON is read where [`Location::Body`] is among the locations of
/// that layer, and a form where [`csrf_field`](hallpass_verify::GateSettings::csrf_field) is set and
/// the CSRF header is absent. Nothing else is touched.
///
/// # Security
/// A body that is longer than [`READ_LEN_MAX`] goes on unread: no token is found in it, and a
/// request that owes a CSRF token is refused. One that is JSON by its type and cannot be read, or
/// has a member twice, holds a broken token, not none. What breaks off or takes longer than 10 s is
/// answered here. So a stranger can make a process hold 64 KiB per request, for seconds.
#[derive(Clone, Debug)]
pub struct BodyLayer {
    gate: Arc<Gate>,
    locations: Locations,
}

/// What a body is read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sought {
    TokenInJson,
    CsrfInForm,
}

impl BodyLayer {
    /// Returns the layer that reads what `gate` looks for.
    #[must_use]
    pub fn new(gate: &GateLayer) -> Self {
        Self {
            gate: Arc::clone(gate.gate()),
            locations: gate.terms().locations,
        }
    }

    /// Tells whether anything is ever read.
    pub(crate) fn is_of_use(&self) -> bool {
        self.locations.contains(Location::Body) || self.gate.settings().csrf_field.is_some()
    }

    /// Returns what the body of a request is read for, by its media type.
    fn sought(&self, headers: &HeaderMap) -> Option<Sought> {
        let settings = self.gate.settings();
        // As axum's extractors do: the first line, without its parameters.
        let line = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let media_type = line.split(';').next()?.trim();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is("application/json") && self.locations.contains(Location::Body) {
            return Some(Sought::TokenInJson);
        }
        let is_owed = settings.csrf_field.is_some() && !headers.contains_key(&settings.csrf_header);
        (is_owed && is("application/x-www-form-urlencoded")).then_some(Sought::CsrfInForm)
    }
}

impl<S> Layer<S> for BodyLayer {
    type Service = BodyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = self.clone();
        BodyService { inner, layer }
    }
}

/// A service behind a [`BodyLayer`].
#[derive(Clone, Debug)]
pub struct BodyService<S> {
    inner: S,
    layer: BodyLayer,
}

/// An answer, at once or when a body has been read.
type Answering<F, E> =
    Either<F, Pin<Box<dyn Future<Output = Result<Response, E>> + Send + 'static>>>;

impl<S> Service<Request<Body>> for BodyService<S>
where
    S: Service<Request<Body>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Answering<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(sought) = self.layer.sought(request.headers()) else {
            return Either::Left(self.inner.call(request));
        };
        // The service that was asked whether it is ready goes along; a copy takes its place.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let gate = Arc::clone(&self.layer.gate);
        Either::Right(Box::pin(async move {
            match read::request(request, sought, gate.settings()).await {
                Ok(request) => inner.call(request).await,
                Err(refused) => Ok(refused.into_response()),
            }
        }))
    }
}
