//! Access tokens that belong to no session: what they say, and who takes them.

use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::{
    ACCESS_TTL_MAX, AccessGrant, Error, Freshness, GrantFault, Hallpass, LoneToken, OwnClaims,
    Profile, Proof, Scopes, Settings,
};
use hallpass_verify::{
    Algorithm, Caller, CsrfHash, Location, Timestamp, TokenError, Verifier, VerifierSettings, csrf,
};
use std::time::Duration;

/// Settings that allow tokens without a session, for an hour at most.
pub(crate) fn allowed() -> Settings {
    Settings {
        sessionless_ttl_max: Some(HOUR),
        ..cheap()
    }
}

pub(crate) async fn started() -> (World, Hallpass) {
    let world = World::new();
    let hallpass = world.process_with(allowed()).await;
    (world, hallpass)
}

pub(crate) async fn issue(
    hallpass: &Hallpass,
    name: &str,
    grant: AccessGrant,
) -> Result<LoneToken, Error> {
    let proof = Proof::asserted_by_app(user_id(name), &["pwd"]);
    hallpass.issue_access_token(proof, grant).await
}

pub(crate) async fn lone(hallpass: &Hallpass, name: &str) -> LoneToken {
    issue(hallpass, name, AccessGrant::default()).await.unwrap()
}

pub(crate) fn caller_of(hallpass: &Hallpass, lone: &LoneToken) -> Result<Caller, TokenError> {
    let now = hallpass.clock().now();
    let token = lone.token.expose();
    hallpass.verifier().verify(token, Location::Header, now)
}

async fn fault(hallpass: &Hallpass, grant: AccessGrant) -> Option<GrantFault> {
    match issue(hallpass, "ada", grant).await {
        Ok(_) => None,
        Err(Error::Grant(fault)) => Some(fault),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_without_a_session_is_neither_issued_nor_accepted_unless_a_setting_says_so() {
    let (world, hallpass) = started().await;
    let default = world.process().await;
    let refused = fault(&default, AccessGrant::default()).await;
    assert_eq!(refused, Some(GrantFault::Sessionless));
    let lone = lone(&hallpass, "ada").await;
    assert!(caller_of(&hallpass, &lone).is_ok());
    assert_eq!(caller_of(&default, &lone).unwrap_err(), TokenError::Invalid);
    // It opens none, and renews nothing.
    assert!(hallpass.sessions(&user_id("ada")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_token_without_a_session_says_what_it_was_granted_and_nothing_more() {
    let (world, hallpass) = started().await;
    let grant = AccessGrant {
        ttl: Some(60 * SECOND),
        scopes: Scopes::new(["orders:read", "users:*"]).unwrap(),
        claims: OwnClaims::default().with("tenant", "acme").unwrap(),
        device: device(3),
        ..AccessGrant::default()
    };
    let lone = issue(&hallpass, "ada", grant).await.unwrap();
    let caller = caller_of(&hallpass, &lone).unwrap();
    assert_eq!((caller.subject(), caller.session()), ("ada", None));
    assert_eq!(caller.token_id(), lone.token_id);
    assert_eq!(caller.scopes(), ["orders:read", "users:*"]);
    let tenant = caller.claim("tenant").and_then(|tenant| tenant.as_str());
    assert_eq!(tenant, Some("acme"));
    assert_eq!(caller.claims().others.len(), 1);
    assert_eq!(caller.claims().audiences, [allowed().audience()]);
    assert_eq!(caller.claims().issued_at, NOW);
    assert_eq!(caller.methods(), ["pwd"]);
    assert_eq!(lone.expires_in, 60 * SECOND);
    assert_eq!(caller.expires_at(), NOW.plus(60 * SECOND));
    let event = world.audit.last(EventKind::TokenIssued);
    assert_eq!(event.user, Some(user_id("ada")));
    assert_eq!((event.session, event.device), (None, device(3)));
    let printed = format!("{lone:?}");
    assert!(!printed.contains(lone.token.expose()) && !printed.contains(lone.csrf.expose()));
}

#[tokio::test]
async fn a_user_of_ours_has_their_roles_in_it() {
    let (_world, hallpass) = started().await;
    let user = sign_up(&hallpass, "ada").await.session.user;
    let roles = ["admin".to_owned()];
    hallpass.set_roles(&user, &roles, &device(1)).await.unwrap();
    let lone = lone(&hallpass, user.as_str()).await;
    assert_eq!(caller_of(&hallpass, &lone).unwrap().roles(), roles);
}

#[tokio::test]
async fn it_lives_ten_seconds_to_what_the_settings_say() {
    let (world, hallpass) = started().await;
    let ttl = |ttl| AccessGrant {
        ttl: Some(ttl),
        ..AccessGrant::default()
    };
    for wrong in [Duration::ZERO, 9 * SECOND, HOUR + SECOND, Duration::MAX] {
        let refused = fault(&hallpass, ttl(wrong)).await;
        assert_eq!(refused, Some(GrantFault::Lifetime), "{wrong:?}");
    }
    assert_eq!(fault(&hallpass, ttl(10 * SECOND)).await, None);
    let longest = issue(&hallpass, "ada", ttl(HOUR)).await.unwrap();
    // As long as other access tokens, when the app does not say.
    let usual = lone(&hallpass, "ada").await;
    assert_eq!(usual.expires_in, allowed().access_ttl);
    world.clock.advance(HOUR + allowed().leeway);
    assert!(caller_of(&hallpass, &longest).is_ok());
    world.clock.advance(SECOND);
    let expired = caller_of(&hallpass, &longest).unwrap_err();
    assert_eq!(expired, TokenError::Expired);
}

#[tokio::test]
async fn it_may_live_longer_or_shorter_than_other_access_tokens() {
    for ttl_max in [60 * SECOND, ACCESS_TTL_MAX] {
        let settings = Settings {
            sessionless_ttl_max: Some(ttl_max),
            ..cheap()
        };
        let hallpass = World::new().process_with(settings).await;
        let grant = AccessGrant {
            ttl: Some(ttl_max),
            ..AccessGrant::default()
        };
        let longest = issue(&hallpass, "ada", grant).await.unwrap();
        assert!(caller_of(&hallpass, &longest).is_ok());
        let usual = lone(&hallpass, "ada").await;
        assert_eq!(usual.expires_in, ttl_max.min(cheap().access_ttl));
        // Sessions are as they were.
        let issued = open(&hallpass, "ada").await;
        assert_eq!(issued.access_expires_in, cheap().access_ttl);
        assert!(verify(&hallpass, &issued).is_ok());
    }
}

fn to(audiences: &[&str]) -> AccessGrant {
    AccessGrant {
        audiences: audiences.iter().map(|&name| name.to_owned()).collect(),
        ..AccessGrant::default()
    }
}

#[tokio::test]
async fn a_token_for_others_is_taken_by_them_and_not_here() {
    let (_world, hallpass) = started().await;
    let ours = allowed().audience().to_owned();
    let orders = {
        let settings = VerifierSettings {
            audience: "orders".into(),
            ..hallpass.verifier().settings().clone()
        };
        let verifier = hallpass.verifier();
        let (keys, revocations) = (verifier.keys().clone(), verifier.revocations().clone());
        Verifier::new(settings, keys, revocations).unwrap()
    };
    for (audiences, here, there) in [
        (vec![], true, false),
        (vec!["orders"], false, true),
        (vec!["mail", "orders"], false, true),
        (vec![ours.as_str(), "orders"], true, true),
        (vec!["Orders", "orders "], false, false),
    ] {
        let lone = issue(&hallpass, "ada", to(&audiences)).await.unwrap();
        assert_eq!(caller_of(&hallpass, &lone).is_ok(), here, "{audiences:?}");
        let told = orders.verify(lone.token.expose(), Location::Header, NOW);
        assert_eq!(told.is_ok(), there, "{audiences:?}");
    }
}

#[tokio::test]
async fn an_audience_is_a_name_and_all_of_them_are_512_bytes_at_most() {
    let (world, hallpass) = started().await;
    let (half, more) = ("x".repeat(256), "x".repeat(257));
    for wrong in [&[""][..], &["orders", ""], &["a\nb"], &[&half, &more]] {
        let refused = fault(&hallpass, to(wrong)).await;
        assert_eq!(refused, Some(GrantFault::Audiences), "{wrong:?}");
    }
    assert_eq!(fault(&hallpass, to(&[&half, &half])).await, None);
    // Under a profile whose tokens name no audience, none does.
    let authfort = Settings {
        profile: Profile::AuthFort,
        algorithm: Algorithm::Rs256,
        ..allowed()
    };
    let authfort = world.process_with(authfort).await;
    let refused = fault(&authfort, to(&["orders"])).await;
    assert_eq!(refused, Some(GrantFault::Audiences));
    let named = AccessGrant {
        claims: OwnClaims::default().with("email", "a@b.c").unwrap(),
        ..AccessGrant::default()
    };
    let refused = fault(&authfort, named).await;
    assert_eq!(refused, Some(GrantFault::ClaimOfProfile("email".into())));
    let lone = lone(&authfort, "ada").await;
    assert!(
        caller_of(&authfort, &lone)
            .unwrap()
            .claims()
            .audiences
            .is_empty()
    );
}

#[tokio::test]
async fn it_says_when_the_user_proved_who_they_are_and_nothing_of_the_future() {
    let (_world, hallpass) = started().await;
    let proved = |freshness| AccessGrant {
        freshness,
        ..AccessGrant::default()
    };
    let soon = NOW.plus(allowed().leeway);
    for (freshness, auth_time) in [
        (Freshness::default(), Some(NOW)),
        (Freshness::Now, Some(NOW)),
        (Freshness::Unknown, None),
        (Freshness::At(NOW.minus(HOUR)), Some(NOW.minus(HOUR))),
        (
            Freshness::At(Timestamp::from_seconds(0)),
            Some(Timestamp::from_seconds(0)),
        ),
        // Another machine's clock is a little ahead.
        (Freshness::At(soon), Some(NOW)),
    ] {
        let lone = issue(&hallpass, "ada", proved(freshness)).await.unwrap();
        let caller = caller_of(&hallpass, &lone).unwrap();
        assert_eq!(caller.authenticated_at(), auth_time, "{freshness:?}");
    }
    for future in [soon.plus(SECOND), Timestamp::from_millis(u64::MAX)] {
        let refused = fault(&hallpass, proved(Freshness::At(future))).await;
        assert_eq!(refused, Some(GrantFault::ProofOfTheFuture));
    }
}

#[tokio::test]
async fn cs_10_its_csrf_token_is_good_for_it_alone() {
    let (world, hallpass) = started().await;
    let (one, other) = (lone(&hallpass, "ada").await, lone(&hallpass, "ada").await);
    let session = open(&hallpass, "ada").await;
    let callers = [
        caller_of(&hallpass, &one).unwrap(),
        caller_of(&hallpass, &other).unwrap(),
        verify(&hallpass, &session).unwrap(),
    ];
    // Another process hands out tokens for it too.
    let elsewhere = world.process_with(allowed()).await;
    let again = |caller| elsewhere.csrf_token_of(caller).unwrap();
    let tokens = [
        [one.csrf, again(&callers[0])],
        [other.csrf, again(&callers[1])],
        [session.csrf, again(&callers[2])],
    ];
    for (at, caller) in callers.iter().enumerate() {
        let hash = CsrfHash::from_bytes(caller.claims().csrf_hash.unwrap());
        for (of, tokens) in tokens.iter().enumerate() {
            for token in tokens {
                assert_eq!(csrf::check(token.expose(), &hash), at == of, "{at} {of}");
            }
        }
    }
    assert_ne!(tokens[0][0].expose(), tokens[0][1].expose());
}
