//! The house rules: each invariant of ARCHITECTURE.md is held by a test here.
//!
//! A rule is a function over the text of files, so each one is also shown something bad.

mod arrows;
mod code;
mod limits;
mod manifests;
mod once;
mod places;
mod secrets;
mod texts;
mod tree;
