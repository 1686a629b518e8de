//! What exists, without what it means: the plain half of the truth.
//!
//! Tests that compare a copy of GitLab with GitLab (an index, a mirror) need no meanings: they ask
//! which rows a token sees, and what stands in the columns that change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::world::{Caller, Item, ItemKind, Project, Visibility, World};

/// All that a caller sees of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// Projects by id.
    pub projects: BTreeMap<u64, ProjectState>,
    /// Issues by id.
    pub issues: BTreeMap<u64, ItemState>,
    /// Merge requests by id.
    pub merge_requests: BTreeMap<u64, ItemState>,
    /// Notes by id, GitLab's own remarks included.
    pub notes: BTreeMap<u64, NoteState>,
}

/// One project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectState {
    /// All parts of the path.
    pub path: String,
    /// The name on display.
    pub name: String,
    /// Its topics, sorted.
    pub topics: Vec<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// True once it was archived.
    pub archived: bool,
    /// True once it was marked for deletion.
    pub marked_for_deletion: bool,
    /// When its row was last written.
    pub updated_at: Timestamp,
}

/// One issue or merge request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemState {
    /// The id of its project.
    pub project: u64,
    /// The number within the project.
    pub iid: u64,
    /// The full reference.
    pub reference: String,
    /// The title.
    pub title: String,
    /// `opened`, `closed` or `merged`.
    pub state: &'static str,
    /// True when only members see it.
    pub confidential: bool,
    /// The titles of its labels, sorted.
    pub labels: Vec<String>,
    /// When it was last changed, in microseconds as it is stored.
    pub updated_at: Timestamp,
    /// The ids of the notes that the caller sees, rising.
    pub notes: Vec<u64>,
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteState {
    /// The full reference of its item.
    pub item: String,
    /// The text as it is kept: [`SELF_URL`](crate::world::SELF_URL) is not filled in.
    pub body: String,
    /// True for GitLab's own remarks.
    pub system: bool,
    /// True when only members see it.
    pub internal: bool,
    /// When it was last edited.
    pub updated_at: Timestamp,
}

impl State {
    /// Returns what a caller sees of a world now: what the lists of REST show, archived projects
    /// included. Of notes a caller without an account sees none.
    pub fn of(world: &World, caller: Caller<'_>) -> Self {
        let mut state = Self::default();
        for project in world.projects().filter(|row| world.sees_project(caller, row)) {
            state.projects.insert(project.id.get(), ProjectState::of(project));
            for issue in project.issues.values() {
                if world.sees_issue(caller, project, issue) {
                    let row = state.item(world, caller, project, ItemKind::Issue, &issue.item);
                    let (state_word, confidential) = (issue.state(), issue.confidential);
                    let row = ItemState { state: state_word, confidential, ..row };
                    state.issues.insert(issue.item.id, row);
                }
            }
            if !world.reads_code(caller, project) {
                continue;
            }
            for merge_request in project.merge_requests.values() {
                let item = &merge_request.item;
                let row = state.item(world, caller, project, ItemKind::MergeRequest, item);
                let row = ItemState { state: merge_request.state(), ..row };
                state.merge_requests.insert(item.id, row);
            }
        }
        state
    }

    /// Lists the items of both kinds by full reference.
    pub fn items(&self) -> BTreeMap<&str, &ItemState> {
        let all = self.issues.values().chain(self.merge_requests.values());
        all.map(|item| (item.reference.as_str(), item)).collect()
    }

    fn item(
        &mut self,
        world: &World,
        caller: Caller<'_>,
        project: &Project,
        kind: ItemKind,
        item: &Item,
    ) -> ItemState {
        let reference = format!("{}{}{}", project.full_path, kind.sigil(), item.iid);
        let mut notes = Vec::new();
        let signed_in = caller.user().is_some();
        for note in &item.notes {
            if signed_in && world.sees_note(caller, project, note) {
                notes.push(note.id);
                let row = NoteState {
                    item: reference.clone(),
                    body: note.body.clone(),
                    system: note.system,
                    internal: note.internal,
                    updated_at: note.updated_at,
                };
                self.notes.insert(note.id, row);
            }
        }
        notes.sort_unstable();
        let labels = world.label_titles(&item.labels);
        ItemState {
            project: project.id.get(),
            iid: item.iid,
            reference,
            title: item.title.clone(),
            state: "opened",
            confidential: false,
            labels: labels.into_iter().map(str::to_owned).collect(),
            updated_at: item.updated_at,
            notes,
        }
    }
}

impl ProjectState {
    fn of(project: &Project) -> Self {
        Self {
            path: project.full_path.clone(),
            name: project.name.clone(),
            topics: project.topics.iter().cloned().collect(),
            visibility: project.visibility,
            archived: project.archived,
            marked_for_deletion: project.marked_for_deletion_on.is_some(),
            updated_at: project.updated_at,
        }
    }
}
