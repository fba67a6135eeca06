//! A listener with limits.
//!
//! `axum::serve` alone waits forever for a slow client, takes heads of 400 kB, two `Host` lines
//! and ambiguous framing. This one does not: see [`Limits`] for what a connection may cost, and
//! `guard` for what no handler gets to see.
//!
//! Refusals are `application/problem+json`, with one exception: what hyper itself cannot parse
//! (400), a head over its limit (431) and a target over 64 kB (414) are answered without a body.
//! A connection that is closed for its silence is closed without an answer.

mod body;
mod deadline;
mod framing;
mod guard;
mod limits;
mod request_id;
mod service;
mod signal;
mod streaming;
mod watched;

pub use limits::Limits;
pub use request_id::RequestId;
pub use signal::stop_signal;

use axum::Router;
use hallpass_core::{NoRandomness, Random, SystemRandom};
use http::HeaderValue;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use request_id::RequestIds;
use service::{Connection, Shared};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use watched::{Notes, Watched};

/// How long to wait when the system has no sockets left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` ends; then lets the requests in flight finish.
///
/// # Errors
/// When the machine gives no randomness for the names of the requests.
///
/// # Examples
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use hallpass_axum::serve::{Limits, serve, stop_signal};
///
/// let app = axum::Router::new();
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// serve(listener, app, Limits::default(), stop_signal()?).await?;
/// # Ok(())
/// # }
/// ```
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), NoRandomness> {
    Server::new(app, &SystemRandom)?
        .limits(limits)
        .run(listener, shutdown)
        .await;
    Ok(())
}

/// Which requests get a line in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RequestLog {
    /// None.
    Nothing,
    /// Those that failed on our side (5xx) and those that took longer than one second.
    #[default]
    Failures,
    /// All. A line costs about as much as a request.
    All,
}

/// How browsers reach the listener, as the operator declares it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PublicScheme {
    /// `http`: development.
    #[default]
    Http,
    /// `https`, by a proxy in front: answers say `Strict-Transport-Security`.
    Https,
}

/// A listener to be: an app and what its connections may cost.
#[derive(Debug)]
pub struct Server {
    shared: Shared,
}

impl Server {
    /// Returns a server for `app` with the default limits.
    ///
    /// # Errors
    /// When there is no randomness for the names of the requests.
    pub fn new(app: Router, random: &dyn Random) -> Result<Self, NoRandomness> {
        let ids = RequestIds::new(random)?;
        let limits = Limits::default();
        let log = RequestLog::default();
        Ok(Self {
            shared: Shared {
                // Without it the layers are put around the handlers anew for each request.
                app: app.with_state(()),
                limits,
                ids,
                log,
                strict_transport: None,
            },
        })
    }

    /// Sets what a connection may cost.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.shared.limits = limits;
        self
    }

    /// Sets which requests get a line in the log.
    #[must_use]
    pub fn request_log(mut self, log: RequestLog) -> Self {
        self.shared.log = log;
        self
    }

    /// Sets how browsers reach the listener.
    #[must_use]
    pub fn public_scheme(mut self, scheme: PublicScheme) -> Self {
        self.shared.strict_transport = match scheme {
            PublicScheme::Http => None,
            PublicScheme::Https => Some(HeaderValue::from_static(
                "max-age=31536000; includeSubDomains",
            )),
        };
        self
    }

    /// Serves on `listener` until `shutdown` ends. Then nothing more is accepted, requests in
    /// flight finish within [`Limits::drain`], and what is left is cut off. Streams of events
    /// (`text/event-stream`) end at once: their clients come back by themselves.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let shared = Arc::new(self.shared);
        let slots = Arc::new(Semaphore::new(shared.limits.connections_max));
        let (stop, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let (stream, peer, slot) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener, &slots) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let notes = Arc::new(Notes::default());
            let connection = Connection {
                shared: Arc::clone(&shared),
                notes,
                peer,
                stopped: stopped.clone(),
            };
            connections.spawn(drive(stream, connection, slot));
        }
        drop(listener);
        drop(stop);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(shared.limits.drain, drained)
            .await
            .is_err()
        {
            let left = connections.len();
            tracing::warn!(target: "hallpass::http", left, "connections were cut off");
        }
    }
}

/// Returns the next connection, as soon as there is a slot for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, slot),
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(target: "hallpass::http", %error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Tells errors of a client that went away from those of the system, such as too many open files.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// Answers the requests of one connection until it ends, or until the listener has `stopped` and
/// the request in flight is answered.
async fn drive(stream: TcpStream, connection: Connection, _slot: Option<OwnedSemaphorePermit>) {
    let mut stopped = connection.stopped.clone();
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(target: "hallpass::http", %error, "a connection without TCP_NODELAY");
    }
    let limits = &connection.shared.limits;
    let stream = Watched::new(stream, Arc::clone(&connection.notes), limits);
    let builder = builder(limits);
    let connection = Arc::new(connection);
    let service = hyper::service::service_fn(move |request| {
        let answering = Arc::clone(&connection).answer(request);
        async move { Ok::<_, Infallible>(answering.await) }
    });
    let served = builder
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        // The sender is dropped, nothing is ever sent.
        _ = stopped.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        // Clients that vanish, dawdle or do not speak HTTP: nothing for an operator to do.
        tracing::debug!(target: "hallpass::http", %error, "a connection ended early");
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // `Watched` has the deadlines.
        .header_read_timeout(None)
        .max_header_size(limits.head_len_max);
    builder
}
