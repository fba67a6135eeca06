use super::*;
use crate::Algorithm;

/// The key of RFC 8037 §A.2; its thumbprint stands in §A.3.
const OKP: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"ed""#;

/// The key of RFC 7638 §3.1, with its thumbprint.
const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","kid":"rsa""#;

/// The key of RFC 7517 §A.1.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"ec""#;

const OCT: &str =
    r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","kid":"oct","alg":"HS256""#;

/// A set of keys, each given with the members to add.
fn set(keys: &[(&str, &str)]) -> String {
    let keys: Vec<_> = keys
        .iter()
        .map(|(key, more)| format!("{key}{more}}}"))
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn kids(document: &str) -> Result<Vec<String>, KeyFault> {
    let set = KeySet::from_jwks(document.as_bytes())?;
    Ok(set.iter().map(|key| key.kid().to_owned()).collect())
}

#[test]
fn the_thumbprints_are_those_of_the_rfcs() {
    let keys = KeySet::from_jwks(set(&[(OKP, ""), (RSA, ""), (EC, "")]).as_bytes()).unwrap();
    let thumbprint = |kid| keys.get(kid).unwrap().thumbprint().unwrap();
    assert_eq!(
        thumbprint("ed"),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert_eq!(
        thumbprint("rsa"),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn an_algorithm_is_the_one_the_key_names_or_the_usual_one() {
    for (key, more, algorithm) in [
        (OKP, "", Algorithm::EdDsa),
        (OKP, r#","alg":"EdDSA""#, Algorithm::EdDsa),
        (OKP, r#","alg":"Ed25519""#, Algorithm::EdDsa),
        (EC, "", Algorithm::Es256),
        (
            EC,
            r#","alg":"ES256","use":"sig","key_ops":["sign","verify"]"#,
            Algorithm::Es256,
        ),
        (RSA, "", Algorithm::Rs256),
        (RSA, r#","alg":"PS256""#, Algorithm::Ps256),
    ] {
        let keys = KeySet::from_jwks(set(&[(key, more)]).as_bytes()).unwrap();
        let key = keys.iter().next().unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.accepts_name("Ed25519"), more.contains("Ed25519"));
    }
}

#[test]
fn jk_01_a_served_set_has_public_members_only() {
    let read = |document: &str| KeySet::from_jwks(document.as_bytes()).unwrap();
    let keys = read(&set(&[
        (OKP, r#","alg":"Ed25519""#),
        (EC, ""),
        (RSA, r#","alg":"PS256""#),
    ]));
    let served = keys.to_jwks();
    for jwk in served["keys"].as_array().unwrap() {
        let allowed = ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"];
        assert!(
            jwk.as_object()
                .unwrap()
                .keys()
                .all(|name| allowed.contains(&name.as_str()))
        );
        assert_eq!(jwk["use"], "sig");
    }
    assert_eq!(read(&served.to_string()).to_jwks(), served);
    let secret = VerifyingKey::hs256("s", &[7; 32]).unwrap();
    assert_eq!((secret.to_jwk(), secret.thumbprint()), (None, None));
    assert_eq!(
        KeySet::new(vec![secret]).unwrap().to_jwks(),
        json!({ "keys": [] })
    );
}

#[test]
fn jk_09_a_secret_in_a_served_set_is_ignored() {
    let same_kid = OCT.replace(r#""kid":"oct""#, r#""kid":"rsa""#);
    assert_eq!(
        kids(&set(&[(&same_kid, ""), (RSA, "")])),
        Ok(vec!["rsa".into()])
    );
    let keys = KeySet::from_jwks(set(&[(&same_kid, ""), (RSA, "")]).as_bytes()).unwrap();
    assert!(!keys.get("rsa").unwrap().accepts_name("HS256"));
    assert_eq!(kids(&set(&[(OCT, "")])), Err(KeyFault::NoUsableKey));
}

#[test]
fn jk_11_keys_that_are_not_for_us_are_ignored() {
    for (key, more) in [
        (EC, r#","use":"enc""#),
        (EC, r#","use":["sig"]"#),
        (EC, r#","key_ops":["encrypt"]"#),
        (EC, r#","key_ops":"verify""#),
        (EC, r#","key_ops":[]"#),
        (EC, r#","alg":"ES384""#),
        (EC, r#","alg":"EdDSA""#),
        (EC, r#","alg":7"#),
        (RSA, r#","alg":"RS512""#),
        (RSA, r#","alg":"RSA-OAEP""#),
        (RSA, r#","alg":"HS256""#),
        (OKP, r#","alg":"ES256""#),
    ] {
        assert_eq!(
            kids(&set(&[(key, more)])),
            Err(KeyFault::NoUsableKey),
            "{more}"
        );
        let other = OKP.replace(r#""kid":"ed""#, r#""kid":"other""#);
        assert_eq!(
            kids(&set(&[(key, more), (&other, "")])),
            Ok(vec!["other".into()]),
            "{more}"
        );
    }
    for (key, from, to) in [
        (OKP, r#""kty":"OKP""#, r#""kty":"AKP""#),
        (OKP, r#""crv":"Ed25519""#, r#""crv":"X25519""#),
        (OKP, r#""kid":"ed""#, r#""x5t":"ed""#),
        (OKP, r#""kid":"ed""#, r#""kid":7"#),
        (OKP, "HURo\"", "HURo=\""),
        (OKP, "HURo\"", "HURp\""),
        (EC, r#""crv":"P-256""#, r#""crv":"P-384""#),
        (EC, "IFyM\"", "IFyN\""),
        (RSA, r#""e":"AQAB""#, r#""e":"Aw""#),
        (RSA, r#""e":"AQAB""#, r#""e":"AAEAAQ""#),
    ] {
        let changed = key.replace(from, to);
        assert_ne!(changed, key);
        assert_eq!(
            kids(&set(&[(&changed, "")])),
            Err(KeyFault::NoUsableKey),
            "{to}"
        );
    }
}

#[test]
fn a_coordinate_has_exactly_32_bytes() {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let x = bytes("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4");
    let y = bytes("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
    let point = [x, y].concat();
    for (x_len, accepted) in [
        (32, true),
        (31, false),
        (33, false),
        (0, false),
        (64, false),
    ] {
        let (x, y) = point.split_at(x_len);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","kid":"ec","x":"{x}","y":"{y}""#);
        assert_eq!(kids(&set(&[(&jwk, "")])).is_ok(), accepted, "{x_len}");
    }
}

#[test]
fn a_set_with_a_private_key_is_refused_as_a_whole() {
    for (key, more) in [
        (OKP, r#","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#),
        (EC, r#","d":"AAAA""#),
        (RSA, r#","p":"AAAA""#),
        (RSA, r#","oth":[]"#),
        (r#"{"kty":"AKP","kid":"x""#, r#","d":"AAAA""#),
    ] {
        let other = EC.replace(r#""kid":"ec""#, r#""kid":"other""#);
        assert_eq!(
            kids(&set(&[(&other, ""), (key, more)])),
            Err(KeyFault::PrivateKey),
            "{more}"
        );
    }
}

#[test]
fn what_is_no_set_is_refused() {
    let twice = set(&[(OKP, ""), (OKP, "")]);
    assert_eq!(kids(&twice), Err(KeyFault::DuplicateKid));
    let many = vec![(EC, ""); JWKS_KEYS_MAX + 1];
    assert_eq!(kids(&set(&many)), Err(KeyFault::NotAJwkSet));
    for document in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[7]}"#,
        r#"{"keys":[],"keys":[]}"#,
    ] {
        assert_eq!(kids(document), Err(KeyFault::NotAJwkSet), "{document}");
    }
    let long = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(JWKS_LEN_MAX));
    assert_eq!(kids(&long), Err(KeyFault::NotAJwkSet));
    assert_eq!(
        kids(&set(&[(OKP, r#","kty":"OKP""#)])),
        Err(KeyFault::NotAJwkSet)
    );
}

#[test]
fn a_secret_set_has_secrets_only() {
    let read = |document: &str| KeySet::from_secret_jwks(document.as_bytes());
    assert_eq!(read(&set(&[(OCT, "")])).unwrap().len(), 1);
    assert!(read(&set(&[(OCT, r#","use":"sig""#)])).is_ok());
    for wrong in [
        set(&[(OCT, ""), (EC, "")]),
        set(&[(OCT, r#","use":"enc""#)]),
        set(&[(OCT, r#","key_ops":["encrypt"]"#)]),
        set(&[(&OCT.replace("HS256", "HS512"), "")]),
        set(&[(&OCT.replace("HS256", "A256GCM"), "")]),
        set(&[(&OCT.replace("Hh8\"", "Hg\""), "")]),
        set(&[]),
    ] {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
}
