//! A body that is still being made.

use super::watched::Answering;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::watch;

/// A body that is still being made, and so is no silence.
pub(super) struct Streaming {
    body: Body,
    stopped: Option<Stopped>,
    #[expect(dead_code, reason = "dropped with the body")]
    answering: Answering,
}

type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Streaming {
    /// Takes a body, and how to know that the listener stops.
    ///
    /// A stream of events never comes to its end by itself, and its client knows how to come
    /// back: it ends when the listener stops. Anything else may finish.
    pub(super) fn new(
        headers: &HeaderMap,
        body: Body,
        answering: Answering,
        stop: &watch::Receiver<()>,
    ) -> Self {
        let stopped = is_event_stream(headers).then(|| {
            let mut stop = stop.clone();
            let stopped: Stopped = Box::pin(async move {
                // The sender is dropped, nothing is ever sent.
                drop(stop.changed().await);
            });
            stopped
        });
        Self {
            body,
            stopped,
            answering,
        }
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|media_type| {
        let media_type = media_type.as_bytes().split(|byte| *byte == b';').next();
        let media_type = media_type.unwrap_or_default().trim_ascii();
        media_type.eq_ignore_ascii_case(b"text/event-stream")
    })
}

impl HttpBody for Streaming {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(stopped) = &mut self.stopped
            && stopped.as_mut().poll(cx).is_ready()
        {
            self.stopped = None;
            self.body = Body::empty();
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_stream_of_events_is_told_by_its_media_type() {
        let told = |media_type| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            is_event_stream(&headers)
        };
        assert!(told("text/event-stream"));
        assert!(told("Text/Event-Stream ; charset=utf-8"));
        assert!(!told("text/event-streams"));
        assert!(!told("application/json"));
        assert!(!is_event_stream(&HeaderMap::new()));
    }
}
