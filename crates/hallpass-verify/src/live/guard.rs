//! How long a connection may live, without a framework.

use super::admit::Door;
use super::seats::Seat;
use super::{LiveSettings, Renewal};
use crate::problem::Code;
use crate::{Caller, Gate, Timestamp, UntilRefused};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// How often the clock is looked at while nothing happens: it may have been set forward, or the
/// machine may have slept.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The shortest wait, for a clock that stands still.
const WAIT_MIN: Duration = Duration::from_millis(50);
/// The longest life without a renewal, whatever the token says.
const LIFE_MAX: Duration = Duration::from_hours(24 * 365);

/// Why a connection is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Over {
    /// The token expired and was not renewed.
    Expired,
    /// The session ended, or the token or its key was revoked.
    Ended,
}

impl Over {
    /// Returns the code that a WebSocket is closed with: 4401 or 4403.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Expired => 4401,
            Self::Ended => 4403,
        }
    }

    /// Returns the reason in a word: `token_expired` or `session_ended`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => Code::TokenExpired.as_str(),
            Self::Ended => Code::SessionEnded.as_str(),
        }
    }
}

/// What a connection has to know next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// The token expires in this time: the client should renew. Said once for each token.
    Expiring(Duration),
    /// The connection is over.
    Over(Over),
}

/// Tells that a good token is another user's, or of another session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the token is not of the session that opened the connection")]
pub struct NotYours;

/// Why a connection was not renewed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RenewFault {
    /// The token or ticket does not do. Everything is as it was.
    #[error("the renewal was refused: {}", .0.as_str())]
    Refused(Code),
    /// It is another user's, or of another session: close the connection.
    #[error(transparent)]
    NotYours(#[from] NotYours),
}

/// Watches over one connection: whose it is, and how long it may live.
///
/// # Examples
/// ```
/// # use hallpass_verify::live::{Guard, Over};
/// # async fn next_message() -> Option<String> { None }
/// async fn talk(mut guard: Guard) -> Option<Over> {
///     loop {
///         tokio::select! {
///             biased;
///             over = guard.over() => return Some(over),
///             message = next_message() => println!("{} says {}", guard.caller().user(), message?),
///         }
///     }
/// }
/// ```
///
/// # Security
/// A connection lives exactly as long as a request with the same token would be let in. The wait
/// is measured by the runtime as well as by the [`Clock`](crate::Clock): a clock that is set back
/// does not make a token live longer, one that is set forward is noticed within 30 s, and with
/// the next message.
///
/// Behind a gate far from the issuer, a connection that is open goes on while what was revoked is
/// not known up to date, at most until its token expires: the renewal is asked about as
/// [`WhenStale`](crate::WhenStale) says.
#[derive(Debug)]
pub struct Guard {
    door: Arc<Door>,
    caller: Caller,
    refused: UntilRefused,
    /// When the token has expired, however the clock is set.
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
    notice: Notice,
    #[expect(dead_code, reason = "held, and given back when it is dropped")]
    seat: Option<Seat>,
}

/// Whether the client was told that its token expires soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Notice {
    Owed,
    Given,
}

impl Guard {
    /// Watches over a connection of `caller`, whom `gate` let in. It cannot be renewed by ticket;
    /// see [`LiveLayer::guard`](super::LiveLayer::guard).
    #[must_use]
    pub fn new(gate: Arc<Gate>, caller: Caller) -> Self {
        let door = Door {
            locations: gate.settings().locations,
            when_stale: gate.when_stale(),
            gate,
            tickets: None,
            settings: LiveSettings::default(),
            seats: Arc::default(),
        };
        Self::behind(Arc::new(door), caller)
    }

    pub(super) fn behind(door: Arc<Door>, caller: Caller) -> Self {
        let refused = door.gate.verifier().until_refused(&caller);
        let now = Instant::now();
        let mut guard = Self {
            door,
            caller,
            refused,
            deadline: now,
            timer: Box::pin(sleep_until(now)),
            notice: Notice::Owed,
            seat: None,
        };
        guard.start(now);
        guard
    }

    /// Counts the connection for as long as it lives.
    pub(super) fn seated(self) -> Result<Self, Code> {
        let seat = self.door.seats.take(self.caller.user(), self.settings())?;
        Ok(Self {
            seat: Some(seat),
            ..self
        })
    }

    /// Returns whose connection it is, as the last token tells.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns how long the token is good for, without the leeway that clocks are given.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.caller.expires_at().since(self.now())
    }

    /// Returns why the connection is over, if it is: look before each message that is forwarded.
    #[must_use]
    pub fn is_over(&self) -> Option<Over> {
        if self.refused.is_refused() {
            Some(Over::Ended)
        } else if self.left().is_zero() || Instant::now() >= self.deadline {
            Some(Over::Expired)
        } else {
            None
        }
    }

    /// Waits until the connection is over.
    ///
    /// It may be dropped and asked again, and answers at once from then on.
    pub async fn over(&mut self) -> Over {
        poll_fn(|context| self.poll_over(context)).await
    }

    /// Waits until the client has to be told something, or the connection is over.
    pub async fn news(&mut self) -> News {
        poll_fn(|context| self.poll_news(context)).await
    }

    /// As [`over`](Self::over), for streams and the like.
    pub fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<Over> {
        if Pin::new(&mut self.refused).poll(context).is_ready() {
            return Poll::Ready(Over::Ended);
        }
        loop {
            if self.left().is_zero() {
                return Poll::Ready(Over::Expired);
            }
            ready!(self.timer.as_mut().poll(context));
            let now = self.timer.deadline();
            if now >= self.deadline {
                return Poll::Ready(Over::Expired);
            }
            self.set_timer(now);
        }
    }

    fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<News> {
        if let Poll::Ready(over) = self.poll_over(context) {
            return Poll::Ready(News::Over(over));
        }
        if self.notice == Notice::Owed && self.until_notice().is_zero() {
            self.notice = Notice::Given;
            return Poll::Ready(News::Expiring(self.expires_in()));
        }
        Poll::Pending
    }

    /// Renews the connection with a fresh access token or a ticket of its session. Returns how long
    /// it is good for.
    ///
    /// # Errors
    /// [`RenewFault`]; the connection is as it was.
    pub async fn renew(&mut self, renewal: Renewal) -> Result<Duration, RenewFault> {
        let renewed = self.renewed(renewal).await;
        Ok(self.accept(renewed.map_err(RenewFault::Refused)?)?)
    }

    /// Returns the caller of a renewal, to come. It borrows nothing, so that the connection goes on
    /// meanwhile; [`accept`](Self::accept) takes it.
    ///
    /// # Errors
    /// With the code that the client is told.
    pub fn renewed(
        &self,
        renewal: Renewal,
    ) -> impl Future<Output = Result<Caller, Code>> + Send + use<> {
        let door = Arc::clone(&self.door);
        async move { door.renewed(&renewal).await }
    }

    /// Goes on with a fresh token of the same session. Returns how long it is good for.
    ///
    /// # Errors
    /// [`NotYours`]; the connection is as it was.
    pub fn accept(&mut self, caller: Caller) -> Result<Duration, NotYours> {
        let same = caller.user() == self.caller.user() && caller.session() == self.caller.session();
        if !same {
            return Err(NotYours);
        }
        self.refused = self.door.gate.verifier().until_refused(&caller);
        self.caller = caller;
        self.notice = Notice::Owed;
        self.start(Instant::now());
        Ok(self.expires_in())
    }

    pub(super) fn settings(&self) -> &LiveSettings {
        &self.door.settings
    }

    fn start(&mut self, now: Instant) {
        self.deadline = now + self.left().min(LIFE_MAX);
        self.set_timer(now);
    }

    fn set_timer(&mut self, now: Instant) {
        let mut wait = self.left().min(LOOK_EVERY);
        if self.notice == Notice::Owed {
            wait = wait.min(self.until_notice());
        }
        let at = (now + wait.max(WAIT_MIN)).min(self.deadline);
        self.timer.as_mut().reset(at);
    }

    /// How long a request with this token would be let in, by the clock.
    fn left(&self) -> Duration {
        let leeway = self.door.gate.verifier().settings().leeway;
        let last = self.caller.expires_at().plus(leeway);
        // The last millisecond is still good.
        last.plus(Duration::from_millis(1)).since(self.now())
    }

    fn until_notice(&self) -> Duration {
        self.expires_in().saturating_sub(self.settings().notice)
    }

    fn now(&self) -> Timestamp {
        self.door.gate.clock().now()
    }
}
