//! Whether a refresh costs more when the store is large.

use super::accounts::Account;
use super::load::Script;
use super::prefill;
use super::process::Server;
use super::sample::Sample;
use super::scenario::refreshes;
use super::servers::Programs;
use crate::steps::Stop;
use std::path::Path;
use std::time::Duration;

const SIZES: [(u32, &str); 2] = [
    (10_000, "refresh, 10 k sessions"),
    (1_000_000, "refresh, 1 M sessions"),
];

/// A program with a large store, and the refreshes that are measured in it.
struct Large {
    what: &'static str,
    server: Server,
    scripts: Vec<Script>,
    samples: Vec<Sample>,
}

/// Measures refreshes in a small and in a large store, in turn.
pub(crate) async fn measure(
    programs: &Programs,
    folder: &Path,
    span: Duration,
    rounds: u32,
) -> Result<Vec<(&'static str, Vec<Sample>)>, Stop> {
    let mut stores = Vec::with_capacity(SIZES.len());
    for (count, what) in SIZES {
        stores.push(prepare(programs, &folder.join(count.to_string()), count, what).await?);
    }
    for _ in 0..rounds {
        for store in &mut stores {
            store
                .samples
                .push(Sample::take(&store.server, &mut store.scripts, span).await?);
        }
    }
    Ok(stores
        .into_iter()
        .map(|store| (store.what, store.samples))
        .collect())
}

async fn prepare(
    programs: &Programs,
    folder: &Path,
    count: u32,
    what: &'static str,
) -> Result<Large, Stop> {
    println!("    filling a store with {count} sessions");
    let first = programs.start_program(folder).await?;
    Account::sign_up(first.address, "template", "body").await?;
    first.stop().await?;
    prefill::sessions(&folder.join("data"), count)?;
    let server = programs.start_program(folder).await?;
    let mut scripts = refreshes(server.address).await?;
    // Once for the caches: both start cold.
    Sample::take(&server, &mut scripts, Duration::from_millis(300)).await?;
    Ok(Large {
        what,
        server,
        scripts,
        samples: Vec::new(),
    })
}
