//! `cargo xtask test` and `cargo xtask check`: everything that must hold, step by step.

use crate::leftovers::Marked;
use crate::steps::{self, Stop, cargo};
use crate::tally::Tally;
use crate::{machine, tools};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How long the list of known holes may take to come.
const ADVISORIES_SECONDS_MAX: &str = "60";
const WARNINGS_ARE_ERRORS: &str = "-Dwarnings";

/// A part of the tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Part {
    /// Formatting, clippy, dependencies, documentation.
    Lints,
    /// Every test and every example of the documentation.
    Rust,
    /// A real browser against the real server.
    Browser,
    /// Libraries of others, in Node and in Python, against the real server.
    Interop,
}

/// Runs the chosen parts, or all. Returns the tests that ran.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn test(chosen: Option<Part>) -> Result<Tally, Stop> {
    let marked = Marked::new();
    let parts = [Part::Lints, Part::Rust, Part::Browser, Part::Interop];
    let mut tally = Tally::default();
    for part in parts
        .into_iter()
        .filter(|part| chosen.is_none_or(|chosen| chosen == *part))
    {
        tally += match part {
            Part::Lints => lints(&marked)?,
            Part::Rust => rust(&marked)?,
            Part::Browser => browser(&marked)?,
            Part::Interop => interop(&marked)?,
        };
    }
    marked.all_gone()?;
    Ok(tally)
}

/// Runs what takes little: formatting, clippy, the house rules, dependencies.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn check() -> Result<Tally, Stop> {
    formatting_and_clippy()?;
    let house = ["test", "--locked", "--package", "xtask", "house::"];
    let tally = steps::run("house rules", &mut cargo(&house))?;
    dependencies()?;
    Ok(tally)
}

fn lints(marked: &Marked) -> Result<Tally, Stop> {
    formatting_and_clippy()?;
    dependencies()?;
    let doc = [
        "doc",
        "--locked",
        "--workspace",
        "--all-features",
        "--no-deps",
    ];
    let mut doc = cargo(&doc);
    steps::run(
        "documentation",
        marked.on(doc.env("RUSTDOCFLAGS", WARNINGS_ARE_ERRORS)),
    )
}

fn formatting_and_clippy() -> Result<(), Stop> {
    steps::run("formatting", &mut cargo(&["fmt", "--all", "--check"]))?;
    let clippy = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
    ];
    steps::run("clippy", cargo(&clippy).arg(WARNINGS_ARE_ERRORS)).map(drop)
}

fn dependencies() -> Result<(), Stop> {
    tools::cargo_deny()?;
    let deny = ["deny", "check", "bans", "licenses", "sources"];
    steps::run("dependencies: bans, licences, sources", &mut cargo(&deny))?;
    let fetched = steps::succeeds(
        Command::new("timeout")
            .args([
                ADVISORIES_SECONDS_MAX,
                &machine::cargo(),
                "deny",
                "fetch",
                "db",
            ])
            .current_dir(machine::root()),
    );
    if !fetched {
        println!("\n==> dependencies: advisories NOT checked, their database is out of reach");
        return Ok(());
    }
    let advisories = ["deny", "check", "--disable-fetch", "advisories"];
    steps::run("dependencies: advisories", &mut cargo(&advisories)).map(drop)
}

fn rust(marked: &Marked) -> Result<Tally, Stop> {
    tools::curl()?;
    let test = [
        "test",
        "--locked",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
    ];
    let mut tally = steps::run("tests", marked.on(&mut cargo(&test)))?;
    // A service may depend on the verifier alone, without any feature.
    let alone = [
        "test",
        "--locked",
        "--package",
        "hallpass-verify",
        "--tests",
    ];
    tally += steps::run("the verifier alone", marked.on(&mut cargo(&alone)))?;
    Ok(tally)
}

fn browser(marked: &Marked) -> Result<Tally, Stop> {
    tools::node()?;
    let browser = tools::browser()?;
    build_the_server()?;
    let build = [
        "build",
        "--locked",
        "--package",
        "hallpass",
        "--features",
        "live",
        "--example",
        "live",
    ];
    steps::run("build the example", &mut cargo(&build))?;
    // As the README of `examples/services` starts it: the same command builds nothing then.
    let build = [
        "build",
        "--locked",
        "--package",
        "hallpass-verify",
        "--features",
        "live,remote",
        "--example",
        "orders",
    ];
    steps::run("build the example with services", &mut cargo(&build))?;
    let build = ["build", "--locked", "--package", "hallpass-examples"];
    steps::run("build the examples for other manuals", &mut cargo(&build))?;
    let folder = machine::root().join("tests/browser");
    npm_ci("install the browser tests", &folder)?;
    let mut node = node_tests(&folder);
    tests("browser tests", marked, node.env("CHROMIUM", browser))
}

fn interop(marked: &Marked) -> Result<Tally, Stop> {
    tools::node()?;
    tools::python()?;
    build_the_server()?;
    let folder = machine::root().join("tests/interop");
    npm_ci("install the tests with libraries for Node", &folder)?;
    let mut tally = tests("libraries for Node", marked, &mut node_tests(&folder))?;
    let python = python_with(&folder.join("requirements.txt"))?;
    let mut python = Command::new(python);
    // No compiled files among the sources.
    python.args(["-B", "run.py"]).current_dir(&folder);
    tally += tests("libraries for Python", marked, &mut python)?;
    Ok(tally)
}

fn build_the_server() -> Result<(), Stop> {
    let build = ["build", "--locked", "--package", "hallpass-server"];
    steps::run("build the server", &mut cargo(&build)).map(drop)
}

fn npm_ci(title: &str, folder: &Path) -> Result<(), Stop> {
    let mut install = Command::new("npm");
    install
        .args(["ci", "--prefer-offline", "--no-audit", "--no-fund"])
        .current_dir(folder);
    steps::run(title, &mut install).map(drop)
}

fn node_tests(folder: &Path) -> Command {
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"])
        .current_dir(folder);
    node
}

/// Returns a Python of our own, in the target folder, that has these packages and no others.
fn python_with(requirements: &Path) -> Result<PathBuf, Stop> {
    let folder = steps::target_dir()?.join("interop-python");
    let python = folder.join("bin/python");
    if !steps::succeeds(Command::new(&python).args(["-m", "pip", "--version"])) {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        steps::run("make a place for Python packages", &mut venv)?;
    }
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--require-hashes"])
        .arg("--requirement")
        .arg(requirements);
    steps::run("install the tests with libraries for Python", &mut install)?;
    Ok(python)
}

/// Runs tests that start the server; some have to be there.
fn tests(title: &str, marked: &Marked, command: &mut Command) -> Result<Tally, Stop> {
    let program = steps::target_dir()?.join("debug/hallpass");
    let tally = steps::run(title, marked.on(command.env("SERVER_PROGRAM", program)))?;
    if tally == Tally::default() {
        return Err(Stop::because(format!("{title}: none ran")));
    }
    Ok(tally)
}
