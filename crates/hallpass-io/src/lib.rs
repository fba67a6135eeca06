//! Where Hallpass keeps things: the SQLite store and the file of the master secret.
//!
//! Nothing in here decides anything: the rules are in `hallpass-core`, and every method of a
//! store is one atomic step that they ask for.

mod database;
mod secret_file;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use database::{Database, DatabaseUrlFault};
pub use secret_file::{
    SECRET_FILE_LEN_MAX, SecretFileFault, former_secret_path, load_if_there, load_or_create,
};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
