//! Comments on items.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{UserName, flag, moment, some_flag, some_number, text};
use super::{Wire, absent};
use crate::model::{self, NoteId};

/// A comment as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct Note {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default)]
    author: UserName,
    #[serde(default, deserialize_with = "text")]
    body: String,
    #[serde(default, deserialize_with = "flag")]
    system: bool,
    #[serde(default, deserialize_with = "some_flag")]
    internal: Option<bool>,
    /// The old name of `internal`.
    #[serde(default, deserialize_with = "flag")]
    confidential: bool,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
}

impl Wire for Note {
    type Model = model::Note;

    fn into_model(self) -> Result<model::Note, serde_json::Error> {
        let created_at = self.created_at.or(self.updated_at).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(model::Note {
            id: NoteId::new(self.id.ok_or_else(|| absent("id"))?),
            author: self.author.0,
            body: self.body,
            system: self.system,
            // Were the two ever to disagree, hiding is the safe side.
            internal: self.internal.unwrap_or(false) || self.confidential,
            created_at,
            updated_at: self.updated_at.unwrap_or(created_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn comment_is_internal_by_either_name() {
        for (body, internal) in [
            (r#"{"id":1,"internal":true}"#, true),
            (r#"{"id":1,"confidential":true}"#, true),
            (r#"{"id":1,"confidential":null,"internal":null}"#, false),
            (r#"{"id":1}"#, false),
        ] {
            assert_eq!(decode::<Note>(body.as_bytes()).expect("a note").internal, internal);
        }
    }
}
