//! What every `Cargo.toml` says alike.

use super::tree::{Fault, File, files, hold};

const INHERITED: [&str; 4] = [
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
];

/// Returns what a member's manifest does not take from the workspace.
fn own_ways(file: &File) -> Vec<Fault> {
    let mut section = "";
    let mut faults = Vec::new();
    let mut missing: Vec<&str> = INHERITED.to_vec();
    let mut lints = false;
    for (number, line) in file.text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[package]" {
            missing.retain(|inherited| *inherited != line);
        } else if section == "[lints]" {
            lints |= line == "workspace = true";
        } else if section.ends_with("dependencies]") && line.contains('=') {
            let inherits = line.contains(".workspace = true") || line.contains("workspace = true,");
            if !inherits && !line.starts_with('#') {
                faults.push(file.fault(number, "a dependency has its version in the workspace"));
            }
        }
    }
    faults.extend(
        missing
            .iter()
            .map(|line| file.fault(0, format!("must say `{line}`"))),
    );
    if !lints {
        faults.push(file.fault(0, "must take the lints of the workspace"));
    }
    faults
}

fn is_member(file: &File) -> bool {
    file.path.ends_with("/Cargo.toml")
}

#[test]
fn every_crate_takes_version_edition_licence_lints_and_dependencies_from_the_workspace() {
    let files = files();
    let manifests: Vec<&File> = files.iter().filter(|file| is_member(file)).collect();
    assert!(
        manifests.len() >= 7,
        "only {} manifests found",
        manifests.len()
    );
    hold(&manifests.into_iter().flat_map(own_ways).collect::<Vec<_>>());
}

#[test]
fn a_manifest_with_its_own_ways_is_found() {
    let good = format!(
        "[package]\n{}\n[dependencies]\na.workspace = true\nb = {{ workspace = true, optional = true }}\n[lints]\nworkspace = true\n",
        INHERITED.join("\n")
    );
    assert_eq!(own_ways(&File::new("crates/x/Cargo.toml", &good)), []);
    for (from, to) in [
        ("version.workspace = true\n", "version = \"2.0.0\"\n"),
        ("a.workspace = true", "a = \"1\""),
        (
            "[lints]\nworkspace = true",
            "[lints.rust]\nunsafe_code = \"allow\"",
        ),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_eq!(
            own_ways(&File::new("crates/x/Cargo.toml", &bad)).len(),
            1,
            "{to}"
        );
    }
}
