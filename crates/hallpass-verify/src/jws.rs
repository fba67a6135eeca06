//! Compact JWS (RFC 7515 §7.1): the shape, the header, the signature. No claims here.

use crate::TokenError;
use crate::json::{self, Limits, Object, Value};
use crate::keys::{KeySet, VerifyingKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest encoded header, in bytes. Ours have about 70.
pub const HEADER_LEN_MAX: usize = 4096;

/// Header members that change how a token is to be read. None of them belongs into an access
/// token: `crit` and `b64` (RFC 7515 §4.1.11, RFC 7797), compression (RFC 8725 §3.6), nesting.
const REFUSED_MEMBERS: [&str; 4] = ["crit", "b64", "zip", "cty"];

/// The three parts of a compact JWS, still encoded.
#[derive(Clone, Copy)]
pub struct Compact<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// Header and payload with the dot between: what is signed (RFC 7515 §5.1).
    signing_input: &'t str,
}

impl<'t> Compact<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when there are not three parts.
    pub fn split(token: &'t str) -> Result<Self, TokenError> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenError::Malformed)?;
        // A dot in the payload means a fourth part; a JWE has five (RFC 7516 §9).
        if payload.contains('.') || header.len() > HEADER_LEN_MAX {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            header,
            payload,
            signature,
            signing_input,
        })
    }

    /// Reads the header.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when it is not base64url or JSON, [`TokenError::Invalid`] when
    /// it asks for something that is not offered.
    pub fn header(&self) -> Result<Header, TokenError> {
        let Ok(Value::Object(members)) = json::parse(&decode(self.header)?, Limits::TOKEN) else {
            return Err(TokenError::Malformed);
        };
        Header::read(members)
    }

    /// Decodes the payload, whoever wrote it.
    pub(crate) fn payload_unverified(&self) -> Result<Vec<u8>, TokenError> {
        decode(self.payload)
    }

    /// Decodes the payload, if `key` signed it.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when a part is not base64url, [`TokenError::Invalid`] when the
    /// signature is not by this key.
    pub fn payload_signed_by(&self, key: &VerifyingKey) -> Result<Vec<u8>, TokenError> {
        let signature = decode(self.signature)?;
        let payload = decode(self.payload)?;
        if key.verify_signature(self.signing_input.as_bytes(), &signature) {
            Ok(payload)
        } else {
            Err(TokenError::Invalid)
        }
    }
}

/// The members of a header that count. All others are ignored (RFC 7515 §4), `jwk`, `jku`, `x5c`
/// and `x5u` above all: a token does not bring its own key (RFC 8725 §3.10).
#[derive(PartialEq, Eq, Debug)]
pub struct Header {
    /// `alg`.
    pub algorithm_name: String,
    /// `kid`.
    pub key_id: Option<String>,
    /// `typ`.
    pub media_type: Option<String>,
}

impl Header {
    fn read(mut members: Object) -> Result<Self, TokenError> {
        if REFUSED_MEMBERS
            .iter()
            .any(|name| members.get(name).is_some())
        {
            return Err(TokenError::Invalid);
        }
        let mut text = |name| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Invalid),
        };
        Ok(Self {
            algorithm_name: text("alg")?.ok_or(TokenError::Invalid)?,
            key_id: text("kid")?,
            media_type: text("typ")?,
        })
    }

    /// Returns the key that this header names, if its algorithm is the key's own.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when no key is named or it is for another algorithm,
    /// [`TokenError::UnknownKey`] when it is not in `keys`, [`TokenError::NoKeys`] when nothing is.
    ///
    /// # Security
    /// The id is compared with local keys and used for nothing else. The algorithm is the key's;
    /// the header has to agree (RFC 8725 §3.1).
    pub fn key<'k>(&self, keys: &'k KeySet) -> Result<&'k VerifyingKey, TokenError> {
        if keys.is_empty() {
            return Err(TokenError::NoKeys);
        }
        let kid = self.key_id.as_deref().ok_or(TokenError::Invalid)?;
        let key = keys.get(kid).ok_or(TokenError::UnknownKey)?;
        let agrees = key.accepts_name(&self.algorithm_name);
        agrees.then_some(key).ok_or(TokenError::Invalid)
    }
}

/// Returns header and payload of a token that one of `keys` signed.
///
/// # Errors
/// [`TokenError::Malformed`], or that no key of the set signed it.
pub fn verify(token: &str, keys: &KeySet) -> Result<(Header, Vec<u8>), TokenError> {
    let compact = Compact::split(token)?;
    let header = compact.header()?;
    let payload = compact.payload_signed_by(header.key(keys)?)?;
    Ok((header, payload))
}

/// Decodes base64url. Padding, blanks, other alphabets and trailing bits that are not zero are
/// refused: a token has one text.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, TokenError> {
        let token = format!("{}..", URL_SAFE_NO_PAD.encode(text));
        Compact::split(&token)?.header()
    }

    #[test]
    fn a_token_has_three_parts() {
        assert!(Compact::split("a.b.c").is_ok());
        assert!(Compact::split("..").is_ok());
        for wrong in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "..."] {
            assert_eq!(
                Compact::split(wrong).err(),
                Some(TokenError::Malformed),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_header_member_of_the_wrong_type_is_an_error_and_never_absent() {
        let read = header(r#"{"alg":"EdDSA","kid":"k","typ":"JWT","x":{"y":[1]}}"#).unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!((read.key_id, read.media_type), (text("k"), text("JWT")));
        let bare = header(r#"{"alg":"EdDSA"}"#).unwrap();
        assert_eq!((bare.key_id, bare.media_type), (None, None));
        for wrong in ["null", "7", "true", r#"["EdDSA"]"#, r#"{"a":"EdDSA"}"#] {
            for text in [
                format!(r#"{{"alg":{wrong}}}"#),
                format!(r#"{{"alg":"EdDSA","kid":{wrong}}}"#),
                format!(r#"{{"alg":"EdDSA","typ":{wrong}}}"#),
            ] {
                assert_eq!(header(&text), Err(TokenError::Invalid), "{text}");
            }
        }
        for no_object in ["", "7", "[]", r#""alg""#, "{"] {
            assert_eq!(header(no_object), Err(TokenError::Malformed), "{no_object}");
        }
    }
}
