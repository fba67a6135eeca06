//! The promises of the first page: the quick start works, a restart forgets nothing, and an app
//! may have users of its own.
#![cfg(test)]

mod common;

use axum::Router;
use axum::routing::{get, post};
use common::{EMAIL, PASSWORD, me, open, refresh, send, sign_up};
use hallpass::{Caller, Delivery, Hallpass, Opening, Proof, UserId};
use serde_json::{Value, json};
use std::fmt::Write as _;

async fn hello(caller: Caller) -> String {
    format!("Hello, {}!", caller.user())
}

/// The app of the quick start, with a second route that changes something.
fn app(auth: &Hallpass) -> Router {
    let app = Router::new()
        .route("/hello", get(hello))
        .route("/order", post(hello));
    auth.protect(app)
}

/// The cookies that an answer set, as the next request sends them.
fn cookies(headers: &http::HeaderMap) -> String {
    let mut line = String::new();
    for cookie in headers.get_all("set-cookie") {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        write!(line, "{pair}; ").unwrap();
    }
    line.trim_end_matches("; ").to_owned()
}

#[tokio::test]
async fn the_quick_start_signs_a_browser_up_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&open(folder.path()).await);
    let (status, _, _) = send(&app, "GET /hello", &[], None).await;
    assert_eq!(status, 401);
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let (status, headers, _) = send(&app, "POST /auth/signup", &[], Some(body.clone())).await;
    assert_eq!(status, 201);
    let jar = cookies(&headers);
    let (status, _, text) = send(&app, "GET /hello", &[("cookie", &jar)], None).await;
    let (_, _, user) = send(&app, "GET /auth/me", &[("cookie", &jar)], None).await;
    assert_eq!(user["email"], EMAIL);
    let greeting = format!("Hello, {}!", user["id"].as_str().unwrap());
    assert_eq!((status, text), (200, Value::String(greeting.clone())));
    // What changes something needs the proof of our own page.
    let (status, _, problem) = send(&app, "POST /order", &[("cookie", &jar)], None).await;
    assert_eq!((status, &problem["code"]), (403, &"csrf_missing".into()));
    let (_, _, csrf) = send(&app, "GET /auth/csrf", &[("cookie", &jar)], None).await;
    let csrf = csrf["csrf_token"].as_str().unwrap().to_owned();
    let proof = [("cookie", jar.as_str()), ("x-csrf-token", &csrf)];
    let (status, _, text) = send(&app, "POST /order", &proof, None).await;
    assert_eq!((status, text), (200, Value::String(greeting)));
    let (status, headers, _) = send(&app, "POST /auth/refresh", &proof, None).await;
    assert_eq!(status, 200);
    let jar = cookies(&headers);
    // In again, without any proof of the session before.
    let again = [("cookie", jar.as_str())];
    let (status, headers, _) = send(&app, "POST /auth/login", &again, Some(body)).await;
    assert_eq!(status, 200);
    let former = jar;
    let jar = cookies(&headers);
    let (status, _, _) = send(&app, "GET /hello", &[("cookie", &former)], None).await;
    assert_eq!(status, 401);
    let (_, _, csrf) = send(&app, "GET /auth/csrf", &[("cookie", &jar)], None).await;
    let csrf = csrf["csrf_token"].as_str().unwrap().to_owned();
    let proof = [("cookie", jar.as_str()), ("x-csrf-token", &csrf)];
    let (status, _, _) = send(&app, "POST /auth/logout", &proof, None).await;
    assert_eq!(status, 204);
    let (status, _, problem) = send(&app, "GET /hello", &[("cookie", &jar)], None).await;
    assert_eq!((status, &problem["code"]), (401, &"session_ended".into()));
}

#[tokio::test]
async fn a_restart_forgets_no_user_no_session_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let first = app(&open(folder.path()).await);
    let tokens = sign_up(&first).await;
    let (_, _, keys) = send(&first, "GET /.well-known/jwks.json", &[], None).await;
    let gone = sign_in(&first).await;
    let body = json!({ "refresh_token": gone["refresh_token"] });
    send(&first, "POST /auth/logout", &[], Some(body)).await;
    drop(first);
    let second = app(&open(folder.path()).await);
    let (_, _, again) = send(&second, "GET /.well-known/jwks.json", &[], None).await;
    assert_eq!(again, keys);
    let (status, user) = me(&second, &tokens["access_token"]).await;
    assert_eq!((status, &user["email"]), (200, &EMAIL.into()));
    let (status, next) = refresh(&second, &tokens["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_eq!(next["session"]["id"], tokens["session"]["id"]);
    assert_eq!(me(&second, &next["access_token"]).await.0, 200);
    // What was signed out stays signed out, its unexpired access token too.
    let (status, problem) = me(&second, &gone["access_token"]).await;
    assert_eq!((status, &problem["code"]), (401, &"session_ended".into()));
    let (status, problem) = refresh(&second, &gone["refresh_token"]).await;
    assert_eq!((status, &problem["code"]), (401, &"session_ended".into()));
    sign_in(&second).await;
}

async fn sign_in(app: &Router) -> Value {
    let body = json!({ "email": EMAIL, "password": PASSWORD, "delivery": "body" });
    let (status, _, body) = send(app, "POST /auth/login", &[], Some(body)).await;
    assert_eq!(status, 200);
    body
}

#[tokio::test]
async fn two_processes_on_one_file_share_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(folder.path()).await, open(folder.path()).await);
    let (here, there) = (app(&first), app(&second));
    let tokens = sign_up(&here).await;
    assert_eq!(me(&there, &tokens["access_token"]).await.0, 200);
    let (status, next) = refresh(&there, &tokens["refresh_token"]).await;
    assert_eq!(status, 200);
    // The other one knows that the first token was used, and gives the same successor again.
    let (status, again) = refresh(&here, &tokens["refresh_token"]).await;
    assert_eq!(
        (status, &again["refresh_token"]),
        (200, &next["refresh_token"])
    );
    let body = json!({ "refresh_token": next["refresh_token"] });
    send(&here, "POST /auth/logout", &[], Some(body)).await;
    second.sync().await.unwrap();
    let (status, problem) = me(&there, &next["access_token"]).await;
    assert_eq!((status, &problem["code"]), (401, &"session_ended".into()));
}

#[tokio::test]
async fn an_app_with_users_of_its_own_opens_sessions_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let auth = open(folder.path()).await;
    let app = app(&auth);
    let user = UserId::parse("customer-17").unwrap();
    let proof = Proof::asserted_by_app(user.clone(), &["pwd", "otp"]);
    let opening = Opening {
        delivery: Delivery::Body,
        ..Opening::default()
    };
    let issued = auth.open_session(proof, opening).await.unwrap();
    assert!(issued.user.is_none());
    let access = Value::from(issued.access.expose());
    assert_eq!(
        me(&app, &access).await,
        (200, json!({ "id": "customer-17" }))
    );
    let (status, next) = refresh(&app, &issued.refresh.expose().into()).await;
    assert_eq!(status, 200);
    assert_eq!(next["user"], json!({ "id": "customer-17" }));
    let bearer = format!("Bearer {}", next["access_token"].as_str().unwrap());
    let lines = [("authorization", bearer.as_str())];
    let (_, _, text) = send(&app, "GET /hello", &lines, None).await;
    assert_eq!(text, "Hello, customer-17!");
    assert_eq!(auth.sessions(&user).await.unwrap().len(), 1);
    let (_, _, list) = send(&app, "GET /auth/sessions", &lines, None).await;
    assert_eq!(list["sessions"][0]["current"], true);
    let (status, _, _) = send(&app, "POST /auth/logout", &lines, None).await;
    assert_eq!(status, 204);
    let (status, problem) = refresh(&app, &next["refresh_token"]).await;
    assert_eq!((status, &problem["code"]), (401, &"session_ended".into()));
    assert_eq!(me(&app, &next["access_token"]).await.0, 401);
}
