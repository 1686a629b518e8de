//! Repositories: blobs, trees, commits.
//!
//! Whoever may not read the code gets no repository at all, so nothing here asks again. Only the
//! default branch has files; tags and the head commit show the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_graphql::{Error, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::BlobRegime;
use super::args::Args;
use super::node::{Look, Node, Out};
use super::page::{Key, Place, connect, list as in_order};
use crate::hash::hex40;
use crate::rest::{blob_id, knows};
use crate::world::{Project, ProjectId, SELF_URL};

/// How many bytes of blobs one request returns in the new regime. A single file may be larger.
const BLOB_BYTES: u64 = 20 * 1024 * 1024;

/// A file as it was when it was found.
#[derive(Debug)]
pub(super) struct File {
    project: String,
    path: String,
    branch: String,
    content: Vec<u8>,
}

/// A tree, by the place that was asked for.
#[derive(Debug)]
pub(super) struct TreeAt {
    project: ProjectId,
    folder: String,
    branch: String,
    recursive: bool,
}

/// A file or folder of a tree.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    project: String,
    branch: String,
    path: String,
    sha: String,
    is_folder: bool,
}

fn content(look: &Look<'_>, content: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) if text.contains(SELF_URL) => look.text(text).into_bytes(),
        _ => content.to_vec(),
    }
}

/// Returns the branch that is asked for, if the project has files of it.
fn branch(project: &Project, args: Args<'_>) -> Option<String> {
    let wanted = args.filled("ref").unwrap_or(&project.default_branch);
    knows(project, wanted).then(|| wanted.to_owned())
}

/// Answers a field of a repository.
pub(super) fn field(
    look: &Look<'_>,
    id: ProjectId,
    name: &str,
    args: Args<'_>,
    wants_content: &dyn Fn() -> bool,
) -> Result<Out, Error> {
    let Some(project) = look.world.project(id) else {
        return Ok(Out::NULL);
    };
    let is_empty = project.files.is_empty();
    let head = |look: &Look<'_>| commit(look, id, &project.head(), project.last_activity_at);
    Ok(match name {
        "empty" => is_empty.into(),
        "exists" => true.into(),
        "rootRef" => Out::maybe((!is_empty).then(|| project.default_branch.clone())),
        // Only administrators are told where the repository lies.
        "diskPath" => {
            let admin = look.caller.user().is_some_and(|user| user.admin);
            let digest = crate::hash::hex64(id.to_string());
            let path = format!("@hashed/{}/{}/{digest}", &digest[..2], &digest[2..4]);
            Out::maybe(admin.then_some(path))
        }
        "branchNames" => branch_names(project, args),
        "blobs" => return blobs(look, project, args, wants_content),
        "tree" => {
            let found = branch(project, args).map(|branch| TreeAt::new(id, branch, args));
            Out::node(found.map(|tree| Node::Tree(Arc::new(tree))))
        }
        "paginatedTree" => match branch(project, args) {
            Some(branch) => {
                let tree = TreeAt::new(id, branch, args);
                return in_order(args, vec![Node::Tree(Arc::new(tree))]);
            }
            None => Out::NULL,
        },
        "commit" | "lastCommit" => match branch(project, args) {
            Some(_) if holds(project, args.filled("path")) => head(look),
            Some(_) | None => Out::NULL,
        },
        _ => Out::Unknown,
    })
}

/// Tells whether a project holds a file or folder. Everything holds its own top.
fn holds(project: &Project, path: Option<&str>) -> bool {
    path.is_none_or(|path| {
        let path = path.trim_matches('/');
        let below = format!("{path}/");
        path.is_empty() || project.files.keys().any(|key| key == path || key.starts_with(&below))
    })
}

fn branch_names(project: &Project, args: Args<'_>) -> Out {
    let pattern = args.text("searchPattern").unwrap_or("*");
    let matches = match pattern.split_once('*') {
        None => pattern == project.default_branch,
        Some((start, end)) => {
            project.default_branch.starts_with(start)
                && project.default_branch.ends_with(end.trim_end_matches('*'))
        }
    };
    let here = args.count("offset") == Some(0) && args.count("limit").is_some_and(|n| n > 0);
    let names = (!project.files.is_empty() && matches && here)
        .then(|| Value::from(project.default_branch.clone()));
    Out::Value(Value::List(names.into_iter().collect()))
}

/// `blobs(paths:)`: those of the files that are there, in the order of the request.
fn blobs(
    look: &Look<'_>,
    project: &Project,
    args: Args<'_>,
    wants_content: &dyn Fn() -> bool,
) -> Result<Out, Error> {
    let Some(branch) = branch(project, args) else {
        return in_order(args, Vec::new());
    };
    let paths = args.texts("paths").unwrap_or_default();
    let found = paths.into_iter().filter_map(|path| project.files.get_key_value(path));
    let files: Vec<Arc<File>> = found
        .map(|(path, bytes)| {
            Arc::new(File {
                project: project.full_path.clone(),
                path: path.clone(),
                branch: branch.clone(),
                content: content(look, bytes),
            })
        })
        .collect();
    if look.regime() == BlobRegime::New && wants_content() {
        let bytes: u64 = files.iter().map(|file| file.content.len() as u64).sum();
        let before = look.asking.blob_bytes.load(Ordering::Relaxed);
        let alone = files.len() <= 1 && before == 0;
        if before + bytes > BLOB_BYTES && bytes > 0 && !alone {
            return Err(Error::new(
                "The blobs of this request exceed 20 MB. Request fewer or smaller blobs.",
            ));
        }
        // Only what is returned counts: what was refused leaves room for smaller blobs. Fields of
        // one query are answered one after the other, so nothing comes in between.
        look.asking.blob_bytes.store(before + bytes, Ordering::Relaxed);
    }
    in_order(args, files.into_iter().map(Node::File).collect())
}

impl File {
    /// Answers a field of a file.
    pub(super) fn field(&self, look: &Look<'_>, name: &str) -> Out {
        let text = || std::str::from_utf8(&self.content).ok().filter(|text| !text.contains('\0'));
        let path = |kind: &str| format!("/{}/-/{kind}/{}/{}", self.project, self.branch, self.path);
        let oid = blob_id(&self.content);
        match name {
            "id" => format!("gid://gitlab/Blob/{oid}").into(),
            "oid" => oid.into(),
            "path" => self.path.clone().into(),
            "name" => last_part(&self.path).to_owned().into(),
            "mode" => "100644".into(),
            // Texts, because these may be larger than an Int.
            "size" | "rawSize" => self.content.len().to_string().into(),
            "rawBlob" => String::from_utf8_lossy(&self.content).into_owned().into(),
            "rawTextBlob" | "plainData" => Out::maybe(text().map(str::to_owned)),
            "base64EncodedBlob" => STANDARD.encode(&self.content).into(),
            "fileType" => if text().is_some() { "text" } else { "download" }.into(),
            "webPath" => path("blob").into(),
            "rawPath" => path("raw").into(),
            "historyPath" => path("commits").into(),
            "permalinkPath" => {
                let head = look.world.find_project(&self.project).map(Project::head);
                Out::maybe(
                    head.map(|head| format!("/{}/-/blob/{head}/{}", self.project, self.path)),
                )
            }
            "storedExternally" => false.into(),
            "language" | "lfsOid" => Out::NULL,
            _ => Out::Unknown,
        }
    }
}

impl TreeAt {
    fn new(project: ProjectId, branch: String, args: Args<'_>) -> Self {
        let folder = args.filled("path").unwrap_or_default().trim_matches('/').to_owned();
        Self { project, folder, branch, recursive: args.flag("recursive") == Some(true) }
    }

    /// Answers a field of a tree.
    pub(super) fn field(&self, look: &Look<'_>, name: &str, args: Args<'_>) -> Result<Out, Error> {
        let Some(project) = look.world.project(self.project) else {
            return Ok(Out::NULL);
        };
        let entries = |is_folder: bool| {
            let rows = self.entries(look, project).into_values();
            let kept = rows.filter(|entry| entry.is_folder == is_folder);
            let placed = kept
                .zip(0_u64..)
                .map(|(entry, index)| (Place::new(Key::Text(entry.path.clone()), index), entry));
            connect(args, super::page::Direction::RISING, placed.collect(), |entry| {
                Some(Node::Entry(Arc::new(entry)))
            })
        };
        Ok(match name {
            "trees" => return entries(true),
            "blobs" => return entries(false),
            "lastCommit" => commit(look, self.project, &project.head(), project.last_activity_at),
            "permalinkPath" => {
                format!("/{}/-/tree/{}/{}", project.full_path, project.head(), self.folder).into()
            }
            _ => Out::Unknown,
        })
    }

    fn entries(&self, look: &Look<'_>, project: &Project) -> BTreeMap<String, Entry> {
        let prefix =
            if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) };
        let entry = |path: &str, sha: String, is_folder: bool| Entry {
            project: project.full_path.clone(),
            branch: self.branch.clone(),
            path: path.to_owned(),
            sha,
            is_folder,
        };
        let mut entries = BTreeMap::new();
        for (path, bytes) in &project.files {
            let Some(rest) = path.strip_prefix(&prefix) else {
                continue;
            };
            let slashes = rest.match_indices('/').map(|(at, _)| prefix.len() + at);
            for end in slashes.take(if self.recursive { usize::MAX } else { 1 }) {
                let folder = &path[..end];
                let sha = hex40(&format!("tree {folder} {}", project.head()));
                entries.entry(folder.to_owned()).or_insert_with(|| entry(folder, sha, true));
            }
            if self.recursive || !rest.contains('/') {
                let sha = blob_id(&content(look, bytes));
                entries.insert(path.clone(), entry(path, sha, false));
            }
        }
        entries
    }
}

impl Entry {
    /// Answers a field of an entry.
    pub(super) fn field(&self, look: &Look<'_>, name: &str) -> Out {
        let kind = if self.is_folder { "tree" } else { "blob" };
        let path = || format!("/{}/-/{kind}/{}/{}", self.project, self.branch, self.path);
        match name {
            "id" => {
                let class = if self.is_folder {
                    "Gitlab::Graphql::Representation::TreeEntry"
                } else {
                    "Gitlab::Git::Tree"
                };
                format!("gid://gitlab/{class}/{}", self.sha).into()
            }
            "sha" => self.sha.clone().into(),
            "name" => last_part(&self.path).to_owned().into(),
            "path" | "flatPath" => self.path.clone().into(),
            "type" => kind.into(),
            "mode" => "100644".into(),
            "lfsOid" => Out::NULL,
            "webPath" => path().into(),
            "webUrl" => look.url(&path()).into(),
            _ => Out::Unknown,
        }
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Shows a commit. The world keeps only its name and time.
pub(super) fn commit(look: &Look<'_>, project: ProjectId, sha: &str, at: Timestamp) -> Out {
    let above = look.world.project(project).map(|row| row.full_path.as_str());
    let path = format!("/{}/-/commit/{sha}", above.unwrap_or_default());
    let short: String = sha.chars().take(8).collect();
    let title = format!("Update {}", last_part(above.unwrap_or_default()));
    Out::facts([
        ("id", format!("gid://gitlab/Commit/{sha}").into()),
        ("sha", sha.to_owned().into()),
        ("shortId", short.into()),
        ("title", title.clone().into()),
        ("fullTitle", title.clone().into()),
        ("name", title.clone().into()),
        ("message", title.into()),
        ("description", "".into()),
        ("authorName", "Release Bot".into()),
        ("authorEmail", "release-bot@acme.example".into()),
        ("committerName", "Release Bot".into()),
        ("committerEmail", "release-bot@acme.example".into()),
        ("authoredDate", commit_date(at).into()),
        ("committedDate", commit_date(at).into()),
        ("webUrl", look.url(&path).into()),
        ("webPath", path.into()),
    ])
}

/// Prints the date of a commit, which keeps the offset of its author: here that of UTC.
fn commit_date(at: Timestamp) -> String {
    format!("{at:.0}").replace('Z', "+00:00")
}
