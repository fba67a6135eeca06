//! Signing up.

use super::open::{Issued, Opening};
use crate::audit::EventKind;
use crate::error::Error;
use crate::grant::check_roles;
use crate::hallpass::Hallpass;
use crate::proof::Proof;
use crate::random;
use crate::session::Device;
use crate::store::Inserted;
use crate::token;
use crate::user::{Email, Password, User};

/// What a user presents to sign up.
#[derive(Debug)]
pub struct SignUp {
    /// Their e-mail address.
    pub email: Email,
    /// The password they want to have.
    pub password: Password,
    /// What they are called.
    pub name: Option<String>,
    /// What they may do: never taken from a request.
    pub roles: Vec<String>,
}

impl Hallpass {
    /// Signs a user up and opens a session.
    ///
    /// # Errors
    /// [`Error::EmailTaken`], [`Error::Overloaded`], [`Error::Grant`] when the app asks for what no
    /// session gets: nobody is added then.
    pub async fn sign_up(&self, sign_up: SignUp, opening: Opening) -> Result<Issued, Error> {
        self.check_opening(&opening)?;
        let user = self.add_user(sign_up, &opening.device).await?;
        self.open_session(Proof::password(user.id), opening).await
    }

    /// Adds a user without opening a session.
    ///
    /// # Errors
    /// [`Error::EmailTaken`], [`Error::Overloaded`], [`Error::RateLimited`] when too many taken
    /// addresses were tried from one place; [`Error::Grant`] when the roles are longer than
    /// [`ROLES_LEN_MAX`](crate::ROLES_LEN_MAX) in all.
    pub async fn add_user(&self, sign_up: SignUp, device: &Device) -> Result<User, Error> {
        let SignUp {
            email,
            password,
            name,
            roles,
        } = sign_up;
        check_roles(&roles)?;
        // The answer tells whether an address is taken, so asking is limited like guessing.
        let attempt = self
            .0
            .throttle
            .attempt(&email.key(), device.ip, self.now())
            .map_err(|retry_after| Error::RateLimited { retry_after })?;
        // Before hashing: a taken address shall not cost a hash.
        if self.0.store.credentials(&email.key()).await?.is_some() {
            return Err(Error::EmailTaken);
        }
        attempt.forgive();
        let random = self.0.random.as_ref();
        let (id, salt) = (token::user_id(random)?, random::bytes(random)?);
        let hash = self.0.passwords.hash(password, salt).await?;
        let user = User {
            id,
            email,
            name,
            roles,
            created_at: self.now(),
        };
        match self.0.store.insert_user(&user, &hash).await? {
            Inserted::EmailTaken => Err(Error::EmailTaken),
            Inserted::Inserted => {
                self.record(EventKind::SignedUp, Some(&user.id), None, device);
                Ok(user)
            }
        }
    }
}
