//! The settings of the web side: where we are, which cookies, whom we trust. Plain data, checked
//! once at start; what comes out cannot be wrong any more.

mod accounts;
mod cookies;
mod places;

pub use accounts::Accounts;
pub use cookies::{CookieNames, CsrfCookie, SameSites};

use crate::delivery::Delivery;
use crate::profile::Profile;
use crate::settings::{RefusedSettings, SettingFault};
use hallpass_verify::cookies::{Partitioning, SameSite, Security};
use hallpass_verify::{CookiePolicy, CookieSettings, Locations, Origin, OriginPolicy, TokenHeader};
use std::net::IpAddr;
use url::{Host, Url};

/// The longest name of a kind of users, in bytes.
const KIND_LEN_MAX: usize = 32;

/// The settings of the web side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSettings {
    /// Where users reach us: scheme, host and port. Cookies follow from it, never from a request.
    pub public_url: String,
    /// Whose names and shapes the routes have. Default: ours. Tokens have a profile of their own:
    /// [`Settings::profile`](crate::Settings::profile).
    pub profile: Profile,
    /// The path of our routes. Default: `/auth`.
    pub prefix: String,
    /// The kind of users that sign in here, such as `admins`, where an app has several: cookies and
    /// the key set are named after it. Default: there is one kind.
    pub kind: Option<String>,
    /// Which of our routes lead to a session. Default: everybody may sign up, and sign in.
    pub accounts: Accounts,
    /// Other origins whose pages may call us with cookies, such as `https://app.example.com`.
    pub trusted_origins: Vec<String>,
    /// Where access tokens are looked for, in order. Default: the header, then the cookie; the
    /// header alone if no delivery sets a cookie.
    pub locations: Option<Locations>,
    /// The header that carries the access token. Default: `Authorization: Bearer …`.
    pub token_header: TokenHeader,
    /// The parameter of the query that carries it, where that is among the locations. Default:
    /// `access_token`.
    pub query_name: String,
    /// The member of a JSON body that carries it, where that is among the locations, and a layer
    /// reads bodies. Default: `access_token`.
    pub body_name: String,
    /// The header that carries the CSRF token. Default: `x-csrf-token`.
    pub csrf_header: String,
    /// The field of a form that carries the CSRF token where the header is absent, and a layer
    /// reads bodies. Default: none.
    pub csrf_field: Option<String>,
    /// Methods that owe a CSRF token besides all but GET, HEAD and OPTIONS. Default: none.
    pub csrf_also: Vec<String>,
    /// The delivery of a sign-in that asks for none. Default: [`Profile::delivery`].
    pub delivery: Delivery,
    /// The deliveries a sign-in may ask for. Default: [`Profile::deliveries`]. If none of them sets
    /// a cookie, no token is read from one.
    pub deliveries: Vec<Delivery>,
    /// The domain whose hosts all share the cookies. Default: this host alone.
    pub cookie_domain: Option<String>,
    /// The names of the cookies. Default: by scheme and domain, with the strongest prefix.
    pub cookie_names: CookieNames,
    /// What the cookies' SameSite says. Default: Lax, Strict, Lax.
    pub same_site: SameSites,
    /// The path of the access and the CSRF cookie. Default: `/`.
    pub cookie_path: String,
    /// The path of the refresh cookie. Default: [`prefix`](Self::prefix), where our own routes are.
    pub refresh_cookie_path: Option<String>,
    /// Whether pages find the CSRF token in a cookie. Default: they do.
    pub csrf_cookie: CsrfCookie,
    /// Whether the cookies are partitioned by the embedding site (CHIPS). Default: no.
    pub partitioned: Partitioning,
    /// Cookies of former settings: deleted wherever ours are set.
    pub retired_cookies: Vec<CookieSettings>,
    /// Accepts http on a host that is not loopback.
    ///
    /// # Security
    /// Everyone on the way reads every token. For a test network only.
    pub danger_allow_http: bool,
}

impl WebSettings {
    /// Returns the defaults for a public URL.
    #[must_use]
    pub fn new(public_url: impl Into<String>) -> Self {
        Self::for_profile(Profile::Native, public_url)
    }

    /// Returns the defaults of a profile for a public URL.
    #[must_use]
    pub fn for_profile(profile: Profile, public_url: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into(),
            profile,
            prefix: "/auth".into(),
            kind: None,
            accounts: Accounts::Open,
            trusted_origins: Vec::new(),
            locations: None,
            token_header: TokenHeader::default(),
            query_name: "access_token".into(),
            body_name: "access_token".into(),
            csrf_header: "x-csrf-token".into(),
            csrf_field: None,
            csrf_also: Vec::new(),
            delivery: profile.delivery(),
            deliveries: profile.deliveries().to_vec(),
            cookie_domain: None,
            cookie_names: CookieNames::default(),
            same_site: SameSites::default(),
            cookie_path: "/".into(),
            refresh_cookie_path: None,
            csrf_cookie: CsrfCookie::Sent,
            partitioned: Partitioning::Shared,
            retired_cookies: Vec::new(),
            danger_allow_http: false,
        }
    }

    /// Takes the cookie names and paths of `AuthX`, for front ends that look for them: with
    /// routes of your own, since it has none. Where there are several kinds of users, the name of
    /// this one, if it was said before, stands in front.
    ///
    /// # Security
    /// The refresh cookie goes with every request, not only to the routes that need it, and none of
    /// the names has a prefix: on https, a sibling host can plant cookies of these names (they would
    /// be refused as ambiguous, not believed).
    pub fn use_authx_names(&mut self) {
        let named = |name: &str| match &self.kind {
            Some(kind) => Some(format!("{kind}_{name}")),
            None => Some(name.to_owned()),
        };
        self.cookie_names = CookieNames {
            access: named("access_token_cookie"),
            refresh: named("refresh_token_cookie"),
            csrf: named("csrf_access_token"),
            csrf_of_refresh: named("csrf_refresh_token"),
        };
        self.same_site.refresh = SameSite::Lax;
        self.refresh_cookie_path = Some("/".into());
    }
}

/// Checked settings of the web side.
#[derive(Clone, Debug)]
pub struct Web {
    settings: WebSettings,
    cookies: CookiePolicy,
    origins: OriginPolicy,
    security: Security,
}

impl Web {
    /// Checks settings.
    ///
    /// # Errors
    /// Every setting that is refused, with the reason and what to write instead.
    pub fn checked(settings: WebSettings) -> Result<Self, RefusedSettings> {
        let mut faults = Vec::new();
        let place = place(&settings).map_err(|fault| faults.push(fault)).ok();
        faults.extend(header_fault(&settings.csrf_header));
        faults.extend(prefix_fault(&settings.prefix));
        faults.extend(settings.kind.as_deref().and_then(kind_fault));
        faults.extend(delivery_faults(&settings));
        faults.extend(places::faults(&settings));
        let trusted = trusted_origins(&settings, &mut faults);
        let Some((own, security, host)) = place else {
            return Err(RefusedSettings(faults));
        };
        if let Some(domain) = &settings.cookie_domain {
            faults.extend(domain_fault(domain, &host));
        }
        match cookies::policy(&settings, security) {
            Ok(cookies) if faults.is_empty() => {
                let origins = OriginPolicy::new(own, trusted);
                Ok(Self {
                    settings,
                    cookies,
                    origins,
                    security,
                })
            }
            Ok(_) => Err(RefusedSettings(faults)),
            Err(fault) => {
                faults.push(fault);
                Err(RefusedSettings(faults))
            }
        }
    }

    /// Returns the settings as they were given.
    #[must_use]
    pub const fn settings(&self) -> &WebSettings {
        &self.settings
    }

    /// Returns where access tokens are looked for.
    #[must_use]
    pub fn locations(&self) -> Locations {
        self.settings.looked_at()
    }

    /// Tells whether any token is handed out in a cookie here. If none is, none is read.
    #[must_use]
    pub fn sets_cookies(&self) -> bool {
        self.settings.sets_cookies()
    }

    /// Returns the cookies.
    #[must_use]
    pub const fn cookies(&self) -> &CookiePolicy {
        &self.cookies
    }

    /// Returns whose pages may call us with cookies.
    #[must_use]
    pub const fn origins(&self) -> &OriginPolicy {
        &self.origins
    }

    /// Returns whether we are reached over https.
    #[must_use]
    pub const fn security(&self) -> Security {
        self.security
    }
}

fn place(settings: &WebSettings) -> Result<(Origin, Security, Host), SettingFault> {
    let refused = |reason: &str| SettingFault::new("public_url", reason);
    let expected = "expected an https URL without a path, such as `https://app.example.com`";
    let url = Url::parse(&settings.public_url).map_err(|_| refused(expected))?;
    let host = url.host().ok_or_else(|| refused(expected))?.to_owned();
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refused(expected));
    }
    let security = match url.scheme() {
        "https" => Security::Secure,
        "http" if is_loopback(&host) || settings.danger_allow_http => Security::Plain,
        "http" => {
            return Err(refused(
                "expected https: over http everyone on the way reads the tokens; \
                 put a TLS proxy in front, or set danger_allow_http in a test network",
            ));
        }
        _ => return Err(refused(expected)),
    };
    let own = Origin::parse(&url.origin().ascii_serialization()).map_err(|_| refused(expected))?;
    Ok((own, security, host))
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
    }
}

fn header_fault(name: &str) -> Option<SettingFault> {
    // RFC 9110 §5.6.2. Not one of the headers that a cross-site form can send by itself.
    let is_token = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let taken = [
        "accept",
        "authorization",
        "content-type",
        "cookie",
        "host",
        "origin",
        "referer",
    ];
    let is_free = !taken.iter().any(|header| header.eq_ignore_ascii_case(name));
    (!is_token || !is_free).then(|| {
        SettingFault::new(
            "http.csrf_header",
            "expected a header of its own, such as `x-csrf-token`",
        )
    })
}

fn delivery_faults(settings: &WebSettings) -> Vec<SettingFault> {
    let mut faults = Vec::new();
    if !settings.deliveries.contains(&settings.delivery) {
        let expected = "expected one of delivery.allowed";
        faults.push(SettingFault::new("delivery.default", expected));
    }
    let offered = settings.profile.deliveries();
    if settings
        .deliveries
        .iter()
        .any(|delivery| !offered.contains(delivery))
    {
        let expected = "expected `both` only under a profile whose system hands tokens out so";
        faults.push(SettingFault::new("delivery.allowed", expected));
    }
    faults
}

fn prefix_fault(prefix: &str) -> Option<SettingFault> {
    let is_path = prefix.len() > 1
        && prefix.starts_with('/')
        && !prefix.ends_with('/')
        && !prefix.contains("//")
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte))
        && !prefix
            .split('/')
            .any(|segment| segment == "." || segment == "..");
    (!is_path).then(|| SettingFault::new("http.prefix", "expected a path such as `/auth`"))
}

/// It stands in paths and cookie names.
fn kind_fault(kind: &str) -> Option<SettingFault> {
    let is_word = (1..=KIND_LEN_MAX).contains(&kind.len())
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let expected = "expected at most 32 lower-case letters, digits and hyphens, such as `admins`";
    (!is_word).then(|| SettingFault::new("kind", expected))
}

fn trusted_origins(settings: &WebSettings, faults: &mut Vec<SettingFault>) -> Vec<Origin> {
    let mut trusted = Vec::new();
    for origin in &settings.trusted_origins {
        match Origin::parse(origin) {
            Ok(origin) => trusted.push(origin),
            Err(fault) => faults.push(SettingFault::new(
                "trusted_origins",
                format!("{fault}, got `{origin}`: an exact origin such as `https://app.example.com`, no wildcard"),
            )),
        }
    }
    trusted
}

/// A domain that is a public suffix would hand the cookies to strangers (RFC 6265bis §5.7).
fn domain_fault(domain: &str, host: &Host) -> Option<SettingFault> {
    let refused = |reason: &str| Some(SettingFault::new("cookies.domain", reason));
    let Host::Domain(name) = host else {
        return refused("expected none: a cookie on an address has no domain");
    };
    if let Some(bare) = domain.strip_prefix('.') {
        // RFC 6265 §5.2.3: browsers take the dot away, and every host below has the cookie anyway.
        return refused(&format!("expected `{bare}`, without a dot in front"));
    }
    let is_parent = name
        .strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if !is_parent {
        return refused("expected the host of public_url, or a parent of it");
    }
    if psl::domain_str(domain).is_none() {
        return refused(
            "expected a domain of yours: this one is a public suffix, its hosts belong to strangers",
        );
    }
    None
}

#[cfg(test)]
mod tests;
