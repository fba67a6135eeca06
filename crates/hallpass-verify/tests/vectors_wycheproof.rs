//! Wycheproof's JWS, JWK and Ed25519 files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken vector file ends the test"
)]

use hallpass_verify::{KeyFault, KeySet, VerifyingKey, jws};
use serde_json::{Value, json};

/// JWS: the stored text has lost the padding that the label speaks of, so the MAC is right.
const LABEL_UNUSABLE: [u64; 2] = [367, 370];

/// JWS: labelled valid, and a strict verifier must refuse.
const LABELLED_VALID_BUT_REFUSED: [(u64, &str); 4] = [
    (346, "the key is for PS256, the header says PS384"),
    (350, "the key is for PS256, the header says PS384"),
    (372, "a `?` stands in the header"),
    (373, "a `?` stands in the payload"),
];

fn groups(file: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(file).unwrap();
    document["testGroups"].as_array().unwrap().clone()
}

/// Each test of a group, with its number and label.
fn tests(group: &Value) -> impl Iterator<Item = (u64, bool, &Value)> {
    group["tests"].as_array().unwrap().iter().map(|test| {
        let valid = match test["result"].as_str().unwrap() {
            "valid" => true,
            "invalid" => false,
            other => panic!("{other}"),
        };
        (test["tcId"].as_u64().unwrap(), valid, test)
    })
}

fn offered(key: &Value) -> bool {
    let offered = [
        Some("EdDSA"),
        Some("ES256"),
        Some("RS256"),
        Some("PS256"),
        Some("HS256"),
        None,
    ];
    offered.contains(&key["alg"].as_str())
}

/// Reads a set as an issuer serves it, and if that yields nothing, as an operator keeps secrets.
fn read(set: &Value) -> Result<KeySet, KeyFault> {
    let document = set.to_string();
    KeySet::from_jwks(document.as_bytes())
        .or_else(|_| KeySet::from_secret_jwks(document.as_bytes()))
}

#[test]
fn wycheproof_jws_is_judged_as_labelled_apart_from_its_known_label_errors() {
    let (mut judged, mut skipped_by_algorithm, mut ignored, mut inverted) = (0, 0, 0, 0);
    for group in groups(include_str!("data/wycheproof-json_web_signature_test.json")) {
        let key = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        let keys = read(&json!({ "keys": [key] }));
        for (id, valid, test) in tests(&group) {
            let accepted = keys
                .as_ref()
                .is_ok_and(|keys| jws::verify(test["jws"].as_str().unwrap(), keys).is_ok());
            if !offered(key) {
                assert!(!accepted, "{id}: its algorithm is not offered");
                skipped_by_algorithm += 1;
            } else if LABEL_UNUSABLE.contains(&id) {
                ignored += 1;
            } else if LABELLED_VALID_BUT_REFUSED
                .iter()
                .any(|(other, _)| *other == id)
            {
                assert!(valid && !accepted, "{id}");
                inverted += 1;
            } else {
                assert_eq!(accepted, valid, "{id} {}", test["comment"]);
                judged += 1;
            }
        }
    }
    // RS384, RS512, PS384, PS512 and ES512 (called ES521 there) are not offered.
    assert_eq!(
        (judged, skipped_by_algorithm, ignored, inverted),
        (360, 35, 2, 4)
    );
}

#[test]
fn wycheproof_jwk_sets_are_judged_as_labelled() {
    let (mut accepted_ids, mut refused_ids, mut skipped_by_algorithm) = (vec![], vec![], vec![]);
    for group in groups(include_str!("data/wycheproof-json_web_key_test.json")) {
        let set = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        for (id, valid, test) in tests(&group) {
            let token = test["jws"].as_str().unwrap();
            let accepted = read(set).is_ok_and(|keys| jws::verify(token, &keys).is_ok());
            if valid && !set["keys"].as_array().unwrap().iter().all(offered) {
                assert!(!accepted, "{id}");
                skipped_by_algorithm.push(id);
            } else {
                assert_eq!(accepted, valid, "{id} {}", test["comment"]);
                if accepted {
                    accepted_ids.push(id);
                } else {
                    refused_ids.push(id);
                }
            }
        }
    }
    assert_eq!(accepted_ids, [2, 5, 13]);
    let refused: Vec<u64> = [1, 3, 4].into_iter().chain(6..=12).chain(16..=26).collect();
    assert_eq!(refused_ids, refused);
    // HS384 and HS512.
    assert_eq!(skipped_by_algorithm, [14, 15]);
}

#[test]
fn a_key_with_predictable_primes_is_weak() {
    let file = include_str!("data/wycheproof-json_web_key_test.json");
    let group = groups(file)
        .into_iter()
        .find(|group| group["comment"] == "jws_rsa_roca_key");
    let jwk = &group.unwrap()["public"]["keys"][0];
    let fault = VerifyingKey::rsa(
        "k",
        hallpass_verify::Algorithm::Rs256,
        &base64url(jwk["n"].as_str().unwrap()),
        &base64url(jwk["e"].as_str().unwrap()),
    );
    assert!(matches!(fault.err(), Some(KeyFault::Weak(why)) if why.contains("ROCA")));
}

fn base64url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .unwrap()
}

#[test]
fn wycheproof_ed25519_is_judged_as_labelled() {
    let mut judged = 0;
    for group in groups(include_str!("data/wycheproof-ed25519_test.json")) {
        let public = hex(group["publicKey"]["pk"].as_str().unwrap());
        let key = VerifyingKey::ed25519("k", &public).unwrap();
        for (id, valid, test) in tests(&group) {
            let bytes = |name: &str| hex(test[name].as_str().unwrap());
            let accepted = key.verify_signature(&bytes("msg"), &bytes("sig"));
            assert_eq!(accepted, valid, "{id} {}", test["comment"]);
            judged += 1;
        }
    }
    assert_eq!(judged, 151);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
