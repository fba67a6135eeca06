//! A stolen database contains nothing that can be presented, and nothing can be guessed.

use crate::common::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::store::{Cursor, FeedStore as _, KeyStore as _, UserStore as _};
use hallpass_core::{Hallpass, Issued, Parts};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The bytes of a refresh token: version, session id, generation, MAC.
fn bytes_of(token: &str) -> Vec<u8> {
    let encoded = token.strip_prefix("hpr_").unwrap();
    URL_SAFE_NO_PAD.decode(encoded).unwrap()
}

/// Everything that a store holds, printed and raw.
async fn dump(world: &World, opened: &[&Issued]) -> Vec<u8> {
    let mut dump = format!("{:?}", world.store).into_bytes();
    for key in world.store.keys().await.unwrap() {
        dump.extend(key.sealed);
    }
    let credentials = world.store.credentials(&email("ada").key()).await.unwrap();
    dump.extend(credentials.unwrap().password.expose().bytes());
    for issued in opened {
        let row = world.row(issued.session.id).await;
        dump.extend(row.id.as_bytes());
        dump.extend(row.generation.to_be_bytes());
        dump.extend(row.rotation_key.map(|key| key.0).unwrap_or_default());
        dump.extend(format!("{row:?}").bytes());
    }
    let feed = world.store.revoked_since(Cursor::default(), 1000).await;
    for entry in feed.unwrap() {
        dump.extend(format!("{entry:?}").bytes());
    }
    dump
}

/// Tells whether a dump holds these bytes in any form: raw, base64url, hexadecimal, a list.
fn holds(dump: &[u8], bytes: &[u8]) -> bool {
    let list = format!("{bytes:?}");
    let mut hex = String::new();
    for byte in bytes {
        write!(hex, "{byte:02x}").unwrap();
    }
    // Without the last characters, which depend on what follows.
    let base64 = URL_SAFE_NO_PAD.encode(bytes);
    let forms = [
        bytes,
        list.trim_matches(['[', ']']).as_bytes(),
        hex.as_bytes(),
        &base64.as_bytes()[..base64.len() - 2],
    ];
    let found = |form: &[u8]| dump.windows(form.len()).any(|window| window == form);
    forms.into_iter().any(found)
}

#[tokio::test]
async fn rf_17_the_store_holds_nothing_that_can_be_presented() {
    let (world, hallpass) = World::started().await;
    let first = sign_up(&hallpass, "ada").await;
    let token = first.refresh.expose();
    let second = refresh_keyed(&hallpass, token, Some(KEY)).await.unwrap();
    let ended = sign_in(&hallpass, "ada", PASSWORD, opening())
        .await
        .unwrap();
    hallpass
        .sign_out(ended.session.id, &device(1))
        .await
        .unwrap();
    let dump = dump(&world, &[&second, &ended]).await;
    // The search works: session ids are there, and are no credential.
    assert!(holds(&dump, first.session.id.as_bytes()));
    assert!(holds(&dump, b"$argon2id$"));
    for issued in [&first, &second, &ended] {
        let bytes = bytes_of(issued.refresh.expose());
        let (_, mac) = bytes.split_at(21);
        assert!(!holds(&dump, issued.refresh.expose().as_bytes()));
        for part in mac.chunks(8) {
            assert!(!holds(&dump, part));
        }
        let (_, signature) = issued.access.expose().rsplit_once('.').unwrap();
        assert!(!holds(&dump, signature.as_bytes()));
        let csrf = URL_SAFE_NO_PAD.decode(issued.csrf.expose()).unwrap();
        let csrf_secret: Vec<u8> = csrf[..32]
            .iter()
            .zip(&csrf[32..])
            .map(|(a, b)| a ^ b)
            .collect();
        assert!(!holds(&dump, &csrf_secret));
    }
    for secret in [KEY, PASSWORD] {
        assert!(!holds(&dump, secret.as_bytes()));
    }
    let master: Vec<u8> = (0..32).collect();
    assert!(!holds(&dump, &master[..8]));
}

/// Checks that about half of the bits are set, each for itself: six standard deviations.
fn each_bit_is_a_coin(samples: &[Vec<u8>]) {
    let bits = samples[0].len() * 8;
    let count = u32::try_from(samples.len()).unwrap();
    for bit in 0..bits {
        let is_set = |bytes: &&Vec<u8>| bytes[bit / 8] >> (bit % 8) & 1 == 1;
        let set = u32::try_from(samples.iter().filter(is_set).count()).unwrap();
        let share = f64::from(set) / f64::from(count);
        assert!((0.405..0.595).contains(&share), "bit {bit}: {share}");
    }
}

#[tokio::test]
async fn rf_18_no_two_of_a_thousand_tokens_are_equal_or_tell_anything() {
    let world = World::new();
    // The randomness of the machine, as in a deployment.
    let parts = Parts::new(world.store.clone(), secret(0)).clock(world.clock.clone());
    let hallpass = Hallpass::start(cheap(), parts).await.unwrap();
    let mut tokens = Vec::new();
    for _ in 0..1000 {
        tokens.push(bytes_of(open(&hallpass, "ada").await.refresh.expose()));
    }
    let distinct = |range: std::ops::Range<usize>| {
        let parts: BTreeSet<_> = tokens.iter().map(|t| t[range.clone()].to_vec()).collect();
        parts.len()
    };
    assert_eq!(tokens[0].len(), 53);
    // No two share the session id, nor the MAC, nor the first half of either.
    for range in [1..17, 1..9, 9..17, 21..53, 21..37] {
        assert_eq!(distinct(range.clone()), 1000, "{range:?}");
    }
    // 128 bits of the session id, and a MAC: every bit of both is a coin.
    let drawn: Vec<_> = tokens
        .iter()
        .map(|t| [&t[1..17], &t[21..53]].concat())
        .collect();
    each_bit_is_a_coin(&drawn);
    // From one to the next about half the bits change.
    let (mut changed, mut pairs) = (0, 0);
    for pair in tokens.windows(2) {
        let bits = pair[0][1..17].iter().zip(&pair[1][1..17]);
        changed += bits.map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        pairs += 1;
    }
    let share = f64::from(changed) / f64::from(pairs * 128);
    assert!((0.49..0.51).contains(&share), "{share}");
    // The rest is the version and the generation, the same for all: no time, no user.
    assert_eq!(distinct(0..1), 1);
    assert_eq!(distinct(17..21), 1);
}
