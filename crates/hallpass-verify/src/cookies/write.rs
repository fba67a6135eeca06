//! `Set-Cookie` lines (RFC 6265bis §4.1).

use super::{Cookie, CookieFault};
use crate::transport::every;
use http::HeaderValue;
use std::time::Duration;

/// The longest name and value together, in bytes: browsers silently drop what is longer
/// (RFC 6265bis §5.6).
pub const COOKIE_LEN_MAX: usize = 4096;

/// The longest lifetime: 400 days, where browsers cut it (RFC 6265bis §5.5).
pub const LIFETIME_MAX: Duration = Duration::from_hours(400 * 24);

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lifetime {
    /// Until the browser is closed.
    Session,
    /// As long as this, rounded down to seconds; at most [`LIFETIME_MAX`].
    MaxAge(Duration),
}

impl Cookie {
    /// Returns the `Set-Cookie` line that sets the cookie. It is marked as sensitive.
    ///
    /// # Errors
    /// When the value is empty or holds other characters than base64url's, `.` and `~`; when name
    /// and value are longer than [`COOKIE_LEN_MAX`]; when the lifetime is over [`LIFETIME_MAX`].
    pub fn set(&self, value: &str, lifetime: Lifetime) -> Result<HeaderValue, CookieFault> {
        let is_safe =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if value.is_empty() || !every(value.as_bytes(), is_safe) {
            return Err(CookieFault::Value);
        }
        let name = self.name.as_str();
        if name.len() + value.len() > COOKIE_LEN_MAX {
            return Err(CookieFault::TooLong);
        }
        let line = match lifetime {
            Lifetime::Session => [name, "=", value, &self.attributes].concat(),
            Lifetime::MaxAge(span) if span <= LIFETIME_MAX => {
                let seconds = span.as_secs();
                let attributes = &self.attributes;
                format!("{name}={value}; Max-Age={seconds}{attributes}")
            }
            Lifetime::MaxAge(_) => return Err(CookieFault::LifetimeTooLong),
        };
        let mut line = HeaderValue::try_from(line).map_err(|_| CookieFault::Value)?;
        line.set_sensitive(true);
        Ok(line)
    }

    /// Returns the `Set-Cookie` line that deletes the cookie.
    ///
    /// It repeats name, path, domain, Secure, `SameSite`, `HttpOnly` and Partitioned: without them
    /// browsers keep the cookie (RFC 6265bis §5.7).
    #[must_use]
    pub fn clear(&self) -> HeaderValue {
        self.clearing.clone()
    }
}
