//! How long is waited, and what is logged, after what.
use super::*;

fn broken(lasted_millis: u64) -> Ended {
    Ended {
        why: End::Broken(Fault::Closed),
        lasted: Duration::from_millis(lasted_millis),
    }
}

fn credentials() -> Ended {
    Ended::at_once(End::Credentials)
}

struct Trying {
    tries: Tries,
    state: RevocationState,
}

impl Trying {
    fn new() -> Self {
        Self {
            tries: Tries::default(),
            state: RevocationState::new(BOUND),
        }
    }

    fn after(&mut self, ended: &Ended) -> Duration {
        self.tries.after(ended, &Pace::default(), &self.state)
    }
}

fn check(wait: Duration, longest_millis: u64) {
    let longest = Duration::from_millis(longest_millis);
    assert!(
        (longest / 2..=longest).contains(&wait),
        "{wait:?} {longest:?}"
    );
}

#[test]
fn the_wait_grows_until_a_connection_has_lasted() {
    let mut trying = Trying::new();
    for longest in [250, 500, 1_000, 2_000] {
        check(trying.after(&broken(0)), longest);
    }
    // Complete for a moment is not enough: an issuer that breaks each stream at once is not run
    // over.
    check(trying.after(&broken(9_999)), 4_000);
    check(trying.after(&broken(10_000)), 250);
    check(trying.after(&broken(0)), 500);
    assert_eq!(trying.state.status().reconnects, 7);
}

#[test]
fn refused_credentials_are_tried_again_slowly() {
    let mut trying = Trying::new();
    check(trying.after(&credentials()), 60_000);
    check(trying.after(&credentials()), 60_000);
}

#[test]
fn a_stream_whose_time_is_over_is_followed_by_the_next_at_once() {
    let mut trying = Trying::new();
    let ended = Ended {
        why: End::InTime,
        lasted: Duration::from_hours(1),
    };
    assert_eq!(trying.after(&ended), Duration::ZERO);
    assert_eq!(trying.state.status().reconnects, 0);
}

#[test]
fn each_trouble_is_told_once_until_it_is_over_or_another_one() {
    let mut tries = Tries::default();
    let mut tells = |trouble| tries.is_new(trouble);
    assert!(tells(Trouble::Broken));
    assert!(!tells(Trouble::Broken));
    assert!(tells(Trouble::Credentials));
    assert!(!tells(Trouble::Credentials));
    assert!(tells(Trouble::Broken));
    let mut trying = Trying::new();
    trying.after(&broken(0));
    assert!(!trying.tries.is_new(Trouble::Broken));
    let complete = Ended {
        why: End::InTime,
        lasted: Duration::from_millis(1),
    };
    trying.after(&complete);
    assert!(trying.tries.is_new(Trouble::Broken));
}

#[tokio::test]
async fn only_an_issuer_that_is_overloaded_twice_is_asked_for_pages_instead() {
    let refused = |status| Ended::at_once(End::Broken(Fault::Status(status)));
    for (status, polls) in [(429, true), (503, true), (500, false), (502, false)] {
        let mut trying = Trying::new();
        trying.after(&refused(status));
        assert!(trying.tries.polls_until.is_none());
        trying.after(&refused(status));
        assert_eq!(trying.tries.polls_until.is_some(), polls, "{status}");
    }
}
