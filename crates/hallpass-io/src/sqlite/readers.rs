//! Reads: on the calling thread, through a few connections that can only read.

use super::setup;
use hallpass_core::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many connections are kept when nobody reads. More are made while more threads read.
const READERS_KEPT_MAX: usize = 8;

/// Connections for reading, made when they are needed.
///
/// A point read takes about as long as waking another thread up would, so it happens where it
/// is asked for. Each read sees everything that was answered before it began.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::default(),
        }
    }

    /// Runs a query. A connection that fails is not used again.
    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let read = self.take().and_then(|connection| {
            let found = query(&connection)?;
            self.put_back(connection);
            Ok(found)
        });
        read.map_err(|fault| StoreError::new(doing, fault))
    }

    /// Closes what is idle.
    pub(super) fn close(&self) {
        self.idle().clear();
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.connect(), Ok)
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < READERS_KEPT_MAX {
            idle.push(connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        setup::reader(&connection)?;
        Ok(connection)
    }
}
