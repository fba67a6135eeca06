use super::*;
use serde_json::{Value, json};

macro_rules! key_file {
    ($name:literal) => {
        include_str!(concat!("../../../tests/data/keys/", $name))
    };
}

/// RFC 8037 A.3: the thumbprint of the key of A.1.
const ED25519_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

const OCT_THUMBPRINT: &str = "RtoRur_1Dir5M4wuOfqNkDYOf9O_4RJ-aHkTA75RLA8";

#[track_caller]
fn imported(text: &str) -> ImportedKey {
    ImportedKey::parse(text).unwrap()
}

#[track_caller]
fn refused(text: &str, fault: ImportFault) {
    assert_eq!(
        ImportedKey::parse(text).map(|key| format!("{key:?}")),
        Err(fault)
    );
}

/// A JWK with some members replaced, or taken out by `null`.
fn with(jwk: &str, changes: Value) -> String {
    let mut members: serde_json::Map<String, Value> = serde_json::from_str(jwk).unwrap();
    let Value::Object(changes) = changes else {
        panic!("expected members")
    };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    Value::Object(members).to_string()
}

#[test]
fn a_key_is_the_same_in_every_form_it_comes_in() {
    let same = |one: &str, other: &str, algorithm| {
        let (one, other) = (imported(one), imported(other));
        assert_eq!((one.algorithm, other.algorithm), (algorithm, algorithm));
        assert_eq!(one.private, other.private);
    };
    let (ed25519, p256) = (key_file!("ed25519.pem"), key_file!("p256.pem"));
    same(ed25519, key_file!("ed25519.jwk.json"), Algorithm::EdDsa);
    same(p256, key_file!("p256.jwk.json"), Algorithm::Es256);
    same(p256, key_file!("p256_sec1.pem"), Algorithm::Es256);
    let rsa = key_file!("rsa.pem");
    same(rsa, key_file!("rsa.jwk.json"), Algorithm::Rs256);
    same(rsa, key_file!("rsa_pkcs1.pem"), Algorithm::Rs256);
}

#[test]
fn a_key_without_a_name_is_called_by_its_thumbprint() {
    for text in [key_file!("ed25519.pem"), key_file!("ed25519.jwk.json")] {
        assert_eq!(imported(text).kid, ED25519_THUMBPRINT);
    }
    let named = with(key_file!("ed25519.jwk.json"), json!({ "kid": "k \"1\"" }));
    assert_eq!(imported(&named).kid, "k \"1\"");
    let rsa = imported(key_file!("rsa.jwk.json"));
    assert_eq!(rsa.kid, "bilbo.baggins@hobbiton.example");
    let secret = with(key_file!("hs256.jwk.json"), json!({ "kid": null }));
    // SHA-256 of {"k":"hJtX…","kty":"oct"}.
    assert_eq!(imported(&secret).kid, OCT_THUMBPRINT);
}

#[test]
fn a_name_that_no_header_could_carry_is_refused() {
    for kid in ["", "a\nb", "\u{1b}[31m", &"k".repeat(256)] {
        let named = with(key_file!("ed25519.jwk.json"), json!({ "kid": kid }));
        refused(&named, ImportFault::Key(KeyFault::Kid));
    }
    let number = with(key_file!("ed25519.jwk.json"), json!({ "kid": 7 }));
    refused(&number, ImportFault::Form);
}

#[test]
fn an_rsa_key_is_for_rs256_unless_it_or_the_operator_says_ps256() {
    let rsa = || imported(key_file!("rsa.pem"));
    assert_eq!(rsa().algorithm, Algorithm::Rs256);
    let ps256 = rsa().algorithm(Algorithm::Ps256).unwrap();
    assert_eq!(ps256.algorithm, Algorithm::Ps256);
    let wrong = rsa().algorithm(Algorithm::EdDsa);
    assert_eq!(wrong.err(), Some(ImportFault::Algorithm));

    let declared = with(key_file!("rsa.jwk.json"), json!({ "alg": "PS256" }));
    assert_eq!(imported(&declared).algorithm, Algorithm::Ps256);
    let other = imported(&declared).algorithm(Algorithm::Rs256);
    assert_eq!(other.err(), Some(ImportFault::Algorithm));
    let ed25519 = imported(key_file!("ed25519.pem")).algorithm(Algorithm::EdDsa);
    assert!(ed25519.is_ok());
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    let fault = ImportFault::Algorithm;
    for alg in ["RS384", "HS256", "EdDSA", "none", "ES256"] {
        refused(
            &with(key_file!("rsa.jwk.json"), json!({ "alg": alg })),
            fault,
        );
    }
    let ed25519 = |alg: Value| with(key_file!("ed25519.jwk.json"), json!({ "alg": alg }));
    refused(&ed25519("ES256".into()), fault);
    refused(&ed25519(7.into()), ImportFault::Form);
    for alg in ["EdDSA", "Ed25519"] {
        assert_eq!(imported(&ed25519(alg.into())).algorithm, Algorithm::EdDsa);
    }
    refused(
        &with(key_file!("p256.jwk.json"), json!({ "alg": "ES384" })),
        fault,
    );
    refused(
        &with(key_file!("hs256.jwk.json"), json!({ "alg": "A256KW" })),
        fault,
    );
}

#[test]
fn a_key_for_something_else_than_signing_is_refused() {
    let jwk = key_file!("p256.jwk.json");
    for changes in [
        json!({ "use": "enc" }),
        json!({ "use": 7 }),
        json!({ "key_ops": ["verify"] }),
        json!({ "key_ops": [] }),
        json!({ "key_ops": "sign" }),
        json!({ "use": "sig", "key_ops": ["deriveKey"] }),
    ] {
        refused(&with(jwk, changes), ImportFault::Use);
    }
    imported(&with(
        jwk,
        json!({ "use": "sig", "key_ops": ["sign", "verify"] }),
    ));
}

#[test]
fn an_encrypted_key_is_refused_with_the_way_to_decrypt_it() {
    refused(key_file!("encrypted.pem"), ImportFault::Encrypted);
    refused(key_file!("encrypted_pkcs1.pem"), ImportFault::Encrypted);
    assert!(ImportFault::Encrypted.to_string().contains("openssl pkey"));
    refused(key_file!("openssh.pem"), ImportFault::OpenSsh);
    assert!(ImportFault::OpenSsh.to_string().contains("ssh-keygen"));
}

#[test]
fn a_key_on_another_curve_is_refused() {
    for text in [
        key_file!("p384.pem"),
        key_file!("p521_sec1.pem"),
        key_file!("p521.jwk.json"),
    ] {
        refused(text, ImportFault::Curve);
    }
    for (jwk, crv) in [
        (key_file!("ed25519.jwk.json"), "X25519"),
        (key_file!("p256.jwk.json"), "secp256k1"),
    ] {
        refused(&with(jwk, json!({ "crv": crv })), ImportFault::Curve);
        refused(&with(jwk, json!({ "crv": null })), ImportFault::Curve);
    }
    refused(key_file!("ed448.pem"), ImportFault::Kind);
    refused(
        &with(key_file!("p256.jwk.json"), json!({ "kty": "AKP" })),
        ImportFault::Kind,
    );
}

#[test]
fn kl_05_a_weak_key_is_refused_with_the_reason() {
    let reason = |text: &str| ImportedKey::parse(text).unwrap_err().to_string();
    assert!(reason(key_file!("rsa1024.pem")).contains("at least 2,048 bits"));
    assert!(reason(key_file!("rsa_e3.pem")).contains("at least 65,537"));
    let secret = |k: &str| with(key_file!("hs256.jwk.json"), json!({ "k": k }));
    assert!(reason(&secret("c2VjcmV0")).contains("at least 32 bytes"));
    assert!(reason(&secret("")).contains("at least 32 bytes"));
    refused(&secret(&"A".repeat(43)), ImportFault::NotRandom);
    let sample = "Y2hhbmdlbWVjaGFuZ2VtZWNoYW5nZW1lY2hhbmdlbWVjaGFuZ2VtZQ";
    refused(&secret(sample), ImportFault::NotRandom);
}

#[test]
fn a_key_without_a_private_half_is_refused() {
    refused(key_file!("public.pem"), ImportFault::PublicOnly);
    let private = json!({ "d": null, "p": null, "q": null, "dp": null, "dq": null, "qi": null });
    for jwk in [
        key_file!("ed25519.jwk.json"),
        key_file!("p256.jwk.json"),
        key_file!("rsa.jwk.json"),
    ] {
        refused(&with(jwk, private.clone()), ImportFault::PublicOnly);
    }
}

#[test]
fn halves_of_two_keys_are_not_one_key() {
    let other_x = "RFVNTXXmcj81AMBKMtV6rHHSoUZRSsqFdBxpTOKYhkU";
    let ed25519 = with(key_file!("ed25519.jwk.json"), json!({ "x": other_x }));
    refused(&ed25519, ImportFault::Form);
    let p256: Value = serde_json::from_str(key_file!("p256.jwk.json")).unwrap();
    let swapped = json!({ "x": p256["y"], "y": p256["x"] });
    refused(
        &with(key_file!("p256.jwk.json"), swapped),
        ImportFault::Form,
    );
    let d = json!({ "d": URL_SAFE_NO_PAD.encode([7; 32]) });
    refused(&with(key_file!("p256.jwk.json"), d), ImportFault::Form);
    let rsa: Value = serde_json::from_str(key_file!("rsa.jwk.json")).unwrap();
    for (name, other) in [
        ("d", "dp"),
        ("p", "qi"),
        ("dq", "dp"),
        ("qi", "p"),
        ("n", "d"),
    ] {
        let mixed = with(key_file!("rsa.jwk.json"), json!({ name: rsa[other] }));
        assert!(ImportedKey::parse(&mixed).is_err(), "{name} from {other}");
    }
}

#[test]
fn an_rsa_key_needs_its_two_primes() {
    for name in ["p", "q", "dp", "dq", "qi"] {
        refused(
            &with(key_file!("rsa.jwk.json"), json!({ name: null })),
            ImportFault::Primes,
        );
    }
    let oth = json!({ "oth": [{ "r": "AQ", "d": "AQ", "t": "AQ" }] });
    refused(&with(key_file!("rsa.jwk.json"), oth), ImportFault::Primes);
}

#[test]
fn what_is_no_key_is_refused() {
    for text in [
        "",
        " ",
        "hello",
        "-----BEGIN PRIVATE KEY-----",
        "\u{feff}{}",
    ] {
        refused(text, ImportFault::NotAKey);
    }
    refused("{}", ImportFault::NotAKey);
    refused("{", ImportFault::Json(JsonFault::Syntax));
    let twice = r#"{"kty":"oct","k":"AA","k":"AB"}"#;
    refused(twice, ImportFault::Json(JsonFault::Duplicate));
    let (p256, ed25519) = (key_file!("p256.jwk.json"), key_file!("ed25519.jwk.json"));
    let set = |keys: &str| format!(r#"{{"keys":[{keys}]}}"#);
    refused(&set(&format!("{p256},{ed25519}")), ImportFault::Several);
    refused(&set(""), ImportFault::NotAKey);
    refused(&set("7"), ImportFault::NotAKey);
    refused(r#"{"keys":7}"#, ImportFault::NotAKey);
    assert_eq!(imported(&set(p256)).kid, imported(p256).kid);
    refused(&key_file!("p256.pem").repeat(2), ImportFault::Several);
    refused(&"x".repeat(IMPORT_LEN_MAX + 1), ImportFault::TooLong);
    refused(
        &format!("{{{}", " ".repeat(IMPORT_LEN_MAX)),
        ImportFault::TooLong,
    );
    let pem =
        |label: &str, der: &str| format!("-----BEGIN {label}-----\n{der}\n-----END {label}-----\n");
    refused(&pem("PRIVATE KEY", "AAAA"), ImportFault::Kind);
    refused(&pem("EC PRIVATE KEY", "AAAA"), ImportFault::Form);
    refused(&pem("RSA PRIVATE KEY", "AAAA"), ImportFault::Form);
    refused(&pem("DSA PRIVATE KEY", "AAAA"), ImportFault::Kind);
    refused(&pem("PRIVATE KEY", "%%%%"), ImportFault::NotAKey);
    for (name, wrong) in [("d", "AA"), ("d", "A*"), ("x", "AA"), ("x", "A=")] {
        let broken = with(key_file!("ed25519.jwk.json"), json!({ name: wrong }));
        refused(&broken, ImportFault::Form);
    }
    refused(
        &with(key_file!("ed25519.jwk.json"), json!({ "d": 7 })),
        ImportFault::Form,
    );
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    for text in [
        key_file!("ed25519.pem"),
        key_file!("p256_sec1.pem"),
        key_file!("p256.jwk.json"),
    ] {
        let text = text.trim_end();
        for len in 0..text.len() {
            assert!(ImportedKey::parse(&text[..len]).is_err(), "{len}");
        }
        imported(text);
    }
}

#[test]
fn a_jwk_with_a_bit_changed_is_the_same_key_or_none() {
    let text = key_file!("p256.jwk.json");
    let whole = imported(text);
    for at in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] ^= 1;
        let changed = std::str::from_utf8(&bytes).map(ImportedKey::parse);
        if let Ok(Ok(key)) = changed {
            assert_eq!(key.private, whole.private, "{at}");
        }
    }
}

#[test]
fn kl_08_nothing_private_is_printed() {
    for text in [
        key_file!("ed25519.jwk.json"),
        key_file!("hs256.jwk.json"),
        key_file!("rsa.jwk.json"),
    ] {
        let jwk: Value = serde_json::from_str(text).unwrap();
        let shown = format!("{:?}", imported(text));
        for name in ["d", "k", "p"] {
            if let Some(private) = jwk[name].as_str() {
                assert!(!shown.contains(&private[..8]), "{shown}");
            }
        }
    }
}
