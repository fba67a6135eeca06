//! The issuer's documents, from the network: its metadata and its keys.

use super::decide::Reason;
use super::endpoints::{Endpoints, Issuer, METADATA_LEN_MAX, MetadataFault};
use crate::{JWKS_LEN_MAX, KeyFault, KeySet, Timestamp};
use http::header::{
    ACCEPT, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Client, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use url::Url;

/// For how long the metadata is not fetched again.
const METADATA_FRESH: Duration = Duration::from_hours(1);

/// The longest entity tag that is sent back, in bytes.
const ETAG_LEN_MAX: usize = 256;

const JSON: &str = "application/json";
const JWK_SET: &str = "application/jwk-set+json";

/// Why a fetch brought nothing. The last good set stays in force.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchFault {
    #[error("the issuer cannot be reached, or did not answer in time")]
    Unreachable(#[source] reqwest::Error),
    #[error("the answer broke off")]
    BrokenOff(#[source] reqwest::Error),
    #[error("expected status 200, got {0}")]
    Status(StatusCode),
    #[error("expected a document, got a redirect: it is not followed")]
    Redirect,
    #[error("expected JSON that is not compressed")]
    MediaType,
    #[error("expected a document of at most {0} bytes")]
    TooLong(usize),
    #[error("the issuer says that nothing has changed, but nothing is known")]
    NothingToKeep,
    #[error("expected the metadata of an issuer")]
    Metadata,
    #[error("the metadata is of another issuer")]
    OtherIssuer,
    #[error("the metadata names an endpoint that is not on the issuer's own origin")]
    ForeignEndpoint,
    #[error(transparent)]
    Keys(#[from] KeyFault),
}

impl FetchFault {
    /// Returns a word for it: for counting.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::BrokenOff(_) => "broken_off",
            Self::Status(_) => "status",
            Self::Redirect => "redirect",
            Self::MediaType => "media_type",
            Self::TooLong(_) => "too_long",
            Self::NothingToKeep => "nothing_to_keep",
            Self::Metadata => "metadata",
            Self::OtherIssuer => "other_issuer",
            Self::ForeignEndpoint => "foreign_endpoint",
            Self::Keys(KeyFault::PrivateKey) => "private_key",
            Self::Keys(_) => "keys",
        }
    }

    /// Tells whether the issuer at the other end is not, or not only, ours: then nothing it says
    /// is used.
    const fn is_of_another(&self) -> bool {
        matches!(self, Self::OtherIssuer | Self::ForeignEndpoint)
    }
}

impl From<MetadataFault> for FetchFault {
    fn from(fault: MetadataFault) -> Self {
        match fault {
            MetadataFault::Malformed => Self::Metadata,
            MetadataFault::OtherIssuer => Self::OtherIssuer,
            MetadataFault::ForeignEndpoint => Self::ForeignEndpoint,
        }
    }
}

/// The keys as the issuer serves them now.
#[derive(Debug)]
pub(super) struct Fetched {
    /// `None` when they are those of the last fetch.
    pub(super) set: Option<KeySet>,
    /// For how long the issuer says that they are fresh.
    pub(super) fresh: Option<Duration>,
}

/// The endpoints of the issuer as they are known now: for all who ask there.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) endpoints: watch::Sender<Option<Arc<Endpoints>>>,
    /// The one of revocations among them.
    pub(super) revocations: watch::Sender<Option<Url>>,
}

impl Known {
    fn learn(&self, endpoints: &Arc<Endpoints>) {
        self.endpoints.send_replace(Some(Arc::clone(endpoints)));
        self.revocations.send_if_modified(|url| {
            let is_new = *url != endpoints.revocations;
            url.clone_from(&endpoints.revocations);
            is_new
        });
    }
}

/// Fetches the keys of one issuer.
#[derive(Debug)]
pub(super) struct Fetcher {
    client: Client,
    issuer: Issuer,
    known: Known,
    metadata_at: Option<Timestamp>,
    /// Of the last good set.
    etag: Option<HeaderValue>,
}

impl Fetcher {
    /// Takes a client that follows no redirects, the issuer, and whom to tell its endpoints.
    pub(super) const fn new(client: Client, issuer: Issuer, known: Known) -> Self {
        Self {
            client,
            issuer,
            known,
            metadata_at: None,
            etag: None,
        }
    }

    /// Fetches the keys, and the metadata when it is time.
    pub(super) async fn fetch(
        &mut self,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Fetched, FetchFault> {
        let endpoints = self.endpoints_at(now).await?;
        let accept =
            const { HeaderValue::from_static("application/jwk-set+json, application/json") };
        let mut headers = HeaderMap::from_iter([(ACCEPT, accept)]);
        if matches!(reason, Reason::UnknownKid | Reason::Withdrawn) {
            // Caches on the way may be behind, and this is about what has just changed.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if let Some(etag) = &self.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        let response = self.answer(endpoints.jwks.clone(), headers).await?;
        let fresh = freshness(response.headers());
        if response.status() == StatusCode::NOT_MODIFIED {
            let unchanged = Fetched { set: None, fresh };
            return self
                .etag
                .as_ref()
                .map(|_| unchanged)
                .ok_or(FetchFault::NothingToKeep);
        }
        let etag = response.headers().get(ETAG).cloned();
        let set = KeySet::from_jwks(&document(response, JWKS_LEN_MAX).await?)?;
        self.etag = etag.filter(|etag| etag.len() <= ETAG_LEN_MAX);
        Ok(Fetched {
            set: Some(set),
            fresh,
        })
    }

    /// Forgets which set was fetched: the next answer has to bring one.
    pub(super) fn forget(&mut self) {
        self.etag = None;
    }

    /// Returns the endpoints. Those known before are good when the metadata cannot be read now, but
    /// not when it turns out to be another's.
    async fn endpoints_at(&mut self, now: Timestamp) -> Result<Arc<Endpoints>, FetchFault> {
        let known = self.known.endpoints.borrow().clone();
        let is_fresh = self
            .metadata_at
            .is_some_and(|at| at <= now && now.since(at) < METADATA_FRESH);
        if let (Some(known), true) = (&known, is_fresh) {
            return Ok(Arc::clone(known));
        }
        match (self.metadata().await, known) {
            (Ok(endpoints), _) => {
                let endpoints = Arc::new(endpoints);
                self.metadata_at = Some(now);
                self.known.learn(&endpoints);
                Ok(endpoints)
            }
            (Err(fault), Some(known)) if !fault.is_of_another() => {
                tracing::warn!(error = %fault, "the issuer's metadata was not read, what was known of it is used");
                Ok(known)
            }
            (Err(fault), _) => Err(fault),
        }
    }

    async fn metadata(&self) -> Result<Endpoints, FetchFault> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(JSON))]);
        let response = self.answer(self.issuer.metadata_url(), headers).await?;
        let document = document(response, METADATA_LEN_MAX).await?;
        Ok(Endpoints::read(&document, &self.issuer)?)
    }

    /// Asks for a document. The client's limit of time counts until its last byte.
    async fn answer(&self, url: Url, headers: HeaderMap) -> Result<Response, FetchFault> {
        let request = self.client.get(url).headers(headers);
        request.send().await.map_err(FetchFault::Unreachable)
    }
}

/// Reads the body of a good answer, as far as it is not too long.
async fn document(mut response: Response, len_max: usize) -> Result<Vec<u8>, FetchFault> {
    if response.status().is_redirection() {
        return Err(FetchFault::Redirect);
    }
    if response.status() != StatusCode::OK {
        return Err(FetchFault::Status(response.status()));
    }
    if !is_plain_json(response.headers()) {
        return Err(FetchFault::MediaType);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchFault::BrokenOff)? {
        if body.len() + chunk.len() > len_max {
            return Err(FetchFault::TooLong(len_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = media_type
        .and_then(|text| text.split(';').next())
        .map(str::trim);
    let is_json = essence.is_some_and(|essence| {
        [JSON, JWK_SET]
            .iter()
            .any(|ours| ours.eq_ignore_ascii_case(essence))
    });
    is_json && !headers.contains_key(CONTENT_ENCODING)
}

/// Returns for how long an answer is fresh (RFC 9111 §4.2.1), less the time it spent in caches on
/// the way (§5.1). `None` when it does not say, or says that it is not to be kept.
fn freshness(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    for line in headers.get_all(CACHE_CONTROL) {
        for directive in line.to_str().ok()?.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return None,
                "max-age" => max_age = value.trim().trim_matches('"').parse().ok(),
                _ => {}
            }
        }
    }
    let age = headers.get(AGE).and_then(|value| value.to_str().ok());
    let age = age.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(max_age?).saturating_sub(Duration::from_secs(age)))
}

#[cfg(test)]
mod tests;
