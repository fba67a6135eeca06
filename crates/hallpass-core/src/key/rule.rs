//! When a key is announced, signs, only verifies, and goes: a pure rule on rows and a moment.
//!
//! Nothing of it is stored but when a key begins to sign, so no process has to switch anything at
//! the right time, and all of them switch alike.

use super::SealedKey;
use hallpass_verify::{Algorithm, Timestamp};
use std::time::Duration;

/// The most keys that may be published at once: verifiers read no larger set.
const PUBLISHED_KEYS_MAX: u32 = 64;

/// How keys come and go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeySettings {
    /// How long a key signs until the next one does. Default: 90 days. Zero: for good.
    pub rotate_every: Duration,
    /// How long a key is published before it signs. Default: 1 hour. At least twice
    /// `jwks_max_age`, so that every verifier has it by then.
    pub announce: Duration,
    /// How long others may keep the published keys. Default: 5 minutes.
    pub jwks_max_age: Duration,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            rotate_every: Duration::from_hours(90 * 24),
            announce: Duration::from_hours(1),
            jwks_max_age: Duration::from_mins(5),
        }
    }
}

impl KeySettings {
    /// Returns what is wrong, as setting and reason. `kept_for` is how long a key verifies after it
    /// signed for the last time.
    pub(crate) fn faults(&self, kept_for: Duration) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if self.jwks_max_age < Duration::from_secs(1) {
            faults.push((
                "keys.jwks_max_age",
                "expected at least one second: every verifier would ask for each token",
            ));
        }
        if self.announce < self.jwks_max_age.saturating_mul(2) {
            faults.push((
                "keys.announce",
                "expected at least twice keys.jwks_max_age: a key signs only when no verifier can be without it",
            ));
        }
        let alive = self.announce.saturating_add(kept_for);
        if !self.rotate_every.is_zero()
            && self.rotate_every.saturating_mul(PUBLISHED_KEYS_MAX) < alive
        {
            faults.push((
                "keys.rotate_every",
                "expected a longer time, or a shorter keys.announce or tokens.access_ttl: more than 64 keys would be published at once",
            ));
        }
        faults
    }
}

/// Where a key stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState {
    /// Published, not signing yet.
    Next,
    /// Signs.
    Active,
    /// Verifies until the last token it signed has expired.
    Retired,
    /// Nothing that it signed can be unexpired.
    Expired,
    /// Verifies nothing, whatever it signed.
    Revoked,
}

impl KeyState {
    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Tells whether its public half is published.
    pub(crate) const fn is_published(self) -> bool {
        matches!(self, Self::Next | Self::Active | Self::Retired)
    }
}

/// A signing key as an operator may see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyInfo {
    /// Its name: the header `kid`.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Where it stands.
    pub state: KeyState,
    /// When it was announced.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Until when it verifies, once another one signs.
    pub verifies_until: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Returns where each key stands at `now`, in the order in which they sign.
///
/// The key that signs is the one that began last. A clock that was set back finds none that has
/// begun: then the first one signs.
pub(crate) fn stand(rows: &[SealedKey], now: Timestamp, kept_for: Duration) -> Vec<KeyInfo> {
    let mut keys: Vec<&SealedKey> = rows.iter().collect();
    // A stable sort: keys that begin at once stand in the order in which they were added.
    keys.sort_by_key(|key| key.signs_from);
    let live: Vec<&SealedKey> = keys
        .iter()
        .copied()
        .filter(|key| key.revoked_at.is_none())
        .collect();
    let begun = live.iter().rposition(|key| key.signs_from <= now);
    let active = begun.or((!live.is_empty()).then_some(0));
    let state = |key: &SealedKey| {
        let at = live.iter().position(|other| other.kid == key.kid);
        let (Some(at), Some(active)) = (at, active) else {
            return (KeyState::Revoked, None);
        };
        let until = live.get(at + 1).map(|next| next.signs_from.plus(kept_for));
        let state = match (at.cmp(&active), until) {
            (std::cmp::Ordering::Greater, _) => KeyState::Next,
            (std::cmp::Ordering::Equal, _) => KeyState::Active,
            (std::cmp::Ordering::Less, Some(until)) if until < now => KeyState::Expired,
            (std::cmp::Ordering::Less, _) => KeyState::Retired,
        };
        (state, until)
    };
    let info = |key: &SealedKey| {
        let (state, verifies_until) = state(key);
        KeyInfo {
            kid: key.kid.clone(),
            algorithm: key.algorithm,
            state,
            created_at: key.created_at,
            signs_from: key.signs_from,
            verifies_until,
            revoked_at: key.revoked_at,
        }
    };
    keys.into_iter().map(info).collect()
}

/// Whether a process has just started. Then another algorithm may be wanted; later on, two
/// processes with different settings would announce one key after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Occasion {
    Start,
    Later,
}

/// Returns from when on a key that is due now would sign, or `None` if none is due.
pub(crate) fn due(
    keys: &[KeyInfo],
    algorithm: Algorithm,
    settings: &KeySettings,
    occasion: Occasion,
    now: Timestamp,
) -> Option<Timestamp> {
    let Some(newest) = keys.iter().rfind(|key| key.state != KeyState::Revoked) else {
        return Some(now);
    };
    let announced = now.plus(settings.announce);
    if occasion == Occasion::Start && newest.algorithm != algorithm {
        return Some(announced);
    }
    let rotates = !settings.rotate_every.is_zero();
    let signs_until = newest.signs_from.plus(settings.rotate_every);
    (rotates && announced >= signs_until).then_some(announced)
}

#[cfg(test)]
mod tests;
