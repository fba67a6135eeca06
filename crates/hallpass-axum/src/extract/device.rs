//! Where a request comes from.

use crate::mount::Mount;
use axum::extract::ConnectInfo;
use hallpass_core::session::{Device, USER_AGENT_LEN_MAX};
use http::header::USER_AGENT;
use http::request::Parts;
use std::net::SocketAddr;

/// Returns the client's address, as far as it is known, and what it calls itself.
///
/// The address is known when the server tells it (`ConnectInfo`).
pub(crate) fn device(mount: &Mount, parts: &Parts) -> Device {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let ip = peer.map(|peer| mount.0.proxies.client(peer.0.ip(), &parts.headers));
    let user_agent = parts.headers.get(USER_AGENT).map(|agent| {
        let mut text = String::from_utf8_lossy(agent.as_bytes()).into_owned();
        text.truncate(text.floor_char_boundary(USER_AGENT_LEN_MAX));
        text
    });
    Device { ip, user_agent }
}
