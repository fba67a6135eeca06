//! The data directory and the master secret.

use super::plan::Plan;
use super::schema::Config;
use hallpass_core::Random;
use hallpass_core::key::MasterSecret;
use std::error::Error;
use std::path::Path;

/// Makes the data directory if there is none, and returns the master secret: the configured one,
/// else the one in the data directory, which is made at the first start.
///
/// # Errors
/// When the directory cannot be made, or the secret is weak or open to others.
pub(crate) fn master_secret(
    config: &Config,
    plan: &Plan,
    random: &dyn Random,
) -> Result<MasterSecret, Box<dyn Error + Send + Sync>> {
    make_directory(&config.data).map_err(|fault| {
        format!(
            "the directory `{}` cannot be made: {fault}",
            config.data.display()
        )
    })?;
    match &config.secret {
        Some(secret) => Ok(secret.read()?),
        None => Ok(hallpass_io::load_or_create(&plan.secret_file, random)?),
    }
}

fn make_directory(path: &Path) -> std::io::Result<()> {
    let mut directory = std::fs::DirBuilder::new();
    directory.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    directory.create(path)
}
