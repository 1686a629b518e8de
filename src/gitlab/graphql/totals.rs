//! How much a group holds, in one query; and how many queries it takes to read so much.
//!
//! Both are for those who want to know the price of a sync before it is run. Nothing else may rely
//! on these counts: they say nothing of what the configuration leaves out.

use serde::{Deserialize, Serialize};

use super::counts::ItemCounts;
use super::document::GROUP_COUNTS;
use super::query::{Cost, Costed};
use super::reply::Fetched;
use super::reply::Step;
use super::standing::Kind;
use super::trouble::GraphqlFailure;
use crate::gitlab::client::Client;
use crate::gitlab::wire::lenient::some_number;
use crate::model::ItemKind;

/// How much a group holds with its subgroups, as far as GitLab says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupCounts {
    /// Projects.
    pub projects: Option<u64>,
    /// Issues and merge requests of all states.
    pub items: ItemCounts,
}

/// What is read in pages or batches whose size adapts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Pages of one list of items with comments.
    Items(ItemKind),
    /// Batches of projects, for what hangs on them.
    Details,
    /// Batches of projects, for the contents of files.
    Files,
}

#[derive(Debug, Serialize)]
struct Variables<'a> {
    path: &'a str,
    archived: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    group: Option<GroupRow>,
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
struct GroupRow {
    #[serde(default)]
    projects: Option<CountRow>,
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
    /// Counts what a group holds with its subgroups. [`Fetched::Absent`] where it is not shown.
    ///
    /// # Errors
    ///
    /// Any [`GraphqlFailure`].
    pub async fn group_counts(
        &self,
        path: &str,
        archived: bool,
    ) -> Result<Fetched<GroupCounts>, GraphqlFailure> {
        let variables = |_| Variables { path, archived };
        let (partial, _) = self.ask_in_size::<Data, _>(&GROUP_COUNTS, 1, variables).await?;
        let at = Step::field("group");
        let Some(group) = &partial.data.group else {
            let failure = partial.failure_at(&[at]);
            return Ok(failure.map_or(Fetched::Absent, |why| Fetched::Failed(why.to_owned())));
        };
        let count = |field: &str, row: &Option<CountRow>| {
            let failure = partial.failure_at(&[at.clone(), Step::field(field)]);
            let count = row.as_ref()?.count.filter(|_| failure.is_none())?;
            u64::try_from(count).ok()
        };
        Ok(Fetched::Whole(GroupCounts {
            projects: count("projects", &group.projects),
            items: ItemCounts {
                issues: count("issues", &group.issues),
                merge_requests: count("mergeRequests", &group.merge_requests),
            },
        }))
    }

    /// Counts the queries that a process which begins now needs for lists or batches of so many
    /// rows, one after the other, when all go well. What was learnt here of the complexity counts.
    pub fn queries_for(&self, rows: Rows, lists: impl IntoIterator<Item = u64>) -> u64 {
        let has_links = self.graphql().off(Kind::LinkedIssues, self.now()).is_none();
        let (kind, whole) = match rows {
            Rows::Items(ItemKind::Issue) if has_links => (Kind::LinkedIssues, true),
            Rows::Items(ItemKind::Issue) => (Kind::Issues, true),
            Rows::Items(ItemKind::MergeRequest) => (Kind::MergeRequests, true),
            Rows::Details => (Kind::Details, false),
            Rows::Files => (Kind::Files, false),
        };
        let (mut size, ceiling) = self.graphql().anew(kind);
        lists.into_iter().map(|rows| size.queries_for(rows, ceiling, whole)).sum()
    }
}
