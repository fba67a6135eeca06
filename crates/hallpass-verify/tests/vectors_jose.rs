//! The examples of the JOSE cookbook, and the Ed25519 cases on which implementations differ.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken vector file ends the test"
)]

use hallpass_verify::{Algorithm, KeySet, TokenError, VerifyingKey, jws};
use serde_json::{Value, json};

fn cookbook() -> Value {
    serde_json::from_str(include_str!("data/ietf-jose-cookbook-jws.json")).unwrap()
}

/// The key of an example without its private members, under the id `kid` if it has none.
fn keys(example: &Value) -> KeySet {
    let mut key = example["input"]["key"].clone();
    let members = key.as_object_mut().unwrap();
    members.retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
    members.entry("kid").or_insert("kid".into());
    let set = json!({ "keys": [key] }).to_string();
    let read = if key["kty"] == "oct" {
        KeySet::from_secret_jwks
    } else {
        KeySet::from_jwks
    };
    read(set.as_bytes()).unwrap_or_default()
}

#[test]
fn the_examples_with_our_algorithms_verify() {
    let cookbook = cookbook();
    for (name, algorithm) in [
        ("jws/4_1.rsa_v15_signature.json", Algorithm::Rs256),
        (
            "jws/4_4.hmac-sha2_integrity_protection.json",
            Algorithm::Hs256,
        ),
    ] {
        let example = &cookbook[name];
        let keys = keys(example);
        let compact = example["output"]["compact"].as_str().unwrap();
        let (header, payload) = jws::verify(compact, &keys).unwrap();
        assert_eq!(
            String::from_utf8(payload).unwrap(),
            example["input"]["payload"],
            "{name}"
        );
        assert_eq!(header.algorithm_name, algorithm.name());
        assert_eq!(
            keys.get(header.key_id.as_deref().unwrap())
                .unwrap()
                .algorithm(),
            algorithm
        );
    }
}

#[test]
fn the_ed25519_example_verifies_and_is_no_token_because_it_names_no_key() {
    let cookbook = cookbook();
    let example = &cookbook["curve25519/jws.json"];
    let keys = keys(example);
    let text = example["output"]["compact"].as_str().unwrap();
    let compact = jws::Compact::split(text).unwrap();
    assert_eq!(compact.header().unwrap().algorithm_name, "EdDSA");
    let payload = compact.payload_signed_by(keys.get("kid").unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(payload).unwrap(),
        example["input"]["payload"]
    );
    assert_eq!(jws::verify(text, &keys).err(), Some(TokenError::Invalid));
}

#[test]
fn the_examples_that_are_not_for_us_are_refused() {
    let cookbook = cookbook();
    for (name, fault) in [
        ("jws/4_2.rsa-pss_signature.json", TokenError::Invalid),
        ("jws/4_3.ecdsa_signature.json", TokenError::NoKeys),
        // The payload travels elsewhere (RFC 7515 appendix F).
        (
            "jws/4_5.signature_with_detached_content.json",
            TokenError::Invalid,
        ),
    ] {
        let example = &cookbook[name];
        let compact = example["output"]["compact"].as_str().unwrap();
        assert_eq!(
            jws::verify(compact, &keys(example)).err(),
            Some(fault),
            "{name}"
        );
    }
    for (name, example) in cookbook.as_object().unwrap() {
        for form in ["json", "json_flat"] {
            let Some(json) = example["output"].get(form) else {
                continue;
            };
            let verified = jws::verify(&json.to_string(), &KeySet::default());
            assert_eq!(verified.err(), Some(TokenError::Malformed), "{name} {form}");
        }
    }
    let unencoded = &cookbook["rfc7797/4.2.hmac-sha2_b64_false.json"];
    let flat = &unencoded["output"]["json_flat"];
    let part = |name: &str| flat[name].as_str().unwrap();
    for payload in ["JC4wMg", "$.02"] {
        let token = [part("protected"), payload, part("signature")].join(".");
        assert!(jws::verify(&token, &keys(unencoded)).is_err(), "{payload}");
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Verdict {
    KeyRefused,
    SignatureRefused,
    Accepted,
}

/// In the order of the file. A is the key, R and S are the halves of the signature, L is the order
/// of the group.
const SPECCHECK: [(Verdict, &str); 12] = [
    (Verdict::KeyRefused, "A and R of small order, S = 0"),
    (Verdict::KeyRefused, "A of small order"),
    (Verdict::Accepted, "R of small order, A not"),
    (
        Verdict::Accepted,
        "A and R of mixed order, good under both equations",
    ),
    (
        Verdict::SignatureRefused,
        "good under the equation with cofactor alone",
    ),
    (
        Verdict::SignatureRefused,
        "good under the equation with cofactor alone, reduced first",
    ),
    (Verdict::SignatureRefused, "S not below L"),
    (Verdict::SignatureRefused, "S far above L"),
    (
        Verdict::SignatureRefused,
        "R not canonical, reduced in the hash",
    ),
    (Verdict::SignatureRefused, "R not canonical"),
    (Verdict::KeyRefused, "A not canonical and of small order"),
    (
        Verdict::KeyRefused,
        "A not canonical and of small order, not reduced in the hash",
    ),
];

#[test]
fn disputed_ed25519_signatures_get_one_documented_verdict_each() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("data/ed25519-speccheck-cases.json")).unwrap();
    assert_eq!(cases.len(), SPECCHECK.len());
    for (number, (case, (expected, what))) in cases.iter().zip(SPECCHECK).enumerate() {
        let bytes = |name: &str| hex(case[name].as_str().unwrap());
        let verdict = match VerifyingKey::ed25519("k", &bytes("pub_key")) {
            Err(_) => Verdict::KeyRefused,
            Ok(key) if key.verify_signature(&bytes("message"), &bytes("signature")) => {
                Verdict::Accepted
            }
            Ok(_) => Verdict::SignatureRefused,
        };
        assert_eq!(verdict, expected, "{number}: {what}");
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
