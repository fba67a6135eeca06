//! The demo.

use crate::common::{Running, exchange, output};
use serde_json::json;
use tempfile::TempDir;

#[test]
fn the_demo_shows_its_pages_and_what_the_attacker_is_told() {
    let mut running = Running::start(&["demo"], &[]);
    let attack_origin = running.line();
    let attacker = attack_origin.trim().rsplit("//").next().unwrap().to_owned();
    let attacker = attacker.as_str();
    let page = running.get("/", &[]);
    assert!(
        page.status == 200 && page.text.contains("<title>Hallpass"),
        "{page:?}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(exchange(attacker, "GET", "/attack.js", &[], "").status, 200);

    let about = running.get("/demo/config", &[]).json();
    let sample = json!({ "email": about["sample_user"]["email"], "password": about["sample_user"]["password"], "delivery": "cookie" });
    let opened = running.post("/auth/login", &[], &sample);
    let split = running.post("/split/auth/login", &[], &sample);
    assert!(
        opened.status == 200 && split.cookies().contains_key("hp_split_refresh"),
        "{split:?}"
    );
    let (cookies, csrf) = (opened.cookies(), opened.json());
    let cookie = format!(
        "hp_access={}; hp_csrf={}",
        cookies["hp_access"], cookies["hp_csrf"]
    );
    let cookie = ("Cookie", cookie.as_str());
    let whoami = running.get("/demo/whoami", &[cookie]).json();
    assert_eq!(whoami["location"], "cookie");
    let csrf = ("X-CSRF-Token", csrf["csrf_token"].as_str().unwrap());
    assert_eq!(
        running
            .post("/demo/note", &[cookie, csrf], &json!({}))
            .json(),
        json!({ "ok": true })
    );

    let site = ("Sec-Fetch-Site", "same-site");
    let origin = ("Origin", "http://localhost:8081");
    let forged = running.post(
        "/demo/note?attack=note-fetch",
        &[cookie, site, origin],
        &json!({}),
    );
    assert_eq!(forged.json()["code"], "origin_denied");
    let outcomes = exchange(attacker, "GET", "/demo/outcomes", &[], "").json();
    let seen = &outcomes["outcomes"][0];
    assert_eq!(
        (seen["attack"].as_str(), seen["code"].as_str()),
        (Some("note-fetch"), Some("origin_denied"))
    );
    let loot = json!({ "refresh_token": "hpr_stolen" }).to_string();
    let json = [("Content-Type", "application/json")];
    let replayed = exchange(attacker, "POST", "/demo/thief", &json, &loot).json();
    assert_eq!(replayed["status"], 401, "{replayed}");
    assert_eq!(running.stop().0, 0);
}

#[test]
fn the_demo_serves_this_machine_alone() {
    let directory = TempDir::new().unwrap();
    let arguments = [
        "demo",
        "--listen",
        "0.0.0.0:0",
        "--public-url",
        "https://a.example.com",
    ];
    let (code, _, log) = output(directory.path(), &arguments);
    assert!(
        code == 2 && log.contains("expected a loopback address"),
        "{log}"
    );
}
