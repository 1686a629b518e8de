//! Issues, and what merge requests and work items share with them.

use std::sync::Arc;

use async_graphql::Error;

use super::args::Args;
use super::item::{IssueFilter, Order};
use super::merge_request::MergeRow;
use super::node::{Look, Node, Out};
use super::note;
use super::page::{Direction, Key, Place, connect, list as in_order};
use super::project;
use super::walk::walk;
use crate::rest::web_segment;
use crate::world::{Issue, Item, ItemKind, ItemRef, MilestoneOwner, Project, ProjectId, UserId};

/// An issue as it was when it was found.
#[derive(Debug)]
pub(super) struct IssueRow {
    pub(super) project: ProjectId,
    pub(super) issue: Issue,
}

impl IssueRow {
    /// Finds an issue, if the caller sees it.
    pub(super) fn find(look: &Look<'_>, item: ItemRef) -> Option<Arc<Self>> {
        let project = look.world.project(item.project)?;
        let issue = look.world.issue(item.project, item.iid)?;
        let seen = item.kind == ItemKind::Issue
            && look.world.sees_project(look.caller, project)
            && look.world.sees_issue(look.caller, project, issue);
        seen.then(|| Arc::new(Self { project: item.project, issue: issue.clone() }))
    }

    /// Names the issue.
    pub(super) fn named(&self) -> ItemRef {
        ItemRef::issue(self.project, self.issue.item.iid)
    }
}

/// Makes a connection of the issues of some projects.
pub(super) fn list(
    look: &Look<'_>,
    args: Args<'_>,
    filter: &IssueFilter<'_>,
    projects: Vec<&Project>,
    wrap: impl Fn(Arc<IssueRow>) -> Node,
) -> Result<Out, Error> {
    let order = Order::read(args);
    let node = |item| IssueRow::find(look, item).map(&wrap);
    let passes = |project: &Project, iid: u64| {
        look.world.issue(project.id, iid).is_some_and(|issue| {
            look.world.sees_issue(look.caller, project, issue) && filter.passes(look, issue)
        })
    };
    let by = (&order, filter.span(&order));
    if let Some(page) = walk(look, args, ItemKind::Issue, by, &projects, passes, node)? {
        return Ok(page);
    }
    let mut rows = Vec::new();
    for project in projects {
        for issue in project.issues.values() {
            if look.world.sees_issue(look.caller, project, issue) && filter.passes(look, issue) {
                let item = &issue.item;
                let key = order.key(item, None, &issue.severity);
                rows.push((Place::new(key, item.id), ItemRef::issue(project.id, item.iid)));
            }
        }
    }
    connect(args, order.direction, rows, node)
}

/// Finds the first issue of a project by filters, as `project { issue(iid: …) }` asks for.
pub(super) fn single(look: &Look<'_>, args: Args<'_>, project: &Project) -> Result<Out, Error> {
    let filter = IssueFilter::read(look, args)?;
    let order = Order::read(args);
    let found = project
        .issues
        .values()
        .filter(|issue| look.world.sees_issue(look.caller, project, issue))
        .filter(|issue| filter.passes(look, issue))
        .map(|issue| {
            let key = order.key(&issue.item, None, &issue.severity);
            (Place::new(key, issue.item.id), issue.item.iid)
        });
    let first = found.min_by(|(a, _), (b, _)| order.direction.compare(a, b));
    let row = first.and_then(|(_, iid)| IssueRow::find(look, ItemRef::issue(project.id, iid)));
    Ok(Out::node(row.map(Node::Issue)))
}

/// Counts the issues of a project by state.
pub(super) fn counts(look: &Look<'_>, args: Args<'_>, project: &Project) -> Result<Out, Error> {
    let filter = IssueFilter::read(look, args)?;
    let (mut opened, mut closed) = (0, 0);
    for issue in project.issues.values() {
        if look.world.sees_issue(look.caller, project, issue) && filter.passes(look, issue) {
            *if issue.item.closed_at.is_some() { &mut closed } else { &mut opened } += 1;
        }
    }
    Ok(Out::facts([
        ("all", (opened + closed).into()),
        ("opened", opened.into()),
        ("closed", closed.into()),
    ]))
}

/// Answers a field of an issue.
pub(super) fn field(
    look: &Look<'_>,
    row: &Arc<IssueRow>,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    let IssueRow { project, issue } = &**row;
    let world = look.world;
    Ok(match name {
        "id" => format!("gid://gitlab/Issue/{}", issue.item.id).into(),
        "state" => issue.state().into(),
        "type" => issue.issue_type.word().to_uppercase().into(),
        "severity" => issue.severity.to_uppercase().into(),
        "confidential" => issue.confidential.into(),
        "moved" => issue.moved_to.is_some().into(),
        "movedTo" => Out::node(by_id(look, issue.moved_to).map(Node::Issue)),
        "closedAsDuplicateOf" => {
            let original = world.duplicate_of(row.named());
            Out::node(original.and_then(|item| IssueRow::find(look, item)).map(Node::Issue))
        }
        "relatedMergeRequests" => return related_merge_requests(look, args, row.named()),
        "mergeRequestsCount" => closing(look, row).len().into(),
        "linkedWorkItems" => return super::work_item::linked(look, args, row),
        "assignees" => return people(args, &issue.item.assignees),
        "projectId" => project.get().into(),
        _ => return shared_field(look, row.named(), &issue.item, name, args),
    })
}

/// Makes a connection of the merge requests that mention an issue.
pub(super) fn related_merge_requests(
    look: &Look<'_>,
    args: Args<'_>,
    issue: ItemRef,
) -> Result<Out, Error> {
    let rows = look.world.related_merge_requests(issue);
    let seen = rows.into_iter().filter_map(|item| MergeRow::find(look, item));
    in_order(args, seen.map(Node::MergeRequest).collect())
}

/// Returns the merge requests that close an issue when they are merged, as far as the caller sees
/// them.
pub(super) fn closing(look: &Look<'_>, row: &IssueRow) -> Vec<Arc<MergeRow>> {
    let found = look.world.closing(row.named());
    found.into_iter().filter_map(|item| MergeRow::find(look, item)).collect()
}

/// Finds an issue by its id on the instance.
pub(super) fn by_id(look: &Look<'_>, id: Option<u64>) -> Option<Arc<IssueRow>> {
    IssueRow::find(look, look.world.find_by_id(ItemKind::Issue, id?)?)
}

/// Makes a connection of users, in the order of their ids.
pub(super) fn people(args: Args<'_>, users: &[UserId]) -> Result<Out, Error> {
    let mut users = users.to_vec();
    users.sort_unstable();
    users.dedup();
    let rows = users.into_iter().map(|id| (Place::new(Key::Number(0), id.get()), id)).collect();
    connect(args, Direction::RISING, rows, |id| Some(Node::User(id)))
}

/// Answers a field that issues, work items and merge requests have in common.
pub(super) fn shared_field(
    look: &Look<'_>,
    named: ItemRef,
    item: &Item,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    let world = look.world;
    Ok(match name {
        "iid" => item.iid.to_string().into(),
        "title" | "titleHtml" | "name" => look.text(&item.title).into(),
        "description" => Out::maybe(look.long_text(item.description.as_ref())),
        "descriptionHtml" => {
            Out::maybe(look.long_text(item.description.as_ref()).map(|text| project::html(&text)))
        }
        "createdAt" => Out::time(item.created_at),
        "updatedAt" => Out::time(item.updated_at),
        "closedAt" => Out::maybe_time(item.closed_at),
        "webPath" => path(look, named).into(),
        "webUrl" => look.url(&path(look, named)).into(),
        "reference" => {
            let full = args.flag("full") == Some(true);
            let short = format!("{}{}", named.kind.sigil(), named.iid);
            let reference = if full { world.reference(named) } else { None };
            reference.unwrap_or(short).into()
        }
        "author" => Out::node(world.user(item.author).map(|user| Node::User(user.id))),
        "labels" => return labels(look, args, item),
        "notes" => return note::list(look, args, named, &item.notes),
        "discussions" => return note::discussions(look, args, named, &item.notes),
        "userNotesCount" => item.notes.iter().filter(|note| !note.system).count().into(),
        // Here every comment begins a discussion of its own.
        "userDiscussionsCount" => item.notes.iter().filter(|note| !note.system).count().into(),
        "commenters" | "participants" => {
            let notes = note::NoteRow::visible(look, named, &item.notes);
            let writers = notes.iter().filter(|row| !row.note.system).map(|row| row.note.author);
            let mut users: Vec<UserId> = writers.collect();
            if name == "participants" {
                users.push(item.author);
                users.extend(&item.assignees);
            }
            return people(args, &users);
        }
        "taskCompletionStatus" => {
            let (count, completed) =
                item.description.as_ref().map_or((0, 0), crate::world::Text::tasks);
            Out::facts([("count", count.into()), ("completedCount", completed.into())])
        }
        "discussionLocked" | "hidden" => false.into(),
        "upvotes" | "downvotes" | "timeEstimate" | "totalTimeSpent" => 0.into(),
        "milestone" => milestone(look, item),
        "dueDate" => Out::NULL,
        _ => Out::Unknown,
    })
}

/// Returns where an item is shown, as the REST interface says it.
pub(super) fn path(look: &Look<'_>, item: ItemRef) -> String {
    let project = look.world.project(item.project);
    let above = project.map(|row| row.full_path.as_str()).unwrap_or_default();
    let segment = match item.kind {
        ItemKind::Issue => web_segment(&look.site.version),
        ItemKind::MergeRequest => "/-/merge_requests/",
    };
    format!("/{above}{segment}{}", item.iid)
}

/// Shows the milestone of an item.
fn milestone(look: &Look<'_>, item: &Item) -> Out {
    let Some(row) = item.milestone.and_then(|id| look.world.milestone(id)) else {
        return Out::NULL;
    };
    let above = match row.owner {
        MilestoneOwner::Project(id) => look.world.project(id).map(|row| row.full_path.clone()),
        MilestoneOwner::Group(id) => {
            look.world.group(id).map(|row| format!("groups/{}", row.full_path))
        }
    };
    let today = look.world.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day =
        |day: Option<jiff::civil::Date>| Out::maybe(day.map(|day| format!("{day}T00:00:00Z")));
    Out::facts([
        ("id", format!("gid://gitlab/Milestone/{}", row.id).into()),
        ("iid", row.iid.to_string().into()),
        ("title", row.title.clone().into()),
        ("description", row.description.clone().into()),
        ("state", row.state().into()),
        ("createdAt", Out::time(row.created_at)),
        ("updatedAt", Out::time(row.updated_at)),
        ("dueDate", day(row.due_date)),
        ("startDate", day(row.start_date)),
        ("expired", row.expired(today).into()),
        ("webPath", format!("/{}/-/milestones/{}", above.unwrap_or_default(), row.iid).into()),
    ])
}

/// Makes a connection of the labels of an item, by title.
pub(super) fn labels(look: &Look<'_>, args: Args<'_>, item: &Item) -> Result<Out, Error> {
    let rows = item
        .labels
        .iter()
        .filter_map(|id| look.world.label(*id))
        .map(|label| (Place::new(Key::Text(label.title.clone()), label.id.get()), label.id))
        .collect();
    connect(args, Direction::RISING, rows, |id| Some(Node::Label(id)))
}
