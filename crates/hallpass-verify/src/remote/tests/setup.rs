//! Settings, and the end of what goes on in the background.

use super::issuer::Issuer;
use super::{NOW, Stage, header, sign, told};
use crate::remote::{Remote, RemoteFault, ServiceSecret};
use crate::{CookieSettings, Location, WhenStale};
use http::Request;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn refused(builder: crate::remote::Builder) -> RemoteFault {
    builder.start().unwrap_err()
}

#[tokio::test]
async fn a_setting_that_cannot_be_right_is_refused_at_the_start() {
    let at = |issuer: &str| Remote::builder(issuer);
    let good = || at("https://auth.example.test");
    assert!(good().start().is_ok());
    assert!(matches!(
        refused(at("auth.example.test")),
        RemoteFault::Issuer
    ));
    assert!(matches!(
        refused(at("http://auth.example.test")),
        RemoteFault::Insecure
    ));
    assert!(
        at("http://auth.example.test")
            .danger_allow_http()
            .start()
            .is_ok()
    );
    let nameless = good().service("", ServiceSecret::new("hps_x".into()));
    assert!(matches!(refused(nameless), RemoteFault::Service));
    let pem =
        good().trusted_root_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(matches!(
        refused(pem),
        RemoteFault::Certificate | RemoteFault::Client(_)
    ));
    assert!(matches!(
        refused(good().trusted_root_pem(b"no PEM")),
        RemoteFault::Certificate
    ));
    assert!(matches!(
        refused(good().public_url("api.example.test")),
        RemoteFault::Origin(_)
    ));
    assert!(matches!(
        refused(good().trusted_origin("https://*.example.test")),
        RemoteFault::Origin(_)
    ));
    let cookie = CookieSettings {
        domain: Some("example.test".into()),
        ..CookieSettings::new("__Host-x")
    };
    assert!(matches!(
        refused(good().access_cookie(cookie)),
        RemoteFault::Cookie(_)
    ));
    assert!(matches!(
        refused(good().leeway(Duration::from_mins(2))),
        RemoteFault::Settings(_)
    ));
    for when_stale in [WhenStale::Ask, WhenStale::Refuse] {
        assert!(matches!(
            refused(good().when_stale(when_stale)),
            RemoteFault::NoService
        ));
    }
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let fault = Remote::new("https://auth.example.test").unwrap_err();
    assert!(matches!(fault, RemoteFault::NoRuntime));
}

#[tokio::test]
async fn by_default_the_issuer_is_the_audience_and_the_header_the_place_to_look() {
    let remote = Remote::new("https://auth.example.test").unwrap();
    let settings = remote.verifier().settings();
    assert_eq!(
        (settings.issuer.as_str(), settings.audience.as_str()),
        ("https://auth.example.test", "https://auth.example.test")
    );
    let looks: Vec<_> = remote.gate().settings().locations.iter().collect();
    assert_eq!(looks, [Location::Header]);
    let request = Request::builder().header("cookie", "__Secure-hp_access=x");
    assert_eq!(
        told(&remote.admit(&request.body(()).unwrap()).await),
        "anonymous"
    );
    let (parts, ()) = Request::new(()).into_parts();
    assert_eq!(told(&remote.admit(&parts).await), "anonymous");
}

#[tokio::test]
async fn the_name_of_the_cookie_follows_from_the_hosts() {
    for (issuer, public_url, name, own) in [
        (
            "https://app.example.test",
            "https://app.example.test/api",
            "__Host-hp_access",
            "https://app.example.test",
        ),
        (
            "https://app.example.test",
            "https://app.example.test:8443",
            "__Host-hp_access",
            "https://app.example.test:8443",
        ),
        (
            "https://auth.example.test",
            "https://api.example.test",
            "__Secure-hp_access",
            "https://api.example.test",
        ),
        (
            "http://localhost:8080",
            "http://localhost:9090/",
            "hp_access",
            "http://localhost:9090",
        ),
    ] {
        let builder = Remote::builder(issuer).public_url(public_url);
        let remote = builder.trusted_origin("https://spa.test").start().unwrap();
        let settings = remote.gate().settings();
        assert_eq!(settings.access_cookie.name().as_str(), name, "{public_url}");
        assert_eq!(settings.origins.own().as_str(), own);
        assert_eq!(settings.origins.trusted().len(), 1);
        assert_eq!(settings.locations.iter().count(), 2);
    }
    let own =
        Remote::builder("https://auth.example.test").access_cookie(CookieSettings::new("__Host-x"));
    let remote = own.start().unwrap();
    assert_eq!(
        remote.gate().settings().access_cookie.name().as_str(),
        "__Host-x"
    );
}

#[tokio::test]
async fn what_goes_on_in_the_background_ends_with_the_last_handle() {
    let stage = Stage::new().await;
    let keys = Arc::downgrade(&stage.remote.far.keys);
    let Stage { remote, issuer, .. } = stage;
    let gate = Arc::clone(remote.gate());
    drop(remote);
    tokio::task::yield_now().await;
    assert!(keys.upgrade().is_some());
    drop(gate);
    while keys.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
    drop(issuer);
}

#[tokio::test]
async fn a_service_is_ready_when_the_keys_are_there_or_the_first_attempt_has_failed() {
    let stage = Stage::cold(Issuer::with_keys(&["k1"]).await, |builder| builder);
    stage.remote.ready().await;
    assert_eq!(stage.remote.status().keys.keys, 1);
    let issuer = Issuer::with_keys(&["k1"]).await;
    issuer.down();
    let stage = Stage::cold(issuer, |builder| builder);
    stage.remote.ready().await;
    let status = stage.remote.status().keys;
    assert_eq!(
        (status.keys, status.failures, status.fault),
        (0, 1, Some("unreachable"))
    );
}

#[tokio::test]
async fn an_issuer_that_nobody_is_at_is_a_fault_that_is_counted() {
    let issuer = Issuer::with_keys(&["k1"]).await;
    let url = issuer.url();
    drop(issuer);
    let remote = Remote::new(&url).unwrap();
    remote.ready().await;
    assert_eq!(remote.status().keys.fault, Some("unreachable"));
}

#[tokio::test]
async fn the_tokens_of_an_issuer_that_names_no_audience_are_taken_by_those_who_say_so() {
    let issuer = Issuer::with_keys(&["k1"]).await;
    let stage = Stage::cold(issuer, |builder| {
        builder.audience_claim(crate::AudienceClaim::Absent)
    });
    let with_audience = stage.token("k1");
    let without = sign(
        &header("k1"),
        &json!({
            "iss": stage.issuer.url(), "sub": "alice", "sid": "AAAAAAAAAAAAAAAAAAAAAA",
            "jti": "t1", "iat": NOW, "exp": NOW + 900,
        }),
    );
    stage.until(|status| status.keys.fetches == 1).await;
    assert_eq!(stage.verdict(&without).await, "alice");
    assert_eq!(stage.verdict(&with_audience).await, "token_invalid");
}
