//! The gate of a verifier far from the issuer: what is decided at once, and what has to be asked.

use super::{Active, Admission, BoxFuture, Gate, Head, Refusal, RouteTerms, Upstream, WhenStale};
use crate::{AccessTokenText, Caller, Locations, TokenError};
use http::Request;
use std::borrow::Cow;
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
    /// an [`Upstream`] this is [`admit`](Self::admit), on these terms.
    ///
    /// # Security
    /// An error never makes a token good: whoever cannot be asked gives
    /// [`Refusal::Unavailable`]. Only a token that names our issuer and audience and has not
    /// expired makes the verifier ask for keys.
    pub fn admit_asking(
        self: &Arc<Self>,
        terms: RouteTerms,
        head: Head<'_>,
    ) -> impl Future<Output = Admission> + Send + use<> {
        let asked = self.admit_or_ask(terms, head);
        async move {
            match asked {
                Asked::Now(admission) => admission,
                Asked::Later(admission) => admission.await,
            }
        }
    }

    pub(crate) fn admit_or_ask(self: &Arc<Self>, terms: RouteTerms, head: Head<'_>) -> Asked {
        let admission = self.decide(terms, head);
        let Some(upstream) = &self.upstream else {
            return Asked::Now(admission);
        };
        match admission {
            Admission::Caller(caller) => {
                self.unless_stale(upstream.as_ref(), caller, terms.when_stale, head)
            }
            Admission::Refused(Refusal::Token(TokenError::UnknownKey | TokenError::NoKeys))
                if self.has_plausible_token(terms.locations, head) =>
            {
                let Some(fetched) = upstream.keys_wanted() else {
                    return Asked::Now(admission);
                };
                let gate = Arc::clone(self);
                let kept = head.kept();
                Asked::Later(Box::pin(async move {
                    fetched.await;
                    gate.admit_after_fetch(terms, &kept).await
                }))
            }
            Admission::Anonymous | Admission::Refused(_) => Asked::Now(admission),
        }
    }

    /// Decides again, and this time takes an unknown key for an answer.
    fn admit_after_fetch(
        &self,
        terms: RouteTerms,
        request: &Request<()>,
    ) -> BoxFuture<'static, Admission> {
        let head = Head::from(request);
        let asked = match (self.decide(terms, head), self.upstream.as_ref()) {
            (Admission::Caller(caller), Some(upstream)) => {
                self.unless_stale(upstream.as_ref(), caller, terms.when_stale, head)
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
        head: Head<'_>,
    ) -> Asked {
        let unavailable = Admission::Refused(Refusal::Unavailable);
        if when_stale == WhenStale::GoOn || upstream.is_current(self.clock.now()) {
            return Asked::Now(Admission::Caller(caller));
        }
        let (WhenStale::Ask, Some(token)) = (when_stale, self.token_of(&caller, head)) else {
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
    fn token_of(&self, caller: &Caller, head: Head<'_>) -> Option<AccessTokenText> {
        let is_it = |token: &Cow<'_, str>| {
            self.verifier
                .verify(token, caller.location(), self.clock.now())
                .is_ok_and(|other| other.claims() == caller.claims())
        };
        let token = self
            .tokens_at(caller.location(), head)
            .into_iter()
            .find(is_it);
        token.map(|token| AccessTokenText::new(token.into_owned()))
    }

    /// Tells whether the credential that counts is a token for us but for its signature, so that
    /// other keys may help.
    fn has_plausible_token(&self, locations: Locations, head: Head<'_>) -> bool {
        let now = self.clock.now();
        let present = locations
            .iter()
            .map(|location| self.tokens_at(location, head))
            .find(|tokens| !tokens.is_empty());
        present
            .unwrap_or_default()
            .iter()
            .any(|token| self.verifier.is_plausible(token, now))
    }
}
