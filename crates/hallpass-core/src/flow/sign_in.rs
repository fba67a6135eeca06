//! Signing in with e-mail address and password.

use super::open::{Issued, Opening};
use crate::audit::EventKind;
use crate::error::Error;
use crate::hallpass::Hallpass;
use crate::password::Verdict;
use crate::proof::Proof;
use crate::random;
use crate::user::{Email, Password, PasswordHash};
use hallpass_verify::UserId;

/// What a user presents to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// Their e-mail address.
    pub email: Email,
    /// Their password.
    pub password: Password,
}

impl Hallpass {
    /// Signs a user in and opens a session.
    ///
    /// # Security
    /// An unknown user and a wrong password cost the same work and give the same answer.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`], [`Error::RateLimited`], [`Error::Overloaded`],
    /// [`Error::Grant`] when the app asks for what no session gets.
    pub async fn sign_in(&self, sign_in: SignIn, opening: Opening) -> Result<Issued, Error> {
        self.check_opening(&opening)?;
        let SignIn { email, password } = sign_in;
        let device = &opening.device;
        let attempt = match self.0.throttle.attempt(&email.key(), device.ip, self.now()) {
            Ok(attempt) => attempt,
            Err(retry_after) => {
                self.record(EventKind::SignInRateLimited, None, None, device);
                return Err(Error::RateLimited { retry_after });
            }
        };
        let found = self.0.store.credentials(&email.key()).await?;
        let again = Password::new(password.expose().to_owned());
        let (user, stored) = found.map(|found| (found.user, found.password)).unzip();
        let kept = stored
            .as_ref()
            .map(|hash| PasswordHash::new(hash.expose().to_owned()));
        let verdict = match self.0.passwords.verify(password, stored).await {
            Ok(verdict) => verdict,
            Err(fault) => {
                // The password was never looked at: no failure of the user's.
                attempt.forgive();
                return Err(fault.into());
            }
        };
        let user = match user {
            Some(user) if verdict != Verdict::Wrong => user,
            account => {
                let account = account.as_ref().map(|user| &user.id);
                self.record(EventKind::SignInFailed, account, None, device);
                return Err(Error::InvalidCredentials);
            }
        };
        attempt.forgive();
        if let (Verdict::RightButOutdated, Some(old)) = (verdict, kept) {
            self.rehash(&user.id, again, &old).await?;
        }
        self.open_session(Proof::password(user.id), opening).await
    }

    /// Stores a hash with today's parameters. When there is no time for it, the next sign-in
    /// will do.
    async fn rehash(
        &self,
        user: &UserId,
        password: Password,
        old: &PasswordHash,
    ) -> Result<(), Error> {
        let salt = random::bytes(self.0.random.as_ref())?;
        if let Ok(new) = self.0.passwords.hash(password, salt).await {
            self.0.store.replace_password(user, old, &new).await?;
        }
        Ok(())
    }
}
