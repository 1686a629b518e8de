//! Labels of a project or group.

use serde::Deserialize;

use super::lenient::{some_number, some_text, text};
use super::{Wire, absent};
use crate::model;

/// A label as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct Label {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "some_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    description: String,
}

impl Wire for Label {
    type Model = model::Label;

    fn into_model(self) -> Result<model::Label, serde_json::Error> {
        Ok(model::Label {
            id: self.id.map(model::LabelId::new),
            name: self.name.ok_or_else(|| absent("name"))?,
            description: self.description,
        })
    }
}
