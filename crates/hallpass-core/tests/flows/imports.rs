//! Keys that were made elsewhere sign like any other.

use crate::common::*;
use hallpass_core::key::{ImportedKey, KeyInfo, KeyState};
use hallpass_core::store::KeyStore as _;
use hallpass_core::{Error, Settings};
use hallpass_verify::{Algorithm, Clock as _, KeySet};

macro_rules! key_file {
    ($name:literal) => {
        include_str!(concat!("../data/keys/", $name))
    };
}

fn signing_with(algorithm: Algorithm) -> Settings {
    Settings {
        algorithm,
        ..cheap()
    }
}

#[tokio::test]
async fn an_imported_key_of_every_algorithm_is_announced_signs_and_verifies() {
    for (algorithm, text) in [
        (Algorithm::EdDsa, key_file!("ed25519.pem")),
        (Algorithm::Es256, key_file!("p256_sec1.pem")),
        (Algorithm::Rs256, key_file!("rsa_pkcs1.pem")),
        (Algorithm::Ps256, key_file!("rsa.pem")),
        (Algorithm::Hs256, key_file!("hs256.jwk.json")),
    ] {
        let world = World::new();
        let hallpass = world.process_with(signing_with(algorithm)).await;
        let before = open(&hallpass, "ada").await;
        let key = ImportedKey::parse(text).unwrap();
        let key = key.algorithm(algorithm).unwrap();
        let added: KeyInfo = hallpass.import_key(key).await.unwrap();
        assert_eq!((added.algorithm, added.state), (algorithm, KeyState::Next));
        assert_eq!(added.signs_from, world.clock.now().plus(HOUR));
        // What is next is not replaced by yet another one.
        assert_eq!(hallpass.rotate_key().await.unwrap().kid, added.kid);

        world.clock.advance(HOUR);
        let elsewhere = world.process_with(signing_with(algorithm)).await;
        let after = open(&elsewhere, "ada").await;
        let compact = hallpass_verify::jws::Compact::split(after.access.expose()).unwrap();
        assert_eq!(compact.header().unwrap().key_id, Some(added.kid));
        verify(&hallpass, &after).unwrap();
        if algorithm != Algorithm::Hs256 {
            let served = elsewhere.verifier().keys().current().to_jwks();
            let served = KeySet::from_jwks(served.to_string().as_bytes()).unwrap();
            for issued in [&before, &after] {
                hallpass_verify::jws::verify(issued.access.expose(), &served).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_imported_once() {
    let (world, hallpass) = World::started().await;
    let import = || hallpass.import_key(ImportedKey::parse(key_file!("ed25519.pem")).unwrap());
    let added = import().await.unwrap();
    assert!(matches!(import().await, Err(Error::NotFound)));
    hallpass.revoke_key(&added.kid).await.unwrap();
    // A revoked key does not come back by this way either.
    assert!(matches!(import().await, Err(Error::NotFound)));
    assert_eq!(world.store.keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_for_another_algorithm_is_refused_and_nothing_is_added() {
    let (world, hallpass) = World::started().await;
    for text in [key_file!("rsa.pem"), key_file!("hs256.jwk.json")] {
        let key = ImportedKey::parse(text).unwrap();
        let refused = hallpass.import_key(key).await.unwrap_err();
        let source = std::error::Error::source(&refused).unwrap().to_string();
        assert!(source.starts_with("expected a key for EdDSA"), "{source}");
    }
    assert_eq!(world.store.keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_imported_private_key_is_stored_sealed() {
    let (world, hallpass) = World::started().await;
    let key = ImportedKey::parse(key_file!("ed25519.pem")).unwrap();
    let added = hallpass.import_key(key).await.unwrap();
    let rows = world.store.keys().await.unwrap();
    let row = rows.iter().find(|row| row.kid == added.kid).unwrap();
    // RFC 8032 §7.1, test 1: how the seed begins.
    let seed = [0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd];
    assert!(!row.sealed.windows(seed.len()).any(|bytes| bytes == seed));
    let pem = pem::parse(key_file!("ed25519.pem")).unwrap();
    assert!(
        pem.contents()
            .windows(seed.len())
            .any(|bytes| bytes == seed)
    );
}
