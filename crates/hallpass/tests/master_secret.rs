//! What the builder knows about master secrets and services.
#![cfg(test)]

mod common;

use axum::Router;
use common::{me, refresh, send, sign_up};
use hallpass::Hallpass;
use hallpass::core::SystemRandom;
use hallpass::core::key::MasterSecret;
use hallpass::core::service::{Service, ServiceSecret};
use serde_json::json;
use std::path::Path;

fn database(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("app.db").display())
}

fn secret(first: u8) -> MasterSecret {
    MasterSecret::from_bytes((first..first + 32).collect()).unwrap()
}

#[tokio::test]
async fn a_former_secret_opens_what_it_sealed_until_it_is_sealed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Hallpass::builder(&database(folder.path()));
    let before = builder().secret(secret(0)).open().await.unwrap();
    let opened = sign_up(&before.protect(Router::new())).await;
    drop(before);
    assert!(builder().secret(secret(1)).open().await.is_err());

    let during = builder().secret(secret(1)).former_secret(secret(0));
    let during = during.open().await.unwrap();
    let (status, _) = me(&during.protect(Router::new()), &opened["access_token"]).await;
    assert_eq!(status, 200);
    assert!(during.has_former_seals().await.unwrap());
    assert_eq!(during.reseal().await.unwrap(), 2);
    drop(during);

    let after = builder().secret(secret(1)).open().await.unwrap();
    let app = after.protect(Router::new());
    assert_eq!(refresh(&app, &opened["refresh_token"]).await.0, 200);
}

#[tokio::test]
async fn a_former_secret_is_found_beside_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || Hallpass::open(&database(folder.path())).await;
    let opened = sign_up(&open().await.unwrap().protect(Router::new())).await;
    let file = |name: &str| folder.path().join(name);
    std::fs::rename(file("app.db.secret"), file("app.db.secret.former")).unwrap();
    let after = open().await.unwrap();
    assert!(file("app.db.secret").exists());
    let app = after.protect(Router::new());
    assert_eq!(refresh(&app, &opened["refresh_token"]).await.0, 200);
    after.reseal().await.unwrap();
    drop((after, app));
    std::fs::remove_file(file("app.db.secret.former")).unwrap();
    assert!(open().await.is_ok());
}

#[tokio::test]
async fn a_service_of_the_builder_may_ask_about_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let secret = ServiceSecret::draw(&SystemRandom).unwrap();
    let service = Service {
        name: "orders".into(),
        secret_hash: secret.hash(),
    };
    let auth = Hallpass::builder(&database(folder.path())).service(service);
    let app = auth.open().await.unwrap().protect(Router::new());
    let token = sign_up(&app).await["access_token"].clone();
    let ask = async |secret: &str| {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", bearer.as_str())];
        let body = json!({ "token": token });
        send(&app, "POST /auth/introspect", &headers, Some(body)).await
    };
    let (status, _, body) = ask(secret.expose()).await;
    assert_eq!((status, &body["active"]), (200, &json!(true)));
    assert_eq!(ask("hps_wrong").await.0, 401);
}
