//! Description templates.

use serde::Deserialize;

use super::lenient::{some_text, text};
use super::{Wire, absent};

/// One line of the list of templates.
#[derive(Debug, Deserialize)]
pub struct TemplateName {
    #[serde(default, deserialize_with = "some_text")]
    key: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    name: Option<String>,
}

impl Wire for TemplateName {
    /// The key to ask for it with.
    type Model = String;

    fn into_model(self) -> Result<String, serde_json::Error> {
        self.key.or(self.name).ok_or_else(|| absent("key"))
    }
}

/// A template as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct TemplateBody {
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    content: String,
}

impl Wire for TemplateBody {
    /// Name (may be empty) and text.
    type Model = (String, String);

    fn into_model(self) -> Result<(String, String), serde_json::Error> {
        Ok((self.name, self.content))
    }
}
