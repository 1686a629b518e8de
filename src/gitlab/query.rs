//! Which part of a list is asked for, and in which order.
//!
//! Lists are asked for in orders that stand still while they are walked, and with the parameters
//! whose defaults would hide or slow something spelled out. What a person may leave to its default
//! is a field here; what must not be left is written in by this module.

use jiff::Timestamp;

use crate::model::{GroupId, Iid, ItemKind, ProjectId};

/// The largest page that GitLab gives.
pub(super) const PER_PAGE: u32 = 100;

/// Where items are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A group with its subgroups.
    Group(GroupId),
    /// A project.
    Project(ProjectId),
}

/// By what items are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ItemOrder {
    /// Time of the last change.
    #[default]
    Updated,
    /// Time of creation.
    Created,
}

/// Which items are listed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemQuery {
    /// Only those changed then or later. GitLab compares finer than it prints, so the item whose
    /// own time is given comes again.
    pub updated_after: Option<Timestamp>,
    /// Only those changed then or earlier.
    pub updated_before: Option<Timestamp>,
    /// Only those created then or later.
    pub created_after: Option<Timestamp>,
    /// Only those created then or earlier.
    pub created_before: Option<Timestamp>,
    /// By what they are ordered. Equal times are ordered by id, descending.
    pub order: ItemOrder,
    /// Oldest first.
    pub ascending: bool,
    /// Only these numbers; for a project only.
    pub iids: Vec<Iid>,
    /// Also those in archived projects; matters for a group only.
    pub archived: bool,
    /// Page size, at most 100.
    pub per_page: u32,
}

impl Default for ItemQuery {
    fn default() -> Self {
        Self {
            updated_after: None,
            updated_before: None,
            created_after: None,
            created_before: None,
            order: ItemOrder::default(),
            ascending: true,
            iids: Vec::new(),
            archived: false,
            per_page: PER_PAGE,
        }
    }
}

/// Which projects are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectQuery {
    /// Also archived ones.
    pub archived: bool,
    /// Page size, at most 100.
    pub per_page: u32,
}

impl Default for ProjectQuery {
    fn default() -> Self {
        Self { archived: false, per_page: PER_PAGE }
    }
}

impl ProjectQuery {
    pub(super) fn parameters(self) -> Vec<(&'static str, String)> {
        let mut parameters = by_id(self.per_page);
        if !self.archived {
            parameters.push(("archived", "false".to_owned()));
        }
        parameters
    }
}

impl ProjectQuery {
    /// Makes the parameters of the list by time of change, the newest first.
    pub(super) fn by_change(self) -> Vec<(&'static str, String)> {
        let mut parameters = self.parameters();
        for (name, value) in &mut parameters {
            match *name {
                "order_by" => "updated_at".clone_into(value),
                "sort" => "desc".clone_into(value),
                _ => {}
            }
        }
        parameters
    }
}

/// A query for a whole list in an order that stands still while it is walked.
fn by_id(per_page: u32) -> Vec<(&'static str, String)> {
    vec![
        ("order_by", "id".to_owned()),
        ("sort", "asc".to_owned()),
        ("per_page", per_page.clamp(1, PER_PAGE).to_string()),
    ]
}

/// Makes the parameters of a list of items.
pub(super) fn item_parameters(
    kind: ItemKind,
    scope: Scope,
    query: &ItemQuery,
) -> Vec<(&'static str, String)> {
    let order = match query.order {
        ItemOrder::Updated => "updated_at",
        ItemOrder::Created => "created_at",
    };
    let mut parameters = vec![
        ("scope", "all".to_owned()),
        ("state", "all".to_owned()),
        ("order_by", order.to_owned()),
        ("sort", if query.ascending { "asc" } else { "desc" }.to_owned()),
        ("per_page", query.per_page.clamp(1, PER_PAGE).to_string()),
    ];
    for (name, time) in [
        ("updated_after", query.updated_after),
        ("updated_before", query.updated_before),
        ("created_after", query.created_after),
        ("created_before", query.created_before),
    ] {
        parameters.extend(time.map(|time| (name, time.to_string())));
    }
    parameters.extend(query.iids.iter().map(|iid| ("iids[]", iid.to_string())));
    match scope {
        Scope::Group(_) => parameters.push(("non_archived", (!query.archived).to_string())),
        // A project's own list shows its items whether it is archived or not.
        Scope::Project(_) => {}
    }
    match kind {
        ItemKind::Issue => {}
        // GitLab keeps project-level answers for up to 8 hours, comment counts included; with
        // this parameter it does not.
        ItemKind::MergeRequest => parameters.push(("with_labels_details", "true".to_owned())),
    }
    parameters
}
