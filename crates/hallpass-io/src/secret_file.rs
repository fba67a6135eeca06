//! The file that holds the master secret.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hallpass_core::key::{MasterSecret, WeakSecret};
use hallpass_core::{NoRandomness, Random};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest file of a master secret, in bytes.
pub const SECRET_FILE_LEN_MAX: u64 = 4096;

/// How many bytes a secret has that is made here.
const SECRET_LEN: usize = 32;

/// Why there is no master secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileFault {
    /// The file cannot be made or read.
    #[error("the secret file `{}` cannot be {doing}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may use the file.
    #[error(
        "the secret file `{path}` has the mode {mode:04o}, so others can get at it: \
         run `chmod 600 {path}`, and if the machine has other users, make another secret",
        path = path.display()
    )]
    Mode {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is longer than [`SECRET_FILE_LEN_MAX`], or not base64.
    #[error("expected base64url of at least 32 random bytes in the secret file `{}`", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
    /// The secret is too short, or plainly not random.
    #[error("the secret file `{}` is refused", path.display())]
    Weak {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: WeakSecret,
    },
    /// There was no randomness to make a secret of.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// Returns the master secret in the file at `path`; makes one if there is no file.
///
/// The file holds base64url of 32 random bytes. What `openssl rand -base64 32` prints is read
/// as well. Programs that start at once agree on one secret.
///
/// # Errors
/// When the file cannot be read or made, others than its owner may use it (Unix), or it holds no
/// secret that is long and random enough.
///
/// # Security
/// Whoever reads this file can make refresh tokens for every session. It is made with the mode
/// 0600, and is never overwritten.
pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<MasterSecret, SecretFileFault> {
    if let Some(secret) = load_if_there(path)? {
        return Ok(secret);
    }
    create(path, random)?;
    // Of several programs one has made the file: all read that one.
    let file = File::open(path).map_err(failed(path, "opened"))?;
    read(path, &file)
}

/// Returns the master secret in the file at `path`, or `None` if there is no file.
///
/// # Errors
/// As [`load_or_create`].
pub fn load_if_there(path: &Path) -> Result<Option<MasterSecret>, SecretFileFault> {
    match File::open(path) {
        Ok(file) => read(path, &file).map(Some),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(failed(path, "opened")(fault)),
    }
}

/// Returns where the former master secret lies while it is being replaced: `secret.former` beside
/// `secret`.
#[must_use]
pub fn former_secret_path(path: &Path) -> PathBuf {
    let mut former = path.as_os_str().to_owned();
    former.push(".former");
    former.into()
}

fn read(path: &Path, file: &File) -> Result<MasterSecret, SecretFileFault> {
    refuse_open_mode(path, file)?;
    let mut text = Zeroizing::new(String::new());
    let read = file.take(SECRET_FILE_LEN_MAX + 1).read_to_string(&mut text);
    let malformed = || SecretFileFault::Malformed {
        path: path.to_owned(),
    };
    match read {
        Ok(len) if u64::try_from(len).is_ok_and(|len| len <= SECRET_FILE_LEN_MAX) => {}
        Ok(_) => return Err(malformed()),
        Err(fault) if fault.kind() == io::ErrorKind::InvalidData => return Err(malformed()),
        Err(fault) => return Err(failed(path, "read")(fault)),
    }
    let bytes = decode(text.trim()).ok_or_else(malformed)?;
    MasterSecret::from_bytes(bytes).map_err(|source| SecretFileFault::Weak {
        path: path.to_owned(),
        source,
    })
}

/// Both alphabets, with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::URL_SAFE, alphabet::STANDARD]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
}

// The mode of the file that is open, not of whatever has its name a moment later.
#[cfg(unix)]
fn refuse_open_mode(path: &Path, file: &File) -> Result<(), SecretFileFault> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file
        .metadata()
        .map_err(failed(path, "examined"))?
        .permissions()
        .mode()
        & 0o7777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(SecretFileFault::Mode {
            path: path.to_owned(),
            mode,
        }),
    }
}

#[cfg(not(unix))]
fn refuse_open_mode(_path: &Path, _file: &File) -> Result<(), SecretFileFault> {
    Ok(())
}

/// Makes the file whole or not at all, unless there is one: written under another name, synced,
/// and then linked, which fails when the name is taken.
fn create(path: &Path, random: &dyn Random) -> Result<(), SecretFileFault> {
    let mut secret = Zeroizing::new([0; SECRET_LEN]);
    random.fill(secret.as_mut_slice())?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()) + "\n");
    let draft = draft_path(path, random)?;
    let made = write_draft(&draft, &text)
        .and_then(|()| match fs::hard_link(&draft, path) {
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        })
        .map_err(failed(path, "made"));
    let removed = fs::remove_file(&draft).map_err(failed(&draft, "removed"));
    made?;
    removed?;
    sync_directory(path).map_err(failed(path, "made"))
}

fn draft_path(path: &Path, random: &dyn Random) -> Result<PathBuf, SecretFileFault> {
    let mut suffix = [0; 9];
    random.fill(&mut suffix)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", URL_SAFE_NO_PAD.encode(suffix)));
    Ok(PathBuf::from(name))
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A loss of power must not take the name back: every refresh token would be void.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> SecretFileFault {
    let path = path.to_owned();
    move |source| SecretFileFault::File {
        path,
        doing,
        source,
    }
}
