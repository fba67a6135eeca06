//! Measures rotations: `cargo run --release --example rotate_bench -p hallpass-io -- [sessions] [full|normal] [file]`.
//!
//! Each task owns some of the sessions and rotates one of them after the other, at random places
//! of the table, as refreshes do.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a program that measures"
)]

use hallpass_core::session::{Device, Persistence, Session};
use hallpass_core::store::{Advance, Advanced, SessionStore as _};
use hallpass_core::{Delivery, OwnClaims, Random as _, Scopes, SeededRandom};
use hallpass_io::SqliteStore;
use hallpass_io::sqlite::{Durability, Options};
use hallpass_verify::{SessionId, Timestamp, UserId};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const TASKS: [usize; 4] = [1, 16, 64, 256];
const MEASURED: Duration = Duration::from_secs(3);
const DAY: Duration = Duration::from_hours(24);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments
        .next()
        .map_or(10_000, |text| text.parse().unwrap());
    let durability = match arguments.next().as_deref() {
        Some("normal") => Durability::Normal,
        _ => Durability::Full,
    };
    let directory = tempfile::tempdir().unwrap();
    let file = arguments
        .next()
        .map_or_else(|| directory.path().join("bench.db"), PathBuf::from);
    let store = Arc::new(SqliteStore::open(&file, Options { durability }).unwrap());
    let ids = fill(&store, count).await;
    let mut generations = vec![0; count];
    println!("{durability:?}, {count} sessions");
    for tasks in TASKS {
        measure(&store, &ids, &mut generations, tasks).await;
    }
    reads(&store, &ids).await;
    let purging = Arc::clone(&store);
    let purge = tokio::spawn(async move {
        let started = Instant::now();
        let purged = purging.purge_sessions(NOW).await.unwrap();
        (purged, started.elapsed())
    });
    println!("with a purge beside it:");
    measure(&store, &ids, &mut generations, 16).await;
    let (purged, span) = purge.await.unwrap();
    println!("      purge: {purged} sessions of {count} in {span:?}");
}

async fn fill(store: &Arc<SqliteStore>, count: usize) -> Arc<Vec<SessionId>> {
    let random = SeededRandom::new(1);
    let draw = || {
        let mut bytes = [0; SessionId::LEN];
        random.fill(&mut bytes).unwrap();
        SessionId::from_bytes(bytes)
    };
    let ids: Arc<Vec<_>> = Arc::new(std::iter::repeat_with(draw).take(count).collect());
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..256 {
        let (store, ids) = (Arc::clone(store), Arc::clone(&ids));
        tasks.spawn(async move {
            for (number, id) in ids.iter().enumerate().skip(task).step_by(256) {
                store
                    .insert_session(&session(*id, number / 3))
                    .await
                    .unwrap();
            }
        });
    }
    tasks.join_all().await;
    println!(
        "filled at {:.0} sign-ins/s",
        count as f64 / started.elapsed().as_secs_f64()
    );
    ids
}

fn session(id: SessionId, user: usize) -> Session {
    Session {
        id,
        user: UserId::parse(&format!("018f4e7a-7b1c-7000-8000-{user:012}")).unwrap(),
        delivery: Delivery::Cookie,
        persistence: Persistence::Remembered,
        scopes: Scopes::default(),
        claims: OwnClaims::default(),
        methods: vec!["pwd".into()],
        authenticated_at: NOW,
        created_at: NOW,
        rotated_at: NOW,
        generation: 0,
        rotation_key: None,
        idle_ttl: 7 * DAY,
        idle_expires_at: NOW.plus(7 * DAY),
        expires_at: NOW.plus(30 * DAY),
        ended: None,
        device: Device {
            ip: Some("203.0.113.195".parse().unwrap()),
            user_agent: Some(
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/126.0.0.0 Safari/537.36"
                    .into(),
            ),
        },
    }
}

async fn measure(
    store: &Arc<SqliteStore>,
    ids: &Arc<Vec<SessionId>>,
    generations: &mut [u32],
    tasks: usize,
) {
    let commits = store.commits();
    let started = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for task in 0..tasks {
        let (store, ids) = (Arc::clone(store), Arc::clone(ids));
        // By id, which is random: neither the order of the table nor that of the sign-ins.
        let mut mine: Vec<_> = (task..ids.len())
            .step_by(tasks)
            .map(|index| (index, generations[index]))
            .collect();
        mine.sort_unstable_by_key(|(index, _)| ids[*index].as_bytes().map(u8::reverse_bits));
        running.spawn(async move {
            let mut spans = Vec::new();
            'all: loop {
                for (index, generation) in &mut mine {
                    if started.elapsed() >= MEASURED {
                        break 'all;
                    }
                    let asked = Instant::now();
                    rotate(&store, ids[*index], *generation).await;
                    spans.push(asked.elapsed());
                    *generation += 1;
                }
            }
            (mine, spans)
        });
    }
    let mut spans = Vec::new();
    for (mine, theirs) in running.join_all().await {
        for (index, generation) in mine {
            generations[index] = generation;
        }
        spans.extend(theirs);
    }
    let seconds = started.elapsed().as_secs_f64();
    spans.sort_unstable();
    println!(
        "{tasks:>4} tasks: {:>7.0} rotations/s, {:>5.1} per commit, p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}",
        spans.len() as f64 / seconds,
        spans.len() as f64 / (store.commits() - commits) as f64,
        spans[spans.len() / 2],
        spans[spans.len() * 99 / 100],
        spans[spans.len() * 999 / 1000],
        spans[spans.len() - 1],
    );
}

async fn rotate(store: &SqliteStore, session: SessionId, from: u32) {
    let advance = Advance {
        session,
        from,
        to: from + 1,
        now: NOW,
        key: None,
    };
    assert!(matches!(
        store.advance(&advance).await.unwrap(),
        Advanced::Moved(_)
    ));
}

async fn reads(store: &SqliteStore, ids: &[SessionId]) {
    let started = Instant::now();
    let mut count = 0_u32;
    for id in ids.iter().cycle() {
        if started.elapsed() >= MEASURED {
            break;
        }
        assert!(store.session(id).await.unwrap().is_some());
        count += 1;
    }
    println!(
        "   1 task:  {:>7.0} reads/s",
        f64::from(count) / started.elapsed().as_secs_f64()
    );
}
