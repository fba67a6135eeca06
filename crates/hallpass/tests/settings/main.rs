//! The settings of other systems: each is flipped here as ours, and the difference is seen on the
//! wire. What cannot be said is refused with a reason.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod authfort;
mod authx;
mod bluefox;
mod fastauth;

use axum::Router;
use common::{EMAIL, PASSWORD, send};
use hallpass::core::password::Argon2idCost;
use hallpass::core::{Profile, Settings, WebSettings};
use hallpass::{Error, Hallpass};
use serde_json::{Value, json};

/// Where the apps are reached.
const URL: &str = "https://api.example.com";

/// A setting of theirs, the value it is flipped to, and what is seen then.
struct Flip<C = Change, S = SignedIn> {
    /// As they write it: `samesite="strict"`.
    theirs: &'static str,
    ours: C,
    /// Where to look.
    seen_in: fn(&S) -> String,
    /// What is seen there, without it and with it.
    seen: [&'static str; 2],
}

/// A value of theirs that cannot be said here.
struct Refusal<C = Change> {
    theirs: &'static str,
    ours: C,
    /// What the operator reads.
    reason: &'static str,
}

/// What a sign-in was answered with.
struct SignedIn {
    /// Its `Set-Cookie` lines, with `…` for the values.
    cookies: Vec<String>,
    body: Value,
    /// What the refresh that follows was answered with.
    refreshed: u16,
}

impl SignedIn {
    /// The line that sets a cookie, by a part of its name.
    fn cookie(&self, name: &str) -> String {
        let mut lines = self.cookies.iter();
        let line = lines.find(|line| line.split('=').next().unwrap().contains(name));
        line.cloned().unwrap_or_default()
    }

    fn members(&self) -> String {
        let members = self.body.as_object().unwrap();
        members.keys().cloned().collect::<Vec<_>>().join(" ")
    }
}

/// The attribute of a line that starts so, or nothing.
fn attribute(line: &str, name: &str) -> String {
    let mut attributes = line.split("; ").skip(1);
    let found = attributes.find(|one| one.starts_with(name));
    found.unwrap_or_default().to_owned()
}

/// What changes settings.
type Change = fn(&mut Settings, &mut WebSettings);

/// Leaves them as the profile has them.
const AS_IT_IS: Change = |_, _| {};

/// A profile, and what is different from the start.
type Base = (Profile, Change);

async fn open((profile, base): Base, change: Change) -> Result<Hallpass, Error> {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("app.db").display());
    let mut settings = Settings::for_profile(profile, URL);
    settings.password_cost = Argon2idCost {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
    };
    let mut web = WebSettings::for_profile(profile, URL);
    base(&mut settings, &mut web);
    change(&mut settings, &mut web);
    let builder = Hallpass::builder(&database).settings(settings);
    builder.web(|all| *all = web).open().await
}

/// Signs up and in, and refreshes as a page does that sends every header it knows.
async fn signed_in(base: Base, change: Change) -> SignedIn {
    let auth = open(base, change).await.unwrap();
    let (app, web) = (auth.protect(Router::new()), auth.web().settings());
    let prefix = web.prefix.clone();
    let own = [("sec-fetch-site", "same-origin")];
    let sign_up = match base.0 {
        Profile::Native | Profile::AuthFort => "signup",
        Profile::FastAuth | Profile::Bluefox => "register",
    };
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    for (path, status) in [(sign_up, 201), ("login", 200)] {
        let request = format!("POST {prefix}/{path}");
        let (answered, headers, told) = send(&app, &request, &own, Some(body.clone())).await;
        assert_eq!(answered, status, "{told}");
        if path != "login" {
            continue;
        }
        let lines = headers.get_all("set-cookie").iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
        return SignedIn {
            refreshed: refreshed(&app, &prefix, &lines).await,
            cookies: lines.iter().map(|line| masked(line)).collect(),
            body: told,
        };
    }
    unreachable!("it signed in")
}

/// Refreshes with the cookies that were set, the CSRF cookie's value in `x-csrf-token`.
async fn refreshed(app: &Router, prefix: &str, lines: &[&str]) -> u16 {
    let pairs = lines.iter().map(|line| line.split(';').next().unwrap());
    let pairs: Vec<_> = pairs.collect();
    let csrf = pairs.iter().find(|pair| pair.contains("csrf"));
    let csrf = csrf.map_or("", |pair| pair.split_once('=').unwrap().1);
    let cookie = pairs.join("; ");
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("cookie", cookie.as_str()),
        ("x-csrf-token", csrf),
    ];
    let (status, ..) = send(app, &format!("POST {prefix}/refresh"), &headers, None).await;
    status
}

fn masked(line: &str) -> String {
    let (name, rest) = line.split_once('=').unwrap();
    let attributes = rest
        .split_once(';')
        .map_or("", |(_, attributes)| attributes);
    format!("{name}=…;{attributes}")
}

/// Flips each setting by itself.
async fn check(base: Base, flips: &[Flip]) {
    let before = signed_in(base, AS_IT_IS).await;
    for flip in flips {
        let after = signed_in(base, flip.ours).await;
        let seen = [&before, &after].map(flip.seen_in);
        assert_eq!(seen, flip.seen, "{}", flip.theirs);
        assert_ne!(seen[0], seen[1], "{}", flip.theirs);
    }
}

/// Starts with each value that cannot be said.
async fn check_refused(base: Base, refusals: &[Refusal]) {
    for refusal in refusals {
        let opened = open(base, refusal.ours).await;
        let said = opened.map(drop).unwrap_err().to_string();
        assert!(said.contains(refusal.reason), "{}: {said}", refusal.theirs);
    }
}

/// What was tried of a system: its settings, as they write them.
struct Tried<'a, C = Change, S = SignedIn> {
    flips: &'a [&'a [Flip<C, S>]],
    refusals: &'a [Refusal<C>],
    /// What nothing here can say, with a test that it is so.
    never: &'a [&'a str],
}

/// Tells which settings that are documented were not tried, and which of those that were are not
/// on the page for those who come from there.
#[track_caller]
fn check_all<C, S>(documented: &[&str], page: &str, tried: &Tried<'_, C, S>) {
    let flips = tried.flips.iter().copied().flatten();
    let refusals = tried.refusals.iter().map(|refusal| refusal.theirs);
    let said = flips.map(|flip| flip.theirs).chain(refusals);
    let names = said.map(|one| one.split('=').next().unwrap());
    let names: Vec<_> = names.chain(tried.never.iter().copied()).collect();
    for setting in documented {
        assert!(names.contains(setting), "{setting} is not tested");
    }
    for setting in names {
        let is_there = page.contains(&format!("`{setting}`"));
        assert!(is_there, "{setting} is not on the page");
    }
}
