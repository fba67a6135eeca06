use super::*;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

fn ed25519_public() -> Vec<u8> {
    Ed25519KeyPair::generate()
        .unwrap()
        .public_key()
        .as_ref()
        .to_vec()
}

#[test]
fn a_kid_is_short_and_printable() {
    let public = ed25519_public();
    assert_eq!(VerifyingKey::ed25519("k", &public).unwrap().kid(), "k");
    assert!(VerifyingKey::ed25519(&"k".repeat(255), &public).is_ok());
    for wrong in ["", "a\nb", "a\0", &"k".repeat(256)] {
        assert_eq!(
            VerifyingKey::ed25519(wrong, &public).err(),
            Some(KeyFault::Kid)
        );
    }
}

#[test]
fn an_ed25519_key_of_small_order_or_another_encoding_is_refused() {
    let with_sign = |mut y: [u8; 32]| {
        y[31] |= 0x80;
        y
    };
    let order_8 = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    for y in [[0; 32], order_8] {
        for point in [y, with_sign(y)] {
            let fault = VerifyingKey::ed25519("k", &point).err();
            assert!(matches!(fault, Some(KeyFault::Weak(_))), "{point:02x?}");
        }
    }
    // p, p + 1 and 2²⁵⁵ − 1 are 0, 1 and 18 in another encoding.
    let above = |first: u8| {
        let mut y = [0xff; 32];
        (y[0], y[31]) = (first, 0x7f);
        y
    };
    for y in [above(0xed), above(0xee), above(0xff)] {
        for point in [y, with_sign(y)] {
            assert_eq!(
                VerifyingKey::ed25519("k", &point).err(),
                Some(KeyFault::Form)
            );
        }
    }
    for len in [0, 31, 33] {
        assert_eq!(
            VerifyingKey::ed25519("k", &vec![9; len]).err(),
            Some(KeyFault::Form)
        );
    }
}

#[test]
fn a_p256_key_is_an_uncompressed_point_on_the_curve() {
    let pair = EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING);
    let point = pair.unwrap().public_key().as_ref().to_vec();
    assert!(VerifyingKey::es256("k", &point).is_ok());
    let mut off_the_curve = point.clone();
    off_the_curve[64] ^= 1;
    let mut hybrid = point.clone();
    hybrid[0] = 6;
    let mut compressed = point[..33].to_vec();
    compressed[0] = 2 + (point[64] & 1);
    for wrong in [
        &off_the_curve[..],
        &hybrid,
        &compressed,
        &point[..64],
        &[0],
        &[],
    ] {
        assert_eq!(VerifyingKey::es256("k", wrong).err(), Some(KeyFault::Form));
    }
}

#[test]
fn an_rsa_key_is_strong_and_written_one_way() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    // PKCS #1 DER: SEQUENCE and INTEGER heads of 4 bytes each, a zero, the modulus, the exponent.
    let n = pair.public_key().as_ref()[9..265].to_vec();
    let e = [1, 0, 1];
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        assert!(VerifyingKey::rsa("k", algorithm, &n, &e).is_ok());
    }
    let rsa = |n: &[u8], e: &[u8]| VerifyingKey::rsa("k", Algorithm::Rs256, n, e).err();
    assert_eq!(
        VerifyingKey::rsa("k", Algorithm::Es256, &n, &e).err(),
        Some(KeyFault::Algorithm)
    );
    assert_eq!(rsa(&[&[0], &n[..]].concat(), &e), Some(KeyFault::Form));
    assert_eq!(rsa(&[], &e), Some(KeyFault::Form));
    assert_eq!(rsa(&[0xff; 1025], &e), Some(KeyFault::Form));
    assert!(matches!(
        rsa(&n[1..], &e),
        Some(KeyFault::Weak(_) | KeyFault::Form)
    ));
    let mut even = n.clone();
    even[255] &= 0xfe;
    assert_eq!(rsa(&even, &e), Some(KeyFault::Form));
    for weak in [&[1][..], &[3], &[1, 0, 0], &[0xff, 0xff], &[1, 0, 2]] {
        assert!(matches!(rsa(&n, weak), Some(KeyFault::Weak(_))), "{weak:?}");
    }
    for wrong in [&[][..], &[0], &[0, 1, 0, 1], &[1, 0, 0, 0, 1]] {
        assert_eq!(rsa(&n, wrong), Some(KeyFault::Form), "{wrong:?}");
    }
}

#[test]
fn a_secret_has_at_least_32_bytes_and_is_not_printed() {
    assert!(matches!(
        VerifyingKey::hs256("k", &[7; 31]).err(),
        Some(KeyFault::Weak(_))
    ));
    let key = VerifyingKey::hs256("k", &[7; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "VerifyingKey(HS256, \"k\")");
}

#[test]
fn a_key_answers_to_its_own_algorithm_alone() {
    let key = VerifyingKey::ed25519("k", &ed25519_public()).unwrap();
    assert!(key.accepts_name("EdDSA"));
    for other in ["Ed25519", "eddsa", "ES256", "none", ""] {
        assert!(!key.accepts_name(other), "{other}");
    }
    let key = key.fully_specified().unwrap();
    assert!(key.accepts_name("EdDSA") && key.accepts_name("Ed25519"));
    assert!(!key.accepts_name("Ed448"));
    let renamed = key.renamed("other").unwrap();
    assert!(renamed.accepts_name("Ed25519"));
    assert_eq!(renamed.kid(), "other");
    let secret = VerifyingKey::hs256("k", &[7; 32]).unwrap();
    assert_eq!(secret.fully_specified().err(), Some(KeyFault::Algorithm));
}

#[test]
fn a_set_has_each_kid_once_and_one_kind_of_key() {
    let public = |kid| VerifyingKey::ed25519(kid, &ed25519_public()).unwrap();
    let secret = |kid| VerifyingKey::hs256(kid, &[7; 32]).unwrap();
    let set = KeySet::new(vec![public("a"), public("b")]).unwrap();
    assert_eq!(set.get("b").unwrap().kid(), "b");
    assert!(set.get("B").is_none() && set.get("").is_none());
    assert!(KeySet::new(vec![secret("a"), secret("b")]).is_ok());
    assert_eq!(
        KeySet::new(vec![public("a"), public("a")]).err(),
        Some(KeyFault::DuplicateKid)
    );
    assert_eq!(
        KeySet::new(vec![public("a"), secret("b")]).err(),
        Some(KeyFault::Mixed)
    );
}

#[test]
fn replacing_the_set_begins_an_epoch() {
    let keys = Keys::new(KeySet::default());
    assert_eq!((keys.epoch(), keys.current().len()), (0, 0));
    keys.replace(KeySet::new(vec![VerifyingKey::hs256("k", &[7; 32]).unwrap()]).unwrap());
    assert_eq!((keys.epoch(), keys.current().len()), (1, 1));
    assert_eq!(keys.current_with_epoch().1, 1);
}
