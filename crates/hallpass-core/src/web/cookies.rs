//! The names and attributes of the cookies.

use super::WebSettings;
use crate::settings::SettingFault;
use hallpass_verify::cookies::{Readable, SameSite, Security};
use hallpass_verify::{Cookie, CookiePolicy, CookieSettings};

/// Names of cookies; `None` is the default name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CookieNames {
    /// Of the access cookie: `__Host-hp_access`, with a domain `__Secure-hp_access`, over http
    /// `hp_access`; under another profile the name that its system has.
    pub access: Option<String>,
    /// Of the refresh cookie: `__Secure-hp_refresh`, over http `hp_refresh`.
    pub refresh: Option<String>,
    /// Of the CSRF cookie: like the access cookie's.
    pub csrf: Option<String>,
    /// Of a second CSRF cookie that goes with the refresh token, for front ends that look for two.
    /// The first one then goes with the access token. Default: there is one, for both.
    pub csrf_of_refresh: Option<String>,
}

/// What the cookies' SameSite says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameSites {
    /// Of the access cookie. Default: Lax.
    pub access: SameSite,
    /// Of the refresh cookie. Default: Strict.
    pub refresh: SameSite,
    /// Of the CSRF cookie. Default: Lax.
    pub csrf: SameSite,
}

impl Default for SameSites {
    fn default() -> Self {
        Self {
            access: SameSite::Lax,
            refresh: SameSite::Strict,
            csrf: SameSite::Lax,
        }
    }
}

/// Whether pages find the CSRF token in a cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CsrfCookie {
    /// A cookie that script can read goes with the tokens.
    #[default]
    Sent,
    /// None is set: the page takes the token from the body of the answer, or asks for it.
    NotSent,
}

/// Returns the checked cookies of these settings.
pub(super) fn policy(
    settings: &WebSettings,
    security: Security,
) -> Result<CookiePolicy, SettingFault> {
    let refused =
        |fault: hallpass_verify::CookieFault| SettingFault::new("cookies", fault.to_string());
    let shared = settings.cookie_domain.is_some() || settings.cookie_path != "/";
    let for_all_paths = match (security, shared) {
        (Security::Plain, _) => "",
        (Security::Secure, true) => "__Secure-",
        (Security::Secure, false) => "__Host-",
    };
    let for_one_path = if security == Security::Secure {
        "__Secure-"
    } else {
        ""
    };
    let names = &settings.cookie_names;
    let kind = settings.kind.as_ref().map(|kind| format!("{kind}_"));
    let kind = kind.unwrap_or_default();
    let [access, refresh, csrf] = match settings.profile.cookie_names() {
        None => [
            format!("{for_all_paths}hp_{kind}access"),
            format!("{for_one_path}hp_{kind}refresh"),
            format!("{for_all_paths}hp_{kind}csrf"),
        ],
        Some(theirs) => theirs.map(|name| format!("{kind}{name}")),
    };
    let cookie = |name: &Option<String>, default: String| CookieSettings {
        path: settings.cookie_path.clone(),
        domain: settings.cookie_domain.clone(),
        secure: security,
        partitioned: settings.partitioned,
        ..CookieSettings::new(name.clone().unwrap_or(default))
    };
    let access = CookieSettings {
        same_site: settings.same_site.access,
        ..cookie(&names.access, access)
    };
    let path = settings.refresh_cookie_path.as_ref();
    let refresh = CookieSettings {
        path: path.unwrap_or(&settings.prefix).clone(),
        same_site: settings.same_site.refresh,
        ..cookie(&names.refresh, refresh)
    };
    let csrf = |name: &Option<String>| CookieSettings {
        same_site: settings.same_site.csrf,
        http_only: Readable::Script,
        ..cookie(name, csrf.clone())
    };
    let checked = |settings| Cookie::checked(settings).map_err(refused);
    let retired = settings.retired_cookies.iter().cloned().map(checked);
    let retired = retired.collect::<Result<Vec<_>, _>>()?;
    let second = names.csrf_of_refresh.as_ref();
    let second = second.map(|_| checked(csrf(&names.csrf_of_refresh)));
    let csrf = checked(csrf(&names.csrf))?;
    let policy = CookiePolicy::checked(checked(access)?, checked(refresh)?, csrf, retired);
    let policy = policy.map_err(refused)?;
    match second.transpose()? {
        Some(second) => policy.with_csrf_of_refresh(second).map_err(refused),
        None => Ok(policy),
    }
}
