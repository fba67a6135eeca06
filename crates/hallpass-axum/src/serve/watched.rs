//! The bytes of one connection: watched, and never waited for too long.

use super::deadline::Deadline;
use super::framing::{Framing, Place};
use super::limits::Limits;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much of a refused request is still read, so that the client gets to see the refusal: the
/// kernel answers data behind a closed socket with a reset, which overtakes it.
const LINGER_LEN_MAX: usize = 256 * 1024;
/// How long a refused request is still read.
const LINGER: Duration = Duration::from_secs(2);

/// What the bytes of a connection say to those who answer its requests.
#[derive(Debug, Default)]
pub(super) struct Notes {
    ambiguous: AtomicBool,
    /// How many requests are being answered: one at most, unless one is upgraded.
    answering: AtomicU32,
}

impl Notes {
    /// Tells whether the framing was ambiguous: nothing on this connection counts then.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.ambiguous.load(Ordering::Relaxed)
    }

    /// Notes that a request is being answered, until the returned value is dropped.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) > 0
    }
}

/// A request that is being answered: the silence of its client says nothing.
#[derive(Debug)]
pub(super) struct Answering(Arc<Notes>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that is watched and has deadlines.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    framing: Framing,
    notes: Arc<Notes>,
    head: Duration,
    idle: Duration,
    write: Duration,
    idling: Deadline,
    /// How many heads had ended when `idling` was started.
    idling_since: u64,
    reading: Deadline,
    /// Which head `reading` runs for.
    reading_for: u64,
    writing: Deadline,
    linger: Linger,
}

/// How far the end of a connection has come.
#[derive(Debug)]
enum Linger {
    NotYet,
    Reading { len: usize },
    Done,
}

impl<S> Watched<S> {
    /// Watches `stream`.
    pub(super) fn new(stream: S, notes: Arc<Notes>, limits: &Limits) -> Self {
        Self {
            stream,
            framing: Framing::new(),
            notes,
            head: limits.head,
            idle: limits.idle,
            write: limits.write,
            idling: Deadline::default(),
            idling_since: 0,
            reading: Deadline::default(),
            reading_for: 0,
            writing: Deadline::default(),
            linger: Linger::NotYet,
        }
    }

    /// Fails when a client has been waited for long enough. Bodies have a deadline of their own.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.framing.place() {
            Place::Between => self.poll_silence(cx),
            Place::Head => self.poll_head(cx),
            Place::Body { .. } | Place::Opaque | Place::Upgrade => Poll::Pending,
        }
    }

    /// Fails after a silence of one to two times the limit. The timer is not set anew by each
    /// request, which would cost more than reading one: when it rings, it looks whether there was
    /// a request meanwhile, or still is.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.idling.poll(cx, self.idle));
            self.idling.stop();
            if self.idling_since == self.framing.heads() && !self.notes.is_answering() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.idling_since = self.framing.heads();
        }
    }

    /// Fails when a head has taken long enough: from the first wait within it to its last byte, so
    /// that trickling bytes win nothing.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reading_for != self.framing.heads() {
            self.reading_for = self.framing.heads();
            self.reading.stop();
        }
        ready!(self.reading.poll(cx, self.head));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_progress<T>(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.writing.stop();
            return wrote;
        }
        ready!(self.writing.poll(cx, self.write));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Reads on for a moment.
    fn poll_linger(&mut self, cx: &mut Context<'_>, mut len: usize) -> Poll<()> {
        let mut scratch = [std::mem::MaybeUninit::uninit(); 4096];
        while len < LINGER_LEN_MAX {
            let mut buf = ReadBuf::uninit(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => len += buf.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending => {
                    self.linger = Linger::Reading { len };
                    return self.reading.poll(cx, LINGER);
                }
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                this.framing
                    .watch(buf.filled().get(before..).unwrap_or(&[]));
                if this.framing.is_ambiguous() {
                    this.notes.ambiguous.store(true, Ordering::Relaxed);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.poll_waiting(cx),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.poll_progress(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.poll_progress(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.linger, Linger::NotYet) {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.reading.stop();
            // Only a client in the middle of a request has more to send.
            let between = matches!(this.framing.place(), Place::Between | Place::Upgrade);
            this.linger = if between {
                Linger::Done
            } else {
                Linger::Reading { len: 0 }
            };
        }
        if let Linger::Reading { len } = this.linger {
            ready!(this.poll_linger(cx, len));
            this.linger = Linger::Done;
        }
        Poll::Ready(Ok(()))
    }
}
