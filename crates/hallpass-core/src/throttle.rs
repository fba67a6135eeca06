//! How many failed sign-ins are taken before the next attempt is refused unseen.
//!
//! An attempt counts before it is checked and is forgiven when it succeeds, so parallel guesses
//! gain nothing. Nobody can lock a user out for long: the tight limit is on an account *from one
//! address*; the limit on an account from everywhere is the hundred of NIST SP 800-63B-4 §3.2.2.

use crate::user::EmailKey;
use hallpass_verify::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many counters are kept at most. Beyond it, those with a single failure are dropped.
const COUNTERS_LEN_MAX: usize = 100_000;

/// How many failures are taken within one window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThrottleSettings {
    /// On one account from one address. Default: 10.
    pub account_and_address_failures_max: u32,
    /// On one account from everywhere. Default: 100.
    pub account_failures_max: u32,
    /// From one address (IPv6: one /64) on any account. Default: 100.
    pub address_failures_max: u32,
    /// How long failures count. Default: 15 minutes.
    pub window: Duration,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            account_and_address_failures_max: 10,
            account_failures_max: 100,
            address_failures_max: 100,
            window: Duration::from_mins(15),
        }
    }
}

/// Counts failures, in this process.
#[derive(Debug)]
pub(crate) struct Throttle {
    settings: ThrottleSettings,
    counters: Mutex<HashMap<Key, Counter>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Key {
    AccountAndAddress(EmailKey, Option<IpAddr>),
    Account(EmailKey),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    since: Timestamp,
}

/// An attempt under way. Dropped, it stays counted; [`Attempt::forgive`] takes it back.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt<'a> {
    throttle: &'a Throttle,
    keys: Vec<Key>,
}

impl Throttle {
    pub(crate) fn new(settings: ThrottleSettings) -> Self {
        Self {
            settings,
            counters: Mutex::default(),
        }
    }

    /// Counts an attempt, or tells how long to wait.
    pub(crate) fn attempt(
        &self,
        account: &EmailKey,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Duration> {
        let address = address.map(network);
        let mut keys = vec![
            Key::AccountAndAddress(account.clone(), address),
            Key::Account(account.clone()),
        ];
        keys.extend(address.map(Key::Address));
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = keys
            .iter()
            .filter_map(|key| self.wait(counters.get(key)?, key, now))
            .max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        if counters.len() >= COUNTERS_LEN_MAX {
            counters.retain(|_, counter| {
                counter.failures > 1 && now.since(counter.since) < self.settings.window
            });
        }
        for key in &keys {
            let counter = counters.entry(key.clone()).or_insert(Counter {
                failures: 0,
                since: now,
            });
            if now.since(counter.since) >= self.settings.window {
                *counter = Counter {
                    failures: 0,
                    since: now,
                };
            }
            counter.failures = counter.failures.saturating_add(1);
        }
        Ok(Attempt {
            throttle: self,
            keys,
        })
    }

    fn wait(&self, counter: &Counter, key: &Key, now: Timestamp) -> Option<Duration> {
        let failures_max = match key {
            Key::AccountAndAddress(..) => self.settings.account_and_address_failures_max,
            Key::Account(_) => self.settings.account_failures_max,
            Key::Address(_) => self.settings.address_failures_max,
        };
        let left = self.settings.window.checked_sub(now.since(counter.since))?;
        (counter.failures >= failures_max && !left.is_zero()).then_some(left)
    }
}

impl Attempt<'_> {
    /// Takes the attempt back: it was no failure. Earlier failures stay, so nobody can wash their
    /// guesses on another account clean with a sign-in of their own.
    pub(crate) fn forgive(self) {
        let mut counters = self
            .throttle
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            if let Some(counter) = counters.get_mut(key) {
                counter.failures = counter.failures.saturating_sub(1);
            }
        }
    }
}

/// An IPv6 customer has a whole /64 to change addresses in.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let prefix = v6.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::Email;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn key(email: &str) -> EmailKey {
        Email::parse(email).unwrap().key()
    }

    fn throttle() -> Throttle {
        Throttle::new(ThrottleSettings {
            account_and_address_failures_max: 3,
            account_failures_max: 5,
            address_failures_max: 6,
            window: Duration::from_mins(1),
        })
    }

    fn fail(throttle: &Throttle, email: &str, ip: &str, now: Timestamp) -> Result<(), Duration> {
        throttle
            .attempt(&key(email), Some(ip.parse().unwrap()), now)
            .map(drop)
    }

    #[test]
    fn rl_01_failures_on_an_account_are_limited_from_one_address_and_from_all() {
        let throttle = throttle();
        for _ in 0..3 {
            fail(&throttle, "a@b.cd", "192.0.2.1", NOW).unwrap();
        }
        let wait = fail(
            &throttle,
            "A@B.CD",
            "192.0.2.1",
            NOW.plus(Duration::from_secs(20)),
        );
        assert_eq!(wait, Err(Duration::from_secs(40)));
        fail(&throttle, "a@b.cd", "192.0.2.2", NOW).unwrap();
        fail(&throttle, "a@b.cd", "192.0.2.3", NOW).unwrap();
        assert!(fail(&throttle, "a@b.cd", "192.0.2.4", NOW).is_err());
        fail(
            &throttle,
            "a@b.cd",
            "192.0.2.1",
            NOW.plus(Duration::from_mins(1)),
        )
        .unwrap();
    }

    #[test]
    fn rl_03_one_address_cannot_try_every_account() {
        let throttle = throttle();
        for number in 0..6 {
            let ip = format!("2001:db8::{number}");
            fail(&throttle, &format!("u{number}@b.cd"), &ip, NOW).unwrap();
        }
        assert!(fail(&throttle, "u7@b.cd", "2001:db8::7", NOW).is_err());
        fail(&throttle, "u7@b.cd", "2001:db8:0:1::7", NOW).unwrap();
    }

    #[test]
    fn rl_06_a_success_does_not_launder_failures_on_another_account() {
        let throttle = throttle();
        for _ in 0..3 {
            fail(&throttle, "alice@b.cd", "192.0.2.1", NOW).unwrap();
            let own = throttle.attempt(&key("m@b.cd"), Some("192.0.2.1".parse().unwrap()), NOW);
            own.unwrap().forgive();
        }
        assert!(fail(&throttle, "alice@b.cd", "192.0.2.1", NOW).is_err());
    }

    #[test]
    fn successes_are_not_counted() {
        let throttle = throttle();
        for _ in 0..50 {
            throttle
                .attempt(&key("a@b.cd"), None, NOW)
                .unwrap()
                .forgive();
        }
    }
}
