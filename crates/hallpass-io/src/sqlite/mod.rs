//! The embedded store: one SQLite file, used by one process or by several on one machine.

mod columns;
mod feed;
mod keys;
mod migrate;
mod readers;
mod sessions;
mod setup;
mod tickets;
mod users;
mod writer;

use readers::Readers;
use rusqlite::{Connection, OpenFlags};
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use writer::Writer;

/// Keeps users, sessions, keys, tickets and the feed of what was revoked in one SQLite file.
///
/// Writes that wait at the same time share one transaction, so durability costs little under
/// load. Reads happen on the calling thread and take microseconds. Dropping the store waits until
/// what is queued has been written.
pub struct SqliteStore {
    // Readers are closed first: the last connection to close tidies the file, and it must be one
    // that may write.
    readers: Readers,
    writer: Writer,
    path: PathBuf,
}

/// How a store is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// What a loss of power may take. Default: nothing.
    pub durability: Durability,
}

/// What a loss of power may take. A crash of the program never takes anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// Nothing that was answered: every transaction waits for the disk.
    #[default]
    Full,
    /// The last transactions. A sign-out may be forgotten, a used refresh token accepted again.
    Normal,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The file cannot be made or opened.
    #[error("the database file `{}` cannot be opened", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is there, but SQLite cannot use it.
    #[error("the database `{}` cannot be used", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The schema could not be brought up to date. Nothing was changed.
    #[error("the schema of the database cannot be brought up to date")]
    Migrate(#[source] rusqlite::Error),
    /// A newer program has used this database.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}: \
         start a newer program, or restore an older database"
    )]
    Newer {
        /// The version of the database.
        found: usize,
        /// The last version this program knows.
        known: usize,
    },
    /// The thread that writes could not be started.
    #[error("the thread that writes to the database cannot be started")]
    Thread(#[source] io::Error),
}

impl SqliteStore {
    /// Opens the store at `path`, makes the file if there is none, and brings the schema up to
    /// date. On Unix a file that is made can be read by its owner alone.
    ///
    /// This blocks: call it while the program starts.
    ///
    /// # Errors
    /// When the file cannot be used, is no database, or belongs to a newer program.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenFault> {
        let path = create(path)?;
        let failed = |source| OpenFault::Database {
            path: path.clone(),
            source,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        setup::writer(&connection, options.durability).map_err(failed)?;
        migrate::migrate(&mut connection)?;
        let writer = Writer::start(connection).map_err(OpenFault::Thread)?;
        Ok(Self {
            readers: Readers::new(path.clone()),
            writer,
            path,
        })
    }

    /// Returns how many transactions this store has committed since it was opened: fewer than
    /// writes, when writes share them.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.readers.close();
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.path.display())
    }
}

/// Makes the file unless it is there, and returns its absolute path: connections are opened
/// later too, and a name such as `:memory:` is a name.
fn create(path: &Path) -> Result<PathBuf, OpenFault> {
    let failed = |source| OpenFault::File {
        path: path.to_owned(),
        source,
    };
    let absolute = std::path::absolute(path).map_err(failed)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    // The log and its index get the mode of the file.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&absolute).map_err(failed)?;
    Ok(absolute)
}
