//! What is measured.

use super::accounts::Account;
use super::load::{Script, get};
use super::process::Server;
use super::servers::Servers;
use crate::steps::Stop;
use std::net::SocketAddr;

/// Connections of the scenarios that say nothing else; of sign-ins; of refreshes.
const CONNECTIONS: usize = 16;
const SIGN_IN_CONNECTIONS: usize = 4;
pub(crate) const REFRESH_CONNECTIONS: usize = 64;

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Name {
    /// A bare axum server: what everything else is compared with.
    Hello,
    /// A route of an app that mounts Hallpass, without a credential.
    Open,
    /// A protected route, by cookie.
    Cookie,
    /// A protected route, by bearer.
    Bearer,
    /// A protected POST by cookie, with its CSRF token.
    Post,
    /// The same without: refused.
    Refused,
    /// `GET /auth/me` of the program, by bearer.
    Me,
    /// `POST /auth/login`, beside bare Argon2id.
    Login,
    /// `POST /auth/refresh`, a session per connection.
    Refresh,
    /// A protected route while 32 sign-ins run.
    Mixed,
    /// Refreshes in a store of 10 thousand and of 1 million sessions.
    Stores,
}

/// Requests that are repeated on so many connections.
pub(crate) struct Scenario {
    pub(crate) name: Name,
    pub(crate) what: &'static str,
    pub(crate) scripts: Vec<Script>,
}

impl Scenario {
    /// Makes a scenario and the accounts it needs. [`Name::Mixed`] and [`Name::Stores`] are
    /// measured in ways of their own.
    pub(crate) async fn prepare(name: Name, servers: &Servers) -> Result<Option<Self>, Stop> {
        let (hello, app) = (servers.hello.address, servers.app.address);
        let program = servers.program.address;
        let (what, scripts) = match name {
            Name::Mixed | Name::Stores => return Ok(None),
            Name::Hello => ("bare hello", same(get(hello, "/hello", ""), 200)),
            Name::Open => ("open GET in an app", same(get(app, "/hello", ""), 200)),
            Name::Cookie => {
                let ann = Account::sign_up(app, "cookie", "cookie").await?;
                (
                    "protected GET, cookie",
                    same(ann.get_by_cookie(app, "/protected"), 200),
                )
            }
            Name::Bearer => {
                let ann = Account::sign_up(app, "bearer", "body").await?;
                (
                    "protected GET, bearer",
                    same(ann.get_by_bearer(app, "/protected"), 200),
                )
            }
            Name::Post => {
                let ann = Account::sign_up(app, "post", "cookie").await?;
                (
                    "protected POST, CSRF",
                    same(ann.post_by_cookie(app, "/protected"), 200),
                )
            }
            Name::Refused => {
                let ann = Account::sign_up(app, "refused", "cookie").await?;
                (
                    "refused POST, no CSRF",
                    same(ann.post_without_proof(app, "/protected"), 403),
                )
            }
            Name::Me => {
                let ann = Account::sign_up(program, "me", "body").await?;
                (
                    "GET /auth/me, bearer",
                    same(ann.get_by_bearer(program, "/auth/me"), 200),
                )
            }
            Name::Login => (
                "POST /auth/login",
                sign_ins(program, SIGN_IN_CONNECTIONS).await?,
            ),
            Name::Refresh => ("POST /auth/refresh", refreshes(program).await?),
        };
        Ok(Some(Self {
            name,
            what,
            scripts,
        }))
    }

    /// Returns the server that it is about.
    pub(crate) fn target<'s>(&self, servers: &'s Servers) -> &'s Server {
        match self.name {
            Name::Hello => &servers.hello,
            Name::Me | Name::Login | Name::Refresh | Name::Stores => &servers.program,
            _ => &servers.app,
        }
    }
}

/// Returns one and the same request for each connection.
pub(crate) fn same(request: Vec<u8>, status: u16) -> Vec<Script> {
    vec![
        Script::Same {
            request: request.into(),
            status
        };
        CONNECTIONS
    ]
}

/// Returns sign-ins, an account per connection: attempts on one account at the same time would
/// rightly be taken for guessing.
pub(crate) async fn sign_ins(address: SocketAddr, count: usize) -> Result<Vec<Script>, Stop> {
    let mut scripts = Vec::with_capacity(count);
    for number in 0..count {
        let account = Account::sign_up(address, &format!("sign-in-{number}"), "body").await?;
        scripts.push(Script::Same {
            request: account.sign_in(address).into(),
            status: 200,
        });
    }
    Ok(scripts)
}

/// Returns refreshes, a session per connection.
pub(crate) async fn refreshes(address: SocketAddr) -> Result<Vec<Script>, Stop> {
    let mut scripts = Vec::with_capacity(REFRESH_CONNECTIONS);
    for number in 0..REFRESH_CONNECTIONS {
        let account = Account::sign_up(address, &format!("refresh-{number}"), "body").await?;
        scripts.push(Script::Refresh {
            address,
            token: account.refresh_token,
        });
    }
    Ok(scripts)
}
