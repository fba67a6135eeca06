use super::*;

#[test]
fn a_value_is_found_among_neighbours() {
    check("at", &[b"at=AAA"], &["AAA"]);
    check("at", &[b"a=1; at=AAA; b=2"], &["AAA"]);
    check("at", &[b"a=at=1; at=AAA"], &["AAA"]);
    check("at", &[b"at=at=1"], &["at=1"]);
    check("at", &[b"; ;;at=AAA;"], &["AAA"]);
    check("at", &[b"a=1;\t at=AAA \t;b"], &["AAA"]);
    check("aa", &[b"aaa=1; aa=2"], &["2"]);
    check(
        "at",
        &[b"xat=1; at2=2; AT=3; at; a t=4; x at=5; =at=6"],
        &[],
    );
    check("at", &[b"at =1"], &[]);
    check("at", &[b"at\t=1"], &[]);
    check("at", &[], &[]);
    check("at", &[b""], &[]);
}

#[test]
fn an_empty_value_is_absent() {
    check("at", &[b"at="], &[]);
    check("at", &[b"at= \t; b=1"], &[]);
    check("at", &[b"at=; at=AAA"], &["AAA"]);
}

#[test]
fn a_neighbour_of_any_bytes_does_no_harm() {
    check(
        "at",
        &[b"x=\xff\xfe; \xc3\xa9=1; at=AAA; y=\"; z"],
        &["AAA"],
    );
}

#[test]
fn a_value_that_is_not_visible_ascii_is_malformed() {
    for line in [
        &b"at=A\xc3\xa9"[..],
        b"at=A A",
        b"at=A\tA",
        b"at= A",
        b"at=ok; at=\xff",
    ] {
        assert_eq!(read("at", &[line]), None, "{line:?}");
    }
}

#[test]
fn ck_09_several_values_are_all_candidates_in_either_order() {
    check("at", &[b"at=EVIL; at=AAA"], &["EVIL", "AAA"]);
    check("at", &[b"at=AAA; at=EVIL"], &["AAA", "EVIL"]);
    check(
        "at",
        &[b"at=1; at=2; at=1; at=3; at=4"],
        &["1", "2", "3", "4"],
    );
    assert_eq!(read("at", &[b"at=1; at=2; at=3; at=4; at=5"]), None);
}

#[test]
fn ck_09_a_second_value_for_a_host_name_is_malformed() {
    for name in ["__Host-at", "__Host-Http-at"] {
        let pair = |value: &str| format!("{name}={value}");
        let twice = format!("{}; {}", pair("AAA"), pair("AAA"));
        check(name, &[twice.as_bytes()], &["AAA"]);
        let two = format!("{}; {}", pair("AAA"), pair("EVIL"));
        assert_eq!(read(name, &[two.as_bytes()]), None);
    }
    check(
        "__Secure-at",
        &[b"__Secure-at=1; __Secure-at=2"],
        &["1", "2"],
    );
}

#[test]
fn ck_10_a_percent_encoded_name_is_another_name() {
    check("__Host-at", &[b"__Host-at=AAA; __%48ost-at=EVIL"], &["AAA"]);
    check("__Host-at", &[b"__%48ost-at=EVIL; __Host-at=AAA"], &["AAA"]);
    check(
        "__Host-at",
        &[b"__%48ost-at=EVIL; __host-at=EVIL; __HOST-at=EVIL"],
        &[],
    );
}

#[test]
fn ck_13_the_real_cookie_is_found_behind_300_neighbours() {
    let neighbours: Vec<_> = (0..300).map(|n| format!("o{n}=1")).collect();
    let line = format!("{}; at=AAA", neighbours.join("; "));
    check("at", &[line.as_bytes()], &["AAA"]);
}

#[test]
fn ck_15_all_cookie_lines_are_read() {
    check("at", &[b"at=AAA", b"at=EVIL"], &["AAA", "EVIL"]);
    check("at", &[b"x=1", b"at=AAA"], &["AAA"]);
    assert_eq!(
        read("__Host-at", &[b"__Host-at=AAA", b"__Host-at=EVIL"]),
        None
    );
}

#[test]
fn ck_16_quotes_are_part_of_the_value() {
    check("__Host-at", &[b"__Host-at=\"AAA\""], &["\"AAA\""]);
    check("at", &[b"d=\"; at=1; x=\"; at=2"], &["1", "2"]);
}

#[test]
fn candidates_do_not_print_themselves() {
    let headers = request(&[b"at=AAA"]);
    let printed = format!("{:?}", cookie("at").read(&headers));
    assert_eq!(printed, "Present(Candidates(1 redacted))");
}
