//! The gate of a verifier far from the issuer: what is decided at once, and what has to be asked.

use super::{Active, Admission, BoxFuture, Gate, Refusal, Upstream, WhenStale};
use crate::{AccessTokenText, Caller, Found, Location, Locations, TokenError, bearer};
use http::{HeaderMap, Method};
use std::sync::Arc;

/// An answer, at once or later.
pub(crate) enum Asked {
    /// Nobody had to be asked.
    Now(Admission),
    /// The issuer is being asked.
    Later(BoxFuture<'static, Admission>),
}

impl Gate {
    /// Decides who is calling, and asks the issuer where that is needed: for a key that is not
    /// known, and about the token when what was revoked is not known up to date.
    ///
    /// Nothing is asked and nothing is awaited for a request that can be decided as it is. Without
    /// an [`Upstream`] this is [`admit_at`](Self::admit_at).
    ///
    /// # Security
    /// An error never makes a token good: whoever cannot be asked gives
    /// [`Refusal::Unavailable`]. Only a token that names our issuer and audience and has not
    /// expired makes the verifier ask for keys.
    pub fn admit_asking(
        self: &Arc<Self>,
        locations: &Locations,
        when_stale: WhenStale,
        method: &Method,
        headers: &HeaderMap,
    ) -> impl Future<Output = Admission> + Send + use<> {
        let asked = self.admit_or_ask(*locations, when_stale, method, headers);
        async move {
            match asked {
                Asked::Now(admission) => admission,
                Asked::Later(admission) => admission.await,
            }
        }
    }

    pub(crate) fn admit_or_ask(
        self: &Arc<Self>,
        locations: Locations,
        when_stale: WhenStale,
        method: &Method,
        headers: &HeaderMap,
    ) -> Asked {
        let admission = self.admit_at(&locations, method, headers);
        let Some(upstream) = &self.upstream else {
            return Asked::Now(admission);
        };
        match admission {
            Admission::Caller(caller) => {
                self.unless_stale(upstream.as_ref(), caller, when_stale, headers)
            }
            Admission::Refused(Refusal::Token(TokenError::UnknownKey | TokenError::NoKeys))
                if self.has_plausible_token(locations, headers) =>
            {
                let Some(fetched) = upstream.keys_wanted() else {
                    return Asked::Now(admission);
                };
                let gate = Arc::clone(self);
                let (method, headers) = (method.clone(), headers.clone());
                Asked::Later(Box::pin(async move {
                    fetched.await;
                    gate.admit_after_fetch(locations, when_stale, &method, &headers)
                        .await
                }))
            }
            Admission::Anonymous | Admission::Refused(_) => Asked::Now(admission),
        }
    }

    /// Decides again, and this time takes an unknown key for an answer.
    fn admit_after_fetch(
        &self,
        locations: Locations,
        when_stale: WhenStale,
        method: &Method,
        headers: &HeaderMap,
    ) -> BoxFuture<'static, Admission> {
        let asked = match (
            self.admit_at(&locations, method, headers),
            self.upstream.as_ref(),
        ) {
            (Admission::Caller(caller), Some(upstream)) => {
                self.unless_stale(upstream.as_ref(), caller, when_stale, headers)
            }
            (admission, _) => Asked::Now(admission),
        };
        match asked {
            Asked::Now(admission) => Box::pin(std::future::ready(admission)),
            Asked::Later(admission) => admission,
        }
    }

    /// A good token, if what was revoked is known; else as the route wants it.
    fn unless_stale(
        &self,
        upstream: &dyn Upstream,
        caller: Caller,
        when_stale: WhenStale,
        headers: &HeaderMap,
    ) -> Asked {
        let unavailable = Admission::Refused(Refusal::Unavailable);
        if when_stale == WhenStale::GoOn || upstream.is_current(self.clock.now()) {
            return Asked::Now(Admission::Caller(caller));
        }
        let (WhenStale::Ask, Some(token)) = (when_stale, self.token_of(&caller, headers)) else {
            return Asked::Now(unavailable);
        };
        let answer = upstream.ask(token);
        Asked::Later(Box::pin(async move {
            match answer.await {
                Ok(Active::Yes) => Admission::Caller(caller),
                // It was good a moment ago but for what we did not know of.
                Ok(Active::No) => Admission::Refused(Refusal::Token(TokenError::SessionEnded)),
                Err(_) => unavailable,
            }
        }))
    }

    /// Returns the token that made this caller, as it stands in the request.
    fn token_of(&self, caller: &Caller, headers: &HeaderMap) -> Option<AccessTokenText> {
        let is_it = |token: &&str| {
            self.verifier
                .verify(token, caller.location(), self.clock.now())
                .is_ok_and(|other| other.claims() == caller.claims())
        };
        let token = tokens_at(self, caller.location(), headers)
            .into_iter()
            .find(is_it);
        token.map(|token| AccessTokenText::new(token.to_owned()))
    }

    /// Tells whether the credential that counts is a token for us but for its signature, so that
    /// other keys may help.
    fn has_plausible_token(&self, locations: Locations, headers: &HeaderMap) -> bool {
        let now = self.clock.now();
        let present = locations
            .iter()
            .map(|location| tokens_at(self, location, headers))
            .find(|tokens| !tokens.is_empty());
        present
            .unwrap_or_default()
            .iter()
            .any(|token| self.verifier.is_plausible(token, now))
    }
}

fn tokens_at<'r>(gate: &Gate, location: Location, headers: &'r HeaderMap) -> Vec<&'r str> {
    match location {
        Location::Header => match bearer(headers) {
            Found::Present(token) => vec![token],
            Found::Absent | Found::Malformed => Vec::new(),
        },
        Location::Cookie => match gate.settings.access_cookie.read(headers) {
            Found::Present(candidates) => candidates.iter().collect(),
            Found::Absent | Found::Malformed => Vec::new(),
        },
    }
}
