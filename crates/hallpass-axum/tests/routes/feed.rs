//! What was revoked, told to services: page by page, and as a stream.

use crate::common::{ACCESS_TTL, ALICE, App, BOB, Browser, Events, Heard, MINUTE, NOW};
use futures_util::future::join_all;
use hallpass_verify::UserId;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const PATH: &str = "/auth/revocations";

async fn page(app: &App, query: &str) -> Value {
    let request = app.get(&format!("{PATH}{query}")).service();
    let answer = request.send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

fn entries(page: &Value) -> Vec<Value> {
    page["entries"].as_array().unwrap().clone()
}

/// Signs out; returns the session as the feed tells it.
async fn end(browser: &mut Browser<'_>) -> Value {
    let session = browser.session_id().await;
    let csrf = browser.csrf();
    let answer = browser.post("/auth/logout").csrf(&csrf).send().await;
    assert_eq!(answer.status, 204);
    browser.app.sync().await;
    json!(["s", session, NOW.as_seconds()])
}

/// Ends as many sessions as one asks for, without opening them one by one over HTTP.
async fn end_many(app: &App, count: usize) {
    let rules = app.mount.hallpass();
    for _ in 0..count {
        let opened = app.signed_in_by_body(ALICE).await;
        let token = opened["refresh_token"].as_str().unwrap();
        let device = hallpass_core::session::Device::default();
        rules.revoke_token(token, &device).await.unwrap();
    }
    app.sync().await;
}

#[tokio::test]
async fn a_page_tells_what_was_revoked_and_where_to_go_on() {
    let app = App::start().await;
    let empty = page(&app, "").await;
    let expected = json!({ "cursor": "0", "kept_seconds": 920, "more": false, "entries": [] });
    assert_eq!(empty, expected);
    let mut alice = app.signed_up(ALICE).await;
    let first = end(&mut alice).await;
    let told = page(&app, "").await;
    assert_eq!(entries(&told), std::slice::from_ref(&first));
    let cursor = told["cursor"].as_str().unwrap();
    assert!(cursor.len() <= 64);
    let rest = page(&app, &format!("?after={cursor}")).await;
    assert_eq!((entries(&rest), &rest["cursor"]), (vec![], &told["cursor"]));
    alice.sign_in(ALICE).await;
    let second = end(&mut alice).await;
    let rest = page(&app, &format!("?after={cursor}")).await;
    assert_eq!(entries(&rest), std::slice::from_ref(&second));
    assert_eq!(entries(&page(&app, "?after=").await), [first, second]);
}

#[tokio::test]
async fn every_kind_of_what_is_revoked_is_told() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let user = alice.me().await.1;
    let session = alice.session_id().await;
    let csrf = alice.csrf();
    let all = alice.request("DELETE", "/auth/sessions").csrf(&csrf);
    assert_eq!(all.send().await.status, 200);
    let kid = app.mount.hallpass().keys()[0].kid.clone();
    app.mount.hallpass().revoke_key(&kid).await.unwrap();
    let rules = app.mount.hallpass();
    let revoked = hallpass_verify::Revoked::Token("t\"1".into());
    rules.store().revoke(&revoked, NOW).await.unwrap();
    app.sync().await;
    let at = NOW.as_seconds();
    let expected = [
        json!(["s", session, at]),
        json!(["u", user, at]),
        json!(["k", kid, at]),
        json!(["t", "t\"1", at]),
    ];
    assert_eq!(entries(&page(&app, "").await), expected);
    assert!(UserId::parse(&user).is_ok());
    // Once nothing of it can be unexpired it is forgotten, but for keys.
    app.advance(ACCESS_TTL + MINUTE);
    app.sync().await;
    app.mount.hallpass().purge().await.unwrap();
    let kept = page(&app, "").await;
    assert_eq!(entries(&kept), [expected[2].clone()]);
    assert_eq!(kept["cursor"], "4");
    // Whoever starts now hears the same.
    let beside = app.beside().await;
    assert_eq!(entries(&page(&beside, "").await), [expected[2].clone()]);
}

#[tokio::test]
async fn a_long_feed_comes_in_pages_of_a_thousand() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    end_many(&app, 1_003).await;
    let first = page(&app, "").await;
    assert_eq!(
        (entries(&first).len(), &first["more"]),
        (1_000, &json!(true))
    );
    let cursor = first["cursor"].as_str().unwrap();
    let rest = page(&app, &format!("?after={cursor}")).await;
    assert_eq!((entries(&rest).len(), &rest["more"]), (3, &json!(false)));
    let told: std::collections::BTreeSet<_> = [entries(&first), entries(&rest)]
        .concat()
        .iter()
        .map(|entry| entry[1].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told.len(), 1_003);
    // The stream tells as many in events of at most 500.
    let mut stream = app.get(PATH).service().open().await;
    let events = stream.up_to_live().await;
    let lens: Vec<_> = events[1..events.len() - 1]
        .iter()
        .map(|event| event.entries().len())
        .collect();
    assert_eq!(lens, [500, 500, 3]);
    assert_eq!(events[3].id(), rest["cursor"].as_str());
}

#[tokio::test]
async fn a_cursor_from_the_future_or_from_nowhere_begins_anew() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let first = end(&mut alice).await;
    for cursor in [
        "2",
        "99",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "x",
        "%00",
        "1%20",
        "0x1",
        &"9".repeat(65),
    ] {
        let told = page(&app, &format!("?after={cursor}")).await;
        assert_eq!(entries(&told), std::slice::from_ref(&first), "{cursor}");
        assert_eq!(told["cursor"], "1");
        let mut stream = app.get(&format!("{PATH}?after={cursor}")).service();
        stream = stream.header("last-event-id", "99");
        let events = stream.open().await.up_to_live().await;
        assert_eq!(events[0].id(), Some("0"), "{cursor}");
        assert_eq!(
            events[1].entries(),
            std::slice::from_ref(&first),
            "{cursor}"
        );
    }
}

#[tokio::test]
async fn a_cursor_of_a_process_that_knows_more_is_waited_for() {
    let one = App::start().await;
    let two = one.beside().await;
    let mut alice = one.signed_up(ALICE).await;
    end(&mut alice).await;
    let cursor = page(&one, "").await["cursor"].as_str().unwrap().to_owned();
    assert_eq!(two.mount.hallpass().feed().latest().0, 0);
    let told = page(&two, &format!("?after={cursor}")).await;
    assert_eq!(
        (entries(&told), told["cursor"].as_str()),
        (vec![], Some(&*cursor))
    );
}

#[tokio::test]
async fn a_stream_says_hello_tells_what_was_missed_and_goes_on_live() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let missed = end(&mut alice).await;
    let mut stream = app.get(PATH).service().open().await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(stream.headers[name], value);
    }
    let events = stream.up_to_live().await;
    let named = |name: &str, id: Option<&str>, data: Value| Heard::Named {
        name: name.into(),
        id: id.map(str::to_owned),
        data,
    };
    let hello = json!({ "kept_seconds": 920, "heartbeat_seconds": 5 });
    let expected = [
        named("hello", Some("0"), hello),
        named("revoked", Some("1"), json!([missed])),
        named("live", None, json!({})),
    ];
    assert_eq!(events, expected);
    alice.sign_in(ALICE).await;
    let ended = end(&mut alice).await;
    let event = stream.next().await.unwrap();
    assert_eq!(event, named("revoked", Some("2"), json!([ended])));
}

#[tokio::test]
async fn a_stream_that_broke_goes_on_where_it_was() {
    let one = App::start().await;
    let two = one.beside().await;
    let mut alice = one.signed_up(ALICE).await;
    let mut stream = one.get(PATH).service().open().await;
    stream.up_to_live().await;
    end(&mut alice).await;
    let event = stream.next().await.unwrap();
    let cursor = event.id().unwrap().to_owned();
    drop(stream);
    let mut missed = Vec::new();
    for _ in 0..3 {
        alice.sign_in(ALICE).await;
        missed.push(end(&mut alice).await);
    }
    // At any process, by the header that browsers send or in the address.
    two.sync().await;
    for app in [&one, &two] {
        let by_header = app.get(PATH).service().header("last-event-id", &cursor);
        let by_query = app.get(&format!("{PATH}?after={cursor}")).service();
        for request in [by_header, by_query] {
            let events = request.open().await.up_to_live().await;
            assert_eq!(events[0].id(), Some(cursor.as_str()));
            let told: Vec<_> = events[1..events.len() - 1]
                .iter()
                .flat_map(Heard::entries)
                .collect();
            assert_eq!(told, missed);
        }
    }
    // The header is newer than the address that the stream was opened with.
    let both = app_at(&one, "?after=0").header("last-event-id", "4");
    let events = both.open().await.up_to_live().await;
    assert_eq!((events.len(), events[0].id()), (2, Some("4")));
}

fn app_at<'a>(app: &'a App, query: &str) -> crate::common::Req<'a> {
    app.get(&format!("{PATH}{query}")).service()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_streams_learn_of_one_end() {
    let one = App::start().await;
    let two = one.beside().await;
    one.mount.spawn_jobs();
    two.mount.spawn_jobs();
    let mut alice = one.signed_up(ALICE).await;
    let mut streams = Vec::new();
    for at in 0..100 {
        let app = if at % 2 == 0 { &one } else { &two };
        let mut stream = app.get(PATH).service().open().await;
        stream.up_to_live().await;
        streams.push(stream);
    }
    let session = alice.session_id().await;
    let csrf = alice.csrf();
    let began = Instant::now();
    alice.post("/auth/logout").csrf(&csrf).send().await;
    let told = join_all(streams.iter_mut().map(Events::next)).await;
    for event in told {
        assert_eq!(event.unwrap().entries()[0][1], session);
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_process_that_revokes_tells_its_streams_at_once() {
    let app = App::start().await;
    app.mount.spawn_jobs();
    let mut alice = app.signed_up(ALICE).await;
    let mut stream = app.get(PATH).service().open().await;
    stream.up_to_live().await;
    let csrf = alice.csrf();
    // The pause after a look is over.
    tokio::time::sleep(Duration::from_millis(130)).await;
    let began = Instant::now();
    alice.post("/auth/logout").csrf(&csrf).send().await;
    assert_eq!(stream.next().await.unwrap().name(), "revoked");
    let took = began.elapsed();
    assert!(took <= Duration::from_millis(50), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_revoked_together_is_told_together() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut others = Vec::new();
    // Beforehand: while a password is hashed the paused clock runs on.
    for _ in 0..5 {
        others.push(app.signed_in(ALICE).await);
    }
    let mut stream = app.get(PATH).service().open().await;
    stream.up_to_live().await;
    end(&mut alice).await;
    stream.next().await.unwrap();
    // More comes while the pause after an event goes on.
    let began = Instant::now();
    let ending = async {
        for other in &mut others {
            end(other).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let told = async { (stream.next().await.unwrap(), began.elapsed()) };
    let (event, took) = tokio::join!(biased; told, ending).0;
    assert_eq!(event.entries().len(), 5);
    assert!(took <= Duration::from_millis(21), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_says_that_it_is_there() {
    let app = App::start().await;
    let mut stream = app.get(PATH).service().open().await;
    stream.up_to_live().await;
    for _ in 0..100 {
        let began = Instant::now();
        assert_eq!(stream.next().await, Some(Heard::Heartbeat));
        assert_eq!(began.elapsed().as_secs(), 5);
    }
}

#[tokio::test]
async fn ds_01_there_is_a_limit_to_streams_and_it_is_given_back() {
    let app = App::start().await;
    let mut open = Vec::new();
    for _ in 0..1_000 {
        open.push(app.get(PATH).service().open().await);
    }
    let one_more = || {
        app.get(PATH)
            .service()
            .header("accept", "text/event-stream")
    };
    let answer = one_more().send().await.expect(503, "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    // Pages are there all the same, and nobody else is held up.
    page(&app, "").await;
    app.signed_up(BOB).await;
    open.pop();
    open.push(one_more().open().await);
    open.clear();
    let mut streams = join_all((0..1_000).map(|_| one_more().open())).await;
    assert_eq!(streams[999].up_to_live().await.len(), 2);
}
