//! The issuer is down: at the start, for an hour, for longer.

use super::issuer::{Issuer, JWKS};
use super::{Builder, Stage};
use std::time::Duration;

#[tokio::test]
async fn an_issuer_that_is_down_for_an_hour_makes_no_valid_token_refused() {
    let stage = Stage::new().await;
    stage.issuer.down();
    for _ in 0..120 {
        stage.clock.advance(Duration::from_secs(30));
        assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    }
    stage.until(|status| status.keys.failures > 0).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    stage.issuer.honest();
    stage.issuer.serve(&["k2"]);
    stage.fetch_after(Duration::from_mins(1)).await;
    assert_eq!(stage.verdict(&stage.token("k2")).await, "alice");
}

#[tokio::test]
async fn keys_that_nobody_confirms_count_no_more_after_the_stated_time() {
    let stage = Stage::new().await;
    stage.issuer.down();
    stage.clock.advance(Duration::from_hours(24));
    stage.until(|status| status.keys.failures > 0).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    stage.clock.advance(Duration::from_secs(1));
    stage.until(|status| status.keys.keys == 0).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "unavailable");
    // The same set as before: it is asked for as a whole.
    stage.issuer.honest();
    stage.fetch_after(Duration::from_mins(1)).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
}

#[tokio::test]
async fn a_verifier_that_starts_while_the_issuer_is_down_answers_unavailable_and_recovers() {
    let gone = Issuer::with_keys(&["k1"]).await;
    let stage = Stage::cold(gone, |builder| builder);
    stage.issuer.down();
    stage.remote.ready().await;
    for _ in 0..100 {
        assert_eq!(stage.verdict(&stage.token("k1")).await, "unavailable");
    }
    assert_eq!(stage.issuer.requests(JWKS).len(), 0);
    stage.issuer.honest();
    stage.fetch_after(Duration::from_secs(30)).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
}

#[tokio::test]
async fn a_request_that_comes_before_the_keys_waits_for_them() {
    let stage = Stage::cold(Issuer::with_keys(&["k1"]).await, |builder| builder);
    assert_eq!(stage.remote.status().keys.fetches, 0);
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    assert_eq!(stage.issuer.requests(JWKS).len(), 1);
}

#[tokio::test]
async fn a_request_waits_for_a_slow_issuer_two_seconds_and_not_longer() {
    let issuer = Issuer::with_keys(&["k1"]).await;
    issuer.instead(
        JWKS,
        super::issuer::Reply::Slow(b"HTTP/1.1 200 OK\r\nX: ".to_vec()),
    );
    let stage = Stage::cold(issuer, |mut builder| {
        builder.document_timeout = Duration::from_mins(1);
        builder
    });
    let started = tokio::time::Instant::now();
    assert_eq!(stage.verdict(&stage.token("k1")).await, "unavailable");
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert_eq!(stage.remote.status().keys.fetches, 0);
}

#[tokio::test]
async fn a_restart_while_the_issuer_is_down_works_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let with_file = |builder: Builder| builder.cache_file(&path);
    let stage = Stage::cold(Issuer::with_keys(&["k1"]).await, with_file);
    stage.until(|status| status.keys.fetches == 1).await;
    let Stage { issuer, remote, .. } = stage;
    drop(remote);
    issuer.down();

    let stage = Stage::cold(issuer, with_file);
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    stage.until(|status| status.keys.failures == 1).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    // The age of the file counts.
    stage.clock.advance(Duration::from_secs(86_401));
    stage.until(|status| status.keys.keys == 0).await;
}

#[tokio::test]
async fn a_withdrawn_key_does_not_come_back_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let with_file = |builder: Builder| builder.cache_file(&path);
    let stage = Stage::cold(Issuer::with_keys(&["k1", "k2"]).await, with_file);
    stage.until(|status| status.keys.fetches == 1).await;
    stage.issuer.down();
    stage.remote.verifier().keys().withdraw("k1");
    stage.remote.far.keys.withdrawn();
    let kept = || std::fs::read_to_string(&path).unwrap();
    stage.until(|_| !kept().contains("\"k1\"")).await;
    assert!(kept().contains("\"k2\""));
    let Stage { issuer, remote, .. } = stage;
    drop(remote);

    let stage = Stage::cold(issuer, with_file);
    assert_eq!(stage.verdict(&stage.token("k1")).await, "token_invalid");
    assert_eq!(stage.verdict(&stage.token("k2")).await, "alice");
}

#[tokio::test]
async fn a_broken_file_is_no_reason_not_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, "{ broken").unwrap();
    let stage = Stage::cold(Issuer::with_keys(&["k1"]).await, |builder| {
        builder.cache_file(&path)
    });
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    stage
        .until(|_| std::fs::read_to_string(&path).unwrap().contains("\"k1\""))
        .await;
}
