//! A token in the query of an address (RFC 6750 §2.3).

use super::{Found, token68};
use std::borrow::Cow;

/// Returns the token that stands in a query under `name`.
///
/// Names and values are read as forms have them: `+` is a blank, `%` and two hex digits are a byte.
/// The name twice, however it is written, an empty value, a value that cannot be decoded, or one of
/// other bytes than `token68` is malformed.
pub(crate) fn in_query<'r>(name: &str, query: &'r str) -> Found<Cow<'r, str>> {
    let mut values = query.split('&').filter_map(|pair| {
        let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
        is_named(own, name).then_some(value)
    });
    let value = match (values.next(), values.next()) {
        (None, _) => return Found::Absent,
        (Some(value), None) => value,
        _ => return Found::Malformed,
    };
    let token = match decoded(value) {
        None => None,
        Some(Cow::Borrowed(value)) => token68(value).map(Cow::Borrowed),
        Some(Cow::Owned(value)) => token68(&value).map(|text| Cow::Owned(text.to_owned())),
    };
    token.map_or(Found::Malformed, Found::Present)
}

/// Tells whether a name, as it is written, is this one. What cannot be decoded is another.
fn is_named(written: &str, name: &str) -> bool {
    written == name || decoded(written).is_some_and(|own| *own == *name.as_bytes())
}

/// Decodes a name or a value of a form; `None` when a `%` is not followed by two hex digits.
fn decoded(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    Some(Cow::Owned(out))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Found<&str>) {
        let found = in_query("access_token", query);
        assert_eq!(
            found.map(Cow::into_owned),
            expected.map(str::to_owned),
            "{query}"
        );
    }

    #[test]
    fn a_token_is_found_among_other_parameters() {
        check("access_token=a.b-c_d", Found::Present("a.b-c_d"));
        check("x=1&access_token=abc&y", Found::Present("abc"));
        check("access_token=abc=", Found::Present("abc="));
        check("&&access_token=abc&", Found::Present("abc"));
    }

    #[test]
    fn names_and_values_are_decoded_as_forms_have_them() {
        check("access_token=a%2Eb%2ec", Found::Present("a.b.c"));
        check("access%5Ftoken=abc", Found::Present("abc"));
        check("%61ccess_token=abc", Found::Present("abc"));
        // Decoded once.
        check("access%255Ftoken=abc", Found::Absent);
        check("access_token=a%252Eb", Found::Malformed);
    }

    #[test]
    fn another_name_is_another_parameter() {
        for query in [
            "",
            "Access_Token=abc",
            "access_token2=abc",
            "xaccess_token=abc",
            "access_token%00=abc",
            "access+token=abc",
            "access_token[]=abc",
            "x=access_token=abc",
            "%zzaccess_token=abc",
            "access_token%=abc",
            "access_token;x=abc",
        ] {
            check(query, Found::Absent);
        }
    }

    #[test]
    fn a_parameter_that_comes_twice_or_cannot_be_a_token_is_not_absent() {
        for query in [
            "access_token",
            "access_token=",
            "access_token==",
            "access_token=abc&access_token=abc",
            "access_token=abc&access%5Ftoken=def",
            "access_token&access_token=abc",
            "access_token=a+b",
            "access_token=a%20b",
            "access_token=%",
            "access_token=a%2",
            "access_token=a%zz",
            "access_token=a%00",
            "access_token=%C3%A9",
            "access_token=é",
            "access_token=a,b",
        ] {
            check(query, Found::Malformed);
        }
    }
}
