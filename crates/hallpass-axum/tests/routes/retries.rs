//! Refreshes that are repeated: replay within the grace period, and idempotency keys.

use super::refresh::{ALL, refresh_as, refresh_cookie, refresh_with_key};
use crate::common::{ALICE, App, DAY, GRACE, MINUTE, REFRESH, SECOND, short_of};
use hallpass_core::audit::EventKind;

const KEY: &str = "attempt-00000001";

#[tokio::test]
async fn rf_04_the_chain_never_forks_within_the_grace_period() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let used = alice.clone();
    alice.refresh().await;
    for _ in 0..5 {
        app.advance(SECOND);
        let again = refresh_as(&used).await;
        assert_eq!(refresh_cookie(&again), alice.refresh_token());
    }
    // Two steps behind is behind, however short ago.
    alice.refresh().await;
    refresh_as(&used).await.expect(401, "refresh_reused");
}

#[tokio::test]
async fn a_lost_race_clears_nothing_and_only_a_real_end_clears() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let slow_tab = alice.clone();
    alice.refresh().await;
    app.advance(short_of(GRACE));
    let answer = refresh_as(&slow_tab).await;
    assert_eq!((answer.status, answer.cleared().len()), (200, 0));
    // What is refused for another reason clears nothing either.
    let mut tab = alice.clone();
    let answer = tab.post("/auth/refresh").send().await;
    assert_eq!(answer.expect(403, "csrf_missing").cookies(), []);
    let junk = app.post("/auth/refresh").cookie(REFRESH, "junk");
    assert_eq!(junk.send().await.expect(401, "token_invalid").cookies(), []);
    app.advance(SECOND);
    let answer = refresh_as(&slow_tab).await.expect(401, "refresh_reused");
    assert_eq!(answer.cleared(), ALL);
}

#[tokio::test]
async fn rf_07_a_lost_answer_is_given_again() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let lost = refresh_as(&alice).await;
    app.advance(SECOND);
    alice.refresh().await;
    assert_eq!(alice.refresh_token(), refresh_cookie(&lost));
    // Whoever names the attempt may come back much later.
    let before = alice.clone();
    let lost = refresh_with_key(&before, Some(KEY)).await;
    assert_eq!(lost.status, 200);
    app.advance(DAY);
    let again = refresh_with_key(&before, Some(KEY)).await;
    assert_eq!(refresh_cookie(&again), refresh_cookie(&lost));
}

#[tokio::test]
async fn another_idempotency_key_after_the_grace_period_is_reuse() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    assert_eq!(refresh_with_key(&alice, Some(KEY)).await.status, 200);
    app.advance(GRACE);
    let same = refresh_with_key(&alice, Some(KEY)).await;
    assert_eq!(same.status, 200);
    let other = refresh_with_key(&alice, Some("attempt-00000002")).await;
    other.expect(401, "refresh_reused");
    // And the key of the rotation does not open an ended session again.
    let same = refresh_with_key(&alice, Some(KEY)).await;
    same.expect(401, "session_ended");
}

#[tokio::test]
async fn a_key_is_good_for_the_last_rotation_alone() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let first = alice.clone();
    let answer = refresh_with_key(&alice, Some(KEY)).await;
    assert_eq!(answer.status, 200);
    alice.refresh().await;
    alice.refresh().await;
    let answer = refresh_with_key(&first, Some(KEY)).await;
    answer.expect(401, "refresh_reused");
}

#[tokio::test]
async fn an_idempotency_key_has_16_to_128_visible_characters_on_one_line() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let long = "k".repeat(129);
    for wrong in [
        &b"123456789012345"[..],
        long.as_bytes(),
        b"",
        b"attempt 00000001",
        b"attempt-\x80-0000001",
        "attempt-\u{e9}-0000001".as_bytes(),
    ] {
        let request = alice.post("/auth/refresh").csrf(&csrf);
        let answer = request.raw_header("idempotency-key", wrong).send().await;
        let answer = answer.expect(422, "validation_failed");
        assert_eq!(answer.json()["errors"][0]["field"], "Idempotency-Key");
        assert_eq!(answer.cookies(), []);
    }
    let request = alice.post("/auth/refresh").csrf(&csrf);
    let twice = request
        .header("idempotency-key", KEY)
        .header("idempotency-key", KEY);
    twice.send().await.expect(422, "validation_failed");
    // None of these was an attempt.
    for good in ["1234567890123456", &long[1..]] {
        let answer = refresh_with_key(&alice, Some(good)).await;
        assert_eq!(answer.status, 200);
        alice.refresh().await;
        app.advance(MINUTE);
    }
    assert_eq!(app.audit.of(EventKind::RefreshReused).len(), 0);
}

#[tokio::test]
async fn a_replay_slides_no_lifetime() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let held = alice.clone();
    let first = alice.refresh().await;
    app.advance(short_of(GRACE));
    let replay = refresh_as(&held).await.json();
    assert_eq!(replay["session"], first["session"]);
}
