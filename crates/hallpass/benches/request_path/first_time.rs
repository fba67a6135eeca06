//! A token that is seen for the first time, beside the bare check of its signature: the same bytes,
//! the same library, the key parsed before.

use crate::{Stage, forgetful, stage_with};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::Criterion;
use criterion::measurement::{Measurement as _, WallTime};
use hallpass::Settings;
use hallpass::verify::{Algorithm, Location, Timestamp, Verifier};
use serde_json::Value;
use std::hint::black_box;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];

/// Verifying a token may cost so many times its signature.
const RATIO_MAX: f64 = 1.2;

/// Rounds of so many checks each, bare and whole in turn: a machine whose speed drifts does so for
/// both. They are short, so that few of them are interrupted by what else the machine does.
const ROUNDS: usize = 2001;
const CHECKS_PER_ROUND: u32 = 4;

/// A token, and what it takes to check it in both ways.
struct Newcomer {
    stage: Stage,
    verifier: Verifier,
    now: Timestamp,
    key: ParsedPublicKey,
    signing_input: String,
    signature: Vec<u8>,
}

impl Newcomer {
    fn new(algorithm: Algorithm) -> Self {
        let stage = stage_with(Settings {
            algorithm,
            ..Settings::new(crate::URL)
        });
        let verifier = forgetful(stage.hallpass.verifier());
        let token = stage.issued.access.expose();
        let (signing_input, signature) = token.rsplit_once('.').unwrap();
        let (signing_input, signature) = (signing_input.to_owned(), decoded(signature));
        let jwks = verifier.keys().current().to_jwks();
        let key = parsed(jwks.pointer("/keys/0").unwrap());
        let now = stage.hallpass.clock().now();
        let newcomer = Self {
            stage,
            verifier,
            now,
            key,
            signing_input,
            signature,
        };
        newcomer.bare();
        newcomer.whole();
        newcomer
    }

    fn bare(&self) {
        let message = black_box(self.signing_input.as_bytes());
        self.key
            .verify_sig(message, black_box(&self.signature))
            .unwrap();
    }

    fn whole(&self) {
        let token = black_box(self.stage.issued.access.expose());
        let verified = self.verifier.verify(token, Location::Header, self.now);
        black_box(verified.unwrap());
    }
}

fn parsed(jwk: &Value) -> ParsedPublicKey {
    let member = |name: &str| decoded(jwk.get(name).and_then(Value::as_str).unwrap());
    match jwk.get("kty").and_then(Value::as_str) {
        Some("OKP") => ParsedPublicKey::new(&ED25519, member("x")).unwrap(),
        Some("EC") => {
            // SEC 1 §2.3.3: a point that is not compressed.
            let point = [vec![4], member("x"), member("y")].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap()
        }
        _ => RsaPublicKeyComponents {
            n: member("n"),
            e: member("e"),
        }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .unwrap(),
    }
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Measures both for each algorithm.
pub(crate) fn measure(criterion: &mut Criterion) {
    for algorithm in ALGORITHMS {
        let newcomer = Newcomer::new(algorithm);
        criterion.bench_function(&format!("signature/bare {algorithm}"), |bencher| {
            bencher.iter(|| newcomer.bare());
        });
        criterion.bench_function(
            &format!("verify/{algorithm} token seen for the first time"),
            |bencher| bencher.iter(|| newcomer.whole()),
        );
    }
}

/// Prints the ratio for each algorithm, from rounds in turn.
#[expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
pub(crate) fn compare() {
    // Without it this is a test run of cargo, which measures nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("a token seen for the first time, × its bare signature (target {RATIO_MAX})");
    for algorithm in ALGORITHMS {
        let newcomer = Newcomer::new(algorithm);
        let rounds: Vec<[f64; 2]> = (0..ROUNDS)
            .map(|_| [took(|| newcomer.bare()), took(|| newcomer.whole())])
            .collect();
        let of = |figure: fn(&[f64; 2]) -> f64| median(rounds.iter().map(figure).collect());
        let ratio = of(|[bare, whole]| whole / bare);
        let verdict = if ratio <= RATIO_MAX { "met" } else { "missed" };
        println!(
            "{algorithm:<6} {:>6.1} µs bare {:>6.1} µs whole {ratio:>6.2} {verdict}",
            of(|[bare, _]| *bare),
            of(|[_, whole]| *whole),
        );
    }
}

/// Returns the microseconds of one check.
fn took(check: impl Fn()) -> f64 {
    let started = WallTime.start();
    for _ in 0..CHECKS_PER_ROUND {
        check();
    }
    WallTime.end(started).as_secs_f64() * 1e6 / f64::from(CHECKS_PER_ROUND)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap()
}
