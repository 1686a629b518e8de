//! Files of many projects in one query.
//!
//! GitLab limits contents in several ways, and changed them twice: what two paths of one project
//! cost may be more than a query is allowed (18.4.2), and contents of one request may be capped at
//! 20 MB (later). So a batch of projects is asked for all paths, or for one path after the other
//! where that alone fits; what failed in a batch is asked for again in a smaller one; and what fails
//! alone is told as failed.
//!
//! A text is given only when it is the very content of the file: GitLab transcodes what is not
//! UTF-8, shows no text of what it takes for binary, and cuts at 10 MB. Whoever needs such a file
//! reads its bytes by REST.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::document::PROJECT_FILES;
use super::global_id;
use super::query::{Cost, Costed};
use super::reply::{Fetched, Partial, Step};
use super::row::Connection;
use super::standing::Kind;
use super::trouble::GraphqlFailure;
use crate::gitlab::client::Client;
use crate::gitlab::wire::lenient::{flag, some_number, some_text};
use crate::model::ProjectId;

/// So many answers in a row that show nothing of what was asked for, and no more is asked: from the
/// largest batch to a single project it takes seven.
const BARREN: u32 = 8;

/// Which of the paths are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The first that is there; those behind it may be answered too.
    First,
    /// All that are there.
    All,
}

/// What was asked for, as far as it was answered.
#[derive(Debug, Default)]
pub struct FilesAnswer {
    /// By project; those missing were not answered.
    pub projects: BTreeMap<ProjectId, Fetched<ProjectFiles>>,
    /// Why some were not answered.
    pub failure: Option<GraphqlFailure>,
}

/// Files of one project, of its default branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFiles {
    /// The default branch; `None` for an empty repository.
    pub root_ref: Option<String>,
    /// Those of the paths that are there, in no particular order.
    pub files: Vec<ProjectFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Its path.
    pub path: String,
    /// GitLab's id of its content.
    pub oid: Option<String>,
    /// Its size, where GitLab says it.
    pub size_bytes: Option<u64>,
    /// Its content, when that is text and exact.
    pub text: Option<String>,
}

impl ProjectFiles {
    /// Returns the file at a path.
    pub fn file(&self, path: &str) -> Option<&ProjectFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

#[derive(Debug, Serialize)]
struct Variables<'a> {
    ids: Vec<String>,
    paths: &'a [&'a str],
    first: u32,
    files: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
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
struct ProjectRow {
    #[serde(default, deserialize_with = "some_text")]
    id: Option<String>,
    #[serde(default)]
    repository: Option<RepositoryRow>,
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
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobRow {
    #[serde(default, deserialize_with = "some_text")]
    path: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    oid: Option<String>,
    #[serde(default, deserialize_with = "some_number")]
    size: Option<i64>,
    #[serde(default)]
    raw_text_blob: Option<String>,
}

/// Projects that wait to be asked for, and how many of them at most in one query.
struct Batch {
    projects: VecDeque<ProjectId>,
    most: u32,
}

impl Client {
    /// Reads files of projects from their default branches; archived projects too.
    ///
    /// One query asks for many projects. Whatever is not answered, or failed, is not known to be
    /// absent.
    pub async fn project_files(
        &self,
        projects: &[ProjectId],
        paths: &[&str],
        want: Want,
    ) -> FilesAnswer {
        let mut answer = FilesAnswer::default();
        loop {
            let at_once = if self.graphql().is_one_path() { 1 } else { paths.len().max(1) };
            let open = projects.iter().filter(|id| !answer.projects.contains_key(id));
            let open: BTreeSet<ProjectId> = open.copied().collect();
            let failure = self.files_of(open, paths, at_once, want, &mut answer.projects).await;
            let too_complex = matches!(failure, Some(GraphqlFailure::Complex { .. }));
            if too_complex && at_once > 1 {
                tracing::debug!("contents are dear on this GitLab: one path in a query");
                self.graphql().take_one_path();
                continue;
            }
            answer.failure = failure;
            return answer;
        }
    }

    /// Asks for so many paths in one query, and for the rest of them after that.
    async fn files_of(
        &self,
        projects: BTreeSet<ProjectId>,
        paths: &[&str],
        at_once: usize,
        want: Want,
        done: &mut BTreeMap<ProjectId, Fetched<ProjectFiles>>,
    ) -> Option<GraphqlFailure> {
        let mut open: BTreeMap<ProjectId, ProjectFiles> =
            projects.into_iter().map(|id| (id, ProjectFiles::default())).collect();
        let mut failure = None;
        for paths in paths.chunks(at_once) {
            let mut answered = BTreeMap::new();
            let asked = open.keys().copied().collect();
            failure = self.files_at(asked, paths, &mut answered).await.err();
            for (id, fetched) in answered {
                match fetched {
                    Fetched::Whole(found) => {
                        let known = open.entry(id).or_default();
                        known.root_ref = found.root_ref;
                        known.files.extend(found.files);
                        if want == Want::First && !known.files.is_empty() {
                            let known = std::mem::take(known);
                            open.remove(&id);
                            done.insert(id, Fetched::Whole(known));
                        }
                    }
                    Fetched::Failed(_) | Fetched::Absent => {
                        open.remove(&id);
                        done.insert(id, fetched);
                    }
                }
            }
            if failure.is_some() {
                // The others were asked for a part of the paths only.
                return failure;
            }
        }
        done.extend(open.into_iter().map(|(id, known)| (id, Fetched::Whole(known))));
        failure
    }

    /// Asks for some paths of projects, in as many queries as it takes.
    async fn files_at(
        &self,
        projects: VecDeque<ProjectId>,
        paths: &[&str],
        answered: &mut BTreeMap<ProjectId, Fetched<ProjectFiles>>,
    ) -> Result<(), GraphqlFailure> {
        let mut waiting = VecDeque::from([Batch { projects, most: u32::MAX }]);
        let mut barren = 0;
        while let Some(mut batch) = waiting.pop_front() {
            if batch.projects.is_empty() {
                continue;
            }
            let most = u32::try_from(batch.projects.len()).unwrap_or(u32::MAX).min(batch.most);
            let variables = |size: u32| {
                let ids = batch.projects.iter().take(usize::try_from(size).unwrap_or(usize::MAX));
                let ids = ids.map(|id| global_id::write("Project", id.get())).collect();
                Variables { ids, paths, first: size, files: paths.len() }
            };
            let (partial, asked) =
                self.ask_in_size::<Data, _>(&PROJECT_FILES, most, variables).await?;
            let count = usize::try_from(asked).unwrap_or(usize::MAX).min(batch.projects.len());
            let ids: Vec<ProjectId> = batch.projects.drain(..count).collect();
            let (returned, has_more) = extent(&partial);
            let mut found = sort(&partial, paths);
            barren = if found.holds_something() { 0 } else { barren + 1 };
            if barren >= BARREN {
                let message = found.reason();
                self.rest(&PROJECT_FILES, &message);
                return Err(GraphqlFailure::Heavy { message });
            }
            let (mut failed, mut cut) = (VecDeque::new(), VecDeque::new());
            for id in ids {
                match found.remove(id) {
                    Some(Fetched::Failed(_)) if asked > 1 => failed.push_back(id),
                    // A page that is shorter than what was asked for, and not the last. One that
                    // is as long has no room for more, whatever it says: it would never end.
                    Some(Fetched::Absent) | None if has_more && (1..asked).contains(&returned) => {
                        cut.push_back(id);
                    }
                    Some(fetched) => drop(answered.insert(id, fetched)),
                    None => drop(answered.insert(id, Fetched::Absent)),
                }
            }
            waiting.push_front(batch);
            waiting.push_front(Batch { projects: cut, most: returned });
            if !failed.is_empty() {
                self.graphql().too_heavy(Kind::Files, asked);
                waiting.push_front(Batch { projects: failed, most: (asked / 2).max(1) });
            }
        }
        Ok(())
    }
}

/// Returns how many projects an answer holds, and whether GitLab has more of them.
fn extent(partial: &Partial<Data>) -> (u32, bool) {
    let Some(projects) = &partial.data.projects else { return (0, false) };
    let count = projects.nodes.as_ref().map_or(0, Vec::len);
    (u32::try_from(count).unwrap_or(u32::MAX), projects.has_more())
}

/// What an answer says of each project that was asked for.
struct Sorted {
    by_project: BTreeMap<ProjectId, Fetched<ProjectFiles>>,
    /// Why projects that the answer does not name may have failed.
    unnamed: Option<String>,
}

impl Sorted {
    /// True when at least one project is known to be whole or absent, or none is told to fail.
    fn holds_something(&self) -> bool {
        self.by_project.values().any(|fetched| !matches!(fetched, Fetched::Failed(_)))
            || (self.by_project.is_empty() && self.unnamed.is_none())
    }

    /// Returns a reason for which something failed.
    fn reason(&self) -> String {
        let failed = self.by_project.values().find_map(|fetched| match fetched {
            Fetched::Failed(reason) => Some(reason),
            Fetched::Whole(_) | Fetched::Absent => None,
        });
        failed.or(self.unnamed.as_ref()).cloned().unwrap_or_default()
    }

    fn remove(&mut self, id: ProjectId) -> Option<Fetched<ProjectFiles>> {
        let unnamed = || self.unnamed.clone().map(Fetched::Failed);
        self.by_project.remove(&id).or_else(unnamed)
    }
}

fn sort(partial: &Partial<Data>, paths: &[&str]) -> Sorted {
    let list = [Step::field("projects"), Step::field("nodes")];
    let reason = |at: &[Step]| partial.failure_at(at).map(str::to_owned);
    let Some(nodes) = partial.data.projects.as_ref().and_then(|projects| projects.nodes.as_ref())
    else {
        let unnamed = reason(&list).or_else(|| Some("no projects are shown".to_owned()));
        return Sorted { by_project: BTreeMap::new(), unnamed };
    };
    // An error that concerns the whole list may be why a project is not in it.
    let above = partial.failed.iter().find(|failed| list.starts_with(&failed.path));
    let unnamed = above.map(|failed| failed.message.clone());
    let mut sorted = Sorted { by_project: BTreeMap::new(), unnamed };
    for (index, node) in nodes.iter().enumerate() {
        let at = [list[0].clone(), list[1].clone(), Step::Index(index)];
        let failure = reason(&at);
        let id = node.as_ref().and_then(|node| global_id::read(node.id.as_deref()?));
        let (Some(node), Some(id)) = (node, id) else {
            // Some project, but which?
            let failure = failure.unwrap_or_else(|| "a project is not shown".to_owned());
            sorted.unnamed = Some(failure);
            continue;
        };
        let fetched = match (failure, &node.repository) {
            (Some(failure), _) => Fetched::Failed(failure),
            // No right to read the code, or no repository: nobody says.
            (None, None) => Fetched::Absent,
            (None, Some(repository)) => repository.files(paths),
        };
        let known = sorted.by_project.insert(ProjectId::new(id), fetched);
        if known.is_some() {
            // Which of the two is true?
            let twice = Fetched::Failed("the project is shown twice".to_owned());
            sorted.by_project.insert(ProjectId::new(id), twice);
        }
    }
    sorted
}

impl RepositoryRow {
    fn files(&self, paths: &[&str]) -> Fetched<ProjectFiles> {
        if self.empty {
            return Fetched::Whole(ProjectFiles::default());
        }
        let failed = |what: &str| Fetched::Failed(what.to_owned());
        let Some(root_ref) = &self.root_ref else {
            return failed("the default branch is not shown");
        };
        let blobs = self.blobs.as_ref().filter(|blobs| !blobs.has_more());
        let Some(rows) = blobs.and_then(|blobs| blobs.nodes.as_ref()) else {
            return failed("the files are not shown");
        };
        let mut files = Vec::new();
        for row in rows {
            let Some((row, path)) = row.as_ref().and_then(|row| Some((row, row.path.as_ref()?)))
            else {
                return failed("a file is not shown");
            };
            if paths.contains(&path.as_str()) {
                files.push(row.file(path));
            }
        }
        Fetched::Whole(ProjectFiles { root_ref: Some(root_ref.clone()), files })
    }
}

impl BlobRow {
    fn file(&self, path: &str) -> ProjectFile {
        let size_bytes = self.size.and_then(|size| u64::try_from(size).ok());
        let text = match (&self.raw_text_blob, size_bytes) {
            // Whatever was transcoded, replaced or cut has another length in bytes.
            (Some(text), Some(size)) if text.len() as u64 == size => Some(text.clone()),
            (None, Some(0)) => Some(String::new()),
            (Some(_) | None, _) => None,
        };
        ProjectFile { path: path.to_owned(), oid: self.oid.clone(), size_bytes, text }
    }
}
