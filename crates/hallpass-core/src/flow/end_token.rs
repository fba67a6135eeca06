//! Ending one access token, by its name.

use crate::audit::EventKind;
use crate::error::Error;
use crate::hallpass::Hallpass;
use crate::session::Device;
use hallpass_verify::{Caller, Revoked, SessionId, TOKEN_ID_LEN_MAX, UserId};

impl Hallpass {
    /// Ends the access token that brought a caller, whether it belongs to a session or not. Here it
    /// is refused at once, elsewhere within a second. Other tokens of its session go on.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails; the token is good then.
    pub async fn end_token(&self, caller: &Caller, device: &Device) -> Result<(), Error> {
        let (user, session) = (Some(caller.user()), caller.session());
        self.end_named(caller.token_id(), user, session, device)
            .await
    }

    /// Ends an access token by its claim `jti`: that of a [`LoneToken`](crate::LoneToken) which the
    /// app wrote down, for one. Whose it is, if the app knows, is for the audit alone.
    ///
    /// # Security
    /// A name tells not whose token it is, so nothing is checked: ask whether the caller may end it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no token has such a name; [`Error::Internal`] when the store fails,
    /// and the token is good then.
    pub async fn end_token_id(
        &self,
        token_id: &str,
        user: Option<&UserId>,
        device: &Device,
    ) -> Result<(), Error> {
        if token_id.is_empty() || token_id.len() > TOKEN_ID_LEN_MAX {
            return Err(Error::NotFound);
        }
        self.end_named(token_id, user, None, device).await
    }

    async fn end_named(
        &self,
        token_id: &str,
        user: Option<&UserId>,
        session: Option<SessionId>,
        device: &Device,
    ) -> Result<(), Error> {
        let token = Revoked::Token(token_id.to_owned());
        self.revoke(token, self.now()).await?;
        self.record(EventKind::TokenRevoked, user, session, device);
        Ok(())
    }
}
