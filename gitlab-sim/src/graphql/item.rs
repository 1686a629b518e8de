//! What the lists of issues, work items and merge requests share: filters and orders.
//!
//! The filters mean what they mean in the REST interface: bounds of times are included and compare
//! microseconds.

use async_graphql::Error;
use jiff::Timestamp;

use super::args::Args;
use super::node::Look;
use super::page::{Direction, Key};
use crate::world::{Issue, Item, LabelId, MergeRequest, MilestoneId, Project, UserId};

/// The bounds of a range of times, which belong to it.
pub(super) type Span = (Option<Timestamp>, Option<Timestamp>);

/// A range of times, bounds included.
#[derive(Debug, Default)]
struct Range(Option<Timestamp>, Option<Timestamp>);

impl Range {
    fn read(args: Args<'_>, after: &str, before: &str) -> Result<Self, Error> {
        Ok(Self(args.time(after)?, args.time(before)?))
    }

    /// Tells whether a time lies within. What has no time lies in no range that has a bound.
    fn holds(&self, time: Option<Timestamp>) -> bool {
        match time {
            None => self.0.is_none() && self.1.is_none(),
            Some(time) => {
                self.0.is_none_or(|after| time >= after)
                    && self.1.is_none_or(|before| time <= before)
            }
        }
    }
}

/// Users by name, among them names that nobody has.
type Users = Vec<Option<UserId>>;

/// The filters that all items know.
#[derive(Debug)]
struct ItemFilter<'a> {
    milestones: Milestones<'a>,
    iids: Option<Vec<u64>>,
    state: &'a str,
    labels: Vec<&'a str>,
    authors: Option<Users>,
    assignees: Users,
    has_assignee: Option<bool>,
    created: Range,
    updated: Range,
    closed: Range,
    search: Option<(Vec<String>, bool, bool)>,
    either: Either<'a>,
    not: Not<'a>,
}

/// The argument `or`: one of each list is enough.
#[derive(Debug, Default)]
struct Either<'a> {
    labels: Vec<&'a str>,
    authors: Users,
    assignees: Users,
}

/// The argument `not`: none of it.
#[derive(Debug, Default)]
struct Not<'a> {
    iids: Vec<u64>,
    labels: Vec<&'a str>,
    authors: Users,
    assignees: Users,
}

fn users(look: &Look<'_>, args: Args<'_>, name: &str) -> Users {
    let names = args.texts(name).unwrap_or_default();
    names.into_iter().map(|name| look.world.find_user(name).map(|user| user.id)).collect()
}

/// Reads numbers within projects. What is no number is nobody's.
fn numbers(args: Args<'_>, name: &str) -> Option<Vec<u64>> {
    args.texts(name).map(|texts| texts.iter().map(|text| text.parse().unwrap_or(0)).collect())
}

/// The milestones that are asked for: by their titles, and by what is said of all of them.
#[derive(Debug, Default)]
struct Milestones<'a> {
    titles: Option<Vec<&'a str>>,
    wildcard: Option<&'a str>,
    not: Vec<&'a str>,
}

impl<'a> Milestones<'a> {
    fn read(args: Args<'a>) -> Self {
        let titles = |args: Args<'a>| {
            let one = || args.text("milestoneTitle").map(|title| vec![title]);
            args.texts("milestoneTitle").or_else(one)
        };
        Self {
            titles: titles(args),
            wildcard: args.text("milestoneWildcardId"),
            not: args.object("not").and_then(titles).unwrap_or_default(),
        }
    }

    fn hold(&self, look: &Look<'_>, milestone: Option<MilestoneId>) -> bool {
        let row = milestone.and_then(|id| look.world.milestone(id));
        let today = || look.world.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let named = |title: &str| match title.to_lowercase().as_str() {
            "none" => row.is_none(),
            "any" => row.is_some(),
            _ => row.is_some_and(|row| row.title == title),
        };
        let open = row.filter(|row| !row.closed);
        self.titles.as_ref().is_none_or(|titles| titles.iter().any(|title| named(title)))
            && !self.not.iter().any(|title| named(title))
            && match self.wildcard {
                None => true,
                Some("NONE") => row.is_none(),
                Some("STARTED") => open.is_some_and(|row| {
                    row.start_date.is_none_or(|day| day <= today())
                        && (row.start_date.is_some() || row.due_date.is_some())
                        && !row.expired(today())
                }),
                Some("UPCOMING") => {
                    open.is_some_and(|row| row.start_date.is_some_and(|day| day > today()))
                }
                Some(_) => row.is_some(),
            }
    }
}

impl<'a> ItemFilter<'a> {
    fn read(look: &Look<'_>, args: Args<'a>) -> Result<Self, Error> {
        let names = |args: Args<'a>, name: &str| args.texts(name).unwrap_or_default();
        let mut iids = numbers(args, "iids");
        if let Some(iid) = numbers(args, "iid") {
            iids.get_or_insert_with(Vec::new).extend(iid);
        }
        let (not, either) = (args.object("not"), args.object("or"));
        let fields = args.texts("in").unwrap_or_else(|| vec!["TITLE", "DESCRIPTION"]);
        let search = args.filled("search").map(|words| {
            let words = words.to_lowercase().split_whitespace().map(str::to_owned).collect();
            (words, fields.contains(&"TITLE"), fields.contains(&"DESCRIPTION"))
        });
        let mut assignees = users(look, args, "assigneeUsernames");
        assignees.extend(users(look, args, "assigneeUsername"));
        Ok(Self {
            milestones: Milestones::read(args),
            iids,
            state: args.text("state").unwrap_or("all"),
            labels: names(args, "labelName"),
            authors: args.texts("authorUsername").map(|_| users(look, args, "authorUsername")),
            assignees,
            has_assignee: args.text("assigneeWildcardId").map(|wanted| wanted == "ANY"),
            created: Range::read(args, "createdAfter", "createdBefore")?,
            updated: Range::read(args, "updatedAfter", "updatedBefore")?,
            closed: Range::read(args, "closedAfter", "closedBefore")?,
            search,
            either: either.map_or_else(Either::default, |args| Either {
                labels: names(args, "labelNames"),
                authors: users(look, args, "authorUsernames"),
                assignees: users(look, args, "assigneeUsernames"),
            }),
            not: not.map_or_else(Not::default, |args| Not {
                iids: numbers(args, "iids").unwrap_or_default(),
                labels: names(args, "labelName"),
                authors: users(look, args, "authorUsername"),
                assignees: users(look, args, "assigneeUsernames"),
            }),
        })
    }

    /// Returns the bounds of the time that orders.
    fn span(&self, order: &Order) -> Span {
        let Range(after, before) = match order.time() {
            Some("UPDATED") => &self.updated,
            Some("CREATED") => &self.created,
            _ => return (None, None),
        };
        (*after, *before)
    }

    fn passes(&self, look: &Look<'_>, item: &Item, state: &str) -> bool {
        let author = Some(item.author);
        let assigned =
            |users: &Users| users.iter().flatten().any(|user| item.assignees.contains(user));
        self.milestones.hold(look, item.milestone)
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&item.iid))
            && (self.state == "all" || self.state == state)
            && self.updated.holds(Some(item.updated_at))
            && self.created.holds(Some(item.created_at))
            && self.closed.holds(item.closed_at)
            && self.authors.as_ref().is_none_or(|authors| authors.contains(&author))
            && self
                .assignees
                .iter()
                .all(|user| user.is_some_and(|user| item.assignees.contains(&user)))
            && self.has_assignee.is_none_or(|any| any != item.assignees.is_empty())
            && self.labels.iter().all(|title| match title.to_lowercase().as_str() {
                "any" => !item.labels.is_empty(),
                "none" => item.labels.is_empty(),
                _ => carries(look, &item.labels, title),
            })
            && (self.either.labels.is_empty()
                || self.either.labels.iter().any(|title| carries(look, &item.labels, title)))
            && (self.either.authors.is_empty() || self.either.authors.contains(&author))
            && (self.either.assignees.is_empty() || assigned(&self.either.assignees))
            && !self.not.iids.contains(&item.iid)
            && !self.not.labels.iter().any(|title| carries(look, &item.labels, title))
            && !self.not.authors.contains(&author)
            && !assigned(&self.not.assignees)
            && self.search.as_ref().is_none_or(|search| mentions(item, search))
    }
}

fn carries(look: &Look<'_>, labels: &[LabelId], title: &str) -> bool {
    labels.iter().any(|id| look.world.label(*id).is_some_and(|label| label.title == title))
}

fn mentions(item: &Item, (words, title, description): &(Vec<String>, bool, bool)) -> bool {
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

/// The filters of issues and work items.
#[derive(Debug)]
pub(super) struct IssueFilter<'a> {
    item: ItemFilter<'a>,
    types: Option<Vec<&'a str>>,
    not_types: Vec<&'a str>,
    confidential: Option<bool>,
}

impl<'a> IssueFilter<'a> {
    /// Reads the filters of a list of issues.
    pub(super) fn read(look: &Look<'_>, args: Args<'a>) -> Result<Self, Error> {
        Ok(Self {
            item: ItemFilter::read(look, args)?,
            types: args.texts("types"),
            not_types: args.object("not").and_then(|not| not.texts("types")).unwrap_or_default(),
            confidential: args.flag("confidential"),
        })
    }

    /// Returns the bounds of the time that orders.
    pub(super) fn span(&self, order: &Order) -> Span {
        self.item.span(order)
    }

    /// Tells whether an issue passes.
    pub(super) fn passes(&self, look: &Look<'_>, issue: &Issue) -> bool {
        let word = issue.issue_type.word();
        let among = |types: &[&str]| types.iter().any(|kind| kind.eq_ignore_ascii_case(word));
        self.confidential.is_none_or(|wanted| wanted == issue.confidential)
            && self.types.as_ref().is_none_or(|types| among(types))
            && !among(&self.not_types)
            && self.item.passes(look, &issue.item, issue.state())
    }
}

/// The filters of merge requests.
#[derive(Debug)]
pub(super) struct MergeFilter<'a> {
    item: ItemFilter<'a>,
    reviewer: Option<Users>,
    reviewed: Option<bool>,
    not_reviewers: Users,
    sources: Option<Vec<&'a str>>,
    targets: Option<Vec<&'a str>>,
    not_sources: Vec<&'a str>,
    not_targets: Vec<&'a str>,
    draft: Option<bool>,
    merged: Range,
    /// Nothing when nobody is asked for, and nobody when the name is nobody's.
    merged_by: Option<Users>,
}

impl<'a> MergeFilter<'a> {
    /// Reads the filters of a list of merge requests.
    pub(super) fn read(look: &Look<'_>, args: Args<'a>) -> Result<Self, Error> {
        let not = |name: &str| args.object("not").and_then(|not| not.texts(name));
        let merged_by = args.filled("mergedBy");
        Ok(Self {
            item: ItemFilter::read(look, args)?,
            reviewer: args
                .filled("reviewerUsername")
                .map(|_| users(look, args, "reviewerUsername")),
            reviewed: args.text("reviewerWildcardId").map(|wanted| wanted == "ANY"),
            not_reviewers: args
                .object("not")
                .map_or_else(Users::new, |not| users(look, not, "reviewerUsername")),
            sources: args.texts("sourceBranches"),
            targets: args.texts("targetBranches"),
            not_sources: not("sourceBranches").unwrap_or_default(),
            not_targets: not("targetBranches").unwrap_or_default(),
            draft: args.flag("draft"),
            merged: Range::read(args, "mergedAfter", "mergedBefore")?,
            merged_by: merged_by.map(|_| users(look, args, "mergedBy")),
        })
    }

    /// Returns the bounds of the time that orders.
    pub(super) fn span(&self, order: &Order) -> Span {
        self.item.span(order)
    }

    /// Tells whether a merge request passes.
    pub(super) fn passes(&self, look: &Look<'_>, row: &MergeRequest) -> bool {
        let (source, target) = (row.source_branch.as_str(), row.target_branch.as_str());
        let reviews = |user: &Option<UserId>| user.is_some_and(|id| row.reviewers.contains(&id));
        self.reviewer.as_ref().is_none_or(|users| users.iter().all(reviews))
            && self.reviewed.is_none_or(|any| any != row.reviewers.is_empty())
            && !self.not_reviewers.iter().any(reviews)
            && self.sources.as_ref().is_none_or(|names| names.contains(&source))
            && self.targets.as_ref().is_none_or(|names| names.contains(&target))
            && !self.not_sources.contains(&source)
            && !self.not_targets.contains(&target)
            && self.draft.is_none_or(|draft| draft == row.draft())
            && self.merged.holds(row.merged_at)
            && self.merged_by.as_ref().is_none_or(|users| {
                users.iter().flatten().any(|user| Some(*user) == row.merge_user)
            })
            && self.item.passes(look, &row.item, row.state())
    }
}

/// An order of items.
#[derive(Debug)]
pub(super) struct Order {
    by: String,
    /// The direction of keys and ids.
    pub(super) direction: Direction,
}

impl Order {
    /// Reads the order. The schema has a default, and knows both spellings of the usual ones.
    pub(super) fn read(args: Args<'_>) -> Self {
        let sort = args.text("sort").unwrap_or("CREATED_DESC").to_uppercase();
        let (by, direction) = sort.rsplit_once('_').unwrap_or((sort.as_str(), "DESC"));
        Self { by: by.to_owned(), direction: Direction::items(direction == "DESC") }
    }

    /// Returns the time by which the world keeps items in order too, if this is such an order.
    pub(super) fn time(&self) -> Option<&str> {
        matches!(self.by.as_str(), "UPDATED" | "CREATED").then_some(self.by.as_str())
    }

    /// Returns what an item is sorted by. Orders by what the world does not hold leave the ids.
    pub(super) fn key(&self, item: &Item, merged_at: Option<Timestamp>, severity: &str) -> Key {
        match self.by.as_str() {
            "CREATED" => Key::time(Some(item.created_at)),
            "UPDATED" => Key::time(Some(item.updated_at)),
            "CLOSED_AT" => Key::time(item.closed_at),
            "MERGED_AT" => Key::time(merged_at),
            "TITLE" => Key::Text(item.title.to_lowercase()),
            "SEVERITY" => Key::Number(match severity {
                "CRITICAL" => 4,
                "HIGH" => 3,
                "MEDIUM" => 2,
                "LOW" => 1,
                _ => 0,
            }),
            _ => Key::Nothing(()),
        }
    }
}

/// The projects whose items a list shows: those that belong and that the caller sees. `include
/// archived` is an argument of some lists; where it is none, archived projects are there.
pub(super) fn projects_of<'w>(
    look: &Look<'w>,
    args: Args<'_>,
    belongs: impl Fn(&Project) -> bool,
) -> Vec<&'w Project> {
    let hide_archived = args.flag("includeArchived") == Some(false);
    look.world
        .projects()
        .filter(|project| belongs(project) && !(hide_archived && project.archived))
        .filter(|project| look.world.sees_project(look.caller, project))
        .collect()
}
