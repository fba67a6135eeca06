//! What the SQLite store promises beyond the contract: concurrency, processes, damage.
#![cfg(test)]

mod feed;
mod keys;
mod migration;
mod schema_2;

use crate::feed::ticket;
use crate::keys::key;
use hallpass_core::key::SealedRoot;
use hallpass_core::session::{EndReason, Session};
use hallpass_core::store::contract::{self, session, user};
use hallpass_core::store::{
    Advance, Advanced, Cursor, End, FeedStore as _, Inserted, KeyStore as _, SessionStore as _,
    TicketStore as _, UserStore as _,
};
use hallpass_core::user::PasswordHash;
use hallpass_io::SqliteStore;
use hallpass_io::sqlite::{Durability, OpenFault, Options};
use hallpass_verify::{Revoked, SessionId, Timestamp, UserId};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// What a loss of power takes is not tested here, so nothing waits for the disk.
const FAST: Options = Options {
    durability: Durability::Normal,
};

fn open(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(&file(directory), FAST).unwrap()
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("hallpass.db")
}

fn numbered(number: u64, user: &str) -> Session {
    Session {
        id: id(number),
        ..session(0, user)
    }
}

fn id(number: u64) -> SessionId {
    SessionId::from_bytes(u128::from(number).to_be_bytes())
}

fn step(number: u64, from: u32) -> Advance {
    Advance {
        session: id(number),
        from,
        to: from + 1,
        now: NOW,
        key: None,
    }
}

fn end(number: u64) -> End {
    End {
        session: id(number),
        owner: None,
        reason: EndReason::SignedOut,
        now: NOW,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let directories = std::sync::Mutex::new(Vec::new());
    contract::check(|| {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(open(&directory));
        directories.lock().unwrap().push(directory);
        store
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn rf_06_of_fifty_refreshes_through_two_stores_on_one_file_exactly_one_moves_the_session() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [Arc::new(open(&directory)), Arc::new(open(&directory))];
    stores[0].insert_session(&numbered(1, "u1")).await.unwrap();
    for from in 0..20 {
        let tasks: Vec<_> = (0..50)
            .map(|task| {
                let store = Arc::clone(&stores[task % 2]);
                tokio::spawn(async move { store.advance(&step(1, from)).await.unwrap() })
            })
            .collect();
        let mut moved = 0;
        for task in tasks {
            moved += usize::from(matches!(task.await.unwrap(), Advanced::Moved(_)));
        }
        assert_eq!(moved, 1, "generation {from}");
    }
}

#[tokio::test]
async fn what_one_store_answered_the_other_one_sees() {
    let directory = tempfile::tempdir().unwrap();
    let (here, there) = (open(&directory), open(&directory));
    for number in 0..50 {
        here.insert_session(&numbered(number, "u1")).await.unwrap();
        assert!(there.session(&id(number)).await.unwrap().is_some());
        there.end_session(&end(number)).await.unwrap();
        let feed = here.revoked_since(Cursor(number), 10).await.unwrap();
        assert_eq!(feed.len(), 1);
        assert_eq!(feed[0].revoked, Revoked::Session(id(number)));
    }
}

#[tokio::test]
async fn a_purge_takes_as_many_steps_as_it_needs() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&directory));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..2501 {
        let row = match number % 10 {
            0 => numbered(number, "u1"),
            _ => Session {
                idle_expires_at: NOW,
                ..numbered(number, "u1")
            },
        };
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.insert_session(&row).await.unwrap() });
    }
    tasks.join_all().await;
    let user = UserId::parse("u1").unwrap();
    let ended = store
        .end_sessions(&user, None, EndReason::Revoked, NOW)
        .await
        .unwrap();
    assert_eq!(ended.len(), 251);
    let later = NOW.plus(Duration::from_secs(1));
    assert_eq!(store.purge_sessions(later).await.unwrap(), 2250);
    for number in 0..2501 {
        let kept = store.session(&id(number)).await.unwrap().is_some();
        assert_eq!(kept, number % 10 == 0, "{number}");
    }
    assert_eq!(store.purge_sessions(later).await.unwrap(), 0);
}

/// Returns how often a file holds these bytes.
fn count(path: &Path, wanted: &[u8]) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let windows = bytes.windows(wanted.len());
    windows.filter(|window| *window == wanted).count()
}

#[test]
fn twenty_programs_that_start_at_once_open_one_fresh_file() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let barrier = std::sync::Barrier::new(20);
        let stores: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        SqliteStore::open(&file(&directory), FAST)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for store in stores {
            store.unwrap();
        }
    }
}

#[tokio::test]
async fn a_store_that_was_closed_is_one_file_with_everything_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.insert_session(&numbered(1, "u1")).await.unwrap();
    let ada = user("u1", "ada@example.test");
    let hash = PasswordHash::new("phc".into());
    assert_eq!(
        store.insert_user(&ada, &hash).await.unwrap(),
        Inserted::Inserted
    );
    drop(store);
    let names: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["hallpass.db"]);
    let store = open(&directory);
    assert_eq!(
        store.session(&id(1)).await.unwrap(),
        Some(numbered(1, "u1"))
    );
    assert_eq!(store.user(&ada.id).await.unwrap(), Some(ada));
}

#[tokio::test]
async fn a_password_hash_that_was_replaced_is_gone_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let (old, new) = ("old-".repeat(20), "new-".repeat(5));
    let hash = |text: &str| PasswordHash::new(text.into());
    for number in 0..30 {
        let user = user(&format!("u{number}"), &format!("u{number}@example.test"));
        store.insert_user(&user, &hash(&old)).await.unwrap();
    }
    for user in store.users(None, 30).await.unwrap() {
        store
            .replace_password(&user.id, &hash(&old), &hash(&new))
            .await
            .unwrap();
    }
    drop(store);
    assert_eq!(count(&file(&directory), b"old-old-"), 0);
    assert_eq!(count(&file(&directory), new.as_bytes()), 30);
}

#[cfg(unix)]
#[test]
fn kl_06_a_database_that_is_made_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let _store = open(&directory);
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let text = "not a database, but long enough to be read as the header of one".repeat(40);
    std::fs::write(file(&directory), &text).unwrap();
    let fault = SqliteStore::open(&file(&directory), FAST).unwrap_err();
    assert!(matches!(fault, OpenFault::Database { .. }), "{fault:?}");
    assert_eq!(std::fs::read_to_string(file(&directory)).unwrap(), text);
    let nowhere = directory.path().join("nowhere").join("hallpass.db");
    let fault = SqliteStore::open(&nowhere, FAST).unwrap_err();
    assert!(matches!(fault, OpenFault::File { .. }), "{fault:?}");
}

/// Overwrites each page in turn: whatever is hit, the answer is a value or an error.
#[tokio::test]
async fn a_corrupt_file_gives_errors_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    for number in 0..100 {
        store.insert_session(&numbered(number, "u1")).await.unwrap();
    }
    drop(store);
    let whole = std::fs::read(file(&directory)).unwrap();
    let mut faults = 0;
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        let start = if page == 0 { 100 } else { page * 4096 };
        damaged[start..(page + 1) * 4096].fill(0xA5);
        std::fs::write(file(&directory), &damaged).unwrap();
        faults += use_everything(&file(&directory)).await;
    }
    assert!(faults > 10, "{faults}");
}

/// Returns how many calls failed.
async fn use_everything(path: &Path) -> usize {
    let Ok(store) = SqliteStore::open(path, FAST) else {
        return 1;
    };
    let user = UserId::parse("u1").unwrap();
    let failed = [
        store.live_sessions(&user, NOW).await.is_err(),
        store.advance(&step(50, 0)).await.is_err(),
        store.end_session(&end(51)).await.is_err(),
        store.revoked_since(Cursor::default(), 10).await.is_err(),
        store.revoke(&Revoked::Key("k".into()), NOW).await.is_err(),
        store.root_key(SealedRoot(vec![0; 60])).await.is_err(),
        store.add_key(key("k"), None).await.is_err(),
        store.insert_ticket(ticket(1)).await.is_err(),
        store.take_ticket(&ticket(1).hash, NOW).await.is_err(),
        store
            .end_sessions(&user, None, EndReason::Revoked, NOW)
            .await
            .is_err(),
        store.insert_session(&numbered(200, "u2")).await.is_err(),
        store.keys().await.is_err(),
        store.users(None, 10).await.is_err(),
        store.purge_sessions(NOW).await.is_err(),
        store.purge_feed(NOW).await.is_err(),
        store.purge_tickets(NOW).await.is_err(),
    ];
    failed.into_iter().filter(|failed| *failed).count()
}

const CHILD_FILE: &str = "HALLPASS_TEST_CHILD_FILE";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that the next test kills"]
async fn child_that_writes_until_it_is_killed() {
    let path = std::env::var_os(CHILD_FILE).expect("the file to write to");
    let store = Arc::new(SqliteStore::open(Path::new(&path), Options::default()).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16_u64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for number in 0.. {
                let number = task * 1_000_000 + number;
                store
                    .insert_session(&numbered(number, "child"))
                    .await
                    .unwrap();
                store.advance(&step(number, 0)).await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "answered {number}").unwrap();
            }
        });
    }
    tasks.join_all().await;
}

/// Kills a process with SIGKILL while it writes, again and again; meanwhile this process goes on
/// writing to the same file.
#[cfg(unix)]
#[tokio::test]
async fn every_answered_write_outlives_a_killed_process() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    for round in 0..5 {
        let answered = run_and_kill(&file(&directory), 200 + 150 * round, &store).await;
        for number in &answered {
            let row = store.session(&id(*number)).await.unwrap();
            assert!(row.is_some_and(|row| row.generation == 1), "{number}");
        }
        let child = UserId::parse("child").unwrap();
        store
            .end_sessions(&child, None, EndReason::Revoked, NOW)
            .await
            .unwrap();
        store
            .purge_sessions(Timestamp::from_seconds(4_000_000_000))
            .await
            .unwrap();
    }
    drop(store);
    let integrity: String = rusqlite::Connection::open(file(&directory))
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
}

async fn run_and_kill(path: &Path, lines: usize, store: &SqliteStore) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_that_writes_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(CHILD_FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answered = Vec::new();
    while answered.len() < lines {
        answered.extend(number(&output.next().unwrap().unwrap()));
        if answered.len() % 20 == 0 {
            let mine = 900_000_000 + u64::try_from(answered.len()).unwrap();
            // Twice the same number is refused; what counts is that it is answered at all.
            drop(store.insert_session(&numbered(mine, "parent")).await);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What was printed before the end was answered as well.
    answered.extend(
        output
            .map_while(Result::ok)
            .filter_map(|line| number(&line)),
    );
    answered
}

/// Reads `answered NUMBER`. Lines as short as this go through a pipe in one piece (`PIPE_BUF`).
fn number(line: &str) -> Option<u64> {
    line.strip_prefix("answered ")?.parse().ok()
}
