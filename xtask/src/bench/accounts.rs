//! Users of the server under load, made through its own routes.

use super::http::{Answer, Connection};
use super::load::{get, post};
use crate::steps::Stop;
use serde_json::{Value, json};
use std::net::SocketAddr;

const PASSWORD: &str = "seven green otters read at dusk";

/// A user, and what signing up handed out.
pub(crate) struct Account {
    email: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) csrf_token: String,
    /// The value of a `Cookie` header: every cookie but that of the refresh token.
    pub(crate) cookies: String,
}

impl Account {
    /// Signs a user up. `delivery` is a word of the wire: `body` or `cookie`.
    pub(crate) async fn sign_up(
        address: SocketAddr,
        name: &str,
        delivery: &str,
    ) -> Result<Self, Stop> {
        Self::open(address, "/auth/signup", name, delivery).await
    }

    /// Signs a user of the app's own in, by a route of its own.
    pub(crate) async fn enter(
        address: SocketAddr,
        name: &str,
        delivery: &str,
    ) -> Result<Self, Stop> {
        Self::open(address, "/enter", name, delivery).await
    }

    async fn open(
        address: SocketAddr,
        path: &str,
        name: &str,
        delivery: &str,
    ) -> Result<Self, Stop> {
        let email = format!("{name}@example.test");
        let body = json!({ "email": email, "password": PASSWORD, "delivery": delivery });
        let mut connection = Connection::open(address).await?;
        let request = post(address, path, "", &body.to_string());
        let answer = connection.exchange(&request).await?;
        if answer.status != 201 {
            let body = String::from_utf8_lossy(answer.body);
            return Err(Stop::because(format!(
                "sign-up answered {}: {body}",
                answer.status
            )));
        }
        let session = answer.json()?;
        let text = |name: &str| {
            session
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_string()
        };
        Ok(Self {
            email,
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
            csrf_token: text("csrf_token"),
            cookies: cookies(&answer),
        })
    }

    /// Returns the request that signs this user in.
    pub(crate) fn sign_in(&self, address: SocketAddr) -> Vec<u8> {
        let body = json!({ "email": self.email, "password": PASSWORD, "delivery": "body" });
        post(address, "/auth/login", "", &body.to_string())
    }

    /// Returns a `GET` with this user's access token in the `Authorization` header.
    pub(crate) fn get_by_bearer(&self, address: SocketAddr, path: &str) -> Vec<u8> {
        get(
            address,
            path,
            &format!("authorization: Bearer {}\r\n", self.access_token),
        )
    }

    /// Returns a `GET` with this user's cookies.
    pub(crate) fn get_by_cookie(&self, address: SocketAddr, path: &str) -> Vec<u8> {
        get(address, path, &format!("cookie: {}\r\n", self.cookies))
    }

    /// Returns a `POST` with this user's cookies and the proof that our own page made it.
    pub(crate) fn post_by_cookie(&self, address: SocketAddr, path: &str) -> Vec<u8> {
        let fields = format!(
            "cookie: {}\r\nx-csrf-token: {}\r\n",
            self.cookies, self.csrf_token
        );
        post(address, path, &fields, "{}")
    }

    /// Returns a `POST` with this user's cookies and nothing that proves who made it.
    pub(crate) fn post_without_proof(&self, address: SocketAddr, path: &str) -> Vec<u8> {
        post(
            address,
            path,
            &format!("cookie: {}\r\n", self.cookies),
            "{}",
        )
    }
}

fn cookies(answer: &Answer<'_>) -> String {
    let pairs = answer
        .header("set-cookie")
        .filter_map(|line| line.split(';').next());
    // The refresh cookie has a path of its own: a browser does not send it to an app's routes.
    let sent = pairs.filter(|pair| !pair.split('=').next().unwrap_or("").ends_with("refresh"));
    sent.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fake;

    const SESSION: &str = r#"{"access_token":"a","refresh_token":"r","csrf_token":"c"}"#;

    #[tokio::test]
    async fn an_account_sends_what_signing_up_handed_out() {
        let address = fake::serve(|request| {
            assert!(request.contains(r#""delivery":"cookie""#), "{request}");
            let len = SESSION.len();
            let cookies = "set-cookie: hp_access=a; Path=/\r\nset-cookie: hp_refresh=r; Path=/auth\r\nset-cookie: hp_csrf=c; Path=/";
            vec![format!("HTTP/1.1 201 Created\r\n{cookies}\r\ncontent-length: {len}\r\n\r\n{SESSION}")]
        })
        .await;
        let account = Account::sign_up(address, "ann", "cookie").await.unwrap();
        let shown = |request: Vec<u8>| String::from_utf8(request).unwrap();
        let by_cookie = shown(account.post_by_cookie(address, "/protected"));
        assert!(
            by_cookie.contains("\r\ncookie: hp_access=a; hp_csrf=c\r\n"),
            "{by_cookie}"
        );
        assert!(by_cookie.contains("\r\nx-csrf-token: c\r\n"), "{by_cookie}");
        let without = shown(account.post_without_proof(address, "/protected"));
        assert!(!without.contains("csrf-token"), "{without}");
        let by_bearer = shown(account.get_by_bearer(address, "/auth/me"));
        assert!(
            by_bearer.contains("\r\nauthorization: Bearer a\r\n"),
            "{by_bearer}"
        );
        assert!(shown(account.sign_in(address)).contains("ann@example.test"));
    }

    #[tokio::test]
    async fn a_sign_up_that_is_refused_ends_the_measurement() {
        let address = fake::serve(|_| fake::answer(409, "{}")).await;
        let stop = Account::sign_up(address, "ann", "body")
            .await
            .err()
            .unwrap();
        assert_eq!(stop.to_string(), "sign-up answered 409: {}");
    }
}
