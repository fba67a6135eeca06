//! Signed tokens with the verdict that a strict verifier gives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken vector file ends the test"
)]

use hallpass_verify::{
    KeySet, Keys, Location, SessionClaim, Timestamp, TokenError, Verifier, VerifierSettings,
};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Where the standards leave a choice, this is ours.
const OUR_POLICY: [(&str, Result<(), TokenError>, &str); 5] = [
    (
        "J009",
        Err(TokenError::Invalid),
        "`Ed25519` only when the key's JWK says so (RFC 9864)",
    ),
    ("J052", Err(TokenError::Invalid), "a token names its key"),
    (
        "J085",
        Err(TokenError::Invalid),
        "`zip` has no place in a JWS (RFC 8725 §3.6)",
    ),
    (
        "J161",
        Ok(()),
        "a first-party profile of RFC 9068 has no `client_id`",
    ),
    ("J200", Ok(()), "tokens may have 16,384 bytes"),
];

fn document() -> Value {
    serde_json::from_str(include_str!("data/jwt-access-token.json")).unwrap()
}

fn verifier(document: &Value) -> Verifier {
    let config = &document["verifier_config"];
    let text = |name: &str| config[name].as_str().unwrap();
    let seconds = |name: &str| Duration::from_secs(config[name].as_u64().unwrap());
    let mut settings = VerifierSettings::new(text("issuer"), text("audience"));
    settings.leeway = seconds("leeway_s_max");
    settings.lifetime_max = seconds("max_lifetime_s");
    settings.token_len_max = config["max_token_bytes"]
        .as_u64()
        .unwrap()
        .try_into()
        .unwrap();
    // The vectors know no sessions.
    settings.session_claim = SessionClaim::Optional;
    let keys = KeySet::from_jwks(document["jwks"].to_string().as_bytes()).unwrap();
    Verifier::new(settings, Arc::new(Keys::new(keys)), Arc::default()).unwrap()
}

#[test]
fn jw_01_every_token_gets_the_expected_verdict() {
    let document = document();
    let verifier = verifier(&document);
    let now = Timestamp::from_seconds(document["verifier_config"]["now"].as_u64().unwrap());
    let (mut accepted, mut refused) = (0, 0);
    for case in document["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let verdict = || {
            let token = case["token"].as_str().unwrap();
            verifier.verify(token, Location::Header, now).map(|_| ())
        };
        let first = verdict();
        assert_eq!(verdict(), first, "{id}: the second verdict is the first");
        match case["expect"].as_str().unwrap() {
            "accept" => assert_eq!(first, Ok(()), "{id} {}", case["title"]),
            "reject" => assert!(first.is_err(), "{id} {}", case["title"]),
            "policy" => {
                let ours = OUR_POLICY.iter().find(|(own, _, _)| *own == id);
                assert_eq!(
                    first,
                    ours.unwrap_or_else(|| panic!("{id}: no policy")).1,
                    "{id}"
                );
            }
            other => panic!("{id}: {other}"),
        }
        if first.is_ok() {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert_eq!((accepted, refused), (9, 96));
}

#[test]
fn the_fully_specified_name_is_accepted_when_the_key_says_so() {
    let mut document = document();
    assert_eq!(document["jwks"]["keys"][0]["kid"], "ed-1");
    document["jwks"]["keys"][0]["alg"] = "Ed25519".into();
    let verifier = verifier(&document);
    let now = Timestamp::from_seconds(document["verifier_config"]["now"].as_u64().unwrap());
    for case in document["cases"].as_array().unwrap() {
        if ["J001", "J009"].contains(&case["id"].as_str().unwrap()) {
            let token = case["token"].as_str().unwrap();
            assert_eq!(
                verifier
                    .verify(token, Location::Header, now)
                    .unwrap()
                    .subject(),
                "user-1"
            );
        }
    }
}

#[test]
fn only_an_expired_token_is_called_expired() {
    let document = document();
    let verifier = verifier(&document);
    let now = Timestamp::from_seconds(document["verifier_config"]["now"].as_u64().unwrap());
    let expired: Vec<_> = document["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| {
            let token = case["token"].as_str().unwrap();
            verifier.verify(token, Location::Header, now).err() == Some(TokenError::Expired)
        })
        .map(|case| case["id"].as_str().unwrap())
        .collect();
    assert_eq!(expired, ["J127"]);
}
