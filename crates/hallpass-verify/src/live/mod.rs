//! Connections that outlive the request that opened them: WebSockets and event streams that end
//! when the token expires or the session ends.
//!
//! Put a [`LiveLayer`] around the routes and ask for [`Live`] in their handlers:
//! ```
//! use axum::{Router, extract::ws::WebSocketUpgrade, response::Response, routing::any};
//! use hallpass_verify::axum::GateLayer;
//! use hallpass_verify::live::{Live, LiveLayer};
//!
//! fn app(gate: &GateLayer) -> Router {
//!     Router::new().route("/echo", any(echo)).layer(LiveLayer::new(gate))
//! }
//!
//! async fn echo(live: Live, upgrade: WebSocketUpgrade) -> Response {
//!     live.websocket(upgrade, async |mut socket| {
//!         while let Some(message) = socket.recv().await {
//!             if socket.send(message).await.is_err() {
//!                 break;
//!             }
//!         }
//!     })
//! }
//! ```
//!
//! # The handshake
//! One credential counts: a bearer token in the header, then a one-time ticket, then the access
//! cookie. The first that is present is the only one; broken, it is refused, and no other is tried.
//! - A page on the same host sends its *cookie*. Then the origin has to be ours or a trusted one,
//!   exactly: a WebSocket needs an `Origin` that says so, an event stream also passes with
//!   `Sec-Fetch-Site: same-origin`. A request that does not say where it comes from is refused.
//! - A client that can set headers sends its *bearer token*.
//! - Everybody else fetches a *ticket* (`POST /auth/ticket`) and opens
//!   `new WebSocket(url, ["hallpass.ticket", ticket])`, which is answered with the protocol
//!   `hallpass.ticket`, or `new EventSource(url + "?ticket=" + ticket)`. A ticket is good once, for
//!   seconds. It is taken out of the request before the handler sees it.
//!
//! # The end
//! | what happened | WebSocket closes with | event stream ends with |
//! |---|---|---|
//! | the token expired and was not renewed | 4401 `token_expired` | `event: hallpass`, `data: {"code":"token_expired"}` |
//! | the session, the token or its key was revoked | 4403 `session_ended` | `event: hallpass`, `data: {"code":"session_ended"}` |
//! | a renewal brought another user's or another session's token | 4403 `not_yours` | |
//! | a message is too long, a renewal was refused too often, a message pretends to be the server's | 1008 | |
//!
//! The end is woken, not polled: it follows the moment at which the verifier learns of it. After
//! it, nothing is forwarded in either direction.
//!
//! # Renewal
//! A WebSocket is renewed in band. 60 s before the token expires the client is told
//! `{"type":"hallpass.expiring","expires_in":60}`. It answers with a fresh token of the same
//! session, `{"type":"hallpass.renew","access_token":"…"}`, or with a ticket,
//! `{"type":"hallpass.renew","ticket":"…"}` (a page whose token is an HttpOnly cookie cannot read
//! it: it refreshes, fetches a ticket and sends that). It is told
//! `{"type":"hallpass.renewed","expires_in":900}`, or `{"type":"hallpass.refused", "code":"…"}`,
//! after which everything is as it was. Messages whose `type` begins with `hallpass.` never reach
//! the handler.
//!
//! An event stream has no way back, so it cannot be renewed in band. It need not be: when it ends,
//! `EventSource` connects again by itself, with its `Last-Event-ID` and whatever cookie is fresh by
//! then. A page that keeps its cookie fresh sees a short gap. One whose cookie has expired gets a
//! 401, after which `EventSource` gives up: refresh, then open another. A ticket in the address is
//! used up: open another with a new one.
//!
//! Other WebSocket libraries: [`Guard`] is all of this without a framework.

mod admit;
mod driver;
mod events;
mod extract;
mod guard;
mod layer;
mod message;
#[cfg(feature = "remote")]
mod remote;
mod seats;
mod settings;
mod socket;
mod ticket;

pub use events::LiveEvents;
pub use extract::Live;
pub use guard::{Guard, News, NotYours, Over, RenewFault};
pub use layer::{LiveLayer, LiveService};
pub use message::Renewal;
pub use settings::LiveSettings;
pub use socket::{Closed, LiveReceiver, LiveSender, LiveSocket};
pub use ticket::{Redeeming, TICKET_PROTOCOL, Ticket, TicketFault, Tickets};
