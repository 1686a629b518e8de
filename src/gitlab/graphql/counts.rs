//! How many items projects have, many projects in one query.
//!
//! A count is believed only where GitLab gave it beside no error: a project that is not shown, or
//! whose list is null, has no count, which is not a count of zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::document::PROJECT_COUNTS;
use super::global_id;
use super::query::{Cost, Costed};
use super::reply::{Partial, Step};
use super::row::Connection;
use super::trouble::GraphqlFailure;
use crate::gitlab::client::Client;
use crate::gitlab::wire::lenient::{some_number, some_text};
use crate::model::{ItemKind, ProjectId};

/// How many items a project has, as far as GitLab says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ItemCounts {
    /// Issues of all states.
    pub issues: Option<u64>,
    /// Merge requests of all states.
    pub merge_requests: Option<u64>,
}

impl ItemCounts {
    /// Returns the count of a kind.
    pub const fn of(&self, kind: ItemKind) -> Option<u64> {
        match kind {
            ItemKind::Issue => self.issues,
            ItemKind::MergeRequest => self.merge_requests,
        }
    }
}

#[derive(Debug, Serialize)]
struct Variables {
    ids: Vec<String>,
    first: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    projects: Option<Connection<CountsRow>>,
    #[serde(default)]
    query_complexity: Cost,
}

impl Costed for Data {
    fn cost(&self) -> Option<(u64, u64)> {
        self.query_complexity.figures
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountsRow {
    #[serde(default, deserialize_with = "some_text")]
    id: Option<String>,
    #[serde(default)]
    issues: Option<CountRow>,
    #[serde(default)]
    merge_requests: Option<CountRow>,
}

#[derive(Debug, Deserialize)]
struct CountRow {
    #[serde(default, deserialize_with = "some_number")]
    count: Option<i64>,
}

impl Client {
    /// Counts the items of projects. Those of which GitLab says nothing are left out.
    ///
    /// # Errors
    ///
    /// Any [`GraphqlFailure`]: then nothing is known of any.
    pub async fn item_counts(
        &self,
        projects: &[ProjectId],
    ) -> Result<BTreeMap<ProjectId, ItemCounts>, GraphqlFailure> {
        let mut counts = BTreeMap::new();
        let mut open = projects;
        while !open.is_empty() {
            let most = u32::try_from(open.len()).unwrap_or(u32::MAX);
            let variables = |size: u32| {
                let ids = open.iter().take(usize::try_from(size).unwrap_or(usize::MAX));
                let ids = ids.map(|id| global_id::write("Project", id.get())).collect();
                Variables { ids, first: size }
            };
            let (partial, asked) =
                self.ask_in_size::<Data, _>(&PROJECT_COUNTS, most, variables).await?;
            let asked = usize::try_from(asked).unwrap_or(usize::MAX).clamp(1, open.len());
            let known = believed(&partial);
            counts.extend(known.into_iter().filter(|(id, _)| open[..asked].contains(id)));
            open = &open[asked..];
        }
        Ok(counts)
    }
}

/// Returns the counts that no error casts doubt on.
fn believed(partial: &Partial<Data>) -> BTreeMap<ProjectId, ItemCounts> {
    let nodes = partial.data.projects.as_ref().and_then(|projects| projects.nodes.as_ref());
    let mut counts = BTreeMap::new();
    for (index, row) in nodes.into_iter().flatten().enumerate() {
        let id = row.as_ref().and_then(|row| global_id::read(row.id.as_deref()?));
        let (Some(row), Some(id)) = (row, id) else { continue };
        let list = |field: &str, row: Option<&CountRow>| {
            let at = [
                Step::field("projects"),
                Step::field("nodes"),
                Step::Index(index),
                Step::field(field),
            ];
            let count = row?.count.filter(|_| partial.failure_at(&at).is_none())?;
            u64::try_from(count).ok()
        };
        let found = ItemCounts {
            issues: list("issues", row.issues.as_ref()),
            merge_requests: list("mergeRequests", row.merge_requests.as_ref()),
        };
        counts.insert(ProjectId::new(id), found);
    }
    counts
}
