//! An app with live routes, and clients that talk to it over memory.

use crate::issuer::{COOKIE, NOW, OWN, User, settings, verifier};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::{Message as Sent, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt as _, StreamExt as _};
use hallpass_verify::axum::GateLayer;
use hallpass_verify::live::{
    Live, LiveLayer, LiveSettings, LiveSocket, Redeeming, Ticket, TicketFault, Tickets,
};
use hallpass_verify::{
    AccessTokenText, Clock, Gate, Revoked, SessionClaim, SessionId, Timestamp, Verifier,
};
use http::Request;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tower::ServiceExt as _;

/// How long the tokens of these tests live, in seconds.
pub(crate) const TTL: u64 = 900;
/// How much more a verifier grants.
pub(crate) const LEEWAY: Duration = Duration::from_secs(10);

/// A clock that follows the time of the runtime, which stands still while anybody has work and
/// jumps when everybody waits. It can be set wrong.
#[derive(Debug)]
pub(crate) struct RuntimeClock {
    started: Instant,
    wrong_millis: AtomicI64,
}

impl RuntimeClock {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            wrong_millis: AtomicI64::new(0),
        }
    }

    /// Sets the clock this much forward, or back.
    pub(crate) fn set_wrong_by(&self, seconds: i64) {
        self.wrong_millis.store(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::from_seconds(NOW).plus(self.started.elapsed());
        let wrong = self.wrong_millis.load(Ordering::SeqCst);
        let span = Duration::from_millis(wrong.unsigned_abs());
        if wrong < 0 {
            now.minus(span)
        } else {
            now.plus(span)
        }
    }
}

/// Tickets in memory, each good once.
#[derive(Debug, Default)]
pub(crate) struct Drawer(Mutex<HashMap<String, String>>);

impl Drawer {
    /// Puts a ticket in for this token.
    pub(crate) fn ticket_for(&self, token: String) -> String {
        let mut tickets = self.0.lock().unwrap();
        let ticket = format!("hpt_{:A>43}", tickets.len());
        tickets.insert(ticket.clone(), token);
        ticket
    }
}

impl Tickets for Drawer {
    fn redeem<'a>(&'a self, ticket: &'a Ticket) -> Redeeming<'a> {
        Box::pin(async move {
            // An issuer is some network away.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut tickets = self.0.lock().unwrap();
            // The place stays taken, so that no ticket comes twice.
            let token = tickets.get_mut(ticket.expose()).map(std::mem::take);
            match token {
                Some(token) if !token.is_empty() => Ok(AccessTokenText::new(token)),
                _ => Err(TicketFault::Refused),
            }
        })
    }
}

/// A token of the user that lives from now on.
pub(crate) fn fresh(user: User, app: &App) -> String {
    token_at(user, app.clock.now().as_seconds())
}

/// A token of the user that is issued at this second.
pub(crate) fn token_at(user: User, issued_at: u64) -> String {
    user.token_with(json!({ "iat": issued_at, "exp": issued_at + TTL }))
}

type Handler = Arc<dyn Fn(LiveSocket) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// An app, its verifier and its time.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Arc<RuntimeClock>,
    pub(crate) drawer: Arc<Drawer>,
    pub(crate) layer: LiveLayer,
    router: Router,
}

/// Sends back what it hears, and tells who is who.
pub(crate) async fn echo(mut socket: LiveSocket) {
    while let Some(message) = socket.recv().await {
        let answer = match message {
            Sent::Text(text) if text == "who" => Sent::text(socket.caller().token_id().to_owned()),
            other => other,
        };
        if socket.send(answer).await.is_err() {
            break;
        }
    }
}

pub(crate) fn app() -> App {
    app_with(|_| {}, |socket| Box::pin(echo(socket)))
}

pub(crate) fn app_with<H>(change: impl FnOnce(&mut LiveSettings), handler: H) -> App
where
    H: Fn(LiveSocket) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + 'static,
{
    let verifier = verifier(SessionClaim::Required);
    let clock = Arc::new(RuntimeClock::start());
    let gate = Gate::new(settings(COOKIE), Arc::clone(&verifier), clock.clone());
    let gate = Arc::new(gate);
    let drawer = Arc::new(Drawer::default());
    let layer = LiveLayer::new(&GateLayer::new(Arc::clone(&gate)))
        .tickets(drawer.clone())
        .settings(change);
    let handler: Handler = Arc::new(handler);
    let router = Router::new()
        .route("/ws", any(websocket))
        .route("/whoami", any(whoami))
        .layer(layer.clone())
        .with_state(handler);
    App {
        verifier,
        gate,
        clock,
        drawer,
        layer,
        router,
    }
}

async fn websocket(
    State(handler): State<Handler>,
    live: Live,
    upgrade: WebSocketUpgrade,
) -> Response {
    live.websocket(upgrade, move |socket| handler(socket))
}

async fn whoami(live: Live, request: axum::extract::Request) -> String {
    let told = format!("{:?} {}", request.headers(), request.uri());
    assert!(!told.contains("hpt_"), "the handler sees a ticket: {told}");
    live.caller().subject().to_owned()
}

impl App {
    /// Ends the user's session, as if the verifier had just been told.
    pub(crate) fn end(&self, session: SessionId) {
        let now = self.clock.now();
        let until = now.plus(Duration::from_secs(TTL) + 2 * LEEWAY);
        self.verifier.learn(&Revoked::Session(session), now, until);
    }

    /// Asks who is calling, without an upgrade, and returns the status and the name or the code.
    pub(crate) async fn whoami(
        &self,
        request: &str,
        lines: &[(&str, &str)],
        around: Option<GateLayer>,
    ) -> (u16, String) {
        let (method, target) = request.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let router = match around {
            Some(layer) => self.router.clone().layer(layer),
            None => self.router.clone(),
        };
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let told = problem["code"].as_str().map_or(text, str::to_owned);
        (parts.status.as_u16(), told)
    }

    /// Opens a WebSocket with these headers.
    pub(crate) async fn open(
        &self,
        target: &str,
        lines: &[(&str, &str)],
    ) -> Result<Client, Refused> {
        self.open_over(target, lines, 65_536).await
    }

    /// As `open`, over a wire that holds this many bytes.
    pub(crate) async fn open_over(
        &self,
        target: &str,
        lines: &[(&str, &str)],
        wire_len: usize,
    ) -> Result<Client, Refused> {
        let (near, far) = tokio::io::duplex(wire_len);
        let service = TowerToHyperService::new(self.router.clone());
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(far), service)
            .with_upgrades();
        tokio::spawn(connection);
        let url = format!("ws://app.example.test{target}");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in lines {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        match tokio_tungstenite::client_async(request, near).await {
            Ok((stream, answer)) => Ok(Client {
                stream,
                protocol: answer
                    .headers()
                    .get("sec-websocket-protocol")
                    .map(|line| line.to_str().unwrap().to_owned()),
            }),
            Err(Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
                let code = problem["code"].as_str().unwrap_or("none").to_owned();
                Err(Refused(answer.status().as_u16(), code))
            }
            Err(other) => panic!("the handshake broke: {other}"),
        }
    }

    /// Opens a WebSocket with this token in the header.
    pub(crate) async fn open_with(&self, token: &str) -> Client {
        let bearer = format!("Bearer {token}");
        self.open("/ws", &[("authorization", &bearer)])
            .await
            .unwrap()
    }
}

/// A handshake that was refused: the status and the code.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Refused(pub(crate) u16, pub(crate) String);

/// The client's end of a WebSocket.
pub(crate) struct Client {
    stream: WebSocketStream<DuplexStream>,
    pub(crate) protocol: Option<String>,
}

impl Client {
    pub(crate) async fn say(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// As `say`, where the other end may have hung up.
    pub(crate) async fn try_say(&mut self, text: &str) -> bool {
        self.stream.send(Message::text(text)).await.is_ok()
    }

    pub(crate) async fn say_json(&mut self, message: &Value) {
        self.say(&message.to_string()).await;
    }

    /// Returns what is heard next: a text, or `closed CODE REASON`, or `gone`. Pings are passed
    /// over.
    pub(crate) async fn hear(&mut self) -> String {
        loop {
            return match self.stream.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
                Some(Ok(Message::Binary(bytes))) => format!("{} bytes", bytes.len()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    format!("closed {} {}", u16::from(frame.code), frame.reason)
                }
                Some(Ok(other)) => format!("{other:?}"),
                Some(Err(_)) | None => "gone".to_owned(),
            };
        }
    }

    /// Says something and returns what comes back.
    pub(crate) async fn ask(&mut self, text: &str) -> String {
        self.say(text).await;
        self.hear().await
    }

    pub(crate) async fn renew(&mut self, token: &str) -> String {
        self.say_json(&json!({ "type": "hallpass.renew", "access_token": token }))
            .await;
        self.hear().await
    }

    pub(crate) async fn renew_by_ticket(&mut self, ticket: &str) -> String {
        self.say_json(&json!({ "type": "hallpass.renew", "ticket": ticket }))
            .await;
        self.hear().await
    }
}

/// The headers of our own page with this cookie.
pub(crate) fn our_page(cookie: &str) -> [(&str, &str); 2] {
    [("origin", OWN), ("cookie", cookie)]
}
