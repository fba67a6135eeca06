//! The files of the project.

use super::code;
use std::path::{Path, PathBuf};

/// What the project ignores (`.gitignore`), and the version control itself.
const IGNORED: [&str; 4] = [".git", "target", "node_modules", "hallpass-data"];

/// A file of the project.
pub(crate) struct File {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Which file.
    pub(crate) path: String,
    /// Which line, from 1.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl File {
    /// Returns a file with this path and text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Tells whether this is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// Tells whether this is Rust that goes into a crate: not a test, a bench or an example.
    pub(crate) fn is_product(&self) -> bool {
        // `contract` is the list of tests that every store must pass.
        let tests = ["/tests.rs", "/tests/", "/store/contract"];
        let in_tests = tests.iter().any(|part| self.path.contains(part));
        self.is_rust() && self.path.contains("/src/") && !in_tests
    }

    /// Returns its code: comments, texts and tests are blank.
    pub(crate) fn code(&self) -> String {
        code::product(&self.text)
    }

    /// Returns a fault at a line, counted from 0.
    pub(crate) fn fault(&self, line: usize, what: impl Into<String>) -> Fault {
        Fault {
            path: self.path.clone(),
            line: line + 1,
            what: what.into(),
        }
    }
}

/// Returns the root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Returns every file of the project that is text.
pub(crate) fn files() -> Vec<File> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    assert!(
        files.len() > 50,
        "the tree has only {} files: is this the root?",
        files.len()
    );
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if IGNORED.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.push(File { path, text });
        }
    }
}

/// Passes when there is no fault, and lists all of them otherwise.
pub(crate) fn hold(faults: &[Fault]) {
    let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "\n{}\n", list.join("\n"));
}
