//! Groups, and the same as namespaces.

use async_graphql::Error;

use super::args::Args;
use super::issue;
use super::item::{IssueFilter, projects_of};
use super::node::{Look, Node, Out};
use super::page::{Direction, Key, Place, connect};
use super::{merge_request, pipeline, project};
use crate::world::{Group, GroupId, LabelOwner, Project};

/// Makes a node of a group, if the caller sees it.
pub(super) fn node(look: &Look<'_>, id: GroupId) -> Option<Node> {
    let row = look.world.group(id)?;
    look.world.sees_group(look.caller, row).then_some(Node::Group(id))
}

/// Makes a connection of groups that the caller sees.
pub(super) fn list(
    look: &Look<'_>,
    args: Args<'_>,
    belongs: impl Fn(&Group) -> bool,
) -> Result<Out, Error> {
    let world = look.world;
    let ids = args.ids("ids", "Group")?;
    let words = args.filled("search").map(str::to_lowercase);
    let owned = args.flag("ownedOnly") == Some(true) || args.flag("owned") == Some(true);
    let all = args.flag("allAvailable") != Some(false);
    let parent = args.filled("parentPath").map(|path| world.find_group(path).map(|row| row.id));
    let passes = |row: &&Group| {
        belongs(row)
            && ids.as_ref().is_none_or(|ids| ids.contains(&row.id.get()))
            && (args.flag("topLevelOnly") != Some(true) || row.parent.is_none())
            && parent.is_none_or(|parent| parent.is_some() && row.parent == parent)
            && words.as_ref().is_none_or(|words| {
                row.name.to_lowercase().contains(words) || row.path.to_lowercase().contains(words)
            })
            && world.sees_group(look.caller, row)
            && match (owned, all) {
                (true, _) => {
                    world.group_access(look.caller, row) == Some(crate::world::AccessLevel::Owner)
                }
                (false, true) => true,
                (false, false) => world.group_access(look.caller, row).is_some(),
            }
    };
    let sort = args.text("sort").unwrap_or("NAME_ASC").to_lowercase();
    let (column, direction) = sort.rsplit_once('_').unwrap_or((sort.as_str(), "asc"));
    let rows = world
        .groups()
        .filter(passes)
        .map(|row| {
            let key = match column {
                "created_at" | "updated_at" => Key::time(Some(row.created_at)),
                "path" => Key::Text(row.path.to_lowercase()),
                "name" => Key::Text(row.name.to_lowercase()),
                _ => Key::Number(0),
            };
            (Place::new(key, row.id.get()), row.id)
        })
        .collect();
    let falling = direction == "desc";
    connect(args, Direction { falling, falling_ids: falling }, rows, |id| Some(Node::Group(id)))
}

/// Answers a field of a group, also where it is shown as a namespace.
pub(super) fn field(
    look: &Look<'_>,
    id: GroupId,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    let world = look.world;
    let Some(row) = world.group(id) else {
        return Ok(Out::NULL);
    };
    let path = format!("/groups/{}", row.full_path);
    let below = |project: &Project| match args.flag("includeSubgroups") {
        Some(true) => world.is_within(project.group, id),
        _ => project.group == id,
    };
    let is_below = |group: &Group| group.id != id && world.is_within(group.id, id);
    Ok(match name {
        "id" => format!("gid://gitlab/Group/{id}").into(),
        "name" => row.name.clone().into(),
        "path" => row.path.clone().into(),
        "fullName" => row.full_name.clone().into(),
        "fullPath" => row.full_path.clone().into(),
        "webUrl" => look.url(&path).into(),
        "webPath" => path.into(),
        "description" => look.text(&row.description).into(),
        "descriptionHtml" => project::html(&look.text(&row.description)).into(),
        "visibility" => project::visibility(row.visibility).into(),
        "createdAt" | "updatedAt" => Out::time(row.created_at),
        "parent" => Out::node(row.parent.and_then(|parent| node(look, parent))),
        // Work items of a group itself are epics, which the edition that is served does not have.
        "avatarUrl" | "workItem" => Out::NULL,
        "archived" | "isSelfDeletionInProgress" | "shareWithGroupLock" => false.into(),
        "lfsEnabled" | "requestAccessEnabled" | "mergeRequestsEnabled" => true.into(),
        "markedForDeletion" | "isSelfDeletionScheduled" => {
            row.marked_for_deletion_on.is_some().into()
        }
        "markedForDeletionOn" => Out::maybe(row.marked_for_deletion_on.map(|day| day.to_string())),
        "maxAccessLevel" => project::access(world.group_access(look.caller, row)),
        "descendantGroups" => {
            let direct = args.flag("includeParentDescendants") == Some(false);
            return list(look, args, |group| {
                if direct { group.parent == Some(id) } else { is_below(group) }
            });
        }
        "descendantGroupsCount" => {
            let seen = world.groups().filter(|group| is_below(group));
            seen.filter(|group| world.sees_group(look.caller, group)).count().into()
        }
        "projects" => return projects(look, args, id),
        "projectsCount" => {
            let seen = world.projects().filter(|project| project.group == id);
            seen.filter(|project| world.sees_project(look.caller, project)).count().into()
        }
        "issues" => {
            let filter = IssueFilter::read(look, args)?;
            let projects = projects_of(look, args, below);
            return issue::list(look, args, &filter, projects, Node::Issue);
        }
        "mergeRequests" => {
            return merge_request::list(look, args, projects_of(look, args, below));
        }
        "releases" => {
            let projects = projects_of(look, args, |row| world.is_within(row.group, id));
            return pipeline::releases(args, &projects, "RELEASED_AT_DESC");
        }
        "label" => {
            let found = args.text("title").and_then(|title| {
                let owner = LabelOwner::Group(id);
                world.labels().find(|label| label.owner == owner && label.title == title)
            });
            Out::node(found.map(|label| Node::Label(label.id)))
        }
        "labels" => return project::labels(look, args, &owners(look, args, row)),
        "workItems" => return work_items(look, args, id),
        _ => Out::Unknown,
    })
}

/// Returns whose labels the labels of a group are: also those of the projects that lie in it, unless
/// only the group's are asked for.
fn owners(look: &Look<'_>, args: Args<'_>, group: &Group) -> Vec<LabelOwner> {
    let world = look.world;
    let mut groups = vec![group.id];
    if args.flag("includeAncestorGroups") == Some(true) {
        groups.extend(world.lineage(group.id).skip(1).map(|group| group.id));
    }
    if args.flag("includeDescendantGroups") == Some(true) {
        let below = world.groups().filter(|row| row.id != group.id);
        let below = below.filter(|row| world.is_within(row.id, group.id));
        let seen = below.filter(|row| world.sees_group(look.caller, row));
        groups.extend(seen.map(|row| row.id));
    }
    let mut owners: Vec<LabelOwner> = groups.iter().copied().map(LabelOwner::Group).collect();
    if args.flag("onlyGroupLabels") != Some(true) {
        let rows = world.projects().filter(|row| groups.contains(&row.group));
        let seen = rows.filter(|row| world.sees_project(look.caller, row));
        owners.extend(seen.map(|row| LabelOwner::Project(row.id)));
    }
    owners
}

fn work_items(look: &Look<'_>, args: Args<'_>, id: GroupId) -> Result<Out, Error> {
    let filter = IssueFilter::read(look, args)?;
    let deep = args.flag("includeDescendants") == Some(true);
    let projects = projects_of(look, args, |row| deep && look.world.is_within(row.group, id));
    issue::list(look, args, &filter, projects, Node::WorkItem)
}

fn projects(look: &Look<'_>, args: Args<'_>, id: GroupId) -> Result<Out, Error> {
    let world = look.world;
    let ids = args.ids("ids", "Project")?;
    let words = args.filled("search").map(str::to_lowercase);
    let deep = args.flag("includeSubgroups") == Some(true);
    let rows = projects_of(look, args, |row| {
        (row.group == id || (deep && world.is_within(row.group, id)))
            && ids.as_ref().is_none_or(|ids| ids.contains(&row.id.get()))
            && (args.flag("archivedOnly") != Some(true) || row.archived)
            && (args.flag("notAimedForDeletion") != Some(true)
                || row.marked_for_deletion_on.is_none())
            // Both are on everywhere.
            && args.flag("withIssuesEnabled") != Some(false)
            && args.flag("withMergeRequestsEnabled") != Some(false)
            && words.as_ref().is_none_or(|words| {
                row.name.to_lowercase().contains(words)
                    || row.path.to_lowercase().contains(words)
                    || row.description.to_lowercase().contains(words)
            })
    });
    let sort = args.text("sort").unwrap_or("ID_DESC").to_lowercase();
    let (column, direction) = sort.rsplit_once('_').unwrap_or((sort.as_str(), "desc"));
    let falling = direction != "asc";
    let rows = rows.into_iter().map(|row| (project::place(row, column), row.id)).collect();
    connect(args, Direction { falling, falling_ids: falling }, rows, |id| Some(Node::Project(id)))
}
