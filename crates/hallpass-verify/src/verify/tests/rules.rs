//! What a token must say, and when it is good.
use super::*;

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
    let stage = Stage::with(|settings| settings.leeway = Duration::from_mins(1));
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
    stage.verifier.revocations().end_session(session(), at(NOW));
    assert_eq!(
        stage.fault(&stage.token(&expired)),
        Some(TokenError::SessionEnded)
    );
}

#[test]
fn a_token_is_for_us_from_our_issuer_and_of_the_right_type() {
    let stage = Stage::new();
    for changes in [
        json!({"iss": "https://auth.example/"}),
        json!({"iss": "https://AUTH.example"}),
        json!({"aud": "https://api.example.evil.example"}),
        json!({"aud": []}),
        json!({"aud": null}),
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
fn where_tokens_name_no_audience_one_that_does_is_refused() {
    let stage = Stage::with(|settings| settings.audience_claim = AudienceClaim::Absent);
    assert!(stage.verify(&stage.token(&json!({"aud": null}))).is_ok());
    let stage = Stage::with(|settings| settings.audience_claim = AudienceClaim::Absent);
    for audience in [
        json!("https://api.example"),
        json!("https://other.example"),
        json!(""),
        json!([]),
        json!([""]),
        json!(7),
    ] {
        let token = stage.token(&json!({"aud": audience}));
        assert_eq!(stage.fault(&token), Some(TokenError::Invalid), "{audience}");
    }
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
    let without_audience = |settings: &mut VerifierSettings| {
        settings.audience.clear();
        settings.audience_claim = AudienceClaim::Absent;
    };
    assert_eq!(fault(without_audience), None);
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
