//! Many refreshes with one token at once, on SQLite, on several threads.
#![cfg(test)]

mod common;

use axum::Router;
use common::{me, open, refresh, sign_up};
use hallpass::SessionId;
use tokio::task::JoinSet;

const ROUNDS: u32 = 1_000;
const PARALLEL: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_refreshes_at_once_a_thousand_times_sign_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let auth = open(folder.path()).await;
    let app = auth.protect(Router::new());
    let opened = sign_up(&app).await;
    let session = SessionId::parse(opened["session"]["id"].as_str().unwrap()).unwrap();
    let mut token = opened["refresh_token"].clone();
    for round in 1..=ROUNDS {
        let mut requests = JoinSet::new();
        for _ in 0..PARALLEL {
            let (app, token) = (app.clone(), token.clone());
            requests.spawn(async move { refresh(&app, &token).await });
        }
        let mut successors = Vec::new();
        while let Some(done) = requests.join_next().await {
            let (status, body) = done.unwrap();
            assert_eq!(status, 200, "round {round}: {body}");
            successors.push(body);
        }
        let next = successors[0]["refresh_token"].clone();
        assert!(
            successors.iter().all(|one| one["refresh_token"] == next),
            "round {round}: the chain forked"
        );
        assert_ne!(next, token, "round {round}");
        let row = auth.store().session(&session).await.unwrap().unwrap();
        assert_eq!((row.generation, row.ended), (round, None));
        // Whoever lost the race holds a good access token as well.
        let (status, _) = me(&app, &successors[PARALLEL - 1]["access_token"]).await;
        assert_eq!(status, 200, "round {round}");
        token = next;
    }
}
