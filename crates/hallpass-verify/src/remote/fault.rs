//! Why a remote verifier was not set up.

use crate::cookies::CookieFault;
use crate::{OriginFault, SettingsFault};

/// What is wrong with the set-up of a remote verifier. An issuer that is down is no such fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteFault {
    /// The issuer is no URL that can be one (RFC 8414 §2).
    #[error("expected an issuer like `https://auth.example.com`, without query and fragment")]
    Issuer,
    /// The issuer would be asked without encryption.
    #[error("expected an https issuer: plain http is for loopback, or needs `danger_allow_http`")]
    Insecure,
    /// The name or the secret of this service cannot be one.
    #[error("expected a service name and a secret of visible ASCII, at most 512 bytes each")]
    Service,
    /// What to trust is no certificate.
    #[error("expected one or more certificates as PEM")]
    Certificate,
    /// There is no way to make connections.
    #[error("no connection can be made from here")]
    Client(#[source] reqwest::Error),
    /// A public URL or a trusted origin is none.
    #[error("expected the exact origin of this service, or of one that it trusts")]
    Origin(#[from] OriginFault),
    /// The access cookie is none that browsers keep.
    #[error("the access cookie is refused")]
    Cookie(#[from] CookieFault),
    /// A setting of the verifier is out of its range.
    #[error(transparent)]
    Settings(#[from] SettingsFault),
    /// What was revoked is to be known, and there is no way to learn it.
    #[error("expected service credentials: without them a route cannot ask, and is always stale")]
    NoService,
    /// There is no runtime for what goes on in the background.
    #[error("expected to be started inside of a tokio runtime")]
    NoRuntime,
}
