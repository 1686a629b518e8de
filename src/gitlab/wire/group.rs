//! Groups.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::lenient::{some_number, some_text, text};
use super::{Wire, absent};
use crate::model::GroupId;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Full path, `shop/backend`.
    pub path: String,
    /// Display name.
    pub name: String,
    /// Address of its page; empty when GitLab does not say.
    pub web_url: String,
    /// Whether it names a project whose description templates it lends to the projects below.
    /// `None` when GitLab does not say, which is so without a licence for that.
    pub lends_templates: Option<bool>,
}

/// A group as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct GroupBody {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "some_text")]
    full_path: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    path: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    web_url: String,
    #[serde(default, deserialize_with = "said")]
    file_template_project_id: Option<Value>,
}

/// Tells a value of nothing from one that is not said.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Wire for GroupBody {
    type Model = Group;

    fn into_model(self) -> Result<Group, serde_json::Error> {
        Ok(Group {
            id: GroupId::new(self.id.ok_or_else(|| absent("id"))?),
            // Before subgroups existed there was no full path.
            path: self.full_path.or(self.path).ok_or_else(|| absent("full_path"))?,
            name: self.name,
            web_url: self.web_url,
            lends_templates: self.file_template_project_id.map(|project| !project.is_null()),
        })
    }
}
