//! A client of an app in this process.
#![allow(dead_code, reason = "no test program needs all of it")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use hallpass::Hallpass;
use serde_json::{Value, json};
use std::path::Path;
use tower::ServiceExt as _;

pub(crate) const EMAIL: &str = "alice@example.test";
pub(crate) const PASSWORD: &str = "a fox on the moon";

/// Opens the database of a folder.
pub(crate) async fn open(folder: &Path) -> Hallpass {
    let database = format!("sqlite://{}", folder.join("app.db").display());
    Hallpass::open(&database).await.unwrap()
}

/// Sends a request with these header lines; an empty body is none.
pub(crate) async fn send(
    app: &Router,
    request: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> (u16, HeaderMap, Value) {
    match body {
        Some(body) => {
            let headers = [headers, &[("content-type", "application/json")]].concat();
            send_text(app, request, &headers, body.to_string()).await
        }
        None => send_text(app, request, headers, String::new()).await,
    }
}

/// Sends a body as it stands; what it is says a header line.
pub(crate) async fn send_text(
    app: &Router,
    request: &str,
    headers: &[(&str, &str)],
    body: String,
) -> (u16, HeaderMap, Value) {
    let (method, path) = request.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (parts.status.as_u16(), parts.headers, body)
}

/// Signs up; the tokens come in the body.
pub(crate) async fn sign_up(app: &Router) -> Value {
    let body = json!({ "email": EMAIL, "password": PASSWORD, "delivery": "body" });
    let (status, _, body) = send(app, "POST /auth/signup", &[], Some(body)).await;
    assert_eq!(status, 201);
    body
}

/// Asks who the bearer of a token is.
pub(crate) async fn me(app: &Router, access: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {}", access.as_str().unwrap());
    let (status, _, body) = send(app, "GET /auth/me", &[("authorization", &bearer)], None).await;
    (status, body)
}

pub(crate) async fn refresh(app: &Router, token: &Value) -> (u16, Value) {
    let body = json!({ "refresh_token": token });
    let (status, _, body) = send(app, "POST /auth/refresh", &[], Some(body)).await;
    (status, body)
}
