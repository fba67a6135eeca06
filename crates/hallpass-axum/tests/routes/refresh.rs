//! Refreshing: rotation, replay, reuse, and no sign-out by accident.

use crate::common::{
    ACCESS, ACCESS_TTL, ALICE, Answer, App, Browser, CSRF, DAY, GRACE, IDLE, MINUTE, REFRESH,
    SECOND, short_of,
};
use hallpass_core::audit::EventKind;
use hallpass_core::session::Device;
use serde_json::json;

pub(super) const ALL: [&str; 3] = [ACCESS, REFRESH, CSRF];

/// Sends the refresh token that a browser held, whatever it holds now.
pub(super) async fn refresh_as(held: &Browser<'_>) -> Answer {
    refresh_with_key(held, None).await
}

pub(super) async fn refresh_with_key(held: &Browser<'_>, key: Option<&str>) -> Answer {
    let mut held = held.clone();
    let csrf = held.csrf();
    let mut request = held.post("/auth/refresh").csrf(&csrf);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.send().await
}

pub(super) fn refresh_cookie(answer: &Answer) -> String {
    let cookies = answer.cookies();
    let cookie = cookies.iter().find(|cookie| cookie.name == REFRESH);
    cookie.unwrap().value.clone()
}

#[tokio::test]
async fn rf_01_a_refresh_gives_new_tokens_and_uses_the_old_one_up() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let before = alice.clone();
    let answer = alice.refresh().await;
    assert_ne!(alice.refresh_token(), before.refresh_token());
    assert_ne!(alice.access(), before.access());
    assert_eq!(answer["expires_in"], ACCESS_TTL.as_secs());
    assert_eq!(alice.me().await.0, 200);
    app.advance(GRACE);
    let reused = refresh_as(&before).await;
    reused.expect(401, "refresh_reused");
}

#[tokio::test]
async fn rf_02_a_used_token_that_comes_back_after_the_grace_period_ends_its_session_alone() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut elsewhere = app.signed_in(ALICE).await;
    let session = alice.session_id().await;
    let used = alice.clone();
    alice.refresh().await;
    app.advance(GRACE + SECOND);
    let mut thief = used.clone();
    let csrf = thief.csrf();
    let request = thief.post("/auth/refresh").csrf(&csrf).from(66);
    let answer = request.header("user-agent", "Thief/1").send().await;
    let answer = answer.expect(401, "refresh_reused");
    assert_eq!(answer.cleared(), ALL);
    let answer = refresh_as(&alice).await.expect(401, "session_ended");
    assert_eq!(answer.cleared(), ALL);
    assert_eq!(alice.me().await, (401, "session_ended".into()));
    let list = elsewhere.get("/auth/sessions").send().await.json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    elsewhere.refresh().await;
    let events = app.audit.of(EventKind::RefreshReused);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].session.unwrap().to_string(), session);
    let device = Device {
        ip: Some("192.0.2.66".parse().unwrap()),
        user_agent: Some("Thief/1".into()),
    };
    assert_eq!(events[0].device, device);
}

#[tokio::test]
async fn rf_03_a_thief_who_is_first_loses_the_session_with_the_victim() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let mut thief = alice.clone();
    thief.refresh().await;
    app.advance(GRACE + SECOND);
    refresh_as(&alice).await.expect(401, "refresh_reused");
    refresh_as(&thief).await.expect(401, "session_ended");
    assert_eq!(thief.me().await, (401, "session_ended".into()));
}

#[tokio::test]
async fn rf_05_two_parallel_refreshes_both_work_and_clear_nothing() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let (one, two) = tokio::join!(refresh_as(&alice), refresh_as(&alice));
    for answer in [&one, &two] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.cleared(), [""; 0]);
        let cookies = answer.cookies();
        let access = cookies.iter().find(|cookie| cookie.name == ACCESS);
        let request = app.get("/auth/me").cookie(ACCESS, &access.unwrap().value);
        assert_eq!(request.send().await.status, 200);
    }
    assert_eq!(refresh_cookie(&one), refresh_cookie(&two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rf_06_twenty_parallel_refreshes_leave_one_live_successor() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    for round in 0..5 {
        let request = |token: String, csrf: String| {
            let router = app.router.clone();
            let request = http::Request::post("/auth/refresh")
                .header("cookie", format!("{REFRESH}={token}"))
                .header("x-csrf-token", csrf)
                .body(axum::body::Body::empty())
                .unwrap();
            tokio::spawn(tower::ServiceExt::oneshot(router, request))
        };
        let tasks: Vec<_> = (0..20)
            .map(|_| request(alice.refresh_token(), alice.csrf()))
            .collect();
        let mut successors = Vec::new();
        for task in tasks {
            let response = task.await.unwrap().unwrap();
            assert_eq!(response.status(), 200, "round {round}");
            let lines = response.headers().get_all("set-cookie").iter();
            let line = lines
                .map(|line| line.to_str().unwrap().to_owned())
                .find(|line| line.starts_with(REFRESH));
            successors.push(line.unwrap());
        }
        successors.dedup();
        assert_eq!(successors.len(), 1, "round {round}");
        alice.refresh().await;
        app.advance(MINUTE);
    }
    assert_eq!(app.audit.of(EventKind::RefreshReused).len(), 0);
    // Every round made one step, and the browser's own replay none: then its next was a step.
    let id = hallpass_verify::SessionId::parse(&alice.session_id().await).unwrap();
    let row = app.mount.hallpass().store().session(&id).await.unwrap();
    assert_eq!(row.unwrap().generation, 5);
}

#[tokio::test]
async fn rf_11_a_refresh_just_before_the_end_extends_nothing() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let end = "2027-04-15T08:00:00Z";
    for _ in 0..3 {
        app.advance(short_of(short_of(30 * DAY)));
        alice.refresh().await;
    }
    // Six seconds are left of ninety days.
    let held = alice.clone();
    app.advance(SECOND);
    let answer = alice.refresh().await;
    assert_eq!(answer["session"]["expires_at"], end);
    assert_eq!(answer["expires_in"], 5);
    let kept = alice.jar.0.iter();
    assert!(
        kept.into_iter()
            .all(|one| one.cookie.max_age_seconds == Some(5))
    );
    // A replay is no way around it.
    app.advance(SECOND);
    let replay = refresh_as(&held).await;
    assert_eq!(replay.json()["session"]["expires_at"], end);
    app.advance(4 * SECOND);
    let mut late = held.clone();
    late.jar.forget_expiry();
    refresh_as(&late).await.expect(401, "session_ended");
}

#[tokio::test]
async fn rf_12_a_session_ends_at_its_absolute_lifetime_however_active() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    for _ in 0..6 {
        app.advance(short_of(15 * DAY));
        let answer = alice.refresh().await;
        assert!(answer["session"]["expires_at"].as_str().unwrap() <= "2027-04-15T08:00:00Z");
    }
    app.advance(6 * SECOND);
    let mut late = alice.clone();
    late.jar.forget_expiry();
    let answer = refresh_as(&late).await.expect(401, "session_ended");
    assert_eq!(answer.cleared(), ALL);
}

#[tokio::test]
async fn rf_13_a_session_ends_when_it_is_not_used() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    app.advance(short_of(IDLE));
    alice.refresh().await;
    app.advance(IDLE);
    let mut late = alice.clone();
    late.jar.forget_expiry();
    refresh_as(&late).await.expect(401, "session_ended");
}

#[tokio::test]
async fn rf_14_signing_out_ends_the_whole_chain_within_the_grace_period_too() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let first = alice.clone();
    alice.refresh().await;
    let second = alice.clone();
    let csrf = alice.csrf();
    let answer = alice.post("/auth/logout").csrf(&csrf).send().await;
    assert_eq!(answer.status, 204);
    for mut held in [first, second] {
        let answer = refresh_as(&held).await.expect(401, "session_ended");
        assert_eq!(answer.cleared(), ALL);
        assert_eq!(held.me().await, (401, "session_ended".into()));
    }
    // That was no theft.
    assert_eq!(app.audit.of(EventKind::RefreshReused).len(), 0);
}

#[tokio::test]
async fn rf_22_a_refresh_token_is_good_where_it_was_put_and_nowhere_else() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let body = json!({ "refresh_token": alice.refresh_token() });
    let answer = app.post("/auth/refresh").json(&body).send().await;
    let answer = answer.expect(401, "token_invalid");
    assert_eq!(answer.cookies(), []);
    let logout = app.post("/auth/logout").json(&body).send().await;
    logout.expect(401, "token_invalid");
    // And the other way round.
    let tokens = app.signed_in_by_body(ALICE).await;
    let in_body = tokens["refresh_token"].as_str().unwrap();
    let request = app.post("/auth/refresh").cookie(REFRESH, in_body);
    let answer = request.csrf(&alice.csrf()).send().await;
    answer.expect(401, "token_invalid");
    // The body is the one location when there is something in it.
    let mut browser = alice.clone();
    let both = browser
        .post("/auth/refresh")
        .json(&json!({ "refresh_token": "junk" }));
    both.csrf(&alice.csrf())
        .send()
        .await
        .expect(401, "token_invalid");
    let body = json!({ "refresh_token": in_body });
    let answer = browser.post("/auth/refresh").json(&body).send().await;
    assert_eq!((answer.status, answer.cookies().len()), (200, 0));
    assert!(answer.json()["refresh_token"].is_string());
}

#[tokio::test]
async fn a_session_is_refreshed_by_the_way_it_was_opened() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    for (delivery, cookies, access_in_body, refresh_in_body) in [
        ("cookie", 3, false, false),
        ("split", 2, true, false),
        ("body", 0, true, true),
    ] {
        let mut browser = Browser::new(&app);
        let body =
            json!({ "email": ALICE, "password": crate::common::PASSWORD, "delivery": delivery });
        let opened = browser.post("/auth/login").json(&body).send().await;
        let opened = opened.json();
        // Asking for another delivery now changes nothing.
        let mut ask = json!({ "delivery": "body" });
        if let Some(token) = opened.get("refresh_token") {
            ask["refresh_token"] = token.clone();
        }
        let csrf = browser.csrf();
        let request = browser.post("/auth/refresh").json(&ask);
        let answer = request.header("x-csrf-token", &csrf).send().await;
        let set = answer
            .cookies()
            .iter()
            .filter(|cookie| !cookie.clears())
            .count();
        let body = answer.json();
        assert_eq!(set, cookies, "{delivery}");
        assert_eq!(
            body.get("access_token").is_some(),
            access_in_body,
            "{delivery}"
        );
        assert_eq!(
            body.get("refresh_token").is_some(),
            refresh_in_body,
            "{delivery}"
        );
    }
}

#[tokio::test]
async fn rf_24_no_refresh_answer_may_be_stored() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let good = alice.post("/auth/refresh").csrf(&csrf).send().await;
    let none = app.post("/auth/refresh").send().await;
    let junk = app
        .post("/auth/refresh")
        .cookie(REFRESH, "junk")
        .send()
        .await;
    for (answer, status) in [(good, 200), (none, 401), (junk, 401)] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}
