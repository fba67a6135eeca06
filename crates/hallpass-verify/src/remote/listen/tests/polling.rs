//! Where no stream comes through, the issuer is asked again and again.
use super::*;

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn without_a_stream_the_issuer_is_asked_again_and_again() {
    let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi";
    let untyped = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let refused = "HTTP/1.1 406 Not Acceptable\r\nContent-Length: 0\r\n\r\n";
    for no_stream in [NOT_FOUND, refused, json, html, untyped] {
        let issuer = Issuer::start(Mode::NoStream(no_stream)).await;
        issuer.revoke((0..10).map(end));
        let service = Listening::to(&issuer);
        until(no_stream, || service.is_current()).await;
        assert!((0..10).all(|number| service.knows(number)), "{no_stream}");
        assert_eq!(service.status().feed, Feed::Polling);
        issuer.revoke([end(10)]);
        until("told", || service.knows(10)).await;
        let requests = issuer.requests();
        assert!(requests[0].is_stream());
        assert!(requests[1..].iter().all(|request| !request.is_stream()));
        let polls: Vec<_> = requests
            .iter()
            .map(|request| request.0.lines().next().unwrap())
            .collect();
        assert_eq!(polls[1], "GET /auth/revocations HTTP/1.1");
        assert_eq!(polls[2], "GET /auth/revocations?after=3 HTTP/1.1");
        assert_eq!(
            requests[1].header("authorization"),
            requests[0].header("authorization")
        );
    }
}

#[tokio::test]
async fn a_stream_that_is_held_back_on_its_way_is_given_up_for_questions() {
    let issuer = Issuer::start(Mode::Held).await;
    issuer.revoke((0..10).map(end));
    let impatient = Pace {
        answer: Duration::from_millis(100),
        ..pace()
    };
    let service = Listening::with(&issuer, impatient);
    until("polls", || service.is_current()).await;
    assert_eq!(service.status().feed, Feed::Polling);
    assert_eq!(service.status().reconnects, 0);
    assert!((0..10).all(|number| service.knows(number)));
}

#[tokio::test]
async fn a_stream_is_tried_again_after_a_while() {
    let issuer = Issuer::start(Mode::NoStream(NOT_FOUND)).await;
    let again = Pace {
        stream_again: Duration::from_millis(40),
        ..pace()
    };
    let service = Listening::with(&issuer, again);
    until("polls", || service.status().feed == Feed::Polling).await;
    issuer.revoke([end(1)]);
    until("told", || service.knows(1)).await;
    issuer.turn(WELL);
    until("stream", || service.status().feed == Feed::Stream).await;
    let requests = issuer.requests();
    let last = requests.last().unwrap();
    assert_eq!(last.header("last-event-id"), Some("1"));
}

#[tokio::test]
async fn an_answer_is_as_old_as_its_question() {
    let issuer = Issuer::start(Mode::Late).await;
    let impatient = Pace {
        answer: Duration::from_millis(500),
        ..pace()
    };
    let service = Listening::with(&issuer, impatient);
    let start = service.clock.now();
    let questions = || {
        issuer
            .requests()
            .iter()
            .filter(|one| !one.is_stream())
            .count()
    };
    until("asked", || questions() > 0).await;
    service.clock.advance(BOUND + Duration::from_secs(1));
    until("answered", || {
        issuer.beat();
        service.status().heard_at.is_some()
    })
    .await;
    assert_eq!(service.status().heard_at, Some(start));
    assert!(!service.is_current());
    until("asked and answered again", || {
        issuer.beat();
        service.is_current()
    })
    .await;
}

#[tokio::test]
async fn an_overloaded_issuer_is_asked_for_pages() {
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let issuer = Issuer::start(Mode::NoStream(busy)).await;
    issuer.revoke([end(1)]);
    let service = Listening::to(&issuer);
    until("polls", || service.is_current()).await;
    assert_eq!(service.status().feed, Feed::Polling);
    assert!(service.knows(1));
    assert_eq!(service.status().reconnects, 2);
}

#[tokio::test]
async fn an_endless_page_is_left_at_its_limit() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    let issuer = Issuer::start(Mode::RawEndless(head.into(), vec![b' '; 65_536])).await;
    let service = Listening::to(&issuer);
    // The time for an answer is over after 10 s: three of them take longer than it is waited.
    until("left", || service.status().reconnects >= 3).await;
    assert!(!service.is_current());
}

/// Streams get 404, questions get `body`.
fn page(body: &str) -> Mode {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
    Mode::Raw(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

#[tokio::test]
async fn a_bad_page_makes_nobody_current_and_is_not_asked_for_without_a_pause() {
    let endless = r#"{"cursor":"5","kept_seconds":920,"more":true,"entries":[]}"#;
    let huge = format!(
        "{}{}",
        " ".repeat(1_048_577),
        endless.replace("true", "false")
    );
    let broken = r#"{"cursor":"5","kept_seconds":920,"more":false,"entries":[["s","x",1]]}"#;
    for body in [endless, &huge, broken, "", "[]", "<html>"] {
        let issuer = Issuer::start(page(body)).await;
        let service = Listening::to(&issuer);
        until("tried", || service.status().reconnects >= 3).await;
        assert!(!service.is_current());
        assert!(service.ears.verifier.revocations().is_empty());
        // One stream and, after each pause, one or two pages.
        let requests = issuer.requests().len();
        let pauses = usize::try_from(service.status().reconnects).unwrap();
        assert!(requests <= 3 * pauses + 3, "{requests} {pauses}");
        issuer.turn(WELL);
    }
}
