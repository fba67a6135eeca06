//! Every setting, once: its name, its kind, its default and what it is for.

use super::values::{
    AccountsName, AlgorithmName, DeliveryName, LogFormatName, LogLevelName, ProfileName,
    RequestLogName, SameSiteName, SecretText, Span,
};
use hallpass_axum::serve::{Limits, RequestLog};
use hallpass_core::key::KeySettings;
use hallpass_core::password::{Argon2idCost, HashPoolSettings};
use hallpass_core::{Accounts, Profile};
use hallpass_verify::cookies::SameSite;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a setting is for, by its path.
pub(crate) type Doc = (&'static str, &'static [&'static str]);

macro_rules! settings {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $doc:literal])* $field:ident: $kind:ty = $default:expr,)+ }) => {
        $(#[doc = $about])*
        #[derive(Debug, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[doc = $doc])* pub(crate) $field: $kind,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $name {
            /// What each setting is for.
            pub(crate) const DOCS: &'static [Doc] = &[$((stringify!($field), &[$($doc),*]),)+];
        }
    };
}

settings! {
    /// The configuration of the program.
    Config {
        /// Where to listen. Loopback by default, so that nobody else reaches an instance that was
        /// only meant to be tried.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)),
        /// The URL under which users reach the program: scheme, host, port. Cookie names, `Secure`
        /// and the origin check follow from it, never from a request. Default on loopback:
        /// `http://localhost:<port>`; otherwise it must be set.
        public_url: Option<String> = None,
        /// The directory of the database and the master secret. Made with mode 0700.
        data: PathBuf = PathBuf::from("hallpass-data"),
        /// The database, such as `sqlite:///var/lib/hallpass.db`. Default: `hallpass.db` in `data`.
        database: Option<String> = None,
        /// The master secret: base64 of at least 32 random bytes. Every key is sealed with
        /// it. Default: a file in `data`, made at the first start, mode 0600.
        secret: Option<SecretText> = None,
        /// Former master secrets: what is still sealed with them opens, nothing new is sealed with
        /// them. Beside them the file `secret.former` in `data` is read, if it is there. See
        /// [Replacing the master secret](#replacing-the-master-secret).
        former_secrets: Vec<SecretText> = Vec::new(),
        /// The services that may ask about tokens and learn what was revoked, each as `name:hash`, as
        /// `hallpass service new NAME` prints it. Only the hash of a service's secret is kept.
        services: Vec<String> = Vec::new(),
        /// Whose names and shapes clients and other services expect: `native`, `authfort`, `fastauth`
        /// or `bluefox`. Under `authfort` access tokens and introspection too are as its package
        /// `authfort-service` reads them.
        profile: ProfileName = ProfileName(Profile::Native),
        /// Who may become a user: `open`, everybody who signs up; `by_invitation`, whom you add
        /// (`hallpass user add EMAIL`): signing up is answered 403 `sign_up_closed`.
        accounts: AccountsName = AccountsName(Accounts::Open),
        /// Other origins whose pages may call us with cookies, such as `https://app.example.com`.
        /// Exact, no wildcard.
        trusted_origins: Vec<String> = Vec::new(),
        /// Addresses and networks of the proxies in front, such as `10.0.0.0/8`. Only they are
        /// believed about the client's address (`X-Forwarded-For`).
        trusted_proxies: Vec<String> = Vec::new(),
        /// Accepts http on a host that is not loopback: everyone on the way reads every token.
        /// For a test network only.
        danger_allow_http: bool = false,
        /// Tokens and sessions.
        tokens: Tokens = Tokens::default(),
        /// Signing keys.
        keys: Keys = Keys::default(),
        /// Cookies.
        cookies: Cookies = Cookies::default(),
        /// How tokens are handed out.
        delivery: DeliverySettings = DeliverySettings::default(),
        /// Passwords.
        passwords: Passwords = Passwords::default(),
        /// Failed sign-ins.
        throttle: Throttle = Throttle::default(),
        /// The listener and the routes.
        http: Http = Http::default(),
        /// The log.
        log: Log = Log::default(),
    }
}

settings! {
    /// Tokens and sessions.
    Tokens {
        /// What access tokens are signed with: `EdDSA`, `ES256`, `RS256`, `PS256` or `HS256`.
        /// Default: `EdDSA`; under profile `authfort` `RS256`.
        algorithm: Option<AlgorithmName> = None,
        /// The claim `iss`. Default: `public_url`.
        issuer: Option<String> = None,
        /// The claim `aud`. Default: the issuer; under profile `authfort` there is none.
        audience: Option<String> = None,
        /// How long an access token lives, 10 s to 24 h. Short, as services that verify on their own
        /// learn late that a session has ended. Default: `15m`; under profile `bluefox` `30m`.
        access_ttl: Option<Span> = None,
        /// The longest lifetime of access tokens that belong to no session, 10 s to 24 h: when an app
        /// on the same store issues such tokens, and then as the app has it. Default: they are refused.
        sessionless_ttl_max: Option<Span> = None,
        /// How long a session lives without a refresh. Default: `30d`; under profile `fastauth`, for
        /// those who ask to be remembered, `90d`; under `bluefox` `7d`.
        refresh_idle_ttl: Option<Span> = None,
        /// How long a session lives in all, 400 days at most. Default: `90d`; under profile `fastauth`
        /// `180d`.
        session_ttl: Option<Span> = None,
        /// How long a session lives without a refresh when the user did not ask to be remembered.
        /// Default: `12h`; under profile `fastauth` `30d`.
        transient_idle_ttl: Option<Span> = None,
        /// How long such a session lives in all. Default: `24h`; under profile `fastauth` `90d`.
        transient_session_ttl: Option<Span> = None,
        /// How long a refresh token may be used again after its rotation, 60 s at most: for tabs that
        /// refresh at once and for lost answers. `0s` switches it off.
        refresh_grace: Span = Span::seconds(10),
        /// How far the clocks of machines may be apart, 60 s at most.
        leeway: Span = Span::seconds(10),
    }
}

settings! {
    /// Signing keys: announced, then signing, then only verifying.
    Keys {
        /// How long a key signs until the next one does. `0s`: for good, until
        /// `hallpass key rotate`.
        rotate_every: Span = Span(KeySettings::default().rotate_every),
        /// How long a key is published before it signs, at least twice `jwks_max_age`: by then every
        /// service that verifies has it.
        announce: Span = Span(KeySettings::default().announce),
        /// How long others may keep the published keys before they ask again.
        jwks_max_age: Span = Span(KeySettings::default().jwks_max_age),
    }
}

settings! {
    /// Cookies.
    Cookies {
        /// The domain whose hosts all share the cookies, such as `example.com`. Default: the host of
        /// `public_url` alone, which is safer: every host of a shared domain can set these cookies.
        domain: Option<String> = None,
        /// The path of the access and the CSRF cookie. The refresh cookie's is `http.prefix`.
        path: String = "/".into(),
        /// Whether embedded pages have cookies of their own for each embedding site (CHIPS). Needs
        /// `none` as SameSite.
        partitioned: bool = false,
        /// The name of the access cookie. Default: `__Host-hp_access`, with a domain
        /// `__Secure-hp_access`, over http `hp_access`.
        access_name: Option<String> = None,
        /// The name of the refresh cookie. Default: `__Secure-hp_refresh`, over http `hp_refresh`.
        refresh_name: Option<String> = None,
        /// The name of the CSRF cookie. Default: like the access cookie's, `hp_csrf`.
        csrf_name: Option<String> = None,
        /// SameSite of the access cookie: `strict`, `lax` or `none`.
        access_same_site: SameSiteName = SameSiteName(SameSite::Lax),
        /// SameSite of the refresh cookie.
        refresh_same_site: SameSiteName = SameSiteName(SameSite::Strict),
        /// SameSite of the CSRF cookie.
        csrf_same_site: SameSiteName = SameSiteName(SameSite::Lax),
    }
}

settings! {
    /// How tokens are handed out.
    DeliverySettings {
        /// The delivery of a sign-in that asks for none: `cookie`, `split` or `body`; under profiles
        /// `authfort` and `bluefox` also `both`. Default: `cookie`; under profile `fastauth` `body`;
        /// under `authfort` and `bluefox` `both`.
        default: Option<DeliveryName> = None,
        /// The deliveries that a sign-in may ask for. Empty: all that the profile has. With `body` alone
        /// no cookie is set, and none is read.
        allowed: Vec<DeliveryName> = Vec::new(),
    }
}

settings! {
    /// Passwords. The defaults are the OWASP minimum for Argon2id.
    Passwords {
        /// Memory of one hash, in KiB.
        memory_kib: u32 = Argon2idCost::default().memory_kib,
        /// Passes over that memory.
        iterations: u32 = Argon2idCost::default().iterations,
        /// Lanes. With more sign-ins than cores, more than one only costs.
        parallelism: u32 = Argon2idCost::default().parallelism,
        /// How many passwords are hashed at once. `0`: one for each core. Memory in use is this
        /// times `memory_kib`.
        workers: usize = 0,
        /// How many sign-ins wait for a worker; further ones are answered 503 at once.
        queue: usize = HashPoolSettings::default().queue_len_max,
    }
}

settings! {
    /// Failed sign-ins: how many are taken before attempts are refused unseen.
    Throttle {
        /// On one account from one address.
        account_and_address_failures_max: u32 = 10,
        /// On one account from everywhere (NIST SP 800-63B-4 §3.2.2).
        account_failures_max: u32 = 100,
        /// From one address (IPv6: one /64) on any account.
        address_failures_max: u32 = 100,
        /// How long failures count.
        window: Span = Span::minutes(15),
    }
}

settings! {
    /// The listener and the routes.
    Http {
        /// The path of our routes.
        prefix: String = "/auth".into(),
        /// The header that carries the CSRF token.
        csrf_header: String = "x-csrf-token".into(),
        /// How long a request's head may take from its first byte to its last.
        head_timeout: Span = Span(Limits::default().head),
        /// How long a request's body may take as a whole.
        body_timeout: Span = Span(Limits::default().body),
        /// How long a connection may be silent between two requests.
        idle_timeout: Span = Span(Limits::default().idle),
        /// How long a client may take no byte of an answer.
        write_timeout: Span = Span(Limits::default().write),
        /// How long requests in flight may take to finish when the program is stopped.
        drain_timeout: Span = Span(Limits::default().drain),
        /// The longest request head, in bytes; 8,192 at least.
        head_len_max: usize = Limits::default().head_len_max,
        /// The longest request target, in bytes.
        target_len_max: usize = Limits::default().target_len_max,
        /// The longest request body, in bytes.
        body_len_max: u64 = Limits::default().body_len_max,
        /// The most connections at a time; further ones wait.
        connections_max: usize = Limits::default().connections_max,
    }
}

settings! {
    /// The log, on standard error.
    Log {
        /// `human` or `json`.
        format: LogFormatName = LogFormatName(super::values::LogFormat::Human),
        /// `error`, `warn`, `info`, `debug` or `trace`. No level shows a secret.
        level: LogLevelName = LogLevelName(tracing::Level::INFO),
        /// Which requests get a line: `failures` (5xx and slower than 1 s), `all` or `none`.
        requests: RequestLogName = RequestLogName(RequestLog::Failures),
    }
}
