//! Every limit has a name and a unit.

use super::tree::{Fault, File, files, hold};

/// Units as a documentation says them.
const UNITS: [&str; 10] = [
    "byte",
    "kib",
    "mib",
    "character",
    "second",
    "minute",
    "hour",
    "day",
    "level",
    "deep",
];

/// Returns the constants that are limits and say nowhere of what.
fn nameless(file: &File) -> Vec<Fault> {
    let code = file.code();
    let source: Vec<&str> = file.text.lines().collect();
    let constants = code.lines().enumerate().filter_map(|(number, line)| {
        let (_, rest) = line.trim_start().split_once("const ")?;
        let (name, kind) = rest.split_once(':')?;
        let is_limit = name.split('_').any(|word| matches!(word, "MAX" | "LIMIT"));
        (is_limit && !kind.trim_start().starts_with("Duration"))
            .then_some((number, name.to_string()))
    });
    constants
        .filter(|(number, name)| {
            let docs = source[..*number]
                .iter()
                .rev()
                .take_while(|line| is_doc(line));
            let said = docs.copied().collect::<String>().to_lowercase();
            !names_a_unit(name) && !UNITS.iter().any(|unit| said.contains(unit))
        })
        .map(|(number, name)| file.fault(number, format!("{name}: of what? Say the unit")))
        .collect()
}

/// Tells whether a name says what it counts: a length, or things in the plural.
fn names_a_unit(name: &str) -> bool {
    name.split('_')
        .any(|word| word == "LEN" || (word.len() > 3 && word.ends_with('S')))
}

fn is_doc(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("///") || line.starts_with("#[") || line.starts_with("//")
}

#[test]
fn every_limit_has_a_unit() {
    let files = files();
    let product: Vec<&File> = files.iter().filter(|file| file.is_product()).collect();
    hold(&product.into_iter().flat_map(nameless).collect::<Vec<_>>());
}

#[test]
fn a_limit_without_a_unit_is_found() {
    let check = |text: &str| nameless(&File::new("crates/x/src/x.rs", text)).len();
    assert_eq!(
        check("/// The most there may be.\npub const NAME_MAX: usize = 5;"),
        1
    );
    assert_eq!(check("pub(crate) const NAME_LIMIT: usize = 5;"), 1);
    assert_eq!(
        check("/// In bytes.\n#[doc(hidden)]\npub const NAME_LEN_MAX: usize = 5;"),
        0
    );
    assert_eq!(check("const NAME_LEN_MAX: u64 = 5;"), 0);
    assert_eq!(check("const BODY_BYTES_MAX: u64 = 5;"), 0);
    assert_eq!(check("const WAIT_MAX: Duration = Duration::ZERO;"), 0);
    assert_eq!(check("const NAME: usize = usize::MAX;"), 0);
}
