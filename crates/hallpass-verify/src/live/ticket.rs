//! One-time tickets: a credential for a handshake that can carry neither a header nor a cookie.

use crate::{AccessTokenText, BoxFuture, Found};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};

/// The subprotocol (RFC 6455 §1.9) that a client offers beside its ticket.
pub const TICKET_PROTOCOL: &str = "hallpass.ticket";

const PREFIX: &str = "hpt_";
/// 32 bytes in base64url.
const SECRET_LEN: usize = 43;
const QUERY_NAME: &str = "ticket=";

crate::secret_text! {
    /// A ticket as it travels: good once, for seconds, for one session.
    Ticket
}

impl Ticket {
    /// Takes a text that has the form of a ticket: `hpt_` and 43 characters of base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let secret = text.strip_prefix(PREFIX)?;
        let proper = secret.len() == SECRET_LEN
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        proper.then(|| Self::new(text.to_owned()))
    }
}

/// Why a ticket brought no access token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TicketFault {
    /// It is unknown, was used before, or has expired.
    #[error("the ticket is unknown, used or expired")]
    Refused,
    /// The issuer cannot be asked now.
    #[error("the issuer of the ticket cannot be asked now")]
    Unavailable,
}

/// The access token for a ticket, to come.
pub type Redeeming<'a> = BoxFuture<'a, Result<AccessTokenText, TicketFault>>;

/// Where tickets are redeemed: at the issuer, over the network or in the same process.
pub trait Tickets: Send + Sync + std::fmt::Debug + 'static {
    /// Uses a ticket up and returns a fresh access token of its session, which is verified like any
    /// other.
    fn redeem<'a>(&'a self, ticket: &'a Ticket) -> Redeeming<'a>;
}

/// Takes the ticket out of a request, so that nobody further in can log it.
///
/// A client brings it as `Sec-WebSocket-Protocol: hallpass.ticket, hpt_…` or as `?ticket=hpt_…`.
/// Two tickets, or one of the two protocols without the other, are malformed.
pub(super) fn take_ticket(uri: &mut Uri, headers: &mut HeaderMap) -> Found<Ticket> {
    match (from_protocols(headers), from_query(uri)) {
        (Found::Absent, found) | (found, Found::Absent) => found,
        _ => Found::Malformed,
    }
}

/// Tells whether the client offers to speak with a ticket, and wants to hear so.
pub(super) fn is_offered(headers: &HeaderMap) -> bool {
    protocols(headers).any(|protocol| protocol == TICKET_PROTOCOL.as_bytes())
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    lines.flat_map(|line| {
        line.as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
    })
}

fn is_ticket(protocol: &[u8]) -> bool {
    protocol.starts_with(PREFIX.as_bytes())
}

fn from_protocols(headers: &mut HeaderMap) -> Found<Ticket> {
    let mut tickets = protocols(headers).filter(|protocol| is_ticket(protocol));
    let found = match (is_offered(headers), tickets.next(), tickets.next()) {
        (false, None, _) => return Found::Absent,
        (true, Some(ticket), None) => read(ticket),
        _ => Found::Malformed,
    };
    drop(tickets);
    let others: Vec<&[u8]> = protocols(headers)
        .filter(|protocol| !is_ticket(protocol))
        .collect();
    let others = HeaderValue::from_bytes(&others.join(b", ".as_slice()));
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Ok(others) = others
        && !others.is_empty()
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, others);
    }
    found
}

/// Another value of the same name is the app's own.
fn from_query(uri: &mut Uri) -> Found<Ticket> {
    let value_of = |pair: &str| -> Option<String> {
        let value = pair.strip_prefix(QUERY_NAME)?;
        value.starts_with(PREFIX).then(|| value.to_owned())
    };
    let query = uri.query().unwrap_or_default();
    let mut tickets = query.split('&').filter_map(value_of);
    let found = match (tickets.next(), tickets.next()) {
        (None, _) => return Found::Absent,
        (Some(ticket), None) => read(ticket.as_bytes()),
        _ => Found::Malformed,
    };
    let others: Vec<&str> = query
        .split('&')
        .filter(|pair| value_of(pair).is_none())
        .collect();
    let target = if others.is_empty() {
        uri.path().to_owned()
    } else {
        format!("{}?{}", uri.path(), others.join("&"))
    };
    let mut parts = uri.clone().into_parts();
    // A part of a target that was one is one.
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
    found
}

fn read(ticket: &[u8]) -> Found<Ticket> {
    let text = std::str::from_utf8(ticket).unwrap_or_default();
    Ticket::parse(text).map_or(Found::Malformed, Found::Present)
}

#[cfg(test)]
mod tests;
