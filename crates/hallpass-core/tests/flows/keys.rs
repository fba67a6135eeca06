//! Keys that sign access tokens: every algorithm, several processes, the wrong secret.

use crate::common::*;
use hallpass_core::key::{KeyError, SealedKey, SealedRoot};
use hallpass_core::store::KeyStore as _;
use hallpass_core::{Hallpass, Settings, StartError};
use hallpass_verify::{Algorithm, Location, TokenError};

fn signing_with(algorithm: Algorithm) -> Settings {
    Settings {
        algorithm,
        ..cheap()
    }
}

#[tokio::test]
async fn access_tokens_of_every_algorithm_verify_and_forged_ones_do_not() {
    for algorithm in [
        Algorithm::EdDsa,
        Algorithm::Es256,
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Hs256,
    ] {
        let world = World::new();
        let hallpass = world.process_with(signing_with(algorithm)).await;
        let issued = open(&hallpass, "ada").await;
        assert_eq!(verify(&hallpass, &issued).unwrap().subject(), "ada");
        let stored = world.store.keys().await.unwrap();
        assert_eq!(stored.len(), 1);
        assert_eq!(stored[0].algorithm, algorithm);
        // The claims of one token with the signature of another.
        let other = open(&hallpass, "bob").await;
        let (signed, _) = other.access.expose().rsplit_once('.').unwrap();
        let (_, signature) = issued.access.expose().rsplit_once('.').unwrap();
        let forged = format!("{signed}.{signature}");
        let refused = hallpass
            .verifier()
            .verify(&forged, Location::Header, world.now());
        assert_eq!(refused.unwrap_err(), TokenError::Invalid, "{algorithm}");
    }
}

#[tokio::test]
async fn a_key_made_by_one_process_is_used_by_the_next() {
    let world = World::new();
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let one = world.process_with(signing_with(algorithm)).await;
        let issued = open(&one, "ada").await;
        let count = world.store.keys().await.unwrap().len();
        drop(one);
        let two = world.process_with(signing_with(algorithm)).await;
        verify(&two, &issued).unwrap();
        assert_eq!(world.store.keys().await.unwrap().len(), count);
    }
}

#[tokio::test]
async fn a_change_of_algorithm_keeps_the_tokens_of_the_key_before() {
    let world = World::new();
    let before = world.process_with(signing_with(Algorithm::EdDsa)).await;
    let issued = open(&before, "ada").await;
    let after = world.process_with(signing_with(Algorithm::Es256)).await;
    verify(&after, &issued).unwrap();
    let next = refresh(&after, issued.refresh.expose()).await.unwrap();
    verify(&after, &next).unwrap();
}

#[tokio::test]
async fn a_symmetric_key_never_stands_in_one_set_with_public_ones() {
    let world = World::new();
    let public = world.process_with(signing_with(Algorithm::EdDsa)).await;
    let issued = open(&public, "ada").await;
    let symmetric = world.process_with(signing_with(Algorithm::Hs256)).await;
    assert_eq!(
        verify(&symmetric, &issued).unwrap_err(),
        TokenError::UnknownKey
    );
    let hs256 = open(&symmetric, "ada").await;
    let restarted = world.process_with(signing_with(Algorithm::EdDsa)).await;
    assert_eq!(
        verify(&restarted, &hs256).unwrap_err(),
        TokenError::UnknownKey
    );
}

async fn start(world: &World, first_secret_byte: u8) -> Result<Hallpass, StartError> {
    let parts = hallpass_core::Parts::new(world.store.clone(), secret(first_secret_byte));
    Hallpass::start(cheap(), parts.clock(world.clock.clone())).await
}

#[tokio::test]
async fn a_stored_key_opens_with_its_own_master_secret_only() {
    let (world, _hallpass) = World::started().await;
    start(&world, 0).await.unwrap();
    let fault = start(&world, 1).await.unwrap_err();
    assert!(matches!(&fault, StartError::Key(KeyError::Sealed { kid }) if kid == "root"));
    assert!(
        fault
            .to_string()
            .contains("does not open with this master secret")
    );
}

#[tokio::test]
async fn a_stored_key_that_was_moved_to_another_name_stops_the_start() {
    let (world, _hallpass) = World::started().await;
    let key = world.store.keys().await.unwrap().remove(0);
    let tampered = World::new();
    let moved = SealedKey {
        kid: "moved".into(),
        ..key
    };
    let root = world.store.root_key(SealedRoot(vec![])).await.unwrap();
    tampered.store.root_key(root).await.unwrap();
    tampered.store.add_key(moved, None).await.unwrap();
    let fault = start(&tampered, 0).await.unwrap_err();
    assert!(matches!(fault, StartError::Key(KeyError::Sealed { .. })));
}

#[tokio::test]
async fn settings_that_are_refused_stop_the_start_before_the_store_is_touched() {
    let world = World::new();
    let settings = Settings {
        refresh_grace: HOUR,
        ..cheap()
    };
    let fault = Hallpass::start(settings, world.parts(world.store.clone())).await;
    let fault = fault.unwrap_err();
    assert!(matches!(&fault, StartError::Settings(refused) if refused.0.len() == 1));
    assert!(world.store.keys().await.unwrap().is_empty());
}
