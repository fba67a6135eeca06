//! How WebSockets end.

use crate::issuer::{ALICE, BOB, NOW, User, sign};
use crate::support::{LEEWAY, Refused, TTL, app, app_with, echo, fresh};
use axum::extract::ws::Message;
use hallpass_verify::live::{Guard, News, Over};
use hallpass_verify::{Location, Revoked, SessionId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

const EXPIRED: &str = "closed 4401 token_expired";
const ENDED: &str = "closed 4403 session_ended";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_socket_closes_when_its_session_ends() {
    let app = app();
    let mut alice = app.open_with(&fresh(ALICE, &app)).await;
    let mut bob = app.open_with(&fresh(BOB, &app)).await;
    assert_eq!(alice.ask("hello").await, "hello");
    sleep(5 * SECOND).await;
    let told = Instant::now();
    app.end(ALICE.session());
    assert_eq!(alice.hear().await, ENDED);
    assert!(
        told.elapsed() < Duration::from_millis(10),
        "{:?}",
        told.elapsed()
    );
    assert_eq!(alice.hear().await, "gone");
    assert_eq!(bob.ask("still here").await, "still here");
}

#[tokio::test(start_paused = true)]
async fn a_socket_closes_when_its_token_or_the_key_of_it_is_revoked() {
    for revoked in [Revoked::Token("t1".into()), Revoked::Key("k1".into())] {
        let app = app();
        let mut client = app.open_with(&fresh(ALICE, &app)).await;
        assert_eq!(client.ask("hello").await, "hello");
        let now = hallpass_verify::Clock::now(app.clock.as_ref());
        app.verifier
            .learn(&revoked, now, now.plus(Duration::from_secs(TTL)));
        assert_eq!(client.hear().await, ENDED, "{revoked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_closes_when_its_token_expires_and_tells_before() {
    let app = app();
    let opened = Instant::now();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(
        client.hear().await,
        r#"{"type":"hallpass.expiring","expires_in":60}"#
    );
    assert_eq!(opened.elapsed().as_secs(), TTL - 60);
    assert_eq!(client.ask("hello").await, "hello");
    assert_eq!(client.hear().await, EXPIRED);
    // As long as a request with the token would have been let in, and no longer.
    let lived = opened.elapsed();
    let expected = Duration::from_secs(TTL) + LEEWAY;
    assert!(
        lived >= expected && lived < expected + SECOND / 10,
        "{lived:?}"
    );
    assert_eq!(client.hear().await, "gone");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_keeps_no_socket_open() {
    let app = app();
    let opened = Instant::now();
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    app.clock.set_wrong_by(-86_400);
    assert_eq!(client.hear().await, EXPIRED);
    assert!(opened.elapsed() < Duration::from_secs(TTL) + LEEWAY + SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_closes_sockets_within_30_s_and_before_the_next_message() {
    let app = app();
    let mut quiet = app.open_with(&fresh(ALICE, &app)).await;
    let mut talking = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(talking.ask("hello").await, "hello");
    assert_eq!(quiet.ask("hello").await, "hello");
    app.clock.set_wrong_by(86_400);
    assert_eq!(talking.ask("too late").await, EXPIRED);
    let set = Instant::now();
    assert_eq!(quiet.hear().await, EXPIRED);
    assert!(
        set.elapsed() <= Duration::from_secs(30),
        "{:?}",
        set.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn after_the_end_nothing_is_forwarded_in_either_direction() {
    let (heard, mut log) = mpsc::unbounded_channel();
    let app = app_with(
        |_| {},
        move |socket| {
            let heard = heard.clone();
            Box::pin(async move {
                let (sender, mut receiver) = socket.split();
                tokio::spawn(async move {
                    while let Some(message) = receiver.recv().await {
                        heard
                            .send(message.into_text().unwrap().to_string())
                            .unwrap();
                    }
                });
                while sender.send(Message::text("tick")).await.is_ok() {
                    sleep(SECOND / 100).await;
                }
                assert_eq!(sender.over(), Some(Over::Ended));
            })
        },
    );
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    client.say("before").await;
    assert_eq!(client.hear().await, "tick");
    assert_eq!(log.recv().await.as_deref(), Some("before"));
    // Both come in the same moment, before anybody was woken.
    app.end(ALICE.session());
    client.say("after").await;
    let mut last = client.hear().await;
    while last == "tick" {
        // Was on the wire before the end.
        last = client.hear().await;
    }
    assert_eq!(last, ENDED);
    assert!(!client.try_say("after").await || client.hear().await == "gone");
    sleep(SECOND).await;
    assert!(
        log.try_recv().is_err(),
        "the handler heard what came after the end"
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_busy_with_something_else_holds_up_no_end() {
    let (kept, mut keeps) = mpsc::unbounded_channel();
    let app = app_with(
        |_| {},
        move |socket| {
            let kept = kept.clone();
            Box::pin(async move {
                kept.send(socket).unwrap();
                std::future::pending::<()>().await;
            })
        },
    );
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    let mut socket = keeps.recv().await.unwrap();
    client.say("queued before the end").await;
    client.say("queued too").await;
    sleep(SECOND).await;
    let told = Instant::now();
    app.end(ALICE.session());
    assert_eq!(client.hear().await, ENDED);
    assert!(told.elapsed() < SECOND);
    sleep(SECOND).await;
    assert_eq!(socket.recv().await, None);
    assert!(socket.send(Message::text("x")).await.is_err());
    assert_eq!(socket.over(), Some(Over::Ended));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_hung_up_on_after_the_end() {
    let (done, mut is_done) = mpsc::unbounded_channel();
    let app = app_with(
        |_| {},
        move |socket| {
            let done = done.clone();
            Box::pin(async move {
                let long = "x".repeat(4096);
                while socket.send(Message::text(long.clone())).await.is_ok() {}
                done.send(socket.over()).unwrap();
            })
        },
    );
    let bearer = format!("Bearer {}", fresh(ALICE, &app));
    let lines = [("authorization", bearer.as_str())];
    let mut client = app.open_over("/ws", &lines, 1024).await.unwrap();
    // The wire is full, and the handler waits for it.
    assert!(timeout(60 * SECOND, is_done.recv()).await.is_err());
    let told = Instant::now();
    app.end(ALICE.session());
    assert_eq!(is_done.recv().await, Some(Some(Over::Ended)));
    assert!(told.elapsed() < SECOND);
    sleep(6 * SECOND).await;
    // What was on its way comes; then there is nobody.
    let mut last = client.hear().await;
    while last.starts_with('x') {
        last = client.hear().await;
    }
    assert_eq!(last, "gone");
}

#[tokio::test(start_paused = true)]
async fn one_session_that_ends_closes_exactly_its_own_of_1000_sockets() {
    const SESSIONS: u16 = 250;
    const EACH: usize = 4;
    let app = app_with(
        |settings| settings.connections_of_user_max = 1000,
        |socket| Box::pin(echo(socket)),
    );
    let session = |number: u16| {
        let mut bytes = [7; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        SessionId::from_bytes(bytes)
    };
    let mut clients = Vec::new();
    for number in 0..SESSIONS {
        let mut claims = ALICE.claims();
        claims["sid"] = session(number).to_string().into();
        claims["exp"] = (NOW + TTL).into();
        let token = sign(&claims);
        for _ in 0..EACH {
            clients.push((number, app.open_with(&token).await));
        }
    }
    assert_eq!(clients.len(), 1000);
    app.end(session(123));
    let mut closed = 0;
    for (number, client) in &mut clients {
        if *number == 123 {
            assert_eq!(client.hear().await, ENDED);
            closed += 1;
        } else {
            assert_eq!(client.ask("hello").await, "hello", "session {number}");
        }
    }
    assert_eq!(closed, EACH);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_long_closes_the_socket() {
    let app = app_with(
        |settings| settings.message_len_max = 1000,
        |mut socket| {
            Box::pin(async move {
                while let Some(message) = socket.recv().await {
                    let answer = format!("{} bytes", message.into_text().unwrap().len());
                    socket.send(Message::text(answer)).await.unwrap();
                }
            })
        },
    );
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.ask(&"x".repeat(1000)).await, "1000 bytes");
    assert_eq!(
        client.ask(&"x".repeat(1001)).await,
        "closed 1008 message_refused"
    );
    let default = app_with(|_| {}, |socket| Box::pin(drop_when_heard(socket)));
    let bearer = format!("Bearer {}", fresh(ALICE, &default));
    let lines = [("authorization", bearer.as_str())];
    // The wire takes all of it: nobody reads a message that is too long to its end.
    let mut client = default.open_over("/ws", &lines, 200_000).await.unwrap();
    assert_eq!(
        client.ask(&"x".repeat(65_537)).await,
        "closed 1008 message_refused"
    );
}

async fn drop_when_heard(mut socket: hallpass_verify::live::LiveSocket) {
    let _ = socket.recv().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_only_the_server_says_closes_the_socket() {
    let app = app();
    for own in [
        "hallpass.renewed",
        "hallpass.expiring",
        "hallpass.refused",
        "hallpass.x",
    ] {
        let mut client = app.open_with(&fresh(ALICE, &app)).await;
        let message = format!(r#"{{"type":"{own}","expires_in":1}}"#);
        assert_eq!(
            client.ask(&message).await,
            "closed 1008 unexpected_message",
            "{own}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_closes_as_it_likes_and_a_client_may_go() {
    let app = app_with(
        |_| {},
        |mut socket| {
            Box::pin(async move {
                match socket
                    .recv()
                    .await
                    .map(|message| message.into_text().unwrap().to_string())
                {
                    Some(text) if text == "close" => {
                        let frame = axum::extract::ws::CloseFrame {
                            code: 4999,
                            reason: "as I like".into(),
                        };
                        socket.send(Message::text("first this")).await.unwrap();
                        socket.send(Message::Close(Some(frame))).await.unwrap();
                        assert_eq!(socket.recv().await, None);
                        assert_eq!(socket.over(), None);
                    }
                    _ => socket.send(Message::text("last words")).await.unwrap(),
                }
            })
        },
    );
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.ask("close").await, "first this");
    assert_eq!(client.hear().await, "closed 4999 as I like");
    let mut client = app.open_with(&fresh(ALICE, &app)).await;
    assert_eq!(client.ask("drop").await, "last words");
    assert_eq!(client.hear().await, "closed 1000 ");
}

#[tokio::test(start_paused = true)]
async fn a_user_with_too_many_connections_waits_until_one_is_closed() {
    let app = app_with(
        |settings| settings.connections_of_user_max = 2,
        |socket| Box::pin(echo(socket)),
    );
    let bearer = format!("Bearer {}", fresh(ALICE, &app));
    let lines = [("authorization", bearer.as_str())];
    let _first = app.open("/ws", &lines).await.unwrap();
    let second = app.open("/ws", &lines).await.unwrap();
    let third = app.open("/ws", &lines).await.err();
    assert_eq!(third, Some(Refused(429, "rate_limited".into())));
    app.open_with(&fresh(BOB, &app)).await;
    drop(second);
    sleep(SECOND).await;
    assert!(app.open("/ws", &lines).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_guard_alone_notices_a_clock_that_is_set_forward_within_30_s() {
    let app = app();
    let now = hallpass_verify::Clock::now(app.clock.as_ref());
    let token = fresh(ALICE, &app);
    let caller = app.verifier.verify(&token, Location::Header, now).unwrap();
    let mut guard = Guard::new(Arc::clone(&app.gate), caller);
    // It waits already when the clock is set.
    let clock = Arc::clone(&app.clock);
    tokio::spawn(async move {
        sleep(SECOND).await;
        clock.set_wrong_by(86_400);
    });
    let waiting = Instant::now();
    assert_eq!(guard.over().await, Over::Expired);
    assert_eq!(waiting.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_guard_alone_tells_the_same() {
    let app = app();
    let guard_of = |user: User| {
        let now = hallpass_verify::Clock::now(app.clock.as_ref());
        let caller = app
            .verifier
            .verify(&fresh(user, &app), Location::Header, now)
            .unwrap();
        Guard::new(Arc::clone(&app.gate), caller)
    };
    let (mut alice, mut bob) = (guard_of(ALICE), guard_of(BOB));
    assert_eq!(alice.caller().subject(), "alice");
    assert_eq!((alice.is_over(), alice.expires_in().as_secs()), (None, TTL));
    assert!(timeout(SECOND, alice.over()).await.is_err());
    app.end(ALICE.session());
    assert_eq!(alice.is_over(), Some(Over::Ended));
    assert_eq!(
        (alice.over().await, alice.over().await),
        (Over::Ended, Over::Ended)
    );
    // Waiting for the end alone does not lose the notice.
    assert!(timeout(850 * SECOND, bob.over()).await.is_err());
    let News::Expiring(left) = bob.news().await else {
        panic!("expected the notice")
    };
    assert_eq!(left.as_secs(), TTL - 851);
    assert_eq!(bob.news().await, News::Over(Over::Expired));
    assert_eq!(
        (bob.over().await, bob.is_over()),
        (Over::Expired, Some(Over::Expired))
    );
}
