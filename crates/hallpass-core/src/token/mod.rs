//! The one module that draws token bytes.

mod access;
mod refresh;

pub use access::TOKEN_VERSION;
pub(crate) use access::{AboutUser, AccessClaims, Audiences};
pub(crate) use refresh::RefreshKeys;
pub use refresh::{PresentedRefresh, REFRESH_TOKEN_LEN, RefreshToken};

use crate::key::{KeyError, Purpose, RootKey};
use crate::random::{self, NoRandomness, Random};
use crate::session::RotationKeyHash;
use crate::store::TicketHash;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::{CsrfSecret, SessionId, UserId, secret_text};

/// Draws a session id: 128 bits that nobody can guess and that tell nothing.
pub(crate) fn session_id(random: &dyn Random) -> Result<SessionId, NoRandomness> {
    Ok(SessionId::from_bytes(random::bytes(random)?))
}

/// Draws an id for a new user: 128 bits, as 22 characters of base64url.
pub(crate) fn user_id(random: &dyn Random) -> Result<UserId, NoRandomness> {
    let text = SessionId::from_bytes(random::bytes(random)?).to_string();
    #[expect(clippy::unreachable, reason = "base64url is always a user id")]
    Ok(UserId::parse(&text).unwrap_or_else(|_| unreachable!()))
}

/// Draws a token id: the claim `jti`.
pub(crate) fn token_id(random: &dyn Random) -> Result<String, NoRandomness> {
    Ok(URL_SAFE_NO_PAD.encode(random::bytes::<16>(random)?))
}

secret_text! {
    /// A one-time ticket as it travels: opens one connection of a session.
    TicketText
}

/// Draws a ticket of 256 bits.
pub(crate) fn ticket(random: &dyn Random) -> Result<TicketText, NoRandomness> {
    let bytes = random::bytes::<32>(random)?;
    Ok(TicketText::new(format!(
        "hpt_{}",
        URL_SAFE_NO_PAD.encode(bytes)
    )))
}

/// Returns what is kept of a ticket: 256 random bits need no slow hash.
pub(crate) fn ticket_hash(text: &str) -> TicketHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    TicketHash(hash)
}

/// The keys behind CSRF secrets and idempotency keys.
#[derive(Debug)]
pub(crate) struct DerivedKeys {
    csrf: hmac::Key,
    csrf_of_token: hmac::Key,
    rotation: hmac::Key,
}

impl DerivedKeys {
    pub(crate) fn new(root: &RootKey) -> Result<Self, KeyError> {
        Ok(Self {
            csrf: root.mac_key(Purpose::Csrf)?,
            csrf_of_token: root.mac_key(Purpose::CsrfOfToken)?,
            rotation: root.mac_key(Purpose::RotationKey)?,
        })
    }

    /// Returns the CSRF secret of a session: the same each time, so tabs cannot fall out of step.
    pub(crate) fn csrf_secret(&self, session: SessionId) -> CsrfSecret {
        csrf_secret(&hmac::sign(&self.csrf, session.as_bytes()))
    }

    /// Returns the CSRF secret of a token that belongs to no session.
    pub(crate) fn csrf_secret_of_token(&self, token_id: &str) -> CsrfSecret {
        csrf_secret(&hmac::sign(&self.csrf_of_token, token_id.as_bytes()))
    }

    /// Returns what is stored of an idempotency key.
    pub(crate) fn rotation_key(&self, session: SessionId, key: &str) -> RotationKeyHash {
        let mut input = hmac::Context::with_key(&self.rotation);
        input.update(session.as_bytes());
        input.update(key.as_bytes());
        let tag = input.sign();
        let mut hash = [0; 16];
        hash.iter_mut()
            .zip(tag.as_ref())
            .for_each(|(byte, tag)| *byte = *tag);
        RotationKeyHash(hash)
    }
}

fn csrf_secret(tag: &hmac::Tag) -> CsrfSecret {
    let mut secret = [0; 32];
    secret
        .iter_mut()
        .zip(tag.as_ref())
        .for_each(|(byte, tag)| *byte = *tag);
    CsrfSecret::from_bytes(secret)
}
