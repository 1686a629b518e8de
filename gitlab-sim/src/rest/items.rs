//! What the lists of issues and merge requests share: filters and orders.
//!
//! Filters on times include their bounds and compare microseconds, although only milliseconds are
//! printed. Whatever the order, equal rows come by falling id, also when the order rises.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::answer::Failure;
use super::{Call, groups::directed};
use crate::world::{Item, LabelId, Project, UserId};

const SCOPES: [&str; 6] =
    ["created-by-me", "assigned-to-me", "created_by_me", "assigned_to_me", "reviews_for_me", "all"];

/// The filters of a request.
#[derive(Debug)]
pub(super) struct Filter<'q> {
    iids: Option<Vec<u64>>,
    labels: Option<Labels<'q>>,
    author: Option<UserId>,
    scope: Option<(bool, UserId)>,
    created: (Option<Timestamp>, Option<Timestamp>),
    updated: (Option<Timestamp>, Option<Timestamp>),
    search: Option<(Vec<String>, bool, bool)>,
    nothing: bool,
}

#[derive(Debug)]
enum Labels<'q> {
    Any,
    None,
    All(Vec<&'q str>),
}

impl<'q> Filter<'q> {
    /// Reads the filters, and refuses wrong values.
    pub(super) fn read(call: &'q Call<'_>) -> Result<Self, Failure> {
        let query = &call.query;
        let labels = query.list("labels").filter(|labels| !labels.is_empty()).map(|labels| {
            match labels.as_slice() {
                [one] if one.eq_ignore_ascii_case("any") => Labels::Any,
                [one] if one.eq_ignore_ascii_case("none") => Labels::None,
                _ => Labels::All(labels),
            }
        });
        let author = match (query.number("author_id")?, query.filled("author_username")) {
            (Some(id), _) => Some(u64::try_from(id).ok().map(UserId::new)),
            (None, Some(name)) => Some(call.world.find_user(name).map(|user| user.id)),
            (None, None) => None,
        };
        let unknown_author = author == Some(None);
        let scope = query.one_of("scope", &SCOPES)?.unwrap_or("all").replace('-', "_");
        let caller = call.caller.user().map(|user| user.id);
        let (scope, nothing) = match (scope.as_str(), caller) {
            ("all", _) => (None, false),
            ("created_by_me", Some(user)) => (Some((true, user)), false),
            ("assigned_to_me", Some(user)) => (Some((false, user)), false),
            _ => (None, true),
        };
        let fields = query.list("in").unwrap_or_else(|| vec!["title", "description"]);
        let search = query.filled("search").map(|words| {
            (
                words.to_lowercase().split_whitespace().map(str::to_owned).collect(),
                fields.contains(&"title"),
                fields.contains(&"description"),
            )
        });
        Ok(Self {
            iids: query.numbers("iids")?,
            labels,
            author: author.flatten(),
            scope,
            created: (query.time("created_after")?, query.time("created_before")?),
            updated: (query.time("updated_after")?, query.time("updated_before")?),
            search,
            nothing: nothing || unknown_author,
        })
    }

    /// Tells whether an item passes.
    pub(super) fn passes(&self, call: &Call<'_>, item: &Item) -> bool {
        let within = |(after, before): (Option<Timestamp>, Option<Timestamp>), time: Timestamp| {
            after.is_none_or(|after| time >= after) && before.is_none_or(|before| time <= before)
        };
        !self.nothing
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&item.iid))
            && within(self.updated, item.updated_at)
            && within(self.created, item.created_at)
            && self.author.is_none_or(|author| author == item.author)
            && self.scope.is_none_or(|(created, user)| {
                if created { item.author == user } else { item.assignees.contains(&user) }
            })
            && self.labels.as_ref().is_none_or(|labels| labels.match_all(call, &item.labels))
            && self.search.as_ref().is_none_or(|(words, title, description)| {
                let mut text = String::new();
                if *title {
                    text.push_str(&item.title.to_lowercase());
                }
                if *description {
                    text.push('\n');
                    if let Some(description) = &item.description {
                        text.push_str(&description.read().to_lowercase());
                    }
                }
                words.iter().all(|word| text.contains(word))
            })
    }
}

impl Labels<'_> {
    fn match_all(&self, call: &Call<'_>, labels: &[LabelId]) -> bool {
        match self {
            Self::Any => !labels.is_empty(),
            Self::None => labels.is_empty(),
            Self::All(titles) => titles.iter().all(|title| {
                labels
                    .iter()
                    .any(|id| call.world.label(*id).is_some_and(|label| label.title == *title))
            }),
        }
    }
}

/// An order for a list of items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    by: &'static str,
    descending: bool,
}

impl Order {
    /// Reads the order, and refuses unknown ones.
    pub(super) fn read(call: &Call<'_>, allowed: &[&'static str]) -> Result<Self, Failure> {
        Ok(Self {
            by: call.query.one_of("order_by", allowed)?.unwrap_or("created_at"),
            descending: call.query.descending(true)?,
        })
    }

    /// Compares two items. The moment of merging is looked at only when it is the order.
    pub(super) fn compare(
        self,
        (a, merged_a): (&Item, Option<Timestamp>),
        (b, merged_b): (&Item, Option<Timestamp>),
    ) -> Ordering {
        let ordering = match self.by {
            "updated_at" => directed(a.updated_at.cmp(&b.updated_at), self.descending),
            "title" => {
                directed(a.title.to_lowercase().cmp(&b.title.to_lowercase()), self.descending)
            }
            "popularity" | "priority" | "label_priority" | "milestone_due" | "due_date"
            | "weight" | "relative_position" => Ordering::Equal,
            // Rows that were never merged come last in either direction.
            "merged_at" => match (merged_a, merged_b) {
                (Some(a), Some(b)) => directed(a.cmp(&b), self.descending),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
            _ => directed(a.created_at.cmp(&b.created_at), self.descending),
        };
        ordering.then(b.id.cmp(&a.id))
    }
}

/// The projects whose items a group list shows: all below it that the caller sees, and without
/// those that are archived unless asked.
pub(super) fn projects_of_group<'w>(
    call: &Call<'w>,
    group: crate::world::GroupId,
) -> Result<Vec<&'w Project>, Failure> {
    let hide_archived = call.query.flag("non_archived")?.unwrap_or(true);
    let world = call.world;
    Ok(world
        .projects()
        .filter(|project| world.is_within(project.group, group))
        .filter(|project| !(hide_archived && project.archived))
        .filter(|project| world.sees_project(call.caller, project))
        .collect())
}

/// Returns the short form of a reference as seen from the place that was asked.
pub(super) fn relative(project: &Project, short: &str, in_group: Option<&str>) -> String {
    match in_group {
        None => short.to_owned(),
        Some(group) => {
            let path = project
                .full_path
                .strip_prefix(group)
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(&project.full_path);
            format!("{path}{short}")
        }
    }
}
