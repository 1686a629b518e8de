//! What is done to labels, projects and groups.

use super::scene::Scene;
use crate::generator::{Codeowners, Draft, Planned, Writer, add_labels};
use crate::truth::{CODEOWNERS, match_key};
use crate::world::{
    AccessLevel, GroupId, ItemKind, LabelId, LabelOwner, NewPipeline, ProjectId, Visibility,
};

/// A template that says nothing which an item could repeat.
const HARMLESS: (&str, &str) =
    (".gitlab/issue_templates/Question.md", "## Question\n\n<!-- What do you want to know? -->\n");

impl Scene<'_> {
    /// Picks a label of the group or of a project in it.
    fn label(&mut self) -> Option<LabelId> {
        let covered = |owner: LabelOwner| match owner {
            LabelOwner::Group(_) => true,
            LabelOwner::Project(id) => self.ledger.plans.contains_key(&id),
        };
        let all = self.world.labels().filter(|label| covered(label.owner));
        let labels: Vec<LabelId> = all.map(|label| label.id).collect();
        self.one_of(&labels)
    }

    pub(super) fn rename_label(&mut self) -> Option<String> {
        let id = self.label()?;
        let project = self.project()?;
        let planned = self.planned(project)?;
        let mut draft = Draft::new(ItemKind::Issue, &planned.path, 0, "ann", String::new());
        let services = self.ledger.services();
        add_labels(&mut self.desk.dice, &mut draft, &planned, &services);
        let (owner, old) = {
            let label = self.world.label(id)?;
            (label.owner, label.title.clone())
        };
        let title = match self.one_of(&draft.label_tags) {
            Some((title, key, value)) => {
                self.ledger.mean_label(&title, key, &value);
                title
            }
            None => format!("plain {}", self.number),
        };
        if self.world.labels().any(|label| label.owner == owner && label.title == title) {
            return None;
        }
        self.world.rename_label(id, &title);
        Some(format!("renamed the label `{old}` to `{title}`"))
    }

    pub(super) fn delete_label(&mut self) -> Option<String> {
        let id = self.label()?;
        let title = self.world.label(id)?.title.clone();
        self.world.delete_label(id);
        Some(format!("deleted the label `{title}`"))
    }

    pub(super) fn create_project(&mut self) -> Option<String> {
        // Where nobody lives, nobody builds.
        self.project()?;
        let number = usize::try_from(self.number).ok()?;
        let planned = Planned::later(&mut self.desk.dice, number);
        if self.world.find_project(&planned.path).is_some() {
            return None;
        }
        let now = self.world.clock().now();
        let mut writer = Writer {
            desk: &mut *self.desk,
            world: &mut *self.world,
            ledger: &mut *self.ledger,
            now,
            bulk: now,
        };
        let id = writer.bare_project(&planned, now);
        writer.files(id, &planned);
        let line = format!("made the project {}", planned.path);
        self.ledger.plans.insert(id, planned);
        Some(line)
    }

    pub(super) fn rename_project(&mut self) -> Option<String> {
        let project = self.project()?;
        let services = self.ledger.services();
        // A project that is called after one service and lies at the name of another would divide
        // its readers.
        let free = !self.is_namesake(project);
        let path = if free && self.desk.dice.chance(25) {
            self.one_of(&services)?
        } else {
            format!("renamed-{}", self.number)
        };
        let old = self.path(project);
        let renamed = self.world.rename_project(project, &path);
        renamed.then(|| format!("renamed {old} to {}", self.path(project)))
    }

    /// Tells whether a project's name on display is that of a service that anything may speak of.
    fn is_namesake(&self, project: ProjectId) -> bool {
        let Some(name) = self.world.project(project).map(|row| match_key(&row.name)) else {
            return false;
        };
        let homes = self.ledger.plans.values().map(|plan| &plan.home);
        let services = self.ledger.services();
        services.iter().chain(homes).any(|service| match_key(service) == name)
    }

    pub(super) fn transfer_project(&mut self) -> Option<String> {
        let project = self.project()?;
        let group = self.subgroup()?;
        let group = self.world.group(group)?.full_path.clone();
        let old = self.path(project);
        let group =
            if self.desk.dice.chance(30) { format!("{group}/new-{}", self.number) } else { group };
        let moved = self.world.transfer_project(project, &group) && self.path(project) != old;
        moved.then(|| format!("moved {old} to {}", self.path(project)))
    }

    /// Picks a group below the top-level one.
    fn subgroup(&mut self) -> Option<GroupId> {
        let top = self.world.find_group(self.ledger.group_now(self.world))?.id;
        let below = |id: GroupId| id != top && self.world.is_within(id, top);
        let all = self.world.groups().map(|group| group.id).filter(|id| below(*id));
        let groups: Vec<GroupId> = all.collect();
        self.one_of(&groups)
    }

    pub(super) fn archive_project(&mut self) -> Option<String> {
        let project = self.project()?;
        let archived = !self.world.project(project)?.archived;
        self.world.archive(project, archived);
        Some(format!("archived {}: {archived}", self.path(project)))
    }

    pub(super) fn mark_project(&mut self) -> Option<String> {
        let project = self.project()?;
        let marked = self.world.project(project)?.marked_for_deletion_on.is_some();
        let path = self.path(project);
        if marked {
            self.world.restore_project(project);
            return Some(format!("took back the deletion of {path}"));
        }
        self.world.mark_for_deletion(project);
        Some(format!("marked {path} for deletion"))
    }

    /// Hides one project at a time.
    pub(super) fn hide_project(&mut self) -> Option<String> {
        let is_hidden = |id: &ProjectId| self.world.project(*id).is_some_and(|row| row.hidden);
        let hidden = self.projects().into_iter().find(is_hidden);
        let project = hidden.or_else(|| self.project())?;
        self.world.hide_project(project, hidden.is_none());
        Some(format!("hid {}: {}", self.path(project), hidden.is_none()))
    }

    pub(super) fn delete_project(&mut self) -> Option<String> {
        let project = self.project()?;
        let path = self.path(project);
        self.world.delete_project(project);
        self.ledger.prune(self.world);
        Some(format!("deleted the project {path}"))
    }

    pub(super) fn rename_group(&mut self) -> Option<String> {
        let group = self.subgroup()?;
        let old = self.world.group(group)?.full_path.clone();
        let path = format!("group-{}", self.number);
        let renamed = self.world.rename_group(group, &path);
        renamed.then(|| format!("renamed the group {old} to {path}"))
    }

    pub(super) fn retopic(&mut self) -> Option<String> {
        let project = self.project()?;
        let mut planned = self.planned(project)?;
        let services = self.ledger.services();
        planned.retopic(&mut self.desk.dice, &services);
        for (topic, key, value) in &planned.topic_tags {
            self.ledger.mean_topic(topic, key, value);
        }
        self.world.set_topics(project, &planned.topics);
        Some(format!("gave {} the topics {:?}", planned.path, planned.topics))
    }

    pub(super) fn expose(&mut self) -> Option<String> {
        let project = self.project()?;
        let all = [Visibility::Private, Visibility::Internal, Visibility::Public];
        let visibility = self.one_of(&all)?;
        self.world.set_visibility(project, visibility);
        Some(format!("made {} {visibility:?}", self.path(project)))
    }

    pub(super) fn admit(&mut self) -> Option<String> {
        let user = self.somebody();
        let level =
            self.one_of(&[AccessLevel::Guest, AccessLevel::Planner, AccessLevel::Reporter])?;
        let name = self.world.user(user)?.username.clone();
        if self.desk.dice.chance(50) {
            let group = self.subgroup()?;
            let path = self.world.group(group)?.full_path.clone();
            if self.world.remove_group_member(group, user) {
                return Some(format!("took {name} out of {path}"));
            }
            self.world.add_group_member(group, user, level);
            return Some(format!("made {name} {level:?} of {path}"));
        }
        let project = self.project()?;
        let path = self.path(project);
        if self.world.remove_project_member(project, user) {
            return Some(format!("took {name} out of {path}"));
        }
        self.world.add_project_member(project, user, level);
        Some(format!("made {name} {level:?} of {path}"))
    }

    pub(super) fn change_files(&mut self) -> Option<String> {
        let project = self.furnished()?;
        let path = self.path(project);
        match self.desk.dice.below(4) {
            0 => {
                let text = format!("# {path}\n\nWritten in step {}.\n", self.number);
                self.world.add_file(project, "README.md", text);
                Some(format!("changed README.md of {path}"))
            }
            1 => {
                let (file, text) = HARMLESS;
                if !self.world.delete_file(project, file) {
                    self.world.add_file(project, file, text);
                }
                Some(format!("added or removed {file} in {path}"))
            }
            2 => {
                let file = self.one_of(&CODEOWNERS)?;
                let deleted = self.world.delete_file(project, file);
                deleted.then(|| format!("deleted {file} of {path}"))
            }
            _ => {
                let planned = self.planned(project)?;
                let variant = self.desk.dice.below(3);
                let codeowners = Codeowners::of(variant, &planned.owners())?;
                codeowners.write(self.world, self.ledger, project);
                Some(format!("wrote CODEOWNERS of shape {variant} in {path}"))
            }
        }
    }

    pub(super) fn run_pipeline(&mut self) -> Option<String> {
        let project = self.furnished()?;
        let status = self.desk.dice.pick(&["success", "failed", "running", "canceled"]);
        let mut pipeline = NewPipeline::new(status);
        if self.desk.dice.chance(30) {
            pipeline = pipeline.branch("feature/next");
        }
        let id = self.world.add_pipeline(project, pipeline);
        Some(format!("ran pipeline {id} of {}: {status}", self.path(project)))
    }
}
