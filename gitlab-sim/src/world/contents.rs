//! Adds what a project holds besides items: files, pipelines, git tags, releases, approval rules.
//!
//! Only the default branch has files; whatever else a repository has is a name. Times default to
//! the clock. Several commits at once are a matter of `push`.

use jiff::Timestamp;

use super::entity::{ApprovalRule, GitTag, Pipeline, Release};
use super::event::{Change, Touched};
use super::id::{GroupId, ProjectId, UserId};
use super::new::NewPipeline;
use super::{World, next};
use crate::clock::micros;

impl World {
    /// Adds or replaces a file of the default branch.
    pub fn add_file(&mut self, project: ProjectId, path: &str, content: impl Into<Vec<u8>>) {
        let Some(row) = self.projects.get_mut(&project) else {
            return;
        };
        let before = if row.files.is_empty() { "0".repeat(40) } else { row.head() };
        let known = row.files.insert(path.to_owned(), content.into()).is_some();
        row.revision += 1;
        let path = path.to_owned();
        let touched = if known { Touched::Modified(path) } else { Touched::Added(path) };
        self.emit_push(project, before, touched);
    }

    /// Adds a pipeline and returns its id, or 0 when there is no such project.
    pub fn add_pipeline(&mut self, project: ProjectId, new: NewPipeline) -> u64 {
        let now = self.clock.now();
        let Some(row) = self.projects.get_mut(&project) else {
            return 0;
        };
        let id = next(&mut self.last.pipeline);
        let iid = row.pipelines.last().map_or(1, |pipeline| pipeline.iid + 1);
        let branch = new.branch.unwrap_or_else(|| row.default_branch.clone());
        let sha = if branch == row.default_branch {
            row.head()
        } else {
            crate::hash::hex40(&format!("{}:{branch}", row.id))
        };
        let created_at = new.created_at.unwrap_or(now);
        let pipeline = Pipeline {
            id,
            iid,
            sha,
            branch,
            status: new.status,
            source: new.source,
            created_at,
            updated_at: new.updated_at.unwrap_or(created_at),
        };
        let told = self.listening.then(|| Box::new(pipeline.clone()));
        row.pipelines.push(pipeline);
        self.emit(|_| told.map(|pipeline| Change::Pipeline { project, pipeline }));
        id
    }

    /// Adds a git tag at the head of the default branch, and a release of it when there is a text.
    pub fn add_tag(
        &mut self,
        project: ProjectId,
        name: &str,
        release: Option<&str>,
        at: Timestamp,
    ) {
        let bot = self.bot;
        let Some(row) = self.projects.get_mut(&project) else {
            return;
        };
        let sha = row.head();
        row.tags.push(GitTag {
            name: name.to_owned(),
            message: String::new(),
            sha: sha.clone(),
            created_at: micros(at),
        });
        let release = release.map(|description| Release {
            id: next(&mut self.last.release),
            tag: name.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            author: bot,
            created_at: micros(at),
            released_at: micros(at),
        });
        row.releases.extend(release.clone());
        self.emit(|_| Some(Change::Tag { project, name: name.to_owned(), sha }));
        if let Some(release) = release {
            self.emit(|_| Some(Change::Release { project, release: Box::new(release) }));
        }
    }

    /// Adds a regular approval rule.
    pub fn add_approval_rule(
        &mut self,
        project: ProjectId,
        name: &str,
        approvals_required: u64,
        users: Vec<UserId>,
        groups: Vec<GroupId>,
    ) {
        let id = next(&mut self.last.rule);
        if let Some(project) = self.projects.get_mut(&project) {
            project.approval_rules.push(ApprovalRule {
                id,
                name: name.to_owned(),
                rule_type: "regular".to_owned(),
                approvals_required,
                users,
                groups,
            });
        }
    }
}
