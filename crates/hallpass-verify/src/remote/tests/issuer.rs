//! An issuer on loopback that answers with what it is told, byte by byte.

use super::key;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(super) const METADATA: &str = "/.well-known/oauth-authorization-server";
pub(super) const JWKS: &str = "/keys";
pub(super) const REVOCATIONS: &str = "/auth/revocations";
pub(super) const INTROSPECT: &str = "/auth/introspect";
pub(super) const REDEEM: &str = "/auth/ticket/redeem";

/// How to answer.
#[derive(Clone)]
pub(super) enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, and then these again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, and then one more now and then.
    Slow(Vec<u8>),
}

/// What an issuer is told.
struct State {
    url: String,
    jwks: Value,
    max_age_seconds: u64,
    metadata: Value,
    /// What was revoked, as entries of the feed.
    revoked: Vec<Value>,
    /// What is answered about each token.
    is_active: bool,
    /// Instead of an honest answer, by path.
    instead: Vec<(&'static str, Reply)>,
    /// The heads of the requests that came.
    requests: Vec<String>,
    with_etag: bool,
}

/// An issuer, until it is dropped.
pub(super) struct Issuer {
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) fn jwk(kid: &str) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key(kid).public_key().as_ref());
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "alg": "EdDSA", "x": x })
}

pub(super) fn jwks(kids: &[&str]) -> Value {
    json!({ "keys": kids.iter().map(|kid| jwk(kid)).collect::<Vec<_>>() })
}

/// A good answer with this body.
pub(super) fn good(body: &str) -> Reply {
    answer(
        "200 OK",
        "Content-Type: application/json\r\n",
        body.as_bytes(),
    )
}

pub(super) fn answer(status: &str, lines: &str, body: &[u8]) -> Reply {
    let len = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{lines}Content-Length: {len}\r\n\r\n");
    Reply::Bytes([head.as_bytes(), body].concat())
}

impl Issuer {
    /// An issuer that serves these keys.
    pub(super) async fn with_keys(kids: &[&str]) -> Self {
        Self::behind(None, kids).await
    }

    /// An issuer that serves these keys over https.
    pub(super) async fn with_tls(acceptor: TlsAcceptor, kids: &[&str]) -> Self {
        Self::behind(Some(acceptor), kids).await
    }

    async fn behind(tls: Option<TlsAcceptor>, kids: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = tls.as_ref().map_or("http", |_| "https");
        let url = format!("{scheme}://{address}");
        let state = State {
            metadata: json!({
                "issuer": url,
                "jwks_uri": format!("{url}{JWKS}"),
                "introspection_endpoint": format!("{url}{INTROSPECT}"),
                "hallpass_revocations_endpoint": format!("{url}{REVOCATIONS}"),
                "hallpass_ticket_endpoint": format!("{url}/auth/ticket"),
            }),
            url,
            jwks: jwks(kids),
            max_age_seconds: 300,
            revoked: Vec::new(),
            is_active: true,
            instead: Vec::new(),
            requests: Vec::new(),
            with_etag: true,
        };
        let state = Arc::new(Mutex::new(state));
        let task = tokio::spawn(listen(listener, tls, Arc::clone(&state)));
        Self { state, task }
    }

    pub(super) fn url(&self) -> String {
        self.change(|state| state.url.clone())
    }

    /// Serves these keys from now on.
    pub(super) fn serve(&self, kids: &[&str]) {
        self.serve_jwks(jwks(kids));
    }

    pub(super) fn serve_jwks(&self, jwks: Value) {
        self.change(|state| state.jwks = jwks);
    }

    pub(super) fn serve_metadata(&self, change: impl FnOnce(&mut Value)) {
        self.change(|state| change(&mut state.metadata));
    }

    pub(super) fn max_age(&self, seconds: u64) {
        self.change(|state| state.max_age_seconds = seconds);
    }

    pub(super) fn without_etag(&self) {
        self.change(|state| state.with_etag = false);
    }

    /// Tells from now on that this was revoked.
    pub(super) fn revoke(&self, entry: Value) {
        self.change(|state| state.revoked.push(entry));
    }

    /// Answers from now on that no token is good.
    pub(super) fn knows_no_token(&self) {
        self.change(|state| state.is_active = false);
    }

    /// Answers so at this path, until it is honest again.
    pub(super) fn instead(&self, path: &'static str, reply: Reply) {
        self.change(|state| state.instead = vec![(path, reply)]);
    }

    pub(super) fn honest(&self) {
        self.change(|state| state.instead.clear());
    }

    /// Closes each connection at once.
    pub(super) fn down(&self) {
        let all = [JWKS, METADATA, REVOCATIONS, INTROSPECT, REDEEM];
        let closed = all.map(|path| (path, Reply::Bytes(Vec::new())));
        self.change(|state| state.instead = closed.to_vec());
    }

    /// The heads of the requests for this path.
    pub(super) fn requests(&self, path: &str) -> Vec<String> {
        let all = self.change(|state| state.requests.clone());
        all.into_iter()
            .filter(|head| path_of(head) == path)
            .collect()
    }

    /// How many requests came, whatever for.
    pub(super) fn requests_len(&self) -> usize {
        self.change(|state| state.requests.len())
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<Mutex<State>>) {
    let mut open = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (state, tls) = (Arc::clone(&state), tls.clone());
        open.spawn(async move {
            // A client that goes away is none of its business.
            let _ = match tls {
                None => serve(stream, &state).await,
                Some(tls) => serve(tls.accept(stream).await?, &state).await,
            };
            std::io::Result::Ok(())
        });
    }
}

async fn serve(mut stream: impl Stream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let len = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; len.map_or(0, |len| len.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    let reply = {
        let mut state = state.lock().unwrap();
        state.requests.push(head.clone());
        state.reply(&head)
    };
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Endless(start, more) => {
            stream.write_all(&start).await?;
            loop {
                stream.write_all(&more).await?;
            }
        }
        Reply::Slow(start) => {
            stream.write_all(&start).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.write_all(b" ").await?;
            }
        }
    }
    stream.shutdown().await
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The path of a request, without its query.
fn path_of(head: &str) -> &str {
    let target = head.split(' ').nth(1).unwrap();
    target.split('?').next().unwrap()
}

impl State {
    /// What is told to a service that says who it is.
    fn told(&self, head: &str) -> Reply {
        if !head.contains("authorization: Basic b3JkZXJzOmhwc19v\r\n") {
            return answer("401 Unauthorized", "", b"");
        }
        match path_of(head) {
            // No stream: a verifier asks again and again.
            REVOCATIONS if head.contains("text/event-stream") => {
                answer("406 Not Acceptable", "", b"")
            }
            REVOCATIONS => {
                let after = head.split("after=").nth(1);
                let after = after.and_then(|rest| rest.split([' ', '&']).next());
                let after = after.map_or(0, |text| text.parse().unwrap());
                let page = json!({
                    "cursor": self.revoked.len().to_string(), "kept_seconds": 920,
                    "more": false, "entries": self.revoked[after..],
                });
                good(&page.to_string())
            }
            INTROSPECT => good(&json!({ "active": self.is_active }).to_string()),
            REDEEM => good(&json!({ "access_token": "a.b.c", "token_type": "Bearer" }).to_string()),
            _ => answer("404 Not Found", "", b""),
        }
    }

    fn reply(&self, head: &str) -> Reply {
        let path = path_of(head);
        let (document, media_type) = match path {
            _ if self.instead.iter().any(|(own, _)| *own == path) => {
                let instead = self.instead.iter().find(|(own, _)| *own == path);
                return instead.unwrap().1.clone();
            }
            METADATA => (&self.metadata, "application/json"),
            JWKS => (&self.jwks, "application/jwk-set+json"),
            _ => return self.told(head),
        };
        let body = document.to_string();
        let etag = format!(
            "\"{}\"",
            body.len() + body.bytes().map(usize::from).sum::<usize>()
        );
        let mut lines = format!(
            "Cache-Control: public, max-age={}\r\n",
            self.max_age_seconds
        );
        if self.with_etag {
            lines = format!("{lines}ETag: {etag}\r\n");
        }
        if self.with_etag && head.contains(&format!("if-none-match: {etag}\r\n")) {
            return answer("304 Not Modified", &lines, b"");
        }
        lines = format!("{lines}Content-Type: {media_type}\r\n");
        answer("200 OK", &lines, body.as_bytes())
    }
}
