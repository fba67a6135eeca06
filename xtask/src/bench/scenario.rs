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
    /// A route of an app with a sign-in of its own: fresh callers, scopes, errors in its own shape;
    /// by cookie, by bearer, and a POST.
    Own,
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
    /// A protected route of a service far from the issuer, by bearer and by cookie.
    Service,
    /// From a sign-out until 100 verifiers refuse; the memory of a million ended sessions.
    Revocation,
    /// New keys every 5 s for two minutes, under load, with 50 verifiers.
    Rotation,
    /// A million made-up keys against one verifier.
    Kids,
}

impl Name {
    /// Tells whether it needs a service far from the issuer, or a crowd of them.
    pub(crate) fn needs_services(self) -> bool {
        matches!(
            self,
            Self::Service | Self::Revocation | Self::Rotation | Self::Kids
        )
    }

    /// Returns how many times the CPU time of the bare server it may take.
    pub(crate) fn ratio_max(self) -> Option<f64> {
        (self == Self::Service).then_some(1.35)
    }
}

/// Requests that are repeated on so many connections.
pub(crate) struct Scenario {
    pub(crate) name: Name,
    pub(crate) what: &'static str,
    pub(crate) scripts: Vec<Script>,
}

impl Scenario {
    /// Makes the scenarios of a name, and the accounts they need. Some names are measured in ways
    /// of their own.
    pub(crate) async fn prepare(name: Name, servers: &Servers) -> Result<Vec<Self>, Stop> {
        let (hello, app) = (servers.hello.address, servers.app.address);
        let program = servers.program.address;
        let whose = name_of(name);
        let user = |delivery| Account::sign_up(app, &whose, delivery);
        let made = match name {
            Name::Mixed | Name::Stores | Name::Revocation | Name::Rotation | Name::Kids => vec![],
            Name::Service => of_service(servers).await?,
            Name::Hello => vec![("bare hello", same(get(hello, "/hello", ""), 200))],
            Name::Open => vec![("open GET in an app", same(get(app, "/hello", ""), 200))],
            Name::Cookie => {
                let request = user("cookie").await?.get_by_cookie(app, "/protected");
                vec![("protected GET, cookie", same(request, 200))]
            }
            Name::Bearer => {
                let request = user("body").await?.get_by_bearer(app, "/protected");
                vec![("protected GET, bearer", same(request, 200))]
            }
            Name::Post => {
                let request = user("cookie").await?.post_by_cookie(app, "/protected");
                vec![("protected POST, CSRF", same(request, 200))]
            }
            Name::Refused => {
                let request = user("cookie").await?.post_without_proof(app, "/protected");
                vec![("refused POST, no CSRF", same(request, 403))]
            }
            Name::Own => of_own_routes(app).await?,
            Name::Me => {
                let ann = Account::sign_up(program, "me", "body").await?;
                let request = ann.get_by_bearer(program, "/auth/me");
                vec![("GET /auth/me, bearer", same(request, 200))]
            }
            Name::Login => {
                let scripts = sign_ins(program, SIGN_IN_CONNECTIONS).await?;
                vec![("POST /auth/login", scripts)]
            }
            Name::Refresh => vec![("POST /auth/refresh", refreshes(program).await?)],
        };
        let made = made.into_iter().map(|(what, scripts)| Self {
            name,
            what,
            scripts,
        });
        Ok(made.collect())
    }

    /// Returns the server that it is about.
    pub(crate) fn target<'s>(&self, servers: &'s Servers) -> &'s Server {
        match (self.name, &servers.service) {
            (Name::Hello, _) => &servers.hello,
            (Name::Me | Name::Login | Name::Refresh | Name::Stores, _) => &servers.program,
            (Name::Service, Some(service)) => service,
            _ => &servers.app,
        }
    }
}

/// Returns the name of the user that a scenario needs.
fn name_of(name: Name) -> String {
    format!("{name:?}").to_lowercase()
}

/// Returns what a service is asked: its users signed up at the issuer.
async fn of_service(servers: &Servers) -> Result<Vec<(&'static str, Vec<Script>)>, Stop> {
    let service = servers.service.as_ref().map(|server| server.address);
    let service = service.ok_or_else(|| Stop::because("expected a service"))?;
    let issuer = servers.program.address;
    let ann = Account::sign_up(issuer, "service-bearer", "body").await?;
    let bob = Account::sign_up(issuer, "service-cookie", "cookie").await?;
    Ok(vec![
        (
            "service, bearer",
            same(ann.get_by_bearer(service, "/protected"), 200),
        ),
        (
            "service, cookie",
            same(bob.get_by_cookie(service, "/protected"), 200),
        ),
    ])
}

/// Returns what an app with a sign-in of its own is asked.
async fn of_own_routes(app: SocketAddr) -> Result<Vec<(&'static str, Vec<Script>)>, Stop> {
    let ann = Account::enter(app, "own-cookie", "cookie").await?;
    let bob = Account::enter(app, "own-bearer", "body").await?;
    Ok(vec![
        ("own GET, cookie", same(ann.get_by_cookie(app, "/own"), 200)),
        ("own GET, bearer", same(bob.get_by_bearer(app, "/own"), 200)),
        ("own POST, CSRF", same(ann.post_by_cookie(app, "/own"), 200)),
    ])
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
