//! An app with routes of its own, and a client that asks it in every way there is.

use crate::common::{send, send_text};
use crate::masked;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::routing::{any, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::core::key::ImportedKey;
use hallpass::core::{Settings, WebSettings};
use hallpass::verify::problem::Code;
use hallpass::{
    Caller, Delivery, Error, ErrorShape, Hallpass, Opening, Proof, Refused, TokenCookies, UserId,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Where the app is reached.
pub(super) const URL: &str = "https://api.example.com";

/// What an app says in its settings, and what it says in its code.
pub(super) struct Setup {
    pub(super) settings: Settings,
    pub(super) web: WebSettings,
    /// What its sign-in changes of an opening.
    pub(super) opening: fn(&mut Opening),
    /// What signs.
    pub(super) keys: Keys,
    /// The member of its errors that is for people.
    pub(super) message_key: &'static str,
    /// The member in which its refresh route looks for a token.
    pub(super) refresh_member: &'static str,
}

/// What signs.
#[derive(Clone, Copy)]
pub(super) enum Keys {
    /// The key that is made at the first start.
    MadeHere,
    /// It, and one that is to follow.
    Rotated,
    /// A new one at once, and the first no more.
    Anew,
    /// This one.
    Imported(&'static str),
}

/// What changes it.
pub(super) type Change = fn(&mut Setup);

impl Setup {
    pub(super) fn with(changes: &[Change]) -> Self {
        let mut setup = Self {
            settings: Settings::new(URL),
            web: WebSettings::new(URL),
            opening: |_| {},
            keys: Keys::MadeHere,
            message_key: "message",
            refresh_member: "refresh_token",
        };
        for change in changes {
            change(&mut setup);
        }
        setup
    }

    pub(super) async fn open(&self, folder: &Path) -> Result<Hallpass, Error> {
        let database = format!("sqlite://{}", folder.join("app.db").display());
        let builder = Hallpass::builder(&database).settings(self.settings.clone());
        let web = self.web.clone();
        let auth = builder.web(|all| *all = web).open().await?;
        match self.keys {
            Keys::MadeHere => {}
            Keys::Rotated => drop(auth.rotate_key().await.unwrap()),
            Keys::Anew => revoke_first(&auth).await,
            Keys::Imported(text) => {
                let key = ImportedKey::parse(text).unwrap();
                auth.import_key(key).await.unwrap();
                revoke_first(&auth).await;
            }
        }
        Ok(auth)
    }

    fn app(&self, auth: &Hallpass) -> Router {
        let (key, member) = (self.message_key, self.refresh_member);
        let said = ErrorShape::new(move |problem| {
            let (words, name) = (problem.code.title(), problem.code.as_str());
            let mut body = json!({ "error_type": name });
            body[key] = words.into();
            (problem.code.status(), Json(body))
        });
        let protected = Router::new().route("/me", any(me)).layer(auth.layer());
        let opening = self.opening;
        let doors = Router::new()
            .route(
                "/login",
                post(move |State(auth), parts| login(auth, parts, opening)),
            )
            .route("/refresh", post(refresh))
            .route(
                "/refresh-by-body",
                post(move |State(auth), parts, body| refresh_by_body(auth, parts, body, member)),
            );
        let own = protected.merge(doors).layer(said).layer(auth.body_layer());
        own.with_state(auth.clone()).merge(auth.routes())
    }
}

/// For whoever cannot wait until the next key has been announced for long enough.
async fn revoke_first(auth: &Hallpass) {
    let first = auth.keys()[0].kid.clone();
    auth.revoke_key(&first).await.unwrap();
}

async fn me(caller: Caller) -> String {
    caller.subject().to_owned()
}

async fn login(
    auth: Hallpass,
    request: Parts,
    change: fn(&mut Opening),
) -> Result<(TokenCookies, Json<Value>), Refused> {
    let mut opening = auth.opening(&request)?;
    change(&mut opening);
    let proof = Proof::asserted_by_app(UserId::parse("user1").unwrap(), &["pwd"]);
    let issued = auth.open_session(proof, opening).await?;
    let body = json!({
        "access": issued.access.expose(),
        "refresh": issued.refresh.expose(),
        "csrf": issued.csrf.expose(),
    });
    Ok((auth.put(&issued)?, Json(body)))
}

async fn refresh(State(auth): State<Hallpass>, request: Parts) -> Result<TokenCookies, Refused> {
    auth.put(&auth.refresh_by_cookie(&request).await?)
}

async fn refresh_by_body(
    auth: Hallpass,
    request: Parts,
    Json(body): Json<Value>,
    member: &str,
) -> Result<&'static str, Refused> {
    let token = body[member].as_str().ok_or(Code::NotAuthenticated)?;
    auth.refresh_by_body(&request, token).await?;
    Ok("refreshed")
}

/// What a client sees of an app.
pub(super) struct Visit {
    /// The `Set-Cookie` lines of a sign-in, with `…` for the values.
    pub(super) cookies: Vec<String>,
    /// What its access token says, before and after the first dot.
    pub(super) header: Value,
    pub(super) claims: Value,
    /// The names of the published keys.
    pub(super) published: Vec<String>,
    /// How long a verifier keeps in mind what was revoked.
    pub(super) kept_seconds: Value,
    /// The members of an error.
    pub(super) error: String,
    /// The list of sessions.
    pub(super) sessions: Value,
    /// What a token that was issued before the setting was flipped is worth.
    pub(super) before: u16,
    /// What each way to ask is answered with.
    asked: BTreeMap<&'static str, u16>,
    /// How many cookies a protected route set.
    pub(super) set_by_others: usize,
}

impl Visit {
    /// What these ways to ask were answered with.
    pub(super) fn asked(&self, ways: &[&str]) -> String {
        let answers: Vec<_> = ways.iter().map(|way| self.asked[way].to_string()).collect();
        answers.join(" ")
    }
}

/// Opens an app as it was and takes a token, then opens it as it is to be and asks in every way.
pub(super) async fn visit(base: Change, change: Change) -> Visit {
    let folder = tempfile::tempdir().unwrap();
    let former = Setup::with(&[base]);
    let auth = former.open(folder.path()).await.unwrap();
    let (_, _, opened) = send(&former.app(&auth), "POST /login", &[], None).await;
    let earlier = opened["access"].as_str().unwrap().to_owned();
    drop(auth);
    let setup = Setup::with(&[base, change]);
    let auth = setup.open(folder.path()).await.unwrap();
    let client = Client::sign_in(setup.app(&auth)).await;
    let keys = client.get("/.well-known/jwks.json").await;
    let metadata = client.get("/.well-known/oauth-authorization-server").await;
    let header = auth.web().settings().token_header.name().to_owned();
    let scheme = auth.web().settings().token_header.scheme();
    let line = |token: &str| match scheme {
        Some(scheme) => format!("{scheme} {token}"),
        None => token.to_owned(),
    };
    let own = [(header.as_str(), line(&client.access))];
    let own = own.each_ref().map(|(name, line)| (*name, line.as_str()));
    let (_, _, sessions) = send(&client.app, "GET /auth/sessions", &own, None).await;
    let earlier = line(&earlier);
    let before = send(&client.app, "GET /me", &[(&header, &earlier)], None).await;
    let (_, _, error) = send(&client.app, "GET /me", &[], None).await;
    let (asked, set_by_others) = client.ask().await;
    let keys = keys["keys"].as_array().unwrap().iter();
    Visit {
        header: part(&client.access, 0),
        claims: part(&client.access, 1),
        published: keys
            .map(|key| key["kid"].as_str().unwrap().into())
            .collect(),
        kept_seconds: metadata["hallpass_verifier"]["kept_seconds"].clone(),
        error: members(&error),
        sessions,
        before: before.0,
        asked,
        set_by_others,
        cookies: client.lines.iter().map(|line| masked(line)).collect(),
    }
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn members(object: &Value) -> String {
    let members = object.as_object().unwrap().keys().cloned();
    members.collect::<Vec<_>>().join(" ")
}

/// A way to ask: its name, method and path, header lines, a body.
type Way<'a> = (&'static str, &'a str, &'a [(&'a str, &'a str)], String);

/// Somebody who is signed in.
struct Client {
    app: Router,
    lines: Vec<String>,
    /// The `Cookie` header that a browser sends.
    cookies: String,
    access: String,
    csrf: String,
}

impl Client {
    async fn sign_in(app: Router) -> Self {
        let (status, headers, body) = send(&app, "POST /login", &[], None).await;
        assert_eq!(status, 200, "{body}");
        let lines = set(&headers);
        let pairs = lines.iter().map(|line| line.split(';').next().unwrap());
        let text = |member: &str| body[member].as_str().unwrap().to_owned();
        Self {
            cookies: pairs.collect::<Vec<_>>().join("; "),
            access: text("access"),
            csrf: text("csrf"),
            app,
            lines,
        }
    }

    async fn get(&self, path: &str) -> Value {
        send(&self.app, &format!("GET {path}"), &[], None).await.2
    }

    /// Asks in every way, and tells what is answered, and how many cookies `/me` set.
    async fn ask(&self) -> (BTreeMap<&'static str, u16>, usize) {
        let (token, csrf, cookies) = (&*self.access, &*self.csrf, &*self.cookies);
        let (bearer, other) = (format!("Bearer {token}"), format!("JWT {token}"));
        let cookie = ("cookie", cookies);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let json = ("content-type", "application/json");
        let ways: [Way<'_>; 18] = [
            ("Bearer", "GET /me", &[("authorization", &bearer)], none()),
            ("JWT", "GET /me", &[("authorization", &other)], none()),
            ("bare", "GET /me", &[("authorization", token)], none()),
            ("x-token", "GET /me", &[("x-token", &bearer)], none()),
            (
                "?access_token",
                &format!("GET /me?access_token={token}"),
                &[],
                none(),
            ),
            ("?jwt", &format!("GET /me?jwt={token}"), &[], none()),
            (
                "access_token",
                "PUT /me",
                &[json],
                member("access_token", token),
            ),
            ("jwt", "PUT /me", &[json], member("jwt", token)),
            ("cookie", "GET /me", &[cookie], none()),
            (
                "junk and cookie",
                "GET /me",
                &[cookie, ("authorization", "Bearer x")],
                none(),
            ),
            ("post", "POST /me", &[cookie], none()),
            ("put", "PUT /me", &[cookie], none()),
            ("patch", "PATCH /me", &[cookie], none()),
            ("delete", "DELETE /me", &[cookie], none()),
            (
                "post x-csrf-token",
                "POST /me",
                &[cookie, ("x-csrf-token", csrf)],
                none(),
            ),
            (
                "post x-xsrf-token",
                "POST /me",
                &[cookie, ("x-xsrf-token", csrf)],
                none(),
            ),
            (
                "form csrf_token",
                "POST /me",
                &[cookie, form],
                format!("csrf_token={csrf}"),
            ),
            (
                "form xsrf",
                "POST /me",
                &[cookie, form],
                format!("xsrf={csrf}"),
            ),
        ];
        let mut asked = BTreeMap::new();
        let mut set_by_others = 0;
        for (way, request, headers, body) in ways {
            let (status, headers, _) = send_text(&self.app, request, headers, body).await;
            asked.insert(way, status);
            set_by_others += set(&headers).len();
        }
        self.refresh(&mut asked).await;
        (asked, set_by_others)
    }

    async fn refresh(&self, asked: &mut BTreeMap<&'static str, u16>) {
        let csrf = &*self.csrf;
        let form = ("content-type", "application/x-www-form-urlencoded");
        let ways: [(&'static str, (&str, &str), String); 5] = [
            ("refresh", ("accept", "*/*"), none()),
            ("refresh x-csrf-token", ("x-csrf-token", csrf), none()),
            ("refresh x-xsrf-token", ("x-xsrf-token", csrf), none()),
            (
                "refresh form csrf_token",
                form,
                format!("csrf_token={csrf}"),
            ),
            ("refresh form xsrf", form, format!("xsrf={csrf}")),
        ];
        for (way, header, body) in ways {
            let headers = [("cookie", self.cookies.as_str()), header];
            let (status, ..) = send_text(&self.app, "POST /refresh", &headers, body).await;
            asked.insert(way, status);
        }
    }
}

fn none() -> String {
    String::new()
}

fn member(name: &str, token: &str) -> String {
    json!({ name: token }).to_string()
}

fn set(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all("set-cookie").iter();
    lines
        .map(|line| line.to_str().unwrap().to_owned())
        .collect()
}

/// Refreshes with a token that a client keeps itself, in each of two members.
pub(super) async fn refreshed_by_body(change: Change) -> String {
    let folder = tempfile::tempdir().unwrap();
    let by_body: Change = |setup| setup.opening = |opening| opening.delivery = Delivery::Body;
    let setup = Setup::with(&[by_body, change]);
    let auth = setup.open(folder.path()).await.unwrap();
    let app = setup.app(&auth);
    let (_, _, opened) = send(&app, "POST /login", &[], None).await;
    let mut answers = Vec::new();
    for member in ["refresh_token", "rt"] {
        let body = json!({ member: opened["refresh"] });
        let (status, ..) = send(&app, "POST /refresh-by-body", &[], Some(body)).await;
        answers.push(status.to_string());
    }
    answers.join(" ")
}
