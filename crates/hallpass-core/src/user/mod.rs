//! A user of Hallpass's own store.

mod email;
mod password;

pub use email::{EMAIL_LEN_MAX, Email, EmailKey, InvalidEmail};
pub use password::{PASSWORD_LEN_MAX, PASSWORD_LEN_MIN, Password, PasswordFault, PasswordHash};

use hallpass_verify::{Timestamp, UserId};

/// The longest name, in bytes.
pub const NAME_LEN_MAX: usize = 200;

/// A user as others may see them: no password in any form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id: the claim `sub`.
    pub id: UserId,
    /// Their e-mail address, as they typed it.
    pub email: Email,
    /// What they are called.
    pub name: Option<String>,
    /// What they may do: the claim `roles`.
    pub roles: Vec<String>,
    /// When they signed up.
    pub created_at: Timestamp,
}
