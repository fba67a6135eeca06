//! Whatever answers, a verifier goes on, never counts as current without reason, and recovers.
use super::*;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

fn raw(text: &str) -> Mode {
    Mode::Raw(text.as_bytes().to_vec())
}

fn event(name: &str, id: &str, data: &str) -> String {
    format!("event: {name}\nid: {id}\ndata: {data}\n\n")
}

fn answers() -> Vec<(&'static str, Mode)> {
    let after_hello = |rest: &str| raw(&format!("{}{rest}", hello()));
    let chunked =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let many_headers = "X-Header: x\r\n".repeat(5_000);
    let good = format!(r#"[["s","{}",{NOW}]"#, session(1));
    let unread = |data: &str| after_hello(&event("revoked", "1", data));
    vec![
        ("closes at once", raw("")),
        ("speaks no HTTP", raw("\0\x01\x02 hello\r\n\r\n")),
        (
            "is broken",
            raw("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
        ),
        (
            "is overloaded",
            raw("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
        ),
        ("has other content", raw("HTTP/1.1 204 No Content\r\n\r\n")),
        (
            "has endless headers",
            raw(&format!("HTTP/1.1 200 OK\r\n{many_headers}\r\n")),
        ),
        (
            "ends a chunk too early",
            raw(&format!("{chunked}ff\r\nevent: hello\n")),
        ),
        ("has a bad chunk", raw(&format!("{chunked}zz\r\n"))),
        (
            "tells before hello",
            raw(&format!("{}{}", head(), event("revoked", "1", "[]"))),
        ),
        (
            "tells before hello, and is live then",
            raw(&format!(
                "{}{}{}{LIVE}",
                head(),
                event("revoked", "1", "[]"),
                event("hello", "1", r#"{"kept_seconds":9,"heartbeat_seconds":5}"#)
            )),
        ),
        ("is live before hello", raw(&format!("{}{LIVE}", head()))),
        (
            "says hello twice",
            after_hello(&event(
                "hello",
                "0",
                r#"{"kept_seconds":9,"heartbeat_seconds":5}"#,
            )),
        ),
        (
            "says a bad hello",
            raw(&format!("{}{}", head(), event("hello", "0", "{}"))),
        ),
        ("is half told", after_hello("event: live\ndata: {}\n")),
        ("tells no JSON", unread("nonsense")),
        ("tells half of JSON", unread(&good)),
        ("tells no list", unread("{}")),
        (
            "tells a broken entry",
            unread(&format!(r#"{good},["s","x",1]]"#)),
        ),
        (
            "has no cursor",
            after_hello("event: revoked\nid:\ndata: []\n\n"),
        ),
        (
            "has a bad cursor",
            after_hello(&event("revoked", "a b", "[]")),
        ),
        (
            "has a long cursor",
            after_hello(&event("revoked", &"1".repeat(65), "[]")),
        ),
        (
            "has a bad last cursor",
            after_hello(&event("live", "a b", "{}")),
        ),
        (
            "is no text",
            Mode::Raw([hello().as_bytes(), b"data: \xff\n\n"].concat()),
        ),
        ("has a long line", after_hello(&"x".repeat(600_000))),
        (
            "has a long event",
            after_hello(&format!("data: {}\n", "x".repeat(60_000)).repeat(20)),
        ),
    ]
}

#[tokio::test]
async fn whatever_answers_nobody_becomes_current_and_everybody_recovers() {
    for (what, answer) in answers() {
        let issuer = Issuer::start(answer).await;
        issuer.revoke([end(1)]);
        let service = Listening::to(&issuer);
        until(what, || service.status().reconnects >= 2).await;
        assert_eq!(service.status().heard_at, None, "{what}");
        assert!(service.ears.verifier.revocations().is_empty(), "{what}");
        assert_eq!(service.status().cursor, None, "{what}");
        issuer.turn(WELL);
        until(what, || service.is_current()).await;
        assert!(service.knows(1), "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_or_never_gets_anywhere_is_left() {
    let comments = b": beat\n\n".repeat(2_000);
    let others = b"event: other\ndata: {}\n\n".repeat(2_000);
    let slow = Pace {
        answer: Duration::from_millis(50),
        catch_up: Duration::from_millis(50),
        ..pace()
    };
    for (what, answer) in [
        ("no answer", Mode::RawOpen(Vec::new())),
        (
            "half a head",
            Mode::RawOpen(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
        ),
        ("no hello", Mode::RawOpen(head().into_bytes())),
        (
            "half a hello",
            Mode::RawOpen(format!("{}event: hello\n", head()).into_bytes()),
        ),
        ("never live", Mode::RawOpen(hello().into_bytes())),
        (
            "endless comments",
            Mode::RawEndless(head().into_bytes(), comments.clone()),
        ),
        (
            "endless other events",
            Mode::RawEndless(head().into_bytes(), others.clone()),
        ),
        (
            "comments, never live",
            Mode::RawEndless(hello().into_bytes(), comments),
        ),
        (
            "others, never live",
            Mode::RawEndless(hello().into_bytes(), others),
        ),
        (
            "an endless line",
            Mode::RawEndless(hello().into_bytes(), vec![b'x'; 65_536]),
        ),
    ] {
        let issuer = Issuer::start(answer).await;
        let service = Listening::with(&issuer, slow);
        until(what, || service.status().reconnects >= 2).await;
        assert_eq!(service.status().heard_at, None, "{what}");
        issuer.turn(WELL);
        until(what, || service.is_current()).await;
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Issuer::start(WELL).await;
    let location = elsewhere.url.as_str();
    for status in [301, 302, 303, 307, 308] {
        let head =
            format!("HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let issuer = Issuer::start(raw(&head)).await;
        let service = Listening::to(&issuer);
        until("tried", || service.status().reconnects >= 2).await;
        assert!(!service.is_current());
    }
    assert!(elsewhere.requests().is_empty());
}

/// Counts what is logged as an error.
#[derive(Clone, Default)]
struct Log(Arc<AtomicUsize>, Arc<Mutex<String>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("hallpass_verify")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        let mut text = self.1.lock().unwrap();
        event.record(
            &mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                writeln!(text, "{field}={value:?}").unwrap();
            },
        );
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn wrong_credentials_are_logged_once_and_never_shown() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    for status in [401, 403] {
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        let issuer = Issuer::start(raw(&answer)).await;
        let service = Listening::to(&issuer);
        until("tried", || service.status().reconnects >= 5).await;
        assert_eq!(log.0.swap(0, Ordering::SeqCst), 1);
        assert!(!service.is_current());
        issuer.turn(WELL);
        until("live", || service.is_current()).await;
        issuer.turn(raw(&answer));
        until("refused again", || log.0.load(Ordering::SeqCst) == 1).await;
        log.0.store(0, Ordering::SeqCst);
    }
    let text = log.1.lock().unwrap();
    assert!(text.contains("credentials"), "{text}");
    assert!(
        !text.contains("hps_") && !text.contains("b3JkZXJz"),
        "{text}"
    );
}

#[tokio::test]
async fn a_client_that_gives_up_on_long_answers_does_not_end_the_stream() {
    let issuer = Issuer::start(WELL).await;
    let model = Listening::to(&issuer);
    let origin = issuer.url.origin().ascii_serialization();
    let url = IssuerUrl::checked(&origin, PlainHttp::LoopbackOnly).unwrap();
    let hasty = Trust::default()
        .client(url.url())
        .timeout(Duration::from_millis(30));
    let secret = ServiceSecret::new("hps_secret".into());
    let service = Service::checked("orders", &secret).unwrap();
    let ears = model.ears.clone();
    drop(model);
    let listener = Listener {
        line: Line::new(hasty.build().unwrap(), &service),
        endpoint: watch::Sender::new(Some(issuer.url.clone())).subscribe(),
        ears: ears.clone(),
        pace: pace(),
    };
    let task = tokio::spawn(listener.run());
    until("live", || ears.state.status().feed == Feed::Stream).await;
    let requests = issuer.requests().len();
    let began = Instant::now();
    until("a while", || began.elapsed() > Duration::from_millis(60)).await;
    assert_eq!(issuer.requests().len(), requests);
    task.abort();
}
