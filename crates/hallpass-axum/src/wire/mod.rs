//! What differs from profile to profile: names, paths and shapes, as data. No rule is in here.

mod authfort;
mod bluefox;
mod fastapi;
mod fastauth;
mod native;
mod spoken;

pub(crate) use spoken::spoken;

use axum::response::Response;
use hallpass_core::session::Session;
use hallpass_core::user::User;
use hallpass_core::{Introspected, Profile};
use hallpass_verify::problem::{Code, Problem};
use hallpass_verify::{CsrfRule, SessionId, UserId};
use serde_json::Value;

/// Where users ask about their own tokens, below the prefix, under profiles that let them.
pub(crate) const OWN_INTROSPECT_PATH: &str = "/token/introspect";
/// Where they revoke them.
pub(crate) const OWN_REVOKE_PATH: &str = "/token/revoke";
/// Where they end all their sessions, under profiles that have a path for that.
pub(crate) const ALL_SESSIONS_PATH: &str = "/sessions/all";

/// The names and shapes of one wire.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Where one signs up, below the prefix.
    pub(crate) sign_up_path: &'static str,
    /// What signing up answers with.
    pub(crate) sign_up: SignUpAnswer,
    /// What signing out answers with.
    pub(crate) sign_out: Done,
    /// What a body's refresh token is that is empty, or no token of ours, where one signs out.
    pub(crate) in_body: InBody,
    /// What the field `remember` means.
    pub(crate) remember: Remember,
    /// What a request that rides on a cookie owes. Without a token no CSRF cookie is set.
    pub(crate) csrf: CsrfRule,
    /// What a session that was opened or refreshed is answered with.
    pub(crate) session: fn(&Handed<'_>) -> Response,
    /// What a user looks like.
    pub(crate) user: fn(&Shown<'_>) -> Response,
    /// What users are told about their sessions.
    pub(crate) sessions: OwnSessions,
    /// What users are told about their own tokens, if they may ask.
    pub(crate) tokens: Option<OwnTokens>,
    /// What a service is told about a token; `None` is one that is not active.
    pub(crate) introspection: fn(Option<&Introspected>) -> Response,
    /// What a problem looks like; `None` is RFC 9457.
    pub(crate) problem: Option<fn(Asked, &Problem) -> Said>,
}

/// What signing up answers with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SignUpAnswer {
    /// The tokens of a session.
    Session,
    /// The user. No session is opened.
    User,
}

/// What is answered to whoever ended something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Done {
    /// Nothing.
    NoContent,
    /// A sentence for people.
    Message(&'static str),
}

/// What users are told about their sessions.
#[derive(Debug)]
pub(crate) struct OwnSessions {
    /// The live ones; the second argument is the one they ask by.
    pub(crate) listed: fn(&[Session], SessionId) -> Response,
    /// That one was ended.
    pub(crate) ended: Done,
    /// That all were, where there is [`ALL_SESSIONS_PATH`].
    pub(crate) all_ended: Option<Done>,
}

/// What users are told about their own tokens.
#[derive(Debug)]
pub(crate) struct OwnTokens {
    /// What one is worth; `None` is nothing, or another user's.
    pub(crate) introspection: fn(Option<&Worth>) -> Response,
    /// That one was revoked.
    pub(crate) revoked: Done,
}

/// What a token of the user who asks is worth.
#[derive(Debug)]
pub(crate) enum Worth {
    Access(Introspected),
    /// The session that it renews, and whose it is.
    Refresh(Session, Option<User>),
}

/// What becomes of a refresh token in a body that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum InBody {
    /// It is an error.
    Refused,
    /// An empty one is absent. One that is unknown has nothing to sign out.
    PutUpWith,
}

/// What the field `remember` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Remember {
    /// Whether the session outlives the browser window. Not said: it does.
    BeyondTheWindow,
    /// Whether it lives longer: it outlives the window in any case. Not said: it does not.
    Longer,
}

/// Tokens on their way out, each there or not by the delivery of its session.
pub(crate) struct Handed<'a> {
    pub(crate) user: Shown<'a>,
    pub(crate) session: &'a Session,
    pub(crate) csrf: Option<&'a str>,
    pub(crate) access: Option<&'a str>,
    pub(crate) access_expires_in_seconds: u64,
    pub(crate) refresh: Option<&'a str>,
    pub(crate) refresh_expires_in_seconds: u64,
}

/// A user on their way out. An app may have users of its own: then there is an id alone.
pub(crate) struct Shown<'a> {
    pub(crate) id: &'a UserId,
    pub(crate) user: Option<&'a User>,
    /// The session they ask by, if they have one.
    pub(crate) session: Option<SessionId>,
}

/// What a request asked for, as far as errors differ by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// To sign up, or to sign in.
    ToSignIn,
    /// To refresh a session.
    ToRefresh,
    /// To end a session.
    ToEndSession,
    /// To revoke a token of one's own.
    ToRevoke,
    /// Anything else.
    Other,
}

/// An error as a profile says it.
#[derive(Debug)]
pub(crate) struct Said {
    /// Whose status it has.
    pub(crate) like: Code,
    pub(crate) body: Value,
}

impl Wire {
    /// Returns the wire of a profile.
    pub(crate) const fn of(profile: Profile) -> &'static Self {
        match profile {
            Profile::Native => &native::WIRE,
            Profile::AuthFort => &authfort::WIRE,
            Profile::FastAuth => &fastauth::WIRE,
            Profile::Bluefox => &bluefox::WIRE,
        }
    }

    /// Returns what a path below the prefix asks for.
    fn asked(&self, path: &str) -> Asked {
        match path {
            "/login" => Asked::ToSignIn,
            "/refresh" => Asked::ToRefresh,
            OWN_REVOKE_PATH => Asked::ToRevoke,
            _ if path == self.sign_up_path => Asked::ToSignIn,
            _ => match path.strip_prefix("/sessions/") {
                Some(id) if !id.contains('/') => Asked::ToEndSession,
                _ => Asked::Other,
            },
        }
    }

    /// Tells whether a path below the prefix is one that only this profile has, or few have.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        match path {
            OWN_INTROSPECT_PATH | OWN_REVOKE_PATH => self.tokens.is_some(),
            ALL_SESSIONS_PATH => self.sessions.all_ended.is_some(),
            _ => path == self.sign_up_path,
        }
    }
}
