//! What the other systems said on the wire, said to their profiles: request by request, each
//! difference in a table with its reason.

use crate::common::{Answer, App, Req};
use hallpass_core::{Delivery, Profile};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A transcript, and in what we differ from it on purpose.
#[derive(Deserialize)]
struct Transcript {
    profile: String,
    delivery: String,
    /// What may be asked for; missing: all that the profile has.
    deliveries: Option<Vec<String>>,
    exchanges: Vec<Exchange>,
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
struct Exchange {
    id: String,
    /// How much later it is.
    #[serde(default)]
    after_seconds: u64,
    /// How often it is said; the last answer counts.
    #[serde(default)]
    times: Option<u32>,
    request: Request,
    /// What they answered; missing where the exchange only prepares another.
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A JSON body, or the text of another one.
    body: Option<Value>,
}

#[derive(Deserialize)]
struct Response {
    status: u16,
    #[serde(default)]
    cookies: Vec<String>,
    /// Missing: not known.
    body: Option<Value>,
}

/// In what we differ, where, and why.
#[derive(Deserialize)]
struct Difference {
    /// Exchanges; empty: wherever it is found.
    #[serde(default)]
    ids: Vec<String>,
    /// Parts of an answer: `status`, `cookie NAME ATTRIBUTE`, `body /POINTER`.
    what: Vec<String>,
    /// What we answer; null is nothing.
    ours: Value,
    why: String,
}

impl Difference {
    fn is_about(&self, id: &str, what: &str, ours: &Value) -> bool {
        let there = self.ids.is_empty() || self.ids.iter().any(|one| one == id);
        there && self.what.iter().any(|one| one == what) && self.ours == *ours
    }
}

const TRANSCRIPTS: [(&str, &str); 6] = [
    (
        "authfort-cookies",
        include_str!("../data/wire/authfort-cookies.json"),
    ),
    (
        "authfort-bearer",
        include_str!("../data/wire/authfort-bearer.json"),
    ),
    (
        "fastauth-json",
        include_str!("../data/wire/fastauth-json.json"),
    ),
    (
        "fastauth-cookies",
        include_str!("../data/wire/fastauth-cookies.json"),
    ),
    (
        "fastauth-tokens",
        include_str!("../data/wire/fastauth-tokens.json"),
    ),
    ("bluefox", include_str!("../data/wire/bluefox.json")),
];

fn transcript(name: &str) -> Transcript {
    let (_, text) = TRANSCRIPTS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    serde_json::from_str(text).unwrap()
}

/// The parts of an answer, by name.
type Parts = BTreeMap<String, Value>;

/// Stands in a transcript for a text that is another each time, and not empty.
const SOME_TEXT: &str = "<text>";

/// Stands in a transcript for what is not known.
const ANYTHING: &str = "<any>";

fn add_body(parts: &mut Parts, place: &str, value: &Value) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                add_body(parts, &format!("{place}/{name}"), value);
            }
        }
        Value::Array(entries) if !entries.is_empty() => {
            for (at, value) in entries.iter().enumerate() {
                add_body(parts, &format!("{place}/{at}"), value);
            }
        }
        _ => {
            parts.insert(format!("body {place}"), value.clone());
        }
    }
}

/// Adds a `Set-Cookie` line. Its value is only told from none; two ways to say when do not differ.
fn add_cookie(parts: &mut Parts, line: &str) {
    let mut pieces = line.split(';').map(str::trim);
    let (name, value) = pieces.next().unwrap().split_once('=').unwrap();
    let is_set = !value.trim_matches('"').is_empty();
    parts.insert(
        format!("cookie {name}"),
        json!(if is_set { "set" } else { "deleted" }),
    );
    for piece in pieces {
        let (attribute, value) = piece.split_once('=').unwrap_or((piece, ""));
        let attribute = attribute.to_lowercase();
        if attribute != "expires" && (is_set || attribute != "max-age") {
            let value = value.to_lowercase();
            parts.insert(format!("cookie {name} {attribute}"), json!(value));
        }
    }
}

fn theirs(response: &Response) -> Parts {
    let mut parts = Parts::from([("status".to_owned(), json!(response.status))]);
    for line in &response.cookies {
        add_cookie(&mut parts, line);
    }
    if let Some(body) = &response.body {
        add_body(&mut parts, "", body);
    }
    parts
}

/// Our answer, as far as it is known what theirs was.
fn ours(answer: &Answer, response: &Response) -> Parts {
    let mut parts = Parts::from([("status".to_owned(), json!(answer.status))]);
    for line in answer.headers.get_all("set-cookie") {
        add_cookie(&mut parts, line.to_str().unwrap());
    }
    if response.body.is_some() && !answer.body.is_empty() {
        add_body(&mut parts, "", &answer.json());
    }
    parts
}

/// What differs: the part, and what we answer.
///
/// A cookie that is set here, and deleted or left alone there, differs in that alone. An answer of
/// another status differs in that, in its cookies and, when it is an error, in what it says.
fn differences(answer: &Answer, response: &Response) -> Vec<(String, Value)> {
    let (theirs, mut ours) = (theirs(response), ours(answer, response));
    let part = |parts: &Parts, name: &str| parts.get(name).cloned().unwrap_or_default();
    let differs = |ours: &Parts, name: &str| match (part(&theirs, name), part(ours, name)) {
        (Value::String(masked), _) if masked == ANYTHING => false,
        (Value::String(masked), Value::String(text)) if masked == SOME_TEXT => text.is_empty(),
        (theirs, ours) => theirs != ours,
    };
    let is_other_answer = differs(&ours, "status");
    if is_other_answer && answer.status >= 400 && !answer.body.is_empty() {
        let detail = answer.json()["detail"].clone();
        ours.insert("detail".to_owned(), detail);
    }
    let is_about = |name: &str| {
        let words: Vec<_> = name.split(' ').collect();
        match *words {
            ["cookie", cookie, _] => {
                let state = format!("cookie {cookie}");
                !is_other_answer && !differs(&ours, &state)
            }
            ["body", _] => !is_other_answer,
            _ => true,
        }
    };
    let all: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let found = all
        .into_iter()
        .filter(|name| differs(&ours, name) && is_about(name));
    found
        .map(|name| (name.clone(), shown(part(&ours, name))))
        .collect()
}

/// What is another value each time stands as [`SOME_TEXT`].
fn shown(value: Value) -> Value {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let is_made_up =
        |text: &str| text.len() >= 22 && !text.contains(' ') && !text.bytes().all(is_name);
    match value {
        Value::String(text) if is_made_up(&text) => json!(SOME_TEXT),
        value => value,
    }
}

/// What we answered so far, for the tokens in it.
#[derive(Default)]
struct Told(BTreeMap<String, (Value, Map<String, Value>)>);

impl Told {
    fn hear(&mut self, id: &str, answer: &Answer) {
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        let cookies = answer.cookies().into_iter();
        let cookies = cookies.map(|cookie| (cookie.name, cookie.value.into()));
        self.0.insert(id.to_owned(), (body, cookies.collect()));
    }

    /// Puts what was told in the place of `$(ID cookie NAME)` and `$(ID body /POINTER)`. What we did
    /// not tell is `nothing`.
    fn fill(&self, text: &str) -> String {
        let mut pieces = text.split("$(");
        let mut filled = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (place, after) = piece.split_once(')').unwrap();
            filled.push_str(self.told(place).unwrap_or("nothing"));
            filled.push_str(after);
        }
        filled
    }

    fn told(&self, place: &str) -> Option<&str> {
        let mut words = place.split(' ');
        let (id, kind, name) = (words.next()?, words.next()?, words.next()?);
        let (body, cookies) = self.0.get(id).unwrap_or_else(|| panic!("no {id} so far"));
        match kind {
            "cookie" => cookies.get(name)?.as_str(),
            _ => body.pointer(name)?.as_str(),
        }
    }
}

/// Sends a request as it stands in the transcript. It was recorded without a browser; one says
/// that our own page asks.
async fn send(app: &App, told: &Told, request: &Request) -> Answer {
    let mut req: Req<'_> = app.request(&request.method, &request.path);
    if !request.headers.contains_key("origin") {
        req = req.header("sec-fetch-site", "same-origin");
    }
    for (name, value) in &request.headers {
        req = req.header(name, &told.fill(value));
    }
    req = match &request.body {
        None => req,
        Some(Value::String(text)) => req.body(told.fill(text)),
        Some(json) => req.body(told.fill(&json.to_string())),
    };
    req.send().await
}

/// Replays a transcript, and returns every difference: exchange, part, and what we answer.
async fn replayed(transcript: &Transcript) -> Vec<(String, String, Value)> {
    let profiles = Profile::ALL.into_iter();
    let mut profiles = profiles.filter(|profile| profile.name() == transcript.profile);
    let app = App::of_profile(profiles.next().unwrap(), |web| {
        web.delivery = Delivery::parse(&transcript.delivery).unwrap();
        if let Some(names) = &transcript.deliveries {
            let read = names.iter().map(|name| Delivery::parse(name).unwrap());
            web.deliveries = read.collect();
        }
    })
    .await;
    let mut told = Told::default();
    let mut found = Vec::new();
    for exchange in &transcript.exchanges {
        app.advance(Duration::from_secs(exchange.after_seconds));
        for _ in 1..exchange.times.unwrap_or(1) {
            send(&app, &told, &exchange.request).await;
        }
        let answer = send(&app, &told, &exchange.request).await;
        told.hear(&exchange.id, &answer);
        match &exchange.response {
            None => assert!(answer.status < 300, "{}: {answer:?}", exchange.id),
            Some(response) => {
                let differences = differences(&answer, response).into_iter();
                found.extend(differences.map(|(what, ours)| (exchange.id.clone(), what, ours)));
            }
        }
    }
    found
}

async fn check(name: &str) {
    let transcript = transcript(name);
    let found = replayed(&transcript).await;
    let mut wrong = Vec::new();
    for (id, what, ours) in &found {
        let known = transcript.differences.iter();
        if !known.clone().any(|one| one.is_about(id, what, ours)) {
            wrong.push(format!("differs without an entry: {id}, {what}: {ours}"));
        }
    }
    for difference in &transcript.differences {
        assert!(difference.why.len() > 20, "{:?}: why?", difference.what);
        for id in difference.ids.iter().map(Some).chain([None]) {
            for part in &difference.what {
                let is_found = found.iter().any(|(at, what, ours)| {
                    id.is_none_or(|id| id == at) && what == part && *ours == difference.ours
                });
                if !is_found && (id.is_some() || difference.ids.is_empty()) {
                    wrong.push(format!("does not differ so: {id:?}, {part}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn authfort_with_cookies_answers_as_it_did_but_for_the_table() {
    check("authfort-cookies").await;
}

#[tokio::test]
async fn authfort_with_bearer_tokens_answers_as_it_did_but_for_the_table() {
    check("authfort-bearer").await;
}

#[tokio::test]
async fn fastauth_with_json_answers_as_it_did_but_for_the_table() {
    check("fastauth-json").await;
}

#[tokio::test]
async fn fastauth_with_cookies_answers_as_it_did_but_for_the_table() {
    check("fastauth-cookies").await;
}

#[tokio::test]
async fn fastauth_answers_about_tokens_and_sessions_as_it_did_but_for_the_table() {
    check("fastauth-tokens").await;
}

#[tokio::test]
async fn bluefox_answers_as_it_is_documented_but_for_the_table() {
    check("bluefox").await;
}

/// The rows of a page's difference table: one for each reason, with everything it is about.
fn rows(names: &[&str]) -> Vec<String> {
    let mut rows: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
    for difference in names.iter().flat_map(|name| transcript(name).differences) {
        let at = rows.iter().position(|(why, ..)| *why == difference.why);
        let at = at.unwrap_or_else(|| {
            rows.push((difference.why.clone(), Vec::new(), Vec::new()));
            rows.len() - 1
        });
        let (_, ids, what) = &mut rows[at];
        add(ids, difference.ids);
        let parts = difference.what.iter();
        add(what, parts.map(|part| format!("`{part}`")).collect());
    }
    let rows = rows.into_iter();
    rows.map(|(why, ids, what)| format!("| {} | {} | {why} |", ids.join(", "), what.join(", ")))
        .collect()
}

fn add(known: &mut Vec<String>, more: Vec<String>) {
    for one in more {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

#[test]
fn the_pages_for_those_who_come_from_there_have_these_tables() {
    let pages: [(&str, &str, &[&str]); 3] = [
        (
            "authfort",
            include_str!("../../../../docs/coming-from/authfort.md"),
            &["authfort-cookies", "authfort-bearer"],
        ),
        (
            "fastauth",
            include_str!("../../../../docs/coming-from/fastauth.md"),
            &["fastauth-json", "fastauth-cookies", "fastauth-tokens"],
        ),
        (
            "bluefox",
            include_str!("../../../../docs/coming-from/bluefox.md"),
            &["bluefox"],
        ),
    ];
    for (name, page, transcripts) in pages {
        let heading = "| exchange | what | why |\n|---|---|---|\n";
        let (_, table) = page.split_once(heading).unwrap();
        let shown: Vec<_> = table
            .lines()
            .take_while(|line| line.starts_with('|'))
            .collect();
        assert_eq!(shown, rows(transcripts), "{name}");
    }
}
