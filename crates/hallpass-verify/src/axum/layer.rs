//! The layer that runs the gate.

use crate::gate::asking::Asked;
use crate::problem::{Code, Problem};
use crate::{
    Admission, BoxFuture, CsrfDuty, Gate, Head, Location, Locations, RouteTerms, WhenStale,
};
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
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
    terms: RouteTerms,
    leaves: Arc<PathRule>,
}

type PathRule = dyn Fn(&str) -> bool + Send + Sync;

impl GateLayer {
    /// Returns the layer that looks where the gate's settings say.
    #[must_use]
    pub fn new(gate: Arc<Gate>) -> Self {
        let terms = gate.terms();
        Self {
            gate,
            terms,
            leaves: Arc::new(|_| false),
        }
    }

    /// Returns the gate.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Returns on which terms it lets callers in.
    #[must_use]
    pub const fn terms(&self) -> RouteTerms {
        self.terms
    }

    /// Looks at these locations alone: for routes that narrow them. Put it in place of the wider
    /// layer, not inside of it.
    #[must_use]
    pub const fn locations(mut self, locations: Locations) -> Self {
        self.terms.locations = locations;
        self
    }

    /// Says what happens here when what was revoked is not known up to date: for routes that need
    /// to be sure. Put it in place of the other layer, not inside of it.
    #[must_use]
    pub const fn when_stale(mut self, when_stale: WhenStale) -> Self {
        self.terms.when_stale = when_stale;
        self
    }

    /// Takes cookies without the proof that our own page sent them: neither where the request comes
    /// from is checked, nor its CSRF token. Put it in place of the other layer, not inside of it,
    /// around the routes that need it and no others.
    ///
    /// # Security
    /// This gives up what protects users here: a page of any site can make a visitor's browser
    /// call these routes as the visitor, by a form that sends itself. For routes that change
    /// nothing, or that ask for a proof of their own. A caller that brings its token in a header,
    /// such as a webhook, owes no proof anyway and needs no exemption; a route for nobody in
    /// particular needs no layer.
    #[must_use]
    pub const fn danger_without_csrf(mut self) -> Self {
        self.terms.csrf = CsrfDuty::DangerWaived;
        self
    }

    /// Leaves the paths that `leaves` picks to their routes, which ask the gate on their own: the
    /// sign-in, for example, owes no CSRF token of a session that it is about to replace. There it
    /// is decided who is calling when an extractor asks.
    ///
    /// # Security
    /// Pick exact paths. Behind any other one, requests that ride on a cookie go unchecked, unless
    /// the route asks for a caller.
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
            .field("terms", &self.terms)
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
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ResBody: From<Vec<u8>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = GateFuture<S, ReqBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let GateLayer {
            gate,
            terms,
            leaves,
        } = self.layer.as_ref();
        let state = if leaves(request.uri().path()) {
            // What another gate further out found is not for routes behind this one.
            request.extensions_mut().remove::<Admission>();
            let undecided = Undecided(Arc::clone(&self.layer));
            request.extensions_mut().insert(undecided);
            State::Passed {
                inner: self.inner.call(request),
                caching: Caching::undecided(*terms),
            }
        } else {
            match gate.admit_or_ask(*terms, Head::from(&request)) {
                Asked::Now(admission) => State::decided(&mut self.inner, request, admission),
                Asked::Later(admission) => State::asking(&mut self.inner, request, admission),
            }
        };
        GateFuture { state }
    }
}

pin_project! {
    /// The answer of a service behind a [`GateLayer`], to come.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct GateFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody, S::Future>,
    }
}

pin_project! {
    #[project = StateNow]
    enum State<S, ReqBody, F> {
        Passed { #[pin] inner: F, caching: Caching },
        Refused { code: Code },
        // On the heap: it is rare, and the other states are to stay as small as they are.
        Asking { waiting: Option<Box<Waiting<S, ReqBody>>> },
    }
}

/// A request that was left to its route.
#[derive(Clone)]
pub(super) struct Undecided(Arc<GateLayer>);

impl Undecided {
    /// Decides who is calling, on the terms of the layer.
    pub(super) fn decide(&self, parts: &Parts) -> impl Future<Output = Admission> + Send + use<> {
        let layer = &self.0;
        layer.gate.admit_asking(layer.terms, Head::from(parts))
    }
}

/// Who may keep an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// Whoever it says.
    AsSaid,
    /// Nobody, unless it says so itself.
    Nobody,
}

impl Caching {
    /// An address with a token in it is the key under which a cache would hand the answer out to
    /// whoever has the address (RFC 6750 §2.3).
    fn of(admission: &Admission) -> Self {
        match admission {
            Admission::Caller(caller) if caller.location() == Location::Query => Self::Nobody,
            _ => Self::AsSaid,
        }
    }

    /// Where nobody knows yet whether the token will be taken from the address.
    fn undecided(terms: RouteTerms) -> Self {
        if terms.locations.contains(Location::Query) {
            Self::Nobody
        } else {
            Self::AsSaid
        }
    }
}

/// A request that waits until the gate has asked.
struct Waiting<S, ReqBody> {
    admission: BoxFuture<'static, Admission>,
    /// Ready for this one request.
    inner: S,
    request: Request<ReqBody>,
}

impl<S, ReqBody> State<S, ReqBody, S::Future>
where
    S: Service<Request<ReqBody>> + Clone,
{
    fn asking(
        inner: &mut S,
        request: Request<ReqBody>,
        admission: BoxFuture<'static, Admission>,
    ) -> Self {
        // The service that was asked whether it is ready goes along; a copy takes its place.
        let copy = inner.clone();
        let waiting = Waiting {
            admission,
            inner: std::mem::replace(inner, copy),
            request,
        };
        Self::Asking {
            waiting: Some(Box::new(waiting)),
        }
    }
}

impl<S, ReqBody> State<S, ReqBody, S::Future>
where
    S: Service<Request<ReqBody>>,
{
    fn decided(inner: &mut S, mut request: Request<ReqBody>, admission: Admission) -> Self {
        if let Admission::Refused(refusal) = admission
            && refusal.is_forgery()
        {
            // Somebody's page tried to act for a user: for whoever reads the log.
            tracing::warn!(target: "hallpass::audit", event = "cross_site_refused", %refusal);
            return Self::Refused {
                code: refusal.into(),
            };
        }
        let caching = Caching::of(&admission);
        request.extensions_mut().insert(admission);
        Self::Passed {
            inner: inner.call(request),
            caching,
        }
    }
}

impl<S, ReqBody, ResBody> Future for GateFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<Vec<u8>>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateNow::Passed { inner, caching } => {
                    let caching = *caching;
                    return inner
                        .poll(context)
                        .map_ok(|answer| kept_by(caching, answer));
                }
                StateNow::Refused { code } => {
                    return Poll::Ready(Ok(Problem::new(*code).response().map(ResBody::from)));
                }
                StateNow::Asking { waiting } => match admitted(waiting, context) {
                    Some(next) => next,
                    None => return Poll::Pending,
                },
            };
            state.set(next);
        }
    }
}

fn kept_by<ResBody>(caching: Caching, mut answer: Response<ResBody>) -> Response<ResBody> {
    if caching == Caching::Nobody {
        let kept_by = answer.headers_mut().entry(CACHE_CONTROL);
        kept_by.or_insert(HeaderValue::from_static("no-store"));
    }
    answer
}

/// Returns the next state when the gate has decided.
fn admitted<S, ReqBody>(
    waiting: &mut Option<Box<Waiting<S, ReqBody>>>,
    context: &mut Context<'_>,
) -> Option<State<S, ReqBody, S::Future>>
where
    S: Service<Request<ReqBody>>,
{
    let mut now = waiting.take()?;
    match now.admission.as_mut().poll(context) {
        Poll::Ready(admission) => {
            let Waiting {
                mut inner, request, ..
            } = *now;
            Some(State::decided(&mut inner, request, admission))
        }
        Poll::Pending => {
            *waiting = Some(now);
            None
        }
    }
}

impl<S, ReqBody> fmt::Debug for GateFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GateFuture")
    }
}
