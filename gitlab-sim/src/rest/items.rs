//! What the lists of issues and merge requests share: filters and orders.
//!
//! Filters on times include their bounds and compare microseconds, although only milliseconds are
//! printed. Whatever the order, equal rows come by falling id, also when the order rises. Filters on
//! things that the simulator does not have (reactions, weights, …) answer as for items
//! without them: `None` finds all, anything else nothing.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::answer::Failure;
use super::milestones::Wanted;
use super::query::Query;
use super::{Call, groups::directed};
use crate::world::{Item, LabelId, Project, UserId};

const SCOPES: [&str; 6] =
    ["created-by-me", "assigned-to-me", "created_by_me", "assigned_to_me", "reviews_for_me", "all"];

/// Parameters about things that no item has, of which `None` (and no value) finds every item.
const ABSENT: [&str; 12] = [
    "my_reaction_emoji",
    "weight",
    "epic_id",
    "iteration_id",
    "iteration_title",
    "health_status",
    "due_date",
    "approver_ids",
    "approved_by_ids",
    "approved_by_usernames",
    "environment",
    "deployed_after",
];

/// Parameters that exclude each other.
const EITHER: [(&str, &str); 5] = [
    ("author_id", "author_username"),
    ("assignee_id", "assignee_username"),
    ("milestone_id", "milestone"),
    ("reviewer_id", "reviewer_username"),
    ("merge_user_id", "merge_user_username"),
];

/// From when to when, both included.
pub(super) type Span = (Option<Timestamp>, Option<Timestamp>);

/// The filters of a request.
#[derive(Debug)]
pub(super) struct Filter<'q> {
    pub(super) created: Span,
    pub(super) updated: Span,
    iids: Option<Vec<u64>>,
    not_iids: Option<Vec<u64>>,
    labels: Option<Labels<'q>>,
    not_labels: Option<Labels<'q>>,
    author: Option<Who>,
    not_author: Option<Who>,
    assignee: Option<Who>,
    not_assignee: Option<Who>,
    closed_by: Option<Who>,
    milestone: Option<Wanted<'q>>,
    not_milestone: Option<Wanted<'q>>,
    scope: Option<(bool, UserId)>,
    search: Option<(Vec<String>, bool, bool)>,
    nothing: bool,
}

#[derive(Debug)]
enum Labels<'q> {
    Any,
    None,
    These(Vec<&'q str>),
}

/// Whom a parameter names.
#[derive(Debug)]
pub(super) enum Who {
    Anyone,
    NoOne,
    These(Vec<UserId>),
    /// Somebody who is not there.
    Unknown,
}

impl Who {
    /// Reads a pair of parameters such as `author_id` and `author_username`, of which each may be
    /// negated by `not[…]`.
    pub(super) fn read(call: &Call<'_>, id: &str, username: &str) -> Result<Option<Self>, Failure> {
        let query = &call.query;
        if let Some(word) = query.filled(id) {
            return Ok(Some(match word.to_ascii_lowercase().as_str() {
                "any" => Self::Anyone,
                "none" | "0" => Self::NoOne,
                _ => query
                    .number(id)?
                    .and_then(|number| u64::try_from(number).ok())
                    .map_or(Self::Unknown, |number| Self::These(vec![UserId::new(number)])),
            }));
        }
        let Some(names) = query.list(username).filter(|names| !names.is_empty()) else {
            return Ok(None);
        };
        if let [one] = names.as_slice() {
            match one.to_ascii_lowercase().as_str() {
                "any" => return Ok(Some(Self::Anyone)),
                "none" => return Ok(Some(Self::NoOne)),
                _ => {}
            }
        }
        let users: Option<Vec<UserId>> =
            names.iter().map(|name| call.world.find_user(name).map(|user| user.id)).collect();
        Ok(Some(users.map_or(Self::Unknown, Self::These)))
    }

    /// Tells whether these users are all that is asked for.
    pub(super) fn all_among(&self, users: &[UserId]) -> bool {
        match self {
            Self::Anyone => !users.is_empty(),
            Self::NoOne => users.is_empty(),
            Self::These(wanted) => wanted.iter().all(|user| users.contains(user)),
            Self::Unknown => false,
        }
    }

    pub(super) fn any_among(&self, users: &[UserId]) -> bool {
        match self {
            Self::These(wanted) => wanted.iter().any(|user| users.contains(user)),
            Self::Anyone | Self::NoOne | Self::Unknown => self.all_among(users),
        }
    }
}

impl<'q> Filter<'q> {
    /// Reads the filters, and refuses wrong values. `scope` is the default of the list.
    pub(super) fn read(call: &'q Call<'_>, scope: &'static str) -> Result<Self, Failure> {
        let query = &call.query;
        for (one, other) in EITHER {
            if query.filled(one).is_some() && query.list(other).is_some() {
                return Err(Failure::Invalid(format!("{one}, {other} are mutually exclusive")));
            }
        }
        let scope = query.one_of("scope", &SCOPES)?.unwrap_or(scope).replace('-', "_");
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
            created: (query.time("created_after")?, query.time("created_before")?),
            updated: (query.time("updated_after")?, query.time("updated_before")?),
            iids: query.numbers("iids")?,
            not_iids: query.numbers("not[iids]")?,
            labels: Labels::read(query, "labels"),
            not_labels: Labels::read(query, "not[labels]"),
            author: Who::read(call, "author_id", "author_username")?,
            not_author: Who::read(call, "not[author_id]", "not[author_username]")?,
            assignee: Who::read(call, "assignee_id", "assignee_username")?,
            not_assignee: Who::read(call, "not[assignee_id]", "not[assignee_username]")?,
            closed_by: Who::read(call, "closed_by_id", "")?,
            milestone: Wanted::read(query, "milestone", "milestone_id"),
            not_milestone: Wanted::read(query, "not[milestone]", "not[milestone_id]"),
            scope,
            search,
            nothing: nothing || wants_what_is_absent(query)?,
        })
    }

    /// Tells whether every row passes, but for its times.
    pub(super) fn is_open(&self) -> bool {
        !self.nothing
            && self.iids.is_none()
            && self.not_iids.is_none()
            && self.labels.is_none()
            && self.not_labels.is_none()
            && self.author.is_none()
            && self.not_author.is_none()
            && self.assignee.is_none()
            && self.not_assignee.is_none()
            && self.closed_by.is_none()
            && self.milestone.is_none()
            && self.not_milestone.is_none()
            && self.scope.is_none()
            && self.search.is_none()
    }

    /// Tells whether an item passes.
    pub(super) fn passes(&self, call: &Call<'_>, item: &Item) -> bool {
        let author = std::slice::from_ref(&item.author);
        !self.nothing
            && within(self.updated, item.updated_at)
            && within(self.created, item.created_at)
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&item.iid))
            && !self.not_iids.as_ref().is_some_and(|iids| iids.contains(&item.iid))
            && self.author.as_ref().is_none_or(|who| who.all_among(author))
            && !self.not_author.as_ref().is_some_and(|who| who.any_among(author))
            && self.assignee.as_ref().is_none_or(|who| who.all_among(&item.assignees))
            && !self.not_assignee.as_ref().is_some_and(|who| who.any_among(&item.assignees))
            && self.closed_by.as_ref().is_none_or(|who| who.all_among(item.closed_by.as_slice()))
            && self.milestone.as_ref().is_none_or(|wanted| wanted.holds(call, item.milestone))
            && !self.not_milestone.as_ref().is_some_and(|not| not.holds(call, item.milestone))
            && self.scope.is_none_or(|(created, user)| {
                if created { item.author == user } else { item.assignees.contains(&user) }
            })
            && self.labels.as_ref().is_none_or(|labels| labels.all_on(call, &item.labels))
            && !self.not_labels.as_ref().is_some_and(|labels| labels.any_on(call, &item.labels))
            && self.finds(item)
    }

    fn finds(&self, item: &Item) -> bool {
        let Some((words, title, description)) = &self.search else {
            return true;
        };
        let mut text = String::new();
        if *title {
            text.push_str(&item.title.to_lowercase());
        }
        if *description && let Some(description) = &item.description {
            text.push('\n');
            text.push_str(&description.read().to_lowercase());
        }
        words.iter().all(|word| text.contains(word))
    }
}

fn within((after, before): Span, time: Timestamp) -> bool {
    after.is_none_or(|after| time >= after) && before.is_none_or(|before| time <= before)
}

/// Tells whether a request asks for items with something that no item has.
fn wants_what_is_absent(query: &Query) -> Result<bool, Failure> {
    query.time("deployed_after")?;
    let deployed = query.time("deployed_before")?.is_some();
    let approved = query.one_of("approved", &["yes", "no"])? == Some("yes");
    let absent = ABSENT.iter().any(|name| {
        query.list(name).is_some_and(|values| {
            values.iter().any(|value| *value != "0" && !value.eq_ignore_ascii_case("none"))
        })
    });
    Ok(deployed || approved || absent)
}

impl<'q> Labels<'q> {
    fn read(query: &'q Query, name: &str) -> Option<Self> {
        let labels = query.list(name).filter(|labels| !labels.is_empty())?;
        Some(match labels.as_slice() {
            [one] if one.eq_ignore_ascii_case("any") => Self::Any,
            [one] if one.eq_ignore_ascii_case("none") => Self::None,
            _ => Self::These(labels),
        })
    }

    fn all_on(&self, call: &Call<'_>, labels: &[LabelId]) -> bool {
        match self {
            Self::Any => !labels.is_empty(),
            Self::None => labels.is_empty(),
            Self::These(titles) => titles.iter().all(|title| is_on(call, labels, title)),
        }
    }

    fn any_on(&self, call: &Call<'_>, labels: &[LabelId]) -> bool {
        match self {
            Self::These(titles) => titles.iter().any(|title| is_on(call, labels, title)),
            Self::Any | Self::None => self.all_on(call, labels),
        }
    }
}

fn is_on(call: &Call<'_>, labels: &[LabelId], title: &str) -> bool {
    labels.iter().any(|id| call.world.label(*id).is_some_and(|label| label.title == title))
}

/// An order for a list of items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) by: &'static str,
    pub(super) descending: bool,
}

/// What an order looks at in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rank {
    at: Option<Timestamp>,
    title: String,
    id: u64,
}

impl Order {
    /// Reads the order, and refuses unknown ones.
    pub(super) fn read(call: &Call<'_>, allowed: &[&'static str]) -> Result<Self, Failure> {
        Ok(Self {
            by: call.query.one_of("order_by", allowed)?.unwrap_or("created_at"),
            descending: call.query.descending(true)?,
        })
    }

    /// Returns what the order looks at. The moment of merging is used only when it is the order.
    pub(super) fn rank(self, item: &Item, merged: Option<Timestamp>) -> Rank {
        let at = match self.by {
            "updated_at" => Some(item.updated_at),
            "created_at" => Some(item.created_at),
            "merged_at" => merged,
            _ => None,
        };
        let title = if self.by == "title" { item.title.to_lowercase() } else { String::new() };
        Rank { at, title, id: item.id }
    }

    /// Compares two items. Those that were never merged come last in either direction; orders by
    /// what no item has leave the id to decide.
    pub(super) fn compare(self, a: &Rank, b: &Rank) -> Ordering {
        if self.by == "id" {
            return directed(a.id.cmp(&b.id), self.descending);
        }
        let by_time = match (a.at, b.at) {
            (Some(a), Some(b)) => directed(a.cmp(&b), self.descending),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_time
            .then_with(|| directed(a.title.cmp(&b.title), self.descending))
            .then_with(|| b.id.cmp(&a.id))
    }

    /// Writes a cursor that lies behind an item: opaque to clients, and good for this order only.
    pub(super) fn cursor(self, rank: &Rank) -> String {
        let value = rank.at.map_or_else(|| rank.title.clone(), |time| time.to_string());
        let value = serde_json::json!({ "by": self.by, "value": value, "id": rank.id });
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    /// Reads a cursor of this order.
    pub(super) fn read_cursor(self, text: &str) -> Result<Rank, Failure> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
            let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
            let words = value["value"].as_str()?;
            let timed = matches!(self.by, "created_at" | "updated_at");
            let at = if timed { Some(words.parse().ok()?) } else { None };
            let title = if timed { String::new() } else { words.to_owned() };
            let id = value["id"].as_u64()?;
            (value["by"] == self.by).then_some(Rank { at, title, id })
        };
        read().ok_or_else(|| Failure::Invalid("cursor is invalid".to_owned()))
    }
}

/// Returns the short form of a reference as seen from the place that was asked.
pub(super) fn relative(project: &Project, short: &str, in_group: Option<&str>) -> String {
    format!("{}{short}", path_within(project, in_group))
}

/// Returns the path of a project as seen from the group that was asked, and nothing when it was the
/// project itself.
pub(super) fn path_within<'p>(project: &'p Project, in_group: Option<&str>) -> &'p str {
    in_group.map_or("", |group| {
        project
            .full_path
            .strip_prefix(group)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(&project.full_path)
    })
}
