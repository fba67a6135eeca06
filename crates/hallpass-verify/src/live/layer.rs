//! The layer around the routes of long-lived connections.

use super::admit::Door;
use super::ticket::{is_offered, take_ticket};
use super::{Guard, LiveSettings, Ticket, Tickets};
use crate::axum::GateLayer;
use crate::{Caller, Found};
use http::Request;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Lets the handlers behind it ask for [`Live`](super::Live), and takes tickets out of requests
/// before anybody can log them.
///
/// # Security
/// Routes with this layer need no [`GateLayer`]: `Live` decides on its own, and more strictly.
/// Put them beside those that have one. Inside one, a request that also carries a cookie from an
/// origin that is not trusted is refused, even when a ticket comes with it, and so is a WebSocket
/// over HTTP/2 that rides on a cookie: there it is a CONNECT, which owes a CSRF token.
#[derive(Clone, Debug)]
pub struct LiveLayer {
    door: Arc<Door>,
}

impl LiveLayer {
    /// Returns the layer that lets in whom `gate` lets in, at the same locations and by the same
    /// rule when what was revoked is not known up to date.
    #[must_use]
    pub fn new(gate: &GateLayer) -> Self {
        let door = Door {
            gate: Arc::clone(gate.gate()),
            locations: gate.terms().locations,
            when_stale: gate.terms().when_stale,
            tickets: None,
            settings: LiveSettings::default(),
            seats: Arc::default(),
        };
        Self {
            door: Arc::new(door),
        }
    }

    /// Takes tickets too, and redeems them here.
    #[must_use]
    pub fn tickets(self, tickets: Arc<dyn Tickets>) -> Self {
        self.changed(|door| door.tickets = Some(tickets))
    }

    /// Changes the settings.
    #[must_use]
    pub fn settings(self, change: impl FnOnce(&mut LiveSettings)) -> Self {
        self.changed(|door| change(&mut door.settings))
    }

    /// Watches over a connection that something else has opened, for a caller it was let in for.
    /// It does not count among [`LiveSettings::connections_max`].
    #[must_use]
    pub fn guard(&self, caller: Caller) -> Guard {
        Guard::behind(Arc::clone(&self.door), caller)
    }

    fn changed(self, change: impl FnOnce(&mut Door)) -> Self {
        let old = self.door.as_ref();
        let mut door = Door {
            gate: Arc::clone(&old.gate),
            locations: old.locations,
            when_stale: old.when_stale,
            tickets: old.tickets.clone(),
            settings: old.settings.clone(),
            seats: Arc::clone(&old.seats),
        };
        change(&mut door);
        Self {
            door: Arc::new(door),
        }
    }
}

/// What the layer leaves to the extractor.
#[derive(Clone)]
pub(super) struct Handshake {
    pub(super) door: Arc<Door>,
    pub(super) ticket: Arc<Found<Ticket>>,
    pub(super) protocol: TicketProtocol,
}

/// Whether the client offered the protocol of the tickets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TicketProtocol {
    Offered,
    NotOffered,
}

impl<S> Layer<S> for LiveLayer {
    type Service = LiveService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LiveService {
            inner,
            door: Arc::clone(&self.door),
        }
    }
}

/// A service behind a [`LiveLayer`].
#[derive(Clone, Debug)]
pub struct LiveService<S> {
    inner: S,
    door: Arc<Door>,
}

impl<S, ReqBody> Service<Request<ReqBody>> for LiveService<S>
where
    S: Service<Request<ReqBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let protocol = if is_offered(&parts.headers) {
            TicketProtocol::Offered
        } else {
            TicketProtocol::NotOffered
        };
        let ticket = take_ticket(&mut parts.uri, &mut parts.headers);
        parts.extensions.insert(Handshake {
            door: Arc::clone(&self.door),
            ticket: Arc::new(ticket),
            protocol,
        });
        self.inner.call(Request::from_parts(parts, body))
    }
}
