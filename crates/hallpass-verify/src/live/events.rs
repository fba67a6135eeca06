//! Event streams that end with the session.

use super::{Guard, Over};
use ::axum::BoxError;
use ::axum::response::sse::{Event, KeepAlive};
use ::axum::response::{IntoResponse as _, Response, Sse};
use futures_util::Stream;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, HeaderName};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// nginx keeps answers back until its buffer is full, unless it is told not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const HEARTBEAT_MIN: Duration = Duration::from_secs(1);

pin_project! {
    /// A stream of events that ends when the connection is over, with an event that says why.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless they are polled"]
    pub struct LiveEvents<S> {
        guard: Guard,
        #[pin]
        stream: S,
        over: Option<Over>,
    }
}

impl<S, E> LiveEvents<S>
where
    S: Stream<Item = Result<Event, E>> + Send + 'static,
    E: Into<BoxError>,
{
    /// Ends `stream` when `guard` says so.
    pub const fn new(guard: Guard, stream: S) -> Self {
        Self {
            guard,
            stream,
            over: None,
        }
    }

    pub(super) fn into_answer(self) -> Response {
        let heartbeat = self.guard.settings().heartbeat.max(HEARTBEAT_MIN);
        let signs_of_life = KeepAlive::new().interval(heartbeat);
        let mut answer = Sse::new(self).keep_alive(signs_of_life).into_response();
        let headers = answer.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        answer
    }
}

impl<S, E> Stream for LiveEvents<S>
where
    S: Stream<Item = Result<Event, E>>,
{
    type Item = Result<Event, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if this.over.is_some() {
            return Poll::Ready(None);
        }
        // First: what comes at the same moment is not forwarded any more.
        if let Poll::Ready(over) = this.guard.poll_over(context) {
            *this.over = Some(over);
            return Poll::Ready(Some(Ok(last_event(over))));
        }
        this.stream.poll_next(context)
    }
}

fn last_event(over: Over) -> Event {
    let data = format!(r#"{{"code":"{}"}}"#, over.as_str());
    Event::default().event("hallpass").data(data)
}
