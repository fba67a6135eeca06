//! A stream of events, read one by one.

use axum::body::Body;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use serde_json::Value;

/// A stream that is open.
pub(crate) struct Events {
    pub(crate) headers: HeaderMap,
    body: Body,
    read: String,
}

/// What a stream says.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Heard {
    Named {
        name: String,
        id: Option<String>,
        data: Value,
    },
    /// A comment: it is still there.
    Heartbeat,
}

impl Heard {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named { name, .. } => name,
            Self::Heartbeat => "",
        }
    }

    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Named { id, .. } => id.as_deref(),
            Self::Heartbeat => None,
        }
    }

    /// The entries of an event that tells what was revoked.
    #[track_caller]
    pub(crate) fn entries(&self) -> Vec<Value> {
        match self {
            Self::Named { name, data, .. } if name == "revoked" => data.as_array().unwrap().clone(),
            other => panic!("nothing was revoked: {other:?}"),
        }
    }

    fn parse(text: &str) -> Self {
        if text.starts_with(':') {
            return Self::Heartbeat;
        }
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
            let value = lines.next()?.strip_prefix(": ")?.to_owned();
            assert_eq!(lines.next(), None, "{text}");
            Some(value)
        };
        Self::Named {
            name: field("event").unwrap(),
            id: field("id"),
            data: serde_json::from_str(&field("data").unwrap()).unwrap(),
        }
    }
}

impl Events {
    pub(crate) fn new(headers: HeaderMap, body: Body) -> Self {
        let read = String::new();
        Self {
            headers,
            body,
            read,
        }
    }

    /// The next thing it says; `None` at its end.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let event = Heard::parse(event);
                self.read = rest.to_owned();
                return Some(event);
            }
            let frame = self.body.frame().await?.unwrap();
            let data = frame.into_data().unwrap();
            self.read.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// Everything up to and with the event `live`.
    pub(crate) async fn up_to_live(&mut self) -> Vec<Heard> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.unwrap();
            let is_live = event.name() == "live";
            events.push(event);
            if is_live {
                return events;
            }
        }
    }
}
