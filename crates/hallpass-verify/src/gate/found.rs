//! What stands where a credential, or the proof that belongs to one, can stand.

use super::{Gate, Head, InBody, Refusal};
use crate::transport::in_query;
use crate::{Caller, Found, Location};
use std::borrow::Cow;

impl Gate {
    /// Returns the token at a location, unverified. Of cookies there may be several: the first.
    pub(super) fn found_at<'r>(&self, location: Location, head: Head<'r>) -> Found<Cow<'r, str>> {
        let settings = &self.settings;
        match location {
            Location::Header => settings
                .token_header
                .read(head.headers())
                .map(Cow::Borrowed),
            Location::Cookie => match settings.access_cookie.read(head.headers()) {
                Found::Present(candidates) => {
                    let first = candidates.iter().next();
                    first.map_or(Found::Absent, |token| Found::Present(Cow::Borrowed(token)))
                }
                Found::Absent => Found::Absent,
                Found::Malformed => Found::Malformed,
            },
            Location::Query => head
                .query()
                .map_or(Found::Absent, |query| in_query(&settings.query_name, query)),
            Location::Body => head
                .in_body()
                .map_or(Found::Absent, InBody::token)
                .map(Cow::Borrowed),
        }
    }

    /// Returns every token at a location, unverified.
    pub(super) fn tokens_at<'r>(&self, location: Location, head: Head<'r>) -> Vec<Cow<'r, str>> {
        if location == Location::Cookie {
            return match self.settings.access_cookie.read(head.headers()) {
                Found::Present(candidates) => candidates.iter().map(Cow::Borrowed).collect(),
                Found::Absent | Found::Malformed => Vec::new(),
            };
        }
        match self.found_at(location, head) {
            Found::Present(token) => vec![token],
            Found::Absent | Found::Malformed => Vec::new(),
        }
    }

    /// Returns the location whose credential is the one that counts, good or not.
    #[must_use]
    pub fn counts<'r>(&self, request: impl Into<Head<'r>>) -> Option<Location> {
        let head = request.into();
        let is_there = |location: &Location| self.found_at(*location, head) != Found::Absent;
        self.settings.locations.iter().find(is_there)
    }

    /// Returns the caller of the token that counts, even if it has expired: for signing out, which
    /// needs no live token. A cookie is left alone: it owes a proof.
    ///
    /// # Errors
    /// As [`admit`](Self::admit), but never that it has expired.
    ///
    /// # Security
    /// Let nobody do anything else with it.
    pub fn caller_even_expired<'r>(
        &self,
        request: impl Into<Head<'r>>,
    ) -> Result<Option<Caller>, Refusal> {
        let head = request.into();
        let location = match self.counts(head) {
            None | Some(Location::Cookie) => return Ok(None),
            Some(location) => location,
        };
        let Found::Present(token) = self.found_at(location, head) else {
            return Err(Refusal::Malformed);
        };
        let (verifier, now) = (&self.verifier, self.clock.now());
        Ok(Some(verifier.verify_even_expired(&token, location, now)?))
    }

    /// Returns the CSRF token of a request: of the header, or, where that is absent, of the form.
    pub(super) fn presented_csrf<'r>(&self, head: Head<'r>) -> Found<&'r str> {
        let mut lines = head.headers().get_all(&self.settings.csrf_header).iter();
        match (lines.next(), lines.next()) {
            (None, _) => self.csrf_in_form(head),
            (Some(line), None) => line.to_str().map_or(Found::Malformed, Found::Present),
            _ => Found::Malformed,
        }
    }

    fn csrf_in_form<'r>(&self, head: Head<'r>) -> Found<&'r str> {
        let in_body = self.settings.csrf_field.as_ref().and(head.in_body());
        in_body.map_or(Found::Absent, InBody::csrf)
    }
}
