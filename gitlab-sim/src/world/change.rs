//! Changes of the world, with GitLab's side effects on times and paths.
//!
//! What does not move `updated_at` on GitLab does not move it here: renaming a label, renaming or
//! moving a project, deleting anything.

use super::entity::{Item, LabelOwner, MergeRequest, Project, Visibility};
use super::event::{Action, Change, PlaceChange, Touched};
use super::id::{GroupId, ItemRef, LabelId, ProjectId, UserId};
use super::{Place, World};

impl Project {
    /// Returns the name of the head commit of the default branch.
    pub fn head(&self) -> String {
        crate::hash::hex40(&format!("{}:{}", self.id, self.revision))
    }
}

impl MergeRequest {
    /// Returns the name of the last commit of the source branch.
    pub(crate) fn head(&self, project: ProjectId) -> String {
        crate::hash::hex40_of([project.get(), self.item.iid, 1])
    }

    /// Returns the name of the commit that merged it, if it is merged.
    pub(crate) fn merge_commit(&self, project: ProjectId) -> Option<String> {
        self.merged_at.map(|_| crate::hash::hex40_of([project.get(), self.item.iid, 2]))
    }
}

impl World {
    /// Edits what issues and merge requests have in common, and moves `updated_at`. Returns false
    /// when there is no such item.
    pub fn edit(&mut self, item: ItemRef, edit: impl FnOnce(&mut Item)) -> bool {
        self.write_item(item, Action::Update, edit)
    }

    /// Replaces the labels of an item by titles. Missing labels are made in the top-level group.
    pub fn relabel<T: AsRef<str>>(
        &mut self,
        item: ItemRef,
        titles: impl IntoIterator<Item = T>,
    ) -> bool {
        let titles: Vec<String> =
            titles.into_iter().map(|title| title.as_ref().to_owned()).collect();
        if self.newest(item).is_none() {
            return false;
        }
        let labels = self.label_ids(item.project, &titles, false);
        self.edit(item, |row| row.labels = labels)
    }

    /// Closes an item.
    pub fn close(&mut self, item: ItemRef, by: UserId) -> bool {
        let now = self.clock.now();
        self.write_item(item, Action::Close, |row| {
            row.closed_at = Some(now);
            row.closed_by = Some(by);
        })
    }

    /// Opens an item again.
    pub fn reopen(&mut self, item: ItemRef) -> bool {
        self.write_item(item, Action::Reopen, |row| {
            row.closed_at = None;
            row.closed_by = None;
        })
    }

    /// Merges a merge request. The issues that it closes are closed with it.
    pub fn merge(&mut self, project: ProjectId, iid: u64, by: UserId) -> bool {
        let now = self.clock.now();
        let merged = self.write_merge_request(project, iid, Action::Merge, |row| {
            row.merged_at = Some(now);
            row.merge_user = Some(by);
        });
        if merged {
            self.close_by_merge(ItemRef::merge_request(project, iid), by);
        }
        merged
    }

    /// Makes an issue confidential, or visible again.
    pub fn set_confidential(&mut self, project: ProjectId, iid: u64, confidential: bool) -> bool {
        self.write_issue(project, iid, Action::Update, |row| row.confidential = confidential)
    }

    /// Deletes an item without a trace.
    pub fn delete_item(&mut self, item: ItemRef) -> bool {
        self.remove_item(item)
    }

    /// Edits the text of a note. The item is touched as for a new note.
    pub fn edit_note(&mut self, item: ItemRef, note: u64, body: &str) -> bool {
        let now = self.clock.now();
        let edited = self.write_quietly(item, |row| {
            let note = row.notes.iter_mut().find(|row| row.id == note)?;
            body.clone_into(&mut note.body);
            note.updated_at = now;
            Some(Box::new(note.clone()))
        });
        let Some(note) = edited.flatten() else {
            return false;
        };
        self.touch_throttled(item);
        let author = note.author;
        let person = !note.system;
        self.emit(|_| person.then_some(Change::Note { item, note, edited: true }));
        if person {
            self.remember_numbers(item, body);
            self.mention_in(item, body, author);
        }
        true
    }

    /// Deletes a note. The item is not touched.
    pub fn delete_note(&mut self, item: ItemRef, note: u64) -> bool {
        self.write_quietly(item, |row| {
            let before = row.notes.len();
            row.notes.retain(|row| row.id != note);
            row.notes.len() < before
        })
        .unwrap_or(false)
    }

    /// Renames a label everywhere. No item is touched.
    pub fn rename_label(&mut self, label: LabelId, title: &str) -> bool {
        let Some(row) = self.labels.get_mut(&label) else {
            return false;
        };
        self.titles.remove(&(row.owner, row.title.clone()));
        title.clone_into(&mut row.title);
        self.titles.insert((row.owner, title.to_owned()), label);
        true
    }

    /// Deletes a label and takes it from every item. No item is touched.
    pub fn delete_label(&mut self, label: LabelId) -> bool {
        let Some(row) = self.labels.remove(&label) else {
            return false;
        };
        self.titles.remove(&(row.owner, row.title));
        for project in self.projects.values_mut() {
            let issues = project.issues.values_mut().map(|issue| &mut issue.item);
            let merge_requests = project.merge_requests.values_mut().map(|row| &mut row.item);
            for item in issues.chain(merge_requests) {
                item.labels.retain(|id| *id != label);
            }
        }
        true
    }

    /// Removes a file of the default branch.
    pub fn delete_file(&mut self, project: ProjectId, path: &str) -> bool {
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        let before = row.head();
        if row.files.remove(path).is_none() {
            return false;
        }
        row.revision += 1;
        self.emit_push(project, before, Touched::Removed(path.to_owned()));
        true
    }

    /// Replaces the topics of a project.
    pub fn set_topics<T: AsRef<str>>(
        &mut self,
        project: ProjectId,
        topics: impl IntoIterator<Item = T>,
    ) -> bool {
        let topics = topics.into_iter().map(|topic| topic.as_ref().to_owned()).collect();
        self.update_project(project, |row| row.topics = topics)
    }

    /// Sets who may see a project.
    pub fn set_visibility(&mut self, project: ProjectId, visibility: Visibility) -> bool {
        self.update_project(project, |row| row.visibility = visibility)
    }

    /// Archives a project, or takes it back.
    pub fn archive(&mut self, project: ProjectId, archived: bool) -> bool {
        self.update_project(project, |row| row.archived = archived)
    }

    /// Marks a project for deletion. It stays readable.
    pub fn mark_for_deletion(&mut self, project: ProjectId) -> bool {
        let today = self.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        self.update_project(project, |row| row.marked_for_deletion_on = Some(today))
    }

    fn update_project(&mut self, project: ProjectId, update: impl FnOnce(&mut Project)) -> bool {
        let now = self.clock.now();
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        update(row);
        row.updated_at = now;
        self.emit_project(project, PlaceChange::Updated);
        true
    }

    /// Deletes a project with all that is in it, and its labels.
    pub fn delete_project(&mut self, project: ProjectId) -> bool {
        self.emit_project(project, PlaceChange::Destroyed);
        let Some(row) = self.projects.remove(&project) else {
            return false;
        };
        self.indexes.forget(project);
        self.paths.remove(&row.full_path.to_lowercase());
        self.former_paths.retain(|_, id| *id != project);
        let owner = LabelOwner::Project(project);
        self.labels.retain(|_, label| label.owner != owner);
        self.titles.retain(|(of, _), _| *of != owner);
        self.forget_milestones();
        true
    }

    /// Renames a project: its old path redirects. Returns false when the new path is taken.
    pub fn rename_project(&mut self, project: ProjectId, path: &str) -> bool {
        let Some(row) = self.project(project) else {
            return false;
        };
        let (group, old) = (row.group, row.full_path.clone());
        let placed = self.place_project(project, group, path);
        if placed {
            self.emit_project(project, PlaceChange::Renamed { old });
        }
        placed
    }

    /// Moves a project to another group, which is made if missing: its old path redirects. Items
    /// keep their labels; those of the old groups are copied into the project.
    pub fn transfer_project(&mut self, project: ProjectId, group: &str) -> bool {
        let Some(row) = self.project(project) else {
            return false;
        };
        let (path, old) = (row.path.clone(), row.full_path.clone());
        let group = self.add_group(group);
        if !self.place_project(project, group, &path) {
            return false;
        }
        self.keep_labels(project);
        self.emit_project(project, PlaceChange::Transferred { old });
        true
    }

    pub(super) fn place_project(&mut self, project: ProjectId, group: GroupId, path: &str) -> bool {
        let Some(parent) = self.group(group).map(|group| group.full_path.clone()) else {
            return false;
        };
        let full_path = format!("{parent}/{path}");
        let key = full_path.to_lowercase();
        if self.paths.get(&key).is_some_and(|place| *place != Place::Project(project)) {
            return false;
        }
        let now = self.clock.now();
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        let old = std::mem::replace(&mut row.full_path, full_path).to_lowercase();
        path.clone_into(&mut row.path);
        row.group = group;
        row.updated_at = now;
        self.move_path(&old, key, project);
        true
    }

    fn move_path(&mut self, old: &str, new: String, project: ProjectId) {
        self.paths.remove(old);
        self.former_paths.insert(old.to_owned(), project);
        self.former_paths.remove(&new);
        self.paths.insert(new, Place::Project(project));
    }

    /// Copies group labels that the project no longer reaches into the project.
    fn keep_labels(&mut self, project: ProjectId) {
        let Some(row) = self.project(project) else {
            return;
        };
        let group = row.group;
        let used: Vec<LabelId> = row
            .issues
            .values()
            .map(|issue| &issue.item)
            .chain(row.merge_requests.values().map(|row| &row.item))
            .flat_map(|item| item.labels.iter().copied())
            .collect();
        for label in used {
            let Some(row) = self.label(label) else {
                continue;
            };
            let LabelOwner::Group(owner) = row.owner else {
                continue;
            };
            if self.is_within(group, owner) {
                continue;
            }
            let title = row.title.clone();
            let copy = self
                .find_label(project, &title)
                .unwrap_or_else(|| self.add_label(LabelOwner::Project(project), &title));
            let Some(row) = self.projects.get_mut(&project) else {
                return;
            };
            let issues = row.issues.values_mut().map(|issue| &mut issue.item);
            let merge_requests = row.merge_requests.values_mut().map(|row| &mut row.item);
            for item in issues.chain(merge_requests) {
                for id in item.labels.iter_mut().filter(|id| **id == label) {
                    *id = copy;
                }
            }
        }
    }

    /// Renames a group: its own path and those below it change. Paths of projects redirect,
    /// paths of groups do not. Returns false when the new path is taken.
    pub fn rename_group(&mut self, group: GroupId, path: &str) -> bool {
        let Some(row) = self.group(group) else {
            return false;
        };
        let old = row.full_path.clone();
        let new = match old.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/{path}"),
            None => path.to_owned(),
        };
        if self.paths.contains_key(&new.to_lowercase()) {
            return false;
        }
        if let Some(row) = self.groups.get_mut(&group) {
            path.clone_into(&mut row.path);
        }
        let below: Vec<GroupId> =
            self.groups.keys().copied().filter(|id| self.is_within(*id, group)).collect();
        for id in &below {
            let Some(row) = self.groups.get_mut(id) else {
                continue;
            };
            let before = row.full_path.clone();
            row.full_path = format!("{new}{}", &before[old.len()..]);
            self.paths.remove(&before.to_lowercase());
            self.paths.insert(row.full_path.to_lowercase(), Place::Group(*id));
        }
        let projects: Vec<(ProjectId, GroupId, String)> = self
            .projects
            .values()
            .filter(|row| below.contains(&row.group))
            .map(|row| (row.id, row.group, row.path.clone()))
            .collect();
        for (project, group, path) in projects {
            self.place_project(project, group, &path);
        }
        self.emit_group(group, PlaceChange::Renamed { old });
        true
    }
}
