//! How `FastAPI`, under which the other systems run, says what is wrong with a request.

use super::Said;
use hallpass_verify::problem::{Code, FieldError, Problem};
use serde_json::{Value, json};

/// Returns the answer that `FastAPI` itself gives, if it would: to what reaches no handler.
///
/// # Security
/// `FastAPI` repeats the input, passwords among it. Here nothing that was sent is said again.
pub(super) fn answer(problem: &Problem) -> Option<Said> {
    let list = |kind: &str, message: &str| {
        let fault = json!({ "type": kind, "loc": ["body"], "msg": message });
        unprocessable(&[fault])
    };
    let said = match problem.code {
        Code::MalformedBody => list("json_invalid", "JSON decode error"),
        Code::UnsupportedMediaType => list(
            "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
        ),
        Code::NotFound => plain(problem.code, "Not Found"),
        Code::MethodNotAllowed => plain(problem.code, "Method Not Allowed"),
        Code::ValidationFailed => {
            let faults: Vec<_> = problem.errors.iter().filter_map(of_form).collect();
            if faults.is_empty() {
                return None;
            }
            unprocessable(&faults)
        }
        _ => return None,
    };
    Some(said)
}

/// Answers 422 with a list of faults.
pub(super) fn unprocessable(faults: &[Value]) -> Said {
    Said {
        like: Code::ValidationFailed,
        body: json!({ "detail": faults }),
    }
}

/// Answers with a sentence.
pub(super) fn plain(like: Code, sentence: &str) -> Said {
    Said {
        like,
        body: json!({ "detail": sentence }),
    }
}

/// Returns a fault of a field, as it stands in the list.
pub(super) fn fault(kind: &str, error: &FieldError, message: &str) -> Value {
    json!({ "type": kind, "loc": [place(error), error.field], "msg": message })
}

/// What is wrong with the form of a field, before anyone looks at what it says.
fn of_form(error: &FieldError) -> Option<Value> {
    match error.code {
        "required" => Some(fault("missing", error, "Field required")),
        "wrong_type" => Some(fault("type_error", error, error.message)),
        _ if !matches!(error.field, "email" | "password" | "name") => {
            Some(fault("value_error", error, error.message))
        }
        _ => None,
    }
}

/// Headers are named with capitals.
fn place(error: &FieldError) -> &'static str {
    if error.field.starts_with(char::is_uppercase) {
        "header"
    } else {
        "body"
    }
}
