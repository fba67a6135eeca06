//! Status, headers and body of every route and its main outcomes; ids, times and tokens masked.

use crate::common::{
    ACCESS, ALICE, Answer, App, BOB, Browser, FOREIGN, GRACE, MINUTE, PASSWORD, REFRESH, SPA,
    credentials,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Answers, one below the other.
#[derive(Default)]
struct Sheet(String);

impl Sheet {
    fn add(&mut self, what: &str, answer: &Answer) {
        writeln!(self.0, "## {what}\n{}", answer.status).unwrap();
        let headers = answer.headers.iter();
        let mut lines: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        // The order of lines under one name stays.
        lines.sort_by_key(|(name, _)| *name);
        for (name, value) in lines {
            // The length follows from what is masked.
            if name != "content-length" {
                writeln!(self.0, "{name}: {value}").unwrap();
            }
        }
        if !answer.body.is_empty() {
            let body: Value = answer.json();
            writeln!(self.0, "{}", serde_json::to_string_pretty(&body).unwrap()).unwrap();
        }
        self.0.push('\n');
    }

    fn masked(&self) -> String {
        let mut text = String::new();
        let mut word = String::new();
        for character in self.0.chars() {
            if character.is_ascii_alphanumeric() || "_-.:".contains(character) {
                word.push(character);
            } else {
                text.push_str(masked(&word));
                word.clear();
                text.push(character);
            }
        }
        text + &word
    }
}

fn masked(word: &str) -> &str {
    let is_time = word.len() == 20 && word.starts_with("20") && word.ends_with('Z');
    match word.len() {
        _ if word.starts_with("eyJ") && word.matches('.').count() == 2 => "<access token>",
        _ if word.starts_with("hpr_") => "<refresh token>",
        _ if word.starts_with("hpt_") => "<ticket>",
        _ if is_time => "<time>",
        86 => "<csrf token>",
        43 if !word.contains(':') => "<key>",
        12 if word.contains(char::is_uppercase) && word.contains(char::is_numeric) => "<kid>",
        22 if !word.contains([':', '.']) && word.contains(char::is_uppercase) => "<id>",
        _ => word,
    }
}

/// Compares with the file under this name.
#[track_caller]
fn check(name: &str, sheet: &Sheet) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, sheet.masked()));
}

#[tokio::test]
async fn signing_up() {
    let app = App::start().await;
    let mut sheet = Sheet::default();
    let mut body = credentials(ALICE);
    body["name"] = " Alice ".into();
    let post = || app.post("/auth/signup");
    sheet.add("a new user", &post().json(&body).send().await);
    sheet.add("the address is taken", &post().json(&body).send().await);
    let wrong = json!({
        "email": "x", "password": "short", "name": "a\u{0}", "delivery": "both", "remember": 1,
    });
    sheet.add("every field is wrong", &post().json(&wrong).send().await);
    let request = post().header("content-type", "application/json").body("{");
    sheet.add("no JSON", &request.send().await);
    sheet.add("no media type", &post().body("{}").send().await);
    let request = post().json(&body).header("origin", FOREIGN);
    sheet.add("from another site", &request.send().await);
    check("signup", &sheet);
}

#[tokio::test]
async fn signing_in_by_every_delivery() {
    for (name, app) in [
        ("https", App::start().await),
        ("localhost", App::on_localhost().await),
    ] {
        app.add_user(ALICE, &["admin"]).await;
        let mut sheet = Sheet::default();
        for delivery in ["cookie", "split", "body"] {
            for remember in [true, false] {
                let body = json!({
                    "email": ALICE, "password": PASSWORD, "delivery": delivery, "remember": remember,
                });
                let answer = app.post("/auth/login").json(&body).send().await;
                sheet.add(&format!("{delivery}, remember {remember}"), &answer);
            }
        }
        match name {
            "https" => check("login_deliveries", &sheet),
            _ => check("login_deliveries_localhost", &sheet),
        }
    }
}

#[tokio::test]
async fn signing_in_without_success() {
    let app = App::start().await;
    let mut sheet = Sheet::default();
    let mut body = credentials(ALICE);
    let answer = app.post("/auth/login").json(&body).send().await;
    sheet.add("unknown user", &answer);
    app.add_user(ALICE, &[]).await;
    body["password"] = "another fox".into();
    let answer = app.post("/auth/login").json(&body).send().await;
    sheet.add("wrong password", &answer);
    let answer = app.post("/auth/login").json(&json!({})).send().await;
    sheet.add("no fields", &answer);
    for _ in 0..10 {
        app.post("/auth/login").json(&body).send().await;
    }
    let answer = app.post("/auth/login").json(&body).send().await;
    sheet.add("too many failures", &answer);
    check("login_refused", &sheet);
}

#[tokio::test]
async fn refreshing() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let mut sheet = Sheet::default();
    for delivery in ["cookie", "split", "body"] {
        let mut body = credentials(ALICE);
        body["delivery"] = delivery.into();
        let mut browser = Browser::new(&app);
        let opened = browser.post("/auth/login").json(&body).send().await;
        let csrf = browser.csrf();
        let request = browser.post("/auth/refresh");
        let request = match opened.json().get("refresh_token") {
            Some(token) => request.json(&json!({ "refresh_token": token })),
            None => request.csrf(&csrf),
        };
        sheet.add(delivery, &request.send().await);
    }
    let mut alice = app.signed_in(ALICE).await;
    let (used, csrf) = (alice.clone(), alice.csrf());
    let answer = alice.post("/auth/refresh").send().await;
    sheet.add("without a CSRF token", &answer);
    let request = alice.post("/auth/refresh").csrf(&csrf);
    let request = request.header("idempotency-key", "short");
    sheet.add("with a short key", &request.send().await);
    alice.refresh().await;
    app.advance(GRACE);
    let answer = used.clone().post("/auth/refresh").csrf(&csrf).send().await;
    sheet.add("used before", &answer);
    let answer = alice.post("/auth/refresh").csrf(&csrf).send().await;
    sheet.add("of a session that ended", &answer);
    sheet.add("without a token", &app.post("/auth/refresh").send().await);
    let answer = app
        .post("/auth/refresh")
        .cookie(REFRESH, "junk")
        .send()
        .await;
    sheet.add("junk", &answer);
    check("refresh", &sheet);
}

#[tokio::test]
async fn signing_out() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let mut sheet = Sheet::default();
    let mut alice = app.signed_in(ALICE).await;
    let answer = alice.post("/auth/logout").csrf("junk").send().await;
    sheet.add("with a wrong CSRF token", &answer);
    let csrf = alice.csrf();
    let answer = alice.post("/auth/logout").csrf(&csrf).send().await;
    sheet.add("by cookie", &answer);
    sheet.add("by nobody", &app.post("/auth/logout").send().await);
    let tokens = app.signed_in_by_body(ALICE).await;
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let answer = app.post("/auth/logout").json(&body).send().await;
    sheet.add("by body", &answer);
    let answer = app.post("/auth/logout").bearer("junk").send().await;
    sheet.add("with junk", &answer);
    check("logout", &sheet);
}

#[tokio::test]
async fn asking_who_one_is_and_for_a_csrf_token() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut sheet = Sheet::default();
    for path in ["/auth/me", "/auth/csrf"] {
        sheet.add(&format!("{path} by cookie"), &alice.get(path).send().await);
        let answer = app.get(path).bearer(&alice.access()).send().await;
        sheet.add(&format!("{path} by header"), &answer);
        let answer = app.get(path).cookie(REFRESH, &alice.refresh_token()).send();
        sheet.add(&format!("{path} by refresh cookie"), &answer.await);
        sheet.add(&format!("{path} by nobody"), &app.get(path).send().await);
        let answer = app.get(path).cookie(ACCESS, "junk").send().await;
        sheet.add(&format!("{path} with junk"), &answer);
    }
    let held = alice.access();
    app.advance(16 * MINUTE);
    let answer = app.get("/auth/me").bearer(&held).send().await;
    sheet.add("/auth/me with an expired token", &answer);
    check("me_and_csrf", &sheet);
}

#[tokio::test]
async fn sessions() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    app.advance(MINUTE);
    let mut other = Browser::new(&app);
    let login = other.post("/auth/login").json(&credentials(ALICE));
    login
        .header("user-agent", "Fox/1 (den)")
        .from(9)
        .send()
        .await;
    let mut sheet = Sheet::default();
    let csrf = alice.csrf();
    sheet.add("the list", &alice.get("/auth/sessions").send().await);
    sheet.add(
        "the list for nobody",
        &app.get("/auth/sessions").send().await,
    );
    let unknown = "/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA";
    let answer = alice.request("DELETE", unknown).csrf(&csrf).send().await;
    sheet.add("ending an unknown one", &answer);
    let path = format!("/auth/sessions/{}", other.session_id().await);
    let answer = alice.request("DELETE", &path).send().await;
    sheet.add("ending one without a CSRF token", &answer);
    let answer = alice.request("DELETE", &path).csrf(&csrf).send().await;
    sheet.add("ending another one", &answer);
    let path = "/auth/sessions?keep=current";
    let answer = alice.request("DELETE", path).csrf(&csrf).send().await;
    sheet.add("ending all others", &answer);
    let path = "/auth/sessions?keep=all";
    let answer = alice.request("DELETE", path).csrf(&csrf).send().await;
    sheet.add("ending with a query that is none", &answer);
    let all = alice.request("DELETE", "/auth/sessions").csrf(&csrf);
    sheet.add("ending all", &all.send().await);
    check("sessions", &sheet);
}

#[tokio::test]
async fn introspecting() {
    let app = App::start().await;
    app.add_user(ALICE, &["admin"]).await;
    let token = app.signed_in(ALICE).await.access();
    let mut sheet = Sheet::default();
    let post = || app.post("/auth/introspect");
    let form = [("token", token.as_str())];
    let answer = post().service().form(&form).send().await;
    sheet.add("a live token", &answer);
    let answer = post().service().form(&[("token", "junk")]).send().await;
    sheet.add("any other", &answer);
    let answer = post().service().json(&json!({})).send().await;
    sheet.add("no token", &answer);
    let answer = post().service().body("x").send().await;
    sheet.add("no media type", &answer);
    sheet.add("by nobody", &post().form(&form).send().await);
    let answer = post().basic("orders", "x").form(&form).send().await;
    sheet.add("with a wrong secret", &answer);
    check("introspect", &sheet);
}

#[tokio::test]
async fn revoking() {
    let app = App::start().await;
    let token = app.signed_up(ALICE).await.refresh_token();
    let mut sheet = Sheet::default();
    let post = || app.post("/auth/revoke");
    let form = [("token", token.as_str())];
    sheet.add("a refresh token", &post().form(&form).send().await);
    sheet.add(
        "again, by a service",
        &post().service().form(&form).send().await,
    );
    sheet.add(
        "junk",
        &post().json(&json!({ "token": "junk" })).send().await,
    );
    sheet.add("no token", &post().form(&[]).send().await);
    let answer = post().bearer("x").form(&form).send().await;
    sheet.add("with a wrong secret", &answer);
    sheet.add("by GET", &app.get("/auth/revoke").send().await);
    let request = post().header("origin", SPA).form(&form);
    sheet.add("from a trusted origin", &request.send().await);
    check("revoke", &sheet);
}

#[tokio::test]
async fn asking_what_was_revoked() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut sheet = Sheet::default();
    let get = |query: &str| app.get(&format!("/auth/revocations{query}"));
    sheet.add("nothing yet", &get("").service().send().await);
    let csrf = alice.csrf();
    alice.post("/auth/logout").csrf(&csrf).send().await;
    app.sync().await;
    sheet.add("a session", &get("").service().send().await);
    sheet.add("after it", &get("?after=1").service().send().await);
    sheet.add("by nobody", &get("").send().await);
    let stream = || get("").header("accept", "text/event-stream");
    sheet.add("a stream for nobody", &stream().send().await);
    let opened = stream().service().may_stay_open().send().await;
    sheet.add("a stream", &opened);
    check("revocations", &sheet);
}

#[tokio::test]
async fn tickets() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut sheet = Sheet::default();
    let csrf = alice.csrf();
    let drawn = alice.post("/auth/ticket").csrf(&csrf).send().await;
    sheet.add("drawn by cookie", &drawn);
    let bearer = alice.access();
    let answer = app.post("/auth/ticket").bearer(&bearer).send().await;
    sheet.add("drawn by header", &answer);
    let answer = alice.post("/auth/ticket").send().await;
    sheet.add("drawn without a CSRF token", &answer);
    sheet.add("drawn by nobody", &app.post("/auth/ticket").send().await);
    let redeem = || app.post("/auth/ticket/redeem");
    let body = json!({ "ticket": drawn.json()["ticket"] });
    sheet.add("redeemed by nobody", &redeem().json(&body).send().await);
    let answer = redeem().service().json(&body).send().await;
    sheet.add("redeemed", &answer);
    let answer = redeem().service().json(&body).send().await;
    sheet.add("redeemed again", &answer);
    let answer = redeem().service().json(&json!({})).send().await;
    sheet.add("no ticket", &answer);
    check("tickets", &sheet);
}

#[tokio::test]
async fn what_everybody_may_ask() {
    let app = App::start().await;
    let mut bob = app.signed_up(BOB).await;
    let mut sheet = Sheet::default();
    let answer = app.get("/.well-known/jwks.json").send().await;
    sheet.add("the keys", &answer);
    let known = app.get("/.well-known/jwks.json");
    let known = known.header("if-none-match", answer.header("etag").unwrap());
    sheet.add("the keys that one has", &known.send().await);
    let answer = app.get("/.well-known/oauth-authorization-server");
    sheet.add("the metadata", &answer.send().await);
    for origin in [SPA, FOREIGN] {
        let preflight = app.request("OPTIONS", "/auth/refresh");
        let preflight = preflight.header("origin", origin);
        let preflight = preflight.header("access-control-request-method", "POST");
        sheet.add(&format!("a preflight of {origin}"), &preflight.send().await);
        let request = bob.bare("GET", "/auth/me").header("origin", origin);
        sheet.add(&format!("a request of {origin}"), &request.send().await);
    }
    sheet.add("an unknown path", &app.get("/auth/nothing").send().await);
    sheet.add("another method", &app.get("/auth/login").send().await);
    check("everybody", &sheet);
}
