//! What the file of the master secret promises.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use hallpass_core::{SeededRandom, SystemRandom};
use hallpass_io::{SecretFileFault, former_secret_path, load_if_there, load_or_create};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("master-secret")
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(directory.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn write(path: &Path, text: &[u8], mode: u32) {
    std::fs::write(path, text).unwrap();
    set_mode(path, mode);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) {}

#[test]
fn a_secret_is_made_once_and_read_from_then_on() {
    let directory = tempfile::tempdir().unwrap();
    load_or_create(&file(&directory), &SeededRandom::new(1)).unwrap();
    let text = std::fs::read_to_string(file(&directory)).unwrap();
    assert_eq!(text.len(), 44);
    load_or_create(&file(&directory), &SeededRandom::new(2)).unwrap();
    assert_eq!(std::fs::read_to_string(file(&directory)).unwrap(), text);
    assert_eq!(names(&directory), ["master-secret"]);
}

#[test]
fn twenty_programs_that_start_at_once_agree_on_one_secret() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let barrier = std::sync::Barrier::new(20);
        let seen: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        load_or_create(&file(&directory), &SystemRandom).unwrap();
                        std::fs::read_to_string(file(&directory)).unwrap()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(seen.iter().all(|text| *text == seen[0]));
        assert_eq!(names(&directory), ["master-secret"]);
    }
}

#[cfg(unix)]
#[test]
fn kl_06_a_secret_file_that_others_can_get_at_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory);
    load_or_create(&path, &SystemRandom).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for mode in [0o644, 0o640, 0o604, 0o660, 0o622, 0o777] {
        set_mode(&path, mode);
        let fault = load_or_create(&path, &SystemRandom).unwrap_err();
        assert!(matches!(fault, SecretFileFault::Mode { .. }), "{mode:o}");
        assert!(fault.to_string().contains("chmod 600"), "{fault}");
    }
    for mode in [0o600, 0o400] {
        set_mode(&path, mode);
        assert!(load_or_create(&path, &SystemRandom).is_ok(), "{mode:o}");
    }
}

#[test]
fn kl_05_a_file_without_a_good_secret_is_refused_and_left_alone() {
    let zeros = "A".repeat(43);
    let cases: [(&[u8], bool); 9] = [
        (b"", false),
        (b"\n", false),
        (b"changeme", false),
        (b"c2hvcnQ", false),
        (zeros.as_bytes(), false),
        (b"\xff\xfe\xfd", false),
        (&[b'Q'; 5000], false),
        (b"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY3ODkw\n", true),
        (b"+/vz8QCBQkZmdIVqd0ZkyfMDX01wW+84qd+jpfvbYiE=\r\n", true),
    ];
    for (text, good) in cases {
        let directory = tempfile::tempdir().unwrap();
        write(&file(&directory), text, 0o600);
        let loaded = load_or_create(&file(&directory), &SystemRandom);
        assert_eq!(loaded.is_ok(), good, "{text:?}: {loaded:?}");
        assert_eq!(std::fs::read(file(&directory)).unwrap(), text);
    }
}

#[test]
fn kl_08_a_fault_does_not_repeat_the_secret() {
    let directory = tempfile::tempdir().unwrap();
    write(&file(&directory), b"hunter2-hunter2", 0o600);
    let fault = load_or_create(&file(&directory), &SystemRandom).unwrap_err();
    let told = format!("{fault} {fault:?}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_directory_that_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nowhere").join("master-secret");
    let fault = load_or_create(&path, &SystemRandom).unwrap_err();
    assert!(fault.to_string().contains("nowhere"), "{fault}");
}

#[test]
fn a_former_secret_is_read_if_it_is_there_and_never_made() {
    let directory = tempfile::tempdir().unwrap();
    let former = former_secret_path(&file(&directory));
    assert_eq!(former, directory.path().join("master-secret.former"));
    assert!(load_if_there(&former).unwrap().is_none());
    assert!(names(&directory).is_empty());
    write(
        &former,
        b"+/vz8QCBQkZmdIVqd0ZkyfMDX01wW+84qd+jpfvbYiE=",
        0o600,
    );
    assert!(load_if_there(&former).unwrap().is_some());
    write(&former, b"changeme", 0o600);
    assert!(load_if_there(&former).is_err());
}

#[cfg(unix)]
#[test]
fn kl_06_a_former_secret_that_others_can_get_at_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let former = former_secret_path(&file(&directory));
    write(
        &former,
        b"+/vz8QCBQkZmdIVqd0ZkyfMDX01wW+84qd+jpfvbYiE=",
        0o644,
    );
    let fault = load_if_there(&former).unwrap_err();
    assert!(matches!(fault, SecretFileFault::Mode { .. }), "{fault}");
}
