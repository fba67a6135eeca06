//! Keys: of many processes that change them at once, one does.

use super::feed::all;
use super::{HOUR, NOW, at_once};
use crate::key::{SealedKey, SealedRoot};
use crate::store::{Changed, KeyRevocation, Resealing, Store, Successor};
use hallpass_verify::{Algorithm, Revoked};
use std::sync::Arc;

pub(super) async fn check<S: Store + 'static>(make: impl Fn() -> Arc<S>) {
    twenty_starts_at_once_agree_on_one_root_key(make()).await;
    a_key_comes_back_as_it_went_in(make().as_ref()).await;
    of_twenty_keys_that_are_added_at_once_one_is(make()).await;
    keys_stay_in_order_when_others_are_forgotten(make().as_ref()).await;
    a_key_is_added_after_the_last_one_that_is_kept(make().as_ref()).await;
    a_revoked_key_is_in_the_feed_and_the_others_are_as_before(make().as_ref()).await;
    a_successor_that_was_announced_signs_at_once(make().as_ref()).await;
    a_successor_that_was_added_is_the_last_key(make().as_ref()).await;
    a_key_is_revoked_once(make().as_ref()).await;
    of_twenty_revocations_at_once_one_has_its_successor(make()).await;
    all_keys_are_resealed_or_none(make().as_ref()).await;
    of_twenty_resealings_at_once_one_takes_place(make()).await;
}

fn key(kid: &str) -> SealedKey {
    SealedKey {
        kid: kid.into(),
        algorithm: Algorithm::EdDsa,
        sealed: [&[0, 255], kid.as_bytes()].concat(),
        created_at: NOW.minus(HOUR),
        signs_from: NOW.plus(HOUR),
        revoked_at: None,
    }
}

async fn keys(store: &dyn Store) -> Vec<SealedKey> {
    store.keys().await.unwrap()
}

async fn kids(store: &dyn Store) -> Vec<String> {
    keys(store).await.into_iter().map(|key| key.kid).collect()
}

/// Adds keys, one after the other.
async fn add(store: &dyn Store, kids: &[&str]) {
    let mut after = keys(store).await.pop().map(|key| key.kid);
    for kid in kids {
        let added = store.add_key(key(kid), after.as_deref()).await.unwrap();
        assert_eq!(added, Changed::Changed, "{kid} after {after:?}");
        after = Some((*kid).to_owned());
    }
}

async fn revoke(store: &dyn Store, kid: &str, successor: Successor) -> Changed {
    let revocation = KeyRevocation {
        kid: kid.into(),
        at: NOW,
        successor,
    };
    store.revoke_key(revocation).await.unwrap()
}

fn count_changed(came: &[Changed]) -> usize {
    came.iter()
        .filter(|changed| **changed == Changed::Changed)
        .count()
}

async fn twenty_starts_at_once_agree_on_one_root_key<S: Store + 'static>(store: Arc<S>) {
    let agreed = at_once(20, |number| {
        let store = store.clone();
        async move { store.root_key(SealedRoot(vec![number, 0, 255])).await }
    })
    .await;
    let agreed: Vec<_> = agreed.into_iter().map(Result::unwrap).collect();
    assert!(agreed.iter().all(|root| *root == agreed[0]));
    assert!((0..20).any(|number| agreed[0] == SealedRoot(vec![number, 0, 255])));
    let later = store.root_key(SealedRoot(vec![99])).await.unwrap();
    assert_eq!(later, agreed[0]);
}

async fn a_key_comes_back_as_it_went_in(store: &dyn Store) {
    let one = SealedKey {
        algorithm: Algorithm::Es256,
        signs_from: NOW,
        ..key("one")
    };
    let other = SealedKey {
        algorithm: Algorithm::Rs256,
        sealed: vec![7; 5000],
        created_at: NOW.plus(HOUR),
        revoked_at: Some(NOW.plus(2 * HOUR)),
        ..key("\u{1f98a} 'an imported name\"")
    };
    assert_eq!(keys(store).await, []);
    for (new, after) in [(&one, None), (&other, Some("one"))] {
        let added = store.add_key(new.clone(), after).await.unwrap();
        assert_eq!(added, Changed::Changed);
    }
    assert_eq!(keys(store).await, [one, other]);
}

async fn of_twenty_keys_that_are_added_at_once_one_is<S: Store + 'static>(store: Arc<S>) {
    for round in 1..=5 {
        let after = kids(store.as_ref()).await.pop();
        let came = at_once(20, |number| {
            let (store, after) = (store.clone(), after.clone());
            let new = key(&format!("{round}-{number}"));
            async move { store.add_key(new, after.as_deref()).await.unwrap() }
        })
        .await;
        assert_eq!(count_changed(&came), 1, "round {round}");
        let kids = kids(store.as_ref()).await;
        assert_eq!(kids.len(), round);
        let winner = came.iter().position(|came| *came == Changed::Changed);
        assert_eq!(kids[round - 1], format!("{round}-{}", winner.unwrap()));
    }
}

async fn keys_stay_in_order_when_others_are_forgotten(store: &dyn Store) {
    add(store, &["d", "b", "c", "a"]).await;
    let forget = async |kids: &[&str]| {
        let kids: Vec<_> = kids.iter().map(|kid| (*kid).to_owned()).collect();
        store.forget_keys(&kids).await.unwrap();
    };
    forget(&[]).await;
    forget(&["b", "nobody"]).await;
    assert_eq!(kids(store).await, ["d", "c", "a"]);
    forget(&["d", "c"]).await;
    // What is forgotten, or was never there, is not what was added last; nor is "none".
    for after in [None, Some("b"), Some("c"), Some("nobody"), Some("")] {
        let added = store.add_key(key("x"), after).await.unwrap();
        assert_eq!(added, Changed::Unchanged, "{after:?}");
    }
    add(store, &["b", "0"]).await;
    assert_eq!(kids(store).await, ["a", "b", "0"]);
    let late = store.add_key(key("x"), Some("a")).await.unwrap();
    assert_eq!(late, Changed::Unchanged);
    assert_eq!(keys(store).await, [key("a"), key("b"), key("0")]);
}

/// Who adds a key knows those that are kept, and no others.
async fn a_key_is_added_after_the_last_one_that_is_kept(store: &dyn Store) {
    add(store, &["one", "two"]).await;
    store.forget_keys(&["two".into()]).await.unwrap();
    let after_forgotten = store.add_key(key("x"), Some("two")).await.unwrap();
    assert_eq!(after_forgotten, Changed::Unchanged);
    add(store, &["three"]).await;
    assert_eq!(kids(store).await, ["one", "three"]);
    store
        .forget_keys(&["one".into(), "three".into()])
        .await
        .unwrap();
    add(store, &["four"]).await;
    assert_eq!(kids(store).await, ["four"]);
}

async fn a_revoked_key_is_in_the_feed_and_the_others_are_as_before(store: &dyn Store) {
    add(store, &["one", "two", "three"]).await;
    let changed = revoke(store, "two", Successor::Unchanged).await;
    assert_eq!(changed, Changed::Changed);
    let two = SealedKey {
        revoked_at: Some(NOW),
        ..key("two")
    };
    assert_eq!(keys(store).await, [key("one"), two, key("three")]);
    let feed = all(store).await;
    assert_eq!(feed.len(), 1);
    assert_eq!(
        (&feed[0].revoked, feed[0].at),
        (&Revoked::Key("two".into()), NOW)
    );
    // A key may be forgotten; that it was revoked may not.
    store.forget_keys(&["two".into()]).await.unwrap();
    store.purge_feed(NOW.plus(HOUR)).await.unwrap();
    assert_eq!(all(store).await, feed);
}

async fn a_successor_that_was_announced_signs_at_once(store: &dyn Store) {
    add(store, &["one", "two", "three"]).await;
    let changed = revoke(store, "one", Successor::Promoted("two".into())).await;
    assert_eq!(changed, Changed::Changed);
    let one = SealedKey {
        revoked_at: Some(NOW),
        ..key("one")
    };
    let two = SealedKey {
        signs_from: NOW,
        ..key("two")
    };
    assert_eq!(keys(store).await, [one, two, key("three")]);
}

async fn a_successor_that_was_added_is_the_last_key(store: &dyn Store) {
    add(store, &["two", "one"]).await;
    let new = SealedKey {
        signs_from: NOW,
        ..key("new")
    };
    let changed = revoke(store, "one", Successor::Added(new.clone())).await;
    assert_eq!(changed, Changed::Changed);
    let one = SealedKey {
        revoked_at: Some(NOW),
        ..key("one")
    };
    assert_eq!(keys(store).await, [key("two"), one, new]);
    let late = store.add_key(key("late"), Some("one")).await.unwrap();
    assert_eq!(late, Changed::Unchanged);
    add(store, &["next"]).await;
}

async fn a_key_is_revoked_once(store: &dyn Store) {
    add(store, &["one", "two"]).await;
    revoke(store, "one", Successor::Unchanged).await;
    let (kept, feed) = (keys(store).await, all(store).await);
    for kid in ["one", "nobody"] {
        for successor in [
            Successor::Unchanged,
            Successor::Promoted("two".into()),
            Successor::Added(key("new")),
        ] {
            let revocation = KeyRevocation {
                kid: kid.into(),
                at: NOW.plus(HOUR),
                successor,
            };
            let again = store.revoke_key(revocation).await.unwrap();
            assert_eq!(again, Changed::Unchanged);
        }
    }
    assert_eq!(keys(store).await, kept);
    assert_eq!(all(store).await, feed);
}

async fn of_twenty_revocations_at_once_one_has_its_successor<S: Store + 'static>(store: Arc<S>) {
    add(store.as_ref(), &["one"]).await;
    let came = at_once(20, |number| {
        let store = store.clone();
        let successor = Successor::Added(key(&format!("new-{number}")));
        async move { revoke(store.as_ref(), "one", successor).await }
    })
    .await;
    assert_eq!(count_changed(&came), 1);
    assert_eq!(keys(store.as_ref()).await.len(), 2);
    assert_eq!(all(store.as_ref()).await.len(), 1);
}

/// What a process reseals that read what `from` sealed.
fn resealing(from: u8, to: u8, kids: &[&str]) -> Resealing {
    let keys = kids
        .iter()
        .map(|kid| ((*kid).into(), sealed(kid, from), sealed(kid, to)));
    Resealing {
        root: (SealedRoot(vec![from]), SealedRoot(vec![to])),
        keys: keys.collect(),
    }
}

fn sealed(kid: &str, by: u8) -> Vec<u8> {
    [&[by], kid.as_bytes()].concat()
}

async fn add_sealed(store: &dyn Store, by: u8) {
    store.root_key(SealedRoot(vec![by])).await.unwrap();
    let mut after = None;
    for kid in ["one", "two"] {
        let new = SealedKey {
            sealed: sealed(kid, by),
            ..key(kid)
        };
        store.add_key(new, after).await.unwrap();
        after = Some(kid);
    }
}

/// Returns by whom the root key and the signing keys are sealed.
async fn sealed_by(store: &dyn Store) -> Vec<u8> {
    let root = store.root_key(SealedRoot(vec![0])).await.unwrap();
    let keys = keys(store).await.into_iter().map(|key| key.sealed);
    std::iter::once(root.0)
        .chain(keys)
        .map(|sealed| sealed[0])
        .collect()
}

async fn all_keys_are_resealed_or_none(store: &dyn Store) {
    let early = resealing(1, 2, &[]);
    assert_eq!(store.reseal(early).await.unwrap(), Changed::Unchanged);
    add_sealed(store, 1).await;
    let wrong_root = Resealing {
        root: (SealedRoot(vec![3]), SealedRoot(vec![2])),
        ..resealing(1, 2, &["one", "two"])
    };
    let mut wrong_key = resealing(1, 2, &["one", "two"]);
    wrong_key.keys[1].1.push(0);
    for refused in [
        wrong_root,
        wrong_key,
        resealing(1, 2, &["one", "two", "nobody"]),
        resealing(3, 2, &["one", "two"]),
    ] {
        let came = store.reseal(refused.clone()).await.unwrap();
        assert_eq!(came, Changed::Unchanged, "{refused:?}");
        assert_eq!(sealed_by(store).await, [1, 1, 1], "{refused:?}");
    }
    let right = resealing(1, 2, &["two", "one"]);
    assert_eq!(store.reseal(right.clone()).await.unwrap(), Changed::Changed);
    assert_eq!(sealed_by(store).await, [2, 2, 2]);
    assert_eq!(store.reseal(right).await.unwrap(), Changed::Unchanged);
    let expected = ["one", "two"].map(|kid| SealedKey {
        sealed: sealed(kid, 2),
        ..key(kid)
    });
    assert_eq!(keys(store).await, expected);
}

async fn of_twenty_resealings_at_once_one_takes_place<S: Store + 'static>(store: Arc<S>) {
    add_sealed(store.as_ref(), 200).await;
    let came = at_once(20, |number| {
        let store = store.clone();
        let resealing = resealing(200, number, &["one", "two"]);
        async move { store.reseal(resealing).await.unwrap() }
    })
    .await;
    assert_eq!(count_changed(&came), 1);
    let winner = came
        .iter()
        .zip(0..)
        .find(|(came, _)| **came == Changed::Changed);
    let (_, winner) = winner.unwrap();
    assert_eq!(sealed_by(store.as_ref()).await, [winner; 3]);
}
