//! No text makes the verifier panic, and no changed token passes.
use super::*;
use proptest::prelude::*;

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
