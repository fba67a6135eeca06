//! The reference of all settings, in Markdown: what `hallpass check-config --list` prints.

use super::paths::{Known, known};
use super::schema::{
    Config, Cookies, DeliverySettings, Doc, Http, Log, Passwords, Throttle, Tokens,
};
use serde_json::Value;
use std::fmt::Write as _;

const SECTIONS: [(&str, &[Doc]); 7] = [
    ("tokens", Tokens::DOCS),
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
    text
}

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
