//! A form body, read as strictly as a JSON one.

use std::collections::BTreeMap;
use url::form_urlencoded;

/// The most fields a form may have.
const FIELDS_MAX: usize = 32;

/// What the decoder puts in place of bytes that are no UTF-8. No field of ours has it.
const NOT_UTF8: char = '\u{fffd}';

/// Reads `application/x-www-form-urlencoded` in which no field stands twice (RFC 6749 §3.1).
/// `None` is a body that has too many fields, one twice, or bytes that are no UTF-8.
pub(super) fn parse(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    std::str::from_utf8(bytes).ok()?;
    let mut form = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let is_text = !name.contains(NOT_UTF8) && !value.contains(NOT_UTF8);
        let is_first = form.insert(name.into_owned(), value.into_owned()).is_none();
        if !is_text || !is_first || form.len() > FIELDS_MAX {
            return None;
        }
    }
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_and_libraries_write_it() {
        let form = parse(b"token=a.b-c_d&token_type_hint=access+token&x=%C3%A9&&y").unwrap();
        let fields: Vec<_> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [
            ("token", "a.b-c_d"),
            ("token_type_hint", "access token"),
            ("x", "\u{e9}"),
            ("y", ""),
        ];
        assert_eq!(fields, expected);
        assert!(parse(b"").unwrap().is_empty());
    }

    #[test]
    fn a_form_that_two_readers_may_read_in_two_ways_is_refused() {
        let many = |count: usize| {
            let fields: Vec<_> = (0..count).map(|at| format!("f{at}=x")).collect();
            fields.join("&").into_bytes()
        };
        assert!(parse(&many(FIELDS_MAX)).is_some());
        for form in [
            &b"token=a&token=a"[..],
            b"token=a&tok%65n=b",
            b"token&token=",
            b"token=\xff",
            b"token=%ff",
            b"%ff=x",
            b"token=\xef\xbf\xbd",
            &many(FIELDS_MAX + 1),
        ] {
            assert!(parse(form).is_none(), "{}", String::from_utf8_lossy(form));
        }
    }
}
