//! A browser on a page of ours.

use super::{App, Jar, Req, credentials};
use serde_json::Value;

/// Keeps cookies, and sends what browsers send from a page of our own origin.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    pub(crate) app: &'a App,
    pub(crate) jar: Jar,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Self {
            app,
            jar: Jar::default(),
        }
    }

    /// A request with the cookies of the jar, from our own page.
    pub(crate) fn request(&mut self, method: &str, path: &str) -> Req<'_> {
        Req::new(self.app, Some(&mut self.jar), method, path)
            .header("sec-fetch-site", "same-origin")
    }

    pub(crate) fn get(&mut self, path: &str) -> Req<'_> {
        self.request("GET", path)
    }

    pub(crate) fn post(&mut self, path: &str) -> Req<'_> {
        self.request("POST", path)
    }

    /// A request with the cookies of the jar and nothing else: a page of anybody's made it.
    pub(crate) fn bare(&mut self, method: &str, path: &str) -> Req<'_> {
        Req::new(self.app, Some(&mut self.jar), method, path)
    }

    /// What the browser holds under one of these names, which may have a prefix: `hp_access`.
    pub(crate) fn cookie(&self, name: &[&str]) -> String {
        let full = self
            .jar
            .0
            .iter()
            .find(|kept| name.iter().any(|name| kept.cookie.name.ends_with(name)));
        full.map(|kept| kept.cookie.value.clone())
            .unwrap_or_default()
    }

    pub(crate) fn access(&self) -> String {
        self.cookie(&["hp_access", "access_token"])
    }

    pub(crate) fn refresh_token(&self) -> String {
        self.cookie(&["hp_refresh", "refresh_token"])
    }

    pub(crate) fn csrf(&self) -> String {
        self.cookie(&["hp_csrf", "csrf_token"])
    }

    pub(crate) async fn sign_in(&mut self, email: &str) -> Value {
        let answer = self.post("/auth/login").json(&credentials(email)).send();
        let answer = answer.await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Refreshes as our page does; the session must go on.
    pub(crate) async fn refresh(&mut self) -> Value {
        let csrf = self.csrf();
        let answer = self.post("/auth/refresh").csrf(&csrf).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Who the server says is calling: the status and the code of a problem, or 200 and the id.
    pub(crate) async fn me(&mut self) -> (u16, String) {
        let answer = self.get("/auth/me").send().await;
        (answer.status, answer.code_or("id"))
    }

    /// The session that the access cookie belongs to.
    pub(crate) async fn session_id(&mut self) -> String {
        let list = self.get("/auth/sessions").send().await.json();
        let sessions = list["sessions"].as_array().unwrap();
        let own = sessions.iter().find(|one| one["current"] == true).unwrap();
        own["id"].as_str().unwrap().to_owned()
    }
}
