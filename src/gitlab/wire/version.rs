//! What GitLab says about itself.

use serde::Deserialize;

use super::lenient::{some_flag, text};
use super::{Wire, absent};

/// Version and edition of the instance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// `19.0.0-pre`.
    #[serde(default, deserialize_with = "text")]
    pub version: String,
    /// Commit it was built from.
    #[serde(default, deserialize_with = "text")]
    pub revision: String,
    /// Whether it is the Enterprise Edition's code; `None` where the version does not say.
    #[serde(default, deserialize_with = "some_flag")]
    pub enterprise: Option<bool>,
}

impl Wire for Version {
    type Model = Self;

    fn into_model(self) -> Result<Self, serde_json::Error> {
        // An answer without it is some other server's.
        if self.version.is_empty() { Err(absent("version")) } else { Ok(self) }
    }
}
