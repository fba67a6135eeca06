//! The cookies of one deployment.

use super::{Cookie, CookieFault};

/// The access, refresh and CSRF cookie of a deployment, and those it used to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CookiePolicy {
    access: Cookie,
    refresh: Cookie,
    csrf: Cookie,
    csrf_of_refresh: Option<Cookie>,
    retired: Vec<Cookie>,
}

impl CookiePolicy {
    /// Takes the cookies of a deployment. `retired` ones are deleted wherever ours are set.
    ///
    /// # Errors
    /// When two live cookies have one name, or when a retired one is in use.
    pub fn checked(
        access: Cookie,
        refresh: Cookie,
        csrf: Cookie,
        retired: Vec<Cookie>,
    ) -> Result<Self, CookieFault> {
        let live = [&access, &refresh, &csrf];
        if access.name() == refresh.name()
            || access.name() == csrf.name()
            || refresh.name() == csrf.name()
        {
            return Err(CookieFault::NamesClash);
        }
        if retired
            .iter()
            .any(|old| live.iter().any(|cookie| is_same_slot(old, cookie)))
        {
            return Err(CookieFault::RetiredInUse);
        }
        Ok(Self {
            access,
            refresh,
            csrf,
            csrf_of_refresh: None,
            retired,
        })
    }

    /// Takes a second CSRF cookie, which goes with the refresh token; the first one then goes with
    /// the access token.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn with_csrf_of_refresh(self, cookie: Cookie) -> Result<Self, CookieFault> {
        let live = [&self.access, &self.refresh, &self.csrf];
        if live.iter().any(|other| other.name() == cookie.name()) {
            return Err(CookieFault::NamesClash);
        }
        if self.retired.iter().any(|old| is_same_slot(old, &cookie)) {
            return Err(CookieFault::RetiredInUse);
        }
        Ok(Self {
            csrf_of_refresh: Some(cookie),
            ..self
        })
    }

    /// Returns the cookie that carries the access token.
    #[must_use]
    pub const fn access(&self) -> &Cookie {
        &self.access
    }

    /// Returns the cookie that carries the refresh token.
    #[must_use]
    pub const fn refresh(&self) -> &Cookie {
        &self.refresh
    }

    /// Returns the cookie that hands the CSRF token to the page's scripts. It proves nothing.
    #[must_use]
    pub const fn csrf(&self) -> &Cookie {
        &self.csrf
    }

    /// Returns the second CSRF cookie, which goes with the refresh token, if there is one.
    #[must_use]
    pub const fn csrf_of_refresh(&self) -> Option<&Cookie> {
        self.csrf_of_refresh.as_ref()
    }

    /// Returns the cookies to delete.
    #[must_use]
    pub fn retired(&self) -> &[Cookie] {
        &self.retired
    }
}

/// Tells whether setting one overwrites the other (RFC 6265bis §5.7, and CHIPS for partitions).
fn is_same_slot(left: &Cookie, right: &Cookie) -> bool {
    let (left, right) = (left.settings(), right.settings());
    let domain = |domain: &Option<String>| domain.as_ref().map(|text| text.to_ascii_lowercase());
    left.name == right.name
        && left.path == right.path
        && left.partitioned == right.partitioned
        && domain(&left.domain) == domain(&right.domain)
}
