//! Sessions, listed and ended by an operator.

use crate::common::{Running, me, output, within};
use std::time::Duration;

#[test]
fn an_operator_lists_the_sessions_of_a_user_and_ends_one() {
    let running = Running::start(&["serve"], &[]);
    let directory = running.directory.path();
    let opened = running.sign_up("body").json();
    let list = || {
        let (code, out, log) = output(directory, &["session", "list", "ADA@example.com"]);
        assert_eq!(code, 0, "{log}");
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = list();
    let id = opened["session"]["id"].as_str().unwrap();
    assert!(lines.len() == 2 && lines[0].starts_with("ID "), "{lines:?}");
    assert!(
        lines[1].starts_with(id) && lines[1].contains("127.0.0.1"),
        "{lines:?}"
    );

    let (code, out, log) = output(directory, &["session", "end", id]);
    assert!(code == 0 && out.starts_with("ended the session"), "{log}");
    within(Duration::from_secs(1), "its tokens are refused", || {
        me(&running, &opened) == 401
    });
    assert_eq!(list().len(), 1);
    let hyphen = "-hVAAAAAAAAAAAAAAAAAAA";
    for gone in [id, "AAAAAAAAAAAAAAAAAAAAAA", hyphen, "", "no id"] {
        let (code, _, log) = output(directory, &["session", "end", gone]);
        assert!(
            code == 1 && log.contains("there is no live session"),
            "{log}"
        );
    }
    let (code, _, log) = output(directory, &["session", "list", "bob@example.com"]);
    assert!(code == 1 && log.contains("there is no user"), "{log}");
}
