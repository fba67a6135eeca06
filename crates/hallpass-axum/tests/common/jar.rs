//! A cookie jar that does what browsers do with the cookies of one host (RFC 6265bis §5.7).

use hallpass_verify::Timestamp;
use std::time::Duration;

/// A `Set-Cookie` line, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) path: Option<String>,
    pub(crate) domain: Option<String>,
    pub(crate) same_site: Option<String>,
    pub(crate) max_age_seconds: Option<u64>,
    pub(crate) expires: Option<String>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) partitioned: bool,
}

impl SetCookie {
    pub(crate) fn parse(line: &str) -> Self {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let mut cookie = Self {
            name: name.into(),
            value: value.into(),
            path: None,
            domain: None,
            same_site: None,
            max_age_seconds: None,
            expires: None,
            secure: false,
            http_only: false,
            partitioned: false,
        };
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            match attribute {
                "Path" => cookie.path = Some(value.into()),
                "Domain" => cookie.domain = Some(value.into()),
                "SameSite" => cookie.same_site = Some(value.into()),
                "Max-Age" => cookie.max_age_seconds = Some(value.parse().unwrap()),
                "Expires" => cookie.expires = Some(value.into()),
                "Secure" => cookie.secure = true,
                "HttpOnly" => cookie.http_only = true,
                "Partitioned" => cookie.partitioned = true,
                other => panic!("unknown attribute {other}"),
            }
        }
        cookie
    }

    pub(crate) fn clears(&self) -> bool {
        self.max_age_seconds == Some(0)
    }

    /// What makes it another cookie than its namesakes.
    fn slot(&self) -> (&str, Option<&str>, Option<&str>, bool) {
        let (path, domain) = (self.path.as_deref(), self.domain.as_deref());
        (&self.name, path, domain, self.partitioned)
    }

    /// Whether a browser takes it at all.
    fn is_honoured(&self, over_https: bool) -> bool {
        let host = !self.name.starts_with("__Host-")
            || (self.domain.is_none() && self.path.as_deref() == Some("/"));
        let prefixed = self.name.starts_with("__Host-") || self.name.starts_with("__Secure-");
        let secure = !prefixed || self.secure;
        let none = self.same_site.as_deref() != Some("None") || self.secure;
        let reachable = over_https || !self.secure;
        let small = self.name.len() + self.value.len() <= 4096;
        host && secure && none && reachable && small
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) cookie: SetCookie,
    until: Option<Timestamp>,
}

/// The cookies of one browser for one host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(pub(crate) Vec<Kept>);

impl Jar {
    /// Does what a `Set-Cookie` line asks, unless a browser would not.
    pub(crate) fn take(&mut self, cookie: SetCookie, now: Timestamp, over_https: bool) {
        if !cookie.is_honoured(over_https) {
            return;
        }
        self.0.retain(|kept| kept.cookie.slot() != cookie.slot());
        if !cookie.clears() {
            let lifetime = cookie.max_age_seconds.map(Duration::from_secs);
            let until = lifetime.map(|lifetime| now.plus(lifetime));
            self.0.push(Kept { cookie, until });
        }
    }

    /// A browser whose clock is behind keeps cookies too long.
    pub(crate) fn forget_expiry(&mut self) {
        for kept in &mut self.0 {
            kept.until = None;
        }
    }

    /// Returns the `Cookie` header for a path.
    pub(crate) fn header(&self, path: &str, now: Timestamp, over_https: bool) -> Option<String> {
        let mut sent: Vec<_> = self
            .0
            .iter()
            .filter(|kept| kept.until.is_none_or(|until| now < until))
            .map(|kept| &kept.cookie)
            .filter(|cookie| over_https || !cookie.secure)
            .filter(|cookie| matches_path(cookie.path.as_deref().unwrap_or("/"), path))
            .collect();
        // Longer paths go first (RFC 6265bis §5.8.3).
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.as_ref().map(String::len)));
        let pairs: Vec<_> = sent
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Returns the value under a name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let kept = self.0.iter().find(|kept| kept.cookie.name == name)?;
        Some(&kept.cookie.value)
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self
            .0
            .iter()
            .map(|kept| kept.cookie.name.as_str())
            .collect();
        names.sort_unstable();
        names
    }
}

fn matches_path(cookie_path: &str, path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}
