//! Against the crate `cookie`, where both are defined: it decodes nothing with `split_parse`, but
//! trims names behind, so names with a blank behind them are left out.

use super::*;

fn reference(name: &str, line: &str) -> Option<Vec<String>> {
    let mut values: Vec<String> = Vec::new();
    for pair in ::cookie::Cookie::split_parse(line).flatten() {
        let value = pair.value();
        if pair.name() == name && !value.is_empty() && !values.iter().any(|v| v == value) {
            values.push(value.to_owned());
        }
    }
    (values.len() <= CANDIDATES_MAX).then_some(values)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn our_reader_agrees_with_the_crate_cookie(
        pairs in proptest::collection::vec(
            ("[ \t]{0,2}", "(at|aat|ata|a|t|x|AT)", "[at=!#x.]{0,4}", "[ \t]{0,2}"),
            0..9,
        )
    ) {
        let pairs: Vec<_> =
            pairs.iter().map(|(a, name, value, b)| format!("{a}{name}={value}{b}")).collect();
        let line = pairs.join(";");
        prop_assert_eq!(read("at", &[line.trim().as_bytes()]), reference("at", &line));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic_and_as_the_plain_rule_says(
        line in proptest::collection::vec(
            prop_oneof![Just(b'a'), Just(b't'), Just(b'='), Just(b';'), Just(b' '), 0x20u8..=0x7e, 0x80u8..],
            0..60,
        )
    ) {
        prop_assert_eq!(read("at", &[&line]), plain_rule(&line));
    }
}

/// The rule of the documentation, written down without any cleverness.
fn plain_rule(line: &[u8]) -> Option<Vec<String>> {
    let mut values = Vec::new();
    for pair in line.split(|byte| *byte == b';') {
        let blanks = pair.iter().take_while(|byte| b" \t".contains(byte)).count();
        let Some(value) = pair[blanks..].strip_prefix(b"at=") else {
            continue;
        };
        let trailing = value
            .iter()
            .rev()
            .take_while(|byte| b" \t".contains(byte))
            .count();
        let value = &value[..value.len() - trailing];
        if !value.iter().all(|byte| (0x21..=0x7e).contains(byte)) {
            return None;
        }
        let value = String::from_utf8(value.to_vec()).unwrap();
        if !value.is_empty() && !values.contains(&value) {
            values.push(value);
        }
    }
    (values.len() <= 4).then_some(values)
}
