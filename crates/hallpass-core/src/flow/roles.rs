//! What users may do.

use crate::audit::EventKind;
use crate::error::Error;
use crate::grant::check_roles;
use crate::hallpass::Hallpass;
use crate::session::Device;
use crate::store::Changed;
use hallpass_verify::UserId;

impl Hallpass {
    /// Replaces the roles of a user. Introspection says so at once; access tokens say so from the
    /// next refresh on.
    ///
    /// # Security
    /// A role that is taken away stands in access tokens until they expire. End the user's
    /// sessions too if that is too long.
    ///
    /// # Errors
    /// [`Error::Grant`] when they are longer than [`ROLES_LEN_MAX`](crate::ROLES_LEN_MAX) in all;
    /// [`Error::NotFound`] when our store has no such user; [`Error::Internal`] when it fails.
    pub async fn set_roles(
        &self,
        user: &UserId,
        roles: &[String],
        device: &Device,
    ) -> Result<(), Error> {
        check_roles(roles)?;
        match self.0.store.replace_roles(user, roles).await? {
            Changed::Unchanged => Err(Error::NotFound),
            Changed::Changed => {
                self.record(EventKind::RolesChanged, Some(user), None, device);
                Ok(())
            }
        }
    }
}
