//! Pipelines.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{moment, some_number, text};
use super::{Wire, absent};
use crate::model::{self, PipelineId};

/// A pipeline as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct Pipeline {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, rename = "ref", deserialize_with = "text")]
    git_ref: String,
    #[serde(default, deserialize_with = "text")]
    sha: String,
    #[serde(default, deserialize_with = "text")]
    web_url: String,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
}

impl Wire for Pipeline {
    type Model = model::Pipeline;

    fn into_model(self) -> Result<model::Pipeline, serde_json::Error> {
        Ok(model::Pipeline {
            id: PipelineId::new(self.id.ok_or_else(|| absent("id"))?),
            status: self.status,
            git_ref: self.git_ref,
            sha: self.sha,
            web_url: self.web_url,
            created_at: self.created_at.or(self.updated_at).unwrap_or(Timestamp::UNIX_EPOCH),
            updated_at: self.updated_at,
        })
    }
}
