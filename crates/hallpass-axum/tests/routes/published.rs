//! The documents that everybody may read: the key set and the metadata.

use crate::common::{App, FOREIGN, OWN, SPA, service};
use hallpass_verify::Algorithm;
use serde_json::json;
use std::time::Duration;

const JWKS: &str = "/.well-known/jwks.json";
const METADATA: &str = "/.well-known/oauth-authorization-server";

#[tokio::test]
async fn jk_01_the_key_set_holds_public_members_only() {
    for (algorithm, public) in [
        (Algorithm::EdDsa, &["crv", "x"][..]),
        (Algorithm::Es256, &["crv", "x", "y"]),
        (Algorithm::Rs256, &["e", "n"]),
        (Algorithm::Ps256, &["e", "n"]),
    ] {
        let app = App::start_with(|settings, _| settings.algorithm = algorithm).await;
        app.mount.hallpass().rotate_key().await.unwrap();
        let answer = app.get(JWKS).send().await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/jwk-set+json")
        );
        let document = answer.json();
        assert_eq!(document.as_object().unwrap().len(), 1);
        let keys = document["keys"].as_array().unwrap();
        // The one that signs, and the one that will.
        assert_eq!(keys.len(), 2);
        for key in keys {
            let mut members: Vec<_> = key.as_object().unwrap().keys().collect();
            members.sort_unstable();
            let mut expected = [&["alg", "kid", "kty", "use"][..], public].concat();
            expected.sort_unstable();
            assert_eq!(members, expected, "{algorithm}");
            assert_eq!(key["use"], "sig");
            assert_eq!(key["alg"], algorithm.name());
        }
    }
}

#[tokio::test]
async fn jk_01_a_secret_key_is_never_published() {
    let app = App::start_with(|settings, _| settings.algorithm = Algorithm::Hs256).await;
    assert_eq!(app.get(JWKS).send().await.json(), json!({ "keys": [] }));
}

#[tokio::test]
async fn jk_02_whoever_has_the_document_is_told_so_and_no_more() {
    let app = App::start().await;
    for path in [JWKS, METADATA] {
        let first = app.get(path).header("origin", FOREIGN).send().await;
        let tag = first.header("etag").unwrap().to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".into(),
        ] {
            let request = app.get(path).header("if-none-match", &known);
            let again = request.header("origin", SPA).send().await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
            for name in ["etag", "cache-control", "access-control-allow-origin"] {
                assert_eq!(again.header(name), first.header(name), "{path} {name}");
            }
        }
        for answer in [first, app.request("HEAD", path).send().await] {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
        let other = app.get(path).header("if-none-match", "\"x\"").send().await;
        assert_eq!(other.status, 200);
        app.request("POST", path)
            .send()
            .await
            .expect(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn jk_02_the_document_is_kept_as_long_as_the_settings_say_and_less_than_a_key_is_announced() {
    let app = App::start_with(|settings, _| {
        settings.keys.jwks_max_age = Duration::from_secs(7);
    })
    .await;
    let answer = app.get(JWKS).send().await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=7"));
    let settings = app.mount.hallpass().settings().keys;
    assert!(settings.announce >= 2 * settings.jwks_max_age);
    // Another key is another document, and every process names it alike.
    app.mount.hallpass().rotate_key().await.unwrap();
    let rotated = app.get(JWKS).send().await;
    assert_ne!(rotated.header("etag"), answer.header("etag"));
    let beside = app.beside().await;
    let same = beside.get(JWKS).send().await;
    assert_eq!(same.header("etag"), rotated.header("etag"));
    assert_eq!(same.body, rotated.body);
}

#[tokio::test]
async fn the_metadata_says_where_everything_is() {
    let app = App::start().await;
    let answer = app.get(METADATA).send().await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let expected = json!({
        "issuer": OWN,
        "jwks_uri": "https://app.example.test/.well-known/jwks.json",
        "introspection_endpoint": "https://app.example.test/auth/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "revocation_endpoint": "https://app.example.test/auth/revoke",
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "response_types_supported": [],
        "hallpass_revocations_endpoint": "https://app.example.test/auth/revocations",
        "hallpass_ticket_endpoint": "https://app.example.test/auth/ticket",
        "hallpass_verifier": { "kept_seconds": 920 },
    });
    assert_eq!(answer.json(), expected);
    // What it names is there.
    for (method, member) in [
        ("GET", "jwks_uri"),
        ("POST", "introspection_endpoint"),
        ("POST", "revocation_endpoint"),
        ("GET", "hallpass_revocations_endpoint"),
        ("POST", "hallpass_ticket_endpoint"),
    ] {
        let url = expected[member].as_str().unwrap();
        let path = url.strip_prefix(OWN).unwrap();
        let answer = app.request(method, path).send().await;
        assert!(![404, 405].contains(&answer.status), "{member} {answer:?}");
    }
}

#[tokio::test]
async fn an_issuer_with_a_path_is_found_under_its_own_name_too() {
    let app = App::start_with(|settings, web| {
        settings.issuer = "https://app.example.test/tenant/one/".into();
        web.public_url = "https://app.example.test/".into();
        web.prefix = "/sign/in".into();
        settings.access_ttl = Duration::from_millis(60_001);
        settings.services = vec![service("a", "hps_x")];
    })
    .await;
    let plain = app.get(METADATA).send().await;
    let document = plain.json();
    let path = format!("{METADATA}/tenant/one");
    assert_eq!(app.get(&path).send().await.json(), document);
    assert_eq!(document["issuer"], "https://app.example.test/tenant/one/");
    let endpoint = "https://app.example.test/sign/in/introspect";
    assert_eq!(document["introspection_endpoint"], endpoint);
    // Rounded up.
    assert_eq!(document["hallpass_verifier"]["kept_seconds"], 81);
    for other in ["/tenant", "/tenant/one/", "/tenant/two", "/"] {
        let answer = app.get(&format!("{METADATA}{other}")).send().await;
        assert_eq!(answer.status, 404, "{other}");
    }
}
