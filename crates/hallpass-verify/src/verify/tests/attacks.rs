//! Forged, stripped, confused and oversized tokens.
use super::*;

#[test]
fn jw_03_alg_none_is_refused_in_any_spelling() {
    let stage = Stage::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = HEADER.replace("EdDSA", none);
        let unsigned = format!("{}.", input(&header, &payload(&json!({}))));
        assert_eq!(stage.fault(&unsigned), Some(TokenError::Invalid), "{none}");
        let signed = stage.sign(&header, &payload(&json!({})));
        assert_eq!(stage.fault(&signed), Some(TokenError::Invalid), "{none}");
    }
}

#[test]
fn jw_04_a_public_key_is_never_a_secret() {
    let stage = Stage::new();
    let keys = stage.verifier.keys().current();
    let jwk = keys.get("ed-1").unwrap().to_jwk().unwrap();
    let public = stage.pair.public_key().as_ref().to_vec();
    let der = [&hex("302a300506032b6570032100")[..], &public].concat();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----");
    for secret in [
        keys.to_jwks().to_string().into_bytes(),
        jwk.to_string().into_bytes(),
        jwk["x"].as_str().unwrap().as_bytes().to_vec(),
        public,
        der,
        format!("{pem}\n").into_bytes(),
        pem.into_bytes(),
        Vec::new(),
    ] {
        let input = input(&HEADER.replace("EdDSA", "HS256"), &payload(&json!({})));
        let mac = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &secret),
            input.as_bytes(),
        );
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac));
        assert_eq!(stage.fault(&token), Some(TokenError::Invalid));
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
fn jw_05_a_token_without_its_signature_is_refused() {
    let stage = Stage::new();
    let input = input(HEADER, &payload(&json!({})));
    assert_eq!(stage.fault(&format!("{input}.")), Some(TokenError::Invalid));
    assert_eq!(stage.fault(&input), Some(TokenError::Malformed));
}

#[test]
fn jw_06_a_signature_is_good_for_its_payload_alone() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    let (_, signature) = token.rsplit_once('.').unwrap();
    let swapped = format!(
        "{}.{signature}",
        input(HEADER, &payload(&json!({"sub": "bob"})))
    );
    assert_eq!(stage.fault(&swapped), Some(TokenError::Invalid));
    assert!(stage.verify(&token).is_ok());
    assert_eq!(stage.verify(&swapped).err(), Some(TokenError::Invalid));
}

#[test]
fn jw_22_a_claim_or_header_member_that_occurs_twice_is_refused() {
    let stage = Stage::new();
    let good = payload(&json!({}));
    for more in [
        r#","sub":"admin""#,
        r#","s\u0075b":"admin""#,
        r#","exp":1"#,
        r#","x":1,"x":1"#,
    ] {
        let twice = format!("{}{more}}}", good.strip_suffix('}').unwrap());
        assert_eq!(
            stage.fault(&stage.sign(HEADER, &twice)),
            Some(TokenError::Malformed),
            "{more}"
        );
    }
    for more in [
        r#","alg":"none""#,
        r#","kid":"ed-1""#,
        r#","t\u0079p":"JWT""#,
        r#","x":1,"x":1"#,
    ] {
        let twice = format!("{}{more}}}", HEADER.strip_suffix('}').unwrap());
        assert_eq!(
            stage.fault(&stage.sign(&twice, &good)),
            Some(TokenError::Malformed),
            "{more}"
        );
    }
}

#[test]
fn jw_23_members_that_change_how_a_token_is_read_are_refused() {
    let stage = Stage::new();
    for more in [
        r#","crit":["x"],"x":1"#,
        r#","crit":["exp"]"#,
        r#","crit":[]"#,
        r#","crit":null"#,
        r#","crit":["b64"],"b64":false"#,
        r#","b64":false"#,
        r#","b64":true"#,
        r#","zip":"DEF""#,
        r#","cty":"JWT""#,
    ] {
        let header = format!("{}{more}}}", HEADER.strip_suffix('}').unwrap());
        let token = stage.sign(&header, &payload(&json!({})));
        assert_eq!(stage.fault(&token), Some(TokenError::Invalid), "{more}");
    }
}

#[test]
fn a_token_does_not_bring_its_own_key() {
    let stage = Stage::new();
    let own =
        r#","jwk":{"kty":"oct","k":"AA"},"jku":"https://evil.example","x5u":"u","x5c":["c"]}"#;
    let header = format!("{}{own}", HEADER.strip_suffix('}').unwrap());
    assert!(
        stage
            .verify(&stage.sign(&header, &payload(&json!({}))))
            .is_ok()
    );
    for (kid, fault) in [
        (r#""ed-2""#, TokenError::UnknownKey),
        (r#""""#, TokenError::UnknownKey),
        (r#""ED-1""#, TokenError::UnknownKey),
        (r#"" ed-1""#, TokenError::UnknownKey),
        ("null", TokenError::Invalid),
        (r#"["ed-1"]"#, TokenError::Invalid),
        ("1", TokenError::Invalid),
    ] {
        let token = stage.sign(&HEADER.replace(r#""ed-1""#, kid), &payload(&json!({})));
        assert_eq!(stage.verify(&token).err(), Some(fault), "{kid}");
    }
    let nameless = stage.sign(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, &payload(&json!({})));
    assert_eq!(stage.verify(&nameless).err(), Some(TokenError::Invalid));
}

#[test]
fn jw_25_a_huge_token_is_refused_before_any_work() {
    // Keys that would verify it do not matter: there are none, and the answer is about the size.
    let keys = Arc::new(Keys::new(KeySet::default()));
    let settings = VerifierSettings::new("https://auth.example", "https://api.example");
    let none = Verifier::new(settings, keys, Arc::default()).unwrap();
    let stage = Stage::new();
    for pad_len in [20_000, 64_000, 1_000_000] {
        let token = stage.token(&json!({"pad": "x".repeat(pad_len)}));
        assert_eq!(stage.fault(&token), Some(TokenError::Malformed));
        assert_eq!(
            none.verify(&token, Location::Header, at(NOW)).err(),
            Some(TokenError::Malformed)
        );
    }
    let below = stage.token(&json!({"pad": "x".repeat(11_000)}));
    assert!(below.len() < 16_384);
    assert!(stage.verify(&below).is_ok());
    assert_eq!(
        stage.verifier.remembered.len(),
        0,
        "long tokens are not remembered"
    );
    let long_header = HEADER.replace("ed-1", &"k".repeat(4000));
    let token = stage.sign(&long_header, &payload(&json!({})));
    assert_eq!(stage.verify(&token).err(), Some(TokenError::Malformed));
}

#[test]
fn a_secret_key_verifies_hs256_and_nothing_else() {
    let stage = Stage::new();
    let key = VerifyingKey::hs256("ed-1", &[6; 32]).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Hs256);
    stage
        .verifier
        .keys()
        .replace(KeySet::new(vec![key]).unwrap());
    let input = input(&HEADER.replace("EdDSA", "HS256"), &payload(&json!({})));
    let mac = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, &[6; 32]),
        input.as_bytes(),
    );
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac));
    assert!(stage.verify(&token).is_ok());
    assert!(stage.verify(&stage.token(&json!({}))).is_err());
}
