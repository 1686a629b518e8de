//! Work items: issues in the form that replaces them.
//!
//! What a work item has is cut into widgets. Their ids are those of the issues, in another class.

use std::sync::Arc;

use async_graphql::Error;

use super::args::Args;
use super::issue::{self, IssueRow, people};
use super::node::{Look, Node, Out};
use super::page::{Direction, Key, Place, connect, list as in_order};
use super::{note, project};
use crate::world::{IssueType, ItemRef, LinkKind};

/// A widget of a work item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Widget {
    Assignees,
    Description,
    Labels,
    Notes,
    Development,
    LinkedItems,
}

const WIDGETS: [Widget; 6] = [
    Widget::Assignees,
    Widget::Description,
    Widget::Labels,
    Widget::Notes,
    Widget::Development,
    Widget::LinkedItems,
];

impl Widget {
    /// Returns the name of its object type.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Assignees => "WorkItemWidgetAssignees",
            Self::Description => "WorkItemWidgetDescription",
            Self::Labels => "WorkItemWidgetLabels",
            Self::Notes => "WorkItemWidgetNotes",
            Self::Development => "WorkItemWidgetDevelopment",
            Self::LinkedItems => "WorkItemWidgetLinkedItems",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Assignees => "ASSIGNEES",
            Self::Description => "DESCRIPTION",
            Self::Labels => "LABELS",
            Self::Notes => "NOTES",
            Self::Development => "DEVELOPMENT",
            Self::LinkedItems => "LINKED_ITEMS",
        }
    }
}

/// Answers a field of a work item.
pub(super) fn field(
    look: &Look<'_>,
    row: &Arc<IssueRow>,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    let IssueRow { project, issue } = &**row;
    let world = look.world;
    let url = |found: Option<Arc<IssueRow>>| {
        Out::maybe(found.map(|row| look.url(&issue::path(look, row.named()))))
    };
    Ok(match name {
        "id" => format!("gid://gitlab/WorkItem/{}", issue.item.id).into(),
        "state" => state(row).into(),
        "project" => Out::node(project::node(look, *project)),
        "namespace" => Out::Node(Node::ProjectNamespace(*project)),
        "archived" => world.project(*project).is_some_and(|row| row.archived).into(),
        "confidential" => issue.confidential.into(),
        "imported" => false.into(),
        "movedToWorkItemUrl" => url(issue::by_id(look, issue.moved_to)),
        "duplicatedToWorkItemUrl" => {
            url(world.duplicate_of(row.named()).and_then(|item| IssueRow::find(look, item)))
        }
        "workItemType" => {
            let (id, name, icon) = match issue.issue_type {
                IssueType::Issue => (1, "Issue", "issue-type-issue"),
                IssueType::Incident => (2, "Incident", "issue-type-incident"),
                IssueType::Task => (5, "Task", "issue-type-task"),
            };
            Out::facts([
                ("id", format!("gid://gitlab/WorkItems::Type/{id}").into()),
                ("name", name.into()),
                ("iconName", icon.into()),
            ])
        }
        "widgets" => {
            let only = args.texts("onlyTypes");
            let except = args.texts("exceptTypes").unwrap_or_default();
            let wanted = WIDGETS.into_iter().filter(|widget| {
                only.as_ref().is_none_or(|only| only.contains(&widget.word()))
                    && !except.contains(&widget.word())
            });
            Out::Nodes(wanted.map(|widget| Node::Widget(Arc::clone(row), widget)).collect())
        }
        _ => return issue::shared_field(look, row.named(), &issue.item, name, args),
    })
}

fn state(row: &IssueRow) -> &'static str {
    if row.issue.item.closed_at.is_some() { "CLOSED" } else { "OPEN" }
}

/// Answers a field of a widget.
pub(super) fn widget_field(
    look: &Look<'_>,
    row: &Arc<IssueRow>,
    widget: Widget,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    let item = &row.issue.item;
    if name == "type" {
        return Ok(widget.word().into());
    }
    Ok(match (widget, name) {
        (Widget::Assignees, "assignees") => return people(args, &item.assignees),
        (Widget::Labels, "labels") => return issue::labels(look, args, item),
        (Widget::Notes, "notes") => return note::list(look, args, row.named(), &item.notes),
        (Widget::Notes, "discussions") => {
            return note::discussions(look, args, row.named(), &item.notes);
        }
        (Widget::Description, "edited") => false.into(),
        (Widget::Description, "lastEditedAt" | "lastEditedBy") => Out::NULL,
        (Widget::Notes, "discussionLocked")
        | (Widget::Description, "description" | "descriptionHtml" | "taskCompletionStatus") => {
            return issue::shared_field(look, row.named(), item, name, args);
        }
        (Widget::Development, "willAutoCloseByMergeRequest") => {
            (!issue::closing(look, row).is_empty()).into()
        }
        (Widget::Development, "closingMergeRequests") => return closing(look, args, row),
        (Widget::Development, "relatedMergeRequests") => {
            return issue::related_merge_requests(look, args, row.named());
        }
        (Widget::LinkedItems, "linkedItems") => return linked(look, args, row),
        _ => Out::Unknown,
    })
}

/// Makes a connection of the merge requests that close an issue when they are merged.
fn closing(look: &Look<'_>, args: Args<'_>, row: &IssueRow) -> Result<Out, Error> {
    let nodes = issue::closing(look, row).into_iter().map(|merge_request| {
        // The row that joins the two has an id of its own, which no other interface shows.
        let joined = merge_request.row.item.id * 1_000_003 + row.issue.item.id;
        let facts = [
            ("id", format!("gid://gitlab/MergeRequestsClosingIssues/{joined}").into()),
            ("fromMrDescription", true.into()),
            ("mergeRequest", Out::Node(Node::MergeRequest(merge_request))),
        ];
        Node::Facts(Arc::new(facts.into_iter().collect()))
    });
    in_order(args, nodes.collect())
}

/// Makes a connection of the items that an issue is linked to.
pub(super) fn linked(look: &Look<'_>, args: Args<'_>, row: &IssueRow) -> Result<Out, Error> {
    let only_related = args.text("filter") == Some("RELATED");
    let links = look.world.links_of(row.project, row.issue.item.iid);
    let nodes = links
        .into_iter()
        .filter(|link| !only_related || link.kind == LinkKind::RelatesTo)
        .filter_map(|link| {
            let other = IssueRow::find(look, link.other)?;
            let facts = [
                (
                    "linkId",
                    format!("gid://gitlab/WorkItems::RelatedWorkItemLink/{}", link.id).into(),
                ),
                ("linkType", link.kind.word().into()),
                ("linkCreatedAt", Out::time(link.created_at)),
                ("linkUpdatedAt", Out::time(link.updated_at)),
                ("workItemState", state(&other).into()),
                ("workItem", Out::Node(Node::WorkItem(other))),
            ];
            let place = Place::new(Key::Number(0), link.id);
            Some((place, Node::Facts(Arc::new(facts.into_iter().collect()))))
        });
    connect(args, Direction::RISING, nodes.collect(), Some)
}

/// `workItemsByReference`: full references, or short ones within a project.
pub(super) fn by_reference(look: &Look<'_>, args: Args<'_>) -> Result<Out, Error> {
    let context = args.filled("contextNamespacePath").unwrap_or_default();
    let found = args.texts("refs").unwrap_or_default().into_iter().filter_map(|reference| {
        let (path, iid) = reference.rsplit_once('#')?;
        let path = if path.is_empty() { context } else { path };
        let project = look.world.find_project(path)?;
        IssueRow::find(look, ItemRef::issue(project.id, iid.parse().ok()?))
    });
    in_order(args, found.map(Node::WorkItem).collect())
}
