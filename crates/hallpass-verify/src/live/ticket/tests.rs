use super::*;

const GOOD: &str = "hpt_abcdefghijklmnopqrstuvwxyz0123456789ABCDE-_";
const OTHER: &str = "hpt_ABCDEfghijklmnopqrstuvwxyz0123456789ABCDE-_";

/// What is found, and what is left of the target and of the protocols.
fn taken(target: &str, lines: &[&str]) -> (String, String, Vec<String>) {
    let mut uri: Uri = target.parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(line).unwrap());
    }
    let found = match take_ticket(&mut uri, &mut headers) {
        Found::Absent => "absent".to_owned(),
        Found::Malformed => "malformed".to_owned(),
        Found::Present(ticket) => ticket.expose().to_owned(),
    };
    let left = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let left = left.map(|line| line.to_str().unwrap().to_owned()).collect();
    (found, uri.to_string(), left)
}

#[track_caller]
fn check(target: &str, lines: &[&str], found: &str, target_left: &str, lines_left: &[&str]) {
    let (was_found, target_now, lines_now) = taken(target, lines);
    assert_eq!(was_found, found, "{target} {lines:?}");
    assert_eq!(target_now, target_left, "{target} {lines:?}");
    assert_eq!(lines_now, lines_left, "{target} {lines:?}");
}

#[test]
fn a_ticket_is_taken_out_of_the_protocols_and_of_the_query() {
    let offered = format!("hallpass.ticket, {GOOD}");
    check("/ws", &[&offered], GOOD, "/ws", &["hallpass.ticket"]);
    let with_another = format!("chat.v1,{GOOD} ,hallpass.ticket");
    check(
        "/ws",
        &[&with_another],
        GOOD,
        "/ws",
        &["chat.v1, hallpass.ticket"],
    );
    check(
        "/ws",
        &["hallpass.ticket", GOOD],
        GOOD,
        "/ws",
        &["hallpass.ticket"],
    );
    check(&format!("/ws?ticket={GOOD}"), &[], GOOD, "/ws", &[]);
    let query = format!("/a/b?x=1&ticket={GOOD}&y=%20");
    check(&query, &["chat"], GOOD, "/a/b?x=1&y=%20", &["chat"]);
    check(
        &format!("http://h:1/a?ticket={GOOD}"),
        &[],
        GOOD,
        "http://h:1/a",
        &[],
    );
}

#[test]
fn what_claims_to_be_a_ticket_and_cannot_be_one_is_malformed_and_taken_out_too() {
    for wrong in [
        "hpt_",
        "hpt_x",
        &GOOD[..46],
        &format!("{GOOD}A"),
        &GOOD.replace('-', "+"),
    ] {
        let offered = format!("hallpass.ticket, {wrong}");
        check("/ws", &[&offered], "malformed", "/ws", &["hallpass.ticket"]);
        check(&format!("/ws?ticket={wrong}"), &[], "malformed", "/ws", &[]);
    }
    check(
        "/ws",
        &["hallpass.ticket"],
        "malformed",
        "/ws",
        &["hallpass.ticket"],
    );
    check(
        "/ws",
        &["hallpass.ticket, chat"],
        "malformed",
        "/ws",
        &["hallpass.ticket, chat"],
    );
    check("/ws", &[GOOD], "malformed", "/ws", &[]);
}

#[test]
fn two_tickets_are_malformed_wherever_they_stand() {
    let twice = format!("hallpass.ticket, {GOOD}, {OTHER}");
    check("/ws", &[&twice], "malformed", "/ws", &["hallpass.ticket"]);
    let query = format!("/ws?ticket={GOOD}&ticket={OTHER}");
    check(&query, &[], "malformed", "/ws", &[]);
    let offered = format!("hallpass.ticket, {GOOD}");
    check(
        &format!("/ws?ticket={GOOD}"),
        &[&offered],
        "malformed",
        "/ws",
        &["hallpass.ticket"],
    );
}

#[test]
fn what_the_app_calls_a_ticket_stays_where_it_is() {
    for target in [
        "/ws",
        "/ws?ticket=42",
        "/ws?ticket=",
        "/ws?my_ticket=hpt_x",
        "/ws?x=hpt_x&ticket",
    ] {
        check(target, &["chat, v2"], "absent", target, &["chat, v2"]);
    }
    check("/ws", &[], "absent", "/ws", &[]);
}

#[test]
fn a_ticket_does_not_print_itself() {
    assert_eq!(
        format!("{:?}", Ticket::parse(GOOD).unwrap()),
        "Ticket(redacted)"
    );
}
