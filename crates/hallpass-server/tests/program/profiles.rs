//! The program under a wire profile, and roles from the command line.

use crate::common::{Running, hallpass, me, output, refresh, told};
use crate::services::new_service;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a service is told about an access token.
fn introspect(running: &Running, secret: &str, opened: &Value) -> Value {
    let body = json!({ "token": opened["access_token"] });
    let bearer = format!("Bearer {secret}");
    let answer = running.post("/auth/introspect", &[("Authorization", &bearer)], &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn under_profile_authfort_roles_that_an_operator_gives_are_known_at_once() {
    let (secret, line) = new_service();
    let arguments = ["serve", "--profile", "authfort"];
    let running = Running::start(&arguments, &[("HALLPASS_SERVICES", &line)]);
    let opened = running.sign_up("body").json()["tokens"].clone();
    let told_now = || introspect(&running, &secret, &opened);
    let first = told_now();
    assert_eq!(
        (&first["active"], &first["email"]),
        (&json!(true), &json!("ada@example.com"))
    );
    assert_eq!(
        (&first["roles"], &first["token_version"]),
        (&json!([]), &json!(0))
    );

    let directory = running.directory.clone();
    let roles = |arguments: &[&str]| {
        let command = [&["user", "roles", "ADA@example.com"], arguments].concat();
        let (code, out, log) = output(directory.path(), &command);
        assert_eq!(code, 0, "{log}");
        out
    };
    let out = roles(&["editor", "odd \u{1b}[31mrole"]);
    assert!(out.contains("\teditor,odd \\u{1b}[31mrole\n"), "{out}");
    assert_eq!(told_now()["roles"], json!(["editor", "odd \u{1b}[31mrole"]));
    roles(&["author"]);
    assert_eq!(told_now()["roles"], json!(["author"]));
    assert_eq!(
        refresh(&running, &opened)["user"]["roles"],
        json!(["author"])
    );
    roles(&["--none"]);
    assert_eq!(told_now()["roles"], json!([]));
    assert_eq!(me(&running, &opened), 200);
}

#[test]
fn roles_are_not_taken_away_by_mistake_and_not_from_nobody() {
    let directory = TempDir::new().unwrap();
    let roles = |arguments: &[&str]| {
        let command = [&["user", "roles", "ada@example.com"], arguments].concat();
        output(directory.path(), &command)
    };
    // To name none is to forget them; taking all away has to be said.
    assert_eq!(roles(&[]).0, 2);
    assert_eq!(roles(&["editor", "--none"]).0, 2);
    let (code, _, log) = roles(&["editor"]);
    assert!(code == 1 && log.contains("there is no user"), "{log}");
}

#[test]
fn a_profile_is_one_of_a_few_and_excludes_what_it_does_not_have() {
    let directory = TempDir::new().unwrap();
    let check = |profile: &str, audience: Option<&str>| {
        let arguments = ["check-config", "--profile", profile];
        let mut command = hallpass(directory.path(), &arguments);
        let audience = audience.map(|audience| ("HALLPASS_TOKENS_AUDIENCE", audience));
        told(command.envs(audience).output().unwrap())
    };
    for profile in ["native", "authfort", "fastauth", "bluefox"] {
        assert_eq!(check(profile, None).0, 0);
    }
    let (code, _, log) = check("authx", None);
    assert!(
        code == 2 && log.contains("expected `native` or `authfort` or `fastauth` or `bluefox`"),
        "{log}"
    );
    assert_eq!(check("native", Some("api")).0, 0);
    let (code, _, log) = check("authfort", Some("api"));
    assert!(
        code == 2 && log.contains("`tokens.audience`: expected none"),
        "{log}"
    );
}

#[test]
fn by_invitation_nobody_signs_up_and_whoever_was_added_signs_in() {
    for (profile, path, said) in [
        ("native", "/auth/signup", "/code sign_up_closed"),
        ("authfort", "/auth/signup", "/detail/error signup_disabled"),
        (
            "bluefox",
            "/auth/register",
            "/detail Ask whoever runs this for an account.",
        ),
    ] {
        let settings = [("HALLPASS_ACCOUNTS", "by_invitation")];
        let running = Running::start(&["serve", "--profile", profile], &settings);
        let body = json!({ "email": "ada@example.com", "password": "a fox on the moon" });
        let answer = running.post(path, &[], &body);
        let (member, word) = said.split_once(' ').unwrap();
        assert_eq!(answer.status, 403, "{profile}");
        assert_eq!(
            answer.json().pointer(member),
            Some(&json!(word)),
            "{profile}"
        );
        assert_eq!(
            running.post("/auth/login", &[], &body).status,
            401,
            "{profile}"
        );
    }
}
