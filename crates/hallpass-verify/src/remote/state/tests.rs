use super::*;
use metrics::{KeyName, Metadata, SharedString, Unit};
use std::collections::BTreeMap;
use std::sync::Arc;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[test]
fn a_verifier_is_current_from_the_first_word_until_the_bound_is_over() {
    let state = RevocationState::new(Duration::from_secs(30));
    assert!(!state.is_current(at(0)) && !state.is_current(at(100)));
    state.heard(at(100));
    for (now, is_current) in [(100, true), (130, true), (131, false), (9_999, false)] {
        assert_eq!(state.is_current(at(now)), is_current, "{now}");
    }
    state.heard(at(140));
    assert!(state.is_current(at(141)));
}

#[test]
fn a_clock_that_is_set_back_does_not_make_it_current_for_longer() {
    let state = RevocationState::new(Duration::from_secs(30));
    state.heard(at(4_000));
    assert!(state.is_current(at(3_970)));
    assert!(!state.is_current(at(3_969)));
    assert!(!state.is_current(at(400)));
    state.heard(at(400));
    assert!(state.is_current(at(430)));
    assert!(!state.is_current(at(431)));
}

#[test]
fn without_an_end_of_the_bound_the_first_word_still_counts() {
    let state = RevocationState::new(Duration::MAX);
    assert!(!state.is_current(at(0)));
    state.heard(at(1));
    assert!(state.is_current(at(u64::MAX / 1_000)));
}

#[test]
fn what_was_revoked_before_it_began_to_listen_is_no_lag() {
    let state = RevocationState::new(Duration::from_secs(30));
    state.learned(at(10), at(500));
    assert_eq!(state.status().lag, None);
    state.heard(at(500));
    state.learned(at(500), at(501));
    assert_eq!(state.status().lag, Some(Duration::from_secs(1)));
    state.learned(at(700), at(690));
    assert_eq!(state.status().lag, Some(Duration::ZERO));
}

/// Keeps the last value of each metric, and how often it was set.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<BTreeMap<String, (f64, u32)>>>);

struct Metric(Recorder, String);

impl Metric {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut all = self.0.0.lock().unwrap();
        let kept = all.entry(self.1.clone()).or_default();
        *kept = (change(kept.0), kept.1 + 1);
    }
}

impl metrics::CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.change(|kept| kept + f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, _: u64) {
        unreachable!();
    }
}

impl metrics::GaugeFn for Metric {
    fn increment(&self, _: f64) {
        unreachable!();
    }

    fn decrement(&self, _: f64) {
        unreachable!();
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl metrics::HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.change(|_| value);
    }
}

impl Recorder {
    fn metric(&self, key: &metrics::Key) -> Arc<Metric> {
        Arc::new(Metric(self.clone(), key.name().to_owned()))
    }

    fn of(&self, name: &str) -> Option<(f64, u32)> {
        self.0.lock().unwrap().get(name).copied()
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &metrics::Key, _: &Metadata<'_>) -> metrics::Counter {
        metrics::Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &metrics::Key, _: &Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &metrics::Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(self.metric(key))
    }
}

#[test]
fn the_metrics_tell_lag_count_connection_silence_and_reconnects() {
    let recorder = Recorder::default();
    metrics::with_local_recorder(&recorder, || {
        let state = RevocationState::new(Duration::from_secs(30));
        let revocations = Revocations::default();
        state.show(&revocations, at(99));
        assert_eq!(
            recorder.of("hallpass_verifier_stream_silence_seconds"),
            None
        );
        state.heard(at(100));
        state.feeds(Feed::Stream);
        state.learned(at(99), at(101));
        revocations.end_token("a", at(200));
        state.show(&revocations, at(104));
    });
    for (name, value) in [
        ("hallpass_verifier_revocation_lag_seconds", 2.0),
        ("hallpass_verifier_revocations", 1.0),
        ("hallpass_verifier_stream_connected", 1.0),
        ("hallpass_verifier_stream_silence_seconds", 4.0),
    ] {
        assert_eq!(
            recorder.of(name).map(|(value, _)| value),
            Some(value),
            "{name}"
        );
    }
    metrics::with_local_recorder(&recorder, || {
        let state = RevocationState::new(Duration::from_secs(30));
        state.reconnects();
        state.reconnects();
        state.feeds(Feed::Polling);
    });
    let reconnects = recorder.of("hallpass_verifier_stream_reconnects_total");
    assert_eq!(reconnects, Some((2.0, 2)));
    let connected = recorder.of("hallpass_verifier_stream_connected");
    assert_eq!(connected, Some((0.0, 2)));
}
