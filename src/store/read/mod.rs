//! Questions to the index.
//!
//! Every question takes a [`Visibility`] and counts, lists and shows only what it admits. Lists
//! are read by key, never by offset, so a page costs the same wherever it begins.

mod evidence;
mod items;
mod links;
mod projects;
mod references;
mod status;
mod tags;

pub use evidence::{ItemEvidence, ItemTagRow, TagEvidenceRow};
pub use items::{Filter, ItemCursor, ItemRow, Listing, Sort};
pub use links::LinkRow;
pub use projects::{ProjectRow, TemplateRow};
pub use references::{ReferenceCount, ReferenceRow};
pub use status::{ProblemRow, SourceRow, StreamRow, WalkLeft};
pub use tags::{ProjectTagRow, TagCounts, TagRow};

use super::{Error, Store, codes};

/// What an asker may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visibility {
    /// Confidential issues and internal comments too.
    pub confidential: bool,
    /// Only the projects with these keys, as a JSON array of numbers; `None` for all.
    pub projects: Option<String>,
}

impl Store {
    /// Returns the number that changes whenever an answer may.
    pub async fn generation(&self) -> Result<i64, Error> {
        sqlx::query_scalar!("select value from generation where id = 1")
            .fetch_one(&self.reader)
            .await
            .map_err(|source| Error::Query { doing: "reading the generation", source })
    }

    /// Works out what someone limited to `groups` may see; `None` is no limit.
    pub async fn visibility(
        &self,
        confidential: bool,
        groups: Option<&[String]>,
    ) -> Result<Visibility, Error> {
        let Some(groups) = groups else { return Ok(Visibility { confidential, projects: None }) };
        let groups = codes::json(groups);
        let keys = sqlx::query_scalar!(
            // `0` follows `/`, so the second half is every path below a group, by the index.
            r#"select p.id as "id!" from json_each(?1) as g
            join project as p on lower(p.path) = lower(g.value)
            union
            select p.id from json_each(?1) as g
            join project as p on lower(p.path) > lower(g.value) || '/'
                and lower(p.path) < lower(g.value) || '0'"#,
            groups,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading what a key may see", source })?;
        let projects = codes::json(&keys);
        Ok(Visibility { confidential, projects: Some(projects) })
    }
}
