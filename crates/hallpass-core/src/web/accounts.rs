//! Who may become a user, and by which routes.

/// Which routes of ours lead to a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Accounts {
    /// Everybody may sign up, and sign in.
    #[default]
    Open,
    /// Whom an operator has added may sign in; the route to sign up answers 403 `sign_up_closed`.
    ByInvitation,
    /// The app has users and a sign-in of its own: there is a route for neither.
    OfTheApp,
}
