//! The shapes in which GitLab answers, one file per shape.
//!
//! GitLab 16 to 19 in two editions, with more or fewer rights, send the same object with other
//! fields. So these types ask for as little as can be: an absent or null field gets a default, an
//! unknown field is ignored, an unknown word is kept. Only what names an object is required, for
//! nothing could be stored without it. Each shape is turned into `model` once, here; past this
//! border nobody sees a wire type. Nothing here sends a request.

mod approval_rule;
mod file;
mod group;
mod issue;
mod label;
pub(super) mod lenient;
mod merge_request;
mod note;
mod pipeline;
mod project;
mod template;
mod token;
mod version;

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};

pub use approval_rule::{ApprovalRule, ApprovalRuleBody};
pub use file::{File, RawFile};
pub use group::{Group, GroupBody};
pub use issue::Issue;
pub use label::Label;
pub use merge_request::MergeRequest;
pub use note::Note;
pub use pipeline::Pipeline;
pub use project::{FetchedProject, Project};
pub use template::{TemplateBody, TemplateName};
pub use token::{Bearer, BearerBody, Job, JobBody, Token, TokenBody};
pub use version::Version;

/// A shape that GitLab answers with, and what it becomes past the border.
pub trait Wire: DeserializeOwned {
    /// What it becomes.
    type Model;

    /// Turns it into what the rest of the program uses.
    ///
    /// # Errors
    ///
    /// When a field is absent without which the object cannot be named.
    fn into_model(self) -> Result<Self::Model, serde_json::Error>;
}

/// Why a body could not be decoded.
#[derive(Debug)]
pub struct Undecodable {
    /// Which object of a list, counted from 0; `None` for a single object, and where the list
    /// itself is broken.
    pub index: Option<usize>,
    /// Why.
    pub source: serde_json::Error,
}

/// Decodes one object.
///
/// # Errors
///
/// When the body is no JSON, or lacks what names the object.
pub fn decode<W: Wire>(body: &[u8]) -> Result<W::Model, Undecodable> {
    serde_json::from_slice::<W>(unmarked(body))
        .and_then(W::into_model)
        .map_err(|source| Undecodable { index: None, source })
}

/// Decodes a list, and knows which of its objects is at fault.
///
/// # Errors
///
/// When the body is no JSON list, or one of its objects cannot be decoded.
pub fn decode_list<W: Wire>(body: &[u8]) -> Result<Vec<W::Model>, Undecodable> {
    let reading = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(unmarked(body));
    deserializer
        .deserialize_seq(ListVisitor::<W> { reading: &reading, wire: std::marker::PhantomData })
        .and_then(|items| {
            reading.set(None);
            deserializer.end().map(|()| items)
        })
        .map_err(|source| Undecodable { index: reading.get(), source })
}

/// Drops the byte order mark that some proxies put before a text.
pub(super) fn unmarked(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// Reads a list and leaves a note of which object it is at.
struct ListVisitor<'a, W> {
    reading: &'a Cell<Option<usize>>,
    wire: std::marker::PhantomData<W>,
}

impl<'de, W: Wire> Visitor<'de> for ListVisitor<'_, W> {
    type Value = Vec<W::Model>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        loop {
            self.reading.set(Some(items.len()));
            let Some(item) = list.next_element::<W>()? else {
                return Ok(items);
            };
            items.push(item.into_model().map_err(serde::de::Error::custom)?);
        }
    }
}

/// Makes the error for a field without which an object cannot be named.
fn absent(field: &'static str) -> serde_json::Error {
    serde::de::Error::missing_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_names_the_object_that_cannot_be_decoded() {
        let error = decode_list::<Label>(br#"[{"name":"a"},{"name":"b"},{"color":"red"}]"#)
            .expect_err("the third has no name");
        assert_eq!(error.index, Some(2));
        assert!(error.source.to_string().contains("name"), "{}", error.source);
    }

    #[test]
    fn list_that_is_none_or_breaks_off_is_an_error_and_never_a_shorter_list() {
        for body in [&br#"{"message":"x"}"#[..], b"", b"[", b"[1]", b"null", b"[] x", b"<html>"] {
            assert!(decode_list::<Label>(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        let cut = decode_list::<Label>(br#"[{"name":"a"},{"name":"#).expect_err("cut");
        assert!(cut.source.is_eof());
        assert_eq!(decode_list::<Label>(b" [ ] ").expect("an empty list").len(), 0);
    }
}
