//! Signing keys, from the command line.

use crate::cli::KeyCommand;
use crate::config::{Config, private_key_text};
use crate::outcome::{Failure, say};
use crate::table::{table, time};
use crate::wiring;
use hallpass_core::key::{ImportedKey, KeyInfo, KeyState};
use hallpass_core::{Error, Hallpass};
use hallpass_verify::Algorithm;
use serde_json::{Value, json};
use std::path::Path;

/// Does what is asked for. A server on the same database learns of it within a second.
///
/// # Errors
/// When a key is refused or not there, or the store fails.
pub(crate) async fn run(config: &Config, command: KeyCommand) -> Result<(), Failure> {
    let plan = config.check()?;
    // What is wrong with the file is told before anything is opened.
    let import = match &command {
        KeyCommand::Import { file } => Some(read(file, plan.settings.algorithm)?),
        _ => None,
    };
    let hallpass = wiring::start(config, &plan).await?;
    if let Some(key) = import {
        return add(&hallpass, key).await;
    }
    match command {
        KeyCommand::List { json: false } => list(&hallpass),
        KeyCommand::List { json: true } => list_json(&hallpass),
        KeyCommand::Rotate => rotate(&hallpass).await?,
        KeyCommand::Revoke { kid } => revoke(&hallpass, &kid).await?,
        KeyCommand::Import { .. } => {}
        KeyCommand::Reseal => reseal(&hallpass).await?,
    }
    Ok(())
}

fn list(hallpass: &Hallpass) {
    let row = |key: &KeyInfo| {
        [
            key.kid.clone(),
            key.algorithm.to_string(),
            key.state.name().to_owned(),
            time(key.created_at),
            time(key.signs_from),
            key.verifies_until.map(time).unwrap_or_default(),
            key.revoked_at.map(time).unwrap_or_default(),
        ]
    };
    let head = [
        "KID",
        "ALGORITHM",
        "STATE",
        "ANNOUNCED",
        "SIGNS FROM",
        "VERIFIES UNTIL",
        "REVOKED",
    ];
    say(table(
        head,
        &hallpass.keys().iter().map(row).collect::<Vec<_>>(),
    ));
}

fn list_json(hallpass: &Hallpass) {
    let entry = |key: &KeyInfo| {
        json!({
            "kid": key.kid,
            "algorithm": key.algorithm.name(),
            "state": key.state.name(),
            "announced_at": time(key.created_at),
            "signs_from": time(key.signs_from),
            "verifies_until": key.verifies_until.map(time),
            "revoked_at": key.revoked_at.map(time),
        })
    };
    let keys: Vec<Value> = hallpass.keys().iter().map(entry).collect();
    say(format_args!("{:#}", Value::from(keys)));
}

async fn rotate(hallpass: &Hallpass) -> Result<(), Failure> {
    let before = hallpass.keys();
    let next = hallpass.rotate_key().await?;
    let verb = if before.iter().any(|key| key.kid == next.kid) {
        "is announced already"
    } else {
        "is announced"
    };
    say(announced(&next, verb));
    Ok(())
}

fn announced(key: &KeyInfo, verb: &str) -> String {
    let (kid, from) = (shown(&key.kid), time(key.signs_from));
    format!("the key {kid} {verb}, and signs from {from} on")
}

async fn revoke(hallpass: &Hallpass, kid: &str) -> Result<(), Failure> {
    match hallpass.revoke_key(kid).await {
        Err(Error::NotFound) => {
            return Err("there is no key of this name that is not revoked already".into());
        }
        revoked => revoked?,
    }
    say(format_args!(
        "the key {} is revoked: whatever it signed is refused from now on, in other processes within a second,",
        shown(kid)
    ));
    say(
        "in services as soon as they hear of it; nobody is signed out: the next refresh gives a token of another key",
    );
    let keys = hallpass.keys();
    if let Some(active) = keys.iter().find(|key| key.state == KeyState::Active) {
        say(format_args!("the key {} signs", shown(&active.kid)));
    }
    Ok(())
}

/// Reads a key for the algorithm of the deployment.
fn read(file: &Path, wanted: Algorithm) -> Result<ImportedKey, Failure> {
    let key = ImportedKey::parse(&private_key_text(file)?)?;
    Ok(key.algorithm(wanted).map_err(|fault| {
        format!("{fault}: `tokens.algorithm` is {wanted}, so nothing else signs")
    })?)
}

async fn add(hallpass: &Hallpass, key: ImportedKey) -> Result<(), Failure> {
    match hallpass.import_key(key).await {
        Err(Error::NotFound) => Err("there is a key of this name already".into()),
        added => {
            say(announced(&added?, "is announced"));
            Ok(())
        }
    }
}

async fn reseal(hallpass: &Hallpass) -> Result<(), Failure> {
    let count = hallpass.reseal().await?;
    say(format_args!(
        "sealed {count} keys with the master secret of now: no former one is needed any more"
    ));
    Ok(())
}

/// A name that somebody else chose cannot steer the terminal.
fn shown(kid: &str) -> String {
    kid.escape_debug().to_string()
}
