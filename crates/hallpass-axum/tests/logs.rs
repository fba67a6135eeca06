//! What the log says, and what it never says. A program of its own: the log is one for all threads.
#![cfg(test)]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{
    ACCESS, ALICE, App, BOB, Browser, GRACE, PASSWORD, REFRESH, SERVICE, SERVICE_SECRET,
    credentials,
};
use hallpass_verify::{Location, Locations};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::prelude::*;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Captures everything that any thread says, in two formats, from TRACE on.
fn capture() -> (Sink, Sink) {
    let (plain, lines) = (Sink::default(), Sink::default());
    let as_text = layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::FULL)
        .with_writer(plain.clone());
    let as_json = layer().json().with_writer(lines.clone());
    let subscriber = tracing_subscriber::registry().with(as_text).with(as_json);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    (plain, lines)
}

/// Everything a client ever held or sent that nobody else may know.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn keep(&mut self, browser: &Browser<'_>) {
        let held = [browser.access(), browser.refresh_token(), browser.csrf()];
        self.0
            .extend(held.into_iter().filter(|secret| !secret.is_empty()));
    }

    fn keep_body(&mut self, body: &Value) {
        for member in ["access_token", "refresh_token", "csrf_token", "ticket"] {
            self.0.extend(body[member].as_str().map(str::to_owned));
        }
    }
}

/// Signs up, in, on and out, rightly and wrongly.
async fn catalogue(app: &App, secrets: &mut Secrets) {
    let mut alice = app.signed_up(ALICE).await;
    secrets.keep(&alice);
    let used = alice.clone();
    alice.refresh().await;
    secrets.keep(&alice);
    let fetched = alice.get("/auth/csrf").send().await.json();
    secrets.keep_body(&fetched);
    let key = "attempt-of-a-client-0001";
    secrets.0.push(key.into());
    let csrf = alice.csrf();
    let request = alice.post("/auth/refresh").csrf(&csrf);
    request.header("idempotency-key", key).send().await;
    secrets.keep(&alice);
    let wrong = "a wrong fox on the moon";
    secrets.0.extend([wrong.to_owned(), PASSWORD.to_owned()]);
    for email in [ALICE, "nobody@example.test"] {
        for _ in 0..11 {
            let body = json!({ "email": email, "password": wrong });
            app.post("/auth/login").json(&body).from(9).send().await;
        }
    }
    forge(app, &mut alice, secrets).await;
    other_places(secrets).await;
    app.advance(GRACE);
    // Stolen, and found out.
    let csrf = used.csrf();
    let answer = used.clone().post("/auth/refresh").csrf(&csrf).send().await;
    assert_eq!(answer.code(), "refresh_reused");
    app.add_user(BOB, &[]).await;
    let mut bob = app.signed_in(BOB).await;
    secrets.keep(&bob);
    let by_body = app.signed_in_by_body(BOB).await;
    secrets.keep_body(&by_body);
    let body = json!({ "refresh_token": by_body["refresh_token"] });
    let refreshed = app.post("/auth/refresh").json(&body).send().await.json();
    secrets.keep_body(&refreshed);
    bob.get("/auth/sessions").send().await;
    ask_as_a_service(app, &bob, secrets).await;
    let csrf = bob.csrf();
    let path = "/auth/sessions?keep=current";
    bob.request("DELETE", path).csrf(&csrf).send().await;
    bob.post("/auth/logout").csrf(&csrf).send().await;
}

/// Asks as services do, with the right secret and with wrong ones.
async fn ask_as_a_service(app: &App, user: &Browser<'_>, secrets: &mut Secrets) {
    let wrong = "hps_a-secret-of-nobody-0123456789-0123456789abc";
    secrets.0.extend([SERVICE_SECRET.into(), wrong.into()]);
    let encoded = STANDARD.encode(format!("{SERVICE}:{SERVICE_SECRET}"));
    secrets.0.push(encoded);
    let drawn = app.post("/auth/ticket").bearer(&user.access());
    let drawn = drawn.send().await.json();
    secrets.keep_body(&drawn);
    for path in ["/auth/introspect", "/auth/revoke", "/auth/ticket/redeem"] {
        for body in [drawn.clone(), json!({ "token": wrong, "ticket": wrong })] {
            let ask = || app.post(path).json(&body);
            ask().basic(SERVICE, wrong).send().await;
            ask().bearer(wrong).send().await;
            let answer = ask().service().send().await;
            if let Ok(body) = serde_json::from_slice(&answer.body) {
                secrets.keep_body(&body);
            }
        }
    }
    let opened = app.signed_in_by_body(BOB).await;
    secrets.keep_body(&opened);
    let token = opened["refresh_token"].as_str().unwrap();
    for path in ["/auth/introspect", "/auth/revoke"] {
        let answer = app.post(path).service().form(&[("token", token)]);
        assert_eq!(answer.send().await.status, 200);
    }
    let path = format!("/auth/revocations?after={wrong}&access_token={token}");
    app.sync().await;
    app.get(&path).service().send().await;
    app.get(&path).service().open().await.up_to_live().await;
}

/// Sends tokens, good ones and bad ones, in addresses and in bodies, to an app that takes them.
async fn other_places(secrets: &mut Secrets) {
    let order = [Location::Query, Location::Body, Location::Cookie];
    let app = App::start_with(|_, web| {
        web.locations = Some(Locations::new(&order).unwrap());
        web.csrf_field = Some("csrf_token".into());
    })
    .await;
    let mut alice = app.signed_up(ALICE).await;
    secrets.keep(&alice);
    let (token, csrf) = (alice.access(), alice.csrf());
    let junk = "junk.that.stands-in-another-place";
    secrets.0.push(junk.into());
    for text in [token.as_str(), junk] {
        for path in ["/me2", "/auth/me", "/echo"] {
            let address = format!("{path}?access_token={text}");
            app.get(&address).send().await;
            app.get(&format!("{address}&access_token={text}"))
                .send()
                .await;
            let body = json!({ "access_token": text });
            app.post(path).json(&body).send().await;
            app.post(path)
                .json(&json!({ "access_token": [text] }))
                .send()
                .await;
        }
        alice
            .post("/echo")
            .form(&[("csrf_token", text)])
            .send()
            .await;
    }
    let answer = alice.post("/echo").form(&[("csrf_token", &csrf)]).send();
    assert_eq!(answer.await.status, 200);
}

/// Sends what is broken, forged, or in the wrong place.
async fn forge(app: &App, alice: &mut Browser<'_>, secrets: &mut Secrets) {
    let junk = "junk.that.looks-like-a-token-0123456789";
    secrets.0.push(junk.into());
    let token = alice.access();
    for path in [
        "/auth/me",
        "/auth/csrf",
        "/me2",
        &format!("/auth/me?access_token={token}"),
    ] {
        app.get(path).bearer(junk).send().await;
        app.get(path).cookie(ACCESS, junk).send().await;
        app.get(path).cookie(REFRESH, junk).send().await;
        app.get(path)
            .header("authorization", &format!("Basic {junk}"))
            .send()
            .await;
    }
    for path in ["/auth/refresh", "/auth/logout", "/echo"] {
        alice.post(path).send().await;
        alice.post(path).csrf(junk).send().await;
        alice
            .post(path)
            .header("origin", "https://evil.test")
            .send()
            .await;
        alice
            .bare("POST", path)
            .header("origin", "https://evil.test")
            .send()
            .await;
        let body = json!({ "refresh_token": junk });
        app.post(path).json(&body).send().await;
    }
    let request = app
        .post("/auth/login")
        .header("content-type", "application/json");
    request
        .body(format!("{{\"password\":\"{PASSWORD}\",,"))
        .send()
        .await;
    let mut body = credentials("new@example.test");
    body["delivery"] = PASSWORD.into();
    app.post("/auth/signup").json(&body).send().await;
}

#[tokio::test]
async fn kl_01_and_kl_02_no_secret_is_ever_logged_and_no_line_is_forged() {
    let (plain, lines) = capture();
    let app = App::start().await;
    let mut secrets = Secrets::default();
    catalogue(&app, &mut secrets).await;
    // A cookie that cannot be sent is an error of ours, with a reason in the log.
    let broken = App::start_with(|settings, _| settings.audience = Some("a".repeat(4000))).await;
    let request = broken.post("/auth/signup").json(&credentials(ALICE));
    assert_eq!(request.may_fail().send().await.status, 500);
    kl_02(&app, &lines).await;
    let log = plain.text() + &lines.text();
    assert!(secrets.0.len() > 20, "{}", secrets.0.len());
    for secret in &secrets.0 {
        // A token is not there in part either.
        for part in secret.split('.').filter(|part| part.len() >= 12) {
            assert!(!log.contains(part), "{part}");
        }
    }
    for personal in [ALICE, BOB, "nobody@example.test"] {
        assert!(!log.contains(personal), "{personal}");
    }
    // The log does say what happened.
    for event in [
        "signed_up",
        "session_opened",
        "sign_in_failed",
        "sign_in_rate_limited",
        "signed_out",
        "session_revoked",
        "refresh_reused",
        "cross_site_refused",
        "service_refused",
        "a cookie cannot be sent",
    ] {
        assert!(log.contains(event), "{event}");
    }
}

/// KL-02: what a client calls itself cannot forge a line.
async fn kl_02(app: &App, lines: &Sink) {
    for broken in [
        &b"Fox\r\nevent=signed_out"[..],
        b"Fox\x1b[2K",
        b"Fox\0",
        b"Fox\x7f",
    ] {
        assert!(http::HeaderValue::from_bytes(broken).is_err());
    }
    let before = lines.text().lines().count();
    let forged = "Fox\u{9b}2K\u{85}\u{2028}\",\"event\":\"signed_up";
    let mut body = credentials(ALICE);
    body["password"] = "another fox".into();
    let request = app.post("/auth/login").json(&body).from(77);
    let request = request.raw_header("user-agent", forged.as_bytes());
    assert_eq!(request.send().await.status, 401);
    let log = lines.text();
    let added: Vec<_> = log.lines().skip(before).collect();
    let events: Vec<Value> = added
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["target"] == "hallpass::audit")
        .collect();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["fields"]["event"], "sign_in_failed");
    assert_eq!(events[0]["fields"]["user_agent"], forged);
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}
