//! How many connections there are, and whose.

use super::LiveSettings;
use crate::UserId;
use crate::problem::Code;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the connections that are open.
#[derive(Debug, Default)]
pub(super) struct Seats(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_users: HashMap<UserId, usize>,
}

/// A connection that counts, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    user: UserId,
}

impl Seats {
    /// Counts one more connection of a user.
    ///
    /// # Errors
    /// `rate_limited` when this user has as many as one may have, `overloaded` when there are as
    /// many as there may be.
    pub(super) fn take(
        self: &Arc<Self>,
        user: &UserId,
        limits: &LiveSettings,
    ) -> Result<Seat, Code> {
        let mut taken = self.lock();
        if taken.all >= limits.connections_max {
            return Err(Code::Overloaded);
        }
        let own = taken.of_users.get(user).copied().unwrap_or_default();
        if own >= limits.connections_of_user_max {
            return Err(Code::RateLimited);
        }
        taken.all += 1;
        taken.of_users.insert(user.clone(), own + 1);
        Ok(Seat {
            seats: Arc::clone(self),
            user: user.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(own) = taken.of_users.get_mut(&self.user) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.of_users.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_when_its_connection_is_dropped() {
        let seats = Arc::new(Seats::default());
        let limits = LiveSettings {
            connections_max: 3,
            connections_of_user_max: 2,
            ..LiveSettings::default()
        };
        let [ann, ben, cem] = ["ann", "ben", "cem"].map(|name| UserId::parse(name).unwrap());
        let take = |user| seats.take(user, &limits);
        let (first, _second) = (take(&ann).unwrap(), take(&ann).unwrap());
        assert_eq!(take(&ann).unwrap_err(), Code::RateLimited);
        let third = take(&ben).unwrap();
        assert_eq!(take(&cem).unwrap_err(), Code::Overloaded);
        drop(first);
        drop(third);
        assert!(seats.lock().of_users.len() == 1);
        assert!(take(&cem).is_ok());
        assert!(take(&ann).is_ok());
    }
}
