//! The reference of all settings, in Markdown: what `hallpass check-config --list` prints.

use super::paths::{Known, known};
use super::schema::{
    Config, Cookies, DeliverySettings, Doc, Http, Keys, Log, Passwords, Throttle, Tokens,
};
use serde_json::Value;
use std::fmt::Write as _;

const SECTIONS: [(&str, &[Doc]); 8] = [
    ("tokens", Tokens::DOCS),
    ("keys", Keys::DOCS),
    ("cookies", Cookies::DOCS),
    ("delivery", DeliverySettings::DOCS),
    ("passwords", Passwords::DOCS),
    ("throttle", Throttle::DOCS),
    ("http", Http::DOCS),
    ("log", Log::DOCS),
];

/// Returns the reference: every setting once, with its default and what it is for.
pub(crate) fn reference() -> String {
    let known = known();
    let mut text = String::from(
        "# Configuration\n\n\
         Defaults, then `hallpass.toml`, then the environment, then flags: the later wins. Each setting\n\
         has one name; in the environment it is in capitals, with `_` for `.`, behind `HALLPASS_`\n\
         (`tokens.access_ttl` is `HALLPASS_TOKENS_ACCESS_TTL`; lists are separated by commas). An unknown\n\
         name is an error. `hallpass check-config` says what would be refused; this page is what\n\
         `hallpass check-config --list` prints.\n",
    );
    add_section(&mut text, "", Config::DOCS, &known);
    for (section, docs) in SECTIONS {
        add_section(&mut text, section, docs, &known);
    }
    text.push_str(REPLACING);
    text
}

/// How the master secret is replaced: what `former_secrets` refers to.
const REPLACING: &str = r"
## Replacing the master secret

Nobody is signed out, and no token that was handed out before stops working: what clients hold hangs on keys in the
database, and the master secret only seals those.

1. The new secret goes into `secret`, the old one into `former_secrets`; then every process is restarted. With files: the old
   one moves to `secret.former`, and the next start makes a new one (on several machines, copy both files to each).
2. When every process has the new secret, the keys are sealed with it. Until then each start warns.
3. The old one is thrown away: it opens nothing any more.

```sh
mv hallpass-data/secret hallpass-data/secret.former
# now every process is restarted
hallpass key reseal
rm hallpass-data/secret.former
```

Whoever has the old secret and a copy of the database from before has the keys in that copy. Then revoke the signing keys
(`hallpass key revoke`) and end the sessions (`hallpass user end-sessions`).
";

fn add_section(text: &mut String, section: &str, docs: &[Doc], known: &[Known]) {
    // Writing to a text does not fail.
    let _ = match section {
        "" => writeln!(
            text,
            "\n## General\n\n| setting | default | |\n|---|---|---|"
        ),
        _ => writeln!(
            text,
            "\n## `[{section}]`\n\n| setting | default | |\n|---|---|---|"
        ),
    };
    for (field, lines) in docs {
        let path = if section.is_empty() {
            (*field).to_owned()
        } else {
            format!("{section}.{field}")
        };
        // Sections follow with their own settings.
        if let Some(known) = known.iter().find(|known| known.path == path) {
            let about: Vec<_> = lines.iter().map(|line| line.trim()).collect();
            let _ = writeln!(
                text,
                "| `{path}` | {} | {} |",
                default(&known.default),
                about.join(" ")
            );
        }
    }
}

fn default(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => format!("`\"{text}\"`"),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_in_the_reference_with_what_it_is_for() {
        let text = reference();
        for known in known() {
            let row = text
                .lines()
                .find(|line| line.starts_with(&format!("| `{}` |", known.path)));
            let about = row
                .and_then(|row| row.rsplit('|').nth(1))
                .unwrap_or_default();
            assert!(about.trim().len() > 10, "{} is not explained", known.path);
        }
    }

    #[test]
    fn the_manual_shows_the_settings_as_they_are() {
        let manual = include_str!("../../../../docs/configuration.md");
        assert_eq!(
            manual,
            reference(),
            "write what `hallpass check-config --list` prints there"
        );
    }
}
