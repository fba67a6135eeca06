use super::*;
use proptest::prelude::*;

/// Reads a stream in the chunks it comes in.
fn read<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Result<Vec<Event>, SseFault> {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for mut chunk in chunks {
        while let Some(event) = parser.next(&mut chunk)? {
            events.push(event);
        }
        assert!(chunk.is_empty());
        assert!(parser.line.len() <= LINE_LEN_MAX && parser.data.len() <= EVENT_LEN_MAX);
    }
    Ok(events)
}

fn told(stream: &str) -> Vec<(String, String, String)> {
    let events = read([stream.as_bytes()]).unwrap().into_iter();
    events
        .map(|event| (event.name, event.data, event.last_id))
        .collect()
}

fn check(stream: &str, expected: &[(&str, &str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, data, id)| ((*name).into(), (*data).into(), (*id).into()))
        .collect();
    assert_eq!(told(stream), expected, "{stream:?}");
}

#[test]
fn an_event_is_what_the_standard_says() {
    check("event: a\nid: 7\ndata: x\n\n", &[("a", "x", "7")]);
    check("data:x\n\n", &[("", "x", "")]);
    check("data:  x\n\n", &[("", " x", "")]);
    check("data: x\ndata\ndata: y\n\n", &[("", "x\n\ny", "")]);
    check("data\n\n", &[("", "", "")]);
    check("data: a:b\n\n", &[("", "a:b", "")]);
    check(": comment\n:\n\ndata: x\n\n", &[("", "x", "")]);
    check("retry: 1\nfoo: bar\nfoo\ndata: x\n\n", &[("", "x", "")]);
    check("\u{feff}data: x\n\n", &[("", "x", "")]);
    check("data: x\n\n\u{feff}data: y\n\n", &[("", "x", "")]);
    check("Data: x\n data: y\n\n", &[]);
}

#[test]
fn the_name_ends_with_the_event_and_the_id_stays() {
    check(
        "event: a\nid: 7\ndata: x\n\ndata: y\n\nid\ndata: z\n\n",
        &[("a", "x", "7"), ("", "y", "7"), ("", "z", "")],
    );
    check("event: a\n\ndata: x\n\n", &[("", "x", "")]);
    check("id: 7\n\ndata: x\n\n", &[("", "x", "7")]);
    check("id: 7\nid: 8\0\ndata: x\n\n", &[("", "x", "7")]);
}

#[test]
fn lines_end_with_lf_cr_or_both() {
    let expected = [("a", "x\ny", "")];
    check("event: a\ndata: x\ndata: y\n\n", &expected);
    check("event: a\rdata: x\rdata: y\r\r", &expected);
    check("event: a\r\ndata: x\r\ndata: y\r\n\r\n", &expected);
    check("event: a\r\ndata: x\ndata: y\r\r", &expected);
    check(
        "data: x\r\n\r\ndata: y\r\n\r\n",
        &[("", "x", ""), ("", "y", "")],
    );
}

#[test]
fn an_event_without_its_end_is_no_event() {
    for cut in ["data: x", "data: x\n", "event: a\r\ndata: x\r\n"] {
        check(cut, &[]);
    }
    check("data: x\r\n\r", &[("", "x", "")]);
}

#[test]
fn what_is_too_long_or_no_text_is_a_fault() {
    let line = |len: usize| format!("data: {}\n", "x".repeat(len - "data: ".len()));
    assert!(read([line(LINE_LEN_MAX).as_bytes()]).is_ok());
    let too_long = read([line(LINE_LEN_MAX + 1).as_bytes()]);
    assert_eq!(too_long, Err(SseFault::LineTooLong));
    let endless = vec![b'x'; 65_536];
    assert_eq!(read(vec![&endless[..]; 9]), Err(SseFault::LineTooLong));
    let half = line(LINE_LEN_MAX);
    assert!(read([half.as_bytes(), half.as_bytes()]).is_ok());
    let three = read([half.as_bytes(), half.as_bytes(), half.as_bytes()]);
    assert_eq!(three, Err(SseFault::EventTooLong));
    assert_eq!(read([&b"data: \xff\n"[..]]), Err(SseFault::NotUtf8));
    assert_eq!(read([&b": \xc3\n"[..]]), Err(SseFault::NotUtf8));
}

#[test]
fn endless_short_lines_are_not_kept() {
    let mut parser = Parser::default();
    for _ in 0..100_000 {
        let mut chunk = &b"garbage: x\n: y\nid: 1\n\n"[..];
        assert_eq!(parser.next(&mut chunk), Ok(None));
    }
    assert_eq!(parser.lines(), 400_000);
    assert!(parser.data.capacity() + parser.line.capacity() + parser.last_id.capacity() < 200);
}

/// Streams that are mostly right.
fn stream() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\r"),
        Just("\r\n"),
        Just("\n\n"),
        Just("\u{feff}"),
        Just("data: x"),
        Just("data:é"),
        Just("data"),
        Just("event: a"),
        Just("id: 7"),
        Just(": beat"),
        Just(":"),
        Just(" "),
        Just("\0"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn it_does_not_matter_where_a_stream_is_cut(
        stream in stream(),
        cuts in proptest::collection::vec(0..200_usize, 0..8),
    ) {
        let bytes = stream.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]);
        prop_assert_eq!(read(chunks), read([bytes]));
        prop_assert_eq!(read(bytes.chunks(1)), read([bytes]));
    }

    #[test]
    fn no_bytes_make_it_panic(chunks in any::<Vec<Vec<u8>>>()) {
        let _ = read(chunks.iter().map(Vec::as_slice));
    }
}
