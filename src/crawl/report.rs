//! What a run collects on its way: the parts that could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::items::project_path;
use crate::model::{Item, ItemKind, ProjectId};
use crate::store::{Cause, Problem, RootKey, StreamKind};

/// So many items of a project without their comments are told one by one.
const FEW: usize = 2;

/// What one sync collects on its way.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: Mutex<Vec<Problem>>,
    /// Problems of the sync before that are to be looked at later than now.
    postponed: Vec<Problem>,
    /// Names of the roots whose projects were listed whole.
    listed: Mutex<BTreeSet<String>>,
    /// Projects whose comments on items of a kind were refused.
    refused: Mutex<BTreeSet<(ProjectId, ItemKind)>>,
    /// Projects and items that were removed.
    removed: AtomicU64,
    /// True once a walk over all of a list was gone on with that had begun in an earlier run.
    resumed: AtomicBool,
    /// Paths of projects that this run removed.
    gone: Mutex<BTreeSet<String>>,
    /// Items, by the path of their project, that are there while their comments are not found.
    bare: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// What this run missed of lists so far.
    losses: Mutex<BTreeMap<(RootKey, StreamKind, Cause), Loss>>,
    /// Projects of items that no project of the index has, with their paths.
    strangers: Mutex<BTreeMap<ProjectId, String>>,
}

/// What a run missed of one list.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Loss {
    /// So many rows were missing.
    pub missing: u64,
    /// So many of them were believed to be gone.
    pub believed: u64,
}

impl Report {
    /// Begins with the problems that are to be looked at later than now.
    pub(super) fn new(postponed: Vec<Problem>) -> Self {
        Self { postponed, ..Self::default() }
    }

    /// Forgets what was recorded of single subjects for a list that turned out not to be had.
    pub(super) fn forget(&self, stream: &str, subjects: &BTreeSet<String>) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.retain(|p| p.stream != stream || !subjects.contains(&p.subject));
    }

    /// Notes that an item is there while its comments are not found.
    pub(super) fn find_bare(&self, project: &str, item: &str) {
        let mut bare = self.bare.lock().unwrap_or_else(PoisonError::into_inner);
        let items = bare.entry(project.to_owned()).or_default();
        items.insert(item.to_owned());
        if items.len() > FEW {
            // A line for each would hide the others.
            self.forget("comments", items);
        }
    }

    /// Returns true if comments are not found on more than a few items of a project, so that it is
    /// the project that lacks them.
    pub(super) fn is_bare(&self, project: &str) -> bool {
        let bare = self.bare.lock().unwrap_or_else(PoisonError::into_inner);
        bare.get(project).is_some_and(|items| items.len() > FEW)
    }

    pub(super) fn add(&self, problem: Problem) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        // One for each subject and list is enough; a hundred would say no more.
        if problems.iter().all(|p| (&p.subject, &p.stream) != (&problem.subject, &problem.stream)) {
            problems.push(problem);
        }
    }

    /// Notes that rows of a list are missing, and returns what was missed of it before.
    pub(super) fn miss(&self, list: (RootKey, StreamKind, Cause), missing: u64) -> Loss {
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let loss = losses.entry(list).or_default();
        let before = *loss;
        loss.missing += missing;
        before
    }

    /// Notes that rows of a list are believed to be gone.
    pub(super) fn believe(&self, list: (RootKey, StreamKind, Cause), gone: u64) {
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        losses.entry(list).or_default().believed += gone;
    }

    /// Counts projects or items that were removed.
    pub(super) fn count_removed(&self, count: u64) {
        self.removed.fetch_add(count, Ordering::Relaxed);
    }

    /// Returns how many were removed.
    pub(super) fn removed(&self) -> u64 {
        self.removed.load(Ordering::Relaxed)
    }

    /// Forgets what was said of a project that was removed, and of its items, by this run and those
    /// before it. Should it come back, it is read like any other.
    pub(super) fn forget_project(&self, path: &str) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.insert(path.to_owned());
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.retain(|problem| project_of(&problem.subject) != path);
    }

    /// True when what a problem of an earlier run is about was removed by this one.
    pub(super) fn is_gone(&self, subject: &str) -> bool {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.contains(project_of(subject))
    }

    /// True when a part is not to be asked for yet. Its problem stays one of this sync too.
    pub(super) fn postpones(&self, subject: &str, stream: &str) -> bool {
        let mut postponed = self.postponed.iter();
        let problem = postponed.find(|p| p.subject == subject && p.stream == stream);
        let Some(problem) = problem.filter(|_| !self.is_gone(subject)) else {
            return false;
        };
        self.add(problem.clone());
        true
    }

    /// Notes that the projects of a root were listed whole: what was said of earlier lists is out of
    /// date.
    pub(super) fn list_projects(&self, root: &str) {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).insert(root.to_owned());
    }

    /// True when the projects of a root were listed whole.
    pub(super) fn has_listed(&self, root: &str) -> bool {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).contains(root)
    }

    /// Notes that a walk over all of a list began in an earlier run.
    pub(super) fn resume(&self) {
        self.resumed.store(true, Ordering::Relaxed);
    }

    /// True when a walk that ended in this run had begun in an earlier one: what it saw first may
    /// have gone since.
    pub(super) fn has_resumed(&self) -> bool {
        self.resumed.load(Ordering::Relaxed)
    }

    pub(super) fn refuse(&self, project: ProjectId, kind: ItemKind) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert((project, kind));
    }

    pub(super) fn is_refused(&self, project: ProjectId, kind: ItemKind) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.contains(&(project, kind))
    }

    pub(super) fn take(&self) -> Vec<Problem> {
        std::mem::take(&mut self.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of an item whose project the index does not know.
    pub(super) fn meet(&self, item: &Item) {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.entry(item.project).or_insert_with(|| project_path(item));
    }

    /// Returns the projects that were met, each once.
    pub(super) fn take_strangers(&self) -> BTreeMap<ProjectId, String> {
        std::mem::take(&mut self.strangers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the path of the project that a subject is or belongs to.
fn project_of(subject: &str) -> &str {
    subject.split_once(['#', '!']).map_or(subject, |(project, _)| project)
}
