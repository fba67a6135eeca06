//! Sessions: listing them, ending them, and what a new one does to an old one.

use crate::common::{ACCESS, ALICE, App, BOB, Browser, CSRF, REFRESH, SECOND, credentials};
use hallpass_core::audit::EventKind;
use std::time::Duration;

fn ended() -> (u16, String) {
    (401, "session_ended".into())
}

#[tokio::test]
async fn se_01_a_user_sees_their_sessions_and_no_token_material() {
    let app = App::start().await;
    let mut first = app.signed_up(ALICE).await;
    app.advance(SECOND);
    let mut second = Browser::new(&app);
    let login = second.post("/auth/login").json(&credentials(ALICE));
    login.header("user-agent", "Fox/1").from(2).send().await;
    let list = second.get("/auth/sessions").send().await;
    let sessions = list.json()["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    let current: Vec<_> = sessions
        .iter()
        .map(|one| one["current"].as_bool())
        .collect();
    assert_eq!(current, [Some(true), Some(false)]);
    assert_eq!(sessions[0]["user_agent"], "Fox/1");
    assert_eq!(sessions[0]["ip"], "192.0.2.2");
    assert_eq!(sessions[0]["created_at"], "2027-01-15T08:00:01Z");
    assert_eq!(sessions[0]["last_used_at"], "2027-01-15T08:00:01Z");
    assert_eq!(sessions[1]["ip"], "192.0.2.1");
    let text = list.text();
    for browser in [&first, &second] {
        for secret in [browser.access(), browser.refresh_token(), browser.csrf()] {
            assert!(!text.contains(&secret));
        }
    }
    let mut members: Vec<_> = sessions[0].as_object().unwrap().keys().collect();
    members.sort_unstable();
    let expected = [
        "created_at",
        "current",
        "delivery",
        "expires_at",
        "id",
        "ip",
        "last_used_at",
        "user_agent",
    ];
    assert_eq!(members, expected);
    // The other one sees the same two, and itself as the current one.
    let seen = first.get("/auth/sessions").send().await.json();
    assert_eq!(seen["sessions"][1]["current"], true);
}

#[tokio::test]
async fn se_02_the_session_of_someone_else_is_not_found_and_goes_on() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut bob = app.signed_up(BOB).await;
    let of_alice = alice.session_id().await;
    let unknown = "AAAAAAAAAAAAAAAAAAAAAA";
    let csrf = bob.csrf();
    let mut answers = Vec::new();
    for id in [of_alice.as_str(), unknown, "not-an-id"] {
        let path = format!("/auth/sessions/{id}");
        let answer = bob.request("DELETE", &path).csrf(&csrf).send().await;
        let answer = answer.expect(404, "not_found");
        answers.push((answer.headers.clone(), answer.text()));
    }
    // Nobody can tell a session of someone else's from none.
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(alice.me().await.0, 200);
    alice.refresh().await;
}

#[tokio::test]
async fn se_03_a_session_ended_from_elsewhere_is_refused_at_once() {
    let app = App::start().await;
    let mut here = app.signed_up(ALICE).await;
    let mut there = app.signed_in(ALICE).await;
    let id = there.session_id().await;
    let csrf = here.csrf();
    let path = format!("/auth/sessions/{id}");
    let answer = here.request("DELETE", &path).csrf(&csrf).send().await;
    assert_eq!((answer.status, answer.cookies().len()), (204, 0));
    assert_eq!(there.me().await, ended());
    let csrf = there.csrf();
    let answer = there.post("/auth/refresh").csrf(&csrf).send().await;
    let answer = answer.expect(401, "session_ended");
    assert_eq!(answer.cleared(), [ACCESS, REFRESH, CSRF]);
    assert_eq!(here.me().await.0, 200);
    assert_eq!(app.audit.of(EventKind::SessionRevoked).len(), 1);
    // It is gone, so it cannot be found a second time.
    let csrf = here.csrf();
    let again = here.request("DELETE", &path).csrf(&csrf).send().await;
    again.expect(404, "not_found");
}

#[tokio::test]
async fn ending_the_own_session_by_its_id_clears_its_cookies() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let path = format!("/auth/sessions/{}", alice.session_id().await);
    let csrf = alice.csrf();
    let answer = alice.request("DELETE", &path).csrf(&csrf).send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.cleared(), [ACCESS, REFRESH, CSRF]);
    assert_eq!(alice.jar.names(), [""; 0]);
}

#[tokio::test]
async fn se_04_signing_out_everywhere_ends_every_session() {
    let app = App::start().await;
    let mut browsers = vec![app.signed_up(ALICE).await];
    for _ in 0..3 {
        browsers.push(app.signed_in(ALICE).await);
    }
    let mut bob = app.signed_up(BOB).await;
    let by_body = app.signed_in_by_body(ALICE).await;
    let csrf = browsers[0].csrf();
    let everywhere = browsers[0].request("DELETE", "/auth/sessions").csrf(&csrf);
    let answer = everywhere.send().await;
    assert_eq!((answer.status, &answer.json()["ended"]), (200, &5.into()));
    assert_eq!(answer.cleared(), [ACCESS, REFRESH, CSRF]);
    for browser in &mut browsers[1..] {
        assert_eq!(browser.me().await, ended());
        let csrf = browser.csrf();
        let answer = browser.post("/auth/refresh").csrf(&csrf).send().await;
        answer.expect(401, "session_ended");
    }
    let bearer = by_body["access_token"].as_str().unwrap();
    let answer = app.get("/auth/me").bearer(bearer).send().await;
    answer.expect(401, "session_ended");
    assert_eq!(app.audit.of(EventKind::SessionRevoked).len(), 5);
    assert_eq!(bob.me().await.0, 200);
}

#[tokio::test]
async fn signing_out_everywhere_else_keeps_the_current_session() {
    let app = App::start().await;
    let mut here = app.signed_up(ALICE).await;
    let mut there = app.signed_in(ALICE).await;
    let csrf = here.csrf();
    let path = "/auth/sessions?keep=current";
    let answer = here.request("DELETE", path).csrf(&csrf).send().await;
    assert_eq!((answer.status, &answer.json()["ended"]), (200, &1.into()));
    assert_eq!(answer.cookies(), []);
    assert_eq!(here.me().await.0, 200);
    assert_eq!(there.me().await, ended());
    for query in [
        "keep=all",
        "keep=current&keep=current",
        "keep",
        "keep=current&x=1",
    ] {
        let path = format!("/auth/sessions?{query}");
        let answer = here.request("DELETE", &path).csrf(&csrf).send().await;
        answer.expect(422, "validation_failed");
    }
    assert_eq!(here.me().await.0, 200);
}

#[tokio::test]
async fn se_06_signing_in_makes_every_id_anew() {
    let app = App::start().await;
    let mut browser = app.signed_up(ALICE).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(browser.access());
        seen.push(browser.refresh_token());
        seen.push(browser.csrf());
        seen.push(browser.session_id().await);
        browser.sign_in(ALICE).await;
    }
    // A session that somebody planted before is not the one that is opened.
    let planted = Browser::new(&app);
    let mut victim = planted.clone();
    victim.jar = browser.jar.clone();
    let planted_id = victim.session_id().await;
    app.add_user(BOB, &[]).await;
    victim.sign_in(BOB).await;
    seen.push(planted_id);
    seen.push(victim.session_id().await);
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_this_browser_had() {
    let app = App::start().await;
    let mut browser = app.signed_up(ALICE).await;
    let before = browser.clone();
    browser.sign_in(ALICE).await;
    let former = app.get("/auth/me").cookie(ACCESS, &before.access());
    former.send().await.expect(401, "session_ended");
    let list = browser.get("/auth/sessions").send().await.json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(app.audit.of(EventKind::SessionReplaced).len(), 1);
    // As somebody else, too.
    app.add_user(BOB, &[]).await;
    let of_alice = browser.clone();
    browser.sign_in(BOB).await;
    let former = app.get("/auth/me").cookie(ACCESS, &of_alice.access());
    former.send().await.expect(401, "session_ended");
    assert_eq!(app.audit.of(EventKind::SessionReplaced).len(), 2);
}

#[tokio::test]
async fn signing_in_by_body_leaves_the_session_in_the_cookies_alone() {
    let app = App::start().await;
    let mut browser = app.signed_up(ALICE).await;
    let mut body = credentials(ALICE);
    body["delivery"] = "body".into();
    let answer = browser.post("/auth/login").json(&body).send().await;
    assert_eq!((answer.status, answer.cookies().len()), (200, 0));
    assert_eq!(browser.me().await.0, 200);
    browser.refresh().await;
    assert_eq!(app.audit.of(EventKind::SessionReplaced).len(), 0);
}

#[tokio::test]
async fn a_failed_sign_in_leaves_the_session_in_the_cookies_alone() {
    let app = App::start().await;
    let mut browser = app.signed_up(ALICE).await;
    let mut body = credentials(ALICE);
    body["password"] = "another fox".into();
    let answer = browser.post("/auth/login").json(&body).send().await;
    let answer = answer.expect(401, "invalid_credentials");
    assert_eq!(answer.cookies(), []);
    assert_eq!(browser.me().await.0, 200);
}

#[tokio::test]
async fn se_22_signing_out_twice_is_signing_out() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let before = alice.clone();
    let csrf = alice.csrf();
    let answer = alice.post("/auth/logout").csrf(&csrf).send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.cleared(), [ACCESS, REFRESH, CSRF]);
    assert_eq!(alice.jar.names(), [""; 0]);
    // With the cookies that were meant to be deleted, and with none.
    let mut stale = before.clone();
    let answer = stale.post("/auth/logout").csrf(&csrf).send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.cleared(), [ACCESS, REFRESH, CSRF]);
    let answer = alice.post("/auth/logout").send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.cleared(), [ACCESS, REFRESH, CSRF]);
    let answer = app.post("/auth/logout").send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(app.audit.of(EventKind::SignedOut).len(), 1);
    // The access cookie alone does too, and so does a bearer token, twice.
    let tokens = app.signed_in_by_body(ALICE).await;
    let access = tokens["access_token"].as_str().unwrap();
    for _ in 0..2 {
        let answer = app.post("/auth/logout").bearer(access).send().await;
        assert_eq!((answer.status, answer.cookies().len()), (204, 0));
    }
    let refresh = &tokens["refresh_token"];
    for _ in 0..2 {
        let body = serde_json::json!({ "refresh_token": refresh });
        let answer = app.post("/auth/logout").json(&body).send().await;
        assert_eq!((answer.status, answer.cookies().len()), (204, 0));
    }
}

#[tokio::test]
async fn signing_out_needs_no_live_access_token() {
    let app = App::start().await;
    let tokens = {
        app.add_user(ALICE, &[]).await;
        app.signed_in_by_body(ALICE).await
    };
    let access = tokens["access_token"].as_str().unwrap();
    app.advance(Duration::from_hours(1));
    app.get("/auth/me")
        .bearer(access)
        .send()
        .await
        .expect(401, "token_expired");
    let answer = app.post("/auth/logout").bearer(access).send().await;
    assert_eq!((answer.status, answer.cookies().len()), (204, 0));
    let body = serde_json::json!({ "refresh_token": tokens["refresh_token"] });
    let answer = app.post("/auth/refresh").json(&body).send().await;
    answer.expect(401, "session_ended");
    // A forged one signs nobody out.
    let (signed, signature) = access.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let answer = app.post("/auth/logout").bearer(&forged).send().await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn signing_out_a_split_session_by_its_bearer_token_clears_its_cookies() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let mut alice = Browser::new(&app);
    let mut body = credentials(ALICE);
    body["delivery"] = "split".into();
    let answer = alice.post("/auth/login").json(&body).send().await;
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(alice.jar.names(), [CSRF, REFRESH]);
    app.advance(Duration::from_hours(1));
    let answer = alice.post("/auth/logout").bearer(&access).send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(alice.jar.names(), [""; 0]);
}
