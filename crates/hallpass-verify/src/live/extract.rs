//! The extractor.

use super::driver::run;
use super::layer::{Handshake, TicketProtocol};
use super::{Guard, LiveEvents, LiveSocket, TICKET_PROTOCOL};
use crate::Caller;
use crate::axum::Rejection;
use crate::problem::Code;
use ::axum::extract::FromRequestParts;
use ::axum::extract::ws::{OnFailedUpgrade, WebSocketUpgrade};
use ::axum::response::Response;
use ::axum::response::sse::Event;
use futures_util::Stream;
use http::HeaderValue;
use http::request::Parts;
use std::future::Future;

/// What a WebSocket reads at a time, in bytes; also how much memory an idle one holds.
const READ_BUFFER_LEN: usize = 8192;

/// The verified caller of a handshake, for as long as the connection may live.
///
/// Somebody without a credential gets 401 `not_authenticated`, a page that may not ride on the
/// cookie 403 `origin_denied`, one connection too many 503 or 429, all before anything is upgraded.
/// A ticket is used up by asking: ask once per request.
#[derive(Debug)]
#[must_use = "a connection without its guard outlives its session"]
pub struct Live {
    guard: Guard,
    protocol: Option<HeaderValue>,
}

impl Live {
    /// Returns who opens the connection.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        self.guard.caller()
    }

    /// Returns the guard alone: for a protocol of your own.
    pub fn into_guard(self) -> Guard {
        self.guard
    }

    /// Answers with a WebSocket that ends as this module says, and lets `handler` talk over it.
    ///
    /// What `upgrade` was told about sizes of messages is replaced by
    /// [`LiveSettings::message_len_max`](super::LiveSettings::message_len_max). A protocol that it
    /// selected stays selected; without one, a client that offered `hallpass.ticket` is answered
    /// so.
    pub fn websocket<H, F, U>(self, mut upgrade: WebSocketUpgrade<U>, handler: H) -> Response
    where
        H: FnOnce(LiveSocket) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
        U: OnFailedUpgrade,
    {
        if let (Some(protocol), None) = (self.protocol, upgrade.selected_protocol()) {
            upgrade.set_selected_protocol(protocol);
        }
        let message_len_max = self.guard.settings().message_len_max;
        let guard = self.guard;
        upgrade
            .max_message_size(message_len_max)
            .max_frame_size(message_len_max)
            .read_buffer_size(READ_BUFFER_LEN)
            .on_upgrade(move |socket| run(socket, guard, handler))
    }

    /// Answers with an event stream that ends as this module says.
    ///
    /// The answer has `Cache-Control: no-store` and `X-Accel-Buffering: no`; a comment now and then
    /// keeps proxies from closing it.
    pub fn events<S, E>(self, stream: S) -> Response
    where
        S: Stream<Item = Result<Event, E>> + Send + 'static,
        E: Into<::axum::BoxError>,
    {
        LiveEvents::new(self.guard, stream).into_answer()
    }
}

impl<S: Sync> FromRequestParts<S> for Live {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(handshake) = parts.extensions.get::<Handshake>().cloned() else {
            tracing::error!("this route asks for a live caller, but no LiveLayer is around it");
            return Err(Code::Internal.into());
        };
        let caller = handshake.door.admit(parts, &handshake.ticket).await?;
        let offered = handshake.protocol == TicketProtocol::Offered;
        Ok(Self {
            guard: Guard::behind(handshake.door, caller).seated()?,
            protocol: offered.then(|| HeaderValue::from_static(TICKET_PROTOCOL)),
        })
    }
}
