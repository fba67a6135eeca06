//! What a profile brings beyond names and shapes: which places are read, how long sessions live,
//! and routes that only one has.

use crate::common::{ALICE, Answer, App, BOB, Browser, DAY, MINUTE, credentials};
use hallpass_core::{Delivery, Profile};
use serde_json::{Value, json};

async fn start(profile: Profile, deliveries: &[Delivery]) -> App {
    App::of_profile(profile, |web| {
        web.delivery = deliveries[0];
        web.deliveries = deliveries.to_vec();
    })
    .await
}

/// Signs up; the tokens of the answer.
async fn tokens_of(app: &App, email: &str) -> [String; 2] {
    let path = match app.mount.web().settings().profile {
        Profile::Native | Profile::AuthFort => "/auth/signup",
        Profile::FastAuth | Profile::Bluefox => "/auth/register",
    };
    let answer = app.post(path).json(&credentials(email)).send().await.json();
    let tokens = answer.get("tokens").unwrap_or(&answer);
    ["access_token", "refresh_token"].map(|name| tokens[name].as_str().unwrap().to_owned())
}

fn cookies(app: &App) -> [String; 2] {
    let cookies = app.mount.web().cookies();
    [cookies.access(), cookies.refresh()].map(|cookie| cookie.name().to_string())
}

#[tokio::test]
async fn where_no_token_is_handed_out_in_a_cookie_none_is_read_from_one() {
    for profile in [Profile::AuthFort, Profile::FastAuth, Profile::Native] {
        let app = start(profile, &[Delivery::Body]).await;
        let [access, refresh] = tokens_of(&app, ALICE).await;
        let [access_cookie, refresh_cookie] = cookies(&app);
        let from_page = |method, path| {
            app.request(method, path)
                .header("sec-fetch-site", "same-origin")
                .header(
                    "cookie",
                    &format!("{access_cookie}={access}; {refresh_cookie}={refresh}"),
                )
        };
        for (method, path) in [
            ("GET", "/auth/me"),
            ("POST", "/auth/refresh"),
            ("GET", "/auth/csrf"),
            ("GET", "/auth/sessions"),
            ("GET", "/me2"),
        ] {
            let answer = from_page(method, path).send().await;
            let is_nobody = answer.status == 401 || answer.json()["user"] == Value::Null;
            assert!(is_nobody, "{profile:?} {path}: {answer:?}");
            assert!(answer.cookies().is_empty(), "{profile:?} {path}");
        }
        // Nobody is signed out by cookies that nobody reads; from another site neither.
        for site in ["same-origin", "cross-site"] {
            let request = from_page("POST", "/auth/logout").without("sec-fetch-site");
            let answer = request.header("sec-fetch-site", site).send().await;
            assert!(answer.status < 300, "{profile:?}: {answer:?}");
            assert!(answer.cookies().is_empty(), "{profile:?}: {answer:?}");
        }
        let me = app.get("/auth/me").bearer(&access).send().await;
        assert_eq!(me.status, 200, "{profile:?}: {me:?}");
    }
}

#[tokio::test]
async fn where_one_delivery_has_a_cookie_cookies_are_read() {
    for deliveries in [&[Delivery::Body, Delivery::Split][..], &[Delivery::Cookie]] {
        let app = start(Profile::Native, deliveries).await;
        let mut alice = Browser::new(&app);
        let body = json!({ "email": ALICE, "password": "a fox on the moon", "delivery": deliveries.last().unwrap().name() });
        assert_eq!(
            alice.post("/auth/signup").json(&body).send().await.status,
            201
        );
        alice.refresh().await;
    }
}

/// The Max-Age of the refresh cookie.
#[track_caller]
fn max_age(answer: &Answer) -> Option<u64> {
    let mut cookies = answer.cookies().into_iter();
    let refresh = cookies.find(|cookie| cookie.name == "refresh_token");
    refresh
        .unwrap_or_else(|| panic!("{answer:?}"))
        .max_age_seconds
}

#[tokio::test]
async fn under_fastauth_remember_means_90_days_and_refreshing_does_not_forget_it() {
    let app = start(Profile::FastAuth, &[Delivery::Cookie]).await;
    for (remember, days) in [(json!(true), 90), (json!(false), 30), (Value::Null, 30)] {
        app.add_user(&format!("{days}{remember}@example.test"), &[])
            .await;
        let mut body = credentials(&format!("{days}{remember}@example.test"));
        body["remember"] = remember;
        let mut browser = Browser::new(&app);
        let answer = browser.post("/auth/login").json(&body).send().await;
        assert_eq!(max_age(&answer), Some(days * DAY.as_secs()), "{body}");
        for _ in 0..2 {
            app.advance(5 * DAY);
            let csrf = browser.csrf();
            let answer = browser.post("/auth/refresh").csrf(&csrf).send().await;
            assert_eq!(max_age(&answer), Some(days * DAY.as_secs()), "{body}");
        }
    }
}

#[tokio::test]
async fn under_bluefox_access_tokens_live_half_an_hour_and_sessions_a_week() {
    let app = App::of_profile(Profile::Bluefox, |_| {}).await;
    app.add_user(ALICE, &[]).await;
    let sign_in = async || {
        let answer = app.post("/auth/login").json(&credentials(ALICE)).send();
        answer.await.json()
    };
    let me = async |tokens: &Value| {
        let access = tokens["access_token"].as_str().unwrap();
        app.get("/auth/me").bearer(access).send().await.status
    };
    let tokens = sign_in().await;
    app.advance(29 * MINUTE);
    assert_eq!(me(&tokens).await, 200);
    app.advance(2 * MINUTE);
    assert_eq!(me(&tokens).await, 401);
    let refresh = async |tokens: &Value| {
        let body = json!({ "refresh_token": tokens["refresh_token"] });
        app.post("/auth/refresh").json(&body).send().await
    };
    app.advance(6 * DAY);
    let answer = refresh(&tokens).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    app.advance(7 * DAY);
    assert_eq!(refresh(&answer.json()).await.status, 401);
}

/// Asks about a token as its own user.
async fn introspect_own(app: &App, access: &str, token: &str) -> Value {
    let request = app.post("/auth/token/introspect").bearer(access);
    let answer = request.json(&json!({ "token": token })).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn under_fastauth_users_learn_what_their_own_tokens_are_worth_and_nothing_of_others() {
    let app = App::of_profile(Profile::FastAuth, |_| {}).await;
    let [access, refresh] = tokens_of(&app, ALICE).await;
    let [others_access, others_refresh] = tokens_of(&app, BOB).await;
    for (token, kind) in [(&access, "access"), (&refresh, "refresh")] {
        let told = introspect_own(&app, &access, token).await;
        let seen = (&told["active"], &told["token_type"], &told["email"]);
        assert_eq!(seen, (&json!(true), &json!(kind), &json!(ALICE)), "{told}");
    }
    let nothing = json!({
        "active": false, "sub": null, "exp": null, "jti": null, "token_type": null, "email": null,
    });
    for token in [&others_access, &others_refresh, "", "garbage", "a.b.c"] {
        assert_eq!(
            introspect_own(&app, &access, token).await,
            nothing,
            "{token}"
        );
    }
    // A refresh token that was used renews nothing.
    let body = json!({ "refresh_token": refresh });
    let renewed = app.post("/auth/refresh").json(&body).send().await.json();
    assert_eq!(introspect_own(&app, &access, &refresh).await, nothing);
    let newest = renewed["refresh_token"].as_str().unwrap();
    assert_eq!(introspect_own(&app, &access, newest).await["active"], true);
}

#[tokio::test]
async fn under_fastauth_a_user_revokes_their_own_refresh_tokens_and_no_others() {
    let app = start(Profile::FastAuth, &[Delivery::Cookie, Delivery::Body]).await;
    let mut alice = Browser::new(&app);
    let answer = alice
        .post("/auth/register")
        .json(&credentials(ALICE))
        .send();
    assert_eq!(answer.await.status, 201);
    let mut bob = Browser::new(&app);
    let answer = bob.post("/auth/register").json(&credentials(BOB)).send();
    assert_eq!(answer.await.status, 201);
    let (others, own) = (bob.refresh_token(), alice.refresh_token());
    let csrf = alice.csrf();
    let mut revoke = async |token: &str, csrf: &str| {
        let request = alice.post("/auth/token/revoke").csrf(csrf);
        let answer = request.json(&json!({ "token": token })).send().await;
        (answer.status, answer.cleared().len())
    };
    // It rides on a cookie, so it owes the proof.
    assert_eq!(revoke(&own, "nope").await, (403, 0));
    assert_eq!(revoke(&others, &csrf).await, (403, 0));
    assert_eq!(revoke("garbage", &csrf).await, (400, 0));
    assert_eq!(bob.get("/auth/me").send().await.status, 200);
    // The session that is over takes its cookies with it.
    assert_eq!(revoke(&own, &csrf).await, (200, 3));
    assert_eq!(alice.get("/auth/me").send().await.status, 401);
    let csrf = bob.csrf();
    let request = bob.post("/auth/token/revoke").csrf(&csrf);
    let answer = request.json(&json!({ "token": others })).send().await;
    assert_eq!((answer.status, answer.cleared().len()), (200, 3));
}

#[tokio::test]
async fn what_one_profile_has_is_not_found_under_the_others() {
    for profile in [Profile::Native, Profile::AuthFort, Profile::Bluefox] {
        let app = App::of_profile(profile, |_| {}).await;
        for path in ["/auth/token/introspect", "/auth/token/revoke"] {
            let answer = app.post(path).json(&json!({ "token": "x" })).send().await;
            assert_eq!(answer.status, 404, "{profile:?} {path}");
        }
        // What is no id is nobody's session.
        app.add_user(ALICE, &[]).await;
        let mut body = credentials(ALICE);
        body["delivery"] = "body".into();
        let answer = app.post("/auth/login").json(&body).send().await.json();
        let tokens = answer.get("tokens").unwrap_or(&answer);
        let access = tokens["access_token"].as_str().unwrap();
        let answer = app.request("DELETE", "/auth/sessions/all").bearer(access);
        assert_eq!(answer.send().await.status, 404, "{profile:?}");
        let me = app.get("/auth/me").bearer(access).send().await;
        assert_eq!(me.status, 200, "{profile:?}");
    }
}
