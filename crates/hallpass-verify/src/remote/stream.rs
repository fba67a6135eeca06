//! What was revoked, as a stream.

use super::answer::{Line, is_of_type};
use super::feed::{Cursor, Hello, entries};
use super::listen::{Ears, End, Ended, Fault};
use super::pace::{Pace, spread};
use super::sse::{Event, Parser};
use super::state::Feed;
use reqwest::header::{ACCEPT, CACHE_CONTROL};
use reqwest::{Method, Response};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

/// After how many heartbeats that did not come a stream counts as broken.
const HEARTBEATS_MISSED_MAX: u32 = 3;

/// Opens a stream at `url` and follows it to its end.
pub(super) async fn follow(line: &Line, url: &Url, ears: &Ears, pace: &Pace) -> Ended {
    let response = match timeout(pace.answer, open(line, url, ears, pace)).await {
        Ok(Ok(response)) => response,
        Ok(Err(why)) => return Ended::at_once(why),
        Err(_) => return Ended::at_once(End::NoStream),
    };
    let mut stream = Stream {
        parser: Parser::default(),
        phase: Phase::Opening,
        ends_at: Instant::now() + pace.answer,
        ears,
        pace,
    };
    let why = match (stream.read(response).await, stream.phase) {
        (Ok(()), _) => End::InTime,
        // A proxy that gathers an answer before it passes it on.
        (Err(Fault::Late), Phase::Opening) => End::NoStream,
        (Err(fault), _) => End::Broken(fault),
    };
    let lasted = match stream.phase {
        Phase::Live { since, .. } => since.elapsed(),
        Phase::Opening | Phase::CatchingUp(_) => Duration::ZERO,
    };
    Ended { why, lasted }
}

async fn open(line: &Line, url: &Url, ears: &Ears, pace: &Pace) -> Result<Response, End> {
    let mut request = line
        .request(Method::GET, url.clone())
        .header(ACCEPT, "text/event-stream")
        .header(CACHE_CONTROL, "no-store")
        // Beyond what it may live: a client's own limit for whole answers is not meant for this.
        .timeout((pace.answer + pace.catch_up + pace.stream_life).saturating_mul(2));
    if let Some(cursor) = ears.state.cursor() {
        request = request.header("last-event-id", cursor.as_str());
    }
    let response = request.send().await.map_err(Fault::from)?;
    match response.status().as_u16() {
        200 if is_of_type(&response, "text/event-stream") => Ok(response),
        200 | 404 | 406 => Err(End::NoStream),
        401 | 403 => Err(End::Credentials),
        other => Err(End::Broken(Fault::Status(other))),
    }
}

/// How far a stream has come.
#[derive(Clone, Copy)]
enum Phase {
    /// Nothing was told yet.
    Opening,
    /// What the issuer knew when the stream began is being told.
    CatchingUp(Hello),
    /// Everything is known, and what comes is new.
    Live { hello: Hello, since: Instant },
}

struct Stream<'s> {
    parser: Parser,
    phase: Phase,
    /// When this phase has to be over.
    ends_at: Instant,
    ears: &'s Ears,
    pace: &'s Pace,
}

impl Stream<'_> {
    /// Reads until the stream's time is over.
    async fn read(&mut self, mut response: Response) -> Result<(), Fault> {
        loop {
            // Checked here too: a stream that never pauses never comes to a time-out.
            if Instant::now() >= self.ends_at {
                return self.over();
            }
            let silent_at = Instant::now() + self.silence_max();
            let next = timeout_at(silent_at.min(self.ends_at), response.chunk()).await;
            let chunk = match next {
                Ok(chunk) => chunk?.ok_or(Fault::Closed)?,
                Err(_) if silent_at < self.ends_at => return Err(Fault::Silent),
                Err(_) => return self.over(),
            };
            self.take(&chunk)?;
        }
    }

    fn take(&mut self, mut chunk: &[u8]) -> Result<(), Fault> {
        let lines = self.parser.lines();
        while let Some(event) = self.parser.next(&mut chunk)? {
            self.hear(&event)?;
        }
        // A line, not a byte: behind the beginning of a long line there may be an entry that is
        // not known yet. And not before everything else is known.
        if matches!(self.phase, Phase::Live { .. }) && self.parser.lines() > lines {
            self.ears.state.heard(self.ears.now());
        }
        Ok(())
    }

    /// Events of other names are for others.
    fn hear(&mut self, event: &Event) -> Result<(), Fault> {
        match (event.name.as_str(), self.phase) {
            ("hello", Phase::Opening) => {
                self.phase = Phase::CatchingUp(Hello::read(event.data.as_bytes())?);
                self.ends_at = Instant::now() + self.pace.catch_up;
            }
            ("revoked", Phase::CatchingUp(hello) | Phase::Live { hello, .. }) => {
                let entries = entries(event.data.as_bytes())?;
                let cursor = Cursor::parse(&event.last_id)?;
                self.ears.learn(&entries, hello.kept);
                self.ears.state.came_to(cursor);
            }
            ("live", Phase::CatchingUp(hello)) => self.come_alive(hello, &event.last_id)?,
            ("hello" | "revoked" | "live", _) => return Err(Fault::Order),
            _ => {}
        }
        Ok(())
    }

    fn come_alive(&mut self, hello: Hello, last_id: &str) -> Result<(), Fault> {
        // The first event tells a cursor too. It may be ahead of what was told when a stream
        // breaks, so it counts only now, when everything up to it was told.
        if !last_id.is_empty() {
            self.ears.state.came_to(Cursor::parse(last_id)?);
        }
        let since = Instant::now();
        self.phase = Phase::Live { hello, since };
        self.ends_at = since + spread(self.pace.stream_life);
        self.ears.state.heard(self.ears.now());
        self.ears.state.feeds(Feed::Stream);
        tracing::info!("the issuer tells what it revokes");
        Ok(())
    }

    const fn silence_max(&self) -> Duration {
        match self.phase {
            Phase::Opening => self.pace.answer,
            Phase::CatchingUp(hello) | Phase::Live { hello, .. } => {
                hello.heartbeat.saturating_mul(HEARTBEATS_MISSED_MAX)
            }
        }
    }

    /// A live stream may end in time; one that is not live yet took too long.
    const fn over(&self) -> Result<(), Fault> {
        match self.phase {
            Phase::Live { .. } => Ok(()),
            Phase::Opening | Phase::CatchingUp(_) => Err(Fault::Late),
        }
    }
}

impl Ended {
    pub(super) const fn at_once(why: End) -> Self {
        Self {
            why,
            lasted: Duration::ZERO,
        }
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault)
    }
}
