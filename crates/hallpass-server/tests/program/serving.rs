//! Served over HTTP, and told from the command line.

use crate::common::{PASSWORD, Running, exchange, hallpass, output, told};
use hallpass_verify::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;
use tempfile::TempDir;

#[test]
fn the_program_starts_with_no_configuration_and_stops_in_good_order() {
    let running = Running::start(&["serve"], &[]);
    assert_eq!(running.get("/healthz", &[]).status, 200);
    assert_eq!(running.get("/readyz", &[]).status, 200);

    let opened = running.sign_up("cookie");
    let cookies = opened.cookies();
    let cookie = format!("hp_access={}", cookies["hp_access"]);
    let me = running.get("/auth/me", &[("Cookie", &cookie)]);
    assert_eq!(
        (me.status, me.json()["email"].as_str()),
        (200, Some("ada@example.com")),
        "{me:?}"
    );

    let data = running.directory.path().join("hallpass-data");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("secret")), 0o600);
    assert_eq!(mode(&data.join("hallpass.db")), 0o600);
    let (code, log) = running.stop();
    assert_eq!(code, 0, "{log}");
}

#[test]
fn sessions_outlive_a_restart() {
    let arguments = ["serve", "--public-url", "http://localhost:1"];
    let first = Running::start(&arguments, &[]);
    let directory = Rc::clone(&first.directory);
    let opened = first.sign_up("body").json();
    assert_eq!(first.stop().0, 0);

    let second = Running::start_in(directory, &arguments, &[]);
    let bearer = format!("Bearer {}", opened["access_token"].as_str().unwrap());
    assert_eq!(
        second.get("/auth/me", &[("Authorization", &bearer)]).status,
        200
    );
    let refresh = json!({ "refresh_token": opened["refresh_token"] });
    assert_eq!(second.post("/auth/refresh", &[], &refresh).status, 200);
}

#[test]
fn an_operator_ends_the_sessions_of_a_running_server() {
    let running = Running::start(&["serve"], &[]);
    let opened = running.sign_up("body").json();
    let bearer = format!("Bearer {}", opened["access_token"].as_str().unwrap());
    let me = || {
        running
            .get("/auth/me", &[("Authorization", &bearer)])
            .status
    };
    assert_eq!(me(), 200);
    let ended = output(
        running.directory.path(),
        &["user", "end-sessions", "ADA@example.com"],
    );
    assert_eq!(
        (ended.0, ended.1.as_str()),
        (0, "ended 1 sessions\n"),
        "{}",
        ended.2
    );
    // The running server learns of it within a second.
    let deadline = SystemClock.now().plus(Duration::from_secs(1));
    while me() != 401 {
        assert!(SystemClock.now() < deadline, "an ended session goes on");
    }
}

#[test]
fn users_are_added_with_a_password_that_no_list_of_processes_shows() {
    let directory = TempDir::new().unwrap();
    let add = |password: &str, arguments: &[&str]| {
        let mut child = hallpass(directory.path(), &[&["user", "add"], arguments].concat())
            .env("HALLPASS_PASSWORDS_MEMORY_KIB", "64")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{password}\n").as_bytes())
            .unwrap();
        told(child.wait_with_output().unwrap())
    };
    let name = "Ada \u{1b}[31mLovelace";
    let (code, _, log) = add(
        PASSWORD,
        &["ada@example.com", "--name", name, "--role", "admin"],
    );
    assert_eq!(code, 0, "{log}");
    assert_eq!(add(PASSWORD, &["Ada@Example.com"]).0, 1);
    let (code, _, log) = add("password", &["bob@example.com"]);
    assert!(code == 1 && log.contains("most common"), "{log}");
    assert_eq!(add(PASSWORD, &["not an address"]).0, 1);

    let (code, list, _) = output(directory.path(), &["user", "list"]);
    assert_eq!((code, list.lines().count()), (0, 1), "{list}");
    assert!(
        list.contains("ada@example.com\tAda \\u{1b}[31mLovelace\tadmin"),
        "{list}"
    );
}

#[test]
fn a_wrong_configuration_ends_with_code_2_and_every_reason() {
    let directory = TempDir::new().unwrap();
    let file = "listen = '0.0.0.0:8080'\ntrusted_origins = ['*']\n";
    std::fs::write(directory.path().join("hallpass.toml"), file).unwrap();
    for command in ["serve", "check-config"] {
        let (code, _, log) = output(directory.path(), &[command]);
        assert_eq!(code, 2, "{log}");
        assert_eq!(log.lines().count(), 2, "{log}");
        assert!(log.contains("hallpass: `public_url`: ") && log.contains("`trusted_origins`: "));
    }
    let other = directory.path().join("other.toml");
    std::fs::write(&other, "[tokens]\nacces_ttl = '1m'\n").unwrap();
    let (code, _, log) = output(
        directory.path(),
        &["check-config", "--config", other.to_str().unwrap()],
    );
    assert!(
        code == 2 && log.contains("did you mean `tokens.access_ttl`?"),
        "{log}"
    );
    let flags = [
        "check-config",
        "--public-url",
        "https://a.example.com",
        "--listen",
        "0.0.0.0:1",
    ];
    std::fs::remove_file(directory.path().join("hallpass.toml")).unwrap();
    let (code, out, log) = output(directory.path(), &flags);
    assert_eq!(code, 0, "{log}");
    assert_eq!(out, "the configuration is fine: https://a.example.com\n");
    assert!(
        std::fs::read_dir(directory.path()).unwrap().count() == 1,
        "nothing was started"
    );
}

#[test]
fn kl_05_a_weak_secret_stops_the_start() {
    let directory = TempDir::new().unwrap();
    for weak in [
        "changeme",
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let started = hallpass(directory.path(), &["serve"])
            .env("HALLPASS_SECRET", weak)
            .output();
        let (code, _, log) = told(started.unwrap());
        assert!(code == 2 && log.contains("`secret`: expected"), "{log}");
        assert!(weak.is_empty() || !log.contains(weak), "{log}");
    }
}

#[test]
fn kl_06_a_secret_file_that_others_can_read_stops_the_start() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("hallpass-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(
        data.join("secret"),
        "oFZbEjs0kcVJQmVxQp1W0n3m8q0yEJcWlrMdpXxvT0o",
    )
    .unwrap();
    std::fs::set_permissions(data.join("secret"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, log) = output(directory.path(), &["user", "list"]);
    assert!(code == 1 && log.contains("chmod 600"), "{log}");
}

#[test]
fn hallpass_alone_prints_help() {
    let directory = TempDir::new().unwrap();
    let (code, out, log) = output(directory.path(), &[]);
    assert_eq!(code, 2);
    for command in [
        "serve",
        "demo",
        "check-config",
        "user",
        "session",
        "key",
        "service",
    ] {
        assert!((out.clone() + &log).contains(command), "{log}");
    }
}

#[test]
fn kl_01_no_secret_is_in_the_log_at_the_finest_level() {
    let environment = [
        ("HALLPASS_LOG_LEVEL", "trace"),
        ("HALLPASS_LOG_FORMAT", "json"),
        ("HALLPASS_LOG_REQUESTS", "all"),
    ];
    let running = Running::start(&["serve"], &environment);
    let opened = running.sign_up("body").json();
    let refresh = json!({ "refresh_token": opened["refresh_token"] });
    let renewed = running.post("/auth/refresh", &[], &refresh).json();
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let by_cookie = running.post("/auth/login", &[], &login);
    let wrong = json!({ "email": "ada@example.com", "password": "not her password" });
    assert_eq!(running.post("/auth/login", &[], &wrong).status, 401);
    let bearer = format!("Bearer {}", renewed["access_token"].as_str().unwrap());
    assert_eq!(
        running
            .get("/auth/me?token=in-the-query", &[("Authorization", &bearer)])
            .status,
        200
    );

    let mut secrets = vec![
        PASSWORD.to_owned(),
        "not her password".into(),
        "in-the-query".into(),
    ];
    for answer in [&opened, &renewed] {
        secrets.extend(
            ["access_token", "refresh_token"].map(|name| answer[name].as_str().unwrap().to_owned()),
        );
    }
    secrets.extend(
        by_cookie
            .cookies()
            .values()
            .map(|value| (*value).to_owned()),
    );
    secrets.retain(|secret| !secret.is_empty());
    assert_eq!(secrets.len(), 3 + 4 + 3);
    let file = running.directory.path().join("hallpass-data/secret");
    secrets.push(std::fs::read_to_string(file).unwrap().trim().to_owned());

    let (_, log) = running.stop();
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret}");
    }
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let audited = lines
        .iter()
        .filter(|line| line["target"] == "hallpass::audit");
    let events: Vec<_> = audited
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "signed_up",
            "session_opened",
            "session_opened",
            "sign_in_failed"
        ]
    );
    assert!(
        lines
            .iter()
            .any(|line| line["target"] == "hallpass::http" && line["path"] == "/auth/me")
    );
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
