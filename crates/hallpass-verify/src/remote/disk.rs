//! The last good set of keys in a file, for a start while the issuer is down.

use crate::json::{self, Limits, Value};
use crate::{JWKS_LEN_MAX, KeyFault, KeySet, Timestamp};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The longest file of keys, in bytes: a JWK set, and what stands around it.
const FILE_LEN_MAX: usize = JWKS_LEN_MAX + 8192;

/// Why a file of keys is not used. The verifier then starts without.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiskFault {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[from] io::Error),
    /// Others than its owner may write it.
    #[error("others than its owner may write the file: run `chmod 600` on it")]
    Mode,
    /// It is not what was written there.
    #[error("expected a file with an issuer, its keys and when they were fetched")]
    Malformed,
    /// It holds the keys of another issuer.
    #[error("the file holds the keys of another issuer")]
    OtherIssuer,
    /// The keys in it are refused.
    #[error(transparent)]
    Keys(#[from] KeyFault),
}

/// A set of keys, and when it was last known to be the issuer's.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) set: KeySet,
    pub(super) fetched_at: Timestamp,
}

/// A file with the last good set of keys.
///
/// # Security
/// Whoever can write it can have tokens accepted. So it is written with the mode 0600, and not
/// read when its group or others may write it.
#[derive(Clone, Debug)]
pub(super) struct KeyFile(PathBuf);

impl KeyFile {
    /// Takes where it is, or will be.
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the keys of `issuer`, as strictly as from the network; `None` when there is no file.
    pub(super) fn read(&self, issuer: &str) -> Result<Option<Kept>, DiskFault> {
        let file = match File::open(&self.0) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        refuse_open_mode(&file)?;
        let mut text = Vec::new();
        let most = u64::try_from(FILE_LEN_MAX).unwrap_or(u64::MAX);
        file.take(most.saturating_add(1)).read_to_end(&mut text)?;
        parse(&text, issuer).map(Some)
    }

    /// Writes keys: the file is whole at every moment. Without a key there is no file.
    pub(super) fn write(&self, issuer: &str, set: &KeySet, at: Timestamp) -> io::Result<()> {
        if set.is_empty() {
            return match fs::remove_file(&self.0) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
                _ => Ok(()),
            };
        }
        let text = serde_json::json!({
            "issuer": issuer,
            "jwks": set.to_jwks(),
            "fetched_at": at.as_seconds(),
        });
        // Each state of the standard hasher has other keys: no two writers share a draft.
        let unique = RandomState::new().hash_one(());
        let mut draft = self.0.clone().into_os_string();
        draft.push(format!(".{unique:016x}.draft"));
        let draft = PathBuf::from(draft);
        let done = write_new(&draft, text.to_string().as_bytes())
            .and_then(|()| fs::rename(&draft, &self.0));
        if done.is_err() {
            // What counts is the first fault.
            let _ = fs::remove_file(&draft);
        }
        done
    }
}

fn parse(text: &[u8], issuer: &str) -> Result<Kept, DiskFault> {
    let limits = Limits {
        bytes_max: FILE_LEN_MAX,
        depth_max: 17,
    };
    let Ok(Value::Object(members)) = json::parse(text, limits) else {
        return Err(DiskFault::Malformed);
    };
    let named = members.get("issuer").and_then(Value::as_str);
    if named.ok_or(DiskFault::Malformed)? != issuer {
        return Err(DiskFault::OtherIssuer);
    }
    let fetched_at = members.get("fetched_at").and_then(Value::as_u64);
    let jwks = members.get("jwks").ok_or(DiskFault::Malformed)?;
    let jwks = serde_json::to_vec(jwks).map_err(|_| DiskFault::Malformed)?;
    Ok(Kept {
        set: KeySet::from_jwks(&jwks)?,
        fetched_at: Timestamp::from_seconds(fetched_at.ok_or(DiskFault::Malformed)?),
    })
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

// The mode of the file that is open, not of whatever has its name a moment later.
#[cfg(unix)]
fn refuse_open_mode(file: &File) -> Result<(), DiskFault> {
    use std::os::unix::fs::PermissionsExt as _;
    match file.metadata()?.permissions().mode() & 0o022 {
        0 => Ok(()),
        _ => Err(DiskFault::Mode),
    }
}

#[cfg(not(unix))]
fn refuse_open_mode(_: &File) -> Result<(), DiskFault> {
    Ok(())
}

#[cfg(test)]
mod tests;
