//! A token that was verified before is judged again by what may have changed.
use super::*;

#[test]
fn a_remembered_token_is_refused_once_its_session_has_ended() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    assert!(stage.verify(&token).is_ok());
    stage
        .verifier
        .revocations()
        .end_session(session(), at(NOW + 900));
    assert_eq!(stage.verify(&token).err(), Some(TokenError::SessionEnded));
}

#[test]
fn a_remembered_token_is_refused_once_its_key_is_gone() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    assert!(stage.verify(&token).is_ok());
    stage.verifier.keys().replace(KeySet::default());
    assert_eq!(stage.verify(&token).err(), Some(TokenError::NoKeys));
    let key = VerifyingKey::ed25519("ed-1", stage.pair.public_key().as_ref()).unwrap();
    stage
        .verifier
        .keys()
        .replace(KeySet::new(vec![key]).unwrap());
    assert!(stage.verify(&token).is_ok());
}

#[test]
fn a_withdrawn_key_does_not_come_back() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    assert!(stage.verify(&token).is_ok());
    stage.verifier.keys().withdraw("ed-1");
    assert_eq!(stage.verify(&token).err(), Some(TokenError::NoKeys));
    let key = VerifyingKey::ed25519("ed-1", stage.pair.public_key().as_ref()).unwrap();
    let old = KeySet::new(vec![key]).unwrap();
    stage.verifier.keys().replace(old);
    assert_eq!(stage.verify(&token).err(), Some(TokenError::NoKeys));
}

#[test]
fn a_key_that_is_withdrawn_again_makes_no_token_be_verified_again() {
    let stage = Stage::new();
    stage.verifier.keys().withdraw("other");
    let epoch = stage.verifier.keys().epoch();
    assert!(stage.verify(&stage.token(&json!({}))).is_ok());
    stage.verifier.keys().withdraw("other");
    assert_eq!(stage.verifier.keys().epoch(), epoch);
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
fn jw_06_a_remembered_signature_carries_no_other_payload() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    assert!(stage.verify(&token).is_ok());
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let other = stage.token(&json!({"sub": "bob"}));
    let (other_input, other_signature) = other.rsplit_once('.').unwrap();
    for forged in [
        format!("{other_input}.{signature}"),
        format!("{signing_input}.{other_signature}"),
    ] {
        assert_eq!(stage.verify(&forged).err(), Some(TokenError::Invalid));
    }
    assert!(stage.verify(&token).is_ok());
}

/// Its client is to refresh, and learns there what became of the session.
#[test]
fn a_token_of_a_key_that_is_gone_has_expired_whatever_became_of_its_session() {
    let stage = Stage::new();
    let token = stage.token(&json!({}));
    let key = VerifyingKey::ed25519("ed-2", stage_key().as_ref()).unwrap();
    let keys = KeySet::new(vec![key]).unwrap();
    stage.verifier.keys().replace(keys);
    let expired = at(NOW + 911);
    let fault = || stage.verify_at(&token, expired).err();
    assert_eq!(fault(), Some(TokenError::Expired));
    let revocations = stage.verifier.revocations();
    revocations.end_session(session(), at(NOW + 2000));
    assert_eq!(fault(), Some(TokenError::Expired));
    assert_eq!(stage.verify(&token).err(), Some(TokenError::UnknownKey));
}
