//! What hangs on many projects, in one query: labels, ids of files and templates, pipelines.
//!
//! Contents are not asked for here: an id tells whether one changed, and costs next to nothing. A
//! part of a project that an answer does not tell for sure is `None`, whatever the reason, and is
//! for whoever asked to ask elsewhere; it is never taken for absent.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::PROJECT_DETAILS;
use super::global_id;
use super::query::{Cost, Costed};
use super::reply::{Partial, Step};
use super::row::Connection;
use super::standing::Kind;
use super::trouble::GraphqlFailure;
use crate::gitlab::client::Client;
use crate::gitlab::wire::lenient::{flag, moment, some_flag, some_text, text};
use crate::model::{ItemKind, Label, LabelId, PipelineId, ProjectId};

/// So many answers in a row that show nothing of what was asked for, and no more is asked: from the
/// largest batch to a single project it takes seven.
const BARREN: u32 = 8;

/// What was asked for, as far as it was answered.
#[derive(Debug, Default)]
pub struct DetailsAnswer {
    /// By project; those missing were not answered.
    pub projects: BTreeMap<ProjectId, ProjectDetails>,
    /// Whether the instance is of the Enterprise Edition, where it says so.
    pub enterprise: Option<bool>,
    /// Why some were not answered.
    pub failure: Option<GraphqlFailure>,
}

/// What hangs on a project, as far as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectDetails {
    /// All labels that its items may carry.
    pub labels: Option<Vec<Label>>,
    /// Those of the paths, and of the templates, that its default branch holds.
    pub files: Option<Vec<FoundFile>>,
    /// The latest pipeline of the branch that was asked about, if it has one.
    pub pipelines: Option<Vec<FoundPipeline>>,
}

/// A file, by the id of its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Its path.
    pub path: String,
    /// GitLab's id of its content.
    pub oid: String,
}

/// A pipeline, without its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPipeline {
    /// Its id.
    pub id: PipelineId,
    /// `success`, `failed`, `running`, …
    pub status: String,
    /// Branch or tag.
    pub git_ref: String,
    /// Commit.
    pub sha: String,
    /// When it was created, in whole seconds.
    pub created_at: Timestamp,
    /// When it last changed, in whole seconds.
    pub updated_at: Option<Timestamp>,
}

/// Returns the folder in which a project keeps its templates for a kind of item.
pub const fn template_folder(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Issue => ".gitlab/issue_templates",
        ItemKind::MergeRequest => ".gitlab/merge_request_templates",
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Variables<'a> {
    ids: Vec<String>,
    first: u32,
    paths: &'a [&'a str],
    files: usize,
    issue_templates: &'static str,
    merge_request_templates: &'static str,
    branch: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    metadata: Option<MetadataRow>,
    #[serde(default)]
    projects: Option<Connection<ProjectRow>>,
    #[serde(default)]
    query_complexity: Cost,
}

impl Costed for Data {
    fn cost(&self) -> Option<(u64, u64)> {
        self.query_complexity.figures
    }
}

#[derive(Debug, Deserialize)]
struct MetadataRow {
    #[serde(default, deserialize_with = "some_flag")]
    enterprise: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct ProjectRow {
    #[serde(default, deserialize_with = "some_text")]
    id: Option<String>,
    #[serde(default)]
    labels: Option<Connection<LabelRow>>,
    #[serde(default)]
    repository: Option<RepositoryRow>,
    #[serde(default)]
    pipelines: Option<Connection<PipelineRow>>,
}

#[derive(Debug, Deserialize)]
struct LabelRow {
    #[serde(default, deserialize_with = "some_text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "text")]
    description: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryRow {
    #[serde(default, deserialize_with = "flag")]
    empty: bool,
    #[serde(default, deserialize_with = "some_text")]
    root_ref: Option<String>,
    #[serde(default)]
    blobs: Option<Connection<BlobRow>>,
    #[serde(default)]
    issue_templates: Option<TreeRow>,
    #[serde(default)]
    merge_request_templates: Option<TreeRow>,
}

#[derive(Debug, Deserialize)]
struct TreeRow {
    #[serde(default)]
    blobs: Option<Connection<BlobRow>>,
}

#[derive(Debug, Deserialize)]
struct BlobRow {
    #[serde(default, deserialize_with = "some_text")]
    path: Option<String>,
    #[serde(default, alias = "sha", deserialize_with = "some_text")]
    oid: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelineRow {
    #[serde(default, deserialize_with = "some_text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, rename = "ref", deserialize_with = "text")]
    git_ref: String,
    #[serde(default, deserialize_with = "text")]
    sha: String,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
}

/// Projects that wait to be asked for, and how many of them at most in one query.
struct Batch {
    projects: VecDeque<ProjectId>,
    most: u32,
}

impl Client {
    /// Asks what hangs on projects: labels, the ids of files at `paths` and of templates, and the
    /// latest pipeline of `branch`. One query asks for many projects.
    pub async fn project_details(
        &self,
        projects: &[ProjectId],
        paths: &[&str],
        branch: Option<&str>,
    ) -> DetailsAnswer {
        let mut answer = DetailsAnswer::default();
        answer.failure = self.details_of(projects, paths, branch, &mut answer).await.err();
        answer
    }

    async fn details_of(
        &self,
        projects: &[ProjectId],
        paths: &[&str],
        branch: Option<&str>,
        answer: &mut DetailsAnswer,
    ) -> Result<(), GraphqlFailure> {
        let all = Batch { projects: projects.iter().copied().collect(), most: u32::MAX };
        let mut waiting = VecDeque::from([all]);
        let mut barren = 0;
        while let Some(mut batch) = waiting.pop_front() {
            if batch.projects.is_empty() {
                continue;
            }
            let most = u32::try_from(batch.projects.len()).unwrap_or(u32::MAX).min(batch.most);
            let variables = |size: u32| Variables {
                ids: batch
                    .projects
                    .iter()
                    .take(usize::try_from(size).unwrap_or(usize::MAX))
                    .map(|id| global_id::write("Project", id.get()))
                    .collect(),
                first: size,
                paths,
                files: paths.len(),
                issue_templates: template_folder(ItemKind::Issue),
                merge_request_templates: template_folder(ItemKind::MergeRequest),
                branch,
            };
            let (partial, asked) =
                self.ask_in_size::<Data, _>(&PROJECT_DETAILS, most, variables).await?;
            let count = usize::try_from(asked).unwrap_or(usize::MAX).min(batch.projects.len());
            let ids: Vec<ProjectId> = batch.projects.drain(..count).collect();
            answer.enterprise =
                partial.data.metadata.as_ref().and_then(|row| row.enterprise).or(answer.enterprise);
            let told = sort(&partial, paths);
            barren = if told.rows.is_empty() { barren + 1 } else { 0 };
            if barren >= BARREN {
                let message = "no project is shown".to_owned();
                self.rest(&PROJECT_DETAILS, &message);
                return Err(GraphqlFailure::Heavy { message });
            }
            let mut again = VecDeque::new();
            for id in ids {
                match told.rows.get(&id) {
                    Some(row) => drop(answer.projects.insert(id, row.clone())),
                    None if asked > 1 && told.is_partial => again.push_back(id),
                    None => {}
                }
            }
            waiting.push_front(batch);
            if !again.is_empty() {
                if told.has_failed {
                    self.graphql().too_heavy(Kind::Details, asked);
                }
                waiting.push_front(Batch { projects: again, most: (asked / 2).max(1) });
            }
        }
        Ok(())
    }
}

/// What an answer tells.
struct Told {
    rows: BTreeMap<ProjectId, ProjectDetails>,
    /// Projects that are missing may be there.
    is_partial: bool,
    /// A part of the answer failed.
    has_failed: bool,
}

fn sort(partial: &Partial<Data>, paths: &[&str]) -> Told {
    let mut rows = BTreeMap::new();
    let has_failed = !partial.failed.is_empty();
    let list = partial.data.projects.as_ref();
    let has_more = list.is_some_and(Connection::has_more);
    let nodes = list.and_then(|list| list.nodes.as_ref());
    let mut is_partial = has_failed || has_more || nodes.is_none();
    for (index, node) in nodes.into_iter().flatten().enumerate() {
        let at = [Step::field("projects"), Step::field("nodes"), Step::Index(index)];
        let id = node.as_ref().and_then(|node| global_id::read(node.id.as_deref()?));
        let (Some(node), Some(id), None) = (node, id, partial.failure_at(&at)) else {
            is_partial = true;
            continue;
        };
        let details = ProjectDetails {
            labels: labels(node.labels.as_ref()),
            files: node.repository.as_ref().and_then(|repository| repository.files(paths)),
            pipelines: pipelines(node.pipelines.as_ref()),
        };
        if rows.insert(ProjectId::new(id), details).is_some() {
            // Which of the two is true?
            rows.remove(&ProjectId::new(id));
        }
    }
    Told { rows, is_partial, has_failed }
}

fn labels(page: Option<&Connection<LabelRow>>) -> Option<Vec<Label>> {
    let rows = page.filter(|page| !page.has_more())?.nodes.as_ref()?;
    let labels = rows.iter().map(|row| {
        let row = row.as_ref()?;
        Some(Label {
            id: Some(LabelId::new(global_id::read(row.id.as_deref()?)?)),
            name: row.title.clone()?,
            description: row.description.clone(),
        })
    });
    labels.collect()
}

/// The first of a list of one pipeline, or none where it is empty; nothing where it was not shown.
fn pipelines(page: Option<&Connection<PipelineRow>>) -> Option<Vec<FoundPipeline>> {
    let rows = page?.nodes.as_ref()?;
    let rows = rows.iter().map(|row| {
        let row = row.as_ref()?;
        Some(FoundPipeline {
            id: PipelineId::new(global_id::read(row.id.as_deref()?)?),
            status: row.status.to_ascii_lowercase(),
            git_ref: row.git_ref.clone(),
            sha: row.sha.clone(),
            created_at: row.created_at.or(row.updated_at)?,
            updated_at: row.updated_at,
        })
    });
    rows.take(1).collect()
}

impl RepositoryRow {
    fn files(&self, paths: &[&str]) -> Option<Vec<FoundFile>> {
        if self.empty {
            return Some(Vec::new());
        }
        self.root_ref.as_ref()?;
        let mut files = found(self.blobs.as_ref()?)?;
        files.retain(|file| paths.contains(&file.path.as_str()));
        // The code may be read, so a folder that is not shown is not there.
        for tree in [&self.issue_templates, &self.merge_request_templates].into_iter().flatten() {
            files.extend(found(tree.blobs.as_ref()?)?);
        }
        files.sort_unstable();
        Some(files)
    }
}

fn found(page: &Connection<BlobRow>) -> Option<Vec<FoundFile>> {
    if page.has_more() {
        return None;
    }
    let rows = page.nodes.as_ref()?.iter().map(|row| {
        let row = row.as_ref()?;
        Some(FoundFile { path: row.path.clone()?, oid: row.oid.clone()? })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn details(row: &Value) -> Option<ProjectDetails> {
        let data = json!({"projects": {"nodes": [row]}});
        let partial =
            Partial { data: serde_json::from_value(data).expect("data"), failed: Vec::new() };
        sort(&partial, &["CODEOWNERS"]).rows.remove(&ProjectId::new(7))
    }

    fn row(more: &Value) -> Value {
        let mut row = json!({
            "id": "gid://gitlab/Project/7",
            "labels": {"nodes": [{"id": "gid://gitlab/GroupLabel/3", "title": "bug"}]},
            "repository": {"rootRef": "main", "blobs": {"nodes": []}},
            "pipelines": {"nodes": []},
        });
        let fields = row.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        row
    }

    #[test]
    fn parts_of_a_project_are_told() {
        let told = details(&row(&json!({"repository": {
            "rootRef": "main",
            "blobs": {"nodes": [{"path": "CODEOWNERS", "oid": "b"}, {"path": "odd", "oid": "c"}]},
            "issueTemplates": {"blobs": {"nodes": [
                {"path": ".gitlab/issue_templates/Bug.md", "sha": "a"}]}},
            "mergeRequestTemplates": null,
        }})));
        let told = told.expect("it is told");
        assert_eq!(told.labels.map(|labels| labels[0].id), Some(Some(LabelId::new(3))));
        assert_eq!(told.pipelines, Some(Vec::new()));
        let file = |path: &str, oid: &str| FoundFile { path: path.to_owned(), oid: oid.to_owned() };
        let expected = [file(".gitlab/issue_templates/Bug.md", "a"), file("CODEOWNERS", "b")];
        assert_eq!(told.files.as_deref(), Some(&expected[..]));
    }

    #[test]
    fn part_that_is_not_told_for_sure_is_none() {
        for labels in [
            json!(null),
            json!({"nodes": null}),
            json!({"nodes": [null]}),
            json!({"nodes": [], "pageInfo": {"hasNextPage": true}}),
        ] {
            assert_eq!(details(&row(&json!({"labels": labels}))).expect("told").labels, None);
        }
        for repository in [
            json!(null),
            json!({"blobs": {"nodes": []}}),
            json!({"rootRef": "main"}),
            json!({"rootRef": "main", "blobs": {"nodes": [{"path": "CODEOWNERS"}]}}),
        ] {
            let told = details(&row(&json!({"repository": repository}))).expect("told");
            assert_eq!(told.files, None, "{repository}");
        }
        for pipelines in [json!(null), json!({"nodes": null}), json!({"nodes": [null]})] {
            let told = details(&row(&json!({"pipelines": pipelines}))).expect("told");
            assert_eq!(told.pipelines, None);
        }
    }
}
