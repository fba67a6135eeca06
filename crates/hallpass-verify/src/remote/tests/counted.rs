//! What is counted for whoever watches.

use super::Stage;
use super::issuer::{Issuer, JWKS, answer};
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder};
use metrics::{SharedString, Unit};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Each counter and gauge with its labels, and what it shows.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<BTreeMap<String, f64>>>);

struct Cell(Board, String);

impl Board {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
        Arc::new(Cell(
            self.clone(),
            format!("{} {}", key.name(), labels.join(" ")),
        ))
    }

    fn shows(&self, name: &str) -> f64 {
        self.0.lock().unwrap().get(name).copied().unwrap_or(-1.0)
    }
}

impl Cell {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.0.0.lock().unwrap().entry(self.1.clone()).or_default());
    }
}

impl CounterFn for Cell {
    fn increment(&self, by: u64) {
        self.change(|shown| *shown += f64::from(u32::try_from(by).unwrap()));
    }

    fn absolute(&self, value: u64) {
        self.change(|shown| *shown = f64::from(u32::try_from(value).unwrap()));
    }
}

impl GaugeFn for Cell {
    fn increment(&self, by: f64) {
        self.change(|shown| *shown += by);
    }

    fn decrement(&self, by: f64) {
        self.change(|shown| *shown -= by);
    }

    fn set(&self, value: f64) {
        self.change(|shown| *shown = value);
    }
}

impl Recorder for Board {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

// All tasks of this runtime run on this thread, where the board hangs.
#[tokio::test(flavor = "current_thread")]
async fn fetches_are_counted_by_their_outcome_and_the_age_of_the_keys_is_shown() {
    const FETCHES: &str = "hallpass_verifier_key_fetches_total";
    const AGE: &str = "hallpass_verifier_keys_age_seconds ";
    let board = Board::default();
    let _hung = metrics::set_default_local_recorder(&board);
    let count = |outcome: &str| board.shows(&format!("{FETCHES} {outcome}"));

    let stage = Stage::cold(Issuer::with_keys(&["k1"]).await, |builder| builder);
    stage.until(|status| status.keys.fetches == 1).await;
    assert_eq!(count("changed").to_bits(), 1.0_f64.to_bits());
    stage.fetch_after(Duration::from_mins(5)).await;
    assert_eq!(count("unchanged").to_bits(), 1.0_f64.to_bits());
    stage
        .issuer
        .instead(JWKS, answer("500 Internal Server Error", "", b""));
    stage.fetch_after(Duration::from_mins(5)).await;
    assert_eq!(count("status").to_bits(), 1.0_f64.to_bits());
    assert_eq!(count("changed").to_bits(), 1.0_f64.to_bits());
    stage.until(|_| board.shows(AGE) >= 300.0).await;
}
