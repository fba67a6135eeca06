//! Cross-site request forgery: what a request that rides on a cookie has to prove.

use crate::common::{ACCESS, ALICE, App, BOB, CSRF, FOREIGN, OWN, SPA, SetCookie};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::audit::EventKind;

/// Every state-changing route that can ride on a cookie.
const RIDING: [(&str, &str); 6] = [
    ("POST", "/echo"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("DELETE", "/auth/sessions"),
    ("DELETE", "/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA"),
    ("POST", "/auth/ticket"),
];

#[tokio::test]
async fn cs_01_without_a_token_nothing_happens() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let before = app.database();
    for (method, path) in RIDING {
        let answer = alice
            .request(method, path)
            .header("origin", OWN)
            .send()
            .await;
        let answer = answer.expect(403, "csrf_missing");
        assert_eq!(answer.cookies(), [], "{path}");
    }
    assert_eq!((app.effects(), app.database()), (0, before));
    // The audit hears of our own routes.
    assert_eq!(app.audit.of(EventKind::CrossSiteRefused).len(), 5);
    let csrf = alice.csrf();
    let answer = alice.post("/echo").csrf(&csrf).send().await;
    assert_eq!((answer.status, app.effects()), (200, 1));
}

#[tokio::test]
async fn cs_04_a_cross_site_request_is_refused_in_spite_of_its_token() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let before = app.database();
    for (method, path) in RIDING {
        for site in [
            "cross-site",
            "same-site",
            "",
            "CROSS-SITE",
            "same-origin, cross-site",
        ] {
            for origin in [FOREIGN, OWN, ""] {
                let mut request = alice.bare(method, path).csrf(&csrf);
                request = request.header("sec-fetch-site", site);
                if !origin.is_empty() {
                    request = request.header("origin", origin);
                }
                request.send().await.expect(403, "origin_denied");
            }
        }
        let request = alice
            .request(method, path)
            .header("sec-fetch-site", "cross-site");
        request
            .csrf(&csrf)
            .send()
            .await
            .expect(403, "origin_denied");
    }
    assert_eq!((app.effects(), app.database()), (0, before));
}

#[tokio::test]
async fn cs_05_the_origin_null_is_no_origin_of_ours() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    for site in [Some("cross-site"), Some("same-site"), None] {
        let mut request = alice.bare("POST", "/echo").header("origin", "null");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        request
            .csrf(&csrf)
            .send()
            .await
            .expect(403, "origin_denied");
    }
    // Our own page under `Referrer-Policy: no-referrer` sends it too, and says whose it is.
    let request = alice.post("/echo").header("origin", "null");
    assert_eq!(request.csrf(&csrf).send().await.status, 200);
}

#[tokio::test]
async fn cs_08_what_says_nothing_about_its_origin_needs_the_token_alone() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let answer = alice.bare("POST", "/echo").csrf(&csrf).send().await;
    assert_eq!(answer.status, 200);
    let answer = alice.bare("POST", "/echo").send().await;
    answer.expect(403, "csrf_missing");
    // The referrer speaks where the origin is silent.
    for (referer, status) in [
        (format!("{OWN}/page?x=1"), 200),
        (format!("{SPA}/"), 200),
        (format!("{FOREIGN}/{OWN}/"), 403),
        (format!("{OWN}.evil.test/"), 403),
        (format!("{OWN}@evil.test/"), 403),
        ("about:blank".into(), 403),
    ] {
        let request = alice.bare("POST", "/echo").header("referer", &referer);
        let answer = request.csrf(&csrf).send().await;
        assert_eq!(answer.status, status, "{referer}");
    }
}

#[tokio::test]
async fn cs_10_a_token_of_another_session_is_refused() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let bob = app.signed_up(BOB).await;
    let elsewhere = app.signed_in(ALICE).await;
    let before = app.database();
    for csrf in [bob.csrf(), elsewhere.csrf()] {
        for (method, path) in RIDING {
            let answer = alice.request(method, path).csrf(&csrf).send().await;
            answer.expect(403, "csrf_invalid");
        }
    }
    assert_eq!((app.effects(), app.database()), (0, before));
}

#[tokio::test]
async fn cs_11_a_self_made_pair_is_refused() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    for made in [
        "x".to_owned(),
        "A".repeat(86),
        URL_SAFE_NO_PAD.encode([7; 64]),
        String::new(),
    ] {
        for (method, path) in RIDING {
            let line = format!(
                "{ACCESS}={}; {}={}; {CSRF}={made}",
                alice.access(),
                crate::common::REFRESH,
                alice.refresh_token()
            );
            let request = app.request(method, path).header("cookie", &line);
            let request = request.header("sec-fetch-site", "same-origin").csrf(&made);
            request.send().await.expect(403, "csrf_invalid");
        }
    }
    assert_eq!(app.effects(), 0);
}

#[tokio::test]
async fn two_csrf_tokens_are_none() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let request = alice.post("/echo").csrf(&csrf).csrf(&csrf);
    request.send().await.expect(403, "csrf_invalid");
}

#[tokio::test]
async fn cs_13_a_token_does_not_cross_the_login() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let before = alice.csrf();
    alice.sign_in(ALICE).await;
    let answer = alice.post("/echo").csrf(&before).send().await;
    answer.expect(403, "csrf_invalid");
    let after = alice.csrf();
    let answer = alice.post("/echo").csrf(&after).send().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn every_token_of_a_session_stays_good_as_long_as_the_session() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut tokens = vec![alice.csrf()];
    for _ in 0..3 {
        let fetched = alice.get("/auth/csrf").send().await.json();
        tokens.push(fetched["csrf_token"].as_str().unwrap().to_owned());
        let refreshed = alice.refresh().await;
        tokens.push(refreshed["csrf_token"].as_str().unwrap().to_owned());
    }
    for csrf in &tokens {
        let answer = alice.post("/echo").csrf(csrf).send().await;
        assert_eq!(answer.status, 200);
    }
    let count = tokens.len();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), count, "no two look alike");
}

#[tokio::test]
async fn cs_15_a_token_in_the_cookie_alone_proves_nothing() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    assert!(!alice.csrf().is_empty());
    for path in ["/echo", "/auth/refresh", "/auth/logout"] {
        let answer = alice.post(path).send().await;
        answer.expect(403, "csrf_missing");
    }
    // Nor does one in the address or in a form field.
    let path = format!("/echo?csrf_token={0}&x-csrf-token={0}", alice.csrf());
    let form = format!("csrf_token={0}&x-csrf-token={0}", alice.csrf());
    let request = alice.post(&path).body(form);
    let answer = request
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await;
    answer.expect(403, "csrf_missing");
}

#[tokio::test]
async fn cs_26_a_bearer_token_owes_no_proof_and_sets_no_cookie() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let tokens = app.signed_in_by_body(ALICE).await;
    let access = tokens["access_token"].as_str().unwrap();
    for origin in [FOREIGN, "null", SPA] {
        let request = app.post("/echo").bearer(access).header("origin", origin);
        let request = request.header("sec-fetch-site", "cross-site");
        let answer = request.send().await;
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.json()["location"], "Header");
        assert_eq!(answer.cookies(), [] as [SetCookie; 0]);
    }
}

#[tokio::test]
async fn cs_29_port_and_scheme_are_part_of_an_origin() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    for origin in [
        "https://app.example.test:8444",
        "http://app.example.test",
        "https://app.example.test:443",
        "https://app.example.test/",
        "https://APP.example.test",
        "https://app.example.test.",
        "https://app.example.test.evil.test",
        "https://evilapp.example.test",
        "https://example.test",
        "app.example.test",
        "",
    ] {
        let request = alice.bare("POST", "/echo").header("origin", origin);
        request
            .csrf(&csrf)
            .send()
            .await
            .expect(403, "origin_denied");
    }
    let twice = alice
        .bare("POST", "/echo")
        .header("origin", OWN)
        .header("origin", OWN);
    twice.csrf(&csrf).send().await.expect(403, "origin_denied");
    for origin in [OWN, SPA] {
        let request = alice.bare("POST", "/echo").header("origin", origin);
        assert_eq!(request.csrf(&csrf).send().await.status, 200);
    }
}

#[tokio::test]
async fn a_route_of_the_app_below_our_prefix_is_no_exception() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let own = ["/auth/profile", "/auth/login/x", "/auth/sessions/export"];
    let mut router = axum::Router::new();
    for path in own {
        router = router.route(path, axum::routing::post(async || "done"));
    }
    let router = router.merge(app.mount.routes()).layer(app.mount.layer());
    for path in own {
        let request = http::Request::post(path)
            .header("cookie", format!("{ACCESS}={}", alice.access()))
            .body(axum::body::Body::empty())
            .unwrap();
        let answer = tower::ServiceExt::oneshot(router.clone(), request).await;
        assert_eq!(answer.unwrap().status(), 403, "{path}");
    }
}
