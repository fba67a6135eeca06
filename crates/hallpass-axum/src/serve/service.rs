//! One request: guarded, answered, and given the headers that every answer has.

use super::RequestLog;
use super::body::{Fault, Limited};
use super::guard;
use super::limits::Limits;
use super::request_id::{RequestId, RequestIds};
use super::streaming::Streaming;
use super::watched::Notes;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use hallpass_verify::problem::Code;
use http::header::{
    CONNECTION, HeaderName, STRICT_TRANSPORT_SECURITY, TRANSFER_ENCODING, UPGRADE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tower::Service;

/// From when on a request counts as slow, and is logged.
const SLOW: Duration = Duration::from_secs(1);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What all connections of a listener share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) app: Router,
    pub(super) limits: Limits,
    pub(super) ids: RequestIds,
    pub(super) log: RequestLog,
    pub(super) strict_transport: Option<HeaderValue>,
}

/// Who sits at the other end of a connection.
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) notes: Arc<Notes>,
    pub(super) peer: SocketAddr,
    /// Tells that the listener stops.
    pub(super) stopped: watch::Receiver<()>,
}

impl Connection {
    /// Answers one request.
    pub(super) async fn answer<B>(self: Arc<Self>, request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let id = self.shared.ids.next();
        id.scope(async {
            let started = Instant::now();
            let line = LogLine::new(self.shared.log, request.method(), request.uri());
            let last = is_last(request.headers());
            let answering = self.notes.answering();
            let mut response = match guard::check(&request, &self.notes, &self.shared.limits) {
                Ok(()) => self.run(request).await,
                Err(code) => refused(code),
            };
            if last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                close(&mut response);
            }
            self.add_headers(response.headers_mut(), id);
            line.write(response.status(), started.elapsed());
            // What is not there yet is still being answered.
            if response.body().size_hint().exact().is_none() {
                let (head, body) = response.into_parts();
                let body = Streaming::new(&head.headers, body, answering, &self.stopped);
                response = Response::from_parts(head, Body::new(body));
            }
            response
        })
        .await
    }

    async fn run<B>(&self, mut request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let app = self.shared.app.clone();
        if request.body().is_end_stream() {
            return caught(app, request.map(|_nothing| Body::empty())).await;
        }
        let fault = Fault::default();
        let limited = |body| Body::new(Limited::new(body, &self.shared.limits, fault.clone()));
        let response = caught(app, request.map(limited)).await;
        // Whatever the handler made of a body that it could not read: this is why.
        fault.get().map_or(response, |code| refused(*code))
    }

    fn add_headers(&self, headers: &mut HeaderMap, id: RequestId) {
        headers.insert(REQUEST_ID, id.header());
        headers
            .entry(X_CONTENT_TYPE_OPTIONS)
            .or_insert(HeaderValue::from_static("nosniff"));
        if let Some(value) = &self.shared.strict_transport {
            headers.insert(STRICT_TRANSPORT_SECURITY, value.clone());
        }
    }
}

/// Tells whether a connection cannot be followed beyond this request.
fn is_last(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(UPGRADE)
}

fn refused(code: Code) -> Response {
    let mut response = guard::refusal(code).map(Body::from);
    close(&mut response);
    response
}

fn close(response: &mut Response) {
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
}

/// Runs the app, and answers 500 where it panics: a fault ends one request, not the process.
async fn caught(mut app: Router, request: Request<Body>) -> Response {
    let answering = async move {
        let answered: Result<Response, std::convert::Infallible> = app.call(request).await;
        match answered {
            Ok(response) => response,
            Err(never) => match never {},
        }
    };
    let mut answering = pin!(answering);
    std::future::poll_fn(move |cx| {
        // The future is dropped after a panic and never polled again.
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::as_mut(&mut answering).poll(cx)));
        polled.unwrap_or_else(|_panic| {
            // The panic hook has written the message and the place.
            tracing::error!(target: "hallpass::http", "a handler panicked");
            Poll::Ready(refused(Code::Internal))
        })
    })
    .await
}

/// What the log says about a request, if it says something.
struct LogLine {
    log: RequestLog,
    /// Copied, as the request is gone when the line is written.
    named: Option<(Method, PathStart)>,
}

impl LogLine {
    fn new(log: RequestLog, method: &Method, target: &Uri) -> Self {
        let wanted = log != RequestLog::Nothing;
        Self {
            log,
            named: wanted.then(|| (method.clone(), PathStart::of(target.path()))),
        }
    }

    fn write(self, status: StatusCode, took: Duration) {
        let Some((method, path)) = &self.named else {
            return;
        };
        let path = path.as_str();
        let (status, took_ms) = (status.as_u16(), took.as_millis());
        if status >= 500 {
            tracing::error!(target: "hallpass::http", %method, path, status, took_ms, "failed");
        } else if took > SLOW {
            tracing::warn!(target: "hallpass::http", %method, path, status, took_ms, "slow");
        } else if self.log == RequestLog::All {
            tracing::info!(target: "hallpass::http", %method, path, status, took_ms, "answered");
        }
    }
}

/// The start of a path, without the query, which may hold a secret. Copying this much costs less
/// than keeping the whole.
struct PathStart {
    bytes: [u8; PATH_START_LEN_MAX],
    len: usize,
}

/// How much of a path the log shows, in bytes.
const PATH_START_LEN_MAX: usize = 64;

impl PathStart {
    fn of(path: &str) -> Self {
        let mut bytes = [0; PATH_START_LEN_MAX];
        let len = path.floor_char_boundary(PATH_START_LEN_MAX);
        bytes
            .iter_mut()
            .zip(path.bytes().take(len))
            .for_each(|(kept, byte)| *kept = byte);
        Self { bytes, len }
    }

    fn as_str(&self) -> &str {
        self.bytes
            .get(..self.len)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or("")
    }
}
