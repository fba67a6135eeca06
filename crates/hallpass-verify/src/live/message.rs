//! What is said in band over a WebSocket, between the app's own messages.

use super::Ticket;
use crate::json::{self, Limits, Object};
use crate::problem::Code;
use serde::Serialize;
use std::time::Duration;
use zeroize::Zeroizing;

/// Our messages are JSON objects whose member `type` begins so.
const OURS: &str = "hallpass.";
const RENEW: &str = "hallpass.renew";
/// How deep a message may be nested that could be ours, in levels.
const DEPTH_MAX_LEVELS: usize = 32;

/// A credential that a client brings for the connection it has.
#[derive(Debug)]
pub enum Renewal {
    /// An access token of the same session.
    AccessToken(Zeroizing<String>),
    /// A one-time ticket of the same session.
    Ticket(Ticket),
}

/// What a text message of a client is.
#[derive(Debug)]
pub(super) enum Inbound {
    /// The app's own.
    App,
    /// A renewal.
    Renew(Renewal),
    /// A renewal that cannot be read.
    Broken(Code),
    /// A message that a client has no business to send.
    Alien,
}

/// Returns what a text message is.
///
/// # Security
/// A renewal that cannot be read is not the app's either: an app that repeats what it hears would
/// hand out the token that stands in it.
pub(super) fn read(text: &str) -> Inbound {
    let is_candidate = text.trim_ascii_start().starts_with('{')
        && memchr::memmem::find(text.as_bytes(), OURS.as_bytes()).is_some();
    if !is_candidate {
        return Inbound::App;
    }
    let limits = Limits {
        bytes_max: text.len(),
        depth_max: DEPTH_MAX_LEVELS,
    };
    let Ok(json::Value::Object(mut members)) = json::parse(text.as_bytes(), limits) else {
        return if memchr::memmem::find(text.as_bytes(), RENEW.as_bytes()).is_some() {
            Inbound::Broken(Code::MalformedBody)
        } else {
            Inbound::App
        };
    };
    match members.get("type").and_then(json::Value::as_str) {
        Some(RENEW) => renewal(&mut members).map_or_else(Inbound::Broken, Inbound::Renew),
        Some(other) if other.starts_with(OURS) => Inbound::Alien,
        _ => Inbound::App,
    }
}

fn renewal(members: &mut Object) -> Result<Renewal, Code> {
    use json::Value::String;
    match (members.remove("access_token"), members.remove("ticket")) {
        (Some(String(token)), None) => Ok(Renewal::AccessToken(Zeroizing::new(token))),
        (None, Some(String(ticket))) => {
            let ticket = Ticket::parse(&Zeroizing::new(ticket));
            ticket.map(Renewal::Ticket).ok_or(Code::TokenMalformed)
        }
        _ => Err(Code::MalformedBody),
    }
}

/// What the server says.
#[derive(Clone, Copy, Serialize)]
#[serde(tag = "type")]
pub(super) enum Outbound {
    /// The token expires soon.
    #[serde(rename = "hallpass.expiring")]
    Expiring {
        /// In whole seconds.
        expires_in: u64,
    },
    /// The connection goes on.
    #[serde(rename = "hallpass.renewed")]
    Renewed {
        /// In whole seconds.
        expires_in: u64,
    },
    /// The renewal did nothing.
    #[serde(rename = "hallpass.refused")]
    Refused {
        /// A stable code.
        code: &'static str,
    },
}

impl Outbound {
    pub(super) const fn expiring(left: Duration) -> Self {
        let expires_in = left.as_secs();
        Self::Expiring { expires_in }
    }

    pub(super) const fn renewed(left: Duration) -> Self {
        let expires_in = left.as_secs();
        Self::Renewed { expires_in }
    }

    pub(super) const fn refused(code: Code) -> Self {
        let code = code.as_str();
        Self::Refused { code }
    }

    pub(super) fn text(self) -> String {
        // Fixed texts and numbers: there is nothing in it that cannot be written.
        serde_json::to_string(&self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match read(text) {
            Inbound::App => "app".to_owned(),
            Inbound::Renew(Renewal::AccessToken(token)) => format!("token {}", *token),
            Inbound::Renew(Renewal::Ticket(ticket)) => format!("ticket {}", ticket.expose()),
            Inbound::Broken(code) => code.as_str().to_owned(),
            Inbound::Alien => "alien".to_owned(),
        };
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn a_renewal_is_read_strictly() {
        let ticket = format!("hpt_{}", "A".repeat(43));
        check(
            r#"{"type":"hallpass.renew","access_token":"a.b.c"}"#,
            "token a.b.c",
        );
        check(
            " {\"access_token\" : \"t\", \"more\":1,\n\"type\":\"hallpass.renew\"}",
            "token t",
        );
        let by_ticket = format!(r#"{{"type":"hallpass.renew","ticket":"{ticket}"}}"#);
        check(&by_ticket, &format!("ticket {ticket}"));
        check(
            r#"{"type":"hallpass.renew","ticket":"hpt_x"}"#,
            "token_malformed",
        );
        for broken in [
            r#"{"type":"hallpass.renew"}"#,
            r#"{"type":"hallpass.renew","access_token":7}"#,
            r#"{"type":"hallpass.renew","access_token":null,"ticket":null}"#,
            r#"{"type":"hallpass.renew","access_token":"a","access_token":"b"}"#,
            r#"{"type":"hallpass.renew","type":"x","access_token":"a"}"#,
            r#"{"type":"hallpass.renew","access_token":"a""#,
        ] {
            check(broken, "malformed_body");
        }
        let both = format!(r#"{{"type":"hallpass.renew","access_token":"a","ticket":"{ticket}"}}"#);
        check(&both, "malformed_body");
    }

    #[test]
    fn only_a_member_type_makes_a_message_ours() {
        for app in [
            "",
            "hallpass.renew",
            "{",
            "{}",
            r#"{"type":"chat","text":"say \"hallpass.renew\""}"#,
            r#"{"type":"chat","inner":{"type":"hallpass.renew","access_token":"a"}}"#,
            r#"[{"type":"hallpass.renew","access_token":"a"}]"#,
            r#"{"type":["hallpass.renew"]}"#,
            r#"{"type":"hallpassport"}"#,
            r"{not json, but about hallpass.chat}",
        ] {
            check(app, "app");
        }
        check(r#"{"type":"hallpass.renewed","expires_in":9999}"#, "alien");
        check(r#"{"type":"hallpass."}"#, "alien");
    }

    #[test]
    fn what_the_server_says_has_fixed_members() {
        let seconds = Duration::from_millis(59_999);
        assert_eq!(
            Outbound::expiring(seconds).text(),
            r#"{"type":"hallpass.expiring","expires_in":59}"#
        );
        assert_eq!(
            Outbound::renewed(seconds).text(),
            r#"{"type":"hallpass.renewed","expires_in":59}"#
        );
        assert_eq!(
            Outbound::refused(Code::TokenExpired).text(),
            r#"{"type":"hallpass.refused","code":"token_expired"}"#
        );
    }
}
