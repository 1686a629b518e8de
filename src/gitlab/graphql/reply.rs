//! Envelopes: `data` and `errors`, and what each object of an answer came to.
//!
//! An answer may be whole, partial (some objects are null and `errors` says why, by their paths),
//! or none. Nothing here decides what follows from an error: see `trouble.rs`.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// How much of an error's text is kept, in characters.
const MESSAGE_CHARS: usize = 200;

/// An answer together with what failed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial<T> {
    /// What was answered.
    pub data: T,
    /// What was not, and why.
    pub failed: Vec<FailedAt>,
}

/// A part of an answer that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAt {
    /// Which part; empty when GitLab does not say.
    pub path: Vec<Step>,
    /// Why, shortened.
    pub message: String,
}

/// One step on the way to a part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// An element of a list, counted from 0.
    Index(usize),
    /// A field, by its response key.
    Field(String),
}

/// What became of one object that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched<T> {
    /// It was answered whole.
    Whole(T),
    /// It, or a part of it, failed; why.
    Failed(String),
    /// GitLab did not show it: it is absent, or hidden from this credential. Never a deletion.
    Absent,
}

impl<T> Partial<T> {
    /// Returns why the part at a path failed: an error at it, below it, or nowhere in particular,
    /// which may be anywhere.
    pub fn failure_at(&self, path: &[Step]) -> Option<&str> {
        let concerns = |failed: &&FailedAt| {
            let shorter = failed.path.len().min(path.len());
            failed.path[..shorter] == path[..shorter]
        };
        self.failed.iter().find(concerns).map(|failed| failed.message.as_str())
    }
}

impl Step {
    /// Makes the step to a field.
    pub(super) fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }
}

/// An answer as it comes.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    /// Absent, or null, when the query was not executed.
    #[serde(default = "Option::default")]
    pub(super) data: Option<T>,
    #[serde(default, deserialize_with = "errors")]
    pub(super) errors: Vec<Complaint>,
}

/// An error as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) path: Vec<Step>,
    /// The engine's word for what is wrong with the query itself: `undefinedField`.
    pub(super) code: Option<String>,
}

impl Complaint {
    pub(super) fn into_failed(self) -> FailedAt {
        FailedAt { path: self.path, message: self.message }
    }
}

/// Reads errors as forgivingly as the rest: only that there is one must not be overlooked.
fn errors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Complaint>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::Array(errors) => errors.iter().map(complaint).collect(),
        other => vec![complaint(&other)],
    })
}

fn complaint(error: &Value) -> Complaint {
    let message = match error.get("message").unwrap_or(error) {
        Value::String(message) => message.clone(),
        other => other.to_string(),
    };
    let path = error.get("path").cloned().unwrap_or_default();
    let code = error.pointer("/extensions/code").and_then(Value::as_str).map(str::to_owned);
    Complaint {
        message: shorten(&message),
        path: serde_json::from_value(path).unwrap_or_default(),
        code,
    }
}

/// Makes a message fit for one line of a log.
fn shorten(message: &str) -> String {
    let words: Vec<&str> = message
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(body: &str) -> Partial<Value> {
        let envelope: Envelope<Value> = serde_json::from_str(body).expect("an envelope");
        let failed = envelope.errors.into_iter().map(Complaint::into_failed).collect();
        Partial { data: envelope.data.unwrap_or_default(), failed }
    }

    fn at(index: usize) -> [Step; 3] {
        [Step::field("projects"), Step::field("nodes"), Step::Index(index)]
    }

    #[test]
    fn error_concerns_the_object_at_its_path_and_no_other() {
        let partial = partial(
            r#"{"data":{"projects":null},"errors":[
                {"message":"too\n  large","path":["projects","nodes",1,"repository","blobs"]}]}"#,
        );
        assert_eq!(partial.failure_at(&at(0)), None);
        assert_eq!(partial.failure_at(&at(1)), Some("too large"));
    }

    #[test]
    fn error_above_an_object_or_without_a_path_concerns_it() {
        for errors in [
            r#"[{"message":"gone","path":["projects"]}]"#,
            r#"[{"message":"gone"}]"#,
            r#"[{"message":"gone","path":null}]"#,
            r#"[{"message":"gone","path":"odd"}]"#,
            r#""gone""#,
        ] {
            let partial = partial(&format!(r#"{{"data":{{}},"errors":{errors}}}"#));
            assert_eq!(partial.failure_at(&at(7)), Some("gone"), "{errors}");
        }
        assert_eq!(partial(r#"{"data":{},"errors":null}"#).failure_at(&at(7)), None);
    }

    #[test]
    fn endless_message_is_cut() {
        let message = shorten(&"é".repeat(9_999));
        assert_eq!(message.chars().count(), MESSAGE_CHARS + 1);
    }
}
