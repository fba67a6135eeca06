//! Between the wire and the handler: forwards, renews, and closes at the end.

use super::message::{Inbound, Outbound, Renewal, read};
use super::socket::{Inside, LiveSocket, ends};
use super::{Guard, News, Over};
use crate::Caller;
use crate::problem::Code;
use ::axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::StreamExt as _;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, timeout};

/// How long a client may take to say goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(5);
/// How long a client that cannot be understood has to hear why.
const LINGER: Duration = Duration::from_secs(1);
/// How long a renewal may take.
const RENEW_MAX: Duration = Duration::from_secs(15);
const HEARTBEAT_MIN: Duration = Duration::from_secs(1);

const REFUSED_TOO_OFTEN: &str = "too_many_renewals";
const NOT_A_CLIENTS_MESSAGE: &str = "unexpected_message";
const UNREADABLE: &str = "message_refused";
const NOT_YOURS: &str = "not_yours";

type Proving = Pin<Box<dyn Future<Output = Result<Caller, Code>> + Send>>;

/// Runs a socket and its handler, each on its own: what the handler does or waits for delays no
/// end.
pub(super) async fn run<H, F>(wire: WebSocket, guard: Guard, handler: H)
where
    H: FnOnce(LiveSocket) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (socket, inside) = ends(guard.caller().clone());
    tokio::spawn(Driver::new(wire, guard, inside).run());
    handler(socket).await;
}

struct Driver {
    wire: WebSocket,
    guard: Guard,
    handler: Inside,
    /// A message that was read and that the handler has no room for yet.
    waiting: Option<Message>,
    proving: Option<Proving>,
    refused_in_a_row: u8,
    heartbeat: Interval,
    sending: Sending,
}

/// Whether the handler can still send.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Open,
    Finished,
}

/// What happens next.
enum Step {
    News(News),
    Proved(Result<Caller, Code>),
    Room,
    FromHandler(Option<Message>),
    FromClient(Option<Result<Message, ::axum::Error>>),
    Heartbeat,
    HandlerGone,
}

/// How a socket ends.
enum End {
    Over(Over),
    NotYours,
    Abuse(&'static str),
    /// As the handler says.
    Handler(Option<CloseFrame>),
    /// The client said goodbye, or went without.
    Client,
}

impl Driver {
    fn new(wire: WebSocket, guard: Guard, handler: Inside) -> Self {
        let every = guard.settings().heartbeat.max(HEARTBEAT_MIN);
        let mut heartbeat = interval_at(Instant::now() + every, every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            wire,
            guard,
            handler,
            waiting: None,
            proving: None,
            refused_in_a_row: 0,
            heartbeat,
            sending: Sending::Open,
        }
    }

    async fn run(mut self) {
        let end = loop {
            let step = self.next().await;
            if let Err(end) = self.take(step).await {
                break end;
            }
        };
        if let End::Over(over) = end {
            self.handler
                .state
                .send_modify(|state| state.over = Some(over));
        }
        // The handler hears of the end before the client has said goodbye.
        let Self {
            wire,
            handler,
            guard,
            ..
        } = self;
        drop((handler, guard));
        close(wire, end).await;
    }

    /// The end comes first. Among the others chance decides, so that none starves another.
    async fn next(&mut self) -> Step {
        let Inside {
            to_handler,
            from_handler,
            ..
        } = &mut self.handler;
        let reads = self.waiting.is_none() && self.proving.is_none();
        let others = async {
            tokio::select! {
                proved = proved(&mut self.proving), if self.proving.is_some() => {
                    Step::Proved(proved)
                }
                _ = to_handler.reserve(), if self.waiting.is_some() => Step::Room,
                message = from_handler.recv(), if self.sending == Sending::Open => {
                    Step::FromHandler(message)
                }
                () = to_handler.closed(), if self.sending == Sending::Finished => Step::HandlerGone,
                message = self.wire.next(), if reads => Step::FromClient(message),
                _ = self.heartbeat.tick() => Step::Heartbeat,
            }
        };
        tokio::select! {
            biased;
            news = self.guard.news() => Step::News(news),
            step = others => step,
        }
    }

    async fn take(&mut self, step: Step) -> Result<(), End> {
        // It may have ended since it was asked, on another thread.
        if let Some(over) = self.guard.is_over() {
            return Err(End::Over(over));
        }
        match step {
            Step::News(News::Over(over)) => Err(End::Over(over)),
            Step::News(News::Expiring(left)) => self.say(Outbound::expiring(left)).await,
            Step::Proved(proved) => self.renewed(proved).await,
            Step::Room => {
                self.deliver();
                Ok(())
            }
            Step::FromHandler(Some(Message::Close(frame))) => Err(End::Handler(frame)),
            Step::FromHandler(Some(message)) => self.put(message).await,
            Step::FromHandler(None) => {
                self.sending = Sending::Finished;
                Ok(())
            }
            Step::FromClient(message) => self.hear(message),
            Step::Heartbeat => self.put(Message::Ping(::axum::body::Bytes::new())).await,
            Step::HandlerGone => Err(End::Handler(None)),
        }
    }

    /// Takes a message of the client.
    fn hear(&mut self, message: Option<Result<Message, ::axum::Error>>) -> Result<(), End> {
        let message = match message {
            None | Some(Ok(Message::Close(_))) => return Err(End::Client),
            Some(Err(_)) => return Err(End::Abuse(UNREADABLE)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(message)) => message,
        };
        let inbound = match &message {
            Message::Text(text) => read(text),
            _ => Inbound::App,
        };
        match inbound {
            Inbound::App => {
                self.waiting = Some(message);
                self.deliver();
            }
            Inbound::Renew(renewal) => self.proving = Some(self.prove(renewal)),
            Inbound::Broken(code) => self.proving = Some(Box::pin(async move { Err(code) })),
            Inbound::Alien => return Err(End::Abuse(NOT_A_CLIENTS_MESSAGE)),
        }
        Ok(())
    }

    fn prove(&self, renewal: Renewal) -> Proving {
        let renewed = self.guard.renewed(renewal);
        Box::pin(async move {
            timeout(RENEW_MAX, renewed)
                .await
                .unwrap_or(Err(Code::Unavailable))
        })
    }

    /// Gives the handler what is waiting, if it has room. What a handler does not want to hear is
    /// dropped.
    fn deliver(&mut self) {
        if let Some(message) = self.waiting.take()
            && let Err(mpsc::error::TrySendError::Full(message)) =
                self.handler.to_handler.try_send(message)
        {
            self.waiting = Some(message);
        }
    }

    async fn renewed(&mut self, proved: Result<Caller, Code>) -> Result<(), End> {
        self.proving = None;
        let caller = match proved {
            Ok(caller) => caller,
            Err(code) => {
                self.refused_in_a_row = self.refused_in_a_row.saturating_add(1);
                if self.refused_in_a_row > self.guard.settings().refused_renewals_max {
                    return Err(End::Abuse(REFUSED_TOO_OFTEN));
                }
                return self.say(Outbound::refused(code)).await;
            }
        };
        let left = self
            .guard
            .accept(caller.clone())
            .map_err(|_| End::NotYours)?;
        self.refused_in_a_row = 0;
        self.handler
            .state
            .send_modify(|state| state.caller = caller);
        self.say(Outbound::renewed(left)).await
    }

    async fn say(&mut self, words: Outbound) -> Result<(), End> {
        self.put(Message::text(words.text())).await
    }

    /// Puts a message on the wire. A client that does not read holds up no end.
    async fn put(&mut self, message: Message) -> Result<(), End> {
        tokio::select! {
            biased;
            over = self.guard.over() => Err(End::Over(over)),
            sent = self.wire.send(message) => sent.map_err(|_| End::Client),
        }
    }
}

async fn proved(proving: &mut Option<Proving>) -> Result<Caller, Code> {
    match proving {
        Some(proving) => proving.await,
        None => std::future::pending().await,
    }
}

/// Says goodbye and waits for the answer: whoever hangs up on unread messages makes the network
/// throw away what was said last.
async fn close(mut wire: WebSocket, end: End) {
    let frame = match end {
        End::Over(over) => Some(closing(over.close_code(), over.as_str())),
        End::NotYours => Some(closing(Over::Ended.close_code(), NOT_YOURS)),
        End::Abuse(reason) => Some(closing(close_code::POLICY, reason)),
        End::Handler(frame) => Some(frame.unwrap_or_else(|| closing(close_code::NORMAL, ""))),
        // The answer to its goodbye is sent by reading on.
        End::Client => None,
    };
    let goodbye = async {
        if let Some(frame) = frame {
            wire.send(Message::Close(Some(frame))).await?;
        }
        while let Some(message) = wire.next().await {
            message?;
        }
        Ok::<(), ::axum::Error>(())
    };
    if let Ok(Err(_)) = timeout(GOODBYE_MAX, goodbye).await {
        // What cannot be read cannot be read on either.
        sleep(LINGER).await;
    }
}

const fn closing(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame {
        code,
        reason: Utf8Bytes::from_static(reason),
    }
}
