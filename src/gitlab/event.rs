//! What an event of a webhook is about.
//!
//! An event is never believed as data: it may be late, doubled, made by a template of somebody's
//! own, or cut. All that is taken from it is which thing to look at; no text, no state and no time
//! of it is read, so that its two formats of time do not matter. Anything that is not understood is
//! about nothing. It asks nothing and keeps nothing; who sent it is checked by `serve`, and what is
//! done about it is `crawl::marks`'s.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::model::{Iid, ItemKind, ProjectId};

/// Where a branch stands among the refs.
const BRANCHES: &str = "refs/heads/";

/// Folders whose files say something about a project, or about its items.
const FOLDERS: [&str; 2] = [".gitlab/issue_templates/", ".gitlab/merge_request_templates/"];

/// Files that do, by name, wherever they stand: owners, and the catalogs of Backstage, `OpsLevel`,
/// Cortex, Datadog, Port and Compass.
const FILES: [&str; 14] = [
    "codeowners",
    "catalog-info.yaml",
    "catalog-info.yml",
    "opslevel.yml",
    "opslevel.yaml",
    "cortex.yaml",
    "cortex.yml",
    "service.datadog.yaml",
    "service.datadog.yml",
    "entity.datadog.yaml",
    "port.yml",
    "port.yaml",
    "compass.yml",
    "compass.yaml",
];

/// An event, as far as it says what to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Which kind, in GitLab's word; `unknown` for what is none of GitLab's.
    pub kind: &'static str,
    /// What to look at.
    pub subject: Subject,
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Nothing that is in the index.
    Nothing,
    /// An issue or merge request, with its comments.
    Item(ProjectId, ItemKind, Iid),
    /// The files of a project.
    Files(ProjectId),
    /// The latest pipeline of a project.
    Pipeline(ProjectId),
    /// Which projects there are, where they stand, and who may see them.
    Projects,
}

#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default, deserialize_with = "lenient")]
    object_kind: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    event_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    project_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    project: Option<ProjectPart>,
    #[serde(default, deserialize_with = "lenient")]
    object_attributes: Option<Attributes>,
    #[serde(default, deserialize_with = "lenient")]
    issue: Option<Numbered>,
    #[serde(default, deserialize_with = "lenient")]
    merge_request: Option<Numbered>,
    #[serde(default, rename = "ref", deserialize_with = "lenient")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    refs: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    before: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    after: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    total_commits_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    commits: Option<Vec<Commit>>,
}

#[derive(Debug, Default, Deserialize)]
struct ProjectPart {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    default_branch: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Attributes {
    #[serde(default, deserialize_with = "lenient")]
    iid: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    project_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    target_project_id: Option<i64>,
    #[serde(default, rename = "ref", deserialize_with = "lenient")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    tag: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Numbered {
    #[serde(default, deserialize_with = "lenient")]
    iid: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    project_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    target_project_id: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
struct Commit {
    #[serde(default, deserialize_with = "lenient")]
    added: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    modified: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    removed: Option<Vec<String>>,
}

impl Event {
    /// Reads the body of a delivery. What is no event of GitLab's is about nothing.
    pub fn read(body: &[u8]) -> Self {
        serde_json::from_slice::<Body>(body).unwrap_or_default().event()
    }
}

impl Body {
    fn event(&self) -> Event {
        let word = self.object_kind.as_deref().or(self.event_name.as_deref()).unwrap_or_default();
        let (kind, subject) = match word {
            "issue" => ("issue", self.item(ItemKind::Issue)),
            "work_item" => ("work_item", self.item(ItemKind::Issue)),
            "incident" => ("incident", self.item(ItemKind::Issue)),
            "merge_request" => ("merge_request", self.item(ItemKind::MergeRequest)),
            "note" => ("note", self.noted()),
            "push" => ("push", self.pushed()),
            "repository_update" => ("repository_update", self.updated()),
            "pipeline" => ("pipeline", self.pipeline()),
            "tag_push" => ("tag_push", Subject::Nothing),
            "release" => ("release", Subject::Nothing),
            word => other(word),
        };
        Event { kind, subject }
    }

    fn project(&self) -> Option<i64> {
        let named = self.project.as_ref().and_then(|project| project.id);
        named.or(self.project_id).filter(|id| *id > 0)
    }

    /// The item that the event is about. One of a group (an epic) is of no project.
    fn item(&self, kind: ItemKind) -> Subject {
        let attributes = self.object_attributes.as_ref();
        let own = attributes.and_then(|attributes| match kind {
            ItemKind::Issue => attributes.project_id,
            ItemKind::MergeRequest => attributes.target_project_id,
        });
        subject(own.or(self.project()), kind, attributes.and_then(|attributes| attributes.iid))
    }

    /// The item that a comment stands on. Those on commits and snippets stand on none.
    fn noted(&self) -> Subject {
        match (&self.issue, &self.merge_request) {
            (Some(on), _) => subject(on.project_id.or(self.project()), ItemKind::Issue, on.iid),
            (None, Some(on)) => {
                let project = on.target_project_id.or(self.project());
                subject(project, ItemKind::MergeRequest, on.iid)
            }
            (None, None) => Subject::Nothing,
        }
    }

    /// The project whose files a push may have changed.
    fn pushed(&self) -> Subject {
        let Some(project) = self.project() else { return Subject::Nothing };
        if self.reference.as_deref().is_some_and(|name| !self.is_default(name)) {
            return Subject::Nothing;
        }
        let zeros = |id: &Option<String>| {
            id.as_deref().is_none_or(|id| id.bytes().all(|byte| byte == b'0'))
        };
        let commits = self.commits.as_deref().unwrap_or_default();
        // GitLab lists 20 commits at most, and none for a branch that is new or gone.
        let told = !commits.is_empty()
            && self.total_commits_count == Some(commits.len() as u64)
            && !zeros(&self.before)
            && !zeros(&self.after);
        if told && !commits.iter().any(Commit::matters) {
            return Subject::Nothing;
        }
        Subject::Files(ProjectId::new(project))
    }

    /// The project whose default branch a system hook says was moved.
    fn updated(&self) -> Subject {
        let Some(project) = self.project() else { return Subject::Nothing };
        match &self.refs {
            Some(refs) if !refs.iter().any(|name| self.is_default(name)) => Subject::Nothing,
            Some(_) | None => Subject::Files(ProjectId::new(project)),
        }
    }

    fn pipeline(&self) -> Subject {
        let Some(project) = self.project() else { return Subject::Nothing };
        let attributes = self.object_attributes.as_ref();
        let branch = attributes.and_then(|attributes| attributes.reference.as_deref());
        let is_tag = attributes.is_some_and(|attributes| attributes.tag == Some(true));
        if is_tag || branch.is_some_and(|branch| !self.is_default(&format!("{BRANCHES}{branch}"))) {
            return Subject::Nothing;
        }
        Subject::Pipeline(ProjectId::new(project))
    }

    /// True when a ref is the default branch, or may be, because the event does not say which is.
    fn is_default(&self, name: &str) -> bool {
        let Some(branch) = name.strip_prefix(BRANCHES) else { return false };
        let default = self.project.as_ref().and_then(|project| project.default_branch.as_deref());
        default.is_none_or(|default| default == branch)
    }
}

impl Commit {
    fn matters(&self) -> bool {
        let lists = [&self.added, &self.modified, &self.removed];
        // A list that cannot be read may name anything.
        lists.iter().any(|list| list.as_ref().is_none_or(|paths| paths.iter().any(|p| matters(p))))
    }
}

/// True when a file says something about its project or about its items.
fn matters(path: &str) -> bool {
    let path = path.to_lowercase();
    let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
    FOLDERS.iter().any(|folder| path.starts_with(folder)) || FILES.contains(&name)
}

fn subject(project: Option<i64>, kind: ItemKind, iid: Option<i64>) -> Subject {
    match (project, iid) {
        (Some(project), Some(iid)) if project > 0 && iid > 0 => {
            Subject::Item(ProjectId::new(project), kind, Iid::new(iid))
        }
        _ => Subject::Nothing,
    }
}

/// Events that are about projects, groups and members, and those that are about nothing of ours.
fn other(word: &str) -> (&'static str, Subject) {
    const PROJECTS: [&str; 17] = [
        "project_create",
        "project_update",
        "project_destroy",
        "project_rename",
        "project_transfer",
        "group_create",
        "group_update",
        "group_destroy",
        "group_rename",
        "subgroup_create",
        "subgroup_destroy",
        "user_add_to_team",
        "user_remove_from_team",
        "user_update_for_team",
        "user_add_to_group",
        "user_remove_from_group",
        "user_update_for_group",
    ];
    const NOTHING: [&str; 10] = [
        "wiki_page",
        "build",
        "job",
        "deployment",
        "feature_flag",
        "emoji",
        "milestone",
        "access_token",
        "vulnerability",
        "snippet",
    ];
    if let Some(word) = PROJECTS.into_iter().find(|known| *known == word) {
        return (word, Subject::Projects);
    }
    let known = NOTHING.into_iter().find(|known| *known == word);
    (known.unwrap_or("unknown"), Subject::Nothing)
}

/// Reads a value of the expected shape, and takes any other as absent.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Fits(T),
        Other(IgnoredAny),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Fits(value) => Some(value),
        Either::Other(IgnoredAny) => None,
    })
}

#[cfg(test)]
mod tests;
