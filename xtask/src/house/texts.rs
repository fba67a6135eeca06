//! What no file says, and how long a file gets.

use super::tree::{Fault, File, files, hold};
use std::path::Path;

/// The most lines of a Rust file of the product, its tests aside.
const LINES_MAX: usize = 400;

/// Lock files name the registry they come from; that is their business.
const LOCK_FILES: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// Returns the words that no file says. Put together here, so that this file does not say them.
fn forbidden() -> Vec<String> {
    let hosts = [
        ["crates", ".io"],
        ["registry.npm", "js.org"],
        ["npm", "js.com"],
        ["pypi", ".org"],
        ["deb.debian", ".org"],
        ["proxy.golang", ".org"],
    ];
    let unfinished = [["TO", "DO"], ["FIX", "ME"], ["X", "XX"]];
    hosts
        .iter()
        .chain(&unfinished)
        .map(|parts| parts.concat())
        .collect()
}

/// Returns the folders of somebody's machine: no path of the project starts so.
fn machine_folders() -> Vec<String> {
    ["work", "root", "home", "Users"]
        .iter()
        .map(|name| format!("/{name}/"))
        .collect()
}

fn forbidden_words(file: &File) -> Vec<Fault> {
    let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let stands = |line: &str, word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let next = line[at + word.len()..].chars().next();
            !line[..at].ends_with(is_name) && !next.is_some_and(char::is_alphanumeric)
        })
    };
    let starts = |line: &str, folder: &str| {
        line.match_indices(folder)
            .any(|(at, _)| !line[..at].ends_with(is_name))
    };
    let hosts_in_names = |line: &str, word: &str| word.contains('.') && line.contains(word);
    let lines = file.text.lines().enumerate();
    let found = lines.flat_map(|(number, line)| {
        let words = forbidden()
            .into_iter()
            .filter(move |word| stands(line, word) || hosts_in_names(line, word));
        let folders = machine_folders()
            .into_iter()
            .filter(move |folder| starts(line, folder));
        words
            .chain(folders)
            .map(move |word| file.fault(number, format!("says `{word}`")))
    });
    found.collect()
}

fn too_long(file: &File) -> Option<Fault> {
    let tests = file
        .text
        .find("#[cfg(test)]\nmod tests")
        .unwrap_or(file.text.len());
    let lines = file.text[..tests].lines().count();
    (lines > LINES_MAX).then(|| file.fault(0, format!("has {lines} lines, at most {LINES_MAX}")))
}

/// Returns the tests that are there and do not run.
fn skipped(file: &File) -> Vec<Fault> {
    let marks: &[&str] = match Path::new(&file.path)
        .extension()
        .and_then(|end| end.to_str())
    {
        Some("rs") => &["#[ignore"],
        Some("js" | "mjs" | "ts") => &[
            "test.skip(",
            "test.only(",
            "it.only(",
            "skip: true",
            "only: true",
        ],
        Some("py") => &["unittest.skip", "skipTest(", "expectedFailure"],
        _ => &[],
    };
    let code = if file.is_rust() {
        super::code::without_texts(&file.text)
    } else {
        file.text.clone()
    };
    // A test may need a process to end, which is then a test that others start.
    let is_process = |line: &str| line.contains("#[ignore = \"the process that ");
    let lines = code.lines().zip(file.text.lines()).enumerate();
    lines
        .filter(|(_, (code, line))| {
            marks.iter().any(|mark| code.contains(mark)) && !is_process(line)
        })
        .map(|(number, _)| file.fault(number, "a test that does not run"))
        .collect()
}

#[test]
fn no_file_names_a_registry_a_machine_or_unfinished_work() {
    let files = files();
    let read = files
        .iter()
        .filter(|file| !LOCK_FILES.iter().any(|name| file.path.ends_with(name)));
    hold(&read.flat_map(forbidden_words).collect::<Vec<_>>());
}

#[test]
fn a_file_of_the_product_has_one_reason_to_change_and_at_most_400_lines() {
    let files = files();
    let product = files.iter().filter(|file| file.is_product());
    hold(&product.filter_map(too_long).collect::<Vec<_>>());
}

#[test]
fn every_test_runs() {
    hold(&files().iter().flat_map(skipped).collect::<Vec<_>>());
}

#[test]
fn a_forbidden_word_a_long_file_and_a_skipped_test_are_found() {
    for word in forbidden().iter().chain(&machine_folders()) {
        let file = File::new("README.md", &format!("good\nsee {word} there"));
        assert_eq!(forbidden_words(&file).len(), 1, "{word}");
    }
    for good in ["https://app.example.test/home/x", "../work/x", "MAXXXX"] {
        assert_eq!(forbidden_words(&File::new("README.md", good)), [], "{good}");
    }
    let rows = "let x = 1;\n".repeat(LINES_MAX);
    let file = |text: &str| File::new("crates/x/src/x.rs", text);
    assert_eq!(
        too_long(&file(&format!(
            "{rows}#[cfg(test)]\nmod tests {{\n{rows}}}"
        ))),
        None
    );
    assert!(too_long(&file(&format!("{rows}let y = 1;"))).is_some());
    assert_eq!(
        skipped(&file("#[test]\n#[ignore = \"slow\"]\nfn x() {}")).len(),
        1
    );
    assert_eq!(
        skipped(&File::new("tests/browser/x.test.js", "test.only('x')")).len(),
        1
    );
    assert_eq!(
        skipped(&File::new("tests/interop/test_x.py", "@unittest.skip('x')")).len(),
        1
    );
}
