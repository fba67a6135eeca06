//! When to fetch keys: the rule, without network and clock.

use crate::Timestamp;
use std::time::Duration;

/// The shortest time for which a set of keys is fresh, whatever the issuer says.
const FRESH_MIN: Duration = Duration::from_secs(1);

/// The longest time for which a set of keys is fresh, whatever the issuer says.
const FRESH_MAX: Duration = Duration::from_hours(1);

/// For how long a set of keys is fresh when the issuer does not say.
const FRESH_UNSAID: Duration = Duration::from_mins(5);

/// The wait after the first failure; it doubles with each.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// The longest wait after failures.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Why keys are fetched.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Reason {
    /// None were fetched yet.
    Start,
    /// Those there are were fetched long enough ago.
    Stale,
    /// A token named a key that is not known.
    UnknownKid,
    /// The issuer told that it withdrew a key.
    Withdrawn,
}

/// What becomes of a wish for keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// A fetch is to begin: whoever wished it has to wake the one who fetches.
    Begins,
    /// One is under way.
    Joins,
    /// None may be made now.
    No,
}

/// How a fetch ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// With a set, which is fresh for as long as the issuer says.
    Good(Option<Duration>),
    /// Without: the last good set stays in force.
    Failed,
}

/// A number between 0 and 1, so that a crowd does not fetch at one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Jitter(pub(super) f64);

/// Settings of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pace {
    /// How long after a fetch for an unknown key no other is made for one.
    pub(super) cooldown: Duration,
    /// How long a set of keys is used when the issuer does not answer.
    pub(super) stale_max: Duration,
    /// How long whoever fetches sleeps at most: then it looks whether the clock was set, or the
    /// machine slept.
    pub(super) tick: Duration,
}

/// What was fetched, and when to fetch.
///
/// At most one fetch is under way. One for an unknown key is made at most once per cool-down,
/// whatever tokens come, and whether it succeeds or fails: a stranger who makes up keys cannot
/// use this service to flood the issuer.
#[derive(Debug)]
pub(super) struct Plan {
    pace: Pace,
    /// The fetch that is to begin, or has begun.
    under_way: Option<Reason>,
    /// A key was withdrawn, and no fetch that began since has ended well.
    withdrawn: bool,
    /// When a fetch for an unknown key last began.
    unknown_at: Option<Timestamp>,
    /// When the set in force was last known to be the issuer's, and for how long it is fresh.
    good: Option<(Timestamp, Duration)>,
    /// When the last fetch failed, and how long to wait after.
    failed: Option<(Timestamp, Duration)>,
    failures_in_a_row: u32,
    begun: bool,
}

impl Plan {
    /// Starts with a set that was fetched at `good`, by another process, or with none.
    pub(super) const fn new(pace: Pace, good: Option<Timestamp>) -> Self {
        Self {
            pace,
            under_way: None,
            withdrawn: false,
            unknown_at: None,
            good: match good {
                Some(at) => Some((at, Duration::ZERO)),
                None => None,
            },
            failed: None,
            failures_in_a_row: 0,
            begun: false,
        }
    }

    /// Wishes for keys because a token names one that is not known, or none is known.
    pub(super) fn wish(&mut self, now: Timestamp) -> Answer {
        self.not_before_its_past(now);
        if self.under_way.is_some() {
            return Answer::Joins;
        }
        let (reason, may) = match self.good {
            None => (Reason::Start, self.has_waited(now)),
            Some(_) => (Reason::UnknownKid, self.is_cool(now)),
        };
        if !may {
            return Answer::No;
        }
        if reason == Reason::UnknownKid {
            self.unknown_at = Some(now);
        }
        self.under_way = Some(reason);
        Answer::Begins
    }

    /// Takes down that the issuer withdrew a key: the set has changed. Strangers cannot bring that
    /// about, so there is no cool-down.
    pub(super) const fn withdrawn(&mut self) {
        self.withdrawn = true;
    }

    /// Returns why to fetch now; the fetch has then begun.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<Reason> {
        self.not_before_its_past(now);
        if self.under_way.is_none() {
            self.under_way = self.due(now);
        }
        let reason = self.under_way?;
        self.begun = true;
        // Whatever it was for, it brings the set as it is after the withdrawal.
        let instead = std::mem::take(&mut self.withdrawn).then_some(Reason::Withdrawn);
        self.under_way = instead.or(Some(reason));
        self.under_way
    }

    /// Takes down how the fetch ended.
    pub(super) fn end(&mut self, outcome: Outcome, now: Timestamp, jitter: Jitter) {
        let reason = self.under_way.take();
        let share = jitter.0.clamp(0.0, 1.0);
        match outcome {
            Outcome::Good(fresh) => {
                let fresh = fresh.unwrap_or(FRESH_UNSAID).clamp(FRESH_MIN, FRESH_MAX);
                self.good = Some((now, fresh.mul_f64(1.0 - 0.1 * share)));
                self.failed = None;
                self.failures_in_a_row = 0;
            }
            Outcome::Failed => {
                let doublings = 2_u32.saturating_pow(self.failures_in_a_row);
                let wait = RETRY_MIN.saturating_mul(doublings).min(RETRY_MAX);
                self.failed = Some((now, wait.mul_f64(1.0 - 0.5 * share)));
                self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
                self.withdrawn |= reason == Some(Reason::Withdrawn);
            }
        }
    }

    /// Tells whether the set in force has not been confirmed for so long that it counts no more,
    /// and forgets it.
    pub(super) fn drop_what_is_over(&mut self, now: Timestamp) -> Dropped {
        self.not_before_its_past(now);
        let over = self
            .good
            .is_some_and(|(at, _)| now.since(at) > self.pace.stale_max);
        if over {
            self.good = None;
            Dropped::Yes
        } else {
            Dropped::No
        }
    }

    /// Returns when the set in force was last known to be the issuer's.
    pub(super) fn good_at(&self) -> Option<Timestamp> {
        self.good.map(|(at, _)| at)
    }

    /// Returns how long nothing has to be done, unless somebody wishes for keys.
    pub(super) fn quiet(&self, now: Timestamp) -> Duration {
        let left = |(at, span): (Timestamp, Duration)| span.saturating_sub(now.since(at));
        let good = self.good.filter(|_| self.begun);
        let fresh = match good {
            // An issuer that tells of the same key again and again is not asked without a pause.
            Some((at, _)) if self.withdrawn => left((at, FRESH_MIN)),
            Some(good) => left(good),
            None => Duration::ZERO,
        };
        fresh.max(self.failed.map_or(Duration::ZERO, left))
    }

    fn due(&self, now: Timestamp) -> Option<Reason> {
        if self.quiet(now) > Duration::ZERO {
            return None;
        }
        Some(match self.good {
            _ if !self.begun => Reason::Start,
            _ if self.withdrawn => Reason::Withdrawn,
            None => Reason::Start,
            Some(_) => Reason::Stale,
        })
    }

    fn has_waited(&self, now: Timestamp) -> bool {
        self.failed.is_none_or(|(at, wait)| now.since(at) >= wait)
    }

    fn is_cool(&self, now: Timestamp) -> bool {
        self.unknown_at
            .is_none_or(|at| now.since(at) >= self.pace.cooldown)
    }

    /// After the clock was set back, what lies in the future would keep everything waiting until
    /// the clock has caught up. So it counts as having happened now.
    fn not_before_its_past(&mut self, now: Timestamp) {
        let past = [
            self.unknown_at.as_mut(),
            self.good.as_mut().map(|(at, _)| at),
            self.failed.as_mut().map(|(at, _)| at),
        ];
        for at in past.into_iter().flatten() {
            *at = (*at).min(now);
        }
    }
}

/// Whether the set in force counts no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dropped {
    /// It was too old.
    Yes,
    /// It is in force, or there is none.
    No,
}

#[cfg(test)]
mod tests;
