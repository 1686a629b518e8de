//! Projects and labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::Error;

use super::args::Args;
use super::item::IssueFilter;
use super::node::{Look, Node, Out};
use super::page::{Direction, Key, Place, connect, list as in_order};
use super::{issue, merge_request, pipeline};
use crate::world::{AccessLevel, ItemRef, LabelId, LabelOwner, Project, ProjectId, Visibility};

/// Languages by the ends of file names. Only these are counted.
const LANGUAGES: [(&str, &str); 16] = [
    ("c", "C"),
    ("css", "CSS"),
    ("go", "Go"),
    ("html", "HTML"),
    ("java", "Java"),
    ("js", "JavaScript"),
    ("kt", "Kotlin"),
    ("php", "PHP"),
    ("py", "Python"),
    ("rb", "Ruby"),
    ("rs", "Rust"),
    ("scala", "Scala"),
    ("sh", "Shell"),
    ("swift", "Swift"),
    ("tf", "HCL"),
    ("ts", "TypeScript"),
];

/// Makes a node of a project, if the caller sees it.
pub(super) fn node(look: &Look<'_>, id: ProjectId) -> Option<Node> {
    let row = look.world.project(id)?;
    look.world.sees_project(look.caller, row).then_some(Node::Project(id))
}

/// Returns where a project stands in an order by a column.
pub(super) fn place(row: &Project, column: &str) -> Place {
    let key = match column {
        "created" | "created_at" => Key::time(Some(row.created_at)),
        "updated" | "updated_at" => Key::time(Some(row.updated_at)),
        "latest_activity" | "last_activity_at" | "activity" => {
            Key::time(Some(row.last_activity_at))
        }
        "name" => Key::Text(row.name.to_lowercase()),
        "path" => Key::Text(row.path.to_lowercase()),
        "full_path" => Key::Text(row.full_path.to_lowercase()),
        _ => Key::Number(0),
    };
    Place::new(key, row.id.get())
}

/// Reads an access level. `NO_ACCESS` and the like ask for nothing.
pub(super) fn level(word: &str) -> Option<AccessLevel> {
    Some(match word {
        "GUEST" => AccessLevel::Guest,
        "PLANNER" => AccessLevel::Planner,
        "REPORTER" => AccessLevel::Reporter,
        "DEVELOPER" => AccessLevel::Developer,
        "MAINTAINER" => AccessLevel::Maintainer,
        "OWNER" => AccessLevel::Owner,
        _ => return None,
    })
}

/// Shows a role as GraphQL does.
pub(super) fn access(level: Option<AccessLevel>) -> Out {
    let words = level.map(|level| match level {
        AccessLevel::Guest => ("GUEST", "Guest"),
        AccessLevel::Planner => ("PLANNER", "Planner"),
        AccessLevel::Reporter => ("REPORTER", "Reporter"),
        AccessLevel::Developer => ("DEVELOPER", "Developer"),
        AccessLevel::Maintainer => ("MAINTAINER", "Maintainer"),
        AccessLevel::Owner => ("OWNER", "Owner"),
    });
    Out::facts([
        ("integerValue", level.map_or(0, AccessLevel::number).into()),
        ("stringValue", words.map_or("NO_ACCESS", |(word, _)| word).into()),
        ("humanAccess", words.map_or("No access", |(_, human)| human).into()),
    ])
}

/// Returns the word of a visibility.
pub(super) fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "private",
        Visibility::Internal => "internal",
        Visibility::Public => "public",
    }
}

/// Renders a text as the plainest HTML that shows it.
pub(super) fn html(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p dir=\"auto\">{escaped}</p>")
}

/// Answers a field of a project.
pub(super) fn field(
    look: &Look<'_>,
    id: ProjectId,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    let world = look.world;
    let Some(row) = world.project(id) else {
        return Ok(Out::NULL);
    };
    let reads_code = world.reads_code(look.caller, row);
    let path = format!("/{}", row.full_path);
    let group = world.group(row.group);
    Ok(match name {
        "id" => format!("gid://gitlab/Project/{id}").into(),
        "fullPath" => row.full_path.clone().into(),
        "path" => row.path.clone().into(),
        "name" => row.name.clone().into(),
        "nameWithNamespace" => {
            let above = group.map(|group| group.full_name.as_str()).unwrap_or_default();
            format!("{above} / {}", row.name).into()
        }
        "webUrl" => look.url(&path).into(),
        "webPath" => path.into(),
        "httpUrlToRepo" => look.url(&format!("{path}.git")).into(),
        "sshUrlToRepo" => {
            let url = look.site.url.as_str();
            let host = url.split_once("://").map_or(url, |(_, host)| host);
            let host = host.split([':', '/']).next().unwrap_or(host);
            format!("git@{host}:{}.git", row.full_path).into()
        }
        "description" => look.text(&row.description).into(),
        "descriptionHtml" => html(&look.text(&row.description)).into(),
        "topics" => {
            Out::Value(row.topics.iter().cloned().map(async_graphql::Value::from).collect())
        }
        "tagList" => row.topics.iter().cloned().collect::<Vec<_>>().join(", ").into(),
        "visibility" => visibility(row.visibility).into(),
        "archived" => row.archived.into(),
        "markedForDeletion" | "isSelfDeletionScheduled" => {
            row.marked_for_deletion_on.is_some().into()
        }
        "markedForDeletionOn" => Out::maybe(row.marked_for_deletion_on.map(|day| day.to_string())),
        "createdAt" => Out::time(row.created_at),
        "updatedAt" => Out::time(row.updated_at),
        "lastActivityAt" => Out::time(row.last_activity_at),
        "group" => Out::node(
            group
                .filter(|group| world.sees_group(look.caller, group))
                .map(|row| Node::Group(row.id)),
        ),
        "namespace" => Out::node(
            group
                .filter(|group| world.sees_group(look.caller, group))
                .map(|row| Node::Namespace(row.id)),
        ),
        "maxAccessLevel" => access(world.access(look.caller, row)),
        "repository" => Out::node(reads_code.then_some(Node::Repository(id))),
        "languages" if reads_code => languages(row),
        "statistics" => statistics(look, row),
        "issuesEnabled"
        | "mergeRequestsEnabled"
        | "wikiEnabled"
        | "jobsEnabled"
        | "lfsEnabled"
        | "publicJobs"
        | "requestAccessEnabled"
        | "autocloseReferencedIssues" => true.into(),
        "isCatalogResource" | "isSelfDeletionInProgress" => false.into(),
        "isForked" => row.forked_from.is_some().into(),
        "forkedFrom" => Out::node(row.forked_from.and_then(|origin| node(look, origin))),
        "forksCount" => world.forks(id).count().into(),
        "starCount" => 0.into(),
        "openMergeRequestsCount" if reads_code => {
            row.merge_requests.values().filter(|row| row.state() == "opened").count().into()
        }
        // Whoever may not read the code is not told the last two.
        "avatarUrl" | "languages" | "openMergeRequestsCount" => Out::NULL,
        "importStatus" => "none".into(),
        "openIssuesCount" => {
            let seen = row.issues.values().filter(|issue| issue.item.closed_at.is_none());
            seen.filter(|issue| world.sees_issue(look.caller, row, issue)).count().into()
        }
        _ => return lists(look, row, name, args),
    })
}

/// Answers the fields of a project that hold other things.
fn lists(look: &Look<'_>, row: &Project, name: &str, args: Args<'_>) -> Result<Out, Error> {
    let id = row.id;
    Ok(match name {
        "issue" => return issue::single(look, args, row),
        "issueStatusCounts" => return issue::counts(look, args, row),
        "issues" => {
            let filter = IssueFilter::read(look, args)?;
            return issue::list(look, args, &filter, vec![row], Node::Issue);
        }
        "workItems" => {
            let filter = IssueFilter::read(look, args)?;
            return issue::list(look, args, &filter, vec![row], Node::WorkItem);
        }
        "mergeRequests" => return merge_request::list(look, args, vec![row]),
        "mergeRequest" => {
            let iid = args.text("iid").and_then(|iid| iid.parse().ok());
            let found = iid.and_then(|iid| {
                merge_request::MergeRow::find(look, ItemRef::merge_request(id, iid))
            });
            Out::node(found.map(Node::MergeRequest))
        }
        "label" => {
            let found = args.text("title").and_then(|title| look.world.find_label(id, title));
            Out::node(found.map(Node::Label))
        }
        "labels" => {
            let mut owners = vec![LabelOwner::Project(id)];
            if args.flag("includeAncestorGroups") == Some(true) {
                let above = look.world.lineage(row.group);
                owners.extend(above.map(|group| LabelOwner::Group(group.id)));
            }
            return labels(look, args, &owners);
        }
        "pipelines" => return pipeline::list(look, args, id, None),
        "pipeline" => pipeline::single(look, args, row)?,
        "pipelineCounts" => pipeline::counts(look, args, row),
        "releases" => return pipeline::releases(args, &[row], "RELEASED_AT_DESC"),
        "release" => {
            let found =
                row.releases.iter().find(|row| Some(row.tag.as_str()) == args.text("tagName"));
            Out::node(found.map(|row| Node::Release(id, Arc::new(row.clone()))))
        }
        // Nobody deploys and nothing runs by the clock here, but the limit is there.
        "environments" => return none_but_once(look, args, "environments"),
        "nestedEnvironments" => return none_but_once(look, args, "nestedEnvironments"),
        "jobs" => return none_but_once(look, args, "jobs"),
        "pipelineSchedules" => return none_but_once(look, args, "pipelineSchedules"),
        _ => Out::Unknown,
    })
}

/// Answers a field of a project that is shown as the namespace of its work items.
pub(super) fn namespace_field(
    look: &Look<'_>,
    id: ProjectId,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    Ok(match name {
        "id" => format!("gid://gitlab/Namespaces::ProjectNamespace/{id}").into(),
        "fullName" => return field(look, id, "nameWithNamespace", args),
        "projects" => return in_order(args, Vec::new()),
        "workItem" => {
            let iid = args.text("iid").and_then(|iid| iid.parse().ok());
            let found = iid.and_then(|iid| issue::IssueRow::find(look, ItemRef::issue(id, iid)));
            Out::node(found.map(Node::WorkItem))
        }
        _ => return field(look, id, name, args),
    })
}

fn none_but_once(look: &Look<'_>, args: Args<'_>, field: &'static str) -> Result<Out, Error> {
    look.once(field, "Project")?;
    in_order(args, Vec::new())
}

fn languages(row: &Project) -> Out {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, content) in &row.files {
        let end = path.rsplit_once('.').map(|(_, end)| end).unwrap_or_default();
        if let Some((_, language)) = LANGUAGES.iter().find(|(known, _)| *known == end) {
            *sizes.entry(language).or_default() += content.len();
        }
    }
    let all = sizes.values().sum::<usize>().max(1);
    let mut shares: Vec<(&str, usize)> = sizes.into_iter().collect();
    shares.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let nodes = shares.into_iter().map(|(name, size)| {
        // In hundredths of a percent, as GitLab rounds it.
        let share = u32::try_from(size * 10_000 / all).unwrap_or(10_000);
        let facts = [("name", name.into()), ("share", (f64::from(share) / 100.0).into())];
        Node::Facts(Arc::new(facts.into_iter().collect()))
    });
    Out::Nodes(nodes.collect())
}

fn statistics(look: &Look<'_>, row: &Project) -> Out {
    if look.world.access(look.caller, row) < Some(AccessLevel::Reporter) {
        return Out::NULL;
    }
    let number = |size: u64| Out::from(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
    let size = number(row.files.values().map(|content| content.len() as u64).sum());
    Out::facts([
        ("commitCount", number(row.revision)),
        ("repositorySize", size.clone()),
        ("storageSize", size),
    ])
}

/// Makes a connection of the labels of some owners, by title.
pub(super) fn labels(look: &Look<'_>, args: Args<'_>, owners: &[LabelOwner]) -> Result<Out, Error> {
    let title = args.text("title");
    let words = args.filled("searchTerm").map(str::to_lowercase);
    let fields = args.texts("searchIn").unwrap_or_default();
    let rows = look
        .world
        .labels()
        .filter(|label| owners.contains(&label.owner))
        .filter(|label| title.is_none_or(|title| title == label.title))
        .filter(|label| {
            words.as_ref().is_none_or(|words| {
                let description = label.description.as_deref().unwrap_or_default().to_lowercase();
                (fields.contains(&"TITLE") && label.title.to_lowercase().contains(words))
                    || (fields.contains(&"DESCRIPTION") && description.contains(words))
            })
        })
        .map(|label| (Place::new(Key::Text(label.title.clone()), label.id.get()), label.id))
        .collect();
    connect(args, Direction::RISING, rows, |id| Some(Node::Label(id)))
}

/// Answers a field of a label.
pub(super) fn label_field(look: &Look<'_>, id: LabelId, name: &str) -> Out {
    let Some(label) = look.world.label(id) else {
        return Out::NULL;
    };
    let made = match label.owner {
        LabelOwner::Group(id) => look.world.group(id).map(|row| row.created_at),
        LabelOwner::Project(id) => look.world.project(id).map(|row| row.created_at),
    };
    match name {
        "id" => {
            let class = match label.owner {
                LabelOwner::Group(_) => "GroupLabel",
                LabelOwner::Project(_) => "ProjectLabel",
            };
            format!("gid://gitlab/{class}/{id}").into()
        }
        "title" => label.title.clone().into(),
        "description" => Out::maybe(label.description.clone()),
        "descriptionHtml" => Out::maybe(label.description.as_deref().map(html)),
        "color" => label.color.clone().into(),
        "textColor" => "#FFFFFF".into(),
        "archived" | "lockOnMerge" => false.into(),
        // The world does not keep when a label was made; it is as old as its owner.
        "createdAt" | "updatedAt" => Out::maybe_time(made),
        _ => Out::Unknown,
    }
}
