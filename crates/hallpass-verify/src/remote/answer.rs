//! Requests with the credentials of this service, and their answers.

use super::service::Service;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response};
use url::Url;

/// The way to the issuer for this service.
#[derive(Clone, Debug)]
pub(super) struct Line {
    client: Client,
    authorization: HeaderValue,
}

impl Line {
    /// Takes a client that follows no redirects and has no limit of time for whole answers, and
    /// credentials.
    pub(super) fn new(client: Client, service: &Service) -> Self {
        Self {
            client,
            authorization: service.authorization(),
        }
    }

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.client.request(method, url);
        request.header(AUTHORIZATION, self.authorization.clone())
    }
}

/// Reads a body of at most `len_max` bytes; `None` when it is longer or breaks off.
pub(super) async fn body(mut response: Response, len_max: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > len_max {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// Tells whether an answer says that it is of this media type, whatever its parameters.
pub(super) fn is_of_type(response: &Response, media_type: &str) -> bool {
    let line = response.headers().get(CONTENT_TYPE);
    let text = line.and_then(|value| value.to_str().ok());
    let essence = text.and_then(|text| text.split(';').next());
    essence.is_some_and(|own| own.trim().eq_ignore_ascii_case(media_type))
}
