//! The four places where a token can stand, in every order; and the names they can be given.

use crate::support::{ALICE, BOB, OWN, TRUSTED, cookies, gate, gate_with, headers, settings, told};
use hallpass_verify::{
    AccessTokenText, Found, Gate, GateSettings, InBody, Location, Locations, TokenHeader,
};
use http::{Method, Request};

/// A request, to be put together.
pub(crate) struct Asked(Request<()>);

impl Asked {
    pub(crate) fn new(method: &str) -> Self {
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        Self(request)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers_mut().extend(headers(&[(name, value)]));
        self
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        *self.0.uri_mut() = format!("{OWN}/orders?{query}").parse().unwrap();
        self
    }

    pub(crate) fn body(mut self, in_body: InBody) -> Self {
        self.0.extensions_mut().insert(in_body);
        self
    }

    /// A JSON body as a layer read it.
    fn json(self, token: Found<&str>) -> Self {
        let token = token.map(|token| AccessTokenText::new(token.to_owned()));
        self.body(InBody::new(token, Found::Absent))
    }

    pub(crate) fn told(&self, gate: &Gate) -> String {
        told(&gate.admit(&self.0))
    }
}

pub(crate) fn gate_at(order: &[Location]) -> Gate {
    gate_with(GateSettings {
        locations: Locations::new(order).unwrap(),
        ..settings(crate::support::COOKIE)
    })
}

/// Every order of every choice of locations.
fn orders() -> Vec<Vec<Location>> {
    let mut orders = vec![Vec::new()];
    for at in 0.. {
        let Some(order): Option<&Vec<Location>> = orders.get(at) else {
            break;
        };
        let order = order.clone();
        for location in Location::ALL {
            if !order.contains(&location) {
                orders.push([order.as_slice(), &[location]].concat());
            }
        }
    }
    orders.retain(|order| !order.is_empty());
    orders
}

/// What stands at each location, in the order of [`Location::ALL`].
fn states() -> impl Iterator<Item = [Found<()>; 4]> {
    let any = [Found::Absent, Found::Present(()), Found::Malformed];
    let all = any.into_iter().flat_map(move |header| {
        let cookies = any.into_iter();
        cookies.map(move |cookie| (header, cookie))
    });
    all.flat_map(move |(header, cookie)| {
        let rest = any.into_iter().flat_map(move |query| {
            let bodies = any.into_iter();
            bodies.map(move |body| (query, body))
        });
        rest.map(move |(query, body)| [header, cookie, query, body])
    })
}

fn request(method: &str, state: [Found<()>; 4], token: &str) -> Asked {
    let text = |state| match state {
        Found::Absent => None,
        Found::Present(()) => Some(token),
        Found::Malformed => Some("jun k"),
    };
    let mut asked = Asked::new(method);
    if let Some(text) = text(state[0]) {
        asked = asked.header("authorization", &format!("Bearer {text}"));
    }
    if let Some(text) = text(state[1]) {
        asked = asked.header("cookie", &cookies(&[text]));
    }
    if let Some(text) = text(state[2]) {
        asked = asked.query(&format!("x=1&access_token={}", text.replace(' ', "+")));
    }
    asked.json(state[3].map(|()| token))
}

/// The first location with a credential is the only one that counts, and what it owes is owed.
fn oracle(order: &[Location], state: [Found<()>; 4], method: &str, has_proof: bool) -> String {
    let at = |location| {
        state[Location::ALL
            .iter()
            .position(|one| *one == location)
            .unwrap()]
    };
    let first = order
        .iter()
        .find(|location| at(**location) != Found::Absent);
    match first.map(|location| (*location, at(*location))) {
        None => "anonymous".into(),
        Some((_, Found::Malformed)) => "token_malformed".into(),
        Some((Location::Cookie, _)) if method == "POST" && !has_proof => "csrf_missing".into(),
        Some((location, _)) => format!("alice by {location:?}"),
    }
}

#[test]
fn in_every_order_the_first_credential_that_is_there_is_the_only_one() {
    let (token, csrf) = (ALICE.token(), ALICE.csrf());
    let mut checked = 0;
    for order in orders() {
        let gate = gate_at(&order);
        for state in states() {
            for (method, has_proof) in [("GET", false), ("POST", false), ("POST", true)] {
                let mut asked = request(method, state, &token);
                if has_proof {
                    asked = asked.header("x-csrf-token", &csrf);
                }
                let expected = oracle(&order, state, method, has_proof);
                assert_eq!(asked.told(&gate), expected, "{order:?} {state:?} {method}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 64 * 81 * 3);
}

#[test]
fn by_default_no_query_and_no_body_is_looked_at() {
    let asked = Asked::new("GET")
        .query(&format!("access_token={}", ALICE.token()))
        .json(Found::Present(&BOB.token()));
    assert_eq!(asked.told(&gate()), "anonymous");
}

#[test]
fn a_cookie_without_proof_never_falls_through_to_another_location() {
    let order = [
        Location::Cookie,
        Location::Query,
        Location::Body,
        Location::Header,
    ];
    let asked = |csrf: &str| {
        let asked = Asked::new("POST")
            .header("cookie", &cookies(&[&ALICE.token()]))
            .header("authorization", &format!("Bearer {}", BOB.token()))
            .query(&format!("access_token={}", BOB.token()))
            .json(Found::Present(&BOB.token()));
        let asked = match csrf {
            "" => asked,
            csrf => asked.header("x-csrf-token", csrf),
        };
        asked.told(&gate_at(&order))
    };
    assert_eq!(asked(""), "csrf_missing");
    assert_eq!(asked(&BOB.csrf()), "csrf_invalid");
    assert_eq!(asked(&ALICE.csrf()), "alice by Cookie");
}

#[test]
fn cs_26_a_token_in_a_query_or_a_body_owes_no_csrf_proof() {
    let gate = gate_at(&[Location::Query, Location::Body]);
    for origin in [OWN, TRUSTED, crate::support::FOREIGN, "null"] {
        let asked = || Asked::new("POST").header("origin", origin);
        let by_query = asked().query(&format!("access_token={}", ALICE.token()));
        assert_eq!(by_query.told(&gate), "alice by Query");
        let by_body = asked().json(Found::Present(&ALICE.token()));
        assert_eq!(by_body.told(&gate), "alice by Body");
    }
}

/// As CK-10 for cookies: in a query a name that is written in another way is the same name, for us
/// as for every reader of forms, so that it stands there twice.
#[test]
fn ck_10_a_percent_encoded_name_in_a_query_does_not_shadow_the_token() {
    let gate = gate_at(&[Location::Query, Location::Header]);
    let (alice, bob) = (ALICE.token(), BOB.token());
    for (query, verdict) in [
        (format!("access%5Ftoken={alice}"), "alice by Query"),
        (
            format!("access_token={alice}&access%5Ftoken={bob}"),
            "token_malformed",
        ),
        (
            format!("%61ccess_token={bob}&access_token={alice}"),
            "token_malformed",
        ),
        (
            format!("access_token={alice}&access_token={alice}"),
            "token_malformed",
        ),
        (
            format!("Access_Token={bob}&access_token={alice}"),
            "alice by Query",
        ),
    ] {
        let asked = Asked::new("GET").query(&query);
        let asked = asked.header("authorization", &format!("Bearer {bob}"));
        assert_eq!(asked.told(&gate), verdict, "{query}");
    }
}

#[test]
fn header_and_parameter_can_have_other_names() {
    let gate = gate_with(GateSettings {
        locations: Locations::new(&[Location::Header, Location::Query]).unwrap(),
        token_header: TokenHeader::bare("x-token").unwrap(),
        query_name: "token".into(),
        ..settings(crate::support::COOKIE)
    });
    let token = ALICE.token();
    let bearer = format!("Bearer {token}");
    for (asked, verdict) in [
        (
            Asked::new("GET").header("x-token", &token),
            "alice by Header",
        ),
        (
            Asked::new("GET").header("x-token", &bearer),
            "token_malformed",
        ),
        (Asked::new("GET").header("x-token", ""), "token_malformed"),
        (
            Asked::new("GET").header("authorization", &bearer),
            "anonymous",
        ),
        (
            Asked::new("GET").query(&format!("token={token}")),
            "alice by Query",
        ),
        (
            Asked::new("GET").query(&format!("access_token={token}")),
            "anonymous",
        ),
    ] {
        assert_eq!(asked.told(&gate), verdict);
    }
}

#[test]
fn the_location_that_counts_is_told_whatever_stands_there() {
    let gate = gate_at(&[Location::Query, Location::Cookie]);
    let counts = |asked: &Asked| gate.counts(&asked.0);
    assert_eq!(counts(&Asked::new("GET")), None);
    let cookie = || Asked::new("GET").header("cookie", &cookies(&["junk"]));
    assert_eq!(counts(&cookie()), Some(Location::Cookie));
    assert_eq!(
        counts(&cookie().query("access_token=")),
        Some(Location::Query)
    );
    let bearer = Asked::new("GET").header("authorization", "Bearer x");
    assert_eq!(counts(&bearer), None);
}

#[test]
fn a_token_that_expired_still_says_whose_it_was_but_a_cookie_does_not() {
    let gate = gate_at(&[Location::Header, Location::Query, Location::Cookie]);
    let expired = ALICE.expired_token();
    let subject = |asked: &Asked| {
        let caller = gate.caller_even_expired(&asked.0);
        caller.map(|caller| caller.map(|caller| caller.subject().to_owned()))
    };
    let bearer = Asked::new("POST").header("authorization", &format!("Bearer {expired}"));
    assert_eq!(subject(&bearer), Ok(Some("alice".into())));
    let query = Asked::new("POST").query(&format!("access_token={expired}"));
    assert_eq!(subject(&query), Ok(Some("alice".into())));
    let cookie = Asked::new("POST").header("cookie", &cookies(&[&expired]));
    assert_eq!(subject(&cookie), Ok(None));
    assert!(subject(&Asked::new("POST").header("authorization", "Bearer x")).is_err());
}

#[test]
fn a_head_shows_nothing_of_what_stands_in_it() {
    let asked = Asked::new("GET")
        .header("authorization", "Bearer secret")
        .query("access_token=secret")
        .json(Found::Present("secret"));
    let head = hallpass_verify::Head::from(&asked.0);
    assert_eq!(format!("{head:?}"), "Head { method: GET, .. }");
    let in_body = asked.0.extensions().get::<InBody>();
    assert!(!format!("{in_body:?}").contains("secret"));
}
