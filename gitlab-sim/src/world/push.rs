//! Pushes of several commits, and the ends of branches and git tags.
//!
//! The world keeps the files of the default branch only: other branches are names that merge
//! requests carry, so the end of one is an event and nothing else.

use super::World;
use super::event::{Change, Commit, Touched};
use super::id::ProjectId;

/// A commit to be pushed to the default branch.
#[derive(Debug, Clone, Default)]
pub struct NewCommit {
    message: String,
    /// Paths with their new content, or nothing for a file that goes.
    files: Vec<(String, Option<Vec<u8>>)>,
}

impl NewCommit {
    /// Describes a commit with a message, which touches nothing yet.
    pub fn new(message: &str) -> Self {
        Self { message: message.to_owned(), files: Vec::new() }
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn write(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), Some(content.into())));
        self
    }

    /// Removes a file, if it is there.
    #[must_use]
    pub fn remove(mut self, path: &str) -> Self {
        self.files.push((path.to_owned(), None));
        self
    }
}

impl World {
    /// Pushes commits to the default branch: one event tells of all. Messages close and mention
    /// issues. Returns false when there is
    /// no such project, or nothing to push.
    pub fn push(&mut self, project: ProjectId, new: Vec<NewCommit>) -> bool {
        let Some(row) = self.project(project) else {
            return false;
        };
        let before = if row.files.is_empty() { "0".repeat(40) } else { row.head() };
        let listening = std::mem::replace(&mut self.listening, false);
        let mut commits = Vec::with_capacity(new.len());
        for commit in new {
            commits.extend(self.apply(project, commit));
        }
        self.listening = listening;
        let pushed = !commits.is_empty();
        let messages: Vec<(String, String)> =
            commits.iter().map(|row| (row.sha.clone(), row.message.clone())).collect();
        self.emit(|world| {
            let after = world.project(project)?.head();
            pushed.then_some(Change::Push { project, before, after, commits })
        });
        self.read_commits(project, &messages);
        pushed
    }

    /// Writes the files of a commit, of which nobody is told yet. A commit that touches nothing
    /// leaves nothing.
    fn apply(&mut self, project: ProjectId, new: NewCommit) -> Option<Commit> {
        let mut commit = Commit::new(String::new(), new.message);
        let mut touched = false;
        for (path, content) in new.files {
            let known = self.project(project)?.files.contains_key(&path);
            let file = match content {
                Some(content) => {
                    self.add_file(project, &path, content);
                    if known { Touched::Modified(path) } else { Touched::Added(path) }
                }
                None if known => {
                    self.delete_file(project, &path);
                    Touched::Removed(path)
                }
                None => continue,
            };
            commit.touch(file);
            touched = true;
        }
        commit.sha = self.project(project)?.head();
        touched.then_some(commit)
    }

    /// Deletes a git tag; a release of it stays. Returns false when there is none.
    pub fn delete_tag(&mut self, project: ProjectId, name: &str) -> bool {
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        let Some(at) = row.tags.iter().position(|tag| tag.name == name) else {
            return false;
        };
        let tag = row.tags.remove(at);
        self.emit(|_| Some(Change::TagDeleted { project, name: tag.name, sha: tag.sha }));
        true
    }

    /// Deletes a branch other than the default one. Returns false when there is no such project,
    /// or for its default branch.
    pub fn delete_branch(&mut self, project: ProjectId, name: &str) -> bool {
        let Some(row) = self.project(project) else {
            return false;
        };
        if row.default_branch == name {
            return false;
        }
        let sha = crate::hash::hex40(&format!("{}:{name}", row.id));
        self.emit(|_| Some(Change::BranchDeleted { project, name: name.to_owned(), sha }));
        true
    }
}
