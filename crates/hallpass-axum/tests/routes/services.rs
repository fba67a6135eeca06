//! How services prove who they are, and what becomes of bodies that are not quite right.

use crate::common::{ALICE, App, FOREIGN, SERVICE, SERVICE_SECRET, SPA, service};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hallpass_core::audit::EventKind;

/// Every route for services, and what it takes.
const ROUTES: [(&str, &str, &str); 3] = [
    ("POST", "/auth/introspect", "token"),
    ("POST", "/auth/ticket/redeem", "ticket"),
    ("GET", "/auth/revocations", ""),
];

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn basic(plain: &str) -> String {
    format!("Basic {}", STANDARD.encode(plain))
}

#[tokio::test]
async fn wrong_credentials_are_refused_before_the_body_is_read_and_audited() {
    let app = App::start().await;
    let right = format!("{SERVICE}:{SERVICE_SECRET}");
    let other_case = SERVICE_SECRET.to_uppercase();
    let wrong = [
        basic(&format!("{SERVICE}:")),
        basic(&format!("bills:{SERVICE_SECRET}")),
        basic(&format!(":{SERVICE_SECRET}")),
        basic(&format!("Orders:{SERVICE_SECRET}")),
        basic(&format!("{SERVICE}:{other_case}")),
        basic(&format!("{SERVICE}:{SERVICE_SECRET} ")),
        basic(&format!("{SERVICE}:{}", &SERVICE_SECRET[1..])),
        basic(&format!("{SERVICE}:{SERVICE_SECRET}&x")),
        basic(SERVICE_SECRET),
        format!("Basic {}=", STANDARD.encode(&right)),
        format!("Basic {right}"),
        format!("Bearer {right}"),
        format!("Bearer {other_case}"),
        format!("Bearer {SERVICE_SECRET}="),
        format!("Digest {SERVICE_SECRET}"),
        "Basic".into(),
        "Bearer".into(),
        String::new(),
        "\u{e9}".into(),
        basic(&format!("{SERVICE}:{}", "x".repeat(9_000))),
    ];
    let mut refused = 0;
    for (method, path, _) in ROUTES {
        for line in &wrong {
            let request = app.request(method, path).body("x".repeat(1 << 20));
            let answer = request.header("authorization", line).send().await;
            answer.expect(401, "invalid_client");
            refused += 1;
            assert_eq!(
                app.audit.of(EventKind::ServiceRefused).len(),
                refused,
                "{line}"
            );
        }
        // Both ways at once, right as they are.
        let request = app.request(method, path).service().bearer(SERVICE_SECRET);
        request.send().await.expect(401, "invalid_client");
        let request = app.request(method, path).service().service();
        request.send().await.expect(401, "invalid_client");
        refused += 2;
        assert_eq!(app.audit.of(EventKind::ServiceRefused).len(), refused);
        // Nobody tries anything: nothing to tell.
        let answer = app.request(method, path).send().await;
        answer.expect(401, "invalid_client");
        assert_eq!(app.audit.of(EventKind::ServiceRefused).len(), refused);
    }
    let event = app.audit.of(EventKind::ServiceRefused).pop().unwrap();
    assert_eq!(event.device.ip.unwrap().to_string(), "192.0.2.1");
}

#[tokio::test]
async fn a_service_is_known_by_its_name_and_secret_or_by_its_secret_alone() {
    let second = "hps_GFEDCBAzyxwvutsrqponmlkjihgfedcba9876543210";
    let app = App::start_with(|settings, _| {
        settings.services.push(service("bills.v2-x_y", second));
    })
    .await;
    let escaped = SERVICE_SECRET.replace('_', "%5F");
    for right in [
        basic(&format!("{SERVICE}:{SERVICE_SECRET}")),
        basic(&format!("ord%65rs:{escaped}")),
        basic(&format!("bills.v2-x_y:{second}")),
        basic(&format!("{SERVICE}:{SERVICE_SECRET}")).replace("Basic", "bASIC"),
        format!("Bearer {SERVICE_SECRET}"),
        format!("bearer {second}"),
    ] {
        let request = app.get("/auth/revocations").header("authorization", &right);
        assert_eq!(request.send().await.status, 200, "{right}");
    }
    // The name of one with the secret of the other.
    let request = app.get("/auth/revocations").basic(SERVICE, second);
    request.send().await.expect(401, "invalid_client");
}

#[tokio::test]
async fn without_services_there_is_nobody_to_ask() {
    let app = App::start_with(|settings, _| settings.services.clear()).await;
    for (method, path, _) in ROUTES {
        let answer = app.request(method, path).service().send().await;
        answer.expect(401, "invalid_client");
    }
}

#[tokio::test]
async fn ht_15_a_body_is_a_form_or_json_and_read_strictly() {
    let app = App::start().await;
    let routes = [
        ("/auth/introspect", "token"),
        ("/auth/revoke", "token"),
        ("/auth/ticket/redeem", "ticket"),
    ];
    for (path, field) in routes {
        let send = |media_type: &'static str, body: Vec<u8>| {
            let request = app.post(path).service().header("content-type", media_type);
            request.body(body).send()
        };
        for body in [
            format!("{field}=a&{field}=a"),
            format!("{field}=a&{}=b", field.replacen('t', "%74", 1)),
            format!("{field}=%ff"),
            "%c3%28=x".into(),
            many_fields(40),
        ] {
            let answer = send(FORM, body.into_bytes()).await;
            answer.expect(400, "malformed_body");
        }
        let answer = send(FORM, [field.as_bytes(), b"=\xff"].concat()).await;
        answer.expect(400, "malformed_body");
        for body in [
            String::new(),
            "x".into(),
            "[]".into(),
            "null".into(),
            format!("\"{field}\""),
            format!("{{\"{field}\":\"a\",\"{field}\":\"a\"}}"),
            format!("{{\"{field}\":\"\\ud800\"}}"),
            format!("{{\"{field}\":\"a\"}}x"),
            format!("{field}=a"),
            format!("{{\"{field}\":{}1{}}}", "[".repeat(20), "]".repeat(20)),
        ] {
            let answer = send(JSON, body.into_bytes()).await;
            answer.expect(400, "malformed_body");
        }
        for (media_type, body) in [
            (FORM, String::new()),
            (FORM, "x=1".into()),
            (JSON, "{}".into()),
            (JSON, format!("{{\"{field}\":null}}")),
            (JSON, format!("{{\"{field}\":1}}")),
            (JSON, format!("{{\"{field}\":[\"a\"]}}")),
        ] {
            let answer = send(media_type, body.into_bytes()).await;
            let answer = answer.expect(422, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["field"], field);
        }
        for media_type in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/jwt",
            "application/json, application/x-www-form-urlencoded",
        ] {
            let answer = send(media_type, format!("{field}=a").into_bytes()).await;
            answer.expect(415, "unsupported_media_type");
        }
        let untyped = app.post(path).service().body(format!("{field}=a"));
        untyped.send().await.expect(415, "unsupported_media_type");
        for media_type in [FORM, JSON] {
            let answer = send(media_type, vec![b'a'; 16 * 1024 + 1]).await;
            answer.expect(413, "payload_too_large");
        }
        // In a charset that is none other, in upper case.
        let shouted = "Application/X-WWW-Form-Urlencoded; Charset=UTF-8";
        let answer = send(shouted, format!("{field}=junk&{field}x=1").into_bytes()).await;
        assert!([200, 401].contains(&answer.status), "{answer:?}");
        assert!(!answer.text().contains("junk"));
    }
}

#[tokio::test]
async fn a_hint_of_the_wrong_type_is_told() {
    let app = App::start().await;
    for path in ["/auth/introspect", "/auth/revoke"] {
        let body = serde_json::json!({ "token": "x", "token_type_hint": 1 });
        let answer = app.post(path).service().json(&body).send().await;
        let answer = answer.expect(422, "validation_failed");
        assert_eq!(answer.json()["errors"][0]["field"], "token_type_hint");
    }
}

#[tokio::test]
async fn pages_are_not_told_that_they_may_ask_what_services_ask() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    for (method, path, field) in ROUTES {
        for origin in [SPA, FOREIGN] {
            let preflight = alice.bare("OPTIONS", path).header("origin", origin);
            let preflight = preflight.header("access-control-request-method", method);
            let preflight = preflight.header("access-control-request-headers", "authorization");
            let request = app.request(method, path).header("origin", origin);
            let asked = request.service().form(&[(field, "x")]);
            for answer in [preflight.send().await, asked.send().await] {
                let mut names = answer.headers.keys().map(http::HeaderName::as_str);
                assert!(!names.any(|name| name.starts_with("access-control-")));
            }
        }
    }
    // A ticket is asked for by pages.
    let preflight = app.request("OPTIONS", "/auth/ticket").header("origin", SPA);
    let preflight = preflight.header("access-control-request-method", "POST");
    let answer = preflight.send().await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(SPA));
}

fn many_fields(count: usize) -> String {
    let fields: Vec<_> = (0..count).map(|at| format!("x{at}=")).collect();
    fields.join("&")
}
