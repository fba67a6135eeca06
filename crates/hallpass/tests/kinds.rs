//! Several kinds of users in one app: nothing of one kind is good for another.
#![cfg(test)]

mod common;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use common::{EMAIL, PASSWORD, send};
use hallpass::{Caller, Hallpass, WebSettings};
use serde_json::{Value, json};
use std::path::Path;

async fn kind(folder: &Path, kind: &str) -> Hallpass {
    let database = format!("sqlite://{}", folder.join(format!("{kind}.db")).display());
    let auth = Hallpass::builder(&database).kind(kind);
    auth.open().await.unwrap()
}

/// An app in which customers and admins sign in, each with routes of their own.
async fn shop(folder: &Path) -> Router {
    let (customers, admins) = (
        kind(folder, "customers").await,
        kind(folder, "admins").await,
    );
    let who = async |caller: Caller| caller.subject().to_owned();
    let orders = Router::new().route("/orders", get(who).post(who));
    let reports = Router::new()
        .route("/reports", get(who))
        .route("/close", post(who));
    customers.protect(orders).merge(admins.protect(reports))
}

async fn sign_up(app: &Router, kind: &str, delivery: &str) -> (HeaderMap, Value) {
    let body = json!({ "email": EMAIL, "password": PASSWORD, "delivery": delivery });
    let (status, headers, body) =
        send(app, &format!("POST /{kind}/auth/signup"), &[], Some(body)).await;
    assert_eq!(status, 201, "{body}");
    (headers, body)
}

fn pairs(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all("set-cookie").iter();
    let pair = |line: &str| line.split(';').next().unwrap().to_owned();
    lines.map(|line| pair(line.to_str().unwrap())).collect()
}

#[tokio::test]
async fn a_token_of_one_kind_of_users_is_refused_by_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let app = shop(folder.path()).await;
    let (_, customer) = sign_up(&app, "customers", "body").await;
    let (_, admin) = sign_up(&app, "admins", "body").await;
    let ask = |route: &'static str, answer: &Value| {
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
        let app = app.clone();
        async move { send(&app, route, &[("authorization", &bearer)], None).await }
    };
    for (route, good, other) in [
        ("GET /orders", &customer, &admin),
        ("GET /customers/auth/me", &customer, &admin),
        ("GET /reports", &admin, &customer),
        ("GET /admins/auth/me", &admin, &customer),
    ] {
        assert_eq!(ask(route, good).await.0, 200, "{route}");
        let (status, _, problem) = ask(route, other).await;
        assert_eq!(
            (status, &problem["code"]),
            (401, &json!("token_invalid")),
            "{route}"
        );
    }
    for (route, other) in [
        ("POST /admins/auth/refresh", &customer),
        ("POST /customers/auth/refresh", &admin),
    ] {
        let body = json!({ "refresh_token": other["refresh_token"] });
        let (status, _, problem) = send(&app, route, &[], Some(body)).await;
        assert_eq!(
            (status, &problem["code"]),
            (401, &json!("token_invalid")),
            "{route}"
        );
    }
}

#[tokio::test]
async fn one_browser_is_signed_in_as_both_kinds_at_once_and_out_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let app = shop(folder.path()).await;
    let (customer, _) = sign_up(&app, "customers", "cookie").await;
    let (admin, answer) = sign_up(&app, "admins", "cookie").await;
    let (customer, admin) = (pairs(&customer), pairs(&admin));
    let names = |pairs: &[String]| {
        let name = |pair: &String| pair.split('=').next().unwrap().to_owned();
        pairs.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&customer),
        [
            "hp_customers_access",
            "hp_customers_refresh",
            "hp_customers_csrf"
        ]
    );
    assert_eq!(
        names(&admin),
        ["hp_admins_access", "hp_admins_refresh", "hp_admins_csrf"]
    );
    let both = [customer.clone(), admin.clone()].concat().join("; ");
    let headers = [
        ("cookie", both.as_str()),
        ("x-csrf-token", answer["csrf_token"].as_str().unwrap()),
    ];
    assert_eq!(send(&app, "GET /orders", &headers, None).await.0, 200);
    assert_eq!(send(&app, "GET /reports", &headers, None).await.0, 200);
    // The CSRF token of one is no proof for the other.
    assert_eq!(send(&app, "POST /close", &headers, None).await.0, 200);
    assert_eq!(
        send(&app, "POST /orders", &headers, None).await.2["code"],
        "csrf_invalid"
    );
    assert_eq!(
        send(&app, "POST /admins/auth/logout", &headers, None)
            .await
            .0,
        204
    );
    assert_eq!(send(&app, "GET /reports", &headers, None).await.0, 401);
    assert_eq!(send(&app, "GET /orders", &headers, None).await.0, 200);
    // A value under the other kind's name stays a stranger's.
    let stolen = customer[0].replace("customers", "admins");
    let (status, _, problem) = send(&app, "GET /reports", &[("cookie", &stolen)], None).await;
    assert_eq!((status, &problem["code"]), (401, &json!("token_invalid")));
}

#[tokio::test]
async fn each_kind_publishes_its_own_keys_under_its_own_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let app = shop(folder.path()).await;
    let mut seen = Vec::new();
    for kind in ["customers", "admins"] {
        let path = format!("GET /.well-known/oauth-authorization-server/{kind}");
        let (status, _, metadata) = send(&app, &path, &[], None).await;
        assert_eq!(
            (status, &metadata["issuer"]),
            (200, &json!(format!("http://localhost:3000/{kind}")))
        );
        let jwks = metadata["jwks_uri"].as_str().unwrap();
        assert_eq!(
            jwks,
            format!("http://localhost:3000/{kind}/.well-known/jwks.json")
        );
        let path = jwks.strip_prefix("http://localhost:3000").unwrap();
        let (status, _, set) = send(&app, &format!("GET {path}"), &[], None).await;
        assert_eq!(status, 200);
        seen.push(set["keys"][0]["kid"].clone());
    }
    assert_ne!(seen[0], seen[1]);
}

/// Under a name of ours, too, which the layer of its kind leaves to the route.
#[tokio::test]
async fn what_the_gate_of_one_kind_found_says_nothing_to_a_route_behind_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (customers, admins) = (
        kind(folder.path(), "customers").await,
        kind(folder.path(), "admins").await,
    );
    let who = async |caller: Caller| caller.subject().to_owned();
    let own = Router::new()
        .route("/admins/auth/me", get(who))
        .route("/admins/reports", get(who))
        .layer(admins.layer());
    let app = customers.protect(own);
    let (_, customer) = sign_up(&app, "customers", "body").await;
    let (_, admin) = sign_up(&admins.routes(), "admins", "body").await;
    for route in ["GET /admins/auth/me", "GET /admins/reports"] {
        for (answer, expected) in [(&customer, 401), (&admin, 200)] {
            let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
            let (status, ..) = send(&app, route, &[("authorization", &bearer)], None).await;
            assert_eq!(status, expected, "{route}");
        }
    }
}

#[tokio::test]
async fn a_name_that_is_no_word_is_refused_as_a_kind() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "Admins", "a/b", "a b", "ä", &"a".repeat(33)] {
        let database = format!("sqlite://{}", folder.path().join("app.db").display());
        let fault = Hallpass::builder(&database)
            .kind(name)
            .open()
            .await
            .unwrap_err();
        assert!(fault.to_string().contains("`kind`"), "{name}: {fault}");
    }
}

#[tokio::test]
async fn kinds_with_the_names_of_another_system_have_cookies_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = std::collections::BTreeSet::new();
    for kind in ["customers", "admins"] {
        let database = format!("sqlite://{}", folder.path().join(kind).display());
        let auth = Hallpass::builder(&database).kind(kind);
        let auth = auth.web(WebSettings::use_authx_names).open().await.unwrap();
        let cookies = auth.web().cookies();
        for cookie in [cookies.access(), cookies.refresh(), cookies.csrf()] {
            names.insert(cookie.name().to_string());
        }
    }
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(names.contains("admins_access_token_cookie"), "{names:?}");
}
