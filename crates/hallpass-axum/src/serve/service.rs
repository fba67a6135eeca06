//! One request: guarded, answered, and given the headers that every answer has.

use super::RequestLog;
use super::body::{Fault, Limited};
use super::guard;
use super::limits::Limits;
use super::request_id::{RequestId, RequestIds};
use super::watched::Notes;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use hallpass_verify::problem::Code;
use http::header::{
    CONNECTION, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, TRANSFER_ENCODING, UPGRADE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;
use tower::Service;

/// From when on a request counts as slow, and is logged.
const SLOW: Duration = Duration::from_secs(1);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

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
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) notes: Arc<Notes>,
    pub(super) peer: SocketAddr,
}

impl Connection {
    /// Answers one request.
    pub(super) async fn answer<B>(self, request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let id = self.shared.ids.next();
        id.scope(async {
            let started = Instant::now();
            let (head, body) = request.into_parts();
            let line = LogLine::new(self.shared.log, &head.method, &head.uri);
            let last = is_last(&head.headers);
            let mut response = match guard::check(&head, &self.notes, &self.shared.limits) {
                Ok(()) => self.run(Request::from_parts(head, body)).await,
                Err(code) => refused(code),
            };
            if last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                close(&mut response);
            }
            self.add_headers(response.headers_mut(), id);
            line.write(response.status(), started.elapsed());
            response
        })
        .await
    }

    async fn run<B>(&self, request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let (mut head, body) = request.into_parts();
        head.extensions.insert(ConnectInfo(self.peer));
        let app = self.shared.app.clone();
        if body.is_end_stream() {
            return caught(app, Request::from_parts(head, Body::empty())).await;
        }
        let fault = Fault::default();
        let body = Limited::new(body, &self.shared.limits, Arc::clone(&fault));
        let response = caught(app, Request::from_parts(head, Body::new(body))).await;
        // Whatever the handler made of a body that it could not read: this is why.
        fault.get().map_or(response, |code| refused(*code))
    }

    fn add_headers(&self, headers: &mut HeaderMap, id: RequestId) {
        headers.insert(REQUEST_ID, id.header());
        for (name, value) in [
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
        ] {
            headers.entry(name).or_insert(value);
        }
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
    /// Kept, as the request is gone when the line is written.
    named: Option<(Method, Uri)>,
}

impl LogLine {
    fn new(log: RequestLog, method: &Method, target: &Uri) -> Self {
        let wanted = log != RequestLog::Nothing;
        Self {
            log,
            named: wanted.then(|| (method.clone(), target.clone())),
        }
    }

    fn write(self, status: StatusCode, took: Duration) {
        let Some((method, target)) = self.named else {
            return;
        };
        // Without the query, which may hold a secret.
        let path = target.path();
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
