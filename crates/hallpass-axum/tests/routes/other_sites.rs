//! What other sites can make a browser do: sign in, sign out, and safe methods that change something.

use crate::common::{ALICE, App, Browser, FOREIGN, OWN, SPA, credentials};

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
