//! What a command asks the machine: the time, the environment, which programs are there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Returns the time now, to measure with.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns a number that grows: with the id of this process, a name that nobody else has.
#[expect(clippy::disallowed_methods, reason = "a name, not a decision")]
pub(crate) fn nanoseconds_since_epoch() -> u128 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
}

/// Waits, for processes that know nothing of us.
#[expect(
    clippy::disallowed_methods,
    reason = "there is nothing else to wait for"
)]
pub(crate) fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Returns a variable of the environment, unless it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.into_string().ok()?;
    (!value.is_empty()).then_some(value)
}

/// Returns the first of these programs that is there.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// Returns what the command line says after the name of the program.
pub(crate) fn arguments() -> Vec<std::ffi::OsString> {
    std::env::args_os().skip(1).collect()
}

/// Returns how many threads can run at once.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Returns the cargo that runs us.
pub(crate) fn cargo() -> String {
    variable("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns the root of the project.
pub(crate) fn root() -> &'static Path {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.parent().unwrap_or(manifest_dir)
}
