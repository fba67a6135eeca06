//! The listener, seen by clients that write bytes instead of requests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::routing::{get, post};
use hallpass_axum::serve::{Limits, PublicScheme, Server};
use hallpass_core::SeededRandom;
use http_body::Frame;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

const GET: &str = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
const LAST: &str = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// A listener at work, and what its app has seen.
struct Running {
    addr: SocketAddr,
    served: Arc<AtomicUsize>,
    entered: Arc<Notify>,
    go_on: Arc<Notify>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start() -> Running {
    start_with(Limits::default(), PublicScheme::Http).await
}

async fn start_with(limits: Limits, scheme: PublicScheme) -> Running {
    let served = Arc::new(AtomicUsize::new(0));
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let count = Arc::clone(&served);
    let hello = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { "hello" }
    };
    let (enters, goes_on) = (Arc::clone(&entered), Arc::clone(&go_on));
    let wait = move || async move {
        enters.notify_one();
        goes_on.notified().await;
        "waited"
    };
    let app = Router::new()
        .route("/hello", get(hello.clone()).post(hello))
        .route("/wait", get(wait))
        .route("/stream", get(async || Body::new(Slow::default())))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route(
            "/forgive",
            post(|body: Body| async { drop(axum::body::to_bytes(body, 1 << 30).await) }),
        )
        .route(
            "/panic",
            get(async || -> &'static str { panic!("as asked") }),
        )
        .route(
            "/panic-later",
            get(async || -> &'static str {
                tokio::task::yield_now().await;
                panic!("as asked")
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let listening = Server::new(app, &SeededRandom::new(1))
        .unwrap()
        .limits(limits)
        .public_scheme(scheme);
    let task = tokio::spawn(listening.run(listener, async { drop(stopped.await) }));
    Running {
        addr,
        served,
        entered,
        go_on,
        stop,
        task,
    }
}

/// A body in two pieces, five minutes apart.
#[derive(Default)]
struct Slow(Option<Pin<Box<Sleep>>>, bool);

impl HttpBody for Slow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = |text: &'static str| Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))));
        let Self(pause, is_done) = &mut *self;
        match pause {
            None => {
                *pause = Some(Box::pin(sleep(Duration::from_mins(5))));
                piece("first")
            }
            Some(_) if *is_done => Poll::Ready(None),
            Some(pause) => {
                std::task::ready!(pause.as_mut().poll(cx));
                *is_done = true;
                piece("second")
            }
        }
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends `bytes`, and returns everything that comes back until the server closes.
    async fn exchange(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads until `end` has come.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    let mut chunk = [0; 1024];
    while !answer.ends_with(end) {
        let len = stream.read(&mut chunk).await.unwrap();
        assert_ne!(len, 0, "closed after {answer}");
        answer.push_str(std::str::from_utf8(&chunk[..len]).unwrap());
    }
    answer
}

fn statuses(answer: &str) -> Vec<&str> {
    answer
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|one| &one[..3])
        .collect()
}

fn assert_refused(answer: &str, status: &str, code: &str) {
    assert_eq!(statuses(answer), [status], "{answer}");
    assert!(
        answer.contains("content-type: application/problem+json\r\n"),
        "{answer}"
    );
    assert!(answer.contains(&format!(r#""code":"{code}""#)), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn ht_05_ambiguous_framing_ends_the_connection_before_anything_is_served() {
    let running = start().await;
    let smuggled = "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 0\r\nContent-Length: 0",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    ] {
        let request = format!("POST /hello HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{smuggled}");
        assert_refused(&running.exchange(&request).await, "400", "bad_request");
    }
    assert_eq!(running.served(), 0);
}

#[tokio::test]
async fn ht_05_framing_that_cannot_be_parsed_ends_the_connection() {
    let running = start().await;
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Content-Length: 5, 5",
        "Content-Length: 0x5",
        "Content-Length : 5",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding:\u{b}chunked",
        "X: y\r\n Transfer-Encoding: chunked",
    ] {
        let request = format!("POST /hello HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{GET}");
        assert_eq!(
            statuses(&running.exchange(&request).await),
            ["400"],
            "{fields}"
        );
    }
    assert_eq!(running.served(), 0);
}

#[tokio::test]
async fn ht_05_a_chunked_request_is_served_and_ends_its_connection() {
    let running = start().await;
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\n12345\r\n0\r\n\r\n";
    let answer = running.exchange(&format!("{chunked}{GET}")).await;
    assert_eq!(statuses(&answer), ["200"], "{answer}");
    assert!(
        answer.contains("connection: close\r\n") && answer.ends_with("12345"),
        "{answer}"
    );
    assert_eq!(running.served(), 0);
}

#[tokio::test]
async fn ht_05_ambiguity_in_a_later_request_ends_the_connection() {
    let running = start().await;
    let mut stream = running.connect().await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut stream, "hello").await;
    stream
        .write_all(b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-")
        .await
        .unwrap();
    stream
        .write_all(b"Encoding: chunked\r\n\r\n0\r\n\r\n")
        .await
        .unwrap();
    assert_refused(&read_to_end(&mut stream).await, "400", "bad_request");
    assert_eq!(running.served(), 1);
}

#[tokio::test]
async fn bare_line_feeds_are_refused() {
    let running = start().await;
    for request in [
        "GET /hello HTTP/1.1\nHost: a\n\n",
        "GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\n\n",
        "\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert_refused(&running.exchange(request).await, "400", "bad_request");
    }
    assert_eq!(running.served(), 0);
}

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let running = start().await;
    for request in [
        "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET http://evil.test/hello HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert_refused(&running.exchange(request).await, "400", "bad_request");
    }
    assert_eq!(running.served(), 0);
    let same = "GET http://a/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(statuses(&running.exchange(same).await), ["200"]);
}

#[tokio::test]
async fn ht_09_trace_echoes_nothing_and_odd_methods_are_not_allowed() {
    let running = start().await;
    for request in ["TRACE /hello", "TRACE /", "CONNECT a:80"] {
        let answer = running
            .exchange(&format!(
                "{request} HTTP/1.1\r\nHost: a:80\r\nX-Secret: s3cr3t\r\n\r\n"
            ))
            .await;
        assert_refused(&answer, "405", "method_not_allowed");
        assert!(answer.contains("allow: GET, HEAD, POST"), "{answer}");
        assert!(!answer.contains("s3cr3t"), "{answer}");
    }
    for method in ["post", "PUT", "BREW", "get"] {
        let request = format!("{method} /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = running.exchange(&request).await;
        assert_eq!(statuses(&answer), ["405"], "{method}");
        assert!(answer.contains("allow: GET,HEAD,POST\r\n"), "{answer}");
    }
    assert_eq!(running.served(), 0);
}

#[tokio::test]
async fn ht_08_a_path_has_one_spelling() {
    let running = start().await;
    for path in [
        "//hello",
        "/./hello",
        "/x/%2e%2e/hello",
        "/HELLO",
        "/hello/",
        "/hello%00",
        "/hello;x",
        "/%68ello",
    ] {
        let answer = running
            .exchange(&format!(
                "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert_eq!(statuses(&answer), ["404"], "{path}");
    }
    assert_eq!(running.served(), 0);
}

#[tokio::test]
async fn ht_13_pipelined_requests_are_answered_in_order() {
    let running = start().await;
    let echo = |body: &str| {
        format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let answer = running
        .exchange(&[echo("one"), GET.into(), echo(GET), LAST.into()].concat())
        .await;
    assert_eq!(
        statuses(&answer.replace("GET /hello HTTP/1.1", "")),
        ["200"; 4],
        "{answer}"
    );
    let places: Vec<_> = ["one", "hello", GET]
        .iter()
        .map(|body| answer.find(body).unwrap())
        .collect();
    assert!(places.is_sorted(), "{answer}");
    assert_eq!(running.served(), 2);
}

#[tokio::test]
async fn ht_13_expect_100_continue_is_answered_before_the_body_comes() {
    let running = start().await;
    let mut stream = running.connect().await;
    let head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(
        read_until(&mut stream, "\r\n\r\n").await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    stream.write_all(b"12345").await.unwrap();
    assert_eq!(statuses(&read_until(&mut stream, "12345").await), ["200"]);

    let head = head.replace("Length: 5", "Length: 99999999");
    assert_refused(&running.exchange(&head).await, "413", "payload_too_large");
}

#[tokio::test]
async fn ds_01_a_body_over_the_limit_is_refused_by_its_declared_length() {
    let running = start().await;
    let request = |len: usize, body: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n{body}")
    };
    let whole = "x".repeat(65 * 1024);
    let answer = running.exchange(&request(whole.len(), &whole)).await;
    assert_refused(&answer, "413", "payload_too_large");
    let answer = running
        .exchange(&request(10_000_000, "only the beginning"))
        .await;
    assert_refused(&answer, "413", "payload_too_large");
    assert_refused(
        &running.exchange(&request(usize::MAX >> 5, "")).await,
        "413",
        "payload_too_large",
    );
}

#[tokio::test]
async fn ds_01_an_endless_chunked_body_is_refused_at_the_limit_whatever_the_handler_makes_of_it() {
    let running = start().await;
    for path in ["/echo", "/forgive"] {
        let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        let answer = running.exchange(&(head + &chunk.repeat(65))).await;
        assert_refused(&answer, "413", "payload_too_large");
    }
}

#[tokio::test]
async fn ds_01_a_head_over_the_limits_is_refused() {
    let running = start().await;
    let with = |fields: &str| format!("GET /hello HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    for head in [
        with(&format!("X: {}\r\n", "x".repeat(17 * 1024))),
        with(&"X: y\r\n".repeat(100)),
        with(&format!("X: {}", "x".repeat(400 * 1024))),
    ] {
        assert_eq!(
            statuses(&running.exchange(&head).await),
            ["431"],
            "{}",
            head.len()
        );
    }
    let target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(8 * 1024));
    assert_refused(&running.exchange(&target).await, "400", "bad_request");
    assert_eq!(running.served(), 0);
}

/// Sends `start`, then a byte every `pause`; returns how long the server put up with it.
async fn trickle(running: &Running, start: &str, pause: Duration) -> (Duration, String) {
    let mut stream = running.connect().await;
    stream.write_all(start.as_bytes()).await.unwrap();
    let began = Instant::now();
    let (mut reads, mut writes) = stream.split();
    let mut answer = Vec::new();
    let mut closed = std::pin::pin!(reads.read_to_end(&mut answer));
    while timeout(pause, closed.as_mut()).await.is_err() {
        drop(writes.write_all(b"1").await);
        assert!(began.elapsed() < Duration::from_secs(299), "never closed");
    }
    (began.elapsed(), String::from_utf8(answer).unwrap())
}

#[tokio::test(start_paused = true)]
async fn ds_02_a_head_that_trickles_in_is_given_up_after_ten_seconds() {
    let running = start().await;
    for start in ["G", "GET /hello HTTP/1.1\r\nHost: a\r\nX: "] {
        let (took, answer) = trickle(&running, start, Duration::from_secs(3)).await;
        assert!(took >= Duration::from_secs(10), "{took:?}");
        assert!(took < Duration::from_secs(15), "{took:?}");
        assert_eq!(answer, "");
    }
    let after_a_request = format!("{GET}G");
    let (took, _) = trickle(&running, &after_a_request, Duration::from_secs(3)).await;
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn ds_02_a_body_that_trickles_in_is_given_up_after_ten_seconds() {
    let running = start().await;
    for framing in ["Content-Length: 5000", "Transfer-Encoding: chunked"] {
        for path in ["/echo", "/forgive"] {
            let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n1");
            let (took, answer) = trickle(&running, &head, Duration::from_secs(3)).await;
            assert!(
                took >= Duration::from_secs(10) && took < Duration::from_secs(20),
                "{took:?}"
            );
            assert_refused(&answer, "408", "request_timeout");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ds_02_a_silent_connection_is_closed_after_a_minute_and_others_are_served() {
    let running = start().await;
    let mut silent = running.connect().await;
    let began = Instant::now();
    assert_eq!(statuses(&running.exchange(LAST).await), ["200"]);
    read_to_end(&mut silent).await;
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(59) && took < Duration::from_secs(65),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_take_longer_than_any_limit_for_the_client() {
    let running = start().await;
    for method_and_body in [
        "GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(),
        {
            "GET /wait HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_owned()
        },
    ] {
        let mut stream = running.connect().await;
        stream.write_all(method_and_body.as_bytes()).await.unwrap();
        running.entered.notified().await;
        sleep(Duration::from_secs(601)).await;
        running.go_on.notify_one();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.ends_with("waited"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_between_requests_is_ended_after_one_to_two_minutes() {
    let running = start().await;
    let mut stream = running.connect().await;
    sleep(Duration::from_secs(20)).await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut stream, "hello").await;
    let silent = Instant::now();
    assert_eq!(read_to_end(&mut stream).await, "");
    let took = silent.elapsed().as_secs();
    assert!((60..=120).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_streams_slowly_is_not_silence() {
    let running = start().await;
    let mut stream = running.connect().await;
    let request = "GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(
        answer.contains("first") && answer.contains("second"),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_beyond_the_limit_waits_for_a_slot() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let running = start_with(limits, PublicScheme::Http).await;
    let mut first = running.connect().await;
    first.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut first, "hello").await;
    let mut second = running.connect().await;
    second.write_all(LAST.as_bytes()).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(running.served(), 1);
    drop(first);
    assert_eq!(statuses(&read_to_end(&mut second).await), ["200"]);
}

#[tokio::test]
async fn ds_07_a_panic_ends_one_request() {
    let running = start().await;
    for path in ["/panic", "/panic-later"] {
        let answer = running
            .exchange(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        assert_refused(&answer, "500", "internal");
        assert!(!answer.contains("as asked"), "{answer}");
        assert_eq!(statuses(&running.exchange(LAST).await), ["200"]);
    }
}

#[tokio::test]
async fn ds_11_requests_in_flight_finish_when_the_listener_stops() {
    let running = start().await;
    let mut waiting = running.connect().await;
    waiting
        .write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    running.entered.notified().await;
    let mut silent = running.connect().await;
    silent.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut silent, "hello").await;

    running.stop.send(()).unwrap();
    assert_eq!(read_to_end(&mut silent).await, "");
    assert!(TcpStream::connect(running.addr).await.is_err());
    running.go_on.notify_one();
    let answer = read_to_end(&mut waiting).await;
    assert!(answer.ends_with("waited"), "{answer}");
    running.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn ds_11_a_request_that_does_not_finish_is_cut_off_after_ten_seconds() {
    let running = start().await;
    let mut waiting = running.connect().await;
    waiting
        .write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    running.entered.notified().await;
    let began = Instant::now();
    running.stop.send(()).unwrap();
    running.task.await.unwrap();
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(10) && took < Duration::from_secs(11),
        "{took:?}"
    );
}

#[tokio::test]
async fn hp_03_every_answer_has_the_headers_that_protect_it() {
    let plain = start().await;
    let secure = start_with(Limits::default(), PublicScheme::Https).await;
    let refused = "GET /hello HTTP/1.1\r\n\r\n";
    let mut ids = std::collections::HashSet::new();
    for request in [
        LAST,
        refused,
        "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ] {
        for (running, hsts) in [(&plain, false), (&secure, true)] {
            let answer = running.exchange(request).await;
            let line = "x-content-type-options: nosniff\r\n";
            assert!(answer.contains(line), "{answer}");
            let told = answer
                .contains("strict-transport-security: max-age=31536000; includeSubDomains\r\n");
            assert_eq!(told, hsts, "{answer}");
            assert!(
                !answer.to_ascii_lowercase().contains("\r\nserver:"),
                "{answer}"
            );
            let (_, id) = answer.split_once("x-request-id: ").unwrap();
            assert!(
                id[..16].bytes().all(|digit| digit.is_ascii_hexdigit()),
                "{answer}"
            );
            ids.insert((hsts, id[..16].to_owned()));
        }
    }
    assert_eq!(ids.len(), 6);
}
