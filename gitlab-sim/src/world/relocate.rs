//! Changes that move things away: issues to other projects, projects and groups out of sight.
//!
//! As on GitLab an issue that moves becomes another issue, with another id, and the old one stays
//! behind, closed. A project that is hidden, because it is being deleted or by an administrator,
//! is there for nobody.

use std::collections::BTreeMap;

use super::entity::LabelOwner;
use super::event::{Action, PlaceChange};
use super::id::{GroupId, ItemRef, LabelId, ProjectId, UserId};
use super::new::NewNote;
use super::{Place, World, next};

impl World {
    /// Moves an issue to another project and returns the new one, or nothing when there is no such
    /// issue or project, when it is there already, or was moved before. The new issue has the
    /// texts, the notes and those labels that the target knows by the same title; the old one is
    /// closed and names it. Both get a system note.
    pub fn move_issue(
        &mut self,
        project: ProjectId,
        iid: u64,
        target: ProjectId,
    ) -> Option<ItemRef> {
        let old = self.issue(project, iid).filter(|issue| issue.moved_to.is_none())?;
        if project == target || self.project(target).is_none() {
            return None;
        }
        let mut new = old.clone();
        let from = self.reference(ItemRef::issue(project, iid))?;
        let now = self.clock.now();
        let titles: Vec<String> =
            self.label_titles(&new.item.labels).into_iter().map(str::to_owned).collect();
        new.item.labels =
            titles.iter().filter_map(|title| self.find_label(target, title)).collect();
        for note in &mut new.item.notes {
            note.id = next(&mut self.last.note);
        }
        new.item.history.renumber(|| next(&mut self.last.event));
        new.item.id = next(&mut self.last.issue);
        new.item.iid = next(&mut self.projects.get_mut(&target)?.last_issue);
        new.item.updated_at = now;
        // Milestones of groups go with it, those of the project stay behind.
        new.item.milestone = new.item.milestone.filter(|id| self.reaches_milestone(target, *id));
        let (id, moved) = (new.item.id, ItemRef::issue(target, new.item.iid));
        self.insert_issue(target, new);
        let to = self.reference(moved)?;
        let by = self.acting;
        self.write_issue(project, iid, Action::Close, |row| {
            row.moved_to = Some(id);
            row.item.closed_at.get_or_insert(now);
            row.item.closed_by.get_or_insert(by);
        });
        let author = self.user(by).map_or_else(String::new, |user| user.username.clone());
        let note = |body: String| NewNote::new(&body).author(&author).system();
        self.add_note(ItemRef::issue(project, iid), note(format!("moved to {to}")));
        self.add_note(moved, note(format!("moved from {from}")));
        Some(moved)
    }

    /// Replaces those to whom an item is assigned.
    pub fn assign(&mut self, item: ItemRef, users: Vec<UserId>) -> bool {
        self.edit(item, |row| row.assignees = users)
    }

    /// Hides a project from everybody, or shows it again. It is 404 at once; nothing in it changes.
    pub fn hide_project(&mut self, project: ProjectId, hidden: bool) -> bool {
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        row.hidden = hidden;
        true
    }

    /// Takes back the mark for deletion.
    pub fn restore_project(&mut self, project: ProjectId) -> bool {
        let now = self.clock.now();
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        row.marked_for_deletion_on = None;
        row.updated_at = now;
        self.emit_project(project, PlaceChange::Updated);
        true
    }

    /// Marks a group for deletion, or takes that back. It stays readable.
    pub fn mark_group_for_deletion(&mut self, group: GroupId, marked: bool) -> bool {
        let today = self.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let Some(row) = self.groups.get_mut(&group) else {
            return false;
        };
        row.marked_for_deletion_on = marked.then_some(today);
        true
    }

    /// Deletes a group with everything below it: groups, projects, labels.
    pub fn delete_group(&mut self, group: GroupId) -> bool {
        if self.group(group).is_none() {
            return false;
        }
        let below: Vec<GroupId> =
            self.groups.keys().copied().filter(|id| self.is_within(*id, group)).collect();
        let projects: Vec<ProjectId> = self
            .projects
            .values()
            .filter(|row| below.contains(&row.group))
            .map(|row| row.id)
            .collect();
        for project in projects {
            self.delete_project(project);
        }
        for id in below.iter().rev() {
            self.emit_group(*id, PlaceChange::Destroyed);
        }
        for id in &below {
            if let Some(row) = self.groups.remove(id) {
                self.paths.remove(&row.full_path.to_lowercase());
            }
        }
        self.forget_labels(&below);
        self.forget_milestones();
        true
    }

    /// Drops the labels of groups that are gone.
    fn forget_labels(&mut self, groups: &[GroupId]) {
        let of = |owner: LabelOwner| matches!(owner, LabelOwner::Group(id) if groups.contains(&id));
        self.labels.retain(|_, label| !of(label.owner));
        self.titles.retain(|(owner, _), _| !of(*owner));
    }

    /// Moves a group, with everything below it, into another or to the top. Paths of projects
    /// redirect, paths of groups do not. Returns false when the new path is taken, or lies below
    /// the group itself.
    pub fn transfer_group(&mut self, group: GroupId, parent: Option<GroupId>) -> bool {
        let Some(row) = self.group(group) else {
            return false;
        };
        if parent.is_some_and(|parent| self.is_within(parent, group)) {
            return false;
        }
        let (path, old) = (row.path.clone(), row.full_path.clone());
        let new = match parent.map(|parent| self.group(parent)) {
            Some(None) => return false,
            Some(Some(parent)) => format!("{}/{path}", parent.full_path),
            None => path.clone(),
        };
        if self.paths.contains_key(&new.to_lowercase()) {
            return false;
        }
        // The members of the old parent lose it, those of the new one gain it; the bot keeps its
        // sight, which at the top comes from a membership of its own.
        let bot = (self.bot, super::AccessLevel::Reporter);
        if let Some(row) = self.groups.get_mut(&group) {
            row.parent = parent;
            if parent.is_none() {
                row.members.entry(bot.0).or_insert(bot.1);
            }
        }
        self.paths.remove(&old.to_lowercase());
        let renamed = self.rename_group_to(group, &old, &new);
        self.emit_group(group, PlaceChange::Renamed { old });
        renamed
    }

    /// Gives a group and everything below it paths that begin otherwise.
    fn rename_group_to(&mut self, group: GroupId, old: &str, new: &str) -> bool {
        let below: Vec<GroupId> =
            self.groups.keys().copied().filter(|id| self.is_within(*id, group)).collect();
        for id in &below {
            let Some(row) = self.groups.get_mut(id) else {
                continue;
            };
            let before = row.full_path.to_lowercase();
            row.full_path = format!("{new}{}", &row.full_path[old.len()..]);
            let after = row.full_path.to_lowercase();
            self.paths.remove(&before);
            self.paths.insert(after, Place::Group(*id));
        }
        self.renew_full_names(&below);
        let projects: Vec<(ProjectId, GroupId, String)> = self
            .projects
            .values()
            .filter(|row| below.contains(&row.group))
            .map(|row| (row.id, row.group, row.path.clone()))
            .collect();
        projects.into_iter().fold(true, |all, (project, group, path)| {
            self.place_project(project, group, &path) && all
        })
    }

    /// Joins the names on display of groups with those of their ancestors again.
    fn renew_full_names(&mut self, groups: &[GroupId]) {
        let names: BTreeMap<GroupId, String> = groups
            .iter()
            .map(|id| {
                let mut names: Vec<&str> =
                    self.lineage(*id).map(|group| group.name.as_str()).collect();
                names.reverse();
                (*id, names.join(" / "))
            })
            .collect();
        for (id, name) in names {
            if let Some(row) = self.groups.get_mut(&id) {
                row.full_name = name;
            }
        }
    }

    /// Sets the name on display and the description of a group; what is not given stays.
    pub fn describe_group(
        &mut self,
        group: GroupId,
        name: Option<&str>,
        description: Option<&str>,
    ) -> bool {
        let Some(row) = self.groups.get_mut(&group) else {
            return false;
        };
        if let Some(description) = description {
            description.clone_into(&mut row.description);
        }
        if let Some(name) = name {
            name.clone_into(&mut row.name);
            let below: Vec<GroupId> =
                self.groups.keys().copied().filter(|id| self.is_within(*id, group)).collect();
            self.renew_full_names(&below);
        }
        true
    }

    /// Sets the name on display and the description of a project; what is not given stays.
    pub fn describe_project(
        &mut self,
        project: ProjectId,
        name: Option<&str>,
        description: Option<&str>,
    ) -> bool {
        let now = self.clock.now();
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        if let Some(name) = name {
            name.clone_into(&mut row.name);
        }
        if let Some(description) = description {
            description.clone_into(&mut row.description);
        }
        row.updated_at = now;
        self.emit_project(project, PlaceChange::Updated);
        true
    }

    /// Sets the colour and the description of a label; what is not given stays. No item is touched.
    pub fn describe_label(
        &mut self,
        label: LabelId,
        color: Option<&str>,
        description: Option<&str>,
    ) -> bool {
        let Some(row) = self.labels.get_mut(&label) else {
            return false;
        };
        if let Some(color) = color {
            color.clone_into(&mut row.color);
        }
        if let Some(description) = description {
            row.description = Some(description.to_owned());
        }
        true
    }

    /// Gives a pipeline another status and moves its `updated_at`. Returns false when there is no
    /// such pipeline.
    pub fn set_pipeline_status(&mut self, project: ProjectId, id: u64, status: &str) -> bool {
        let now = self.clock.now();
        let Some(row) = self
            .projects
            .get_mut(&project)
            .and_then(|row| row.pipelines.iter_mut().find(|row| row.id == id))
        else {
            return false;
        };
        status.clone_into(&mut row.status);
        row.updated_at = now;
        let pipeline = Box::new(row.clone());
        self.emit(|_| Some(super::Change::Pipeline { project, pipeline }));
        true
    }

    /// Returns who does what is done at present.
    pub fn acting(&self) -> UserId {
        self.acting
    }

    /// Lists the forks of a project by their ids.
    pub fn forks(&self, project: ProjectId) -> impl Iterator<Item = &super::Project> {
        // Lists of projects ask this for every row, and few instances have any fork.
        let all = self.has_forks.then(|| self.projects());
        all.into_iter().flatten().filter(move |row| row.forked_from == Some(project))
    }

    /// Tells whether a path belongs to a group or project.
    pub fn is_taken(&self, full_path: &str) -> bool {
        self.paths.contains_key(&full_path.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ItemKind, NewIssue, NewProject};
    use super::*;
    use crate::Clock;

    fn world() -> (World, ProjectId, ProjectId) {
        let mut world = World::with_clock(Clock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let shop = world.add_project(NewProject::at("acme/shop/web"));
        let other = world.add_project(NewProject::at("acme/pay/api"));
        (world, shop, other)
    }

    #[test]
    fn a_moved_issue_is_another_issue_and_the_old_one_names_it() {
        let (mut world, shop, other) = world();
        let iid = world.add_issue(shop, NewIssue::new("Slow").labels(["bug"]));
        world.add_label(LabelOwner::Project(shop), "only here");
        world.relabel(ItemRef::issue(shop, iid), ["bug", "only here"]);
        world.add_note(ItemRef::issue(shop, iid), NewNote::new("see INC-1"));
        let old_id = world.issue(shop, iid).unwrap().item.id;
        let moved = world.move_issue(shop, iid, other).unwrap();
        assert_eq!((moved.project, moved.kind), (other, ItemKind::Issue));
        let old = world.issue(shop, iid).unwrap();
        let new = world.issue(other, moved.iid).unwrap();
        assert_ne!(new.item.id, old_id);
        assert_eq!(old.moved_to, Some(new.item.id));
        assert_eq!((old.state(), new.state()), ("closed", "opened"));
        assert_eq!(world.label_titles(&new.item.labels), ["bug"]);
        let bodies: Vec<&str> = new.item.notes.iter().map(|note| note.body.as_str()).collect();
        assert_eq!(bodies, ["see INC-1", "moved from acme/shop/web#1"]);
        assert_ne!(new.item.notes[0].id, old.item.notes[0].id);
        assert_eq!(old.item.notes[1].body, "moved to acme/pay/api#1");
        assert!(world.move_issue(shop, iid, other).is_none(), "it moves only once");
    }

    #[test]
    fn a_group_moves_with_everything_below_it() {
        let (mut world, shop, _) = world();
        let group = world.find_group("acme/shop").unwrap().id;
        let pay = world.find_group("acme/pay").unwrap().id;
        assert!(world.transfer_group(group, Some(pay)));
        assert_eq!(world.project(shop).unwrap().full_path, "acme/pay/shop/web");
        assert!(world.find_group("acme/shop").is_none());
        assert_eq!(world.find_moved_project("acme/shop/web").unwrap().id, shop);
        assert_eq!(world.group(group).unwrap().full_name, "Acme / Pay / Shop");
        assert!(!world.transfer_group(pay, Some(group)), "not below itself");
        assert!(world.delete_group(pay));
        assert!(world.project(shop).is_none() && world.group(group).is_none());
        assert!(!world.is_taken("acme/pay/shop/web"));
    }
}
