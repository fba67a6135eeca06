//! The fields of a body. Everything that is wrong is told at once; nothing that was sent is.

use crate::problem::Refused;
use hallpass_verify::json::{Object, Value};
use hallpass_verify::problem::{FieldError, Problem};
use std::collections::BTreeMap;

/// Takes fields out of a body and gathers what is wrong with them.
pub(crate) struct Fields {
    source: Source,
    errors: Vec<FieldError>,
}

/// What the body is.
enum Source {
    Json(Object),
    /// Every field of a form is a text.
    Form(BTreeMap<String, String>),
}

impl Fields {
    pub(crate) const fn new(object: Object) -> Self {
        Self::of(Source::Json(object))
    }

    pub(crate) const fn of_form(form: BTreeMap<String, String>) -> Self {
        Self::of(Source::Form(form))
    }

    const fn of(source: Source) -> Self {
        let errors = Vec::new();
        Self { source, errors }
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        match &mut self.source {
            Source::Json(object) => object.remove(field),
            Source::Form(form) => form.remove(field).map(Value::String),
        }
    }

    /// Notes that a field is not acceptable.
    pub(crate) fn refuse(
        &mut self,
        field: &'static str,
        code: &'static str,
        message: &'static str,
    ) {
        self.errors.push(FieldError {
            field,
            code,
            message,
        });
    }

    /// Takes a text that may be missing or null.
    pub(crate) fn optional_text(&mut self, field: &'static str) -> Option<String> {
        match self.take(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.refuse(field, "wrong_type", "expected a text");
                None
            }
        }
    }

    /// Takes a text and parses it with `parse`, which answers what to say instead.
    pub(crate) fn text<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, (&'static str, &'static str)>,
    ) -> Option<T> {
        let errors = self.errors.len();
        let Some(text) = self.optional_text(field) else {
            if self.errors.len() == errors {
                self.refuse(field, "required", "expected this field");
            }
            return None;
        };
        parse(&text)
            .map_err(|(code, message)| self.refuse(field, code, message))
            .ok()
    }

    /// Takes a truth value that may be missing or null.
    pub(crate) fn optional_flag(&mut self, field: &'static str) -> Option<bool> {
        match self.take(field) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(flag),
            Some(_) => {
                self.refuse(field, "wrong_type", "expected true or false");
                None
            }
        }
    }

    /// Returns what is wrong with the fields, as the answer.
    pub(crate) fn refused(self) -> Refused {
        Problem::fields(self.errors).into()
    }

    /// Tells whether every field so far was acceptable.
    pub(crate) const fn is_fine(&self) -> bool {
        self.errors.is_empty()
    }
}
