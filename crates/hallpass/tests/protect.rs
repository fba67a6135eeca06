//! What `protect` says about an app's own routes: in the words of a profile, or in the app's.
#![cfg(test)]

mod common;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request};
use axum::routing::post;
use axum::{Json, Router};
use common::send;
use hallpass::{Caller, ErrorShape, Hallpass, MaybeCaller, Profile};
use serde_json::json;
use tower::ServiceExt as _;

async fn open(profile: Profile) -> (tempfile::TempDir, Hallpass) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("app.db").display());
    let auth = Hallpass::builder(&database).profile(profile).open();
    (folder, auth.await.unwrap())
}

fn orders() -> Router {
    Router::new().route(
        "/orders",
        post(async |caller: Caller| caller.subject().to_owned()),
    )
}

#[tokio::test]
async fn an_apps_own_routes_refuse_in_the_words_of_the_profile() {
    for (profile, said) in [
        (Profile::Native, json!("not_authenticated")),
        (Profile::FastAuth, json!("Not authenticated")),
        (Profile::Bluefox, json!("Not authenticated")),
        (
            Profile::AuthFort,
            json!({ "error": "token_missing", "message": "No access token provided" }),
        ),
    ] {
        let (_folder, auth) = open(profile).await;
        let app = auth.protect(orders());
        let (status, headers, answer) = send(&app, "POST /orders", &[], None).await;
        assert_eq!(status, 401);
        assert_eq!(headers["www-authenticate"], r#"Bearer realm="hallpass""#);
        let member = match profile {
            Profile::Native => "code",
            _ => "detail",
        };
        assert_eq!(answer[member], said, "{profile:?}");
    }
}

#[tokio::test]
async fn an_app_has_the_first_word_on_its_own_routes() {
    let (_folder, auth) = open(Profile::FastAuth).await;
    let own = ErrorShape::new(|problem| {
        (
            problem.code.status(),
            Json(json!({ "oops": problem.code.as_str() })),
        )
    });
    let app = auth.protect(orders().layer(own));
    let (status, _, answer) = send(&app, "POST /orders", &[], None).await;
    assert_eq!(
        (status, answer),
        (401, json!({ "oops": "not_authenticated" }))
    );
    let (status, _, answer) = send(&app, "GET /auth/me", &[], None).await;
    assert_eq!(
        (status, answer),
        (401, json!({ "detail": "Not authenticated" }))
    );
}

/// A form of an app's own page, which needs no script.
#[tokio::test]
async fn a_form_carries_the_proof_where_the_app_names_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("app.db").display());
    let auth = Hallpass::builder(&database)
        .web(|web| web.csrf_field = Some("csrf_token".into()))
        .open();
    let auth = auth.await.unwrap();
    let text = async |_: Caller, body: String| body;
    let app = auth.protect(Router::new().route("/orders", post(text)));
    let user = json!({ "email": common::EMAIL, "password": common::PASSWORD });
    let (_, headers, answer) = send(&app, "POST /auth/signup", &[], Some(user)).await;
    let access = headers.get_all("set-cookie").iter();
    let access = access.map(|line| line.to_str().unwrap().split(';').next().unwrap());
    let mut access = access;
    let access = access.find(|pair| pair.starts_with("hp_access=")).unwrap();
    let csrf = answer["csrf_token"].as_str().unwrap();
    for (form, status) in [
        (format!("item=1&csrf_token={csrf}"), 200),
        ("item=1".to_owned(), 403),
    ] {
        let request = Request::post("/orders")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", access)
            .body(Body::from(form.clone()));
        let answer = app.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status);
        if status == 200 {
            let body = to_bytes(answer.into_body(), 1000).await.unwrap();
            assert_eq!(body, form);
        }
    }
}

/// An app without our routes may use their names.
#[tokio::test]
async fn a_route_of_the_apps_own_under_one_of_our_names_asks_the_gate_like_any_other() {
    let (_folder, auth) = open(Profile::Native).await;
    let signed_up = {
        let body = json!({ "email": common::EMAIL, "password": common::PASSWORD });
        send(&auth.routes(), "POST /auth/signup", &[], Some(body)).await
    };
    let cookies: Vec<_> = signed_up.1.get_all("set-cookie").iter().collect();
    let pair = |line: &&HeaderValue| {
        let line = line.to_str().unwrap();
        line.split(';').next().unwrap().to_owned()
    };
    let cookies = cookies.iter().map(pair).collect::<Vec<_>>().join("; ");
    let own = Router::new()
        .route(
            "/auth/me",
            axum::routing::get(async |caller: Caller| caller.subject().to_owned()),
        )
        .route(
            "/auth/sessions",
            post(async |MaybeCaller(caller): MaybeCaller| caller.is_some().to_string()),
        )
        .layer(auth.layer());
    let ours = [("cookie", cookies.as_str())];
    let user = &signed_up.2["user"]["id"];
    assert_eq!(
        send(&own, "GET /auth/me", &[], None).await.2["code"],
        "not_authenticated"
    );
    assert_eq!(&send(&own, "GET /auth/me", &ours, None).await.2, user);
    let refused = send(&own, "POST /auth/sessions", &ours, None).await;
    assert_eq!(
        (refused.0, &refused.2["code"]),
        (403, &json!("csrf_missing"))
    );
    let csrf = signed_up.2["csrf_token"].as_str().unwrap();
    let proved = [ours[0], ("x-csrf-token", csrf)];
    let answer = send(&own, "POST /auth/sessions", &proved, None).await;
    assert_eq!((answer.0, answer.2), (200, json!(true)));
}
