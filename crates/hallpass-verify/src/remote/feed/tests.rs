use super::*;
use proptest::prelude::*;

const SID: &str = "BwcHBwcHBwcHBwcHBwcHBw";

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn read(text: &str) -> Result<Vec<Entry>, FeedFault> {
    entries(text.as_bytes())
}

#[test]
fn each_kind_of_entry_is_read() {
    let list = format!(r#"[["s","{SID}",7],["u","alice",8],["t","jti-1",9],["k","kid-1",10]]"#);
    let expected = [
        (Revoked::Session(SessionId::from_bytes([7; 16])), 7),
        (Revoked::User(UserId::parse("alice").unwrap()), 8),
        (Revoked::Token("jti-1".into()), 9),
        (Revoked::Key("kid-1".into()), 10),
    ];
    let expected = expected.map(|(revoked, seconds)| Entry {
        revoked,
        at: at(seconds),
    });
    assert_eq!(read(&list), Ok(expected.to_vec()));
    assert_eq!(read("[]"), Ok(Vec::new()));
}

#[test]
fn entries_of_an_unknown_kind_are_passed_over_whatever_they_hold() {
    let list = r#"[["x"],["S","a",1],["device",{"a":[1]},null],["",1,2,3],["t","a",1]]"#;
    let read = read(list).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].revoked, Revoked::Token("a".into()));
}

#[test]
fn a_broken_entry_of_a_known_kind_is_a_fault_and_not_passed_over() {
    let long = "a".repeat(256);
    for wrong in [
        r#"["s","short",1]"#,
        r#"["s","BwcHBwcHBwcHBwcHBwcHBx",1]"#,
        r#"["s",7,1]"#,
        r#"["s"]"#,
        r#"["t","a"]"#,
        r#"["t","a",1,2]"#,
        r#"["t","a","1"]"#,
        r#"["t","a",-1]"#,
        r#"["t","a",1.5]"#,
        r#"["t","a",253402300800]"#,
        r#"["t","",1]"#,
        r#"["u","",1]"#,
        r#"["u","a\n",1]"#,
        r#"["k","",1]"#,
        r#"["k",null,1]"#,
        &format!(r#"["t","{long}",1]"#),
        &format!(r#"["k","{long}",1]"#),
        &format!(r#"["u","{long}",1]"#),
        "[]",
        "[1]",
        "{}",
        "null",
    ] {
        let list = format!(r#"[["t","good",1],{wrong}]"#);
        assert_eq!(read(&list), Err(FeedFault::Entry), "{wrong}");
    }
    for no_list in ["{}", "null", "7", r#""s""#] {
        assert_eq!(read(no_list), Err(FeedFault::Entry), "{no_list}");
    }
    for no_json in ["", "[", "[]]", "[] x", "\u{feff}[]", "{\"a\":1,\"a\":2}"] {
        assert_eq!(read(no_json), Err(FeedFault::Json), "{no_json}");
    }
    assert_eq!(entries(b"[\"\xff\"]"), Err(FeedFault::Json));
}

#[test]
fn more_entries_or_bytes_than_the_limit_are_a_fault() {
    let list = |count| format!("[{}]", vec![r#"["t","a",1]"#; count].join(","));
    assert_eq!(
        read(&list(ENTRIES_MAX)).map(|read| read.len()),
        Ok(ENTRIES_MAX)
    );
    assert_eq!(read(&list(ENTRIES_MAX + 1)), Err(FeedFault::TooMany));
    let blanks = " ".repeat(FEED_LEN_MAX);
    assert_eq!(read(&format!("[]{blanks}")), Err(FeedFault::Json));
    let deep = format!("{}{}", "[".repeat(9), "]".repeat(9));
    assert_eq!(read(&deep), Err(FeedFault::Json));
}

#[test]
fn the_longest_names_of_a_full_event_fit_the_limit() {
    let name = r#"\""#.repeat(255);
    let entry = format!(r#"["u","{name}",253402300799]"#);
    let list = format!("[{}]", vec![entry; ENTRIES_MAX].join(","));
    assert_eq!(read(&list).map(|read| read.len()), Ok(ENTRIES_MAX));
}

#[test]
fn a_page_needs_all_its_members_and_may_have_others() {
    let page =
        br#"{"cursor":"12","kept_seconds":920,"more":true,"entries":[["t","a",1]],"new":[]}"#;
    let page = Page::read(page).unwrap();
    assert_eq!(page.cursor.as_str(), "12");
    assert_eq!(
        (page.kept, page.more),
        (Duration::from_secs(920), More::Yes)
    );
    assert_eq!(page.entries.len(), 1);
    for (wrong, fault) in [
        (
            r#"{"kept_seconds":9,"more":false,"entries":[]}"#,
            FeedFault::Members,
        ),
        (
            r#"{"cursor":1,"kept_seconds":9,"more":false,"entries":[]}"#,
            FeedFault::Cursor,
        ),
        (
            r#"{"cursor":"","kept_seconds":9,"more":false,"entries":[]}"#,
            FeedFault::Cursor,
        ),
        (
            r#"{"cursor":"1","more":false,"entries":[]}"#,
            FeedFault::Members,
        ),
        (
            r#"{"cursor":"1","kept_seconds":0,"more":false,"entries":[]}"#,
            FeedFault::Members,
        ),
        (
            r#"{"cursor":"1","kept_seconds":9,"more":0,"entries":[]}"#,
            FeedFault::Members,
        ),
        (
            r#"{"cursor":"1","kept_seconds":9,"entries":[]}"#,
            FeedFault::Members,
        ),
        (
            r#"{"cursor":"1","kept_seconds":9,"more":false}"#,
            FeedFault::Members,
        ),
        (
            r#"{"cursor":"1","kept_seconds":9,"more":false,"entries":{}}"#,
            FeedFault::Entry,
        ),
        ("[]", FeedFault::Members),
        ("<html>", FeedFault::Json),
    ] {
        assert_eq!(Page::read(wrong.as_bytes()), Err(fault), "{wrong}");
    }
}

#[test]
fn the_first_event_tells_how_long_and_how_often() {
    let hello = Hello::read(br#"{"kept_seconds":920,"heartbeat_seconds":5}"#).unwrap();
    assert_eq!(hello.kept, Duration::from_secs(920));
    assert_eq!(hello.heartbeat, Duration::from_secs(5));
    for wrong in [
        r#"{"kept_seconds":920}"#,
        r#"{"heartbeat_seconds":5}"#,
        r#"{"kept_seconds":0,"heartbeat_seconds":5}"#,
        r#"{"kept_seconds":920,"heartbeat_seconds":0}"#,
        r#"{"kept_seconds":920,"heartbeat_seconds":301}"#,
        r#"{"kept_seconds":604801,"heartbeat_seconds":5}"#,
        r#"{"kept_seconds":"920","heartbeat_seconds":5}"#,
        r#"{"kept_seconds":9.5,"heartbeat_seconds":5}"#,
    ] {
        assert_eq!(
            Hello::read(wrong.as_bytes()),
            Err(FeedFault::Members),
            "{wrong}"
        );
    }
}

#[test]
fn a_cursor_is_short_and_visible() {
    assert!(Cursor::parse("0").is_ok());
    assert!(Cursor::parse(&"~".repeat(64)).is_ok());
    for wrong in ["", " ", "a b", "a\r\nX: y", "é", "\u{7f}", &"1".repeat(65)] {
        assert_eq!(Cursor::parse(wrong), Err(FeedFault::Cursor), "{wrong:?}");
    }
}

/// A page, with something else at one place.
fn damaged_page() -> impl Strategy<Value = Vec<u8>> {
    let page = format!(
        r#"{{"cursor":"12","kept_seconds":920,"more":false,"entries":[["s","{SID}",1],["k","b",2]]}}"#
    );
    let len = page.len();
    (0..len, 0..4_usize, any::<Vec<u8>>()).prop_map(move |(at, gone, other)| {
        let mut bytes = page.clone().into_bytes();
        bytes.splice(at..(at + gone).min(len), other);
        bytes
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = (entries(&bytes), Page::read(&bytes), Hello::read(&bytes));
    }

    #[test]
    fn whatever_is_read_of_a_damaged_page_is_within_the_limits(bytes in damaged_page()) {
        let _ = (entries(&bytes), Hello::read(&bytes));
        if let Ok(page) = Page::read(&bytes) {
            prop_assert!(page.entries.len() <= ENTRIES_MAX);
            prop_assert!(Cursor::parse(page.cursor.as_str()).is_ok());
            prop_assert!(page.kept >= Duration::from_secs(1));
        }
    }
}
