//! The vectors in `cookie-request-header.json`.

use super::*;
use serde_json::Value;

/// `\xNN` is that raw byte, `\uNNNN` that character in UTF-8.
fn unescape(text: &str) -> Vec<u8> {
    let mut pieces = text.split('\\');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        let digits = if piece.starts_with('x') { 3 } else { 5 };
        let number = u32::from_str_radix(&piece[1..digits], 16).unwrap();
        match digits {
            3 => bytes.push(u8::try_from(number).unwrap()),
            _ => bytes.extend(char::from_u32(number).unwrap().to_string().bytes()),
        }
        bytes.extend(piece[digits..].bytes());
    }
    bytes
}

fn lines(case: &Value) -> Vec<Vec<u8>> {
    match (&case["cookie"], case["id"].as_str().unwrap()) {
        // Written in the file as `<10006 bytes: …>` and `<100010 bytes: …>`.
        (_, "CH26") => vec![[&b"x=1; ".repeat(2_000)[..], b"at=AAA"].concat()],
        (_, "CH27") => vec![[b"x=", &b"y".repeat(100_000)[..], b"; at=AAA"].concat()],
        (Value::Array(lines), _) => lines
            .iter()
            .map(|line| unescape(line.as_str().unwrap()))
            .collect(),
        (line, _) => vec![unescape(line.as_str().unwrap())],
    }
}

/// What we answer where the file leaves a choice: all candidates are tried, one must verify.
fn expected(case: &Value) -> Option<Vec<String>> {
    let some = |values: &[&str]| Some(values.iter().map(|v| (*v).to_owned()).collect());
    match case["id"].as_str().unwrap() {
        "CH08" => some(&[]),
        "CH12" | "CH16" => some(&["EVIL", "AAA"]),
        "CH17" => None,
        "CH15" | "CH26" | "CH27" => some(&["AAA"]),
        _ => {
            assert!(
                case["expect_value"].as_str().unwrap().starts_with("AAA"),
                "{case}"
            );
            some(&["AAA"])
        }
    }
}

#[test]
fn every_vector_is_read_as_documented() {
    let file = include_str!("../../../tests/data/cookie-request-header.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 19);
    for case in cases {
        let lines = lines(case);
        let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
        let named_host = lines
            .iter()
            .any(|line| line.windows(9).any(|w| w == b"__Host-at"));
        let name = if named_host { "__Host-at" } else { "at" };
        assert_eq!(read(name, &lines), expected(case), "{case}");
    }
}
