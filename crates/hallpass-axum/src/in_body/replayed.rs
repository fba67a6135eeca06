//! A body that was begun to be read, from its start.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What was read of a body, and then the rest of it.
pub(super) struct Replayed {
    read: Option<Bytes>,
    trailers: Option<HeaderMap>,
    rest: Body,
}

impl Replayed {
    pub(super) fn new(read: Bytes, trailers: Option<HeaderMap>, rest: Body) -> Self {
        Self {
            read: Some(read).filter(|read| !read.is_empty()),
            trailers,
            rest,
        }
    }
}

impl HttpBody for Replayed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Some(read) = this.read.take() {
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(&mut this.rest).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.trailers.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.as_ref().map_or(0, Bytes::len);
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::{BodyExt as _, StreamBody};

    fn trailers() -> HeaderMap {
        HeaderMap::from_iter([("x-sum".parse().unwrap(), "17".parse().unwrap())])
    }

    #[tokio::test]
    async fn what_was_read_comes_first_then_the_rest_and_trailers_last() {
        let rest = stream::iter([
            Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b" world"))),
            Ok(Frame::trailers(trailers())),
        ]);
        let rest = Body::new(StreamBody::new(rest));
        let body = Replayed::new(Bytes::from_static(b"hello"), None, rest);
        assert_eq!(body.size_hint().lower(), 5);
        assert_eq!(body.size_hint().upper(), None);
        let collected = body.collect().await.unwrap();
        assert_eq!(collected.trailers(), Some(&trailers()));
        assert_eq!(collected.to_bytes(), "hello world");
    }

    #[tokio::test]
    async fn a_body_that_was_read_to_its_end_keeps_its_length_and_its_trailers() {
        let read = Bytes::from_static(b"hello");
        let body = Replayed::new(read.clone(), None, Body::empty());
        assert_eq!(body.size_hint().exact(), Some(5));
        assert!(!body.is_end_stream());
        assert_eq!(body.collect().await.unwrap().to_bytes(), read);
        let body = Replayed::new(read, Some(trailers()), Body::empty());
        let collected = body.collect().await.unwrap();
        assert_eq!(collected.trailers(), Some(&trailers()));
        let nothing = Replayed::new(Bytes::new(), None, Body::empty());
        assert!(nothing.is_end_stream());
    }
}
