//! Cookies: what is set, what is cleared, and what is read.

use crate::common::{
    ACCESS, ALICE, App, Browser, CSRF, IDLE, NOW, REFRESH, SECOND, SetCookie, credentials,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::{Settings, Web, WebSettings};
use hallpass_verify::CookieSettings;
use hallpass_verify::cookies::{Partitioning, SameSite, Security};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) type Change = fn(&mut Settings, &mut WebSettings);

/// One host, all hosts of a domain, embedded in other sites, and development.
pub(super) const CONFIGURATIONS: [Change; 4] = [
    |_, _| {},
    |_, web| web.cookie_domain = Some("example.test".into()),
    |_, web| {
        web.partitioned = Partitioning::Partitioned;
        web.same_site.access = SameSite::None;
        web.same_site.refresh = SameSite::None;
        web.same_site.csrf = SameSite::None;
    },
    |_, web| web.public_url = "http://localhost:3000".into(),
];

#[track_caller]
fn named<'c>(cookies: &'c [SetCookie], name: &str) -> &'c SetCookie {
    cookies.iter().find(|cookie| cookie.name == name).unwrap()
}

fn claims(access: &str) -> Value {
    let payload = access.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn ck_01_every_auth_cookie_has_every_attribute() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let answer = app
        .post("/auth/login")
        .json(&credentials(ALICE))
        .send()
        .await;
    let cookies = answer.cookies();
    assert_eq!(cookies.len(), 3);
    for (name, path, same_site, http_only) in [
        (ACCESS, "/", "Lax", true),
        (REFRESH, "/auth", "Strict", true),
        (CSRF, "/", "Lax", false),
    ] {
        let cookie = named(&cookies, name);
        assert_eq!(cookie.path.as_deref(), Some(path));
        assert_eq!(cookie.same_site.as_deref(), Some(same_site));
        assert_eq!(cookie.http_only, http_only);
        assert_eq!((cookie.secure, cookie.partitioned), (true, false));
        assert_eq!(cookie.domain, None);
    }
    assert_ne!(named(&cookies, CSRF).value, answer.json()["session"]["id"]);
}

#[tokio::test]
async fn ck_02_a_host_cookie_always_has_its_path_and_no_domain() {
    for (number, change) in CONFIGURATIONS.into_iter().enumerate() {
        let app = App::start_with(change).await;
        let mut lines = Vec::new();
        let mut alice = app.signed_up(ALICE).await;
        let old = alice.clone();
        let login = alice.post("/auth/login").json(&credentials(ALICE));
        lines.extend(login.send().await.cookies());
        let csrf = old.csrf();
        lines.extend(
            old.clone()
                .post("/auth/refresh")
                .csrf(&csrf)
                .send()
                .await
                .cookies(),
        );
        let csrf = alice.csrf();
        let used = alice.clone();
        lines.extend(
            alice
                .post("/auth/refresh")
                .csrf(&csrf)
                .send()
                .await
                .cookies(),
        );
        app.advance(60 * SECOND);
        lines.extend(
            used.clone()
                .post("/auth/refresh")
                .csrf(&csrf)
                .send()
                .await
                .cookies(),
        );
        lines.extend(
            alice
                .post("/auth/logout")
                .csrf(&csrf)
                .send()
                .await
                .cookies(),
        );
        assert_eq!(lines.len(), 15, "{number}");
        // The promises of the prefixes are checked for every answer of every test.
        let hosts = lines.iter().filter(|line| line.name.starts_with("__Host-"));
        let expected = if [0, 2].contains(&number) { 10 } else { 0 };
        assert_eq!(hosts.count(), expected, "{number}");
    }
}

#[tokio::test]
async fn ck_03_the_longest_profile_fits_and_what_does_not_fit_fails_loudly() {
    let app = App::start().await;
    let local = "a".repeat(64);
    let email = format!(
        "{local}@{}.test",
        ["b".repeat(60), "c".repeat(60)].join(".")
    );
    let body =
        json!({ "email": email, "password": "p".repeat(1000) + "q", "name": "n".repeat(200) });
    let answer = app.post("/auth/signup").json(&body).send().await;
    assert_eq!(answer.status, 201);
    for cookie in answer.cookies() {
        assert!(cookie.name.len() + cookie.value.len() <= 4096);
    }
    // A setting that makes the tokens too long does not lose the cookie in silence.
    let app = App::start_with(|settings, _| settings.audience = Some("a".repeat(4000))).await;
    app.add_user(ALICE, &[]).await;
    let login = app.post("/auth/login").json(&credentials(ALICE)).may_fail();
    let answer = login.send().await.expect(500, "internal");
    assert_eq!(answer.cookies(), []);
}

#[tokio::test]
async fn ck_05_a_refresh_cookie_that_outlived_its_session_is_refused_and_cleared() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    app.advance(IDLE + SECOND);
    let by_hand = app
        .post("/auth/refresh")
        .cookie(REFRESH, &alice.refresh_token())
        .csrf(&alice.csrf());
    let answer = by_hand.send().await.expect(401, "session_ended");
    assert_eq!(answer.cleared(), [ACCESS, REFRESH, CSRF]);
}

#[tokio::test]
async fn ck_06_signing_out_leaves_no_cookie_in_any_configuration() {
    for (number, change) in CONFIGURATIONS.into_iter().enumerate() {
        let app = App::start_with(change).await;
        let mut alice = app.signed_up(ALICE).await;
        assert_eq!(alice.jar.names().len(), 3, "{number}");
        let csrf = alice.csrf();
        let answer = alice.post("/auth/logout").csrf(&csrf).send().await;
        assert_eq!(alice.jar.names(), [""; 0], "{number}");
        for cookie in answer.cookies() {
            assert_eq!(
                cookie.expires.as_deref(),
                Some("Thu, 01 Jan 1970 00:00:00 GMT")
            );
        }
    }
}

#[tokio::test]
async fn ck_07_a_refresh_of_an_expired_session_clears_the_cookies() {
    for change in CONFIGURATIONS {
        let app = App::start_with(change).await;
        let mut alice = app.signed_up(ALICE).await;
        let csrf = alice.csrf();
        // The browser's clock is a second behind, so it sends what the server gave up.
        let held = alice.clone();
        app.advance(IDLE);
        let mut held_back = held.clone();
        held_back.jar.forget_expiry();
        let answer = held_back.post("/auth/refresh").csrf(&csrf).send().await;
        let answer = answer.expect(401, "session_ended");
        assert_eq!(answer.cleared().len(), 3);
        assert_eq!(held_back.jar.names(), [""; 0]);
        // A browser with a proper clock sends nothing any more.
        let answer = alice.post("/auth/refresh").csrf(&csrf).send().await;
        answer.expect(401, "not_authenticated");
    }
}

#[tokio::test]
async fn ck_18_a_readable_cookie_gives_no_token_away() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let mut browser = Browser::new(&app);
    let answer = browser.post("/auth/login").json(&credentials(ALICE)).send();
    let answer = answer.await;
    let readable: Vec<_> = answer
        .cookies()
        .into_iter()
        .filter(|cookie| !cookie.http_only)
        .collect();
    assert_eq!(readable.len(), 1);
    let (access, refresh) = (browser.access(), browser.refresh_token());
    let claims = claims(&access);
    let session = claims["sid"].as_str().unwrap();
    let value = &readable[0].value;
    for secret in [
        access.as_str(),
        &refresh,
        session,
        claims["csh"].as_str().unwrap(),
    ] {
        assert!(!value.contains(secret));
    }
    // Nor do its bytes, in any part of them.
    let bytes = URL_SAFE_NO_PAD.decode(value).unwrap();
    for part in [session, claims["csh"].as_str().unwrap(), &refresh[4..]] {
        let part = URL_SAFE_NO_PAD.decode(part).unwrap();
        assert!(
            part.chunks_exact(8)
                .all(|eight| { !bytes.windows(8).any(|window| window == eight) })
        );
    }
    // The body of a cookie session holds no token either.
    assert!(!answer.text().contains(&access) && !answer.text().contains(&refresh));
}

#[tokio::test]
async fn ck_19_a_cookie_lives_as_long_as_its_token() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    app.advance(Duration::from_hours(19));
    let csrf = alice.csrf();
    let answer = alice.post("/auth/refresh").csrf(&csrf).send().await;
    let now = hallpass_verify::Clock::now(app.clock.as_ref()).as_seconds();
    let cookies = answer.cookies();
    let access = named(&cookies, ACCESS);
    let exp = claims(&access.value)["exp"].as_u64().unwrap();
    assert_eq!(access.max_age_seconds, Some(exp - now));
    let idle = Some(IDLE.as_secs());
    assert_eq!(named(&cookies, REFRESH).max_age_seconds, idle);
    assert_eq!(named(&cookies, CSRF).max_age_seconds, idle);
    // Without "remember me" they end with the browser.
    let mut body = credentials(ALICE);
    body["remember"] = false.into();
    let answer = app.post("/auth/login").json(&body).send().await;
    for cookie in answer.cookies() {
        assert_eq!((cookie.max_age_seconds, cookie.expires), (None, None));
    }
    assert_eq!(
        answer.json()["session"]["expires_at"],
        hallpass_date(now + 12 * 3600)
    );
}

/// RFC 3339 for a time on the first day of a test.
fn hallpass_date(seconds: u64) -> String {
    let of_day = (seconds - NOW.as_seconds()) + 8 * 3600;
    let (day, of_day) = (15 + of_day / 86_400, of_day % 86_400);
    let (hour, minute) = (of_day / 3600, of_day % 3600 / 60);
    format!("2027-01-{day:02}T{hour:02}:{minute:02}:{:02}Z", of_day % 60)
}

#[tokio::test]
async fn ck_23_without_https_there_are_no_cookies_but_on_loopback() {
    for url in [
        "http://app.example.test",
        "http://192.0.2.1",
        "ftp://localhost",
    ] {
        let refused = Web::checked(WebSettings::new(url)).unwrap_err();
        assert_eq!(refused.0[0].setting, "public_url", "{url}");
    }
    let app = App::on_localhost().await;
    let mut alice = app.signed_up(ALICE).await;
    assert_eq!(alice.jar.names(), ["hp_access", "hp_csrf", "hp_refresh"]);
    assert!(alice.jar.0.iter().all(|kept| !kept.cookie.secure));
    assert_eq!(alice.me().await.0, 200);
    // What a request claims about its scheme changes nothing.
    for (app, secure) in [(&app, false), (&App::start().await, true)] {
        if secure {
            app.add_user(ALICE, &[]).await;
        }
        let login = app.post("/auth/login").json(&credentials(ALICE));
        let login = login.header("x-forwarded-proto", if secure { "http" } else { "https" });
        let cookies = login.send().await.cookies();
        assert_eq!(cookies.len(), 3);
        assert!(cookies.iter().all(|cookie| cookie.secure == secure));
    }
}

#[tokio::test]
async fn retired_cookies_are_deleted_wherever_ours_are_set_or_cleared() {
    let app = App::start_with(|_, web| {
        let old = |name: &str, domain: Option<&str>, path: &str| CookieSettings {
            domain: domain.map(str::to_owned),
            path: path.into(),
            ..CookieSettings::new(name)
        };
        web.retired_cookies = vec![
            old("session", None, "/"),
            old(REFRESH, Some("example.test"), "/auth"),
            old(REFRESH, None, "/old"),
        ];
    })
    .await;
    let retired = ["session", REFRESH, REFRESH];
    let mut browser = Browser::new(&app);
    let body = credentials(ALICE);
    let signup = browser.post("/auth/signup").json(&body).send().await;
    assert_eq!(signup.cleared(), retired);
    let slots: Vec<_> = signup
        .cookies()
        .into_iter()
        .filter(SetCookie::clears)
        .map(|cookie| (cookie.domain, cookie.path.unwrap(), cookie.secure))
        .collect();
    let expected = [
        (None, "/".to_owned(), true),
        (Some("example.test".to_owned()), "/auth".to_owned(), true),
        (None, "/old".to_owned(), true),
    ];
    assert_eq!(slots, expected);
    // The live cookie of the same name is not deleted by that.
    assert_eq!(browser.jar.names(), [ACCESS, CSRF, REFRESH]);
    let login = browser.post("/auth/login").json(&body).send().await;
    assert_eq!(login.cleared(), retired);
    let csrf = browser.csrf();
    let refresh = browser.post("/auth/refresh").csrf(&csrf).send().await;
    assert_eq!(refresh.cleared(), retired);
    let logout = browser.post("/auth/logout").csrf(&csrf).send().await;
    assert_eq!(logout.cleared()[3..], retired);
}

#[test]
fn a_retired_cookie_over_http_needs_no_secure() {
    let mut web = WebSettings::new("http://localhost:3000");
    let old = CookieSettings {
        secure: Security::Plain,
        ..CookieSettings::new("session")
    };
    web.retired_cookies = vec![old];
    let web = Web::checked(web).unwrap();
    let line = web.cookies().retired()[0].clear();
    assert!(!line.to_str().unwrap().contains("Secure"));
}
