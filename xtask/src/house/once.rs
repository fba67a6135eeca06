//! What there is exactly one of.

use super::tree::{File, files};

/// Returns each place where a function of this name is defined: its path and its signature.
fn definitions(files: &[File], name: &str) -> Vec<(String, String)> {
    let mark = format!("fn {name}");
    let product = files.iter().filter(|file| file.is_product());
    let found = product.flat_map(|file| {
        let code = file.code();
        let signatures: Vec<_> = code
            .match_indices(&mark)
            .map(|(at, _)| &code[at + mark.len()..])
            .filter(|rest| rest.starts_with(['(', '<']))
            .map(|rest| {
                rest.split(['{', ';'])
                    .next()
                    .unwrap_or_default()
                    .to_string()
            })
            .collect();
        signatures
            .into_iter()
            .map(|signature| (file.path.clone(), signature))
    });
    found.collect()
}

/// Returns each file of the product that calls a method of this name.
fn callers(files: &[File], name: &str) -> Vec<String> {
    let call = format!(".{name}(");
    let product = files.iter().filter(|file| file.is_product());
    product
        .filter(|file| file.code().contains(&call))
        .map(|file| file.path.clone())
        .collect()
}

#[test]
fn one_function_opens_a_session_and_it_takes_a_proof() {
    let found = definitions(&files(), "open_session");
    let [(path, signature)] = found.as_slice() else {
        panic!("expected one, found {found:?}")
    };
    assert!(path.starts_with("crates/hallpass-core/src/flow/"), "{path}");
    assert!(signature.contains(": Proof"), "{signature}");
}

#[test]
fn nothing_else_puts_a_session_into_the_store() {
    let files = files();
    let openers = definitions(&files, "open_session")
        .into_iter()
        .map(|(path, _)| path);
    assert_eq!(
        callers(&files, "insert_session"),
        openers.collect::<Vec<_>>()
    );
}

#[test]
fn a_proof_is_made_where_something_was_proved() {
    let mut found: Vec<String> = files()
        .iter()
        .filter(|file| file.is_product() && file.code().contains("Proof {"))
        .map(|file| file.path.clone())
        .collect();
    found.retain(|path| !path.starts_with("crates/hallpass-core/src/proof"));
    assert_eq!(found, Vec::<String>::new(), "only core's `proof` makes one");
}

#[test]
fn a_second_definition_and_a_second_caller_are_found() {
    let file = |path: &str| {
        File::new(
            path,
            "async fn open_session(&self, proof: Proof) -> X { s.insert_session(&x) }",
        )
    };
    let files = [
        file("crates/a/src/flow/one.rs"),
        file("crates/b/src/two.rs"),
    ];
    assert_eq!(definitions(&files, "open_session").len(), 2);
    assert!(definitions(&files, "open_session")[0].1.contains(": Proof"));
    assert_eq!(callers(&files, "insert_session").len(), 2);
    assert_eq!(definitions(&files, "open"), []);
}
