use super::*;
use crate::VerifyingKey;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;
use tempfile::TempDir;

const ISSUER: &str = "https://auth.example.test";

fn set(kids: &[&str]) -> KeySet {
    let key = |kid: &&str| {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        VerifyingKey::ed25519(kid, pair.public_key().as_ref()).unwrap()
    };
    KeySet::new(kids.iter().map(key).collect()).unwrap()
}

fn at() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn file_in(folder: &TempDir) -> KeyFile {
    KeyFile::at(folder.path().join("keys.json"))
}

/// A file with this text that only its owner may write.
fn holding(folder: &TempDir, text: &[u8]) -> KeyFile {
    let file = file_in(folder);
    let _ = fs::remove_file(file.path());
    write_new(file.path(), text).unwrap();
    file
}

#[test]
fn what_was_written_is_read_again_and_no_draft_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let file = file_in(&folder);
    assert!(file.read(ISSUER).unwrap().is_none());
    for kids in [&["a", "b"][..], &["c"]] {
        file.write(ISSUER, &set(kids), at()).unwrap();
        let kept = file.read(ISSUER).unwrap().unwrap();
        assert_eq!(kept.set.to_jwks(), set(kids).to_jwks());
        assert_eq!(kept.fetched_at, at());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn without_a_key_there_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = file_in(&folder);
    for _ in 0..2 {
        file.write(ISSUER, &KeySet::default(), at()).unwrap();
        assert!(file.read(ISSUER).unwrap().is_none());
        file.write(ISSUER, &set(&["a"]), at()).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_use_the_file_and_one_that_others_may_write_is_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = file_in(&folder);
    file.write(ISSUER, &set(&["a"]), at()).unwrap();
    let mode = || fs::metadata(file.path()).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o600);
    for (mode, is_read) in [(0o644, true), (0o620, false), (0o602, false), (0o400, true)] {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(file.read(ISSUER).is_ok(), is_read, "{mode:o}");
    }
}

#[test]
fn the_file_of_another_issuer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = file_in(&folder);
    file.write("https://other.test", &set(&["a"]), at())
        .unwrap();
    assert!(matches!(file.read(ISSUER), Err(DiskFault::OtherIssuer)));
}

#[test]
fn a_broken_file_is_a_fault_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let good = json!({ "issuer": ISSUER, "jwks": set(&["a"]).to_jwks(), "fetched_at": 1 });
    let mut cases = vec![
        Vec::new(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"\xff".to_vec(),
        vec![b' '; FILE_LEN_MAX + 1],
        format!("{good}{good}").into_bytes(),
    ];
    for (member, value) in [
        ("issuer", json!(7)),
        ("fetched_at", json!("1")),
        ("fetched_at", json!(-1)),
        ("jwks", json!([])),
        ("jwks", json!({ "keys": [] })),
    ] {
        let mut broken = good.clone();
        broken[member] = value;
        cases.push(broken.to_string().into_bytes());
    }
    for case in cases {
        let file = holding(&folder, &case);
        let shown = String::from_utf8_lossy(&case[..case.len().min(80)]).into_owned();
        assert!(file.read(ISSUER).is_err(), "{shown}");
    }
    assert!(
        holding(&folder, good.to_string().as_bytes())
            .read(ISSUER)
            .is_ok()
    );
}

#[test]
fn a_private_key_in_the_file_is_refused_as_from_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let mut jwks = set(&["a"]).to_jwks();
    jwks["keys"][0]["d"] = "AAAA".into();
    let text = json!({ "issuer": ISSUER, "jwks": jwks, "fetched_at": 1 });
    let file = holding(&folder, text.to_string().as_bytes());
    let refused = file.read(ISSUER);
    assert!(matches!(
        refused,
        Err(DiskFault::Keys(KeyFault::PrivateKey))
    ));
}

#[test]
fn a_folder_that_is_not_there_is_a_fault_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = KeyFile::at(folder.path().join("none").join("keys.json"));
    assert!(file.write(ISSUER, &set(&["a"]), at()).is_err());
    assert!(file.read(ISSUER).unwrap().is_none());
}
