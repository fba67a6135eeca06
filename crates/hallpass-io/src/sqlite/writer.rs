//! Writes: one thread, one connection, one transaction for all that wait.
//!
//! A transaction costs one sync of the disk, however much is in it. So the thread takes the first
//! write, adds those that wait already, commits, and only then answers: whatever was answered is
//! on the disk.

use hallpass_core::store::StoreError;
use rusqlite::Connection;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// How many writes go into one transaction.
pub(super) const GROUP_LEN_MAX: usize = 64;
/// How many writes may wait. One more is refused at once rather than answered late.
const QUEUE_LEN_MAX: usize = 4096;

/// A write: plain data, and the SQL for it in one function.
pub(super) trait Write: Send + 'static {
    /// What the caller gets.
    type Written: Send;
    /// What the error says was being done.
    const DOING: &'static str;
    /// How many statements of it write.
    const STATEMENTS: Statements;

    /// Runs the SQL.
    fn write(&self, connection: &Connection) -> rusqlite::Result<Self::Written>;
}

/// How many statements of a [`Write`] write: SQLite undoes one that fails by itself, more than
/// one need a savepoint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Statements {
    One,
    Several,
}

/// The thread that writes, and its queue.
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Queued>>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE_LEN_MAX);
        let commits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commits);
        let thread = std::thread::Builder::new()
            .name("hallpass-sqlite".into())
            .spawn(move || run(&connection, &jobs, &counted))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            commits,
        })
    }

    /// Returns what was written, once it is on the disk.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Written, StoreError> {
        let answer = self.submit(write)?;
        answer
            .await
            .map_err(|_| StoreError::new(W::DOING, WriterFault::Gone))?
    }

    /// Returns how many transactions were committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn submit<W: Write>(&self, write: W) -> Result<Answer<W>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(WriterFault::Gone);
        queue
            .and_then(|queue| {
                queue
                    .try_send(Box::new(Job {
                        write,
                        outcome: None,
                        reply,
                    }))
                    .map_err(|fault| match fault {
                        TrySendError::Full(_) => WriterFault::Full,
                        TrySendError::Disconnected(_) => WriterFault::Gone,
                    })
            })
            .map_err(|fault| StoreError::new(W::DOING, fault))?;
        Ok(answer)
    }
}

/// Waits until what is queued is written: then the file is whole, and the log is gone.
impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed its connection as well.
            drop(thread.join());
        }
    }
}

type Answer<W> = oneshot::Receiver<Result<<W as Write>::Written, StoreError>>;

/// Why nothing was written.
#[derive(Clone, Debug, thiserror::Error)]
enum WriterFault {
    #[error("{QUEUE_LEN_MAX} writes are waiting already")]
    Full,
    #[error("the thread that writes has ended")]
    Gone,
    #[error("the transaction was rolled back")]
    RolledBack(#[source] Arc<rusqlite::Error>),
}

struct Job<W: Write> {
    write: W,
    outcome: Option<rusqlite::Result<W::Written>>,
    reply: oneshot::Sender<Result<W::Written, StoreError>>,
}

trait Queued: Send {
    /// Runs the SQL and keeps the outcome. An error means that the whole group must go.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;

    /// Answers, once it is known what became of the group.
    fn answer(self: Box<Self>, group: &Result<(), WriterFault>);
}

impl<W: Write> Queued for Job<W> {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let outcome = match W::STATEMENTS {
            Statements::One => self.write.write(connection),
            Statements::Several => in_savepoint(connection, &self.write)?,
        };
        self.outcome = Some(outcome);
        Ok(())
    }

    fn answer(self: Box<Self>, group: &Result<(), WriterFault>) {
        let answer = match (self.outcome, group) {
            (Some(Err(fault)), _) => Err(StoreError::new(W::DOING, fault)),
            (Some(Ok(written)), Ok(())) => Ok(written),
            (_, Err(fault)) => Err(StoreError::new(W::DOING, fault.clone())),
            (None, Ok(())) => Err(StoreError::new(W::DOING, WriterFault::Gone)),
        };
        // Whoever gave up waiting needs no answer; the write stands.
        drop(self.reply.send(answer));
    }
}

fn in_savepoint<W: Write>(
    connection: &Connection,
    write: &W,
) -> rusqlite::Result<rusqlite::Result<W::Written>> {
    execute(connection, "SAVEPOINT job")?;
    let outcome = write.write(connection);
    if outcome.is_err() {
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")?;
    Ok(outcome)
}

/// Until the store is dropped and the queue is empty.
fn run(connection: &Connection, jobs: &Receiver<Box<dyn Queued>>, commits: &AtomicU64) {
    let mut group = Vec::with_capacity(GROUP_LEN_MAX);
    while let Ok(first) = jobs.recv() {
        group.push(first);
        group.extend(jobs.try_iter().take(GROUP_LEN_MAX - 1));
        let outcome = commit(connection, &mut group);
        match &outcome {
            Ok(()) => _ = commits.fetch_add(1, Ordering::Relaxed),
            Err(fault) => tracing::error!(writes = group.len(), %fault, "nothing was written"),
        }
        let outcome = outcome.map_err(|fault| WriterFault::RolledBack(Arc::new(fault)));
        group.drain(..).for_each(|job| job.answer(&outcome));
    }
}

/// Runs a group in one transaction. IMMEDIATE: a transaction that starts with a read and then
/// writes fails at once, without waiting, when another process wrote in between.
fn commit(connection: &Connection, group: &mut [Box<dyn Queued>]) -> rusqlite::Result<()> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let mut outcome = group
        .iter_mut()
        .try_for_each(|job| run_within(connection, job.as_mut()));
    if outcome.is_ok() {
        outcome = execute(connection, "COMMIT");
    }
    if outcome.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    outcome
}

/// A full disk, for one, makes SQLite roll the whole transaction back under a statement.
/// What ran before is lost then, and what comes after would be committed alone.
fn run_within(connection: &Connection, job: &mut dyn Queued) -> rusqlite::Result<()> {
    job.run(connection)?;
    if connection.is_autocommit() {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
            None,
        ));
    }
    Ok(())
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(sql)?
        .execute([])
        .map(|_changes| ())
}

#[cfg(test)]
mod tests;
