//! The fields of the root.

use std::collections::BTreeSet;

use async_graphql::Error;

use super::args::Args;
use super::issue::{self, IssueRow};
use super::item::{IssueFilter, projects_of};
use super::merge_request::MergeRow;
use super::node::{Look, Node, Out};
use super::note::NoteRow;
use super::page::{Direction, Key, Place, connect};
use super::{group, project};
use crate::world::{
    GroupId, ItemKind, ItemRef, LabelId, Project, ProjectId, User, UserId, Visibility,
};

/// Answers a field of the root.
pub(super) fn field(look: &Look<'_>, name: &str, args: Args<'_>) -> Result<Out, Error> {
    let world = look.world;
    Ok(match name {
        "currentUser" => Out::node(look.caller.user().map(|user| Node::User(user.id))),
        "echo" => echo(look, args),
        "metadata" => metadata(look),
        "queryComplexity" => Out::facts([
            ("score", look.asking.complexity.into()),
            ("limit", look.asking.limit.into()),
        ]),
        "project" => {
            let found = args.text("fullPath").and_then(|path| world.find_project(path));
            Out::node(found.and_then(|row| project::node(look, row.id)))
        }
        "group" => {
            let found = args.text("fullPath").and_then(|path| world.find_group(path));
            Out::node(found.and_then(|row| group::node(look, row.id)))
        }
        "namespace" => {
            let path = args.text("fullPath").unwrap_or_default();
            let group = world.find_group(path);
            let seen = group.filter(|row| world.sees_group(look.caller, row));
            let project = world.find_project(path);
            let project = project
                .filter(|row| world.sees_project(look.caller, row))
                .map(|row| Node::ProjectNamespace(row.id));
            Out::node(seen.map(|row| Node::Namespace(row.id)).or(project))
        }
        "projects" => return projects(look, args),
        "groups" => return group::list(look, args, |_| true),
        "issue" => Out::node(issue::by_id(look, args.id("id", "Issue")?).map(Node::Issue)),
        "workItem" => Out::node(issue::by_id(look, args.id("id", "WorkItem")?).map(Node::WorkItem)),
        "workItemsByReference" => return super::work_item::by_reference(look, args),
        "issues" => {
            let filter = IssueFilter::read(look, args)?;
            let all = |_: &Project| true;
            return issue::list(look, args, &filter, projects_of(look, args, all), Node::Issue);
        }
        "mergeRequest" => {
            let id = args.id("id", "MergeRequest")?;
            let item = id.and_then(|id| world.find_by_id(ItemKind::MergeRequest, id));
            let found = item.and_then(|item| MergeRow::find(look, item));
            Out::node(found.map(Node::MergeRequest))
        }
        "note" => Out::node(note(look, args.id("id", "Note")?)),
        "user" => user(look, args)?,
        "users" => return users(look, args),
        _ => Out::Unknown,
    })
}

fn echo(look: &Look<'_>, args: Args<'_>) -> Out {
    let name = look.caller.user().map_or("nil", |user| user.username.as_str());
    let text = args.text("text").unwrap_or_default();
    format!("\"{name}\" says: {text}").into()
}

fn metadata(look: &Look<'_>) -> Out {
    if look.caller.user().is_none() {
        return Out::NULL;
    }
    let version = look.site.version.clone();
    let revision = crate::hash::hex40(&version)[..11].to_owned();
    Out::facts([
        ("version", version.into()),
        ("revision", revision.into()),
        ("enterprise", (look.site.tier != crate::server::Tier::Community).into()),
        (
            "kas",
            Out::facts([
                ("enabled", false.into()),
                ("externalUrl", Out::NULL),
                ("version", Out::NULL),
            ]),
        ),
    ])
}

fn note(look: &Look<'_>, id: Option<u64>) -> Option<Node> {
    look.world.projects().find_map(|project| {
        let holds = |notes: &[crate::world::Note]| notes.iter().any(|note| Some(note.id) == id);
        let issues = project
            .issues
            .values()
            .filter(|row| holds(&row.item.notes))
            .map(|row| ItemRef::issue(project.id, row.item.iid));
        let merge_requests = project
            .merge_requests
            .values()
            .filter(|row| holds(&row.item.notes))
            .map(|row| ItemRef::merge_request(project.id, row.item.iid));
        let item = issues.chain(merge_requests).next()?;
        match item.kind {
            ItemKind::Issue => IssueRow::find(look, item).map(|_| ())?,
            ItemKind::MergeRequest => MergeRow::find(look, item).map(|_| ())?,
        }
        let rows = NoteRow::visible(look, item, &look.world.item(item)?.notes);
        rows.into_iter().find(|row| Some(row.note.id) == id).map(Node::Note)
    })
}

fn user(look: &Look<'_>, args: Args<'_>) -> Result<Out, Error> {
    let id = args.id("id", "User")?;
    let name = args.text("username");
    let found = match (id, name) {
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::new("Provide either a single username or id"));
        }
        (Some(id), None) => look.world.user(UserId::new(id)),
        (None, Some(name)) => look.world.find_user(name),
    };
    Ok(Out::node(found.map(|user| Node::User(user.id))))
}

fn users(look: &Look<'_>, args: Args<'_>) -> Result<Out, Error> {
    let ids = args.ids("ids", "User")?;
    let names = args.texts("usernames");
    if ids.is_some() && names.is_some() {
        return Err(Error::new("Provide either a list of usernames or ids"));
    }
    if look.caller.user().is_none() && args.filled("search").is_some() {
        return Err(Error::new(super::node::NOT_AVAILABLE));
    }
    let words = args.filled("search").map(str::to_lowercase);
    let passes = |user: &&User| {
        ids.as_ref().is_none_or(|ids| ids.contains(&user.id.get()))
            && names.as_ref().is_none_or(|names| names.contains(&user.username.as_str()))
            && words.as_ref().is_none_or(|words| {
                user.username.to_lowercase().contains(words)
                    || user.name.to_lowercase().contains(words)
            })
    };
    let rows = look
        .world
        .users()
        .filter(passes)
        .map(|user| {
            let key = Key::time(Some(user.created_at));
            (Place::new(key, user.id.get()), user.id)
        })
        .collect();
    let rising = args.text("sort").is_some_and(|sort| sort.to_lowercase().ends_with("asc"));
    connect(args, Direction::items(!rising), rows, |id| Some(Node::User(id)))
}

/// `projects`: all that the caller sees, filtered.
fn projects(look: &Look<'_>, args: Args<'_>) -> Result<Out, Error> {
    let world = look.world;
    let ids = args.ids("ids", "Project")?;
    let paths: Option<BTreeSet<String>> =
        args.texts("fullPaths").map(|paths| paths.into_iter().map(str::to_lowercase).collect());
    let topics = args.texts("topics").unwrap_or_default();
    let words = args.filled("search").map(str::to_lowercase);
    let with_namespaces = args.flag("searchNamespaces") == Some(true);
    let namespace: Option<GroupId> = match args.filled("namespacePath") {
        Some(path) => match world.find_group(path) {
            Some(group) => Some(group.id),
            None => return connect(args, Direction::items(true), Vec::new(), no_project),
        },
        None => None,
    };
    let level = args.text("minAccessLevel").and_then(project::level);
    let marked_on = args.text("markedForDeletionOn");
    let visible = |row: &&Project| world.sees_project(look.caller, row);
    let passes = |row: &&Project| {
        ids.as_ref().is_none_or(|ids| ids.contains(&row.id.get()))
            && paths.as_ref().is_none_or(|paths| paths.contains(&row.full_path.to_lowercase()))
            && topics.iter().all(|topic| row.topics.contains(*topic))
            && namespace.is_none_or(|group| row.group == group)
            && match args.text("archived") {
                Some("ONLY") => row.archived,
                Some("EXCLUDE") => !row.archived,
                _ => true,
            }
            && words.as_ref().is_none_or(|words| {
                row.name.to_lowercase().contains(words)
                    || row.path.to_lowercase().contains(words)
                    || row.description.to_lowercase().contains(words)
                    || (with_namespaces && row.full_path.to_lowercase().contains(words))
            })
            && args
                .flag("aimedForDeletion")
                .is_none_or(|aimed| !aimed || row.marked_for_deletion_on.is_some())
            && (args.flag("notAimedForDeletion") != Some(true)
                || row.marked_for_deletion_on.is_none())
            && marked_on.is_none_or(|day| {
                row.marked_for_deletion_on.is_some_and(|marked| marked.to_string() == day)
            })
            && args.text("visibilityLevel").is_none_or(|word| {
                word == match row.visibility {
                    Visibility::Private => "private",
                    Visibility::Internal => "internal",
                    Visibility::Public => "public",
                }
            })
            && (args.flag("membership") != Some(true) || world.access(look.caller, row).is_some())
            && level.is_none_or(|level| world.access(look.caller, row) >= Some(level))
    };
    let sort = args.text("sort").unwrap_or("id_desc").to_lowercase();
    let (column, direction) = sort.rsplit_once('_').unwrap_or((sort.as_str(), "desc"));
    let rows = world
        .projects()
        .filter(visible)
        .filter(passes)
        .map(|row| (project::place(row, column), row.id))
        .collect();
    let falling = direction != "asc";
    connect(args, Direction { falling, falling_ids: falling }, rows, |id: ProjectId| {
        Some(Node::Project(id))
    })
}

fn no_project(_: LabelId) -> Option<Node> {
    None
}
