//! What an app asks of a session: scopes, claims of its own, lifetimes.

use crate::common::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::session::{Device, Persistence};
use hallpass_core::user::Password;
use hallpass_core::{
    Error, GrantFault, Hallpass, Issued, LIFETIME_MAX, Lifetimes, Opening, OwnClaims, Profile,
    Proof, ROLES_LEN_MAX, Scopes, Settings, SignUp,
};
use hallpass_verify::{Algorithm, Caller, Location};
use serde_json::json;
use std::time::Duration;

fn scopes(scopes: &[&str]) -> Scopes {
    Scopes::new(scopes).unwrap()
}

fn claims(name: &str, value: impl Into<serde_json::Value>) -> OwnClaims {
    OwnClaims::default().with(name, value).unwrap()
}

fn granted() -> Opening {
    Opening {
        scopes: scopes(&["orders:read", "users:*"]),
        claims: claims("tenant", "acme")
            .with("plan", json!({"seats": 12}))
            .unwrap(),
        ..opening()
    }
}

fn proof(name: &str) -> Proof {
    Proof::asserted_by_app(user_id(name), &["pwd"])
}

async fn opened(hallpass: &Hallpass, opening: Opening) -> Result<Issued, Error> {
    hallpass.open_session(proof("ada"), opening).await
}

#[track_caller]
fn has_what_was_granted(caller: &Caller) {
    assert_eq!(caller.scopes(), ["orders:read", "users:*"]);
    let tenant = caller.claim("tenant").and_then(|tenant| tenant.as_str());
    assert_eq!(tenant, Some("acme"));
    let plan = caller.claim("plan").and_then(|plan| plan.as_object());
    let seats = plan.and_then(|plan| plan.get("seats")?.as_u64());
    assert_eq!(seats, Some(12));
}

#[tokio::test]
async fn every_access_token_of_a_session_says_what_it_was_opened_with() {
    let (world, hallpass) = World::started().await;
    let issued = opened(&hallpass, granted()).await.unwrap();
    has_what_was_granted(&verify(&hallpass, &issued).unwrap());
    world.clock.advance(HOUR);
    let refreshed = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    has_what_was_granted(&verify(&hallpass, &refreshed).unwrap());
    // The successor again, and by another process.
    let elsewhere = world.process().await;
    let again = refresh(&elsewhere, issued.refresh.expose()).await.unwrap();
    has_what_was_granted(&verify(&hallpass, &again).unwrap());
    let active = hallpass.introspect(again.access.expose()).await.unwrap();
    has_what_was_granted(&active.unwrap().caller);
    let ticket = hallpass.issue_ticket(issued.session.id).await.unwrap();
    let (token, _) = hallpass.redeem_ticket(ticket.expose()).await.unwrap();
    let verifier = hallpass.verifier();
    let caller = verifier.verify(token.expose(), Location::Header, world.now());
    has_what_was_granted(&caller.unwrap());
    // Nobody else's say so.
    let other = verify(&hallpass, &open(&hallpass, "ada").await).unwrap();
    assert_eq!((other.scopes().len(), other.claims().others.len()), (0, 0));
}

#[tokio::test]
async fn a_session_lives_as_long_as_the_app_says() {
    let (world, hallpass) = World::started().await;
    let lifetimes = |idle, absolute| Opening {
        lifetimes: Some(Lifetimes { idle, absolute }),
        persistence: Persistence::Transient,
        ..opening()
    };
    let minute = 60 * SECOND;
    let issued = opened(&hallpass, lifetimes(minute, 2 * minute))
        .await
        .unwrap();
    assert_eq!(issued.session.persistence, Persistence::Transient);
    // No access token outlives its session.
    assert_eq!(issued.access_expires_in, minute);
    assert_eq!(issued.refresh_expires_in, minute);
    world.clock.advance(59 * SECOND);
    let refreshed = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    assert_eq!(refreshed.refresh_expires_in, minute);
    world.clock.advance(59 * SECOND);
    let refreshed = refresh(&hallpass, refreshed.refresh.expose())
        .await
        .unwrap();
    assert_eq!(refreshed.refresh_expires_in, 2 * SECOND);
    world.clock.advance(2 * SECOND);
    let over = refresh(&hallpass, refreshed.refresh.expose()).await;
    expect(&over, "session_ended");
    assert!(
        opened(&hallpass, lifetimes(10 * SECOND, LIFETIME_MAX))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_lifetime_that_no_session_has_is_a_fault_of_the_app_and_changes_nothing() {
    let (world, hallpass) = World::started().await;
    let former = open(&hallpass, "ada").await;
    for (idle, absolute) in [
        (Duration::ZERO, HOUR),
        (Duration::from_millis(9_999), HOUR),
        (HOUR, 3_599 * SECOND),
        (HOUR, Duration::ZERO),
        (HOUR, LIFETIME_MAX + SECOND),
        (Duration::MAX, Duration::MAX),
    ] {
        let opening = || Opening {
            lifetimes: Some(Lifetimes { idle, absolute }),
            replaces: Some(former.session.id),
            ..opening()
        };
        let refused = opened(&hallpass, opening()).await.unwrap_err();
        assert!(matches!(refused, Error::Grant(GrantFault::Lifetimes)));
        let sign_up = SignUp {
            email: email("ada"),
            password: Password::chosen(PASSWORD).unwrap(),
            name: None,
            roles: Vec::new(),
        };
        expect(&hallpass.sign_up(sign_up, opening()).await, "grant");
        expect(
            &sign_in(&hallpass, "ada", PASSWORD, opening()).await,
            "grant",
        );
    }
    assert_eq!(world.hashes(), 0);
    hallpass.expect_live(former.session.id).await.unwrap();
    assert_eq!(hallpass.sessions(&user_id("ada")).await.unwrap().len(), 1);
}

fn of_profile(profile: Profile) -> Settings {
    Settings {
        profile,
        algorithm: Algorithm::Rs256,
        ..cheap()
    }
}

#[tokio::test]
async fn what_a_profile_says_about_a_user_is_not_for_the_app_to_say() {
    let world = World::new();
    let authfort = world.process_with(of_profile(Profile::AuthFort)).await;
    for name in ["email", "name", "ver", "mfa_enabled", "Email"] {
        let opening = Opening {
            claims: claims(name, "eve@example.test"),
            ..opening()
        };
        let refused = opened(&authfort, opening).await.unwrap_err();
        let expected = GrantFault::ClaimOfProfile(name.into());
        assert!(matches!(refused, Error::Grant(fault) if fault == expected));
    }
    assert!(opened(&authfort, granted()).await.is_ok());
}

#[tokio::test]
async fn a_session_goes_on_under_a_profile_that_says_what_the_app_said() {
    let world = World::new();
    let native = world.process_with(of_profile(Profile::Native)).await;
    let opening = Opening {
        claims: claims("email", "eve@example.test")
            .with("tenant", "acme")
            .unwrap(),
        ..opening()
    };
    let issued = opened(&native, opening).await.unwrap();
    let said = |caller: &Caller, name: &str| {
        let claim = caller.claim(name)?;
        claim.as_str().map(ToOwned::to_owned)
    };
    let caller = verify(&native, &issued).unwrap();
    assert_eq!(said(&caller, "email").as_deref(), Some("eve@example.test"));
    let authfort = world.process_with(of_profile(Profile::AuthFort)).await;
    let refreshed = refresh(&authfort, issued.refresh.expose()).await.unwrap();
    let caller = verify(&authfort, &refreshed).unwrap();
    assert_eq!(said(&caller, "email"), None);
    assert_eq!(said(&caller, "tenant").as_deref(), Some("acme"));
}

#[tokio::test]
async fn ck_03_a_token_that_says_the_most_it_may_fits_into_a_cookie() {
    let world = World::new();
    let url = format!("https://{}.example.test", "a".repeat(100));
    let settings = Settings {
        issuer: url.clone(),
        algorithm: Algorithm::Rs256,
        ..cheap()
    };
    let hallpass = world.process_with(settings).await;
    let opening = Opening {
        scopes: scopes(&["s".repeat(512).as_str()]),
        claims: claims("c", "x".repeat(1024 - r#"{"c":""}"#.len())),
        ..opening()
    };
    let ada = "u".repeat(255);
    let issued = hallpass.open_session(proof(&ada), opening).await.unwrap();
    let cookie = "__Host-hp_access".len() + issued.access.expose().len();
    assert!(cookie <= 4096, "{cookie}");
    // There is room for what a user may do: some 250 bytes of roles.
    assert!(cookie + 250 * 4 / 3 <= 4096, "{cookie}");
    assert!(verify(&hallpass, &issued).is_ok());
}

/// The claims of a token, unverified.
fn payload(token: &str) -> serde_json::Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    serde_json::from_slice(&payload.unwrap()).unwrap()
}

/// So no token has a claim twice, whatever the app says.
#[tokio::test]
async fn whatever_a_token_of_ours_says_is_not_for_the_app_to_say() {
    let world = World::new();
    for profile in Profile::ALL {
        let hallpass = world.process_with(of_profile(profile)).await;
        let opening = Opening {
            scopes: scopes(&["orders:read"]),
            ..opening()
        };
        let name = profile.name();
        sign_up(&hallpass, name).await;
        let issued = sign_in(&hallpass, name, PASSWORD, opening).await.unwrap();
        let user = &issued.session.user;
        let role = ["admin".to_owned()];
        hallpass.set_roles(user, &role, &device(1)).await.unwrap();
        let refreshed = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
        let claims = payload(refreshed.access.expose());
        let members = claims.as_object().unwrap();
        assert!(members.contains_key("scope") && members.contains_key("roles"));
        for name in members.keys() {
            let Ok(claims) = OwnClaims::default().with(name.as_str(), 1) else {
                continue;
            };
            let opening = Opening {
                claims,
                ..Opening::default()
            };
            let refused = opened(&hallpass, opening).await;
            assert_eq!(outcome(&refused), "grant", "{profile:?} {name}");
        }
    }
}

/// A token that a browser does not keep would end its session at the next refresh.
#[tokio::test]
async fn ck_03_all_that_may_be_said_about_a_user_fits_into_a_cookie_and_more_roles_are_refused() {
    let (_world, hallpass) = World::started().await;
    let user = sign_up(&hallpass, "ada").await.session.user;
    let roles = |len: usize| ["r".repeat(len - r#"[""]"#.len())];
    let most = roles(ROLES_LEN_MAX);
    hallpass.set_roles(&user, &most, &device(1)).await.unwrap();
    let more = roles(ROLES_LEN_MAX + 1);
    let refused = hallpass.set_roles(&user, &more, &device(1)).await;
    assert!(matches!(refused, Err(Error::Grant(GrantFault::Roles))));
    assert_eq!(hallpass.user(&user).await.unwrap().unwrap().roles, most);
    let opening = Opening {
        scopes: scopes(&["s".repeat(512).as_str()]),
        claims: claims("c", "c".repeat(1024 - r#"{"c":""}"#.len())),
        ..opening()
    };
    let issued = sign_in(&hallpass, "ada", PASSWORD, opening).await.unwrap();
    let cookie = format!("__Host-hp_access={}", issued.access.expose());
    assert!(cookie.len() <= 4096, "{}", cookie.len());
    let email = email("bob");
    let password = Password::presented(PASSWORD).unwrap();
    let sign_up = SignUp {
        email,
        password,
        name: None,
        roles: more.to_vec(),
    };
    let refused = hallpass.add_user(sign_up, &device(1)).await;
    assert_eq!(outcome(&refused), "grant");
}

#[tokio::test]
async fn nothing_that_an_app_says_is_printed() {
    let (_world, hallpass) = World::started().await;
    let opening = granted();
    let printed = format!("{opening:?}");
    let issued = opened(&hallpass, opening).await.unwrap();
    for printed in [printed, format!("{issued:?}")] {
        assert!(printed.contains("tenant") && !printed.contains("acme"));
    }
    let device = Device::default();
    hallpass.sign_out(issued.session.id, &device).await.unwrap();
}
