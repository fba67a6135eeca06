//! Every order in which the steps of concurrent requests can happen.
//!
//! The store is pending once before and once after each call, so a request is a row of steps. A
//! search through all schedules drives the requests one step at a time, and looks at what is left
//! after each. Where three requests meet, reads are not steps of their own: nothing happens in a
//! request between a write and the read after it that anybody could notice.
#![cfg(test)]

mod common;

use common::schedule::{self, drive, next};
use common::wrapped::{Mode, Wrapped, run};
use common::{
    SECOND, World, cheap, device, expect, open, outcome, refresh, refresh_keyed, user_id, verify,
};
use hallpass_core::audit::EventKind;
use hallpass_core::session::{Rotation, Session, decide};
use hallpass_core::store::SessionStore as _;
use hallpass_core::{Error, Hallpass, Issued};
use hallpass_verify::TokenError;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Two processes on one store whose calls a schedule decides about.
struct Site {
    /// What is a step.
    steps: Mode,
    world: World,
    store: Arc<Wrapped>,
    one: Hallpass,
    two: Hallpass,
}

impl Site {
    fn new(steps: Mode) -> Self {
        let world = World::new();
        let store = Arc::new(Wrapped::around(&world.store));
        let start = || run(Hallpass::start(cheap(), world.parts(store.clone()))).unwrap();
        let (one, two) = (start(), start());
        Self {
            steps,
            world,
            store,
            one,
            two,
        }
    }

    fn open(&self) -> Issued {
        run(open(&self.one, "ada"))
    }

    fn refresh(&self, issued: &Issued) -> Issued {
        run(refresh(&self.one, issued.refresh.expose())).unwrap()
    }

    fn row(&self, issued: &Issued) -> Session {
        run(self.world.row(issued.session.id))
    }

    fn alarms(&self) -> usize {
        self.world.audit.count(EventKind::RefreshReused)
    }
}

/// What one request came to.
#[derive(Debug)]
enum Answer {
    Refreshed(Box<Result<Issued, Error>>),
    SignedOut,
}

impl Answer {
    fn issued(&self) -> Option<&Issued> {
        match self {
            Self::Refreshed(refreshed) => refreshed.as_ref().as_ref().ok(),
            Self::SignedOut => None,
        }
    }
}

type Request = schedule::Request<Answer>;

fn refreshing(process: &Hallpass, issued: &Issued) -> Request {
    refreshing_with(process, issued, None)
}

fn refreshing_with(process: &Hallpass, issued: &Issued, key: Option<&'static str>) -> Request {
    let (process, token) = (process.clone(), issued.refresh.expose().to_owned());
    Box::pin(async move {
        let answer = refresh_keyed(&process, &token, key).await;
        if let Ok(issued) = &answer {
            let is_over = process
                .verifier()
                .revocations()
                .has_session(&issued.session.id);
            assert!(!is_over, "handed out after the sign-out");
        }
        Answer::Refreshed(Box::new(answer))
    })
}

fn signing_out(process: &Hallpass, issued: &Issued) -> Request {
    let (process, session) = (process.clone(), issued.session.id);
    Box::pin(async move {
        expect(&process.sign_out(session, &device(1)).await, "ok");
        Answer::SignedOut
    })
}

/// Runs a scenario under every schedule and returns how many there are. `prepare` makes fresh
/// sessions, `requests` what happens at once, `check` looks at what is left.
fn every_schedule<T>(
    site: &Site,
    prepare: impl Fn() -> T,
    requests: impl Fn(&T) -> Vec<Request>,
    check: impl Fn(&T, &[Answer]),
) -> usize {
    let (mut path, mut count) = (Vec::new(), 0);
    loop {
        let prepared = prepare();
        site.store.set(site.steps);
        let answers = drive(requests(&prepared), &mut path, |_| 0);
        site.store.set(Mode::Pass);
        check(&prepared, &answers);
        count += 1;
        if !next(&mut path) {
            println!("{count} schedules");
            return count;
        }
    }
}

/// The tokens that would still renew the session once the grace period is over.
fn live_leaves(site: &Site, tokens: &[&Issued]) -> usize {
    let row = site.row(tokens[0]);
    let grace = site.one.settings().refresh_grace;
    let later = site.world.now().plus(grace + SECOND);
    let renews = |generation| {
        let rotation = decide(generation, &row, None, later, grace);
        matches!(rotation, Rotation::Rotate | Rotation::Heal)
    };
    let live = tokens.iter().filter(|t| renews(t.session.generation));
    live.map(|t| t.refresh.expose())
        .collect::<BTreeSet<_>>()
        .len()
}

/// Everything that was issued, before and during a scenario.
fn issued<'t>(before: &[&'t Issued], answers: &'t [Answer]) -> Vec<&'t Issued> {
    let during = answers.iter().filter_map(Answer::issued);
    before.iter().copied().chain(during).collect()
}

/// Every refresh succeeded, with one successor; the session goes on, with that one alone.
fn is_a_benign_race(site: &Site, before: &Issued, answers: &[Answer]) {
    let all = issued(&[before], answers);
    assert_eq!(all.len(), answers.len() + 1, "{answers:?}");
    let successors: BTreeSet<_> = all[1..].iter().map(|i| i.refresh.expose()).collect();
    assert_eq!(successors.len(), 1);
    assert_eq!(live_leaves(site, &all), 1);
    for issued in &all {
        verify(&site.one, issued).unwrap();
        verify(&site.two, issued).unwrap();
    }
    let next = site.refresh(all[1]);
    assert_eq!(next.session.generation, all[1].session.generation + 1);
}

/// Nothing that was issued works, in the process that ended the session and, once it has looked,
/// in the other one.
fn is_over(site: &Site, all: &[&Issued]) {
    run(site.two.sync()).unwrap();
    assert_eq!(live_leaves(site, all), 0);
    for issued in all {
        for process in [&site.one, &site.two] {
            let refused = run(refresh(process, issued.refresh.expose()));
            expect(&refused, "session_ended");
            let refused = verify(process, issued).unwrap_err();
            assert_eq!(refused, TokenError::SessionEnded);
        }
    }
}

#[test]
fn two_refreshes_of_one_token_give_one_successor_in_every_order() {
    let site = Site::new(Mode::Yield);
    let schedules = every_schedule(
        &site,
        || site.open(),
        |token| vec![refreshing(&site.one, token), refreshing(&site.two, token)],
        |token, answers| is_a_benign_race(&site, token, answers),
    );
    assert_eq!(site.alarms(), 0);
    assert!(schedules >= 70, "{schedules} schedules");
}

#[test]
fn three_refreshes_of_one_token_give_one_successor_in_every_order() {
    let site = Site::new(Mode::YieldAtWrites);
    let schedules = every_schedule(
        &site,
        || site.open(),
        |token| {
            let processes = [&site.one, &site.two, &site.one];
            processes.map(|process| refreshing(process, token)).into()
        },
        |token, answers| is_a_benign_race(&site, token, answers),
    );
    assert_eq!(site.alarms(), 0);
    assert!(schedules >= 1680, "{schedules} schedules");
}

#[test]
fn a_sign_out_wins_against_a_refresh_in_every_order_and_process() {
    let site = Site::new(Mode::Yield);
    for process in [&site.one, &site.two] {
        let schedules = every_schedule(
            &site,
            || site.open(),
            |token| vec![refreshing(process, token), signing_out(&site.one, token)],
            |token, answers| {
                is_over(&site, &issued(&[token], answers));
                let Answer::Refreshed(refreshed) = &answers[0] else {
                    panic!("{answers:?}");
                };
                assert!(["ok", "session_ended"].contains(&outcome(refreshed)));
            },
        );
        assert!(schedules >= 50, "{schedules} schedules");
    }
    assert_eq!(site.alarms(), 0);
}

#[test]
fn a_sign_out_wins_against_two_refreshes_in_every_order() {
    let site = Site::new(Mode::YieldAtWrites);
    let schedules = every_schedule(
        &site,
        || site.open(),
        |token| {
            vec![
                refreshing(&site.one, token),
                refreshing(&site.two, token),
                signing_out(&site.one, token),
            ]
        },
        |token, answers| is_over(&site, &issued(&[token], answers)),
    );
    assert_eq!(site.alarms(), 0);
    assert!(schedules >= 1000, "{schedules} schedules");
}

#[test]
fn reuse_ends_the_session_whatever_a_refresh_does_meanwhile() {
    let site = Site::new(Mode::Yield);
    let schedules = every_schedule(
        &site,
        || {
            let used = site.open();
            let second = site.refresh(&used);
            let current = site.refresh(&second);
            (used, current)
        },
        |(used, current)| vec![refreshing(&site.one, current), refreshing(&site.one, used)],
        |(used, current), answers| {
            let Answer::Refreshed(reused) = &answers[1] else {
                panic!("{answers:?}");
            };
            expect(reused, "refresh_reused");
            is_over(&site, &issued(&[used, current], answers));
        },
    );
    assert_eq!(site.alarms(), schedules);
    assert!(schedules >= 70, "{schedules} schedules");
}

#[test]
fn two_reuses_raise_one_alarm_in_every_order() {
    let site = Site::new(Mode::Yield);
    let schedules = every_schedule(
        &site,
        || {
            let used = site.open();
            let second = site.refresh(&used);
            site.refresh(&second);
            used
        },
        |used| vec![refreshing(&site.one, used), refreshing(&site.two, used)],
        |used, answers| {
            let mut outcomes: Vec<_> = answers
                .iter()
                .map(|answer| match answer {
                    Answer::Refreshed(refreshed) => outcome(refreshed),
                    Answer::SignedOut => "signed out",
                })
                .collect();
            outcomes.sort_unstable();
            assert_eq!(outcomes, ["refresh_reused", "session_ended"]);
            run(site.one.sync()).unwrap();
            is_over(&site, &[used]);
        },
    );
    assert_eq!(site.alarms(), schedules);
    assert!(schedules >= 70, "{schedules} schedules");
}

/// A session two of whose writes the store has lost, and its newest token.
fn behind(site: &Site) -> Issued {
    let first = site.open();
    let early = site.row(&first);
    let second = site.refresh(&first);
    let newest = site.refresh(&second);
    run(site.world.store.insert_session(&early)).unwrap();
    newest
}

#[test]
fn two_refreshes_that_heal_give_one_successor_in_every_order() {
    let site = Site::new(Mode::Yield);
    let healed = || site.world.audit.count(EventKind::RefreshHealed);
    let schedules = every_schedule(
        &site,
        || behind(&site),
        |newest| vec![refreshing(&site.one, newest), refreshing(&site.two, newest)],
        |newest, answers| is_a_benign_race(&site, newest, answers),
    );
    assert_eq!(site.alarms(), 0);
    assert_eq!(healed(), schedules);
    assert!(schedules >= 800, "{schedules} schedules");
}

#[test]
fn a_refresh_that_heals_and_one_with_an_older_token_never_fork_the_chain() {
    let site = Site::new(Mode::Yield);
    for generation_of_older in [0, 1] {
        let schedules = every_schedule(
            &site,
            || {
                let first = site.open();
                let early = site.row(&first);
                let second = site.refresh(&first);
                let newest = site.refresh(&second);
                run(site.world.store.insert_session(&early)).unwrap();
                let older = if generation_of_older == 0 {
                    first
                } else {
                    second
                };
                (older, newest)
            },
            |(older, newest)| vec![refreshing(&site.one, newest), refreshing(&site.two, older)],
            |(older, newest), answers| {
                let all = issued(&[older, newest], answers);
                run(site.one.sync()).unwrap();
                if site.row(older).ended.is_some() {
                    is_over(&site, &all);
                } else {
                    assert_eq!(live_leaves(&site, &all), 1);
                    let leaf = answers[0].issued().unwrap();
                    assert_eq!(site.row(older).generation, leaf.session.generation);
                }
            },
        );
        assert!(schedules >= 100, "{schedules} schedules");
    }
}

#[test]
fn retries_with_one_key_never_end_a_session_however_late_and_in_which_order() {
    const KEY: &str = "one-attempt-to-refresh-0001";
    let site = Site::new(Mode::Yield);
    let schedules = every_schedule(
        &site,
        || {
            let token = site.open();
            run(refreshing_with(&site.one, &token, Some(KEY)));
            site.world.clock.advance(60 * SECOND);
            token
        },
        |token| {
            let processes = [&site.one, &site.two];
            processes
                .map(|process| refreshing_with(process, token, Some(KEY)))
                .into()
        },
        |token, answers| is_a_benign_race(&site, token, answers),
    );
    assert_eq!(site.alarms(), 0);
    assert!(schedules >= 70, "{schedules} schedules");
    assert_eq!(
        run(site.one.sessions(&user_id("ada"))).unwrap().len(),
        schedules
    );
}
