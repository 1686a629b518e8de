//! What is done to issues, merge requests and their comments.

use super::scene::Scene;
use crate::generator::{Draft, Writer, add_labels};
use crate::world::{ItemKind, ItemRef, NewIssue, NewMergeRequest, Project};

/// A bulk edit ends when it has reached so many items.
const BULK: usize = 300;

impl Scene<'_> {
    pub(super) fn create_issue(&mut self) -> Option<String> {
        let project = self.furnished()?;
        let planned = self.planned(project)?;
        self.look_around();
        let finished = self.desk.issue(&planned, planned.issues + 1);
        let draft = finished.draft;
        let mut issue = NewIssue::new(&draft.title)
            .issue_type(finished.issue_type)
            .severity(finished.severity)
            .confidential(draft.confidential)
            .author(draft.author)
            .labels(&draft.labels);
        if !draft.description.is_empty() {
            issue = issue.description(&draft.description);
        }
        let item = ItemRef::issue(project, self.world.add_issue(project, issue));
        self.record(item, &draft);
        let comments = self.write_comments(item, &draft);
        Some(format!("opened {} with {comments} comments", self.named(item)))
    }

    pub(super) fn create_merge_request(&mut self) -> Option<String> {
        let project = self.furnished()?;
        let planned = self.planned(project)?;
        self.look_around();
        let draft = self.desk.merge_request(&planned, planned.merge_requests + 1);
        let mut row = NewMergeRequest::new(&draft.title)
            .source_branch(&draft.branch)
            .author(draft.author)
            .labels(&draft.labels);
        if !draft.description.is_empty() {
            row = row.description(&draft.description);
        }
        let iid = self.world.add_merge_request(project, row);
        let item = ItemRef::merge_request(project, iid);
        self.record(item, &draft);
        let comments = self.write_comments(item, &draft);
        Some(format!("opened {} with {comments} comments", self.named(item)))
    }

    fn record(&mut self, item: ItemRef, draft: &Draft) {
        let now = self.world.clock().now();
        let mut writer = Writer {
            desk: &mut *self.desk,
            world: &mut *self.world,
            ledger: &mut *self.ledger,
            now,
            bulk: now,
        };
        writer.record(item, draft);
    }

    /// Writes the comments of a draft at one moment, and returns how many.
    fn write_comments(&mut self, item: ItemRef, draft: &Draft) -> usize {
        let (world, ledger) = (&mut *self.world, &mut *self.ledger);
        world.at_one_moment(|world| {
            for comment in &draft.comments {
                let note = world.add_note(item, comment.note());
                // There is no note 0: the item was deleted, which is not to be seen yet.
                if note > 0 {
                    ledger.mean_note(note, comment.said.clone());
                }
            }
        });
        draft.comments.len()
    }

    pub(super) fn edit_title(&mut self) -> Option<String> {
        let item = self.item(|_, _, _| true)?;
        let draft = self.draft(item)?;
        let named = self.named(item);
        let line = format!("renamed {named} to `{}`", draft.title);
        self.world.edit(item, |row| row.title = draft.title);
        self.ledger.edit_item(self.world, item, |meaning| meaning.title = draft.meaning.title);
        Some(line)
    }

    pub(super) fn edit_description(&mut self) -> Option<String> {
        let item =
            self.item(|project, kind, iid| kind == ItemKind::MergeRequest || plain(project, iid))?;
        let draft = self.draft(item)?;
        let text = (!draft.description.is_empty()).then(|| draft.description.into());
        self.world.edit(item, |row| row.description = text);
        self.ledger
            .edit_item(self.world, item, |meaning| meaning.description = draft.meaning.description);
        Some(format!("described {} anew", self.named(item)))
    }

    pub(super) fn relabel(&mut self) -> Option<String> {
        let item = self.item(|_, _, _| true)?;
        let planned = self.planned(item.project)?;
        let mut draft = Draft::new(item.kind, &planned.path, item.iid, "ann", String::new());
        let services = self.ledger.services();
        add_labels(&mut self.desk.dice, &mut draft, &planned, &services);
        for (title, key, value) in &draft.label_tags {
            self.ledger.mean_label(title, key, value);
        }
        self.world.relabel(item, &draft.labels);
        Some(format!("labelled {} with {:?}", self.named(item), draft.labels))
    }

    pub(super) fn comment(&mut self) -> Option<String> {
        let item = self.item(|_, _, _| true)?;
        let draft = self.commented(item)?;
        let count = self.write_comments(item, &draft);
        Some(format!("wrote {count} comments on {}", self.named(item)))
    }

    /// Writes a draft that has comments of people.
    fn commented(&mut self, item: ItemRef) -> Option<Draft> {
        let planned = self.planned(item.project)?;
        self.look_around();
        let mut draft = Draft::new(item.kind, &planned.path, item.iid, "ann", String::new());
        while draft.comments.iter().all(|comment| comment.system) {
            self.desk.add_comments(&mut draft, &planned);
        }
        Some(draft)
    }

    /// Picks an item and a comment of it.
    fn note(&mut self) -> Option<(ItemRef, u64)> {
        let item = self.item(|project, kind, iid| {
            project.items().any(|(of, row)| {
                of == kind && row.iid == iid && row.notes.iter().any(|n| !n.system)
            })
        })?;
        let notes = &self.world.item(item)?.notes;
        let notes: Vec<u64> = notes.iter().filter(|n| !n.system).map(|n| n.id).collect();
        Some((item, self.one_of(&notes)?))
    }

    pub(super) fn edit_comment(&mut self) -> Option<String> {
        let (item, note) = self.note()?;
        let draft = self.commented(item)?;
        let comment = draft.comments.into_iter().find(|comment| !comment.system)?;
        self.world.edit_note(item, note, &comment.body);
        self.ledger.mean_note(note, comment.said);
        Some(format!("edited comment {note} of {}", self.named(item)))
    }

    pub(super) fn delete_comment(&mut self) -> Option<String> {
        let (item, note) = self.note()?;
        self.world.delete_note(item, note);
        self.ledger.forget_note(note);
        Some(format!("deleted comment {note} of {}", self.named(item)))
    }

    pub(super) fn close(&mut self) -> Option<String> {
        let item = self.item(|project, kind, iid| state(project, kind, iid) == "opened")?;
        let somebody = self.somebody();
        self.world.close(item, somebody);
        Some(format!("closed {}", self.named(item)))
    }

    pub(super) fn reopen(&mut self) -> Option<String> {
        let item = self.item(|project, kind, iid| state(project, kind, iid) == "closed")?;
        self.world.reopen(item);
        Some(format!("opened {} again", self.named(item)))
    }

    pub(super) fn merge(&mut self) -> Option<String> {
        let item = self.item(|project, kind, iid| {
            kind == ItemKind::MergeRequest && state(project, kind, iid) == "opened"
        })?;
        let somebody = self.somebody();
        self.world.merge(item.project, item.iid, somebody);
        Some(format!("merged {}", self.named(item)))
    }

    pub(super) fn confide(&mut self) -> Option<String> {
        let item = self.item(|_, kind, _| kind == ItemKind::Issue)?;
        let confidential = !self.world.issue(item.project, item.iid)?.confidential;
        self.world.set_confidential(item.project, item.iid, confidential);
        Some(format!("made {} confidential: {confidential}", self.named(item)))
    }

    /// Moves an issue to a project with the same templates: its description is read there.
    pub(super) fn move_issue(&mut self) -> Option<String> {
        let item = self.item(|project, kind, iid| {
            let moved = |issue: &crate::world::Issue| issue.moved_to.is_some();
            kind == ItemKind::Issue && !project.issues.get(&iid).is_some_and(moved)
        })?;
        let target = self.furnished()?;
        if !self.planned(item.project)?.asks_like(&self.planned(target)?) {
            return None;
        }
        let moved = self.world.move_issue(item.project, item.iid, target)?;
        self.ledger.copy_item(self.world, item, moved);
        Some(format!("moved {} to {}", self.named(item), self.named(moved)))
    }

    pub(super) fn delete_item(&mut self) -> Option<String> {
        let item = self.item(|_, _, _| true)?;
        let named = self.named(item);
        self.ledger.forget_item(self.world, item);
        self.world.delete_item(item);
        Some(format!("deleted {named}"))
    }

    pub(super) fn bulk_edit(&mut self) -> Option<String> {
        let mut items = Vec::new();
        let start = self.project()?;
        let mut projects = self.projects();
        let turn = projects.iter().position(|id| *id == start).unwrap_or(0);
        projects.rotate_left(turn);
        for project in projects.iter().filter_map(|id| self.world.project(*id)) {
            let rest = BULK.saturating_sub(items.len());
            let own = project.items().map(|(kind, row)| project.item_ref(kind, row.iid));
            items.extend(own.take(rest));
        }
        let somebody = self.somebody();
        self.world.at_one_moment(|world| {
            for item in &items {
                world.edit(*item, |row| row.assignees = vec![somebody]);
            }
        });
        Some(format!("assigned {} items at once", items.len()))
    }
}

/// Tells whether an issue was written by people: an alert's severity is kept beside its text.
fn plain(project: &Project, iid: u64) -> bool {
    project.issues.get(&iid).is_some_and(|issue| issue.severity == "UNKNOWN")
}

fn state(project: &Project, kind: ItemKind, iid: u64) -> &'static str {
    let state = match kind {
        ItemKind::Issue => project.issues.get(&iid).map(crate::world::Issue::state),
        ItemKind::MergeRequest => {
            project.merge_requests.get(&iid).map(crate::world::MergeRequest::state)
        }
    };
    state.unwrap_or("gone")
}
