//! Asking the issuer about one token or one ticket.

use super::answer::{Line, body, is_of_type};
use crate::json::{self, Limits, Object, Value};
use crate::{AccessTokenText, Active, AskFault};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// The longest answer, in bytes.
const ANSWER_LEN_MAX: usize = 65_536;

/// How many questions may be on their way at once. More wait for their turn, within the time an
/// answer may take: an issuer that has just come back is not run over.
const QUESTIONS_MAX: usize = 64;

/// What a ticket begins with.
const TICKET_PREFIX: &str = "hpt_";

/// Why a ticket gave no token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedeemFault {
    /// It is none, was used before, or its time is over.
    #[error("the ticket is not good, or not any more")]
    Refused,
    /// The issuer cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] AskFault),
}

/// Asks the issuer about one token or one ticket at a time.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    line: Line,
    turns: Arc<Semaphore>,
    answer_max: Duration,
}

impl Asker {
    /// Takes who asks.
    pub(crate) fn new(line: Line) -> Self {
        Self {
            line,
            turns: Arc::new(Semaphore::new(QUESTIONS_MAX)),
            answer_max: ANSWER_MAX,
        }
    }

    /// Asks at the introspection endpoint whether a token is good now (RFC 7662 §2).
    ///
    /// # Errors
    /// When there is no answer, or it is not understood.
    pub(crate) async fn ask(&self, url: &Url, token: &AccessTokenText) -> Result<Active, AskFault> {
        let form = form(&[
            ("token", token.expose()),
            ("token_type_hint", "access_token"),
        ]);
        let (status, answer) = self.answer(url, &form).await?;
        match status {
            200 => match answer.get("active").and_then(Value::as_bool) {
                Some(true) => Ok(Active::Yes),
                Some(false) => Ok(Active::No),
                None => Err(AskFault::Answer),
            },
            other => Err(fault(other)),
        }
    }

    /// Changes a ticket into the access token it stands for. The token is not verified yet.
    ///
    /// # Errors
    /// When the ticket is not good, or the issuer cannot be asked.
    ///
    /// # Security
    /// What does not look like a ticket is refused here: a stranger's junk costs no request.
    pub(crate) async fn redeem(
        &self,
        url: &Url,
        ticket: &str,
    ) -> Result<AccessTokenText, RedeemFault> {
        if !is_ticket(ticket) {
            return Err(RedeemFault::Refused);
        }
        let (status, mut answer) = self.answer(url, &form(&[("ticket", ticket)])).await?;
        let code = answer.get("code").and_then(Value::as_str);
        match status {
            200 => match answer.remove("access_token") {
                Some(Value::String(token)) => Ok(AccessTokenText::new(token)),
                _ => Err(AskFault::Answer.into()),
            },
            // Both have status 401; the other one is about our credentials.
            401 if code == Some("token_invalid") => Err(RedeemFault::Refused),
            other => Err(fault(other).into()),
        }
    }

    /// Posts a form and returns the status and the members of the answer.
    async fn answer(&self, url: &Url, form: &str) -> Result<(u16, Object), AskFault> {
        let answered = timeout(self.answer_max, async {
            let turn = self.turns.acquire().await;
            let _turn = turn.map_err(|_| AskFault::Unreachable)?;
            let request = self
                .line
                .request(Method::POST, url.clone())
                .header(ACCEPT, "application/json")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .timeout(self.answer_max)
                .body(form.to_owned());
            let response = request.send().await;
            read(response.map_err(|_| AskFault::Unreachable)?).await
        });
        answered.await.unwrap_or(Err(AskFault::Unreachable))
    }
}

async fn read(response: Response) -> Result<(u16, Object), AskFault> {
    let status = response.status().as_u16();
    let is_json = is_of_type(&response, "application/json")
        || is_of_type(&response, "application/problem+json");
    let text = if is_json {
        body(response, ANSWER_LEN_MAX).await.map(Zeroizing::new)
    } else {
        None
    };
    let limits = Limits {
        bytes_max: ANSWER_LEN_MAX,
        ..Limits::TOKEN
    };
    match text.map(|text| json::parse(&text, limits)) {
        Some(Ok(Value::Object(members))) => Ok((status, members)),
        // What is said by something in between still has a status.
        _ => Err(fault(status)),
    }
}

/// A redirect is no answer: the token went to the issuer and goes nowhere else.
const fn fault(status: u16) -> AskFault {
    match status {
        401 | 403 => AskFault::Credentials,
        429 | 500..=599 => AskFault::Unreachable,
        _ => AskFault::Answer,
    }
}

fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    Zeroizing::new(form.extend_pairs(fields).finish())
}

/// Tells whether this is the prefix and the 43 characters of 32 bytes.
fn is_ticket(text: &str) -> bool {
    let bytes = text.strip_prefix(TICKET_PREFIX).map(|text| {
        let mut bytes = Zeroizing::new([0; 32]);
        URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut())
    });
    matches!(bytes, Some(Ok(32)))
}

#[cfg(test)]
mod tests;
