//! Every combination of cookie, bearer token, method, origin and CSRF token, over HTTP, against an
//! oracle that follows the contract in words.

use crate::common::{ACCESS, ACCESS_TTL, ALICE, App, BOB, FOREIGN, MINUTE, OWN};
use std::collections::BTreeMap;

const COOKIES: [&str; 5] = ["none", "alice", "expired", "bob", "refresh token"];
const BEARERS: [&str; 5] = ["none", "alice", "junk", "other scheme", "bob"];
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const ORIGINS: [&str; 5] = ["same-origin", OWN, FOREIGN, "null", "nothing"];
const CSRF_TOKENS: [&str; 4] = ["right", "missing", "wrong", "other session's"];

#[derive(Clone, Copy, Debug)]
struct Cell {
    cookie: &'static str,
    bearer: &'static str,
    method: &'static str,
    origin: &'static str,
    csrf: &'static str,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for cookie in COOKIES {
        for bearer in BEARERS {
            for method in METHODS {
                for origin in ORIGINS {
                    cells.extend(CSRF_TOKENS.map(|csrf| Cell {
                        cookie,
                        bearer,
                        method,
                        origin,
                        csrf,
                    }));
                }
            }
        }
    }
    cells
}

/// The contract, sections 3 and 7, one sentence after the other: status, and code or who acts.
fn oracle(cell: Cell) -> (u16, &'static str) {
    // The header comes first. What stands there counts alone, and owes nothing.
    match cell.bearer {
        "alice" => return (200, "alice"),
        "bob" => return (200, "bob"),
        "junk" => return (401, "token_malformed"),
        _ => {}
    }
    // Then the cookie.
    if cell.cookie == "none" {
        return (200, "nobody");
    }
    // Whatever is not safe has to come from a page of ours, or say nothing at all.
    let is_safe = cell.method == "GET";
    if !is_safe && [FOREIGN, "null"].contains(&cell.origin) {
        return (403, "origin_denied");
    }
    // The token has to be good.
    let owner = match cell.cookie {
        "expired" => return (401, "token_expired"),
        "refresh token" => return (401, "token_malformed"),
        owner => owner,
    };
    // And it has to come with a CSRF token of its session.
    match (is_safe, cell.csrf) {
        (true, _) | (_, "right") => (200, owner),
        (_, "missing") => (403, "csrf_missing"),
        _ => (403, "csrf_invalid"),
    }
}

/// The tokens of one user.
struct User {
    id: String,
    access: String,
    refresh: String,
    csrf: String,
}

async fn user(app: &App, email: &str) -> User {
    let mut browser = app.signed_in(email).await;
    User {
        id: browser.me().await.1,
        access: browser.access(),
        refresh: browser.refresh_token(),
        csrf: browser.csrf(),
    }
}

#[tokio::test]
async fn every_request_gets_the_answer_of_the_contract() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    app.add_user(BOB, &[]).await;
    let expired = user(&app, ALICE).await;
    app.advance(ACCESS_TTL + MINUTE);
    let (alice, bob) = (user(&app, ALICE).await, user(&app, BOB).await);
    let mut seen = BTreeMap::new();
    for cell in cells() {
        let mut request = app.request(cell.method, "/me2");
        let owner = match cell.cookie {
            "bob" => &bob,
            "expired" => &expired,
            _ => &alice,
        };
        request = match cell.cookie {
            "none" => request,
            "refresh token" => request.cookie(ACCESS, &owner.refresh),
            _ => request.cookie(ACCESS, &owner.access),
        };
        request = match cell.bearer {
            "alice" => request.bearer(&alice.access),
            "bob" => request.bearer(&bob.access),
            "junk" => request.bearer("junk"),
            "other scheme" => request.header("authorization", "Basic YWxpY2U6eA=="),
            _ => request,
        };
        request = match cell.origin {
            "same-origin" => request.header("sec-fetch-site", "same-origin"),
            "nothing" => request,
            origin => request.header("origin", origin),
        };
        let other = if cell.cookie == "bob" { &alice } else { &bob };
        request = match cell.csrf {
            "right" => request.csrf(&owner.csrf),
            "wrong" => request.csrf("wrong"),
            "other session's" => request.csrf(&other.csrf),
            _ => request,
        };
        let answer = request.send().await;
        let who = answer.code_or("user");
        let who = match who {
            id if id == alice.id => "alice".to_owned(),
            id if id == bob.id => "bob".to_owned(),
            other => other,
        };
        let (status, expected) = oracle(cell);
        assert_eq!(
            (answer.status, who.as_str()),
            (status, expected),
            "{cell:?}"
        );
        assert_eq!(answer.cookies(), [], "{cell:?}");
        *seen.entry(who).or_insert(0) += 1;
    }
    assert_eq!(seen.values().sum::<usize>(), 5 * 5 * 3 * 5 * 4);
    let seen: Vec<_> = seen.keys().map(String::as_str).collect();
    let all = [
        "alice",
        "bob",
        "csrf_invalid",
        "csrf_missing",
        "nobody",
        "origin_denied",
        "token_expired",
        "token_malformed",
    ];
    assert_eq!(seen, all, "every answer occurs");
}
