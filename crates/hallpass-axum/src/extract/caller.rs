//! The caller of one of our own routes.

use super::device;
use crate::mount::Mount;
use crate::problem::Refused;
use axum::extract::FromRequestParts;
use hallpass_core::audit::EventKind;
use hallpass_verify::problem::Code;
use hallpass_verify::{Admission, Caller, Refusal, RouteTerms, SessionId};
use http::request::Parts;

/// A caller with a verified access token, and the session it belongs to.
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    pub(crate) session: SessionId,
}

impl FromRequestParts<Mount> for Authenticated {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, mount: &Mount) -> Result<Self, Refused> {
        let caller = admitted(mount, parts)
            .await?
            .ok_or(Code::NotAuthenticated)?;
        let session = caller.session().ok_or(Code::TokenInvalid)?;
        Ok(Self { caller, session })
    }
}

/// Returns who is calling, if anyone says so. A broken credential is not an absent one.
pub(crate) async fn admitted(mount: &Mount, parts: &Parts) -> Result<Option<Caller>, Refused> {
    admitted_on(mount, parts, mount.0.gate.terms()).await
}

/// As [`admitted`], on terms of its own.
pub(crate) async fn admitted_on(
    mount: &Mount,
    parts: &Parts,
    terms: RouteTerms,
) -> Result<Option<Caller>, Refused> {
    let admission = mount.0.gate.admit_asking(terms, parts.into());
    match admission.await {
        Admission::Anonymous => Ok(None),
        Admission::Caller(caller) => Ok(Some(caller)),
        Admission::Refused(refusal) => Err(refused(mount, parts, refusal)),
    }
}

/// Turns a refusal into the answer, and tells the audit when it was a cross-site one.
pub(crate) fn refused(mount: &Mount, parts: &Parts, refusal: Refusal) -> Refused {
    if matches!(
        refusal,
        Refusal::OriginDenied | Refusal::CsrfMissing | Refusal::CsrfInvalid
    ) {
        let device = device(mount, parts);
        mount
            .hallpass()
            .record(EventKind::CrossSiteRefused, None, None, &device);
    }
    Code::from(refusal).into()
}
