//! The master secret is replaced, and nobody notices.

use crate::common::{Answer, Running, hallpass, me, output, refresh, told};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tempfile::TempDir;

const SERVE: [&str; 3] = ["serve", "--public-url", "http://localhost:1"];
const WARNING: &str = "run `hallpass key reseal`";
const OLD: &str = "oFZbEjs0kcVJQmVxQp1W0n3m8q0yEJcWlrMdpXxvT0o=";
const NEW: &str = "-_ZbEjs0kcVJQmVxQp1W0n3m8q0yEJcWlrMdpXxvT0o";

fn file(directory: &Path, name: &str) -> PathBuf {
    directory.join("hallpass-data").join(name)
}

/// What a browser and a program got before.
struct Before {
    browser: Answer,
    program: Value,
}

impl Before {
    fn sign_in(running: &Running) -> Self {
        let program = running.sign_up("body").json();
        let login = json!({ "email": "ada@example.com", "password": crate::common::PASSWORD });
        let browser = running.post("/auth/login", &[], &login);
        assert_eq!(browser.status, 200, "{browser:?}");
        Self { browser, program }
    }

    /// The access tokens, the CSRF token and the refresh tokens are all good.
    #[track_caller]
    fn is_good(&mut self, running: &Running) {
        assert_eq!(me(running, &self.program), 200);
        let cookies = self.browser.cookies();
        let cookie = |name: &str| format!("{name}={}", cookies[name]);
        let access = cookie("hp_access");
        assert_eq!(running.get("/auth/me", &[("Cookie", &access)]).status, 200);
        let csrf = self.browser.json()["csrf_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let headers = [("Cookie", &*cookie("hp_refresh")), ("X-CSRF-Token", &*csrf)];
        let renewed = running.post("/auth/refresh", &headers, &json!({}));
        assert_eq!(renewed.status, 200, "{renewed:?}");
        self.browser = renewed;
        self.program = refresh(running, &self.program);
    }
}

#[test]
fn the_master_secret_is_replaced_without_signing_anyone_out() {
    let running = Running::start(&SERVE, &[]);
    let directory = Rc::clone(&running.directory);
    let mut before = Before::sign_in(&running);
    let (code, log) = running.stop();
    assert!(code == 0 && !log.contains(WARNING), "{log}");

    let secret = file(directory.path(), "secret");
    let former = file(directory.path(), "secret.former");
    let old = std::fs::read_to_string(&secret).unwrap();
    std::fs::rename(&secret, &former).unwrap();
    let running = Running::start_in(Rc::clone(&directory), &SERVE, &[]);
    assert_ne!(std::fs::read_to_string(&secret).unwrap(), old);
    before.is_good(&running);
    let (code, out, log) = output(directory.path(), &["key", "reseal"]);
    assert_eq!(code, 0, "{log}");
    assert!(
        out.starts_with("sealed 2 keys with the master secret of now"),
        "{out}"
    );
    assert!(log.contains("event=keys_resealed"), "{log}");
    before.is_good(&running);
    let (_, log) = running.stop();
    assert!(log.contains(WARNING), "{log}");

    std::fs::remove_file(&former).unwrap();
    let running = Running::start_in(Rc::clone(&directory), &SERVE, &[]);
    before.is_good(&running);
    let (_, again, _) = output(directory.path(), &["key", "reseal"]);
    assert!(again.starts_with("sealed 0 keys"), "{again}");
    let (code, log) = running.stop();
    assert!(code == 0 && !log.contains(WARNING), "{log}");

    // The old one opens nothing any more.
    std::fs::write(&secret, old).unwrap();
    let (code, _, log) = output(directory.path(), &SERVE);
    assert!(
        code == 1 && log.contains("does not open with this master secret"),
        "{log}"
    );
}

#[test]
fn the_former_secret_may_stand_in_the_configuration() {
    let running = Running::start(&SERVE, &[("HALLPASS_SECRET", OLD)]);
    let directory = Rc::clone(&running.directory);
    let mut before = Before::sign_in(&running);
    assert_eq!(running.stop().0, 0);
    assert!(!file(directory.path(), "secret").exists());
    let both = [("HALLPASS_SECRET", NEW), ("HALLPASS_FORMER_SECRETS", OLD)];
    let running = Running::start_in(Rc::clone(&directory), &SERVE, &both);
    before.is_good(&running);
    let mut reseal = hallpass(directory.path(), &["key", "reseal"]);
    let (code, _, log) = told(reseal.envs(both).output().unwrap());
    assert_eq!(code, 0, "{log}");
    assert_eq!(running.stop().0, 0);
    let running = Running::start_in(directory, &SERVE, &[("HALLPASS_SECRET", NEW)]);
    before.is_good(&running);
}

#[test]
fn a_secret_that_never_sealed_these_keys_stops_the_start() {
    let running = Running::start(&SERVE, &[("HALLPASS_SECRET", OLD)]);
    let directory = Rc::clone(&running.directory);
    assert_eq!(running.stop().0, 0);
    let mut started = hallpass(directory.path(), &SERVE);
    let (code, _, log) = told(started.env("HALLPASS_SECRET", NEW).output().unwrap());
    assert!(
        code == 1 && log.contains("does not open with this master secret"),
        "{log}"
    );
    assert!(!log.contains(NEW) && !log.contains(OLD), "{log}");
}

#[test]
fn kl_05_a_weak_former_secret_stops_the_start() {
    let directory = TempDir::new().unwrap();
    for weak in ["changeme", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let mut started = hallpass(directory.path(), &["serve"]);
        let started = started.env("HALLPASS_FORMER_SECRETS", format!("{OLD},{weak}"));
        let (code, _, log) = told(started.output().unwrap());
        assert!(
            code == 2 && log.contains("`former_secrets`: expected"),
            "{log}"
        );
        assert!(!log.contains(weak) && !log.contains(OLD), "{log}");
    }
    std::fs::create_dir(directory.path().join("hallpass-data")).unwrap();
    let former = file(directory.path(), "secret.former");
    std::fs::write(&former, "changeme").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode;
    std::fs::set_permissions(&former, mode(0o600)).unwrap();
    let (code, _, log) = output(directory.path(), &["user", "list"]);
    assert!(code == 1 && log.contains("secret.former"), "{log}");
    std::fs::write(&former, OLD).unwrap();
    std::fs::set_permissions(&former, mode(0o640)).unwrap();
    let (code, _, log) = output(directory.path(), &["user", "list"]);
    assert!(code == 1 && log.contains("chmod 600"), "{log}");
}
