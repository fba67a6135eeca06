//! Paths, methods, media types and bodies that are not quite what they should be.

use crate::common::{ALICE, App, OWN, credentials};
use axum::body::{Body, Bytes};
use http_body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// A body that never ends, and counts what was taken of it.
struct Endless(Arc<AtomicUsize>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1024, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1024])))))
    }
}

fn endless() -> (Arc<AtomicUsize>, Body) {
    let taken = Arc::new(AtomicUsize::new(0));
    (taken.clone(), Body::new(Endless(taken)))
}

#[tokio::test]
async fn ht_08_a_path_is_exactly_one_of_ours_or_none() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    for path in [
        "/auth//me",
        "//auth/me",
        "/auth/./me",
        "/auth/x/../me",
        "/auth/%2e%2e/me",
        "/auth/%6de",
        "/AUTH/ME",
        "/auth/Me",
        "/auth/me/",
        "/auth/me%00",
        "/auth/me;x",
        "/auth/me;x=1",
        "/auth/me.css",
        "/auth/me/x.css",
        "/auth/me%2f",
        "/auth/me%0a",
        "/auth%2fme",
        "/auth",
        "/auth/",
        "/.well-known/jwks.json/",
        "/.well-known//jwks.json",
        "/auth/revocations/",
        "/auth//revocations",
        "/auth/ticket/Redeem",
        "/auth/ticket/x",
        "/auth/introspect%00",
        "/.well-known/oauth-authorization-server/",
    ] {
        let answer = alice.get(path).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains(ALICE), "{path}");
    }
    // No spelling of a path gets round the proof: it is owed or there is nothing there.
    for path in ["/echo", "/echo?x=/auth/login", "/echo?/auth/login"] {
        let answer = alice.bare("POST", path).send().await;
        answer.expect(403, "csrf_missing");
    }
    for path in [
        "/auth/login/../../echo",
        "/auth/%2e%2e/echo",
        "/auth/login/",
        "/auth/login/x",
    ] {
        let answer = alice.bare("POST", path).send().await;
        assert!([403, 404].contains(&answer.status), "{path}");
    }
    assert_eq!(app.effects(), 0);
}

#[tokio::test]
async fn ht_09_a_route_has_its_methods_and_no_others() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    for (path, allowed) in [
        ("/auth/signup", "POST"),
        ("/auth/login", "POST"),
        ("/auth/refresh", "POST"),
        ("/auth/logout", "POST"),
        ("/auth/me", "GET,HEAD"),
        ("/auth/csrf", "GET,HEAD"),
        ("/auth/sessions", "GET,HEAD,DELETE"),
        ("/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA", "DELETE"),
        ("/auth/introspect", "POST"),
        ("/auth/revoke", "POST"),
        ("/auth/revocations", "GET,HEAD"),
        ("/auth/ticket", "POST"),
        ("/auth/ticket/redeem", "POST"),
        ("/.well-known/jwks.json", "GET,HEAD"),
        ("/.well-known/oauth-authorization-server", "GET,HEAD"),
    ] {
        let others = [
            "GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW", "post",
        ];
        for method in others {
            if allowed.split(',').any(|own| own == method) {
                continue;
            }
            let request = alice
                .request(method, path)
                .csrf(&csrf)
                .header("x-echo", "seen");
            let answer = request.send().await.expect(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
            assert!(!answer.text().contains("seen"), "{method} {path}");
        }
    }
    assert_eq!(alice.me().await.0, 200);
}

#[tokio::test]
async fn ht_11_a_media_type_is_json_on_exactly_one_line() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let body = credentials(ALICE).to_string();
    for lines in [
        &["multipart/form-data; boundary=x"][..],
        &["application/x-www-form-urlencoded"],
        &["application/json; charset=utf-16"],
        &["application/json", "application/json"],
        &["application/json", "text/plain"],
        &["text/plain", "application/json"],
        &["application/json; charset=utf-8; charset=utf-16"],
        &["application/json;boundary=x"],
        &["application/problem+json"],
    ] {
        let mut request = app.post("/auth/login");
        for line in lines {
            request = request.header("content-type", line);
        }
        let answer = request.body(body.clone()).send().await;
        answer.expect(415, "unsupported_media_type");
    }
    // Routes whose body may be missing ask the same of a body that is there.
    let mut alice = app.signed_in(ALICE).await;
    let csrf = alice.csrf();
    for path in ["/auth/refresh", "/auth/logout"] {
        for body in ["{}", "x"] {
            let request = alice.post(path).csrf(&csrf).body(body);
            request.send().await.expect(415, "unsupported_media_type");
            let request = alice
                .post(path)
                .csrf(&csrf)
                .header("content-type", "text/plain");
            let answer = request.body(body).send().await;
            answer.expect(415, "unsupported_media_type");
        }
    }
    assert_eq!(alice.me().await.0, 200);
}

#[tokio::test]
async fn ht_15_what_is_not_exactly_json_is_malformed() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let good = credentials(ALICE).to_string();
    let with = |member: &str| good.replacen('{', &format!("{{\"x\":{member},"), 1);
    let deep = |open: &str, close: &str| with(&(open.repeat(10_000) + &close.repeat(10_000)));
    let bodies = [
        String::new(),
        " ".into(),
        format!("{good}x"),
        format!("{good}{good}"),
        format!("{good},"),
        format!("\u{feff}{good}"),
        with("NaN"),
        with("Infinity"),
        with("-"),
        with("01"),
        with("1e"),
        with("'x'"),
        with("\"\n\""),
        with("\"\\x\""),
        with("\"\\ud800\""),
        good.replace('"', "'"),
        good.replace('}', ",}"),
        good.replace('}', "/* x */}"),
        format!("[{good}]"),
        good[..good.len() - 1].into(),
        with(&("[".repeat(20) + &"]".repeat(20))),
    ];
    for body in bodies {
        let request = app
            .post("/auth/login")
            .header("content-type", "application/json");
        let answer = request.body(body.clone()).send().await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "malformed_body".into()),
            "{body}"
        );
    }
    for body in [deep("[", "]"), deep("{\"a\":", "}")] {
        let request = app
            .post("/auth/login")
            .header("content-type", "application/json");
        let answer = request.body(body).send().await;
        assert!([400, 413].contains(&answer.status));
    }
    // Bytes that are no UTF-8.
    let mut bytes = good.clone().into_bytes();
    let at = bytes.len() - 3;
    bytes[at] = 0xff;
    let request = app
        .post("/auth/login")
        .header("content-type", "application/json");
    request
        .body(bytes)
        .send()
        .await
        .expect(400, "malformed_body");
    // A number is looked at by whoever knows the member; nobody knows this one.
    let request = app
        .post("/auth/login")
        .header("content-type", "application/json");
    let answer = request.body(with(&"9".repeat(300))).send().await;
    assert!([200, 400].contains(&answer.status), "{answer:?}");
}

#[tokio::test]
async fn ds_01_a_body_that_is_too_long_is_refused_before_it_is_there() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let max = 16 * 1024;
    let padded = |len: usize| {
        let good = credentials(ALICE).to_string();
        good.clone() + &" ".repeat(len - good.len())
    };
    let json = |path: &str| app.post(path).header("content-type", "application/json");
    let answer = json("/auth/login").body(padded(max)).send().await;
    assert_eq!(answer.status, 200);
    for path in [
        "/auth/login",
        "/auth/signup",
        "/auth/refresh",
        "/auth/logout",
    ] {
        for len in [max + 1, max + 1024, 10 << 20] {
            let answer = json(path).body(padded(len)).send().await;
            answer.expect(413, "payload_too_large");
        }
        // No Content-Length, and no end.
        let (taken, body) = endless();
        let answer = json(path).body(body).send().await;
        answer.expect(413, "payload_too_large");
        assert!(taken.load(Ordering::SeqCst) <= max + 2048);
        // What is announced as too long is not read at all.
        let (taken, body) = endless();
        let request = json(path).header("content-length", "20000").body(body);
        request.send().await.expect(413, "payload_too_large");
        assert_eq!(taken.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn what_a_client_sends_is_never_echoed() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let marks = [
        "MARK-email@example.test",
        "MARK<svg onload=1>",
        "MARK\u{2028}",
    ];
    for mark in marks {
        let body = serde_json::json!({
            "email": mark, "password": mark, "name": mark, "delivery": mark, "remember": mark,
        });
        for path in [
            "/auth/login",
            "/auth/signup",
            "/auth/refresh",
            "/auth/logout",
        ] {
            let request = alice.post(path).json(&body).header("user-agent", "MARK");
            let request = request
                .header("referer", OWN)
                .header("x-forwarded-host", "MARK.test");
            let answer = request.send().await;
            assert!(answer.status >= 400, "{path}");
            assert!(!format!("{answer:?}").contains("MARK"), "{path} {answer:?}");
        }
    }
    let answer = alice.get("/auth/MARK?MARK=MARK").send().await;
    assert!(!format!("{answer:?}").contains("MARK"));
}
