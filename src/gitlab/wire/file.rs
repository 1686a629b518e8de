//! Files of a repository.

use serde::Deserialize;

use super::lenient::some_text;
use super::{Wire, absent};

/// A file as its raw bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFile {
    /// GitLab's id of the content, by which a change is told without reading; `None` when the
    /// answer does not carry it.
    pub blob_id: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
}

/// What the JSON form of a file says about it; the content is left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct File {
    /// Path in the repository.
    #[serde(default, deserialize_with = "some_text")]
    file_path: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    blob_id: Option<String>,
}

impl Wire for File {
    /// Path and blob id.
    type Model = (String, Option<String>);

    fn into_model(self) -> Result<Self::Model, serde_json::Error> {
        Ok((self.file_path.ok_or_else(|| absent("file_path"))?, self.blob_id))
    }
}
