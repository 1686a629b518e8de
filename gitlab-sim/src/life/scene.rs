//! What a deed finds: the desk to write on, the world, and somebody or something picked by chance.

use super::Deed;
use crate::generator::{Desk, Draft, PEOPLE, Planned, Template};
use crate::truth::Ledger;
use crate::world::{ItemKind, ItemRef, Project, ProjectId, UserId, World};

/// How often another project or draft is tried.
const TRIES: usize = 20;

/// Everything that one step works with.
pub(super) struct Scene<'s> {
    pub(super) desk: &'s mut Desk,
    pub(super) world: &'s mut World,
    pub(super) ledger: &'s mut Ledger,
    /// The number of the step, which makes names unique.
    pub(super) number: u64,
}

impl Scene<'_> {
    /// Lets somebody be the one who acts, and returns who acted before.
    pub(super) fn enter(&mut self) -> UserId {
        let before = self.world.acting();
        let somebody = self.somebody();
        self.world.act_as(somebody);
        before
    }

    /// Does something, and says what; nothing when it cannot be done.
    pub(super) fn act(&mut self, deed: Deed) -> Option<String> {
        match deed {
            Deed::CreateIssue => self.create_issue(),
            Deed::CreateMergeRequest => self.create_merge_request(),
            Deed::EditTitle => self.edit_title(),
            Deed::EditDescription => self.edit_description(),
            Deed::Relabel => self.relabel(),
            Deed::Comment => self.comment(),
            Deed::EditComment => self.edit_comment(),
            Deed::DeleteComment => self.delete_comment(),
            Deed::Close => self.close(),
            Deed::Reopen => self.reopen(),
            Deed::Merge => self.merge(),
            Deed::Confide => self.confide(),
            Deed::MoveIssue => self.move_issue(),
            Deed::DeleteItem => self.delete_item(),
            Deed::BulkEdit => self.bulk_edit(),
            Deed::RenameLabel => self.rename_label(),
            Deed::DeleteLabel => self.delete_label(),
            Deed::CreateProject => self.create_project(),
            Deed::RenameProject => self.rename_project(),
            Deed::TransferProject => self.transfer_project(),
            Deed::ArchiveProject => self.archive_project(),
            Deed::HideProject => self.hide_project(),
            Deed::MarkProject => self.mark_project(),
            Deed::DeleteProject => self.delete_project(),
            Deed::RenameGroup => self.rename_group(),
            Deed::Retopic => self.retopic(),
            Deed::Expose => self.expose(),
            Deed::Admit => self.admit(),
            Deed::ChangeFiles => self.change_files(),
            Deed::RunPipeline => self.run_pipeline(),
        }
    }

    /// Picks one of some things.
    pub(super) fn one_of<T: Clone>(&mut self, things: &[T]) -> Option<T> {
        things.get(self.desk.dice.below(things.len())).cloned()
    }

    /// Picks a person.
    pub(super) fn somebody(&mut self) -> UserId {
        let name = self.desk.dice.pick(&PEOPLE);
        self.world.add_user(name)
    }

    /// Lists the planned projects that still lie in the group.
    pub(super) fn projects(&self) -> Vec<ProjectId> {
        let there = |id: &&ProjectId| {
            self.world.project(**id).is_some_and(|row| self.ledger.covers(self.world, row))
        };
        self.ledger.plans.keys().filter(there).copied().collect()
    }

    /// Picks a project.
    pub(super) fn project(&mut self) -> Option<ProjectId> {
        let projects = self.projects();
        self.one_of(&projects)
    }

    /// Picks a project that has the generator's templates, so that descriptions made of them are
    /// read as they are meant.
    pub(super) fn furnished(&mut self) -> Option<ProjectId> {
        let furnished = |id: &ProjectId| {
            self.world.project(*id).is_some_and(|row| {
                row.files.contains_key(Template::Bug.path())
                    && row.files.contains_key(Template::Incident.path())
                    && row.files.contains_key(Template::MergeRequest.path())
            })
        };
        let projects: Vec<ProjectId> = self.projects().into_iter().filter(furnished).collect();
        self.one_of(&projects)
    }

    /// Picks an item that passes.
    pub(super) fn item(
        &mut self,
        passes: impl Fn(&Project, ItemKind, u64) -> bool,
    ) -> Option<ItemRef> {
        (0..TRIES).find_map(|_| {
            let id = self.furnished()?;
            let project = self.world.project(id)?;
            let items: Vec<ItemRef> = project
                .items()
                .filter(|(kind, item)| passes(project, *kind, item.iid))
                .map(|(kind, item)| project.item_ref(kind, item.iid))
                .collect();
            self.one_of(&items)
        })
    }

    /// Returns how the people of a project write, with what it is called and holds by now.
    pub(super) fn planned(&self, project: ProjectId) -> Option<Planned> {
        let row = self.world.project(project)?;
        let mut planned = self.ledger.plans.get(&project)?.clone();
        row.full_path.clone_into(&mut planned.path);
        planned.issues = row.last_issue;
        planned.merge_requests = row.last_merge_request;
        Some(planned)
    }

    /// Writes a draft of an item of a number; no draft of an alert, unless it is new.
    pub(super) fn draft(&mut self, item: ItemRef) -> Option<Draft> {
        let planned = self.planned(item.project)?;
        self.look_around();
        match item.kind {
            ItemKind::Issue => (0..TRIES).find_map(|_| {
                let finished = self.desk.issue(&planned, item.iid);
                (finished.severity == "UNKNOWN").then_some(finished.draft)
            }),
            ItemKind::MergeRequest => Some(self.desk.merge_request(&planned, item.iid)),
        }
    }

    /// Looks which items may be mentioned now.
    pub(super) fn look_around(&mut self) {
        let targets = self.projects().into_iter().filter_map(|id| {
            let row = self.world.project(id)?;
            let some = row.last_issue + row.last_merge_request > 0 && !row.archived;
            some.then(|| (row.full_path.clone(), row.last_issue, row.last_merge_request))
        });
        self.desk.targets = targets.collect();
    }

    /// Returns the full reference of an item, for a line.
    pub(super) fn named(&self, item: ItemRef) -> String {
        self.world.reference(item).unwrap_or_else(|| format!("{item:?}"))
    }

    /// Returns the full path of a project, for a line.
    pub(super) fn path(&self, project: ProjectId) -> String {
        self.world
            .project(project)
            .map_or_else(|| format!("project {project}"), |row| row.full_path.clone())
    }
}
