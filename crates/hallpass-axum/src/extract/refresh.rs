//! A refresh token in a cookie, and the proof that our own page sent it.

use super::caller::refused;
use crate::mount::Mount;
use crate::problem::Refused;
use hallpass_core::{Carrier, IdempotencyKey, PresentedRefresh};
use hallpass_verify::problem::{FieldError, Problem};
use hallpass_verify::{Found, Refusal};
use http::HeaderMap;
use http::request::Parts;

/// What the refresh cookie of a request is worth.
pub(crate) enum RefreshCookie {
    /// There is none.
    Absent,
    /// There is one, and it is no token of ours, or there are tokens of several sessions.
    Broken,
    /// It is a token of ours. Nothing is said yet about who sent it.
    Ours(PresentedRefresh),
}

/// Reads the refresh cookie.
///
/// A stale twin of another scope may stand beside it: exactly one session must come out.
pub(crate) fn refresh_cookie(mount: &Mount, parts: &Parts) -> RefreshCookie {
    if !mount.uses_cookies() {
        return RefreshCookie::Absent;
    }
    let candidates = match mount.web().cookies().refresh().read(&parts.headers) {
        Found::Absent => return RefreshCookie::Absent,
        Found::Malformed => return RefreshCookie::Broken,
        Found::Present(candidates) => candidates,
    };
    let mut ours = candidates
        .iter()
        .filter_map(|text| mount.hallpass().open_refresh_token(text, Carrier::Cookie));
    let Some(first) = ours.next() else {
        return RefreshCookie::Broken;
    };
    let mut newest = first;
    for other in ours {
        if other.session() != first.session() {
            return RefreshCookie::Broken;
        }
        newest = newest.newer(other);
    }
    RefreshCookie::Ours(newest)
}

/// Asks for the proof that a request riding on the refresh cookie was made by our own page.
pub(crate) fn proved(
    mount: &Mount,
    parts: &Parts,
    token: PresentedRefresh,
) -> Result<PresentedRefresh, Refused> {
    let hash = mount.hallpass().csrf_hash(token.session());
    let check = mount.0.gate.check_csrf(parts, &hash);
    check
        .map(|()| token)
        .map_err(|refusal: Refusal| refused(mount, parts, refusal))
}

/// Reads the key by which a client marks its retries.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refused> {
    let refused = || {
        Refused::from(Problem::fields(vec![FieldError {
            field: "Idempotency-Key",
            code: "invalid",
            message: "expected one key of 16 to 128 visible ASCII characters",
        }]))
    };
    let mut lines = headers.get_all("idempotency-key").iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => {
            let text = line.to_str().map_err(|_| refused())?;
            IdempotencyKey::parse(text).map(Some).map_err(|_| refused())
        }
        (Some(_), Some(_)) => Err(refused()),
    }
}
