//! Users of another system keep their ids and their passwords: their hashes are taken as they are.
#![cfg(test)]

mod common;

use axum::Router;
use common::{EMAIL, PASSWORD, me, open, send};
use hallpass::core::user::{Email, PasswordHash, User};
use hallpass::{Hallpass, UserId};
use serde_json::json;
use std::path::Path;

/// The password of the tests, hashed by `argon2-cffi` at the cost that `AuthFort` and `FastAuth`
/// have: 64 MiB, 3 passes, 4 lanes.
const HASH: &str = "$argon2id$v=19$m=65536,t=3,p=4$vJ9//tTMeXrVEISGaGCRmg$qngtwXtu928Bn5vpG9wo0ICxNySZ2kxPgCvbx/3UJ9s";
/// The password `U*U` hashed by bcrypt, of the published test vectors.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
/// An id of `AuthFort`.
const ID: &str = "b19ba5ad-fd9a-4593-9fbb-06a2b7566f9e";

/// Opens an app with a user whose hash came from elsewhere.
async fn open_with(folder: &Path, hash: &str) -> Hallpass {
    let auth = open(folder).await;
    let user = User {
        id: UserId::parse(ID).unwrap(),
        email: Email::parse(EMAIL).unwrap(),
        name: None,
        roles: Vec::new(),
        created_at: auth.clock().now(),
    };
    let hash = PasswordHash::new(hash.to_owned());
    auth.store().insert_user(&user, &hash).await.unwrap();
    auth
}

#[tokio::test]
async fn a_user_of_authfort_or_fastauth_signs_in_with_their_hash_and_their_id() {
    let folder = tempfile::tempdir().unwrap();
    let auth = open_with(folder.path(), HASH).await;
    let app = auth.protect(Router::new());
    for (password, expected) in [
        ("a fox", 401),
        (PASSWORD, 200),
        (PASSWORD, 200),
        ("a fox", 401),
    ] {
        let body = json!({ "email": EMAIL, "password": password, "delivery": "body" });
        let (status, _, answer) = send(&app, "POST /auth/login", &[], Some(body)).await;
        assert_eq!(status, expected, "{answer}");
        if status == 200 {
            let (status, user) = me(&app, &answer["access_token"]).await;
            assert_eq!((status, user["id"].as_str()), (200, Some(ID)));
        }
    }
    // The first sign-in replaced the hash by one of our cost.
    let key = Email::parse(EMAIL).unwrap().key();
    let stored = auth.store().credentials(&key).await.unwrap().unwrap();
    let hash = stored.password.expose();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
}

/// What `BluefoxAuth` stores.
#[tokio::test]
async fn a_bcrypt_hash_signs_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let auth = open_with(folder.path(), BCRYPT).await;
    let app = auth.protect(Router::new());
    let body = json!({ "email": EMAIL, "password": "U*U" });
    let (status, _, answer) = send(&app, "POST /auth/login", &[], Some(body)).await;
    assert!(status >= 400, "{answer}");
}
