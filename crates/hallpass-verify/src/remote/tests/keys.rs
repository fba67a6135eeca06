//! Keys that come, go and are made up.

use super::issuer::{Issuer, JWKS, METADATA, jwk};
use super::{NOW, Stage, header};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn jk_03_a_rotation_is_no_outage() {
    let stage = Stage::new().await;
    let old = stage.token("k1");
    assert_eq!(stage.verdict(&old).await, "alice");
    // The next key is announced before it signs.
    stage.issuer.serve(&["k1", "k2"]);
    stage.fetch_after(6 * MINUTE).await;
    let new = stage.token("k2");
    assert_eq!(stage.verdict(&old).await, "alice");
    assert_eq!(stage.verdict(&new).await, "alice");
    // The old one goes when the last token of it has expired.
    stage.issuer.serve(&["k2"]);
    stage.fetch_after(6 * MINUTE).await;
    assert_eq!(stage.verdict(&new).await, "alice");
    assert_eq!(stage.issuer.requests(JWKS).len(), 3);
}

#[tokio::test]
async fn jk_03_a_key_that_signs_before_it_was_announced_costs_one_fetch() {
    let stage = Stage::new().await;
    stage.issuer.serve(&["k1", "k2"]);
    assert_eq!(stage.verdict(&stage.token("k2")).await, "alice");
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    let requests = stage.issuer.requests(JWKS);
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].contains("cache-control: no-cache\r\n"),
        "{requests:?}"
    );
    assert_eq!(stage.issuer.requests(METADATA).len(), 1);
}

#[tokio::test]
async fn jk_04_a_removed_key_is_refused_within_the_time_for_which_the_set_is_fresh() {
    let stage = Stage::new().await;
    let token = stage.token("k1");
    assert_eq!(stage.verdict(&token).await, "alice");
    stage.issuer.serve(&["k2"]);
    stage.fetch_after(5 * MINUTE).await;
    assert_eq!(stage.verdict(&token).await, "token_invalid");
}

#[tokio::test]
async fn jk_04_a_key_that_the_issuer_withdraws_is_refused_at_once_and_fetched_for_without_cool_down()
 {
    let stage = Stage::new().await;
    // The cool-down runs.
    assert_eq!(
        stage.verdict(&stage.token("made-up")).await,
        "token_invalid"
    );
    let token = stage.token("k1");
    assert_eq!(stage.verdict(&token).await, "alice");
    stage.issuer.serve(&["k2"]);
    let at = super::Timestamp::from_seconds(NOW);
    let withdrawn = crate::Revoked::Key("k1".into());
    stage.remote.verifier().learn(&withdrawn, at, at);
    stage.remote.far.keys.withdrawn();
    assert_ne!(stage.verdict(&token).await, "alice");
    stage.fetch_after(Duration::from_secs(1)).await;
    assert_eq!(stage.remote.status().keys.fetches, 3);
    assert_eq!(stage.verdict(&stage.token("k2")).await, "alice");
    // A cache on the way that still has it does not bring it back.
    stage.issuer.serve(&["k1", "k2"]);
    stage.fetch_after(6 * MINUTE).await;
    assert_eq!(stage.verdict(&token).await, "token_invalid");
}

#[tokio::test]
async fn jk_05_a_thousand_made_up_keys_make_one_fetch_per_cool_down() {
    let stage = Stage::new().await;
    let good = stage.token("k1");
    for number in 0..1_000 {
        let made_up = stage.token(&format!("kid-{number}"));
        assert_eq!(stage.verdict(&made_up).await, "token_invalid");
    }
    assert_eq!(stage.issuer.requests(JWKS).len(), 2);
    assert_eq!(stage.verdict(&good).await, "alice");
    stage.clock.advance(Duration::from_secs(29));
    assert_eq!(stage.verdict(&stage.token("kid-x")).await, "token_invalid");
    assert_eq!(stage.issuer.requests(JWKS).len(), 2);
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.verdict(&stage.token("kid-y")).await, "token_invalid");
    assert_eq!(stage.issuer.requests(JWKS).len(), 3);
}

#[tokio::test]
async fn jk_05_made_up_keys_at_once_share_one_fetch() {
    let stage = Stage::new().await;
    stage.issuer.serve(&["k1", "k2"]);
    let made_up: Vec<_> = (0..100)
        .map(|number| stage.token(&format!("kid-{number}")))
        .collect();
    let good = stage.token("k2");
    let mut asked: Vec<_> = made_up
        .iter()
        .map(|token| Box::pin(stage.verdict(token)))
        .collect();
    asked.push(Box::pin(stage.verdict(&good)));
    // All of them wait before any is answered.
    for waiting in &mut asked {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }
    let last = asked.pop().unwrap();
    assert_eq!(last.await, "alice");
    for waiting in asked {
        assert_eq!(waiting.await, "token_invalid");
    }
    assert_eq!(stage.issuer.requests(JWKS).len(), 2);
}

#[tokio::test]
async fn jk_05_junk_that_is_not_for_us_makes_no_fetch_at_all() {
    let stage = Stage::new().await;
    let made_up = header("made-up");
    for (changes, verdict) in [
        (json!({ "iss": "http://127.0.0.1:1" }), "token_invalid"),
        (json!({ "aud": "other" }), "token_invalid"),
        (
            json!({ "exp": NOW - 60, "iat": NOW - 120 }),
            "token_expired",
        ),
    ] {
        let token = stage.token_with(&made_up, &changes);
        assert_eq!(stage.verdict(&token).await, verdict);
    }
    assert_eq!(stage.issuer.requests(JWKS).len(), 1);
}

#[tokio::test]
async fn jk_09_a_secret_in_the_set_is_ignored_and_no_key_signs_as_one() {
    let issuer = Issuer::with_keys(&[]).await;
    let secret = [9; 32];
    let oct =
        json!({ "kty": "oct", "kid": "k1", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret) });
    issuer.serve_jwks(json!({ "keys": [oct, jwk("k1")] }));
    let stage = Stage::cold(issuer, |builder| builder);
    stage.until(|status| status.keys.keys == 1).await;
    let good = stage.token("k1");
    assert_eq!(stage.verdict(&good).await, "alice");
    let claims = good.split('.').nth(1).unwrap();
    let header = json!({ "alg": "HS256", "kid": "k1", "typ": "at+jwt" });
    let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let public = super::key("k1").public_key().as_ref().to_vec();
    for secret in [&secret[..], &public] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
        assert_eq!(
            stage.verdict(&format!("{message}.{tag}")).await,
            "token_invalid"
        );
    }
}

#[tokio::test]
async fn jk_11_keys_of_other_kinds_are_ignored_and_the_others_work() {
    let issuer = Issuer::with_keys(&[]).await;
    let mut other_curve = jwk("k2");
    other_curve["crv"] = "X25519".into();
    let mut other_use = jwk("k3");
    other_use["use"] = "enc".into();
    let mut other_alg = jwk("k4");
    other_alg["alg"] = "XdDSA".into();
    let akp = json!({ "kty": "AKP", "kid": "k5", "alg": "ML-DSA-44", "pub": "AAAA" });
    issuer.serve_jwks(json!({ "keys": [akp, other_curve, other_use, other_alg, jwk("k1")] }));
    let stage = Stage::cold(issuer, |builder| builder);
    stage.until(|status| status.keys.keys == 1).await;
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
    for kid in ["k2", "k3", "k4", "k5"] {
        assert_eq!(
            stage.verdict(&stage.token(kid)).await,
            "token_invalid",
            "{kid}"
        );
    }
}

#[tokio::test]
async fn jk_15_a_key_that_a_token_brings_or_points_to_is_never_fetched() {
    let stage = Stage::new().await;
    let canary = Issuer::with_keys(&["evil"]).await;
    let at = format!("{}{JWKS}", canary.url());
    for kid in ["k1", "evil"] {
        for member in ["jku", "x5u", "jwk", "x5c"] {
            let mut header = header(kid);
            header[member] = match member {
                "jwk" => jwk("evil"),
                "x5c" => json!([at]),
                _ => at.clone().into(),
            };
            let expected = if kid == "k1" {
                "alice"
            } else {
                "token_invalid"
            };
            let token = stage.token_with(&header, &json!({}));
            assert_eq!(stage.verdict(&token).await, expected, "{kid} {member}");
        }
    }
    assert_eq!(canary.requests_len(), 0);
}

#[tokio::test]
async fn a_set_that_has_not_changed_is_not_sent_again_and_forgets_no_token() {
    let stage = Stage::new().await;
    let epoch = stage.remote.verifier().keys().epoch();
    stage.fetch_after(6 * MINUTE).await;
    let requests = stage.issuer.requests(JWKS);
    assert!(requests[1].contains("if-none-match: "), "{requests:?}");
    stage.issuer.without_etag();
    stage.fetch_after(6 * MINUTE).await;
    assert_eq!(stage.remote.verifier().keys().epoch(), epoch);
    let status = stage.remote.status().keys;
    assert_eq!((status.fetches, status.failures, status.keys), (3, 0, 1));
    assert_eq!(status.fetched_at, Some(crate::Clock::now(&*stage.clock)));
}

#[tokio::test]
async fn the_issuer_says_for_how_long_its_keys_are_fresh() {
    let issuer = Issuer::with_keys(&["k1"]).await;
    issuer.max_age(10);
    let stage = Stage::cold(issuer, |builder| builder);
    stage.until(|status| status.keys.fetches == 1).await;
    stage.fetch_after(Duration::from_secs(10)).await;
    assert_eq!(stage.issuer.requests(JWKS).len(), 2);
    assert_eq!(stage.issuer.requests(METADATA).len(), 1);
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_a_year_keeps_no_key_waiting() {
    let stage = Stage::new().await;
    stage
        .clock
        .set(super::Timestamp::from_seconds(NOW - 365 * 86_400));
    let set_back = Some(crate::Clock::now(&*stage.clock));
    stage
        .until(|status| status.keys.fetched_at == set_back)
        .await;
    stage.issuer.serve(&["k2"]);
    stage.fetch_after(5 * MINUTE).await;
    assert_eq!(stage.verdict(&stage.token("k2")).await, "alice");
}

#[tokio::test]
async fn a_forged_signature_of_a_known_key_makes_no_fetch() {
    let stage = Stage::new().await;
    let token = stage.token("k1");
    let (message, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode([7; 64]));
    assert_eq!(stage.verdict(&forged).await, "token_invalid");
    assert_eq!(stage.issuer.requests(JWKS).len(), 1);
}
