//! Defaults < file < environment < flags.

use super::paths::{Kind, Known, PREFIX, known, nearest};
use super::schema::Config;
use serde::Deserialize as _;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The file that is read when none is named, if it is there.
const FILE_NAME: &str = "hallpass.toml";

/// The longest configuration file, in bytes.
const FILE_LEN_MAX: u64 = 1024 * 1024;

/// What a setting was said to be, and where.
struct Said {
    path: String,
    value: Value,
    /// As the operator knows it: `tokens.access_ttl in hallpass.toml`.
    place: String,
}

/// Why there is no configuration: every reason, one a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigFaults(pub(crate) Vec<String>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigFaults {}

/// A setting on the command line: its path, the flag, and what it was set to.
pub(crate) type Flag = (&'static str, &'static str, Option<String>);

/// Reads the configuration of this process.
///
/// # Errors
/// With everything that is wrong with it.
pub(crate) fn load(file: Option<&Path>, flags: &[Flag]) -> Result<Config, ConfigFaults> {
    let text = match read_file(file) {
        Ok(text) => text,
        Err(fault) => return Err(ConfigFaults(vec![fault])),
    };
    merge(
        text.as_ref()
            .map(|(name, text)| (name.as_str(), text.as_str())),
        std::env::vars_os(),
        flags,
    )
}

fn read_file(named: Option<&Path>) -> Result<Option<(String, String)>, String> {
    let path = named.map_or_else(|| PathBuf::from(FILE_NAME), Path::to_owned);
    let name = path.display().to_string();
    let failed = |reason: &dyn fmt::Display| {
        format!("the configuration file `{name}` cannot be read: {reason}")
    };
    match std::fs::metadata(&path) {
        Err(fault) if named.is_none() && fault.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(fault) => return Err(failed(&fault)),
        Ok(about) if about.len() > FILE_LEN_MAX => return Err(failed(&"it is larger than 1 MiB")),
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(&path).map_err(|fault| failed(&fault))?;
    Ok(Some((name, text)))
}

/// Puts the layers on each other, the later over the earlier.
fn merge(
    file: Option<(&str, &str)>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    flags: &[Flag],
) -> Result<Config, ConfigFaults> {
    let known = known();
    let mut faults = Vec::new();
    let mut said = Vec::new();
    if let Some((name, text)) = file {
        match text.parse::<Table>() {
            Ok(table) => from_table(&known, name, "", table, &mut said, &mut faults),
            // Not the line itself: it may hold the secret.
            Err(fault) => faults.push(format!(
                "{name}, line {}: {}",
                line(text, &fault),
                fault.message()
            )),
        }
    }
    from_environment(&known, environment, &mut said, &mut faults);
    for (path, flag, text) in flags {
        if let (Some(text), Some(known)) = (text, known.iter().find(|known| known.path == *path)) {
            add_text(known, text, (*flag).to_owned(), &mut said, &mut faults);
        }
    }
    let mut merged = Table::new();
    for said in said {
        match Config::deserialize(single(&said.path, said.value.clone())) {
            Ok(_) => put(&mut merged, &said.path, said.value),
            Err(fault) => faults.push(format!("{}: {}", said.place, reason(&said, &fault))),
        }
    }
    if !faults.is_empty() {
        return Err(ConfigFaults(faults));
    }
    Config::deserialize(merged).map_err(|fault| ConfigFaults(vec![fault.to_string()]))
}

fn line(text: &str, fault: &toml::de::Error) -> usize {
    let start = fault.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// What is wrong with one value. Values that may be secret are not repeated.
fn reason(said: &Said, fault: &toml::de::Error) -> String {
    match said.path.as_str() {
        "secret" | "database" => return "expected a text".into(),
        "former_secrets" | "services" => return "expected a list of texts".into(),
        _ => {}
    }
    fault.message().to_owned()
}

fn from_table(
    known: &[Known],
    file: &str,
    section: &str,
    table: Table,
    said: &mut Vec<Said>,
    faults: &mut Vec<String>,
) {
    for (name, value) in table {
        let path = if section.is_empty() {
            name
        } else {
            format!("{section}.{name}")
        };
        let place = format!("`{path}` in {file}");
        let is_section = known
            .iter()
            .any(|known| known.path.starts_with(&format!("{path}.")));
        match value {
            Value::Table(inner) if is_section => {
                from_table(known, file, &path, inner, said, faults);
            }
            _ if is_section => faults.push(format!("{place}: expected a section, `[{path}]`")),
            value if known.iter().any(|known| known.path == path) => {
                said.push(Said { path, value, place });
            }
            _ => {
                let near = nearest(&path, names(known));
                faults.push(format!(
                    "{place}: there is no such setting{}",
                    did_you_mean(near)
                ));
            }
        }
    }
}

/// The names of all settings and sections.
fn names(known: &[Known]) -> impl Iterator<Item = String> {
    known.iter().flat_map(|known| {
        let section = known
            .path
            .split_once('.')
            .map(|(section, _)| section.to_owned());
        section.into_iter().chain([known.path.clone()])
    })
}

fn from_environment(
    known: &[Known],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    said: &mut Vec<Said>,
    faults: &mut Vec<String>,
) {
    let ours = environment.into_iter().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        name.starts_with(PREFIX).then_some((name, value))
    });
    // Sorted, so that faults come in an order.
    for (name, value) in ours.collect::<std::collections::BTreeMap<_, _>>() {
        let Some(known) = known.iter().find(|known| known.variable() == name) else {
            let near = nearest(&name, known.iter().map(Known::variable));
            faults.push(format!(
                "`{name}` in the environment: there is no such setting{}",
                did_you_mean(near)
            ));
            continue;
        };
        let place = format!("`{name}` in the environment");
        match value.into_string() {
            Ok(text) => add_text(known, &text, place, said, faults),
            Err(_) => faults.push(format!("{place}: expected UTF-8")),
        }
    }
}

/// Reads a value that was given as a text.
fn add_text(
    known: &Known,
    text: &str,
    place: String,
    said: &mut Vec<Said>,
    faults: &mut Vec<String>,
) {
    let value = match known.kind {
        Kind::Text => Some(Value::String(text.to_owned())),
        Kind::Number => text.parse().ok().map(Value::Integer),
        Kind::Truth => text.parse().ok().map(Value::Boolean),
        Kind::List => {
            let entries = text
                .split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty());
            Some(Value::Array(
                entries
                    .map(|entry| Value::String(entry.to_owned()))
                    .collect(),
            ))
        }
    };
    let expected = if known.kind == Kind::Truth {
        "`true` or `false`"
    } else {
        "a whole number"
    };
    match value {
        Some(value) => said.push(Said {
            path: known.path.clone(),
            value,
            place,
        }),
        None => faults.push(format!("{place}: expected {expected}, got `{text}`")),
    }
}

fn did_you_mean(near: Option<String>) -> String {
    near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

/// Returns a configuration in which one thing is said.
fn single(path: &str, value: Value) -> Table {
    let mut table = Table::new();
    put(&mut table, path, value);
    table
}

fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(
        file: &str,
        environment: &[(&str, &str)],
        flags: &[Flag],
    ) -> Result<Config, ConfigFaults> {
        let environment = environment
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        merge(Some(("hallpass.toml", file)), environment, flags)
    }

    fn faults(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
        merged(file, environment, &[]).unwrap_err().0
    }

    #[test]
    fn each_layer_lies_over_the_one_before() {
        let file = "listen = '127.0.0.1:1'\npublic_url = 'http://file'\ndata = 'file'\n[tokens]\naccess_ttl = '1m'\nleeway = '1s'";
        let environment = [
            ("HALLPASS_PUBLIC_URL", "http://env"),
            ("HALLPASS_DATA", "env"),
            ("HALLPASS_TOKENS_LEEWAY", "2s"),
            ("PATH", "x"),
        ];
        let flags = [
            ("data", "--data", Some("flag".to_owned())),
            ("listen", "--listen", None),
        ];
        let config = merged(file, &environment, &flags).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.public_url.as_deref(), Some("http://env"));
        assert_eq!(config.data, PathBuf::from("flag"));
        assert_eq!(config.tokens.access_ttl.to_string(), "1m");
        assert_eq!(config.tokens.leeway.to_string(), "2s");
        assert_eq!(config.tokens.session_ttl.to_string(), "90d");
    }

    #[test]
    fn no_configuration_at_all_is_the_defaults() {
        let config = merge(None, [], &[]).unwrap();
        let defaults = serde_json::to_value(Config::default()).unwrap();
        assert_eq!(serde_json::to_value(config).unwrap(), defaults);
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest_known_one() {
        assert_eq!(
            faults(
                "lisen = 'x'\n[token]\naccess_ttl = '1m'\n[tokens]\nacces_ttl = '1m'",
                &[("HALLPASS_TOKENS_ACCES_TTL", "1m")]
            ),
            [
                "`lisen` in hallpass.toml: there is no such setting, did you mean `listen`?",
                "`token` in hallpass.toml: there is no such setting, did you mean `tokens`?",
                "`tokens.acces_ttl` in hallpass.toml: there is no such setting, did you mean `tokens.access_ttl`?",
                "`HALLPASS_TOKENS_ACCES_TTL` in the environment: there is no such setting, did you mean `HALLPASS_TOKENS_ACCESS_TTL`?",
            ]
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_where_it_was_said() {
        let environment = [
            ("HALLPASS_DANGER_ALLOW_HTTP", "yes"),
            ("HALLPASS_LISTEN", "8080"),
            ("HALLPASS_PASSWORDS_QUEUE", "many"),
            ("HALLPASS_PASSWORDS_WORKERS", "-1"),
        ];
        let faults = faults(
            "tokens = 3\n[log]\nformat = 'xml'\n[tokens_]\n",
            &environment,
        );
        let begins = [
            "`tokens` in hallpass.toml: expected a section, `[tokens]`",
            "`tokens_` in hallpass.toml: there is no such setting",
            "`HALLPASS_DANGER_ALLOW_HTTP` in the environment: expected `true` or `false`, got `yes`",
            "`HALLPASS_PASSWORDS_QUEUE` in the environment: expected a whole number, got `many`",
            "`log.format` in hallpass.toml: expected `human` or `json`, got `xml`",
            "`HALLPASS_LISTEN` in the environment: ",
            "`HALLPASS_PASSWORDS_WORKERS` in the environment: ",
        ];
        let mut found = faults.clone();
        for begin in begins {
            found.retain(|fault| !fault.starts_with(begin));
        }
        assert!(found.is_empty(), "{found:#?} of {faults:#?}");
        assert_eq!(faults.len(), begins.len(), "{faults:#?}");
    }

    #[test]
    fn kl_08_a_secret_of_the_wrong_kind_is_not_repeated() {
        let file = "secret = 1234567890\ndatabase = ['hunter2']\nformer_secrets = 'hunter2'\n\
                    services = 'orders:hunter2'";
        assert_eq!(
            faults(file, &[]),
            [
                "`database` in hallpass.toml: expected a text",
                "`former_secrets` in hallpass.toml: expected a list of texts",
                "`secret` in hallpass.toml: expected a text",
                "`services` in hallpass.toml: expected a list of texts",
            ]
        );
    }

    #[test]
    fn lists_in_the_environment_are_separated_by_commas() {
        let config = merged(
            "",
            &[("HALLPASS_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1,")],
            &[],
        )
        .unwrap();
        assert_eq!(config.trusted_proxies, ["10.0.0.0/8", "127.0.0.1"]);
        let config = merged("", &[("HALLPASS_DELIVERY_ALLOWED", "body")], &[]).unwrap();
        assert_eq!(config.delivery.allowed.len(), 1);
    }

    #[test]
    fn a_file_that_is_no_toml_says_where() {
        let faults = faults("data = 'x'\nsecret = hunter2\n", &[]);
        assert!(
            faults[0].starts_with("hallpass.toml, line 2: "),
            "{faults:?}"
        );
        assert!(!faults[0].contains("hunter2"), "{faults:?}");
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let fault = read_file(Some(Path::new("/nonexistent/hallpass.toml"))).unwrap_err();
        assert!(
            fault.starts_with("the configuration file `/nonexistent/hallpass.toml` cannot be read")
        );
    }
}
