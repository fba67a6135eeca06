//! HTTP, as the program speaks it.

use crate::common::{PASSWORD, Running, exchange};
use serde_json::json;

#[test]
fn ht_15_a_body_that_is_not_exactly_one_json_object_is_refused() {
    let running = Running::start(&["serve"], &[]);
    let login = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let deep = format!("{}1{}", "[".repeat(7_000), "]".repeat(7_000));
    for body in [
        "",
        "[]",
        "null",
        "{",
        r#"{"email":NaN}"#,
        r#"{"email":1e999}"#,
        r#"{"email":"a@b.example","email":"c@d.example","password":"x"}"#,
        "{'email':'a'}",
        &format!("{login} x"),
        &format!("{login}{login}"),
        &format!("\u{feff}{login}"),
        &format!(r#"{{"email":{deep}}}"#),
        &deep,
    ] {
        let json = [("Content-Type", "application/json")];
        let answer = exchange(&running.address, "POST", "/auth/login", &json, body);
        assert_eq!(answer.json()["code"], "malformed_body", "{body:.60}");
        assert_eq!(answer.status, 400, "{body:.60}");
    }
}

#[test]
fn ht_11_only_json_is_taken_for_json() {
    let running = Running::start(&["serve"], &[]);
    let login = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let status = |headers: &[(&str, &str)]| {
        exchange(&running.address, "POST", "/auth/login", headers, &login).status
    };
    let kind = "Content-Type";
    assert_eq!(status(&[(kind, "application/json")]), 401);
    assert_eq!(status(&[(kind, "Application/JSON; charset=UTF-8")]), 401);
    for refused in [
        &[][..],
        &[(kind, "text/plain")],
        &[(kind, "application/x-www-form-urlencoded")],
        &[(kind, "multipart/form-data; boundary=x")],
        &[(kind, "application/json; charset=utf-16")],
        &[(kind, "application/jsonp")],
        &[(kind, "application/json"), (kind, "text/plain")],
    ] {
        assert!(matches!(status(refused), 400 | 415), "{refused:?}");
    }
}

#[test]
fn ht_08_a_route_has_one_spelling() {
    let running = Running::start(&["serve"], &[]);
    for path in [
        "/auth//me",
        "/auth/./me",
        "/auth/x/%2e%2e/me",
        "/AUTH/ME",
        "/auth/me/",
        "/auth/me%00",
        "/auth/me;x",
        "//auth/me",
        "/%61uth/me",
    ] {
        let answer = running.get(path, &[]);
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (404, Some("not_found")),
            "{path}"
        );
    }
    assert_eq!(running.get("/auth/me", &[]).status, 401);
}

#[test]
fn ht_02_what_is_secure_follows_from_the_configuration_and_from_no_header() {
    for (url, secure) in [
        ("https://app.example.com", true),
        ("http://localhost:1", false),
    ] {
        let running = Running::start(&["serve", "--public-url", url], &[]);
        for proto in ["https", "http"] {
            let login = json!({ "email": format!("{proto}@example.com"), "password": PASSWORD });
            let opened = running.post("/auth/signup", &[("X-Forwarded-Proto", proto)], &login);
            let set = opened
                .headers
                .iter()
                .filter(|(name, _)| name == "set-cookie");
            let set: Vec<_> = set.map(|(_, cookie)| cookie.contains("; Secure")).collect();
            assert_eq!(set, [secure; 3], "{opened:?}");
            assert_eq!(opened.header("strict-transport-security").is_some(), secure);
        }
    }
}
