//! The CI jobs behind job tokens, and which projects let them in.
//!
//! A job acts for the user who started it, works while it runs, and reaches another project only
//! when that project's allow-list names the job's own. Jobs have no logs and no artifacts here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::id::{ProjectId, UserId};
use super::token::{Token, TokenKind};
use super::{World, next};

/// The longest allow-list that GitLab takes.
const LONGEST_ALLOW_LIST: usize = 200;

/// A CI job with a token.
#[derive(Debug, Clone)]
pub struct TokenJob {
    /// The id.
    pub id: u64,
    /// The project it runs in.
    pub project: ProjectId,
    /// Who started it.
    pub user: UserId,
    /// The name.
    pub name: String,
    /// The stage.
    pub stage: String,
    /// The branch it runs for.
    pub branch: String,
    /// When it was made, and started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What an entry of an allow-list permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobPermissions {
    /// Whatever the user of the job may do.
    All,
    /// Only what is named, such as `read_releases`.
    Only(BTreeSet<String>),
}

/// All jobs, and all allow-lists by target and source.
#[derive(Debug, Clone, Default)]
pub(super) struct Jobs {
    last: u64,
    rows: BTreeMap<u64, TokenJob>,
    allowed: BTreeMap<ProjectId, BTreeMap<ProjectId, JobPermissions>>,
}

impl World {
    /// Starts a CI job of a user in a project and returns the secret of its token.
    pub fn add_job_token(&mut self, project: ProjectId, user: UserId) -> String {
        let branch = self.project(project).map(|row| row.default_branch.clone());
        let id = next(&mut self.jobs.last);
        let job = TokenJob {
            id,
            project,
            user,
            name: "crawl".to_owned(),
            stage: "test".to_owned(),
            branch: branch.unwrap_or_default(),
            started_at: self.clock.now(),
            finished_at: None,
        };
        self.jobs.rows.insert(id, job);
        self.make_token(TokenKind::Job(id), user, None, &[], None)
    }

    /// Ends the job of a token, which stops working. Returns false when there is no such job, or
    /// it has ended before.
    pub fn finish_job(&mut self, secret: &str) -> bool {
        let now = self.clock.now();
        let id = self.token(secret).and_then(Token::job);
        let Some(job) = id.and_then(|id| self.jobs.rows.get_mut(&id)) else {
            return false;
        };
        job.finished_at.replace(now).is_none()
    }

    /// Finds a job with a token by its id.
    pub fn token_job(&self, id: u64) -> Option<&TokenJob> {
        self.jobs.rows.get(&id)
    }

    /// Lets jobs of one project into another. Returns false when the list of the target is full:
    /// it holds 200 projects.
    pub fn allow_job_tokens_from(&mut self, target: ProjectId, source: ProjectId) -> bool {
        self.allow_jobs(target, source, JobPermissions::All)
    }

    /// Lets jobs of one project into another, but only for some permissions, such as
    /// `read_releases`. Returns false when the list of the target is full.
    pub fn allow_job_tokens_for(
        &mut self,
        target: ProjectId,
        source: ProjectId,
        permissions: &[&str],
    ) -> bool {
        let permissions = permissions.iter().map(|&word| word.to_owned()).collect();
        self.allow_jobs(target, source, JobPermissions::Only(permissions))
    }

    fn allow_jobs(&mut self, target: ProjectId, source: ProjectId, what: JobPermissions) -> bool {
        let list = self.jobs.allowed.entry(target).or_default();
        if list.len() >= LONGEST_ALLOW_LIST && !list.contains_key(&source) {
            return false;
        }
        list.insert(source, what);
        true
    }

    /// Takes a project from the allow-list of another.
    pub fn refuse_job_tokens_from(&mut self, target: ProjectId, source: ProjectId) -> bool {
        self.jobs.allowed.get_mut(&target).is_some_and(|list| list.remove(&source).is_some())
    }

    /// Returns what jobs of one project may do in another, or nothing when they are not let in. A
    /// project lets its own jobs in.
    pub fn job_permissions(&self, target: ProjectId, source: ProjectId) -> Option<&JobPermissions> {
        if target == source {
            return Some(&JobPermissions::All);
        }
        self.jobs.allowed.get(&target)?.get(&source)
    }

    /// Returns what a token may do in a project as far as job tokens are concerned: everything,
    /// when it is not one of a job.
    pub(crate) fn token_permissions(
        &self,
        token: &Token,
        target: ProjectId,
    ) -> Option<&JobPermissions> {
        match token.job() {
            None => Some(&JobPermissions::All),
            Some(job) => self.job_permissions(target, self.token_job(job)?.project),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::NewProject;

    #[test]
    fn an_allow_list_holds_two_hundred_projects() {
        let mut world = World::new();
        let target = world.add_project(NewProject::at("acme/target"));
        let source = |number: u64| ProjectId::new(1000 + number);
        for number in 0..200 {
            assert!(world.allow_job_tokens_from(target, source(number)));
        }
        assert!(!world.allow_job_tokens_from(target, source(200)));
        assert!(world.allow_job_tokens_for(target, source(7), &["read_releases"]), "known already");
        assert!(world.refuse_job_tokens_from(target, source(0)));
        assert!(world.allow_job_tokens_from(target, source(200)));
        assert_eq!(world.job_permissions(target, source(0)), None);
        assert_eq!(world.job_permissions(target, target), Some(&JobPermissions::All));
    }

    #[test]
    fn a_job_ends_once() {
        let mut world = World::new();
        let project = world.add_project(NewProject::at("acme/shop"));
        let secret = world.add_job_token(project, world.bot());
        assert!(world.finish_job(&secret));
        assert!(!world.finish_job(&secret));
        assert!(!world.finish_job("glcbt-unknown"));
    }
}
