//! The names of all settings, taken from the defaults.

use super::schema::Config;
use serde_json::Value;

/// What kind of value a setting has, as far as the environment needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Text,
    Number,
    Truth,
    List,
}

/// A setting's name and kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    /// Such as `tokens.access_ttl`.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// The default as JSON; `Null` if there is none.
    pub(crate) default: Value,
}

impl Known {
    /// Returns the name in the environment, such as `HALLPASS_TOKENS_ACCESS_TTL`.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', "_").to_uppercase())
    }
}

/// How the names of our environment variables begin.
pub(crate) const PREFIX: &str = "HALLPASS_";

/// Returns every setting there is.
pub(crate) fn known() -> Vec<Known> {
    let mut found = Vec::new();
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    collect("", &defaults, &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut Vec<Known>) {
    let kind = match value {
        Value::Object(section) => {
            for (name, value) in section {
                let dot = if path.is_empty() { "" } else { "." };
                collect(&format!("{path}{dot}{name}"), value, found);
            }
            return;
        }
        Value::Null | Value::String(_) => Kind::Text,
        Value::Number(_) => Kind::Number,
        Value::Bool(_) => Kind::Truth,
        Value::Array(_) => Kind::List,
    };
    found.push(Known {
        path: path.to_owned(),
        kind,
        default: value.clone(),
    });
}

/// Returns the name among `names` that `unknown` was most likely meant to be.
pub(crate) fn nearest(unknown: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    const ALIKE_MIN: f64 = 0.5;
    let alike = |name: &String| {
        let whole = strsim::normalized_damerau_levenshtein(unknown, name);
        // A setting in the wrong section: only its last word is compared.
        let last = strsim::normalized_damerau_levenshtein(last_word(unknown), last_word(name));
        whole.max(last * 0.95)
    };
    let scored = names.into_iter().map(|name| (alike(&name), name));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 >= ALIKE_MIN).then_some(best.1)
}

fn last_word(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_one_name_in_the_file_and_one_in_the_environment() {
        let known = known();
        let variables: std::collections::BTreeSet<_> = known.iter().map(Known::variable).collect();
        assert_eq!(variables.len(), known.len());
        let access_ttl = known
            .iter()
            .find(|known| known.path == "tokens.access_ttl")
            .unwrap();
        assert_eq!(access_ttl.variable(), "HALLPASS_TOKENS_ACCESS_TTL");
        assert!(variables.contains("HALLPASS_PUBLIC_URL") && variables.contains("HALLPASS_SECRET"));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_known_one() {
        let names = || known().into_iter().map(|known| known.path);
        for (unknown, meant) in [
            ("token.access_ttl", Some("tokens.access_ttl")),
            ("tokens.acess_ttl", Some("tokens.access_ttl")),
            ("access_ttl", Some("tokens.access_ttl")),
            ("http.trusted_proxies", Some("trusted_proxies")),
            ("listn", Some("listen")),
            ("log.fromat", Some("log.format")),
            ("xyzzy", None),
        ] {
            assert_eq!(nearest(unknown, names()).as_deref(), meant, "{unknown}");
        }
    }
}
