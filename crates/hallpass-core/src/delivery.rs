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
    /// Both tokens in cookies and in the body: only for the profiles whose systems do so.
    ///
    /// # Security
    /// Page script reads the body of the answer that opens the session. A refresh by cookie puts
    /// no refresh token into a body, so script that comes later reads none.
    Both,
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
    pub const ALL: [Self; 4] = [Self::Cookie, Self::Split, Self::Body, Self::Both];

    /// Returns the name on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Split => "split",
            Self::Body => "body",
            Self::Both => "both",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|delivery| delivery.name() == name)
    }

    /// Tells whether the access token is handed out there.
    #[must_use]
    pub const fn puts_access_in(self, carrier: Carrier) -> bool {
        match carrier {
            Carrier::Cookie => matches!(self, Self::Cookie | Self::Both),
            Carrier::Body => matches!(self, Self::Split | Self::Body | Self::Both),
        }
    }

    /// Tells whether a refresh token is handed out there: it is good in no other place.
    #[must_use]
    pub const fn puts_refresh_in(self, carrier: Carrier) -> bool {
        match carrier {
            Carrier::Cookie => matches!(self, Self::Cookie | Self::Split | Self::Both),
            Carrier::Body => matches!(self, Self::Body | Self::Both),
        }
    }
}
