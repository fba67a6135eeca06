//! Cross-site request forgery: what a request that rides on a cookie has to prove.

use crate::common::{
    ACCESS, ALICE, App, BOB, Browser, CSRF, FOREIGN, OWN, SPA, SetCookie, credentials,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::audit::EventKind;

/// Every state-changing route that can ride on a cookie.
const RIDING: [(&str, &str); 5] = [
    ("POST", "/echo"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("DELETE", "/auth/sessions"),
    ("DELETE", "/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA"),
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
    assert_eq!(app.audit.of(EventKind::CrossSiteRefused).len(), 4);
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
async fn cs_17_only_real_json_opens_a_session() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let body = credentials(ALICE).to_string();
    for path in ["/auth/login", "/auth/signup"] {
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=x",
            "text/plain; application/json",
            "application/json, text/plain",
            "application/jsonp",
            "text/json",
            "",
        ] {
            let request = app.post(path).header("content-type", media_type);
            let answer = request.body(body.clone()).send().await;
            let answer = answer.expect(415, "unsupported_media_type");
            assert_eq!(answer.cookies(), []);
        }
        // A Blob without a type sends none at all.
        let answer = app.post(path).body(body.clone()).send().await;
        answer.expect(415, "unsupported_media_type");
    }
    let request = app
        .post("/auth/login")
        .header("content-type", "application/json; charset=utf-8");
    assert_eq!(request.body(body).send().await.status, 200);
}

#[tokio::test]
async fn cs_18_another_site_cannot_sign_a_visitor_in() {
    let app = App::start().await;
    app.add_user("mallory@example.test", &[]).await;
    let before = app.database();
    let mut victim = Browser::new(&app);
    for path in ["/auth/login", "/auth/signup"] {
        let form = "email=mallory%40example.test&password=a+fox+on+the+moon";
        let request = victim.bare("POST", path).header("origin", FOREIGN);
        let request = request.header("sec-fetch-site", "cross-site");
        let form = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        form.send().await.expect(403, "origin_denied");
        for (name, value) in [
            ("origin", FOREIGN),
            ("origin", "null"),
            ("referer", FOREIGN),
        ] {
            let request = victim.bare("POST", path).header(name, value);
            let request = request.json(&credentials("mallory@example.test"));
            request.send().await.expect(403, "origin_denied");
        }
    }
    assert_eq!(victim.jar.names(), [""; 0]);
    assert_eq!(app.database(), before);
    // A page of a trusted origin can.
    let request = victim.bare("POST", "/auth/login").header("origin", SPA);
    let request = request.header("sec-fetch-site", "same-site");
    let answer = request
        .json(&credentials("mallory@example.test"))
        .send()
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn cs_20_another_site_cannot_sign_a_visitor_out() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let request = alice.bare("POST", "/auth/logout").header("origin", FOREIGN);
    let request = request.header("sec-fetch-site", "cross-site");
    let answer = request.send().await.expect(403, "origin_denied");
    assert_eq!(answer.cookies(), []);
    let form = alice.bare("POST", "/auth/logout").header("origin", FOREIGN);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let answer = form.body("x=1").send().await;
    assert!([403, 415].contains(&answer.status));
    assert_eq!(answer.cookies(), []);
    let image = alice.get("/auth/logout").header("sec-fetch-dest", "image");
    let answer = image.send().await.expect(405, "method_not_allowed");
    assert_eq!(answer.cookies(), []);
    assert_eq!(alice.me().await.0, 200);
    alice.refresh().await;
    // A broken cookie cannot be dropped from outside either.
    for cookie in ["__Secure-hp_refresh=junk", "__Secure-hp_refresh=a\tb"] {
        let request = app.post("/auth/logout").header("cookie", cookie);
        let answer = request.header("origin", FOREIGN).send().await;
        let answer = answer.expect(403, "origin_denied");
        assert_eq!(answer.cookies(), []);
    }
}

#[tokio::test]
async fn cs_21_no_header_and_no_field_changes_the_method() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    for name in [
        "x-http-method-override",
        "x-method-override",
        "x-http-method",
    ] {
        let request = alice.post("/echo").csrf(&csrf).header(name, "DELETE");
        let answer = request.send().await;
        assert_eq!(answer.status, 200, "{name}");
        let request = alice.get("/auth/logout").header(name, "POST");
        request.send().await.expect(405, "method_not_allowed");
        let request = alice.get("/auth/sessions").header(name, "DELETE");
        assert_eq!(request.send().await.status, 200, "{name}");
        // Nor does it make a request a safe one.
        let request = alice.post("/auth/refresh").header(name, "GET");
        request.send().await.expect(403, "csrf_missing");
    }
    for path in ["/auth/logout?_method=POST", "/auth/refresh?_method=POST"] {
        let answer = alice.get(path).send().await;
        answer.expect(405, "method_not_allowed");
    }
    let answer = alice.get("/auth/sessions?_method=DELETE").send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(alice.me().await.0, 200);
}

#[tokio::test]
async fn cs_22_safe_methods_change_nothing() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let other = app.signed_in(ALICE).await.session_id().await;
    let before = app.database();
    let events = app.audit.events().len();
    let jar = format!("{:?}", alice.jar);
    for path in [
        "/auth/signup",
        "/auth/login",
        "/auth/refresh",
        "/auth/logout",
        "/auth/me",
        "/auth/csrf",
        "/auth/sessions",
        "/auth/sessions?keep=current",
        &format!("/auth/sessions/{other}"),
        "/.well-known/jwks.json",
        "/echo",
        "/me2",
    ] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let answer = alice.request(method, path).send().await;
            assert!([200, 404, 405].contains(&answer.status), "{method} {path}");
            assert_eq!(answer.cookies(), [], "{method} {path}");
            let preflight = alice.request(method, path).header("origin", OWN);
            let preflight = preflight.header("access-control-request-method", "POST");
            preflight.send().await;
        }
    }
    assert_eq!(app.database(), before);
    assert_eq!(app.audit.events().len(), events);
    assert_eq!((format!("{:?}", alice.jar), app.effects()), (jar, 0));
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
