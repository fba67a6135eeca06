//! An issuer on loopback that tells what it revoked, well or badly.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// How the issuer answers.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    /// As agreed. A stream breaks in the middle of an event once it told so many events.
    Stream { events_max: usize },
    /// As agreed, but what was known when the stream began is never complete.
    NeverLive,
    /// Streams are held back by something on the way; questions are answered as agreed.
    Held,
    /// The same, and each answer waits for a heartbeat.
    Late,
    /// Streams are answered with this; questions as agreed.
    NoStream(&'static str),
    /// Each connection is answered with this and closed.
    Raw(Vec<u8>),
    /// The same, and left open.
    RawOpen(Vec<u8>),
    /// First the one, then the other for ever.
    RawEndless(Vec<u8>, Vec<u8>),
}

pub(super) const WELL: Mode = Mode::Stream {
    events_max: usize::MAX,
};

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Request(pub(super) String);

impl Request {
    pub(super) fn is_stream(&self) -> bool {
        self.header("accept") == Some("text/event-stream")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.0.lines().skip(1);
        let mut pairs = lines.filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    fn after(&self) -> usize {
        let query = self.0.split_whitespace().nth(1).unwrap().split_once('?');
        let after = query.and_then(|(_, query)| query.strip_prefix("after="));
        let after = after.or(self.header("last-event-id"));
        after.map_or(0, |after| after.parse().unwrap())
    }
}

/// What all connections see.
#[derive(Clone)]
struct Shared {
    entries: watch::Sender<Vec<String>>,
    /// What is said on all streams, and how much there was before.
    said: watch::Sender<(u64, &'static str)>,
    mode: watch::Sender<Mode>,
    requests: Arc<Mutex<Vec<Request>>>,
}

pub(super) struct Issuer {
    pub(super) url: Url,
    shared: Shared,
    task: JoinHandle<()>,
}

/// How many entries a page has: few, so that there are several.
const PAGE_ENTRIES: usize = 3;

impl Issuer {
    pub(super) async fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let shared = Shared {
            entries: watch::Sender::default(),
            said: watch::Sender::default(),
            mode: watch::Sender::new(mode),
            requests: Arc::default(),
        };
        let own = shared.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(connection(socket, own.clone()));
            }
        });
        Self {
            url: format!("http://{at}/auth/revocations").parse().unwrap(),
            shared,
            task,
        }
    }

    /// Revokes something: tells it on all streams.
    pub(super) fn revoke(&self, entries: impl IntoIterator<Item = String>) {
        self.shared.entries.send_modify(|all| all.extend(entries));
    }

    /// Sends a heartbeat on all streams; lets one answer go that waits for it.
    pub(super) fn beat(&self) {
        self.say(": \n");
    }

    /// Says something on all streams.
    pub(super) fn say(&self, text: &'static str) {
        self.shared.said.send_modify(|(count, said)| {
            *count += 1;
            *said = text;
        });
    }

    /// Answers otherwise from now on. What is open ends.
    pub(super) fn turn(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one request, until the mode changes.
async fn connection(mut socket: TcpStream, shared: Shared) {
    let mut mode = shared.mode.subscribe();
    let now = mode.borrow_and_update().clone();
    let Some(request) = read(&mut socket).await else {
        return;
    };
    shared.requests.lock().unwrap().push(request.clone());
    tokio::select! {
        _ = answer(&mut socket, &shared, &request, now) => {}
        _ = mode.changed() => {}
    }
}

async fn answer(
    socket: &mut TcpStream,
    shared: &Shared,
    request: &Request,
    mode: Mode,
) -> std::io::Result<()> {
    match mode {
        Mode::Late if !request.is_stream() => {
            shared.said.subscribe().changed().await.unwrap();
            page(socket, shared, request).await
        }
        Mode::Stream { .. } | Mode::Held if !request.is_stream() => {
            page(socket, shared, request).await
        }
        Mode::Held | Mode::Late => {
            socket.write_all(head().as_bytes()).await?;
            std::future::pending().await
        }
        Mode::Stream { events_max } => stream(socket, shared, request, events_max).await,
        Mode::NeverLive => {
            socket.write_all(hello().as_bytes()).await?;
            std::future::pending().await
        }
        Mode::NoStream(head) if request.is_stream() => socket.write_all(head.as_bytes()).await,
        Mode::NoStream(_) => page(socket, shared, request).await,
        Mode::Raw(bytes) => socket.write_all(&bytes).await,
        Mode::RawOpen(bytes) => {
            socket.write_all(&bytes).await?;
            std::future::pending().await
        }
        Mode::RawEndless(first, then) => {
            socket.write_all(&first).await?;
            loop {
                socket.write_all(&then).await?;
            }
        }
    }
}

pub(super) fn head() -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n".into()
}

pub(super) fn hello() -> String {
    hello_from(0)
}

/// The first event tells the cursor that the stream goes on from.
fn hello_from(cursor: usize) -> String {
    let data = r#"{"kept_seconds":920,"heartbeat_seconds":5}"#;
    format!("{}event: hello\nid: {cursor}\ndata: {data}\n\n", head())
}

pub(super) const LIVE: &str = "event: live\ndata: {}\n\n";

async fn stream(
    socket: &mut TcpStream,
    shared: &Shared,
    request: &Request,
    events_max: usize,
) -> std::io::Result<()> {
    let (mut entries, mut said) = (shared.entries.subscribe(), shared.said.subscribe());
    let (mut told, mut is_live) = (request.after(), false);
    socket.write_all(hello_from(told).as_bytes()).await?;
    for _ in 0..events_max {
        let known = entries.borrow_and_update().clone();
        let told_until = known.len().min(told + PAGE_ENTRIES);
        if told < told_until {
            let list = known[told..told_until].join(",");
            told = told_until;
            let event = format!("event: revoked\nid: {told}\ndata: [{list}]\n\n");
            socket.write_all(event.as_bytes()).await?;
        } else if !is_live {
            is_live = true;
            socket.write_all(LIVE.as_bytes()).await?;
        } else {
            tokio::select! {
                changed = entries.changed() => changed.unwrap(),
                more = said.changed() => {
                    more.unwrap();
                    let text = said.borrow().1;
                    socket.write_all(text.as_bytes()).await?;
                }
            }
        }
    }
    let half = "event: revoked\nid: 999999\ndata: [[\"t\",\"half\",1]]\n";
    socket.write_all(half.as_bytes()).await
}

async fn page(socket: &mut TcpStream, shared: &Shared, request: &Request) -> std::io::Result<()> {
    let known = shared.entries.borrow().clone();
    let start = request.after().min(known.len());
    let end = known.len().min(start + PAGE_ENTRIES);
    let body = format!(
        r#"{{"cursor":"{end}","kept_seconds":920,"more":{},"entries":[{}]}}"#,
        end < known.len(),
        known[start..end].join(",")
    );
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let len = body.len();
    let answer = format!("{head}\r\nContent-Length: {len}\r\n\r\n{body}");
    socket.write_all(answer.as_bytes()).await
}

/// Reads the head of a request.
async fn read(socket: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(socket.read_u8().await.ok()?);
    }
    Some(Request(String::from_utf8(bytes).unwrap()))
}
