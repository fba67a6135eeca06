//! What access tokens say under each profile, and what users may do.

use crate::common::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::audit::EventKind;
use hallpass_core::user::Password;
use hallpass_core::{Hallpass, Issued, Profile, Settings, SignUp};
use hallpass_verify::TokenError;
use serde_json::{Value, json};

const ISSUER: &str = "https://auth.example.test";

async fn process_of(world: &World, profile: Profile) -> Hallpass {
    let Settings {
        password_cost,
        password_pool,
        ..
    } = cheap();
    let settings = Settings {
        password_cost,
        password_pool,
        ..Settings::for_profile(profile, ISSUER)
    };
    world.process_with(settings).await
}

async fn sign_up_named(hallpass: &Hallpass, name: Option<&str>, roles: &[&str]) -> Issued {
    let sign_up = SignUp {
        email: email("ada"),
        password: Password::chosen(PASSWORD).unwrap(),
        name: name.map(str::to_owned),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
    };
    hallpass.sign_up(sign_up, opening()).await.unwrap()
}

/// The header and the claims, unverified.
fn parts(issued: &Issued) -> (Value, Value) {
    let mut parts = issued.access.expose().split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

fn names(claims: &Value) -> Vec<&str> {
    let members = claims.as_object().unwrap();
    let mut names: Vec<_> = members.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_token_of_ours_says_nothing_personal() {
    let (_, hallpass) = World::started().await;
    let issued = sign_up_named(&hallpass, Some("Ada"), &["admin"]).await;
    let (header, claims) = parts(&issued);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("EdDSA"), &json!("at+jwt"))
    );
    let expected = [
        "amr",
        "aud",
        "auth_time",
        "csh",
        "exp",
        "iat",
        "iss",
        "jti",
        "roles",
        "sid",
        "sub",
    ];
    assert_eq!(names(&claims), expected);
    // Most users have no role, and then the claim is not there.
    let (_, claims) = parts(&open(&hallpass, "bob").await);
    assert!(!names(&claims).contains(&"roles"));
}

#[tokio::test]
async fn a_token_of_authfort_says_what_its_services_read_and_is_ours_in_all_else() {
    let world = World::new();
    let hallpass = process_of(&world, Profile::AuthFort).await;
    let issued = sign_up_named(&hallpass, Some("Ada"), &[]).await;
    let (header, claims) = parts(&issued);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("RS256"), &json!("at+jwt"))
    );
    let expected = [
        "amr",
        "auth_time",
        "csh",
        "email",
        "exp",
        "iat",
        "iss",
        "jti",
        "mfa_enabled",
        "name",
        "roles",
        "sid",
        "sub",
        "ver",
    ];
    assert_eq!(names(&claims), expected);
    let user = issued.user.as_ref().unwrap();
    assert_eq!(
        (
            &claims["iss"],
            &claims["sub"],
            &claims["email"],
            &claims["name"]
        ),
        (
            &json!(ISSUER),
            &json!(user.id.as_str()),
            &json!("ada@example.test"),
            &json!("Ada")
        )
    );
    // Required, so there even when there is nothing to say.
    assert_eq!(
        (&claims["roles"], &claims["ver"], &claims["mfa_enabled"]),
        (&json!([]), &json!(0), &json!(false))
    );
    let caller = verify(&hallpass, &issued).unwrap();
    assert_eq!(caller.session(), Some(issued.session.id));
    assert!(caller.claims().audiences.is_empty());
    assert_eq!(
        caller.claim("email").and_then(|email| email.as_str()),
        Some("ada@example.test")
    );
}

#[tokio::test]
async fn a_token_of_authfort_without_a_name_says_null_and_of_a_foreign_user_no_address() {
    let world = World::new();
    let hallpass = process_of(&world, Profile::AuthFort).await;
    let (_, claims) = parts(&sign_up_named(&hallpass, None, &[]).await);
    assert_eq!(claims["name"], Value::Null);
    assert!(names(&claims).contains(&"name"));
    let foreign = open(&hallpass, "bob").await;
    let (_, claims) = parts(&foreign);
    assert!(!names(&claims).contains(&"email"));
    assert!(verify(&hallpass, &foreign).is_ok());
}

#[tokio::test]
async fn tokens_of_one_profile_are_not_taken_under_another() {
    let world = World::new();
    let (native, authfort) = (
        process_of(&world, Profile::Native).await,
        process_of(&world, Profile::AuthFort).await,
    );
    for (issuer, verifier) in [(&native, &authfort), (&authfort, &native)] {
        issuer.sync().await.unwrap();
        let issued = open(issuer, "ada").await;
        verifier.sync().await.unwrap();
        assert!(verify(issuer, &issued).is_ok());
        assert_eq!(verify(verifier, &issued).unwrap_err(), TokenError::Invalid);
    }
}

#[tokio::test]
async fn os_02_a_role_that_is_taken_away_is_gone_from_introspection_at_once() {
    let (world, hallpass) = World::started().await;
    let other = world.process().await;
    let issued = sign_up_named(&hallpass, None, &["admin"]).await;
    let user = issued.user.as_ref().unwrap();
    let roles_now = async || {
        let found = other
            .introspect(issued.access.expose())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.user.as_ref().unwrap().roles, found.roles);
        found.roles
    };
    assert_eq!(roles_now().await, ["admin"]);
    let replaced = ["editor".to_owned(), "author".to_owned()];
    hallpass
        .set_roles(&user.id, &replaced, &device(1))
        .await
        .unwrap();
    assert_eq!(roles_now().await, replaced);
    let event = world.audit.last(EventKind::RolesChanged);
    assert_eq!(event.user.as_ref(), Some(&user.id));
    // The token itself says what was true when it was issued; the next one what is true now.
    assert_eq!(verify(&hallpass, &issued).unwrap().roles(), ["admin"]);
    let refreshed = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    assert_eq!(verify(&hallpass, &refreshed).unwrap().roles(), replaced);
}

#[tokio::test]
async fn a_user_who_is_not_there_gets_no_roles() {
    let (world, hallpass) = World::started().await;
    let outcome = hallpass
        .set_roles(&user_id("nobody"), &[], &device(1))
        .await;
    expect(&outcome, "not_found");
    assert_eq!(world.audit.count(EventKind::RolesChanged), 0);
}
