use hallpass_core::{NoRandomness, RefusedSettings, StartError};
use hallpass_io::{DatabaseUrlFault, SecretFileFault, sqlite};

/// Tells why Hallpass did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database URL is not one.
    #[error(transparent)]
    DatabaseUrl(#[from] DatabaseUrlFault),
    /// The database did not open.
    #[error(transparent)]
    Database(#[from] sqlite::OpenFault),
    /// The file of the master secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretFileFault),
    /// A setting is refused.
    #[error(transparent)]
    Settings(#[from] RefusedSettings),
    /// The rules did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The machine gave no randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The address cannot be listened on, or signals not be waited for.
    #[error("expected an address to listen on")]
    Listen(#[from] std::io::Error),
}
