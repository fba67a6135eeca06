//! Keys that come and go, seen over HTTP by two processes on one store.

use super::tokens::{decoded, encoded, rebuilt};
use crate::common::{ALICE, App, BOB, Browser, MINUTE, SECOND, short_of};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::Instant;

const ANNOUNCE: Duration = Duration::from_hours(1);
/// As long as anything may be unexpired that a key signed: the lifetime of an access token, and
/// twice the leeway.
const KEPT_FOR: Duration = Duration::from_secs(920);

fn kid(token: &str) -> String {
    let header = decoded(token.split('.').next().unwrap());
    header["kid"].as_str().unwrap().to_owned()
}

async fn published(app: &App) -> Vec<String> {
    let document = app.get("/.well-known/jwks.json").send().await.json();
    let keys = document["keys"].as_array().unwrap();
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    keys.iter().map(kid).collect()
}

async fn status(app: &App, token: &str) -> (u16, String) {
    let answer = app.get("/me2").bearer(token).send().await;
    let ours = app.get("/auth/me").bearer(token).send().await;
    // /me2 is open to everybody and answers for itself; both see the same caller.
    assert_eq!(answer.status, ours.status);
    (ours.status, ours.code())
}

/// What a browser's jar holds, at another process.
fn at<'a>(app: &'a App, browser: &Browser<'_>) -> Browser<'a> {
    let jar = browser.jar.clone();
    Browser { app, jar }
}

#[tokio::test]
async fn jk_03_a_rotation_refuses_no_token_at_any_process() {
    let one = App::start().await;
    let two = one.beside().await;
    let mut alice = one.signed_up(ALICE).await;
    let first = kid(&alice.access());
    let next = one.mount.hallpass().rotate_key().await.unwrap().kid;
    two.sync().await;
    // Announced before it signs, by both.
    for app in [&one, &two] {
        assert_eq!(published(app).await, [first.clone(), next.clone()]);
    }
    one.advance(short_of(ANNOUNCE));
    two.sync().await;
    let mut at_two = at(&two, &alice);
    at_two.refresh().await;
    let before = at_two.access();
    assert_eq!(kid(&before), first);
    one.advance(SECOND);
    // Nobody switched anything: it is time.
    alice = at(&one, &at_two);
    alice.refresh().await;
    let after = alice.access();
    assert_eq!(kid(&after), next);
    for app in [&one, &two] {
        app.sync().await;
        for token in [&before, &after] {
            assert_eq!(status(app, token).await.0, 200);
        }
    }
    // The one before is published as long as something that it signed may be unexpired.
    one.advance(short_of(KEPT_FOR));
    for app in [&one, &two] {
        app.mount.hallpass().keep_keys().await.unwrap();
        app.sync().await;
        assert!(published(app).await.contains(&first));
    }
    one.advance(2 * SECOND);
    for app in [&one, &two] {
        app.mount.hallpass().keep_keys().await.unwrap();
        app.sync().await;
        assert_eq!(published(app).await, std::slice::from_ref(&next));
        let (status, code) = status(app, &before).await;
        assert_eq!(status, 401, "{code}");
    }
}

#[tokio::test]
async fn jk_04_a_revoked_key_is_refused_by_every_process_that_has_heard_of_it() {
    let one = App::start().await;
    let two = one.beside().await;
    let alice = one.signed_up(ALICE).await;
    let stolen = alice.access();
    let first = kid(&stolen);
    assert_eq!(status(&two, &stolen).await.0, 200);
    one.mount.hallpass().revoke_key(&first).await.unwrap();
    assert_eq!(status(&one, &stolen).await, (401, "token_invalid".into()));
    assert!(!published(&one).await.contains(&first));
    two.sync().await;
    assert_eq!(status(&two, &stolen).await, (401, "token_invalid".into()));
    assert_eq!(published(&two).await, published(&one).await);
    // Nobody is signed out: the next refresh gives a token of another key.
    let mut alice = at(&two, &alice);
    alice.refresh().await;
    assert_ne!(kid(&alice.access()), first);
    for app in [&one, &two] {
        assert_eq!(status(app, &alice.access()).await.0, 200);
    }
    // A restart brings it back as little.
    let three = one.beside().await;
    assert_eq!(status(&three, &stolen).await.0, 401);
}

#[tokio::test]
async fn a_key_that_another_process_put_in_force_a_moment_ago_is_known() {
    let one = App::start().await;
    let two = one.beside().await;
    one.add_user(ALICE, &[]).await;
    let first = kid(&one.signed_in(ALICE).await.access());
    one.mount.hallpass().revoke_key(&first).await.unwrap();
    let alice = one.signed_in(ALICE).await;
    assert_ne!(kid(&alice.access()), first);
    // No look into the store came between: by the layer, by our routes, and by what services ask.
    let mut at_two = at(&two, &alice);
    assert_eq!(at_two.get("/me2").send().await.status, 200);
    let me = at_two.get("/me2").send().await.json();
    assert_ne!(me["user"], serde_json::Value::Null);
    let three = one.beside().await;
    let second = kid(&alice.access());
    one.mount.hallpass().revoke_key(&second).await.unwrap();
    let bob = one.signed_up(BOB).await;
    assert_eq!(at(&three, &bob).me().await.0, 200);
    let four = two;
    let request = four.post("/auth/introspect").service();
    let answer = request.form(&[("token", &bob.access())]).send().await;
    assert_eq!(answer.json()["active"], true);
}

/// JK-05 at the issuer: its own gate asks the store no more often, whatever is made up.
#[tokio::test(start_paused = true)]
async fn jk_05_a_thousand_made_up_keys_wait_for_one_look_into_the_store() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let made_up = |number: usize| {
        rebuilt(&alice, |[header, _, _]| {
            let mut changed = decoded(header);
            changed["kid"] = format!("made-up-{number}").into();
            *header = encoded(&changed);
        })
    };
    let tokens: Vec<_> = (0..1_000).map(made_up).collect();
    // The first look is at once, and the next ones are a while apart.
    let began = Instant::now();
    for token in &tokens[..11] {
        let answer = app.get("/auth/me").bearer(token).send().await;
        answer.expect(401, "token_invalid");
    }
    assert!(began.elapsed() >= Duration::from_secs(1));
    let began = Instant::now();
    let asked = tokens
        .iter()
        .map(|token| app.get("/auth/me").bearer(token).send());
    for answer in join_all(asked).await {
        answer.expect(401, "token_invalid");
    }
    // One look is waited for by all; another one is for those who came while it was going on.
    let took = began.elapsed();
    assert!(took <= Duration::from_millis(210), "{took:?}");
    assert_eq!(status(&app, &alice).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn what_one_process_did_is_known_to_the_others_within_a_second() {
    let one = App::start().await;
    let two = one.beside().await;
    one.mount.spawn_jobs();
    two.mount.spawn_jobs();
    let mut alice = one.signed_up(ALICE).await;
    let token = alice.access();
    assert_eq!(status(&two, &token).await.0, 200);
    let csrf = alice.csrf();
    alice.post("/auth/logout").csrf(&csrf).send().await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(status(&two, &token).await, (401, "session_ended".into()));
    // A key is announced when it is due, by whichever process comes first.
    let rotation = one.mount.hallpass().settings().keys.rotate_every;
    one.advance(rotation.saturating_sub(ANNOUNCE) + MINUTE);
    tokio::time::sleep(11 * SECOND).await;
    let keys = published(&one).await;
    assert_eq!(keys.len(), 2);
    assert_eq!(published(&two).await, keys);
}
