//! The data directory and the master secret.

use super::plan::Plan;
use super::schema::Config;
use hallpass_core::Random;
use hallpass_core::key::{IMPORT_LEN_MAX, MasterSecret};
use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The master secret, and those before it.
pub(crate) struct MasterSecrets {
    /// Seals and opens.
    pub(crate) current: MasterSecret,
    /// Only open.
    pub(crate) former: Vec<MasterSecret>,
}

/// Makes the data directory if there is none, and returns the master secret: the configured one,
/// else the one in the data directory, which is made at the first start. The former ones are the
/// configured ones and the one in `secret.former`, if that is there.
///
/// # Errors
/// When the directory cannot be made, or a secret is weak or open to others.
pub(crate) fn master_secrets(
    config: &Config,
    plan: &Plan,
    random: &dyn Random,
) -> Result<MasterSecrets, Box<dyn Error + Send + Sync>> {
    make_directory(&config.data).map_err(|fault| {
        format!(
            "the directory `{}` cannot be made: {fault}",
            config.data.display()
        )
    })?;
    let current = match &config.secret {
        Some(secret) => secret.read()?,
        None => hallpass_io::load_or_create(&plan.secret_file, random)?,
    };
    let mut former = Vec::new();
    for secret in &config.former_secrets {
        former.push(secret.read()?);
    }
    let file = hallpass_io::former_secret_path(&plan.secret_file);
    former.extend(hallpass_io::load_if_there(&file)?);
    Ok(MasterSecrets { current, former })
}

/// Returns the text of a private key in a file, or on standard input for `-`.
///
/// # Errors
/// When it cannot be read, is too long to be a key, or others than its owner may read the file
/// (Unix).
pub(crate) fn private_key_text(
    path: &Path,
) -> Result<Zeroizing<String>, Box<dyn Error + Send + Sync>> {
    // At its full size from the start: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(IMPORT_LEN_MAX + 1));
    let len_max = u64::try_from(IMPORT_LEN_MAX)? + 1;
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(len_max)
            .read_to_string(&mut text)?;
        return Ok(text);
    }
    let failed = |fault| format!("the file `{}` cannot be read: {fault}", path.display());
    let file = File::open(path).map_err(failed)?;
    refuse_open_mode(path, &file)?;
    file.take(len_max)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

#[cfg(unix)]
fn refuse_open_mode(path: &Path, file: &File) -> Result<(), Box<dyn Error + Send + Sync>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let path = path.display();
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(format!(
            "the file `{path}` has the mode {mode:04o}, so others can get at the key: run `chmod 600 {path}`, \
             and if the machine has other users, make another key"
        )
        .into()),
    }
}

#[cfg(not(unix))]
fn refuse_open_mode(_path: &Path, _file: &File) -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(())
}

fn make_directory(path: &Path) -> std::io::Result<()> {
    let mut directory = std::fs::DirBuilder::new();
    directory.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    directory.create(path)
}
