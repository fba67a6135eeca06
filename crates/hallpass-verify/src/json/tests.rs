use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    bytes_max: 1_000_000,
    depth_max: 8,
};

fn read(text: &str) -> Result<Value, JsonFault> {
    parse(text.as_bytes(), LIMITS)
}

#[test]
fn ordinary_json_reads_as_written() {
    let text = r#" {"a":[1,-2,3.5,1e3,true,false,null],"b":{"\u0063\n":"\ud83d\ude00é"},"":{}} "#;
    let expected: serde_json::Value = serde_json::from_str(text).unwrap();
    let value = read(text).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), expected);
    assert_eq!(serde_json::Value::from(value.clone()), expected);
    assert_eq!(
        value
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>(),
        ["a", "b", ""]
    );
}

#[test]
fn a_member_name_occurs_once_also_after_unescaping() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"x":[{"é":1,"\u00e9":2}]}"#,
        r#"{"/":1,"\/":1}"#,
    ] {
        assert_eq!(read(text), Err(JsonFault::Duplicate), "{text}");
    }
    assert!(read(r#"{"a":{"a":{"a":1}},"A":1}"#).is_ok());
}

#[test]
fn a_name_that_comes_again_is_found_among_few_and_among_many() {
    for len in [2, 15, 16, 17, 18, 500] {
        let mut names: Vec<_> = (0..len).map(|number| format!("\"m{number}\":0")).collect();
        assert!(read(&format!("{{{}}}", names.join(","))).is_ok(), "{len}");
        names[len - 1] = "\"m0\":1".into();
        let twice = format!("{{{}}}", names.join(","));
        assert_eq!(read(&twice), Err(JsonFault::Duplicate), "{len}");
    }
}

#[test]
fn what_is_not_rfc_8259_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1} x",
        "{}{}",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "0x1",
        "NaN",
        "Infinity",
        "-Infinity",
        "tru",
        "nul",
        "True",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"a\nb\"",
        "\"\t\"",
        "\u{feff}{}",
        "{}\0",
        "// c\n1",
        "\u{a0}1",
    ] {
        assert_eq!(read(text), Err(JsonFault::Syntax), "{text:?}");
    }
    assert_eq!(parse(b"\"\xff\"", LIMITS), Err(JsonFault::NotUtf8));
    assert_eq!(read("1e400"), Err(JsonFault::NumberTooBig));
}

#[test]
fn depth_and_length_are_limited() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(read(&nested(8)).is_ok());
    assert_eq!(read(&nested(9)), Err(JsonFault::TooDeep));
    assert_eq!(read(&"[".repeat(100_000)), Err(JsonFault::TooDeep));
    let short = Limits {
        bytes_max: 3,
        depth_max: 1,
    };
    assert!(parse(b"123", short).is_ok());
    assert_eq!(parse(b"1234", short), Err(JsonFault::TooLong));
}

#[test]
fn numbers_keep_their_kind() {
    assert_eq!(
        read("18446744073709551615").unwrap().as_u64(),
        Some(u64::MAX)
    );
    assert_eq!(read("1.0").unwrap().as_u64(), None);
    assert_eq!(read("-1").unwrap().as_u64(), None);
    let big = read("18446744073709551616").unwrap();
    assert!(
        matches!(big, Value::Number(number) if number.as_f64() == Some(18_446_744_073_709_551_616.0))
    );
}

#[test]
fn a_value_does_not_print_its_strings() {
    let value = read(r#"{"password":"hunter2","n":1}"#).unwrap();
    assert_eq!(
        format!("{value:?}"),
        r#"{"password": string(redacted), "n": 1}"#
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, LIMITS);
    }

    #[test]
    fn whatever_is_accepted_means_the_same_to_the_common_reader(
        text in r#"[\[\]{}:,"a\\u0-9eE+. -]{0,24}"#,
    ) {
        if let Ok(value) = read(&text) {
            let common: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::Value::from(value), common);
        }
    }
}
