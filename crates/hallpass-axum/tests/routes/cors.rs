//! CORS on our own routes, and what other pages may do with an answer.

use crate::common::{ALICE, Answer, App, FOREIGN, OWN, SPA};
use hallpass_axum::serve::Server;
use hallpass_core::SeededRandom;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";

fn cors_headers(answer: &Answer) -> Vec<(String, String)> {
    let headers = answer.headers.iter();
    let mut found: Vec<_> = headers
        .filter(|(name, _)| name.as_str().starts_with("access-control-"))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn co_01_no_origin_is_reflected() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    for origin in [
        FOREIGN,
        "null",
        "https://app.example.test.evil.test",
        "https://spa.example.test.evil.test",
        "https://evilspa.example.test",
        "http://spa.example.test",
        "https://spa.example.test:8443",
        "https://spa.example.test/",
        "https://SPA.example.test",
        "*",
        "",
    ] {
        for method in ["GET", "OPTIONS"] {
            let request = alice.bare(method, "/auth/me").header("origin", origin);
            let request = request.header("access-control-request-method", "POST");
            let answer = request.send().await;
            assert_eq!(cors_headers(&answer), [], "{method} {origin}");
            assert_eq!(answer.header("vary"), Some("origin"));
        }
    }
    // Two lines are none.
    let twice = alice
        .bare("GET", "/auth/me")
        .header("origin", SPA)
        .header("origin", SPA);
    assert_eq!(cors_headers(&twice.send().await), []);
}

#[tokio::test]
async fn co_02_a_trusted_origin_is_answered_exactly() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let answer = alice
        .bare("GET", "/auth/me")
        .header("origin", SPA)
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(ALLOW_ORIGIN), Some(SPA));
    assert_eq!(answer.header(ALLOW_CREDENTIALS), Some("true"));
    assert_eq!(answer.header("vary"), Some("origin"));
    let preflight = app.request("OPTIONS", "/auth/login").header("origin", SPA);
    let preflight = preflight.header("access-control-request-method", "POST");
    let answer = preflight.send().await;
    assert_eq!(answer.status, 204);
    let expected = [
        (ALLOW_CREDENTIALS, "true"),
        (
            "access-control-allow-headers",
            "authorization, content-type, idempotency-key, x-csrf-token",
        ),
        (
            "access-control-allow-methods",
            "GET, POST, PUT, PATCH, DELETE",
        ),
        (ALLOW_ORIGIN, SPA),
        ("access-control-max-age", "600"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(cors_headers(&answer), expected);
    // Our own pages need none.
    let answer = alice
        .bare("GET", "/auth/me")
        .header("origin", OWN)
        .send()
        .await;
    assert_eq!(cors_headers(&answer), []);
}

#[tokio::test]
async fn a_page_of_a_trusted_origin_reads_why_it_was_refused() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    for (method, path) in [
        ("POST", "/auth/logout"),
        ("POST", "/auth/refresh"),
        ("DELETE", "/auth/sessions"),
        ("DELETE", "/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA"),
    ] {
        let request = alice.bare(method, path).header("origin", SPA);
        let answer = request.header("sec-fetch-site", "same-site").send().await;
        let answer = answer.expect(403, "csrf_missing");
        assert_eq!(answer.header(ALLOW_ORIGIN), Some(SPA), "{path}");
    }
}

#[tokio::test]
async fn co_04_whatever_depends_on_the_origin_says_so() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    for origin in [Some(SPA), Some(FOREIGN), None] {
        for (method, path) in [
            ("GET", "/auth/me"),
            ("GET", "/auth/csrf"),
            ("GET", "/auth/sessions"),
            ("POST", "/auth/login"),
            ("POST", "/auth/signup"),
            ("POST", "/auth/refresh"),
            ("POST", "/auth/logout"),
            ("DELETE", "/auth/sessions"),
            ("GET", "/auth/nothing"),
            ("PUT", "/auth/login"),
            ("OPTIONS", "/auth/me"),
        ] {
            let mut request = alice.bare(method, path);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let answer = request.send().await;
            let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
            assert_eq!(vary, ["origin"], "{method} {path} {origin:?}");
        }
    }
}

#[tokio::test]
async fn co_06_a_preflight_does_nothing() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let before = (app.database(), app.audit.events().len());
    for path in [
        "/auth/refresh",
        "/auth/logout",
        "/auth/sessions",
        "/auth/login",
    ] {
        let request = alice.bare("OPTIONS", path).header("origin", SPA);
        let request = request.header("access-control-request-method", "POST");
        let answer = request.send().await;
        assert_eq!((answer.status, answer.cookies().len()), (204, 0));
        // Nor does it ask who is calling.
        let request = app.request("OPTIONS", path).header("origin", SPA);
        let request = request.header("access-control-request-method", "POST");
        assert_eq!(request.send().await.status, 204);
    }
    assert_eq!((app.database(), app.audit.events().len()), before);
    alice.refresh().await;
}

#[tokio::test]
async fn co_13_an_answer_is_for_pages_of_our_own_origin() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(app.router.clone(), &SeededRandom::new(1)).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(listener, async move { drop(stopped.await) }));
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /auth/me HTTP/1.1\r\nHost: app.example.test\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        alice.access()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(
        head.contains("cross-origin-resource-policy: same-origin"),
        "{head}"
    );
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    assert!(body.contains(ALICE), "{body}");
    stop.send(()).unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn the_key_set_is_for_everyone_and_may_be_cached() {
    let app = App::start().await;
    for origin in [FOREIGN, SPA] {
        let request = app.get("/.well-known/jwks.json").header("origin", origin);
        let answer = request.send().await;
        assert_eq!(answer.header(ALLOW_ORIGIN), Some("*"));
        assert_eq!(answer.header(ALLOW_CREDENTIALS), None);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        let mut members: Vec<_> = keys[0].as_object().unwrap().keys().collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    }
}
