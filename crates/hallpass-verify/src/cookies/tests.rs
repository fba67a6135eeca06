mod differential;
mod policy;
mod reading;
mod settings;
mod vectors;
mod writing;

use super::*;
use crate::Found;
use http::HeaderMap;
use proptest::prelude::*;
use std::time::Duration;

fn plain(name: &str) -> CookieSettings {
    CookieSettings {
        secure: Security::Plain,
        ..CookieSettings::new(name)
    }
}

fn cookie(name: &str) -> Cookie {
    let secure = if name.starts_with("__") {
        Security::Secure
    } else {
        Security::Plain
    };
    Cookie::checked(CookieSettings {
        secure,
        ..plain(name)
    })
    .unwrap()
}

fn request(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("cookie", HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

/// Reads the cookie `name`: `None` for malformed, no values for absent.
fn read(name: &str, lines: &[&[u8]]) -> Option<Vec<String>> {
    match cookie(name).read(&request(lines)) {
        Found::Absent => Some(Vec::new()),
        Found::Present(values) => {
            assert_eq!(values.iter().count(), values.len());
            Some(values.iter().map(str::to_owned).collect())
        }
        Found::Malformed => None,
    }
}

#[track_caller]
fn check(name: &str, lines: &[&[u8]], expected: &[&str]) {
    let expected = expected.iter().map(|value| (*value).to_owned()).collect();
    assert_eq!(read(name, lines), Some(expected), "{name} in {lines:?}");
}
