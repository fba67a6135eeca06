//! Services that may ask about tokens.

use crate::common::{Running, hallpass, output, told};
use serde_json::json;
use tempfile::TempDir;

/// The secret and the line for the configuration that `hallpass service new orders` prints.
pub(crate) fn new_service() -> (String, String) {
    let directory = TempDir::new().unwrap();
    let (code, out, log) = output(directory.path(), &["service", "new", "orders"]);
    assert!(code == 0 && log.is_empty(), "{log}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let lines: Vec<_> = out.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 4, "{out}");
    (lines[1].to_owned(), lines[3].trim_matches('"').to_owned())
}

#[test]
fn a_service_has_a_secret_of_its_own_and_the_configuration_only_the_hash() {
    let (secret, line) = new_service();
    assert!(secret.starts_with("hps_") && secret.len() == 47, "{secret}");
    let hash = line.strip_prefix("orders:").unwrap();
    assert!(hash.len() == 64 && !line.contains(&secret[4..]), "{line}");
    assert_ne!(new_service().0, secret);

    let directory = TempDir::new().unwrap();
    let file = directory.path().join("hallpass.toml");
    let check = |text: String| {
        std::fs::write(&file, text).unwrap();
        output(directory.path(), &["check-config"])
    };
    let (code, out, log) = check(format!("services = ['{line}']"));
    assert_eq!((code, out.lines().count()), (0, 1), "{log}");
    let (code, out, log) = check(format!(
        "services = ['{line}']\n[tokens]\nalgorithm = 'HS256'"
    ));
    assert!(
        code == 0 && out.starts_with("warning: `tokens.algorithm`: HS256"),
        "{out} {log}"
    );
    for wrong in [
        format!("services = ['orders:{secret}']"),
        format!("services = ['{secret}']"),
        format!("services = 'orders:{secret}'"),
        format!("service = ['orders:{secret}']"),
    ] {
        let (code, out, log) = check(wrong);
        assert!(code == 2 && log.contains("service"), "{log}");
        assert!(!(out + &log).contains(&secret[4..]), "{log}");
    }
    let (code, out, log) = check(format!("services = [{secret}]"));
    assert!(code == 2 && log.contains("line 1"), "{log}");
    assert!(!(out + &log).contains(&secret[4..]), "{log}");
}

#[test]
fn a_name_that_no_header_could_carry_is_refused() {
    let directory = TempDir::new().unwrap();
    for name in ["", "or ders", "or:ders", "ordérs", &"x".repeat(65)] {
        let (code, out, log) = output(directory.path(), &["service", "new", name]);
        assert!(
            code == 2 && out.is_empty() && log.contains("expected a name"),
            "{log}"
        );
    }
}

#[test]
fn kl_01_a_service_secret_is_in_no_log() {
    let (secret, line) = new_service();
    let environment = [
        ("HALLPASS_SERVICES", line.as_str()),
        ("HALLPASS_LOG_LEVEL", "trace"),
        ("HALLPASS_LOG_REQUESTS", "all"),
    ];
    let running = Running::start(&["serve"], &environment);
    let token = running.sign_up("body").json()["access_token"].clone();
    let right = format!("Bearer {secret}");
    let wrong = format!("Bearer {secret}x");
    let ask = |bearer: &str| {
        let body = json!({ "token": token });
        running.post("/auth/introspect", &[("Authorization", bearer)], &body)
    };
    let answered = ask(&right);
    assert_eq!(answered.json()["active"], true, "{answered:?}");
    assert_eq!(ask(&wrong).status, 401);
    let (_, log) = running.stop();
    assert!(log.contains("service_refused"), "{log}");
    assert!(!log.contains(&secret[4..]), "{log}");

    let directory = TempDir::new().unwrap();
    let mut check = hallpass(directory.path(), &["check-config", "--list"]);
    let (_, out, _) = told(check.envs(environment).output().unwrap());
    assert!(!out.contains(line.split(':').next_back().unwrap()));
}
