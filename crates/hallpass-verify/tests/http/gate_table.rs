//! Every combination of cookie, bearer token, method, origin and CSRF token, against an oracle
//! that follows the rules in words.

use crate::support::{ALICE, BOB, COOKIE, FOREIGN, OWN, TRUSTED, gate_with, settings, verdict};

const COOKIES: [&str; 6] = [
    "none",
    "alice",
    "expired",
    "bob",
    "refresh token",
    "alice and bob",
];
const BEARERS: [&str; 6] = ["none", "alice", "junk", "junk.with.dots", "Basic", "bob"];
const METHODS: [&str; 2] = ["GET", "POST"];
const ORIGINS: [&str; 5] = [OWN, TRUSTED, FOREIGN, "null", ""];
const SITES: [&str; 4] = ["", "same-origin", "same-site", "cross-site"];
const CSRF_TOKENS: [&str; 4] = ["alice's", "bob's", "junk", ""];
const NAMES: [&str; 2] = [COOKIE, "__Host-hp_access"];

#[derive(Clone, Copy, Debug)]
struct Cell {
    name: &'static str,
    cookie: &'static str,
    bearer: &'static str,
    method: &'static str,
    origin: &'static str,
    site: &'static str,
    csrf: &'static str,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for name in NAMES {
        for cookie in COOKIES {
            for bearer in BEARERS {
                for method in METHODS {
                    for origin in ORIGINS {
                        for site in SITES {
                            cells.extend(CSRF_TOKENS.map(|csrf| Cell {
                                name,
                                cookie,
                                bearer,
                                method,
                                origin,
                                site,
                                csrf,
                            }));
                        }
                    }
                }
            }
        }
    }
    cells
}

fn request(cell: Cell) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let pair = |value: &str| format!("{}={value}", cell.name);
    match cell.cookie {
        "none" => lines.push(("cookie", "theme=dark".into())),
        "alice" => lines.push(("cookie", pair(&ALICE.token()))),
        "expired" => lines.push(("cookie", pair(&ALICE.expired_token()))),
        "bob" => lines.push(("cookie", pair(&BOB.token()))),
        "refresh token" => lines.push(("cookie", pair(&format!("hpr_{}", "A".repeat(71))))),
        _ => lines.push((
            "cookie",
            format!("{}; {}", pair(&ALICE.token()), pair(&BOB.token())),
        )),
    }
    match cell.bearer {
        "none" => {}
        "alice" => lines.push(("authorization", format!("Bearer {}", ALICE.token()))),
        "bob" => lines.push(("authorization", format!("Bearer {}", BOB.token()))),
        "Basic" => lines.push(("authorization", "Basic YWxpY2U6eA==".into())),
        junk => lines.push(("authorization", format!("Bearer {junk}"))),
    }
    match cell.csrf {
        "" => {}
        "alice's" => lines.push(("x-csrf-token", ALICE.csrf())),
        "bob's" => lines.push(("x-csrf-token", BOB.csrf())),
        junk => lines.push(("x-csrf-token", junk.into())),
    }
    for (header, value) in [("origin", cell.origin), ("sec-fetch-site", cell.site)] {
        if !value.is_empty() {
            lines.push((header, value.into()));
        }
    }
    lines
}

/// The contract, sections 3 and 7, one sentence after the other.
fn oracle(cell: Cell) -> &'static str {
    // A bearer token is the credential, whatever else there is. It owes no proof.
    match cell.bearer {
        "alice" => return "alice by Header",
        "bob" => return "bob by Header",
        "none" | "Basic" => {}
        _ => return "token_malformed",
    }
    // Then the cookie, of which a `__Host-` name has one at most.
    match (cell.cookie, cell.name) {
        ("none", _) => return "anonymous",
        ("alice and bob", "__Host-hp_access") => return "token_malformed",
        _ => {}
    }
    // It must come from a page of ours, or a trusted one, if it changes anything.
    let from_a_good_page = [
        ("", OWN),
        ("", TRUSTED),
        ("", ""),
        ("same-site", TRUSTED),
        ("cross-site", TRUSTED),
    ]
    .contains(&(cell.site, cell.origin))
        || cell.site == "same-origin";
    let changes_something = cell.method == "POST";
    if changes_something && !from_a_good_page {
        return "origin_denied";
    }
    // It must be good, and there must be one.
    let owner = match cell.cookie {
        "alice" => "alice's",
        "bob" => "bob's",
        "expired" => return "token_expired",
        _ => return "token_malformed",
    };
    // It must come with a CSRF token of the same session, if it changes anything.
    match (changes_something, cell.csrf == owner, cell.csrf, owner) {
        (true, false, "", _) => "csrf_missing",
        (true, false, _, _) => "csrf_invalid",
        (_, _, _, "alice's") => "alice by Cookie",
        _ => "bob by Cookie",
    }
}

#[test]
fn every_request_gets_the_verdict_of_the_contract() {
    let mut checked = 0;
    let mut verdicts = std::collections::BTreeMap::new();
    for name in NAMES {
        let gate = gate_with(settings(name));
        for cell in cells().into_iter().filter(|cell| cell.name == name) {
            let lines = request(cell);
            let lines: Vec<_> = lines
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let told = verdict(&gate, cell.method, &lines);
            assert_eq!(told, oracle(cell), "{cell:?}");
            *verdicts.entry(told).or_insert(0) += 1;
            checked += 1;
        }
    }
    assert_eq!(checked, 2 * 6 * 6 * 2 * 5 * 4 * 4);
    let seen: Vec<_> = verdicts.keys().map(String::as_str).collect();
    assert_eq!(
        seen,
        [
            "alice by Cookie",
            "alice by Header",
            "anonymous",
            "bob by Cookie",
            "bob by Header",
            "csrf_invalid",
            "csrf_missing",
            "origin_denied",
            "token_expired",
            "token_malformed",
        ],
        "every verdict occurs: {verdicts:?}"
    );
}
