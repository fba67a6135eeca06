//! The proof that somebody is who they say: what opens a session.

use hallpass_verify::UserId;

/// Who proved their identity, and how. Exactly one function opens a session, and it asks for this.
#[derive(Debug)]
pub struct Proof {
    user: UserId,
    methods: Vec<String>,
}

impl Proof {
    /// For a password that was checked.
    pub(crate) fn password(user: UserId) -> Self {
        Self {
            user,
            methods: vec!["pwd".into()],
        }
    }

    /// For an app that has users of its own and has just made sure who one of them is.
    ///
    /// `methods` are values of the claim `amr` (RFC 8176), such as `"pwd"`, `"otp"` or `"hwk"`.
    ///
    /// # Security
    /// Whoever can call this can sign in as anyone. Call it only behind your own check.
    #[must_use]
    pub fn asserted_by_app(user: UserId, methods: &[&str]) -> Self {
        Self {
            user,
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        }
    }

    pub(crate) fn into_parts(self) -> (UserId, Vec<String>) {
        (self.user, self.methods)
    }
}
