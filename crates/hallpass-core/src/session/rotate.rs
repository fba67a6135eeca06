//! What becomes of a refresh token: the seven cases, as one pure rule.

use super::{RotationKeyHash, Session};
use crate::settings::LEEWAY_MAX;
use hallpass_verify::Timestamp;
use std::time::Duration;

/// What to do with a refresh token whose MAC is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// It is the current one: advance to the next generation.
    Rotate,
    /// It is the one before, and the successor may be handed out again. Nothing is written.
    Replay,
    /// The store has lost writes: advance beyond what the client holds.
    Heal,
    /// The session is over, and not by this token's fault.
    Ended,
    /// It has been used before: one of two holders is a thief.
    Reuse,
}

/// Decides what becomes of a refresh token of generation `presented`.
///
/// `session` is the row as the store has it, `key` the idempotency key of this request, hashed.
#[must_use]
pub fn decide(
    presented: u32,
    session: &Session,
    key: Option<RotationKeyHash>,
    now: Timestamp,
    grace: Duration,
) -> Rotation {
    if !session.is_live(now) {
        // A token that ended is not a stolen one: no alarm.
        return Rotation::Ended;
    }
    if presented == session.generation {
        return Rotation::Rotate;
    }
    if presented > session.generation {
        // The MAC proves that we issued it, so the store is behind: a failover lost its last writes.
        return Rotation::Heal;
    }
    let is_the_one_before = presented.checked_add(1) == Some(session.generation);
    let retries_the_rotation = key.is_some() && key == session.rotation_key;
    // Clocks may be a little apart, so the rotation may seem to come. A clock that was set back by
    // more than that does not give used tokens a second life.
    let within_grace =
        now.since(session.rotated_at) < grace && session.rotated_at.since(now) <= LEEWAY_MAX;
    if is_the_one_before && (within_grace || retries_the_rotation) {
        return Rotation::Replay;
    }
    // RFC 9700 §4.14.2: a replayed token means one of two holders is a thief, so both lose.
    Rotation::Reuse
}

#[cfg(test)]
mod tests;
