//! The programs that the tests need beside Rust: installed when they are missing.

use crate::machine;
use crate::steps::{self, Stop, succeeds};
use std::path::PathBuf;
use std::process::Command;

const CARGO_DENY: &str = "=0.20.2";
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const NODE_MAJOR_MIN: u32 = 20;
const PYTHON_MIN: (u32, u32) = (3, 11);

/// Sees to it that cargo-deny is there.
pub(crate) fn cargo_deny() -> Result<(), Stop> {
    if succeeds(&mut steps::cargo(&["deny", "--version"])) {
        return Ok(());
    }
    let install = ["install", "cargo-deny", "--locked", "--version", CARGO_DENY];
    steps::run("install cargo-deny", &mut steps::cargo(&install)).map(drop)
}

/// Returns a browser: the one that `CHROMIUM` names, or the first that is found or installed.
pub(crate) fn browser() -> Result<PathBuf, Stop> {
    if let Some(named) = machine::variable("CHROMIUM") {
        return Ok(named.into());
    }
    if machine::program(&BROWSERS).is_none() {
        apt_install(&["chromium"])?;
    }
    machine::program(&BROWSERS)
        .ok_or_else(|| Stop::because("no browser: install Chromium, or name one in CHROMIUM"))
}

/// Sees to it that curl is there: the manual's examples are run.
pub(crate) fn curl() -> Result<(), Stop> {
    if machine::program(&["curl"]).is_none() {
        apt_install(&["curl"])?;
    }
    Ok(())
}

/// Sees to it that Node and npm are there.
pub(crate) fn node() -> Result<(), Stop> {
    if machine::program(&["node"]).is_none() || machine::program(&["npm"]).is_none() {
        apt_install(&["nodejs", "npm"])?;
    }
    let version = Command::new("node").arg("--version").output()?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_string();
    if major(&version).is_some_and(|major| major >= NODE_MAJOR_MIN) {
        return Ok(());
    }
    Err(Stop::because(format!(
        "expected Node {NODE_MAJOR_MIN} or later, found `{version}`"
    )))
}

/// Sees to it that a Python is there that can make places for packages.
pub(crate) fn python() -> Result<(), Stop> {
    let asks = |code: &str| succeeds(Command::new("python3").args(["-c", code]));
    if !asks("import ensurepip, venv") {
        apt_install(&["python3", "python3-venv"])?;
    }
    let (major, minor) = PYTHON_MIN;
    if asks(&format!(
        "import sys; sys.exit(sys.version_info < ({major}, {minor}))"
    )) {
        return Ok(());
    }
    Err(Stop::because(format!(
        "expected Python {major}.{minor} or later as `python3`"
    )))
}

/// Returns 20 for `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn apt_install(packages: &[&str]) -> Result<(), Stop> {
    let wanted = packages.join(", ");
    if machine::program(&["apt-get"]).is_none() {
        return Err(Stop::because(format!(
            "install {wanted}: there is no apt-get here to do it"
        )));
    }
    steps::run("refresh the list of packages", &mut apt(&["update"]))?;
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    steps::run(&format!("install {wanted}"), &mut apt(&install)).map(drop)
}

fn apt(arguments: &[&str]) -> Command {
    let id = Command::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    command
        .arg("DEBIAN_FRONTEND=noninteractive")
        .arg("apt-get")
        .args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v8.1.0"), Some(8));
        assert_eq!(major("node"), None);
    }
}
