//! Where tokens and proofs are looked for in a request.

use super::WebSettings;
use crate::delivery::Carrier;
use crate::settings::SettingFault;
use hallpass_verify::{Location, Locations};

/// The longest name of a parameter, a member or a field, in bytes.
const NAME_LEN_MAX: usize = 64;
/// The longest name of a method, in bytes.
const METHOD_LEN_MAX: usize = 32;

impl WebSettings {
    /// Returns where access tokens are looked for.
    pub(super) fn looked_at(&self) -> Locations {
        let by_default = if self.sets_cookies() {
            Locations::default()
        } else {
            Locations::HEADER_ONLY
        };
        self.locations.unwrap_or(by_default)
    }

    /// Tells whether any delivery sets a cookie.
    pub(super) fn sets_cookies(&self) -> bool {
        let mut deliveries = self.deliveries.iter();
        deliveries.any(|delivery| delivery.puts_refresh_in(Carrier::Cookie))
    }
}

/// Returns what is wrong with where tokens and proofs are looked for.
pub(super) fn faults(settings: &WebSettings) -> Vec<SettingFault> {
    let names = [
        ("http.query_name", Some(&settings.query_name)),
        ("http.body_name", Some(&settings.body_name)),
        ("http.csrf_field", settings.csrf_field.as_ref()),
    ];
    let names = names.into_iter().filter_map(|(setting, name)| {
        let expected = "expected a name of at most 64 letters, digits, `-`, `.` and `_`";
        (!is_name(name?)).then(|| SettingFault::new(setting, expected))
    });
    names
        .chain(header_fault(settings))
        .chain(method_fault(settings))
        .chain(location_fault(settings))
        .collect()
}

fn is_name(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(is_fine)
}

fn header_fault(settings: &WebSettings) -> Option<SettingFault> {
    let header = settings.token_header.name();
    let expected = "expected another header than http.csrf_header";
    settings
        .csrf_header
        .eq_ignore_ascii_case(header)
        .then(|| SettingFault::new("http.token_header", expected))
}

/// Methods compare with case (RFC 9110 §9.1): one in lower case would be another method.
fn method_fault(settings: &WebSettings) -> Option<SettingFault> {
    let is_method = |name: &String| {
        let is_fine = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
        (1..=METHOD_LEN_MAX).contains(&name.len()) && name.bytes().all(is_fine)
    };
    let expected = "expected methods such as `GET`, in capitals";
    let all_fine = settings.csrf_also.iter().all(is_method);
    (!all_fine).then(|| SettingFault::new("http.csrf_also", expected))
}

/// A token that is handed out where nobody looks for it would never be good.
fn location_fault(settings: &WebSettings) -> Option<SettingFault> {
    let locations = settings.locations?;
    let hands_out = |carrier| {
        let mut deliveries = settings.deliveries.iter();
        deliveries.any(|delivery| delivery.puts_access_in(carrier))
    };
    let plain = [Location::Header, Location::Query, Location::Body];
    let is_read = plain.iter().any(|location| locations.contains(*location));
    let expected = if hands_out(Carrier::Cookie) && !locations.contains(Location::Cookie) {
        "expected `cookie` among them, or no delivery that puts an access token into one"
    } else if hands_out(Carrier::Body) && !is_read {
        "expected `header` among them, or no delivery that puts an access token into a body"
    } else {
        return None;
    };
    Some(SettingFault::new("http.locations", expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Delivery;
    use crate::web::Web;
    use hallpass_verify::TokenHeader;

    /// The settings that are refused after a change.
    fn refused(change: impl FnOnce(&mut WebSettings)) -> Vec<&'static str> {
        let mut settings = WebSettings::new("https://app.example.com");
        change(&mut settings);
        match Web::checked(settings) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.0.iter().map(|fault| fault.setting).collect(),
        }
    }

    fn locations(names: &str) -> Locations {
        let list: Vec<_> = names.split(' ').map(|name| name.parse().unwrap()).collect();
        Locations::new(&list).unwrap()
    }

    #[test]
    fn by_default_the_header_and_then_the_cookie_is_looked_at() {
        let looked_at = |deliveries: &[Delivery]| {
            let mut settings = WebSettings::new("https://app.example.com");
            settings.deliveries = deliveries.to_vec();
            settings.delivery = deliveries[0];
            Web::checked(settings).unwrap().locations()
        };
        assert_eq!(looked_at(&[Delivery::Cookie]), Locations::default());
        assert_eq!(looked_at(&[Delivery::Split]), Locations::default());
        assert_eq!(looked_at(&[Delivery::Body]), Locations::HEADER_ONLY);
    }

    #[test]
    fn a_token_is_looked_for_where_it_is_handed_out() {
        for (names, deliveries, is_fine) in [
            (
                "header cookie",
                &[Delivery::Cookie, Delivery::Body][..],
                true,
            ),
            (
                "cookie query header body",
                &[Delivery::Cookie, Delivery::Body],
                true,
            ),
            ("header", &[Delivery::Split, Delivery::Body], true),
            ("query", &[Delivery::Split], true),
            ("cookie", &[Delivery::Cookie], true),
            ("header", &[Delivery::Cookie], false),
            ("query body", &[Delivery::Body, Delivery::Cookie], false),
            ("cookie", &[Delivery::Cookie, Delivery::Split], false),
            ("cookie", &[Delivery::Body], false),
        ] {
            let faults = refused(|web| {
                web.locations = Some(locations(names));
                web.deliveries = deliveries.to_vec();
                web.delivery = deliveries[0];
            });
            let expected = if is_fine {
                &[][..]
            } else {
                &["http.locations"]
            };
            assert_eq!(faults, expected, "{names} {deliveries:?}");
        }
    }

    #[test]
    fn names_are_plain_and_of_bounded_length() {
        let long = "x".repeat(NAME_LEN_MAX);
        for name in ["token", "csrf_token", "a.b-C_9", &long] {
            let set = |web: &mut WebSettings| {
                web.query_name = name.into();
                web.body_name = name.into();
                web.csrf_field = Some(name.into());
            };
            assert!(refused(set).is_empty(), "{name}");
        }
        for name in [
            "",
            "a b",
            "a=b",
            "a&b",
            "a[]",
            "é",
            "%61",
            &format!("{long}x"),
        ] {
            let set = |web: &mut WebSettings| {
                web.query_name = name.into();
                web.body_name = name.into();
                web.csrf_field = Some(name.into());
            };
            let all = ["http.query_name", "http.body_name", "http.csrf_field"];
            assert_eq!(refused(set), all, "{name}");
        }
    }

    #[test]
    fn one_header_does_not_carry_both_tokens() {
        let faults = refused(|web| {
            web.token_header = TokenHeader::bare("X-Token").unwrap();
            web.csrf_header = "x-TOKEN".into();
        });
        assert_eq!(faults, ["http.token_header"]);
    }

    #[test]
    fn methods_are_named_in_capitals() {
        let with = |name: &str| refused(|web| web.csrf_also = vec!["GET".into(), name.into()]);
        for name in ["HEAD", "OPTIONS", "VERSION-CONTROL"] {
            assert!(with(name).is_empty(), "{name}");
        }
        for name in [
            "",
            "get",
            "G T",
            "GET,HEAD",
            "É",
            &"G".repeat(METHOD_LEN_MAX + 1),
        ] {
            assert_eq!(with(name), ["http.csrf_also"], "{name}");
        }
    }
}
