//! How items hang together: links between issues, what a merge request closes and mentions,
//! duplicates, and issues of trackers elsewhere.
//!
//! Links and duplicates are kept; closing and mentioning is read from texts when it is asked for,
//! so it can never be out of date. Nothing here moves a time: GitLab promises nothing about it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::entity::{MergeRequest, Project};
use super::id::{ItemKind, ItemRef, ProjectId, UserId};
use super::reference::{Reader, Written, prose};
use super::{World, next};

/// A tracker elsewhere that a project uses: its issues have keys such as `ABC-123`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalTracker {
    /// What it is called, such as `Jira`.
    pub name: String,
    /// The address of an issue, in which `:id` stands for the key.
    pub issue_url: String,
}

/// How one issue is linked to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// Both have to do with each other.
    RelatesTo,
    /// The first holds the second up.
    Blocks,
    /// The second holds the first up.
    IsBlockedBy,
}

impl LinkKind {
    /// Returns the word of `link_type`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RelatesTo => "relates_to",
            Self::Blocks => "blocks",
            Self::IsBlockedBy => "is_blocked_by",
        }
    }

    /// Returns the same link as seen from its other end.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::RelatesTo => Self::RelatesTo,
            Self::Blocks => Self::IsBlockedBy,
            Self::IsBlockedBy => Self::Blocks,
        }
    }
}

/// A link as seen from one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssueLink {
    /// The id of the link, the same from both ends.
    pub id: u64,
    /// The issue at the other end.
    pub other: ItemRef,
    /// How the near end stands to the other.
    pub kind: LinkKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An issue that a merge request speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Related {
    /// An issue of this instance.
    Issue(ItemRef),
    /// An issue of the project's external tracker, by its key.
    External(String),
}

/// What the world keeps about relations.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    rows: BTreeMap<u64, (ItemRef, IssueLink)>,
    duplicates: BTreeMap<ItemRef, ItemRef>,
    last: u64,
    /// The external address, by which texts may call this instance.
    address: String,
}

impl World {
    /// Tells the world by what address texts may call this instance, beside `SELF_URL`. The server
    /// does so when it starts.
    pub fn known_as(&mut self, address: &str) {
        address.trim_end_matches('/').clone_into(&mut self.links.address);
    }

    /// Gives a project a tracker elsewhere, or takes it away.
    pub fn set_external_tracker(
        &mut self,
        project: ProjectId,
        tracker: Option<ExternalTracker>,
    ) -> bool {
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        row.external_tracker = tracker;
        true
    }

    /// Links two issues and returns the id of the link: `one` stands to `other` as `kind` says.
    /// Returns nothing when either does not exist, both are the same, or they are linked already.
    pub fn link_issues(&mut self, one: ItemRef, other: ItemRef, kind: LinkKind) -> Option<u64> {
        let exists = |item: ItemRef| item.kind == ItemKind::Issue && self.item(item).is_some();
        let linked = self.links_of(one.project, one.iid).iter().any(|link| link.other == other);
        if !exists(one) || !exists(other) || one == other || linked {
            return None;
        }
        let (source, target, kind) = match kind {
            LinkKind::RelatesTo | LinkKind::Blocks => (one, other, kind),
            LinkKind::IsBlockedBy => (other, one, LinkKind::Blocks),
        };
        let (id, now) = (next(&mut self.links.last), self.clock.now());
        let link = IssueLink { id, other: target, kind, created_at: now, updated_at: now };
        self.links.rows.insert(id, (source, link));
        Some(id)
    }

    /// Takes a link away.
    pub fn unlink_issues(&mut self, link: u64) -> bool {
        self.links.rows.remove(&link).is_some()
    }

    /// Lists the links of an issue by their ids. Links to issues that were deleted are gone.
    pub fn links_of(&self, project: ProjectId, iid: u64) -> Vec<IssueLink> {
        let near = ItemRef::issue(project, iid);
        let seen = |(source, link): &(ItemRef, IssueLink)| {
            if *source == near {
                Some(*link)
            } else if link.other == near {
                Some(IssueLink { other: *source, kind: link.kind.reversed(), ..*link })
            } else {
                None
            }
        };
        self.links
            .rows
            .values()
            .filter_map(seen)
            .filter(|link| self.item(link.other).is_some())
            .collect()
    }

    /// Closes an issue as a duplicate of another. Returns false when either does not exist.
    pub fn close_as_duplicate(&mut self, issue: ItemRef, of: ItemRef, by: UserId) -> bool {
        let exists = |item: ItemRef| item.kind == ItemKind::Issue && self.item(item).is_some();
        if !exists(issue) || !exists(of) || issue == of {
            return false;
        }
        self.links.duplicates.insert(issue, of);
        self.close_issue(issue, by, None)
    }

    /// Finds the issue of which another is a duplicate.
    pub fn duplicate_of(&self, issue: ItemRef) -> Option<ItemRef> {
        self.links.duplicates.get(&issue).copied().filter(|of| self.item(*of).is_some())
    }

    /// Lists the issues that a merge request closes when it is merged: those that its description
    /// names behind a closing word, if it goes to the default branch.
    pub fn closed_by(&self, merge_request: ItemRef) -> Vec<Related> {
        let Some((project, row)) = self.merge_request_row(merge_request) else {
            return Vec::new();
        };
        if row.target_branch != project.default_branch {
            return Vec::new();
        }
        let Some(description) = &row.item.description else {
            return Vec::new();
        };
        let description = description.read();
        let prose = prose(&description);
        self.resolve(project, self.reader(project).closed(&prose))
    }

    /// Lists the merge requests that close an issue when they are merged, by project and number.
    pub fn closing(&self, issue: ItemRef) -> Vec<ItemRef> {
        let wanted = Related::Issue(issue);
        self.naming(issue, |merge_request| self.closed_by(merge_request).contains(&wanted))
    }

    /// Lists the issues that a merge request mentions in title, description or comments, those that
    /// it closes included.
    pub fn related_issues(&self, merge_request: ItemRef) -> Vec<Related> {
        let Some((project, row)) = self.merge_request_row(merge_request) else {
            return Vec::new();
        };
        let mut related = Vec::new();
        let mut read = |text: &str| {
            let prose = prose(text);
            for found in self.resolve(project, self.reader(project).all(&prose)) {
                if !related.contains(&found) {
                    related.push(found);
                }
            }
        };
        read(&row.item.title);
        if let Some(description) = &row.item.description {
            read(&description.read());
        }
        for note in row.item.notes.iter().filter(|note| !note.system) {
            read(&note.body);
        }
        related
    }

    /// Lists the merge requests that mention an issue, by project and number.
    pub fn related_merge_requests(&self, issue: ItemRef) -> Vec<ItemRef> {
        let wanted = Related::Issue(issue);
        self.naming(issue, |merge_request| self.related_issues(merge_request).contains(&wanted))
    }

    /// Lists the merge requests that could name an issue and do. Reading references is dear, so
    /// only texts in which the number is known to stand are read.
    fn naming(&self, issue: ItemRef, names: impl Fn(ItemRef) -> bool) -> Vec<ItemRef> {
        self.could_name(issue).into_iter().filter(|merge_request| names(*merge_request)).collect()
    }

    fn merge_request_row(&self, item: ItemRef) -> Option<(&Project, &MergeRequest)> {
        let project = self.project(item.project)?;
        match item.kind {
            ItemKind::Issue => None,
            ItemKind::MergeRequest => Some((project, self.merge_request(item.project, item.iid)?)),
        }
    }

    pub(super) fn reader(&self, project: &Project) -> Reader<'_> {
        Reader { address: &self.links.address, keys: project.external_tracker.is_some() }
    }

    /// Finds the issues behind what is written in a project, each once.
    pub(super) fn resolve(&self, project: &Project, written: Vec<Written<'_>>) -> Vec<Related> {
        let mut found = Vec::new();
        for written in written {
            let related = match written {
                Written::Key(key) => Some(Related::External(key.to_owned())),
                Written::Item { kind: ItemKind::MergeRequest, .. } => None,
                Written::Item { project: named, kind: ItemKind::Issue, iid } => self
                    .named_project(project, named)
                    .map(|project| ItemRef::issue(project, iid))
                    .filter(|issue| self.item(*issue).is_some())
                    .map(Related::Issue),
            };
            found.extend(related.filter(|related| !found.contains(related)));
        }
        found
    }

    pub(super) fn named_project(&self, home: &Project, named: Option<&str>) -> Option<ProjectId> {
        match named {
            None => Some(home.id),
            Some(path) if path.contains('/') => self.find_project(path).map(|row| row.id),
            Some(path) => {
                let group = self.group(home.group)?;
                self.find_project(&format!("{}/{path}", group.full_path)).map(|row| row.id)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{NewIssue, NewMergeRequest, NewNote, NewProject};

    fn organisation() -> (World, ProjectId, ProjectId) {
        let mut world = World::new();
        let shop = world.add_project(NewProject::at("acme/shop"));
        let web = world.add_project(NewProject::at("acme/web"));
        for project in [shop, web] {
            for title in ["one", "two"] {
                world.add_issue(project, NewIssue::new(title));
            }
        }
        (world, shop, web)
    }

    #[test]
    fn a_link_is_seen_from_both_ends_and_ends_with_either() {
        let (mut world, shop, web) = organisation();
        let (one, other) = (ItemRef::issue(shop, 1), ItemRef::issue(web, 2));
        let id = world.link_issues(one, other, LinkKind::IsBlockedBy).unwrap();
        let near = world.links_of(shop, 1);
        assert_eq!((near[0].id, near[0].other, near[0].kind), (id, other, LinkKind::IsBlockedBy));
        assert_eq!(world.links_of(web, 2)[0].kind, LinkKind::Blocks);
        assert_eq!(world.link_issues(other, one, LinkKind::RelatesTo), None, "linked already");
        assert_eq!(world.link_issues(one, one, LinkKind::RelatesTo), None);
        world.delete_item(other);
        assert_eq!(world.links_of(shop, 1), []);
    }

    #[test]
    fn closing_and_mentioning_are_read_from_texts() {
        let (mut world, shop, web) = organisation();
        world.known_as("https://gitlab.example/");
        let description = "Closes web#1 and #2. See https://gitlab.example/acme/web/-/issues/2";
        let new = NewMergeRequest::new("Do it").description(description);
        let iid = world.add_merge_request(shop, new);
        let merge_request = ItemRef::merge_request(shop, iid);
        world.add_note(merge_request, NewNote::new("also acme/shop#1, and #99"));
        let issue = |project, iid| Related::Issue(ItemRef::issue(project, iid));
        assert_eq!(world.closed_by(merge_request), [issue(web, 1), issue(shop, 2)]);
        let related = [issue(web, 1), issue(shop, 2), issue(web, 2), issue(shop, 1)];
        assert_eq!(world.related_issues(merge_request), related);
        assert_eq!(world.closing(ItemRef::issue(web, 1)), [merge_request]);
        assert_eq!(world.closing(ItemRef::issue(web, 2)), []);
        assert_eq!(world.related_merge_requests(ItemRef::issue(web, 2)), [merge_request]);
    }

    #[test]
    fn only_the_default_branch_closes() {
        let (mut world, shop, _) = organisation();
        let new = NewMergeRequest::new("x").description("Closes #1").target_branch("stable");
        let iid = world.add_merge_request(shop, new);
        assert_eq!(world.closed_by(ItemRef::merge_request(shop, iid)), []);
        assert_eq!(world.related_issues(ItemRef::merge_request(shop, iid)).len(), 1);
    }

    #[test]
    fn keys_count_only_where_there_is_an_external_tracker() {
        let (mut world, shop, web) = organisation();
        let tracker = ExternalTracker {
            name: "Jira".to_owned(),
            issue_url: "https://jira.example/browse/:id".to_owned(),
        };
        assert!(world.set_external_tracker(shop, Some(tracker)));
        for (project, expected) in
            [(shop, vec![Related::External("ABC-7".to_owned())]), (web, vec![])]
        {
            let new = NewMergeRequest::new("x").description("Fixes ABC-7");
            let iid = world.add_merge_request(project, new);
            assert_eq!(world.closed_by(ItemRef::merge_request(project, iid)), expected);
        }
    }

    #[test]
    fn a_duplicate_is_closed_and_knows_its_original() {
        let (mut world, shop, web) = organisation();
        let (issue, of) = (ItemRef::issue(shop, 1), ItemRef::issue(web, 1));
        let bot = world.bot();
        assert!(world.close_as_duplicate(issue, of, bot));
        assert_eq!(world.issue(shop, 1).unwrap().state(), "closed");
        assert_eq!(world.duplicate_of(issue), Some(of));
        assert!(!world.close_as_duplicate(issue, issue, bot));
    }
}
