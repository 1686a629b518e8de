//! Adds things to the world: by hand in small tests, by the generator in large ones.
//!
//! Groups are made on the way, as `mkdir -p` does, and so are users and labels that are named for
//! the first time. Whatever is not said gets a believable default; times default to the clock.

use std::collections::BTreeMap;

use super::entity::{
    AccessLevel, Group, Issue, Item, Label, LabelOwner, MergeRequest, Note, Project, User,
    Visibility,
};
use super::event::{Change, MemberOf, PlaceChange};
use super::history::History;
use super::id::{GroupId, ItemKind, ItemRef, LabelId, ProjectId, UserId};
use super::new::{NewIssue, NewItem, NewMergeRequest, NewNote, NewProject};
use super::rows::Rows;
use super::{Place, Text, World, next};

/// The colours that new labels get in turn.
const COLORS: [&str; 6] = ["#1f75cb", "#cd2026", "#0e7b4a", "#e9be74", "#6e49cb", "#00b140"];

impl World {
    /// Adds a user, or finds the one of that name.
    pub fn add_user(&mut self, username: &str) -> UserId {
        if let Some(user) = self.find_user(username) {
            return user.id;
        }
        let id = UserId::new(next(&mut self.last.user));
        let name = capitalised(username);
        let created_at = self.clock.now();
        let username = username.to_owned();
        self.users.insert(User { id, username, name, bot: false, admin: false, created_at });
        self.emit(|_| Some(Change::User { user: id }));
        id
    }

    /// Makes a user an administrator, or takes that away.
    pub fn set_admin(&mut self, user: UserId, admin: bool) {
        if let Some(user) = self.users.get_mut(&user) {
            user.admin = admin;
        }
    }

    /// Adds a group and its missing ancestors, or finds it. New groups are private.
    pub fn add_group(&mut self, full_path: &str) -> GroupId {
        if let Some(group) = self.find_group(full_path) {
            return group.id;
        }
        let (parent, path) = match full_path.rsplit_once('/') {
            Some((parent, path)) => (Some(self.add_group(parent)), path),
            None => (None, full_path),
        };
        let id = GroupId::new(next(&mut self.last.group));
        let mut members = BTreeMap::new();
        if parent.is_none() {
            members.insert(self.bot, AccessLevel::Reporter);
        }
        let name = capitalised(path);
        let full_name = match parent.and_then(|parent| self.group(parent)) {
            Some(parent) => format!("{} / {name}", parent.full_name),
            None => name.clone(),
        };
        self.groups.insert(
            id,
            Group {
                id,
                parent,
                path: path.to_owned(),
                name,
                full_path: full_path.to_owned(),
                full_name,
                description: String::new(),
                visibility: Visibility::Private,
                created_at: self.clock.now(),
                members,
                marked_for_deletion_on: None,
            },
        );
        self.paths.insert(full_path.to_lowercase(), Place::Group(id));
        self.emit_group(id, PlaceChange::Created);
        id
    }

    /// Sets who may see a group.
    pub fn set_group_visibility(&mut self, group: GroupId, visibility: Visibility) {
        if let Some(group) = self.groups.get_mut(&group) {
            group.visibility = visibility;
        }
    }

    /// Gives a user a role in a group and everything below it.
    pub fn add_group_member(&mut self, group: GroupId, user: UserId, level: AccessLevel) {
        if let Some(row) = self.groups.get_mut(&group) {
            let before = row.members.insert(user, level);
            self.emit(|_| {
                let of = MemberOf::Group(group);
                Some(Change::Member { of, user, level: Some(level), before })
            });
        }
    }

    /// Ends a user's membership of a group.
    pub fn remove_group_member(&mut self, group: GroupId, user: UserId) -> bool {
        let before = self.groups.get_mut(&group).and_then(|row| row.members.remove(&user));
        if before.is_some() {
            let of = MemberOf::Group(group);
            self.emit(|_| Some(Change::Member { of, user, level: None, before }));
        }
        before.is_some()
    }

    /// Gives a user a role in a project.
    pub fn add_project_member(&mut self, project: ProjectId, user: UserId, level: AccessLevel) {
        if let Some(row) = self.projects.get_mut(&project) {
            let before = row.members.insert(user, level);
            self.emit(|_| {
                let of = MemberOf::Project(project);
                Some(Change::Member { of, user, level: Some(level), before })
            });
        }
    }

    /// Ends a user's membership of a project.
    pub fn remove_project_member(&mut self, project: ProjectId, user: UserId) -> bool {
        let before = self.projects.get_mut(&project).and_then(|row| row.members.remove(&user));
        if before.is_some() {
            let of = MemberOf::Project(project);
            self.emit(|_| Some(Change::Member { of, user, level: None, before }));
        }
        before.is_some()
    }

    /// Adds a project and its missing groups, or finds the one at that path.
    pub fn add_project(&mut self, new: NewProject) -> ProjectId {
        let full_path = format!("{}/{}", new.group, new.path);
        if let Some(project) = self.find_project(&full_path) {
            return project.id;
        }
        let group = self.add_group(&new.group);
        let id = ProjectId::new(next(&mut self.last.project));
        let created_at = new.created_at.unwrap_or_else(|| self.clock.now());
        let forked_from = new.forked_from.filter(|origin| self.project(*origin).is_some());
        self.has_forks |= forked_from.is_some();
        self.paths.insert(full_path.to_lowercase(), Place::Project(id));
        self.former_paths.remove(&full_path.to_lowercase());
        self.projects.insert(Project {
            id,
            group,
            name: new.name.unwrap_or_else(|| new.path.clone()),
            path: new.path,
            full_path,
            description: new.description,
            visibility: new.visibility,
            topics: new.topics,
            archived: new.archived,
            hidden: false,
            created_at,
            updated_at: created_at,
            last_activity_at: created_at,
            loses_activity: false,
            marked_for_deletion_on: None,
            creator: self.bot,
            members: BTreeMap::new(),
            default_branch: new.default_branch,
            files: BTreeMap::new(),
            revision: 0,
            forked_from,
            external_tracker: None,
            issues_template: None,
            merge_requests_template: None,
            issues: Rows::default(),
            merge_requests: Rows::default(),
            pipelines: Vec::new(),
            releases: Vec::new(),
            tags: Vec::new(),
            approval_rules: Vec::new(),
            last_issue: 0,
            last_merge_request: 0,
        });
        self.emit_project(id, PlaceChange::Created);
        id
    }

    /// Adds a label, or finds the one of that title in the same place.
    pub fn add_label(&mut self, owner: LabelOwner, title: &str) -> LabelId {
        if let Some(id) = self.titles.get(&(owner, title.to_owned())) {
            return *id;
        }
        let number = next(&mut self.last.label);
        let id = LabelId::new(number);
        let index = usize::try_from(number).unwrap_or(0) % COLORS.len();
        self.labels.insert(
            id,
            Label {
                id,
                owner,
                title: title.to_owned(),
                description: None,
                color: COLORS[index].to_owned(),
            },
        );
        self.titles.insert((owner, title.to_owned()), id);
        id
    }

    /// Finds the label that an item of the project would get by this title: the project's own, or
    /// that of the nearest group.
    pub fn find_label(&self, project: ProjectId, title: &str) -> Option<LabelId> {
        let group = self.project(project)?.group;
        let owners = std::iter::once(LabelOwner::Project(project))
            .chain(self.lineage(group).map(|group| LabelOwner::Group(group.id)));
        let mut key = (LabelOwner::Project(project), title.to_owned());
        for owner in owners {
            key.0 = owner;
            if let Some(id) = self.titles.get(&key) {
                return Some(*id);
            }
        }
        None
    }

    pub(super) fn label_ids(
        &mut self,
        project: ProjectId,
        titles: &[String],
        in_project: bool,
    ) -> Vec<LabelId> {
        let mut ids = Vec::with_capacity(titles.len());
        for title in titles {
            let id = self.find_label(project, title).unwrap_or_else(|| {
                let top = self
                    .project(project)
                    .and_then(|project| self.lineage(project.group).last())
                    .map(|group| LabelOwner::Group(group.id))
                    .filter(|_| !in_project);
                self.add_label(top.unwrap_or(LabelOwner::Project(project)), title)
            });
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Adds an issue and returns its number. In a project that does not exist nothing is added
    /// and the number is 0.
    pub fn add_issue(&mut self, project: ProjectId, new: NewIssue) -> u64 {
        let live = new.item.is_live();
        let Some(item) = self.make_item(project, ItemKind::Issue, new.item) else {
            return 0;
        };
        let iid = item.iid;
        let issue = Issue {
            item,
            issue_type: new.issue_type,
            confidential: new.confidential,
            severity: new.severity.to_owned(),
            moved_to: None,
        };
        self.insert_issue(project, issue);
        if live {
            self.leave_first_traces(ItemRef::issue(project, iid));
        }
        iid
    }

    /// Adds a merge request and returns its number. In a project that does not exist nothing is
    /// added and the number is 0.
    pub fn add_merge_request(&mut self, project: ProjectId, new: NewMergeRequest) -> u64 {
        let live = new.item.is_live() && new.merged_at.is_none();
        let Some(mut item) = self.make_item(project, ItemKind::MergeRequest, new.item) else {
            return 0;
        };
        if new.merged_at.is_some() {
            item.closed_by = None;
            item.closed_at = None;
        }
        let iid = item.iid;
        let merge_user = new.merged_at.map(|_| item.author);
        let default = self.project(project).map(|row| row.default_branch.clone());
        let target_branch = new.target_branch.or(default).unwrap_or_default();
        let row = MergeRequest {
            item,
            source_project: new.source_project.filter(|source| *source != project),
            reviewers: Vec::new(),
            source_branch: new.source_branch,
            target_branch,
            merged_at: new.merged_at,
            merge_user,
        };
        self.insert_merge_request(project, row);
        if live {
            self.leave_first_traces(ItemRef::merge_request(project, iid));
        }
        iid
    }

    fn make_item(&mut self, project: ProjectId, kind: ItemKind, new: NewItem) -> Option<Item> {
        self.project(project)?;
        let labels = self.label_ids(project, &new.labels, new.project_labels);
        let author = self.author(new.author.as_deref());
        let now = self.clock.now();
        let created_at = new.created_at.or(new.updated_at).unwrap_or(now);
        let updated_at = new.updated_at.or(new.closed_at).unwrap_or(created_at);
        let row = self.projects.get_mut(&project)?;
        row.note_activity(updated_at);
        let (id, iid) = match kind {
            ItemKind::Issue => (next(&mut self.last.issue), next(&mut row.last_issue)),
            ItemKind::MergeRequest => {
                (next(&mut self.last.merge_request), next(&mut row.last_merge_request))
            }
        };
        Some(Item {
            id,
            iid,
            title: new.title,
            description: new.description.map(Text::from),
            labels,
            author,
            assignees: Vec::new(),
            created_at,
            updated_at,
            closed_by: new.closed_at.map(|_| author),
            closed_at: new.closed_at,
            milestone: None,
            notes: Vec::new(),
            history: History::default(),
        })
    }

    fn author(&mut self, username: Option<&str>) -> UserId {
        match username {
            Some(username) => self.add_user(username),
            None => self.bot,
        }
    }

    /// Adds a note to an item and returns its id, or 0 when there is no such item. A note written
    /// now moves the item's `updated_at`, but not within a minute of its last move: GitLab
    /// throttles that touch.
    pub fn add_note(&mut self, item: ItemRef, new: NewNote) -> u64 {
        let author = self.author(new.author.as_deref());
        let now = self.clock.now();
        let created_at = new.created_at.unwrap_or(now);
        if self.newest(item).is_none() {
            return 0;
        }
        let id = next(&mut self.last.note);
        let note = Note {
            id,
            body: new.body,
            author,
            system: new.system,
            internal: new.internal,
            created_at,
            updated_at: created_at,
        };
        let told = (self.listening && !note.system).then(|| Box::new(note.clone()));
        let spoken = (!note.system).then(|| note.body.clone());
        self.write_quietly(item, |row| row.notes.push(note));
        if new.created_at.is_none() {
            self.touch_throttled(item);
        }
        self.emit(|_| told.map(|note| Change::Note { item, note, edited: false }));
        if let Some(body) = spoken {
            self.remember_numbers(item, &body);
            if new.created_at.is_none() {
                self.mention_in(item, &body, author);
            }
        }
        id
    }
}

/// Makes a name on display out of a path: `web-shop` becomes `Web Shop`.
fn capitalised(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut first = true;
    for character in path.chars() {
        if matches!(character, '-' | '_' | '.') {
            name.push(' ');
            first = true;
        } else if first {
            name.extend(character.to_uppercase());
            first = false;
        } else {
            name.push(character);
        }
    }
    name
}
