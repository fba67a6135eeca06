//! Hashing passwords: slow on purpose, on threads of its own.

mod argon2id;
mod pool;

pub use argon2id::{Argon2id, Argon2idCost};
pub use pool::{HashPool, HashPoolSettings};

use crate::user::{Password, PasswordHash};

/// The length of a salt, in bytes.
pub const SALT_LEN: usize = 16;

/// What came of checking a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is another one.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, and its hash was made with other parameters than today's.
    RightButOutdated,
}

/// Tells why a hash could not be made or checked.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// All workers are busy and the queue is full.
    #[error("the queue for password hashing is full")]
    Overloaded,
    /// The stored text is not a hash that this hasher reads.
    #[error("expected a stored password hash in PHC form")]
    UnreadableHash,
    /// The hasher failed.
    #[error("password hashing failed: {0}")]
    Failed(&'static str),
}

/// Makes and checks password hashes. Each worker thread has one of its own, so that it can keep its
/// working memory from one password to the next: to allocate it anew costs a tenth of the hash.
pub trait PasswordHasher: Send {
    /// Returns the PHC string for a password and a salt.
    ///
    /// # Errors
    /// When the implementation fails.
    fn hash(
        &mut self,
        password: &Password,
        salt: &[u8; SALT_LEN],
    ) -> Result<PasswordHash, HashError>;

    /// Checks a password against a stored hash.
    ///
    /// # Security
    /// The comparison takes the same time wherever the first difference is.
    ///
    /// # Errors
    /// When the stored hash cannot be read.
    fn verify(&mut self, password: &Password, stored: &PasswordHash) -> Result<Verdict, HashError>;
}
