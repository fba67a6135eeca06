//! A plain secret is never printed: its type cannot do it.

use super::tree::{Fault, File, files, hold};
use std::collections::BTreeSet;

/// How the names of types end that hold a secret.
const SECRET_NAMES: [&str; 5] = ["Secret", "Token", "Password", "Passphrase", "PrivateKey"];
/// What would carry a secret out of its type without a word.
const LEAKS: [&str; 6] = [
    "Debug",
    "Display",
    "Clone",
    "Serialize",
    "Deref",
    "ToString",
];

/// Returns the types made by `secret_text!`.
fn secret_texts(files: &[File]) -> BTreeSet<String> {
    let product = files.iter().filter(|file| file.is_product());
    let names = product.flat_map(|file| {
        let code = file.code();
        let names: Vec<String> = code
            .split("secret_text! {")
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .filter_map(|inside| inside.split_whitespace().last().map(String::from))
            .collect();
        names
    });
    names
        .filter(|name| name.chars().all(char::is_alphanumeric))
        .collect()
}

/// Returns the types that hold a secret by their name and derive a way to print it.
fn printed(file: &File) -> Vec<Fault> {
    let code = file.code();
    let mut faults = Vec::new();
    let mut derived = String::new();
    for (number, line) in code.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("#[") {
            derived.push_str(line);
        } else if let Some(name) = type_name(line) {
            // `enum WeakSecret` is an error about a secret, and holds none.
            let is_error = derives(&derived, "Error");
            let secret = !is_error && SECRET_NAMES.iter().any(|end| name.ends_with(end));
            let leaks = ["Debug", "Serialize"]
                .iter()
                .filter(|leak| derives(&derived, leak));
            let found = leaks.filter(|_| secret);
            faults.extend(
                found.map(|leak| file.fault(number, format!("{name} must not derive {leak}"))),
            );
            derived.clear();
        } else if !line.is_empty() {
            derived.clear();
        }
    }
    faults
}

fn type_name(line: &str) -> Option<&str> {
    let (before, rest) = line
        .split_once("struct ")
        .or_else(|| line.split_once("enum "))?;
    let is_item = before.is_empty() || before.starts_with("pub");
    is_item.then(|| {
        rest.split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default()
    })
}

fn derives(attributes: &str, name: &str) -> bool {
    attributes.contains("derive(")
        && attributes
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word == name)
}

/// Returns the places where a type of `secret_text!` is taught to print or copy itself.
fn taught(file: &File, secrets: &BTreeSet<String>) -> Vec<Fault> {
    let code = file.code();
    let lines = code
        .lines()
        .enumerate()
        .filter(|(_, line)| line.trim_start().starts_with("impl"));
    let found = lines.filter_map(|(number, line)| {
        let (taught, name) = line.split_once(" for ")?;
        let name = name.split(|c: char| !c.is_alphanumeric()).next()?;
        let leak = LEAKS.iter().find(|leak| taught.ends_with(**leak))?;
        secrets
            .contains(name)
            .then(|| file.fault(number, format!("{name} must not be {leak}")))
    });
    found.collect()
}

#[test]
fn a_type_that_holds_a_secret_does_not_derive_a_way_to_print_it() {
    let files = files();
    let product = files.iter().filter(|file| file.is_product());
    hold(&product.flat_map(printed).collect::<Vec<_>>());
}

#[test]
fn a_secret_text_learns_nothing_beyond_what_the_macro_gives() {
    let files = files();
    let secrets = secret_texts(&files);
    assert!(
        secrets.contains("RefreshToken") && secrets.contains("AccessToken"),
        "{secrets:?}"
    );
    let product = files.iter().filter(|file| file.is_product());
    hold(
        &product
            .flat_map(|file| taught(file, &secrets))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_secret_that_can_be_printed_is_found() {
    let file = |text| File::new("crates/x/src/x.rs", text);
    assert_eq!(
        printed(&file(
            "#[derive(Clone, Debug)]\npub struct MasterSecret([u8; 32]);"
        ))
        .len(),
        1
    );
    assert_eq!(
        printed(&file(
            "#[derive(Clone)]\npub(crate) struct MasterSecret(X);"
        )),
        []
    );
    let error = "#[derive(Debug, thiserror::Error)]\npub enum WeakSecret { Short }";
    assert_eq!(printed(&file(error)), []);
    assert_eq!(
        printed(&file("#[derive(Debug)]\npub struct Session { x: u8 }")),
        []
    );
    let text =
        file("secret_text! {\n /// Doc.\n ApiToken\n}\nimpl std::fmt::Display for ApiToken {}\n");
    let secrets = secret_texts(std::slice::from_ref(&text));
    assert_eq!(secrets, BTreeSet::from(["ApiToken".to_string()]));
    assert_eq!(taught(&text, &secrets).len(), 1);
    assert_eq!(taught(&file("impl From<X> for ApiToken {}"), &secrets), []);
}
