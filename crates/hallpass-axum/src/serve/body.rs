//! A request body that is neither too large nor too slow.

use super::deadline::Deadline;
use super::limits::Limits;
use bytes::Bytes;
use hallpass_verify::problem::Code;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Why a body could not be read to its end, for whoever answers the request.
pub(super) type Fault = Arc<OnceLock<Code>>;

/// Why a body could not be read to its end, for whoever reads it.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError<E> {
    #[error("the body is larger than the listener allows")]
    TooLarge,
    #[error("the body took longer than the listener allows")]
    TooSlow,
    #[error("the body broke off")]
    Broken(#[source] E),
}

/// A body of at most so many bytes, in at most so much time.
pub(super) struct Limited<B> {
    inner: B,
    left: u64,
    limit: Duration,
    /// Runs from the first wait to the last byte, so that trickling bytes win nothing.
    waiting: Deadline,
    fault: Fault,
}

impl<B> Limited<B> {
    /// Lets pass what is within `limits`, and otherwise says in `fault` what was wrong.
    pub(super) fn new(inner: B, limits: &Limits, fault: Fault) -> Self {
        let waiting = Deadline::default();
        Self {
            inner,
            left: limits.body_len_max,
            limit: limits.body,
            waiting,
            fault,
        }
    }

    /// Returns `error` to the reader, and tells `code` to whoever answers.
    fn fail<E>(&self, code: Code, error: BodyError<E>) -> BodyError<E> {
        // The first fault is the one to tell.
        let _ = self.fault.set(code);
        error
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Limited<B> {
    type Data = Bytes;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let frame = match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(frame)) => frame.map_err(BodyError::Broken)?,
            Poll::Pending => {
                ready!(this.waiting.poll(cx, this.limit));
                let error = this.fail(Code::RequestTimeout, BodyError::TooSlow);
                return Poll::Ready(Some(Err(error)));
            }
        };
        let len = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = u64::try_from(len)
            .ok()
            .and_then(|len| this.left.checked_sub(len))
        else {
            let error = this.fail(Code::PayloadTooLarge, BodyError::TooLarge);
            return Poll::Ready(Some(Err(error)));
        };
        this.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
