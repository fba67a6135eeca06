use super::*;
use crate::token::AboutUser;
use serde_json::json;

fn one(name: &str, value: Value) -> Result<OwnClaims, InvalidOwnClaims> {
    OwnClaims::default().with(name, value)
}

#[test]
fn a_claim_has_any_json_value_and_comes_back() {
    let claims = json!({
        "tenant": "acme", "seats": 12, "trial": false, "none": null, "share": 0.5,
        "https://example.test/plan": {"name": "gold", "since": [2024, 5]},
    });
    let Value::Object(members) = claims.clone() else {
        panic!("expected an object");
    };
    let own = OwnClaims::new(members).unwrap();
    assert_eq!(serde_json::to_value(&own).unwrap(), claims);
    let stored = serde_json::to_string(&own).unwrap();
    assert_eq!(OwnClaims::from_stored(&stored), Ok(own));
}

#[test]
fn no_claim_of_ours_is_said_by_the_app_in_whatever_case() {
    for name in RESERVED {
        for name in [name.to_owned(), name.to_uppercase()] {
            let refused = one(&name, json!("x"));
            assert_eq!(refused, Err(InvalidOwnClaims::Reserved(name)));
        }
    }
    // Names are exact but for case.
    for free in [
        "sub_", "subject", "x-sub", "expires", "scopes", "type", "fresh",
    ] {
        assert!(one(free, json!(1)).is_ok(), "{free}");
    }
}

#[test]
fn a_name_is_visible_ascii_so_that_no_reader_takes_it_for_another() {
    for wrong in [
        "",
        " ",
        "a b",
        "sub ",
        "\u{17f}ub",
        "is\u{17f}",
        "s\u{fc}b",
        "a\n",
        "a\0",
    ] {
        assert_eq!(
            one(wrong, json!(1)),
            Err(InvalidOwnClaims::Name),
            "{wrong:?}"
        );
    }
    let long = "n".repeat(OWN_CLAIM_NAME_LEN_MAX);
    assert!(one(&long, json!(1)).is_ok());
    assert_eq!(
        one(&format!("{long}n"), json!(1)),
        Err(InvalidOwnClaims::Name)
    );
}

#[test]
fn there_are_1024_bytes_of_them_in_16_levels_at_most() {
    // {"a":"…"}
    let filling = |len: usize| one("a", json!("x".repeat(len - 8)));
    assert!(filling(OWN_CLAIMS_LEN_MAX).is_ok());
    assert_eq!(
        filling(OWN_CLAIMS_LEN_MAX + 1),
        Err(InvalidOwnClaims::TooLong)
    );
    let nested = |levels: usize| {
        let value = (1..levels).fold(json!(1), |inner, _| json!([inner]));
        one("a", value)
    };
    assert!(nested(OWN_CLAIMS_DEPTH_MAX).is_ok());
    assert_eq!(
        nested(OWN_CLAIMS_DEPTH_MAX + 1),
        Err(InvalidOwnClaims::TooDeep)
    );
}

#[test]
fn what_was_stored_before_a_name_was_reserved_goes_on_without_it() {
    let stored = r#"{"sub":"eve","Scope":"admin","tenant":"acme","a b":1}"#;
    let read = OwnClaims::from_stored(stored).unwrap();
    assert_eq!(
        serde_json::to_value(&read).unwrap(),
        json!({"tenant": "acme"})
    );
    for wrong in ["", "[]", "null", "\"a\"", "{"] {
        let refused = OwnClaims::from_stored(wrong);
        assert_eq!(refused, Err(InvalidOwnClaims::Unreadable), "{wrong}");
    }
}

#[test]
fn what_a_profile_writes_is_not_said_twice() {
    let own = one("email", json!("eve@example.test")).unwrap();
    assert_eq!(own.taken_by(Profile::Native), None);
    assert_eq!(own.taken_by(Profile::AuthFort), Some("email"));
    let said = |profile| serde_json::to_value(own.beside(profile)).unwrap();
    assert_eq!(said(Profile::Native), json!({"email": "eve@example.test"}));
    assert_eq!(said(Profile::AuthFort), json!({}));
    let shouted = one("EMAIL", json!("x")).unwrap();
    assert_eq!(shouted.taken_by(Profile::AuthFort), Some("EMAIL"));
}

#[test]
fn every_claim_a_profile_writes_is_known_to_be_taken() {
    let user = crate::store::contract::user("u1", "ada@example.test");
    for profile in Profile::ALL {
        let about = serde_json::to_value(AboutUser::new(profile, Some(&user))).unwrap();
        for name in about.as_object().unwrap().keys() {
            let is_taken = check_name(name).is_err() || is_taken_by(name, profile);
            assert!(is_taken, "{profile:?} {name}");
        }
    }
}

#[test]
fn claims_print_their_names_alone() {
    let own = one("tenant", json!("acme")).unwrap();
    assert_eq!(format!("{own:?}"), r#"{"tenant"}"#);
}
