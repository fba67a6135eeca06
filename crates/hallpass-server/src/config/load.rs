//! Defaults < file < environment < flags.

use super::paths::{Kind, Known, PREFIX, known, nearest};
use super::schema::Config;
use super::unsaid::why_unsaid;
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
                let instead = instead(&path, || nearest(&path, names(known)));
                faults.push(format!("{place}: there is no such setting{instead}"));
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
            let bare = name.strip_prefix(PREFIX).unwrap_or(&name);
            let near = || nearest(&name, known.iter().map(Known::variable));
            faults.push(format!(
                "`{name}` in the environment: there is no such setting{}",
                instead(bare, near)
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

/// What to say instead of a setting that there is not.
fn instead(name: &str, near: impl FnOnce() -> Option<String>) -> String {
    match (why_unsaid(name), near()) {
        (Some(why), _) => format!(": {why}"),
        (None, Some(near)) => format!(", did you mean `{near}`?"),
        (None, None) => String::new(),
    }
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
mod tests;
