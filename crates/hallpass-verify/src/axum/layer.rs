//! The layer that runs the gate.

use crate::problem::{Code, Problem};
use crate::{Admission, Gate, Locations};
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Decides once per request who is calling, and leaves the answer to the extractors.
///
/// A request that rides on a cookie without the CSRF proof it owes is answered here, whether its
/// route asks for a caller or not. A token that is not good is left to the extractors, so that
/// routes for everybody stay open to somebody whose token has just expired.
#[derive(Clone)]
pub struct GateLayer {
    gate: Arc<Gate>,
    locations: Locations,
    leaves: Arc<PathRule>,
}

type PathRule = dyn Fn(&str) -> bool + Send + Sync;

impl GateLayer {
    /// Returns the layer that looks where the gate's settings say.
    #[must_use]
    pub fn new(gate: Arc<Gate>) -> Self {
        let locations = gate.settings().locations;
        Self {
            gate,
            locations,
            leaves: Arc::new(|_| false),
        }
    }

    /// Looks at these locations alone: for routes that narrow them. Put it in place of the wider
    /// layer, not inside of it.
    #[must_use]
    pub const fn locations(mut self, locations: Locations) -> Self {
        self.locations = locations;
        self
    }

    /// Leaves the paths that `leaves` picks to their routes, which ask the gate on their own: the
    /// sign-in, for example, owes no CSRF token of a session that it is about to replace.
    ///
    /// # Security
    /// Pick exact paths. Behind any other one, requests that ride on a cookie go unchecked.
    #[must_use]
    pub fn leaving(mut self, leaves: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.leaves = Arc::new(leaves);
        self
    }
}

impl fmt::Debug for GateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateLayer")
            .field("gate", &self.gate)
            .field("locations", &self.locations)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GateService {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// A service behind a [`GateLayer`].
#[derive(Clone, Debug)]
pub struct GateService<S> {
    inner: S,
    /// Shared: routers clone their services for each request.
    layer: Arc<GateLayer>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for GateService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<Vec<u8>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = GateFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let GateLayer {
            gate,
            locations,
            leaves,
        } = self.layer.as_ref();
        if leaves(request.uri().path()) {
            return GateFuture {
                state: State::Passed {
                    inner: self.inner.call(request),
                },
            };
        }
        let admission = gate.admit_at(locations, request.method(), request.headers());
        if let Admission::Refused(refusal) = admission
            && refusal.is_forgery()
        {
            // Somebody's page tried to act for a user: for whoever reads the log.
            tracing::warn!(target: "hallpass::audit", event = "cross_site_refused", %refusal);
            return GateFuture {
                state: State::Refused {
                    code: refusal.into(),
                },
            };
        }
        request.extensions_mut().insert(admission);
        GateFuture {
            state: State::Passed {
                inner: self.inner.call(request),
            },
        }
    }
}

pin_project! {
    /// The answer of a service behind a [`GateLayer`], to come.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct GateFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateNow]
    #[derive(Debug)]
    enum State<F> {
        Passed { #[pin] inner: F },
        Refused { code: Code },
    }
}

impl<F, ResBody, E> Future for GateFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    ResBody: From<Vec<u8>>,
{
    type Output = Result<Response<ResBody>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateNow::Passed { inner } => inner.poll(context),
            StateNow::Refused { code } => {
                Poll::Ready(Ok(Problem::new(*code).response().map(ResBody::from)))
            }
        }
    }
}
