//! Which crate may depend on which, and what may never come in by any way.

use super::tree::root;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// The arrows of ARCHITECTURE.md: a crate, those it stands on, and those it may name besides
/// because it stands on them by way of another.
const DRAWN: [(&str, &[&str], &[&str]); 8] = [
    ("hallpass-verify", &[], &[]),
    ("hallpass-core", &["hallpass-verify"], &[]),
    ("hallpass-io", &["hallpass-core"], &["hallpass-verify"]),
    ("hallpass-axum", &["hallpass-core"], &["hallpass-verify"]),
    (
        "hallpass",
        &["hallpass-axum", "hallpass-io"],
        &["hallpass-core", "hallpass-verify"],
    ),
    (
        "hallpass-server",
        &["hallpass"],
        &[
            "hallpass-axum",
            "hallpass-io",
            "hallpass-core",
            "hallpass-verify",
        ],
    ),
    ("hallpass-examples", &["hallpass"], &[]),
    ("xtask", &[], &[]),
];

const RUNTIMES: &[&str] = &["tokio", "async-std", "smol", "mio", "socket2"];
const WEB: &[&str] = &[
    "axum",
    "axum-core",
    "hyper",
    "hyper-util",
    "tower",
    "reqwest",
    "h2",
];
const DATABASES: &[&str] = &[
    "rusqlite",
    "libsqlite3-sys",
    "sqlx",
    "tokio-postgres",
    "redis",
];
const SOCKETS: &[&str] = &["mio", "socket2", "lettre"];
const PASSWORDS: &[&str] = &["argon2", "bcrypt", "scrypt"];
const PROGRAM: &[&str] = &["clap", "toml"];

/// Returns what is wrong with the arrows of `cargo metadata --no-deps`.
fn wrong_arrows(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().unwrap();
    let members: BTreeSet<&str> = packages
        .iter()
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    let drawn: BTreeSet<&str> = DRAWN.iter().map(|(name, ..)| *name).collect();
    let mut wrong: Vec<String> = members
        .symmetric_difference(&drawn)
        .map(|name| format!("{name} is not drawn, or gone"))
        .collect();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some((_, needed, allowed)) = DRAWN.iter().find(|(drawn, ..)| *drawn == name) else {
            continue;
        };
        let depends_on: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|dependency| members.contains(dependency))
            .collect();
        let missing = needed.iter().filter(|to| !depends_on.contains(**to));
        wrong.extend(missing.map(|to| format!("{name} must stand on {to}")));
        let stray = depends_on
            .iter()
            .filter(|to| !needed.contains(to) && !allowed.contains(to));
        wrong.extend(stray.map(|to| format!("{name} must not know {to}")));
    }
    wrong
}

/// Returns the crates that a member brings in by whatever way, with its default features.
fn brought_in_by(member: &str) -> BTreeSet<String> {
    let arguments = [
        "tree",
        "--offline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
    ];
    let tree = cargo(
        &[
            &arguments[..],
            &["--target", "all", "--format", "{p}", "--package", member],
        ]
        .concat(),
    );
    tree.lines()
        .filter_map(|line| line.split(' ').next())
        .map(String::from)
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn intruders(brought_in: &BTreeSet<String>, banned: &[&[&str]]) -> Vec<String> {
    banned
        .concat()
        .iter()
        .filter(|name| brought_in.contains(**name))
        .map(ToString::to_string)
        .collect()
}

fn keeps_out(member: &str, banned: &[&[&str]]) {
    let brought_in = brought_in_by(member);
    assert!(
        brought_in.contains(member),
        "cargo tree does not list {member} itself"
    );
    assert_eq!(
        intruders(&brought_in, banned),
        Vec::<String>::new(),
        "in {member}"
    );
}

#[test]
fn crates_depend_on_each_other_only_as_drawn() {
    let metadata = cargo(&[
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]);
    let wrong = wrong_arrows(&serde_json::from_str(&metadata).unwrap());
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_verifier_brings_in_no_runtime_no_database_no_web_framework_and_no_way_to_mint() {
    keeps_out(
        "hallpass-verify",
        &[RUNTIMES, WEB, DATABASES, PASSWORDS, PROGRAM],
    );
}

#[test]
fn the_rules_bring_in_no_database_no_network_and_no_web_framework() {
    keeps_out("hallpass-core", &[WEB, DATABASES, SOCKETS, PROGRAM]);
}

#[test]
fn the_stores_bring_in_no_web_framework() {
    keeps_out("hallpass-io", &[WEB, PROGRAM]);
}

#[test]
fn the_routes_bring_in_no_database_and_no_configuration() {
    keeps_out("hallpass-axum", &[DATABASES, PROGRAM]);
}

#[test]
fn the_crate_people_add_brings_in_no_program() {
    keeps_out("hallpass", &[PROGRAM]);
}

fn package(name: &str, dependencies: &[&str]) -> Value {
    let dependencies: Vec<Value> = dependencies
        .iter()
        .map(|name| serde_json::json!({ "name": name }))
        .collect();
    serde_json::json!({ "name": name, "dependencies": dependencies })
}

#[test]
fn an_arrow_that_is_not_drawn_one_that_is_missing_and_a_crate_too_many_are_found() {
    let mut packages: Vec<Value> = DRAWN
        .iter()
        .map(|(name, needed, _)| package(name, needed))
        .collect();
    assert!(wrong_arrows(&serde_json::json!({ "packages": packages })).is_empty());
    packages[2] = package("hallpass-io", &["hallpass-axum", "rusqlite"]);
    packages.push(package("hallpass-types", &[]));
    let wrong = wrong_arrows(&serde_json::json!({ "packages": packages }));
    assert_eq!(
        wrong,
        [
            "hallpass-types is not drawn, or gone",
            "hallpass-io must stand on hallpass-core",
            "hallpass-io must not know hallpass-axum",
        ]
    );
}

#[test]
fn an_intruder_is_found() {
    // The program does bring in a database, a web framework and a command line.
    let found = intruders(
        &brought_in_by("hallpass-server"),
        &[WEB, DATABASES, PROGRAM],
    );
    for name in ["axum", "rusqlite", "clap"] {
        assert!(found.contains(&name.to_string()), "{name} not in {found:?}");
    }
}
