//! Which numbers may be an RSA key.

use super::KeyFault;
use crate::Algorithm;
use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};

const MODULUS_BITS_MIN: usize = 2048;
const MODULUS_BITS_MAX: usize = 8192;
const EXPONENT_MIN: u64 = 65_537;

/// Parses a key after refusing the weak ones.
pub(super) fn parse(
    algorithm: Algorithm,
    modulus: &[u8],
    exponent: &[u8],
) -> Result<ParsedPublicKey, KeyFault> {
    let parameters = match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        _ => return Err(KeyFault::Algorithm),
    };
    check_modulus(modulus)?;
    check_exponent(exponent)?;
    RsaPublicKeyComponents {
        n: modulus,
        e: exponent,
    }
    .to_parsed_public_key(parameters)
    .map_err(|_| KeyFault::Form)
}

fn check_modulus(modulus: &[u8]) -> Result<(), KeyFault> {
    // RFC 7518 §6.3.1.1: no leading zero octets.
    let (Some(1..), Some(last)) = (modulus.first(), modulus.last()) else {
        return Err(KeyFault::Form);
    };
    match bits(modulus) {
        ..MODULUS_BITS_MIN => Err(KeyFault::Weak("an RSA key has at least 2,048 bits")),
        MODULUS_BITS_MIN..=MODULUS_BITS_MAX if last & 1 == 1 => {
            if is_roca(modulus) {
                return Err(KeyFault::Weak("the RSA primes are predictable (ROCA)"));
            }
            Ok(())
        }
        _ => Err(KeyFault::Form),
    }
}

fn check_exponent(exponent: &[u8]) -> Result<(), KeyFault> {
    if exponent.first().is_none_or(|first| *first == 0) || exponent.len() > 4 {
        return Err(KeyFault::Form);
    }
    let number = exponent
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    if number < EXPONENT_MIN || number % 2 == 0 {
        return Err(KeyFault::Weak("an RSA exponent is odd and at least 65,537"));
    }
    Ok(())
}

/// Counts the bits of a big-endian number without leading zero octets.
fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    number.len() * 8 - usize::try_from(unused).unwrap_or_default()
}

/// Tells the moduli of one maker's cards, whose primes are k·M + (65537^a mod M) and can be found
/// from the modulus (CVE-2017-15361): modulo each small prime they are a power of 65537.
fn is_roca(modulus: &[u8]) -> bool {
    const SMALL_PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    SMALL_PRIMES.iter().all(|prime| {
        let residue = modulus
            .iter()
            .fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime);
        let mut power = 1;
        for _ in 0..*prime {
            if power == residue {
                return true;
            }
            power = power * 65_537 % prime;
        }
        false
    })
}
