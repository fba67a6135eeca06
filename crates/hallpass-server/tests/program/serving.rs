//! Served over HTTP, and told from the command line.

use crate::common::{PASSWORD, Running, hallpass, output, told};
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
