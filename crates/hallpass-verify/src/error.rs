//! Why a token was refused.

/// Why an access token was refused. It tells no more than a client may know.
///
/// # Security
/// Which check failed is not told (RFC 6750 §3.1): an attacker who tries variations of a token
/// learns nothing from the answers. `Expired` and `SessionEnded` are told only about tokens of
/// which the signature and everything else is right; `Expired` also when the key is gone, which an
/// honest client meets with a token from before a rotation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a compact JWS in shape, encoding, JSON or size.
    #[error("expected a compact signed token")]
    Malformed,
    /// Genuine, but its time is over: the client should refresh.
    #[error("the access token has expired")]
    Expired,
    /// Not a token for us: signature, key, type, issuer, audience or a claim is wrong. Or it was ended
    /// by itself, and its session goes on: the client should refresh.
    #[error("the access token is not valid")]
    Invalid,
    /// Its key is not among ours. The client is told [`Invalid`](Self::Invalid); a verifier far from
    /// the issuer asks for the keys anew.
    #[error("the access token is signed with a key that is not known")]
    UnknownKey,
    /// There is no key yet to verify with: nothing can be said about any token.
    #[error("no key is known yet to verify with")]
    NoKeys,
    /// Genuine, but its session has ended, or it has none and was ended: the client should sign in
    /// again.
    #[error("the session of this access token has ended")]
    SessionEnded,
}
