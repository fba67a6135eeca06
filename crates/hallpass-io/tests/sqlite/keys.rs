//! Keys: many processes, all or nothing, and what is left behind.

use crate::feed::feed;
use crate::{NOW, count, file, open};
use hallpass_core::key::{SealedKey, SealedRoot};
use hallpass_core::store::{Changed, KeyRevocation, KeyStore as _, Resealing, Successor};
use hallpass_verify::Algorithm;

pub(crate) fn key(kid: &str) -> SealedKey {
    SealedKey {
        kid: kid.into(),
        algorithm: Algorithm::EdDsa,
        sealed: kid.into(),
        created_at: NOW,
        signs_from: NOW,
        revoked_at: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn twenty_processes_on_one_file_agree_on_one_key_and_one_root_key() {
    let directory = tempfile::tempdir().unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let store = open(&directory);
            tokio::spawn(async move {
                let root = SealedRoot(vec![number; 60]);
                let root = store.root_key(root).await.unwrap();
                let added = store.add_key(key(&number.to_string()), None).await.unwrap();
                (root, added, store.keys().await.unwrap())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    let added = answers
        .iter()
        .filter(|(_, added, _)| *added == Changed::Changed);
    assert_eq!(added.count(), 1);
    let (root, _, keys) = &answers[0];
    assert!(
        answers
            .iter()
            .all(|answer| answer.0 == *root && answer.2 == *keys)
    );
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn a_key_whose_successor_is_refused_is_not_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.add_key(key("one"), None).await.unwrap();
    store.add_key(key("two"), Some("one")).await.unwrap();
    // A name that is taken.
    let revocation = KeyRevocation {
        kid: "one".into(),
        at: NOW,
        successor: Successor::Added(key("two")),
    };
    store.revoke_key(revocation).await.unwrap_err();
    assert_eq!(store.keys().await.unwrap(), [key("one"), key("two")]);
    assert_eq!(feed(&store).await, []);
}

#[tokio::test]
async fn what_a_key_was_sealed_as_is_gone_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let (old, new) = (b"old-".repeat(15), b"new-".repeat(15));
    let sealed = |sealed: &[u8]| SealedKey {
        sealed: sealed.into(),
        ..key("one")
    };
    store.root_key(SealedRoot(old.clone())).await.unwrap();
    store.add_key(sealed(&old), None).await.unwrap();
    let resealing = Resealing {
        root: (SealedRoot(old.clone()), SealedRoot(new.clone())),
        keys: vec![("one".into(), old, new.clone())],
    };
    assert_eq!(store.reseal(resealing).await.unwrap(), Changed::Changed);
    drop(store);
    assert_eq!(count(&file(&directory), b"old-old-"), 0);
    assert_eq!(count(&file(&directory), &new), 2);
}
