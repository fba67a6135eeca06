use super::*;
use crate::{Algorithm, KeySet, SessionId, VerifyingKey};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// An issuer with one Ed25519 key, and a verifier that knows it.
struct Stage {
    pair: Ed25519KeyPair,
    verifier: Verifier,
}

impl Stage {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut VerifierSettings)) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
        let key = VerifyingKey::ed25519("ed-1", pair.public_key().as_ref()).unwrap();
        let keys = Arc::new(Keys::new(KeySet::new(vec![key]).unwrap()));
        let mut settings = VerifierSettings::new("https://auth.example", "https://api.example");
        change(&mut settings);
        let verifier = Verifier::new(settings, keys, Arc::default()).unwrap();
        Self { pair, verifier }
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        let input = input(header, payload);
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    fn token(&self, changes: &serde_json::Value) -> String {
        self.sign(HEADER, &payload(changes))
    }

    fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        self.verify_at(token, at(NOW))
    }

    fn verify_at(&self, token: &str, now: Timestamp) -> Result<Caller, TokenError> {
        self.verifier.verify(token, Location::Header, now)
    }

    fn fault(&self, token: &str) -> Option<TokenError> {
        let fault = self.verify(token).err();
        assert_eq!(
            self.verifier.remembered.len(),
            0,
            "a refused token is not remembered"
        );
        fault
    }
}

const HEADER: &str = r#"{"alg":"EdDSA","kid":"ed-1","typ":"at+jwt"}"#;

fn input(header: &str, payload: &str) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}

fn session() -> SessionId {
    SessionId::from_bytes([8; 16])
}

fn payload(changes: &serde_json::Value) -> String {
    let mut claims = json!({
        "iss": "https://auth.example", "aud": "https://api.example", "sub": "alice",
        "sid": session().to_string(), "jti": "t1", "iat": NOW, "exp": NOW + 900,
    });
    for (name, value) in changes.as_object().unwrap() {
        let claims = claims.as_object_mut().unwrap();
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims.to_string()
}

#[test]
fn a_token_that_is_right_in_everything_gives_its_caller() {
    let stage = Stage::new();
    let token = stage.token(&json!({
        "scope": "read write", "roles": ["admin"], "amr": ["pwd"], "auth_time": NOW - 5, "team": 7,
    }));
    for _first_and_remembered in 0..2 {
        let caller = stage
            .verifier
            .verify(&token, Location::Cookie, at(NOW))
            .unwrap();
        assert_eq!(
            (caller.subject(), caller.user().as_str()),
            ("alice", "alice")
        );
        assert_eq!(caller.session(), Some(session()));
        assert_eq!(caller.location(), Location::Cookie);
        assert!(caller.has_role("admin") && !caller.has_role("Admin") && !caller.has_role("adm"));
        assert!(caller.has_scope("write") && !caller.has_scope("read write"));
        assert_eq!((caller.roles().len(), caller.scopes().len()), (1, 2));
        assert_eq!(
            (caller.token_id(), caller.methods()),
            ("t1", &["pwd".to_owned()][..])
        );
        assert_eq!(caller.expires_at(), at(NOW + 900));
        assert_eq!(caller.authenticated_at(), Some(at(NOW - 5)));
        assert_eq!(caller.claim("team").and_then(Value::as_u64), Some(7));
        assert_eq!(caller.claims().issuer, "https://auth.example");
        assert!(!format!("{caller:?}").contains("admin"));
        assert_eq!(stage.verifier.remembered.len(), 1);
    }
}

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
fn jw_12_a_token_expires_after_its_lifetime_and_the_leeway() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    let expires = at(NOW + 900).plus(Duration::from_secs(10));
    let late = Timestamp::from_millis(expires.as_millis() + 1);
    assert_eq!(
        stage.verify_at(&token, late).err(),
        Some(TokenError::Expired)
    );
    assert!(stage.verify_at(&token, expires).is_ok());
    // Remembered by now, and expired all the same.
    assert_eq!(
        stage.verify_at(&token, late).err(),
        Some(TokenError::Expired)
    );
}

#[test]
fn jw_13_the_leeway_is_bounded() {
    for (leeway_seconds, accepted) in [(60, true), (61, false), (300, false)] {
        let mut settings = VerifierSettings::new("i", "a");
        settings.leeway = Duration::from_secs(leeway_seconds);
        let keys = Arc::new(Keys::new(KeySet::default()));
        let fault = Verifier::new(settings, keys, Arc::default()).err();
        assert_eq!(fault, (!accepted).then_some(SettingsFault::Leeway));
    }
    let stage = Stage::with(|settings| settings.leeway = Duration::from_secs(60));
    let token = stage.token(&json!({}));
    assert_eq!(
        stage.verify_at(&token, at(NOW + 900 + 300)).err(),
        Some(TokenError::Expired)
    );
}

#[test]
fn expiry_is_told_only_about_tokens_that_are_right_in_everything_else() {
    let stage = Stage::new();
    let expired = json!({"iat": NOW - 1000, "exp": NOW - 100});
    let with = |name: &str, value: serde_json::Value| {
        let mut changes = expired.clone();
        changes[name] = value;
        stage.token(&changes)
    };
    assert_eq!(
        stage.fault(&stage.token(&expired)),
        Some(TokenError::Expired)
    );
    let mut forged = stage.token(&expired);
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    for token in [
        forged,
        with("iss", json!("https://evil.example")),
        with("aud", json!("https://other.example")),
        with("sub", json!("")),
        with("roles", json!("admin")),
        stage.sign(&HEADER.replace("at+jwt", "JWT"), &payload(&expired)),
    ] {
        assert_eq!(stage.fault(&token), Some(TokenError::Invalid));
    }
    stage.verifier.ended().insert(session(), at(NOW));
    assert_eq!(
        stage.fault(&stage.token(&expired)),
        Some(TokenError::SessionEnded)
    );
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
    for kid in [
        r#""ed-2""#,
        r#""""#,
        r#""ED-1""#,
        r#"" ed-1""#,
        "null",
        r#"["ed-1"]"#,
        "1",
    ] {
        let token = stage.sign(&HEADER.replace(r#""ed-1""#, kid), &payload(&json!({})));
        assert_eq!(
            stage.verify(&token).err(),
            Some(TokenError::Invalid),
            "{kid}"
        );
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
fn a_token_is_for_us_from_our_issuer_and_of_the_right_type() {
    let stage = Stage::new();
    for changes in [
        json!({"iss": "https://auth.example/"}),
        json!({"iss": "https://AUTH.example"}),
        json!({"aud": "https://api.example.evil.example"}),
        json!({"aud": []}),
        json!({"aud": ["https://other.example"]}),
        json!({"sid": null}),
        json!({"exp": NOW + 86_401}),
        json!({"exp": NOW - 1}),
        json!({"iat": NOW + 11, "exp": NOW + 900}),
        json!({"nbf": NOW + 11}),
    ] {
        assert_eq!(
            stage.fault(&stage.token(&changes)),
            Some(TokenError::Invalid),
            "{changes}"
        );
    }
    for typ in ["JWT", "rt+jwt", "at", "at+jwt ", "application/jwt", ""] {
        let token = stage.sign(&HEADER.replace("at+jwt", typ), &payload(&json!({})));
        assert_eq!(stage.fault(&token), Some(TokenError::Invalid), "{typ}");
    }
    for changes in [
        json!({"aud": ["https://other.example", "https://api.example"]}),
        json!({"exp": NOW + 86_400}),
        json!({"iat": NOW + 10, "nbf": NOW + 10}),
    ] {
        assert!(stage.verify(&stage.token(&changes)).is_ok(), "{changes}");
    }
    for typ in ["AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        let token = stage.sign(&HEADER.replace("at+jwt", typ), &payload(&json!({})));
        assert!(stage.verify(&token).is_ok(), "{typ}");
    }
    let lenient = Stage::with(|settings| settings.session_claim = SessionClaim::Optional);
    assert_eq!(
        lenient
            .verify(&lenient.token(&json!({"sid": null})))
            .unwrap()
            .session(),
        None
    );
}

#[test]
fn a_remembered_token_is_refused_once_its_session_has_ended() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    assert!(stage.verify(&token).is_ok());
    stage.verifier.ended().insert(session(), at(NOW + 900));
    assert_eq!(stage.verify(&token).err(), Some(TokenError::SessionEnded));
}

#[test]
fn a_remembered_token_is_refused_once_its_key_is_gone() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    assert!(stage.verify(&token).is_ok());
    stage.verifier.keys().replace(KeySet::default());
    assert_eq!(stage.verify(&token).err(), Some(TokenError::Invalid));
    let key = VerifyingKey::ed25519("ed-1", stage.pair.public_key().as_ref()).unwrap();
    stage
        .verifier
        .keys()
        .replace(KeySet::new(vec![key]).unwrap());
    assert!(stage.verify(&token).is_ok());
}

#[test]
fn a_remembered_token_is_not_good_before_its_time_when_the_clock_goes_back() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    assert!(stage.verify(&token).is_ok());
    assert_eq!(
        stage.verify_at(&token, at(NOW - 11)).err(),
        Some(TokenError::Invalid)
    );
}

#[test]
fn remembering_is_bounded_and_can_be_turned_off() {
    let none = Stage::with(|settings| settings.remembered_tokens_max = 0);
    let few = Stage::with(|settings| settings.remembered_tokens_max = 4);
    for number in 0..40 {
        let changes = json!({"jti": format!("t{number}")});
        assert!(none.verify(&none.token(&changes)).is_ok());
        assert!(few.verify(&few.token(&changes)).is_ok());
    }
    assert_eq!(none.verifier.remembered.len(), 0);
    assert!((1..=4).contains(&few.verifier.remembered.len()));
}

#[test]
fn settings_out_of_range_are_refused() {
    let fault = |change: fn(&mut VerifierSettings)| {
        let mut settings = VerifierSettings::new("i", "a");
        change(&mut settings);
        settings.check().err()
    };
    assert_eq!(fault(|_| {}), None);
    assert_eq!(fault(|s| s.issuer.clear()), Some(SettingsFault::Issuer));
    assert_eq!(fault(|s| s.audience.clear()), Some(SettingsFault::Audience));
    assert_eq!(
        fault(|s| s.lifetime_max = Duration::ZERO),
        Some(SettingsFault::Lifetime)
    );
    assert_eq!(
        fault(|s| s.token_len_max = 0),
        Some(SettingsFault::TokenLength)
    );
    assert_eq!(
        fault(|s| s.token_len_max = 65_537),
        Some(SettingsFault::TokenLength)
    );
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

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in any::<String>()) {
        let stage = Stage::new();
        prop_assert!(stage.fault(&text).is_some());
        let three_parts = [&text[..], &text, &text].join(".");
        prop_assert!(stage.fault(&three_parts).is_some());
    }

    #[test]
    fn any_signed_header_and_payload_are_judged_without_a_panic(
        header in r#"[{}\[\]",:a-z0-9\\.-]{0,40}"#,
        claims in r#"[{}\[\]",:a-z0-9\\.-]{0,80}"#,
    ) {
        let stage = Stage::new();
        let good = payload(&json!({}));
        let (odd_header, odd_claims) = (stage.sign(&header, &good), stage.sign(HEADER, &claims));
        prop_assert!(stage.fault(&odd_header).is_some());
        prop_assert!(stage.fault(&odd_claims).is_some());
    }

    #[test]
    fn a_valid_token_with_any_change_never_verifies(
        at in any::<prop::sample::Index>(),
        to in "[A-Za-z0-9._= +/-]{0,3}",
        cut in 0_usize..3,
    ) {
        let stage = Stage::new();
        let token = stage.token(&json!({}));
        let start = at.index(token.len());
        let end = (start + cut).min(token.len());
        let changed = format!("{}{to}{}", &token[..start], &token[end..]);
        prop_assume!(changed != token);
        prop_assert!(stage.fault(&changed).is_some());
        prop_assert!(stage.verify(&token).is_ok());
        prop_assert!(stage.verify(&changed).is_err());
    }
}
