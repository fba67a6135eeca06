//! Words that belong in certain rooms: most walls of the house can be seen in what is named where.

use super::tree::{Fault, File, files, hold};

/// Words, and the only places in which they may stand.
pub(crate) struct Only {
    /// The words, as they stand in code.
    words: &'static [&'static str],
    /// Where the rule looks: paths that start so.
    under: &'static [&'static str],
    /// Where the words may stand: paths that start so.
    rooms: &'static [&'static str],
}

impl Only {
    /// Returns the words that stand outside their rooms.
    pub(crate) fn strays(&self, files: &[File]) -> Vec<Fault> {
        let starts = |path: &str, list: &[&str]| list.iter().any(|start| path.starts_with(start));
        let looked_at = files.iter().filter(|file| {
            file.is_product() && starts(&file.path, self.under) && !starts(&file.path, self.rooms)
        });
        looked_at.flat_map(|file| self.in_code(file)).collect()
    }

    fn in_code(&self, file: &File) -> Vec<Fault> {
        let code = file.code();
        let found = code.lines().enumerate().flat_map(|(number, line)| {
            let words = self.words.iter().filter(move |word| stands_in(line, word));
            words.map(move |word| file.fault(number, format!("`{word}` does not belong here")))
        });
        found.collect()
    }
}

/// Tells whether a word stands in a line, not as a part of a longer name.
fn stands_in(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_name);
        let after = line[at + word.len()..].chars().next().is_some_and(is_name);
        !(before && word.starts_with(is_name) || after && word.ends_with(is_name))
    })
}

const EVERYWHERE: &[&str] = &["crates/", "xtask/"];

const HTTP: Only = Only {
    words: &[
        "http::",
        "http_body",
        "hyper",
        "axum",
        "axum_core",
        "tower_service",
        "tower_layer",
    ],
    under: &[
        "crates/hallpass-verify/",
        "crates/hallpass-core/",
        "crates/hallpass-io/",
    ],
    rooms: &[
        "crates/hallpass-verify/src/transport",
        "crates/hallpass-verify/src/cookies",
        "crates/hallpass-verify/src/csrf",
        "crates/hallpass-verify/src/origin",
        "crates/hallpass-verify/src/gate",
        "crates/hallpass-verify/src/problem",
        "crates/hallpass-verify/src/axum/",
        "crates/hallpass-verify/src/live/",
        "crates/hallpass-verify/src/remote/",
        // Names the room `axum`, behind its feature.
        "crates/hallpass-verify/src/lib.rs",
    ],
};

const MINTING: Only = Only {
    words: &[
        "Ed25519KeyPair",
        "EcdsaKeyPair",
        "RsaKeyPair",
        "hmac::sign",
        "Context::with_key",
        "RefreshToken",
        "PasswordHash",
        "getrandom",
    ],
    under: &["crates/hallpass-verify/"],
    rooms: &[],
};

const CLOCK_AND_RANDOMNESS: Only = Only {
    words: &["clippy::disallowed_methods", "clippy::disallowed_types"],
    under: EVERYWHERE,
    rooms: &[
        "crates/hallpass-verify/src/clock.rs",
        "crates/hallpass-core/src/random.rs",
        "crates/hallpass-server/src/config/",
        "xtask/src/machine.rs",
    ],
};

const RANDOM_BYTES: Only = Only {
    words: &["random::bytes", "random.fill", "getrandom"],
    under: &["crates/"],
    rooms: &[
        "crates/hallpass-core/src/random.rs",
        // Ids; signing keys and the nonces that seal them; salts; masks; ids of requests.
        "crates/hallpass-core/src/token/",
        "crates/hallpass-core/src/key/",
        "crates/hallpass-core/src/password/",
        "crates/hallpass-core/src/flow/",
        "crates/hallpass-core/src/service.rs",
        "crates/hallpass-io/src/secret_file.rs",
        "crates/hallpass-axum/src/serve/request_id.rs",
    ],
};

const TOKENS_ARE_MADE: Only = Only {
    words: &["RefreshToken::new", "AccessToken::new"],
    under: &["crates/"],
    rooms: &[
        "crates/hallpass-core/src/token/",
        "crates/hallpass-core/src/key/",
    ],
};

const EXPOSED: Only = Only {
    words: &[".expose()"],
    under: &["crates/"],
    rooms: &[
        // Checked, hashed and compared.
        "crates/hallpass-core/src/password/",
        "crates/hallpass-core/src/user/password.rs",
        "crates/hallpass-core/src/flow/",
        "crates/hallpass-core/src/service.rs",
        "crates/hallpass-core/src/token/",
        "crates/hallpass-core/src/store/memory.rs",
        // Written: cookies, JSON bodies, and the twin types that stores keep.
        "crates/hallpass-axum/src/put",
        "crates/hallpass-axum/src/respond",
        "crates/hallpass-axum/src/handlers/csrf.rs",
        "crates/hallpass-io/src/sqlite/",
        // Sent to the issuer.
        "crates/hallpass-verify/src/remote/",
        // Verified: the token that a ticket brings.
        "crates/hallpass-verify/src/live/admit.rs",
        "crates/hallpass/src/live.rs",
        // Shown once, to the operator who asked for it.
        "crates/hallpass-server/src/services.rs",
    ],
};

const RULES_OF_SECURITY: Only = Only {
    words: &[
        "Proof",
        "Rotation",
        "decide",
        "grace",
        "is_live",
        "Instant",
        "verify_password",
    ],
    under: &["crates/hallpass-io/"],
    rooms: &[],
};

const STATUS_OF_ERRORS: Only = Only {
    words: &[
        "StatusCode::BAD_REQUEST",
        "StatusCode::UNAUTHORIZED",
        "StatusCode::PAYMENT_REQUIRED",
        "StatusCode::FORBIDDEN",
        "StatusCode::NOT_FOUND",
        "StatusCode::METHOD_NOT_ALLOWED",
        "StatusCode::NOT_ACCEPTABLE",
        "StatusCode::REQUEST_TIMEOUT",
        "StatusCode::CONFLICT",
        "StatusCode::GONE",
        "StatusCode::LENGTH_REQUIRED",
        "StatusCode::PRECONDITION_FAILED",
        "StatusCode::PAYLOAD_TOO_LARGE",
        "StatusCode::URI_TOO_LONG",
        "StatusCode::UNSUPPORTED_MEDIA_TYPE",
        "StatusCode::UNPROCESSABLE_ENTITY",
        "StatusCode::PRECONDITION_REQUIRED",
        "StatusCode::TOO_MANY_REQUESTS",
        "StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE",
        "StatusCode::INTERNAL_SERVER_ERROR",
        "StatusCode::NOT_IMPLEMENTED",
        "StatusCode::BAD_GATEWAY",
        "StatusCode::SERVICE_UNAVAILABLE",
        "StatusCode::GATEWAY_TIMEOUT",
        "StatusCode::from_u16",
    ],
    under: &["crates/"],
    rooms: &["crates/hallpass-verify/src/problem"],
};

const FILES_AND_ENVIRONMENT: Only = Only {
    words: &[
        "std::env",
        "std::fs",
        "tokio::fs",
        "env::var",
        "env::var_os",
        "env::vars",
        "fs::read",
        "fs::read_to_string",
        "fs::write",
        "File::open",
        "File::create",
        "OpenOptions",
    ],
    under: &["crates/"],
    rooms: &[
        "crates/hallpass-server/src/config/",
        "crates/hallpass-io/src/secret_file",
        "crates/hallpass-io/src/sqlite/",
        "crates/hallpass-verify/src/remote/disk",
    ],
};

const FEATURES: Only = Only {
    words: &[
        "cfg(not(feature",
        "cfg!(feature",
        "cfg!(not(feature",
        "cfg(debug_assertions",
        "cfg!(test",
    ],
    under: &["crates/"],
    rooms: &[],
};

#[test]
fn http_types_stay_in_the_rooms_that_speak_http() {
    hold(&HTTP.strays(&files()));
}

#[test]
fn the_verifier_cannot_mint() {
    hold(&MINTING.strays(&files()));
}

#[test]
fn time_and_randomness_are_arguments() {
    hold(&CLOCK_AND_RANDOMNESS.strays(&files()));
}

#[test]
fn randomness_becomes_ids_keys_and_salts_and_nothing_else() {
    hold(&RANDOM_BYTES.strays(&files()));
}

#[test]
fn one_room_makes_tokens() {
    hold(&TOKENS_ARE_MADE.strays(&files()));
}

#[test]
fn a_secret_leaves_its_type_only_where_it_is_checked_or_written() {
    hold(&EXPOSED.strays(&files()));
}

#[test]
fn stores_hold_no_rule_of_security() {
    hold(&RULES_OF_SECURITY.strays(&files()));
}

#[test]
fn one_file_maps_an_error_to_a_status() {
    hold(&STATUS_OF_ERRORS.strays(&files()));
}

#[test]
fn one_module_reads_files_and_environment() {
    hold(&FILES_AND_ENVIRONMENT.strays(&files()));
}

#[test]
fn a_feature_adds_and_never_changes() {
    hold(&FEATURES.strays(&files()));
}

#[test]
fn every_rule_finds_a_stray_of_each_of_its_words() {
    let rules = [
        &HTTP,
        &MINTING,
        &CLOCK_AND_RANDOMNESS,
        &RANDOM_BYTES,
        &TOKENS_ARE_MADE,
        &EXPOSED,
        &RULES_OF_SECURITY,
        &STATUS_OF_ERRORS,
        &FILES_AND_ENVIRONMENT,
        &FEATURES,
    ];
    for rule in rules {
        for word in rule.words {
            let bad = |path: String| [File::new(&path, &format!("\nlet x = a {word} ;\n"))];
            let stray = format!("{}some/src/attic.rs", rule.under[0]);
            let faults = rule.strays(&bad(stray.clone()));
            assert!(
                faults.iter().any(|fault| fault.line == 2),
                "{word} in {stray}"
            );
            for room in rule.rooms {
                assert_eq!(
                    rule.strays(&bad(format!("{room}/src/x.rs"))),
                    [],
                    "{word} in {room}"
                );
            }
        }
    }
}

#[test]
fn a_word_is_not_found_inside_a_longer_name_or_a_comment_or_a_test() {
    let text = "let grace_seconds = my_grace; // grace\n#[cfg(test)]\nmod tests { use grace; }";
    let files = [File::new("crates/hallpass-io/src/sqlite/sessions.rs", text)];
    assert_eq!(RULES_OF_SECURITY.strays(&files), []);
}

#[test]
fn every_room_that_a_rule_names_is_there() {
    let files = files();
    let rooms = [
        HTTP,
        CLOCK_AND_RANDOMNESS,
        RANDOM_BYTES,
        TOKENS_ARE_MADE,
        EXPOSED,
    ]
    .into_iter()
    .chain([STATUS_OF_ERRORS, FILES_AND_ENVIRONMENT])
    .flat_map(|rule| rule.rooms);
    for room in rooms {
        assert!(
            files.iter().any(|file| file.path.starts_with(room)),
            "no file starts with {room}"
        );
    }
}
