//! Issuers that do not answer as they should: each leaves the last good set in force.

use super::Stage;
use super::issuer::{Issuer, JWKS, METADATA, Reply, answer, good, jwks};
use serde_json::json;
use std::time::Duration;

const JSON: &str = "Content-Type: application/json\r\n";
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// What can come in place of any document, and the fault it is counted as.
fn hostile(elsewhere: &str) -> Vec<(&'static str, Reply, &'static str)> {
    let text = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
    let endless = |start: &str, more: &str| Reply::Endless(start.into(), more.into());
    let zeros = vec![b' '; 300_000];
    let redirect = |status| answer(status, &format!("Location: {elsewhere}\r\n"), b"");
    let gzip = format!("{JSON}Content-Encoding: gzip\r\n");
    vec![
        ("closes at once", text(""), "unreachable"),
        ("half a status line", text("HTTP/1."), "unreachable"),
        ("not HTTP", text("SSH-2.0-x\r\n\r\n"), "unreachable"),
        (
            "never answers",
            Reply::Slow(b"HTTP/1.1 200 OK\r\nX: ".to_vec()),
            "unreachable",
        ),
        (
            "endless lines",
            endless("HTTP/1.1 200 OK\r\n", "X: y\r\n"),
            "unreachable",
        ),
        (
            "an endless line",
            endless("HTTP/1.1 200 OK\r\nX: ", "yyyyyyyyyyyyyyyy"),
            "unreachable",
        ),
        (
            "endless interim answers",
            endless("", "HTTP/1.1 102 Processing\r\n\r\n"),
            "unreachable",
        ),
        (
            "a slow body",
            Reply::Slow(format!("{HEAD}Content-Length: 999\r\n\r\n{{").into()),
            "broken_off",
        ),
        (
            "truncated",
            text(&format!("{HEAD}Content-Length: 999\r\n\r\n{{\"keys\"")),
            "broken_off",
        ),
        (
            "half a chunk",
            text(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\n{{")),
            "broken_off",
        ),
        ("huge", answer("200 OK", JSON, &zeros), "too_long"),
        (
            "endless chunks",
            endless(
                &format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"),
                &format!("4000\r\n{}\r\n", " ".repeat(0x4000)),
            ),
            "too_long",
        ),
        (
            "endless until the end",
            endless(&format!("{HEAD}\r\n"), "                "),
            "too_long",
        ),
        ("moved", redirect("302 Found"), "redirect"),
        (
            "moved for good",
            redirect("308 Permanent Redirect"),
            "redirect",
        ),
        ("gone", answer("410 Gone", JSON, b"{}"), "status"),
        (
            "broken inside",
            answer("500 Internal Server Error", JSON, b"{}"),
            "status",
        ),
        (
            "no content",
            text("HTTP/1.1 204 No Content\r\n\r\n"),
            "status",
        ),
        (
            "a part",
            answer("206 Partial Content", JSON, b"{}"),
            "status",
        ),
        (
            "a page",
            answer("200 OK", "Content-Type: text/html\r\n", b"<html>"),
            "media_type",
        ),
        ("no type", answer("200 OK", "", b"{}"), "media_type"),
        (
            "compressed",
            answer("200 OK", &gzip, b"\x1f\x8b\x08\x00\x00\x00"),
            "media_type",
        ),
    ]
}

#[tokio::test]
async fn a_hostile_set_of_keys_leaves_the_last_good_one_in_force_and_is_counted() {
    let canary = Issuer::with_keys(&["evil"]).await;
    let elsewhere = format!("{}{JWKS}", canary.url());
    let mut private = jwks(&["k1", "k2"]);
    private["keys"][1]["d"] = "AAAA".into();
    let many = json!({ "keys": vec![json!({}); 101] }).to_string();
    let mut cases = hostile(&elsewhere);
    cases.extend([
        ("no JSON", good("{"), "keys"),
        ("nothing", good(""), "keys"),
        ("no set", good("[]"), "keys"),
        ("no keys", good(r#"{"keys":[]}"#), "keys"),
        ("keys twice", good(r#"{"keys":[],"keys":[]}"#), "keys"),
        ("deep", good(&"[".repeat(100_000)), "keys"),
        ("too many", good(&many), "keys"),
        ("one twice", good(&jwks(&["k2", "k2"]).to_string()), "keys"),
        ("a private key", good(&private.to_string()), "private_key"),
    ]);
    let stage = Stage::new().await;
    let mut failures = 0;
    for (what, reply, fault) in cases {
        stage.issuer.instead(JWKS, reply);
        stage.fetch_after(Duration::from_mins(6)).await;
        failures += 1;
        let status = stage.remote.status().keys;
        assert_eq!(status.fault, Some(fault), "{what}");
        assert_eq!((status.keys, status.failures), (1, failures), "{what}");
        assert_eq!(stage.verdict(&stage.token("k1")).await, "alice", "{what}");
        stage.issuer.honest();
        stage.fetch_after(Duration::from_mins(1)).await;
        assert_eq!(stage.remote.status().keys.fault, None, "after {what}");
    }
    assert_eq!(canary.requests_len(), 0);
}

#[tokio::test]
async fn hostile_metadata_gives_no_keys_and_honest_metadata_does() {
    let canary = Issuer::with_keys(&["evil"]).await;
    let elsewhere = format!("{}{METADATA}", canary.url());
    let mut cases = hostile(&elsewhere);
    cases.extend([
        ("no JSON", good("{"), "metadata"),
        ("no issuer", good("{}"), "metadata"),
        (
            "of another",
            good(r#"{"issuer":"https://evil.test"}"#),
            "other_issuer",
        ),
    ]);
    let issuer = Issuer::with_keys(&["k1"]).await;
    issuer.down();
    let stage = Stage::cold(issuer, |builder| builder);
    stage.until(|status| status.keys.fetches == 1).await;
    for (what, reply, fault) in cases {
        stage.issuer.instead(METADATA, reply);
        stage.fetch_after(Duration::from_mins(1)).await;
        let status = stage.remote.status().keys;
        assert_eq!((status.fault, status.keys), (Some(fault), 0), "{what}");
        assert_eq!(
            stage.verdict(&stage.token("k1")).await,
            "unavailable",
            "{what}"
        );
    }
    stage.issuer.honest();
    stage.fetch_after(Duration::from_mins(1)).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    assert_eq!(canary.requests_len(), 0);
}

#[tokio::test]
async fn jk_14_metadata_of_another_issuer_is_not_used_at_the_start_and_not_later() {
    let issuer = Issuer::with_keys(&["k1"]).await;
    let own = issuer.url();
    issuer.serve_metadata(|metadata| metadata["issuer"] = format!("{own}/").into());
    let stage = Stage::cold(issuer, |builder| builder);
    stage.until(|status| status.keys.fetches == 1).await;
    assert_eq!(stage.remote.status().keys.fault, Some("other_issuer"));
    assert_eq!(stage.issuer.requests(JWKS).len(), 0);
    assert_eq!(stage.verdict(&stage.token("k1")).await, "unavailable");

    stage
        .issuer
        .serve_metadata(|metadata| metadata["issuer"] = own.clone().into());
    stage.fetch_after(Duration::from_mins(1)).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");

    stage
        .issuer
        .serve_metadata(|metadata| metadata["issuer"] = "https://evil.test".into());
    stage.issuer.serve(&["evil"]);
    stage.fetch_after(Duration::from_mins(61)).await;
    assert_eq!(stage.remote.status().keys.fault, Some("other_issuer"));
    assert_eq!(stage.issuer.requests(JWKS).len(), 1);
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
}

#[tokio::test]
async fn an_endpoint_of_keys_on_another_origin_is_not_asked() {
    let canary = Issuer::with_keys(&["evil"]).await;
    let issuer = Issuer::with_keys(&["k1"]).await;
    let foreign = format!("{}{JWKS}", canary.url());
    issuer.serve_metadata(|metadata| metadata["jwks_uri"] = foreign.into());
    let stage = Stage::cold(issuer, |builder| builder);
    stage.until(|status| status.keys.fetches == 1).await;
    assert_eq!(stage.remote.status().keys.fault, Some("foreign_endpoint"));
    assert_eq!(canary.requests_len(), 0);
}

#[tokio::test]
async fn while_the_metadata_cannot_be_read_what_was_known_of_it_is_used() {
    let stage = Stage::new().await;
    stage
        .issuer
        .instead(METADATA, answer("500 Internal Server Error", "", b""));
    stage.issuer.serve(&["k2"]);
    stage.fetch_after(Duration::from_mins(61)).await;
    assert_eq!(stage.issuer.requests(METADATA).len(), 2);
    assert_eq!(stage.verdict(&stage.token("k2")).await, "alice");
}

#[tokio::test]
async fn nothing_has_changed_is_no_answer_when_nothing_is_known() {
    let issuer = Issuer::with_keys(&["k1"]).await;
    issuer.instead(JWKS, answer("304 Not Modified", "", b""));
    let stage = Stage::cold(issuer, |builder| builder);
    stage.until(|status| status.keys.fetches == 1).await;
    assert_eq!(stage.remote.status().keys.fault, Some("nothing_to_keep"));
    assert_eq!(stage.verdict(&stage.token("k1")).await, "unavailable");
}
