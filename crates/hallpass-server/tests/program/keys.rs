//! Signing keys: announced, rotated, revoked and imported while servers run.

use crate::common::{Running, hallpass, me, output, refresh, told, within};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::{Clock as _, SystemClock};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;
use tempfile::TempDir;

/// Keys that are announced for two seconds only, so that a test sees them sign.
const SOON: [(&str, &str); 2] = [
    ("HALLPASS_KEYS_JWKS_MAX_AGE", "1s"),
    ("HALLPASS_KEYS_ANNOUNCE", "2s"),
];
const SECOND: Duration = Duration::from_secs(1);

fn command(
    directory: &Path,
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> (i32, String, String) {
    let mut command = hallpass(directory, arguments);
    told(command.envs(environment.iter().copied()).output().unwrap())
}

fn done(directory: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let (code, out, log) = command(directory, environment, arguments);
    assert_eq!(code, 0, "{log}");
    out
}

/// The keys as `hallpass key list --json` shows them: name and state.
fn states(directory: &Path, environment: &[(&str, &str)]) -> Vec<(String, String)> {
    let list = done(directory, environment, &["key", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = list.as_array().unwrap().iter();
    keys.map(|key| (text(&key["kid"]), text(&key["state"])))
        .collect()
}

fn published(running: &Running) -> BTreeSet<String> {
    let set = running.get("/.well-known/jwks.json", &[]).json();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// The name of the key that signed an access token.
fn kid(opened: &Value) -> String {
    let token = opened["access_token"].as_str().unwrap();
    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn set(kids: &[&String]) -> BTreeSet<String> {
    kids.iter().map(|kid| (*kid).clone()).collect()
}

#[test]
fn jk_03_a_key_is_rotated_while_a_server_runs_and_no_token_is_refused() {
    let running = Running::start(&["serve"], &SOON);
    let directory = running.directory.path();
    let before = running.sign_up("body").json();
    let first = kid(&before);
    assert_eq!(published(&running), set(&[&first]));

    let out = done(directory, &SOON, &["key", "rotate"]);
    let keys = states(directory, &SOON);
    let second = keys[1].0.clone();
    assert!(
        out.starts_with(&format!("the key {second} is announced, and signs from ")),
        "{out}"
    );
    // Whoever runs it twice gets no third key.
    let out = done(directory, &SOON, &["key", "rotate"]);
    assert!(
        out.starts_with(&format!("the key {second} is announced already, and")),
        "{out}"
    );
    within(SECOND, "the announced key is published", || {
        published(&running) == set(&[&first, &second])
    });

    let mut after = before.clone();
    within(5 * SECOND, "the announced key signs", || {
        assert_eq!((me(&running, &before), me(&running, &after)), (200, 200));
        after = refresh(&running, &after);
        kid(&after) == second
    });
    assert_eq!((me(&running, &before), me(&running, &after)), (200, 200));
    assert_eq!(
        states(directory, &SOON),
        [
            (first.clone(), "retired".to_owned()),
            (second.clone(), "active".to_owned())
        ]
    );
    assert_eq!(published(&running), set(&[&first, &second]));
}

#[test]
fn jk_04_a_revoked_key_is_refused_within_a_second_and_nobody_is_signed_out() {
    let running = Running::start(&["serve"], &[]);
    let directory = running.directory.path();
    let before = running.sign_up("body").json();
    let first = kid(&before);
    assert_eq!(me(&running, &before), 200);

    let out = done(directory, &[], &["key", "revoke", &first]);
    within(SECOND, "its tokens are refused", || {
        me(&running, &before) == 401
    });
    let keys = states(directory, &[]);
    let second = &keys.iter().find(|(_, state)| state == "active").unwrap().0;
    assert!(
        keys.contains(&(first.clone(), "revoked".into())),
        "{keys:?}"
    );
    assert!(
        out.starts_with(&format!("the key {first} is revoked: ")),
        "{out}"
    );
    assert!(out.contains("nobody is signed out"), "{out}");
    assert!(out.ends_with(&format!("the key {second} signs\n")), "{out}");
    assert_eq!(published(&running), set(&[second]));

    let after = refresh(&running, &before);
    assert_eq!((&kid(&after), me(&running, &after)), (second, 200));
    for gone in [&first, "no-such-key", "", "-6", "-hV-named", "--x"] {
        let (code, _, log) = command(directory, &[], &["key", "revoke", gone]);
        assert!(
            code == 1 && log.contains("there is no key of this name"),
            "{log}"
        );
    }
    // What was revoked stays so after a restart.
    let directory = Rc::clone(&running.directory);
    assert_eq!(running.stop().0, 0);
    let again = Running::start_in(directory, &["serve"], &[]);
    assert_eq!(
        (me(&again, &before), published(&again)),
        (401, set(&[second]))
    );
}

#[test]
fn the_announced_key_takes_over_at_once_when_the_one_that_signs_is_revoked() {
    let running = Running::start(&["serve"], &[]);
    let directory = running.directory.path();
    let before = running.sign_up("body").json();
    done(directory, &[], &["key", "rotate"]);
    let next = states(directory, &[])[1].0.clone();
    let out = done(directory, &[], &["key", "revoke", &kid(&before)]);
    assert!(out.ends_with(&format!("the key {next} signs\n")), "{out}");
    within(SECOND, "the announced key signs", || {
        kid(&refresh(&running, &before)) == next
    });
    assert_eq!(published(&running), set(&[&next]));
}

#[test]
fn keys_rotate_by_themselves_on_two_servers_and_no_token_is_refused() {
    let environment = [
        SOON[0],
        SOON[1],
        ("HALLPASS_KEYS_ROTATE_EVERY", "3s"),
        ("HALLPASS_TOKENS_ACCESS_TTL", "10s"),
        ("HALLPASS_TOKENS_REFRESH_GRACE", "1s"),
    ];
    let arguments = ["serve", "--public-url", "http://localhost:1"];
    let one = Running::start(&arguments, &environment);
    let two = Running::start_in(Rc::clone(&one.directory), &arguments, &environment);
    let mut tokens = vec![one.sign_up("body").json()];
    let mut signed = vec![kid(&tokens[0])];
    within(20 * SECOND, "three keys have signed", || {
        let (signs, verifies) = if tokens.len() % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        let newest = refresh(signs, &tokens[tokens.len() - 1]);
        assert_eq!(me(verifies, &newest), 200);
        if signed.last() != Some(&kid(&newest)) {
            // What a former key signed stays good, on either server.
            let last_of_former = &tokens[tokens.len() - 1];
            assert_eq!(
                (me(&one, last_of_former), me(&two, last_of_former)),
                (200, 200)
            );
            signed.push(kid(&newest));
        }
        tokens.push(newest);
        signed.len() == 4
    });
    assert_eq!(
        signed.iter().collect::<BTreeSet<_>>().len(),
        4,
        "{signed:?}"
    );
}

#[test]
fn kill_9_in_the_middle_of_a_rotation_leaves_one_announced_key_or_none() {
    let directory = TempDir::new().unwrap();
    let spawn = || {
        let mut command = hallpass(directory.path(), &["key", "rotate"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    done(directory.path(), &[], &["key", "list"]);
    let begun = SystemClock.now();
    assert!(spawn().wait().unwrap().success());
    let step = SystemClock.now().since(begun) / 20;
    let next = || {
        let keys = states(directory.path(), &[]).into_iter();
        let next = keys.filter(|(_, state)| state == "next");
        next.map(|(kid, _)| kid).collect::<Vec<_>>()
    };
    // Each kill comes a little later than the one before, until the key was announced three times.
    let (mut kills, mut announced) = (0, 0);
    while announced < 3 {
        for kid in next() {
            done(directory.path(), &[], &["key", "revoke", &kid]);
        }
        let deadline = SystemClock.now().plus(step * kills);
        let mut child = spawn();
        while SystemClock.now() < deadline {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = next();
        assert!(
            left.len() <= 1 && (kills > 0 || left.is_empty()),
            "{left:?}"
        );
        done(directory.path(), &[], &["key", "rotate"]);
        let whole = next();
        assert!(
            whole.len() == 1 && (left.is_empty() || left == whole),
            "{left:?} {whole:?}"
        );
        announced += left.len();
        kills += 1;
    }
}

#[test]
fn twenty_servers_that_start_at_once_on_a_new_database_publish_one_and_the_same_key() {
    let directory = Rc::new(TempDir::new().unwrap());
    let arguments = ["serve", "--public-url", "http://localhost:1"];
    let spawned: Vec<_> = (0..20)
        .map(|_| Running::spawn(Rc::clone(&directory), &arguments, &[]))
        .collect();
    let running: Vec<_> = spawned.into_iter().map(Running::listening).collect();
    let opened = running[0].sign_up("body").json();
    let key = kid(&opened);
    for server in &running {
        assert_eq!(published(server), set(&[&key]));
        assert_eq!(me(server, &opened), 200);
        let text = server.get("/.well-known/jwks.json", &[]).text;
        assert_eq!(text, running[0].get("/.well-known/jwks.json", &[]).text);
    }
    let mut renewed = opened;
    for server in &running {
        renewed = refresh(server, &renewed);
        assert_eq!(kid(&renewed), key);
    }
}

/// A key file of the tests of the core, with a mode of its own.
fn key_file(directory: &Path, name: &str, mode: u32) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hallpass-core/tests/data/keys");
    let copy = directory.join(name);
    std::fs::copy(data.join(name), &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(mode)).unwrap();
    copy
}

#[test]
fn a_key_that_was_made_elsewhere_is_announced_and_signs() {
    let rs256 = [SOON[0], SOON[1], ("HALLPASS_TOKENS_ALGORITHM", "RS256")];
    let running = Running::start(&["serve"], &rs256);
    let directory = running.directory.path();
    let before = running.sign_up("body").json();
    let file = key_file(directory, "rsa.jwk.json", 0o600);
    let import = ["key", "import", file.to_str().unwrap()];
    let out = done(directory, &rs256, &import);
    let name = "bilbo.baggins@hobbiton.example";
    assert!(
        out.starts_with(&format!("the key {name} is announced, and signs from ")),
        "{out}"
    );
    let (code, _, log) = command(directory, &rs256, &import);
    assert!(
        code == 1 && log.contains("there is a key of this name already"),
        "{log}"
    );
    let mut after = before.clone();
    within(5 * SECOND, "the imported key signs", || {
        after = refresh(&running, &after);
        kid(&after) == name
    });
    assert_eq!((me(&running, &before), me(&running, &after)), (200, 200));
    let jwk: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let served = running.get("/.well-known/jwks.json", &[]).json();
    let keys = served["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == name).unwrap();
    assert_eq!((&key["n"], &key["alg"]), (&jwk["n"], &"RS256".into()));
    assert!(key["d"].is_null() && key["p"].is_null(), "{key}");
}

#[test]
fn a_key_comes_from_standard_input_too() {
    let directory = TempDir::new().unwrap();
    let pem = std::fs::read(key_file(directory.path(), "ed25519.pem", 0o600)).unwrap();
    let mut child = hallpass(directory.path(), &["key", "import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&pem).unwrap();
    let (code, _, log) = told(child.wait_with_output().unwrap());
    assert_eq!(code, 0, "{log}");
    // RFC 8037 A.3.
    let thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    assert_eq!(
        states(directory.path(), &[])[1],
        (thumbprint.into(), "next".into())
    );
}

#[test]
fn a_key_that_cannot_sign_here_is_refused_and_nothing_is_opened() {
    let directory = TempDir::new().unwrap();
    let refused = |name: &str, mode: u32, reason: &str| {
        let file = key_file(directory.path(), name, mode);
        let (code, out, log) = output(directory.path(), &["key", "import", file.to_str().unwrap()]);
        assert!(code == 1 && out.is_empty() && log.contains(reason), "{log}");
        assert!(!directory.path().join("hallpass-data").exists());
    };
    refused("rsa.pem", 0o600, "`tokens.algorithm` is EdDSA");
    refused("hs256.jwk.json", 0o600, "`tokens.algorithm` is EdDSA");
    refused("encrypted.pem", 0o600, "decrypt it with `openssl pkey");
    refused("public.pem", 0o600, "this one is public");
    refused("rsa1024.pem", 0o600, "at least 2,048 bits");
    refused("README.md", 0o600, "expected a private key as PEM");
    let (code, _, log) = output(directory.path(), &["key", "import", "nowhere.pem"]);
    assert!(
        code == 1 && log.contains("`nowhere.pem` cannot be read"),
        "{log}"
    );
}

#[test]
fn kl_06_a_key_file_that_others_can_read_is_refused() {
    let directory = TempDir::new().unwrap();
    let file = key_file(directory.path(), "ed25519.pem", 0o644);
    let (code, _, log) = output(directory.path(), &["key", "import", file.to_str().unwrap()]);
    assert!(code == 1 && log.contains("chmod 600"), "{log}");
}

#[test]
fn the_list_of_keys_is_a_table() {
    let directory = TempDir::new().unwrap();
    done(directory.path(), &[], &["key", "rotate"]);
    let list = done(directory.path(), &[], &["key", "list"]);
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(
        lines[0].starts_with("KID           ALGORITHM  STATE   ANNOUNCED"),
        "{list}"
    );
    assert!(lines[1].contains("  EdDSA      active  20"), "{list}");
    assert!(lines[2].contains("  EdDSA      next    20"), "{list}");
}

#[test]
fn kl_03_rotation_and_revocation_are_audited() {
    let directory = TempDir::new().unwrap();
    let (_, _, log) = output(directory.path(), &["key", "rotate"]);
    assert!(log.contains("hallpass::audit event=key_announced"), "{log}");
    let kid = states(directory.path(), &[])[0].0.clone();
    let (_, _, log) = output(directory.path(), &["key", "revoke", &kid]);
    assert!(log.contains("hallpass::audit event=key_revoked"), "{log}");
}
