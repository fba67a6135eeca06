use super::*;
use crate::json::{self, Limits};
use serde_json::json;

/// The claims of an ordinary token.
fn ordinary() -> serde_json::Map<String, serde_json::Value> {
    let serde_json::Value::Object(members) = json!({
        "iss": "https://auth.example", "aud": "https://api.example", "sub": "user-1",
        "jti": "t1", "iat": 1000, "exp": 1900,
    }) else {
        unreachable!("an object stands there")
    };
    members
}

/// Reads the claims of an ordinary token with some replaced or added.
fn read(changes: &serde_json::Value) -> Result<Claims, TokenError> {
    let mut members = ordinary();
    members.extend(changes.as_object().unwrap().clone());
    read_text(&serde_json::Value::Object(members).to_string())
}

fn read_without(name: &str) -> Result<Claims, TokenError> {
    let mut members = ordinary();
    assert!(members.remove(name).is_some(), "{name}");
    read_text(&serde_json::Value::Object(members).to_string())
}

fn read_text(text: &str) -> Result<Claims, TokenError> {
    let Ok(Value::Object(members)) = json::parse(text.as_bytes(), Limits::TOKEN) else {
        panic!("{text}");
    };
    Claims::read(members)
}

#[test]
fn every_known_claim_is_read() {
    let session = SessionId::from_bytes([3; 16]);
    let claims = read(&json!({
        "aud": ["https://other.example", "https://api.example"], "sid": session.to_string(),
        "nbf": 1001, "auth_time": 900, "amr": ["pwd", "otp"], "scope": "read  write",
        "roles": ["admin"], "csh": URL_SAFE_NO_PAD.encode([9; 32]), "team": {"id": 7},
    }))
    .unwrap();
    let expected = Claims {
        issuer: "https://auth.example".into(),
        audiences: vec!["https://other.example".into(), "https://api.example".into()],
        subject: UserId::parse("user-1").unwrap(),
        session: Some(session),
        token_id: "t1".into(),
        issued_at: Timestamp::from_seconds(1000),
        expires_at: Timestamp::from_seconds(1900),
        not_before: Some(Timestamp::from_seconds(1001)),
        authenticated_at: Some(Timestamp::from_seconds(900)),
        methods: vec!["pwd".into(), "otp".into()],
        scopes: vec!["read".into(), "write".into()],
        roles: vec!["admin".into()],
        csrf_hash: Some([9; 32]),
        others: claims.others.clone(),
    };
    assert_eq!(claims, expected);
    assert_eq!(
        serde_json::to_value(&claims.others).unwrap(),
        json!({"team": {"id": 7}})
    );
}

#[test]
fn what_a_token_must_say_is_required() {
    assert!(read(&json!({})).is_ok());
    for name in ["iss", "sub", "jti", "iat", "exp"] {
        assert_eq!(read_without(name), Err(TokenError::Invalid), "{name}");
    }
}

#[test]
fn a_token_for_nobody_is_not_one_that_does_not_say_for_whom() {
    assert_eq!(read_without("aud").unwrap().audiences, [""; 0]);
    assert_eq!(read(&json!({"aud": []})), Err(TokenError::Invalid));
}

#[test]
fn a_claim_of_the_wrong_type_is_an_error_and_never_absent() {
    let wrong_for_text = || vec![json!(7), json!(true), json!(["x"]), json!({"x": 1})];
    let wrong_for_dates = || {
        vec![
            json!("1900"),
            json!(true),
            json!([1900]),
            json!({}),
            json!(-1),
            json!(1e300),
        ]
    };
    let wrong_for_lists = || {
        vec![
            json!("x"),
            json!(7),
            json!({}),
            json!([7]),
            json!(["x", [1]]),
        ]
    };
    let csh = URL_SAFE_NO_PAD.encode([9; 31]);
    for (name, wrong) in [
        ("iss", wrong_for_text()),
        (
            "sub",
            [
                wrong_for_text(),
                vec![json!(""), json!("a\n"), json!("u".repeat(256))],
            ]
            .concat(),
        ),
        (
            "jti",
            [wrong_for_text(), vec![json!(""), json!("j".repeat(256))]].concat(),
        ),
        (
            "sid",
            [wrong_for_text(), vec![json!(""), json!("abc")]].concat(),
        ),
        ("scope", wrong_for_text()),
        (
            "csh",
            [
                wrong_for_text(),
                vec![json!(""), json!(csh), json!("=".repeat(43))],
            ]
            .concat(),
        ),
        (
            "aud",
            vec![
                json!(7),
                json!(true),
                json!({}),
                json!([7]),
                json!(["x", ["y"]]),
            ],
        ),
        ("iat", wrong_for_dates()),
        ("exp", wrong_for_dates()),
        ("nbf", wrong_for_dates()),
        ("auth_time", wrong_for_dates()),
        ("amr", wrong_for_lists()),
        ("roles", wrong_for_lists()),
    ] {
        for value in wrong.into_iter().chain([json!(null)]) {
            assert_eq!(
                read(&json!({ name: value })),
                Err(TokenError::Invalid),
                "{name}: {value}"
            );
        }
    }
}

#[test]
fn a_session_id_has_exactly_one_text_in_a_token() {
    let sid = |text: &str| read(&json!({ "sid": text })).map(|claims| claims.session);
    assert_eq!(
        sid("AwMDAwMDAwMDAwMDAwMDAw"),
        Ok(Some(SessionId::from_bytes([3; 16])))
    );
    for wrong in [
        "AwMDAwMDAwMDAwMDAwMDAx",
        "AwMDAwMDAwMDAwMDAwMDAw==",
        " AwMDAwMDAwMDAwMDAwMDAw",
    ] {
        assert_eq!(sid(wrong), Err(TokenError::Invalid), "{wrong}");
    }
}

#[test]
fn dates_are_whole_seconds_up_to_the_year_9999() {
    for (text, seconds) in [
        ("0", Some(0)),
        ("1900.9", Some(1900)),
        ("1.9e3", Some(1900)),
        ("253402300799", Some(253_402_300_799)),
        ("253402300800", None),
        ("253402300800.5", None),
        ("9223372036854775808", None),
        ("18446744073709551616", None),
        ("1e12", None),
        ("1e308", None),
        ("-0.5", None),
        ("-9223372036854775808", None),
    ] {
        let claims = read_text(&format!(
            r#"{{"iss":"i","aud":"a","sub":"s","jti":"j","iat":0,"exp":{text}}}"#
        ));
        let exp = claims.map(|claims| claims.expires_at.as_seconds());
        assert_eq!(exp, seconds.ok_or(TokenError::Invalid), "{text}");
    }
}
