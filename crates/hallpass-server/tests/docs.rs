//! Every code block of the documents is run: shell against the real program, TOML as its
//! configuration. (Rust blocks are doc tests of the crate `hallpass`.)
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it fails"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_hallpass");
/// What the documents call the address that the program listens on.
const WRITTEN_URL: &str = "http://localhost:8080";

/// The program, listening on a free port with its data in `folder`. Dropped, it stops.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(command: &[&str], folder: &Path) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(command)
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .expect("the program says where it listens");
        // What it says afterwards is read, or it would wait for a reader one day.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// Every document that a reader may follow.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "md") {
                found.push(path);
            }
        }
    }
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ] {
        found.push(root().join(name));
    }
    found.sort();
    found
}

/// The code blocks of a document, each with its language.
fn blocks(document: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(document).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some((_, body)), None) => {
                body.push_str(line);
                body.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(
        open.is_none(),
        "{}: a code block does not end",
        document.display()
    );
    blocks
}

fn is_readme(document: &Path) -> bool {
    document == root().join("README.md")
}

/// Whose wire the blocks of a document speak: the pages for those who come from another system are
/// named for it.
fn profile(document: &Path) -> &str {
    let is_coming_from = document
        .parent()
        .is_some_and(|folder| folder.ends_with("coming-from"));
    match document.file_stem().and_then(|name| name.to_str()) {
        Some(name) if is_coming_from => name,
        _ => "native",
    }
}

#[test]
fn every_code_block_is_of_a_kind_that_is_run() {
    let documents = documents();
    assert!(documents.len() >= 8, "{documents:?}");
    for document in documents {
        for (language, body) in blocks(&document) {
            // `text` is for drawings.
            let known = ["sh", "toml", "text", "rust", "rust,no_run"];
            assert!(
                known.contains(&language.as_str()),
                "{}: {language}",
                document.display()
            );
            // Those that `crates/hallpass/src/lib.rs` includes.
            let included = ["manual.md", "own-routes.md", "services.md"];
            let doc_tested =
                is_readme(&document) || included.iter().any(|name| document.ends_with(name));
            assert!(
                !language.starts_with("rust") || doc_tested,
                "{}:\n{body}",
                document.display()
            );
        }
    }
}

#[test]
fn every_shell_block_does_what_it_says() {
    let mut ran = 0;
    for document in documents()
        .into_iter()
        .filter(|document| !is_readme(document))
    {
        let scripts = blocks(&document)
            .into_iter()
            .filter(|(language, _)| language == "sh");
        let script: String = scripts.map(|(_, body)| body).collect();
        if script.is_empty() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start(&["serve", "--profile", profile(&document)], folder.path());
        let path = format!(
            "{}:{}",
            Path::new(PROGRAM).parent().unwrap().display(),
            std::env::var_os("PATH")
                .unwrap_or_default()
                .to_string_lossy()
        );
        let done = Command::new("bash")
            .args([
                "-euo",
                "pipefail",
                "-c",
                &script.replace(WRITTEN_URL, &running.url),
            ])
            .current_dir(folder.path())
            .env("PATH", path)
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
        assert!(
            done.status.success(),
            "{}:\n{out}\n{err}",
            document.display()
        );
        ran += 1;
    }
    assert!(ran >= 1);
}

#[test]
fn every_toml_block_is_a_configuration_that_is_accepted() {
    let mut checked = 0;
    for document in documents() {
        for (language, body) in blocks(&document) {
            if language != "toml" {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("hallpass.toml");
            fs::write(&file, &body).unwrap();
            let done = Command::new(PROGRAM)
                .args(["check-config", "--config"])
                .arg(&file)
                .current_dir(folder.path())
                .output()
                .unwrap();
            let err = String::from_utf8_lossy(&done.stderr);
            assert!(
                done.status.success(),
                "{}:\n{body}\n{err}",
                document.display()
            );
            checked += 1;
        }
    }
    assert!(checked >= 1);
}

#[test]
fn the_readme_names_two_commands_and_the_first_one_serves_the_demo() {
    let commands: Vec<_> = blocks(&root().join("README.md"))
        .into_iter()
        .filter(|(language, _)| language == "sh")
        .map(|(_, body)| body)
        .collect();
    // The second one is what runs this test.
    assert_eq!(
        commands,
        ["cargo run --release -- demo\n", "cargo xtask test\n"]
    );
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&["demo"], folder.path());
    let page = Command::new("curl")
        .args(["-sS", "--fail", &running.url])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&page.stdout).contains("Hallpass"));
}
