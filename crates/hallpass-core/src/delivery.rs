//! How tokens are handed out.

/// How the tokens of a session are handed out: chosen when it is opened, kept while it lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Delivery {
    /// Both tokens in HttpOnly cookies: browser apps on one site.
    #[default]
    Cookie,
    /// The access token in the body, to be kept in memory; the refresh token in an HttpOnly
    /// cookie: browser apps with an API elsewhere, the dual-location pattern.
    Split,
    /// Both tokens in the body: mobile, desktop, command line, services.
    Body,
}

/// Where one token travels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Carrier {
    /// An HttpOnly cookie.
    Cookie,
    /// The JSON body.
    Body,
}

impl Delivery {
    /// Every delivery there is.
    pub const ALL: [Self; 3] = [Self::Cookie, Self::Split, Self::Body];

    /// Returns the name on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Split => "split",
            Self::Body => "body",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|delivery| delivery.name() == name)
    }

    /// Returns where the access token travels.
    #[must_use]
    pub const fn access(self) -> Carrier {
        match self {
            Self::Cookie => Carrier::Cookie,
            Self::Split | Self::Body => Carrier::Body,
        }
    }

    /// Returns where the refresh token travels, both ways: it is good in no other place.
    #[must_use]
    pub const fn refresh(self) -> Carrier {
        match self {
            Self::Cookie | Self::Split => Carrier::Cookie,
            Self::Body => Carrier::Body,
        }
    }
}
