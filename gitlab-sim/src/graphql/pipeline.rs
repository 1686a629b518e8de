//! Pipelines and releases.

use std::sync::Arc;

use async_graphql::Error;

use super::args::Args;
use super::node::{Look, Node, Out};
use super::page::{Direction, Key, Place, connect};
use super::{project, repository};
use crate::world::{Pipeline, Project, ProjectId, Release};

const RUNNING: [&str; 1] = ["running"];
const PENDING: [&str; 4] = ["created", "waiting_for_resource", "preparing", "pending"];
const FINISHED: [&str; 4] = ["success", "failed", "canceled", "skipped"];

fn passes(args: Args<'_>, row: &Pipeline) -> Result<bool, Error> {
    let (after, before) = (args.time("updatedAfter")?, args.time("updatedBefore")?);
    let status = row.status.as_str();
    Ok(args.text("status").is_none_or(|wanted| wanted.eq_ignore_ascii_case(status))
        && args.text("ref").is_none_or(|wanted| wanted == row.branch)
        && args.text("sha").is_none_or(|wanted| wanted == row.sha)
        && args.text("source").is_none_or(|wanted| wanted.eq_ignore_ascii_case(&row.source))
        && match args.text("scope") {
            Some("RUNNING") => RUNNING.contains(&status),
            Some("PENDING") => PENDING.contains(&status),
            Some("FINISHED") => FINISHED.contains(&status),
            // Pipelines run for branches here; a tag is no branch.
            Some("TAGS") => false,
            _ => true,
        }
        // The world does not keep who started a pipeline.
        && args.text("username").is_none()
        && after.is_none_or(|after| row.updated_at >= after)
        && before.is_none_or(|before| row.updated_at <= before))
}

/// Makes a connection of the pipelines of a project, the newest first. `of_branch` narrows them to
/// one branch.
pub(super) fn list(
    look: &Look<'_>,
    args: Args<'_>,
    id: ProjectId,
    of_branch: Option<&str>,
) -> Result<Out, Error> {
    let Some(project) =
        look.world.project(id).filter(|row| look.world.reads_code(look.caller, row))
    else {
        return Ok(Out::NULL);
    };
    let mut rows = Vec::new();
    for row in &project.pipelines {
        if of_branch.is_none_or(|branch| branch == row.branch) && passes(args, row)? {
            rows.push((Place::new(Key::Number(0), row.id), row));
        }
    }
    connect(args, Direction::items(true), rows, |row| {
        Some(Node::Pipeline(id, Arc::new(row.clone())))
    })
}

/// Finds a pipeline by id, number or commit.
pub(super) fn single(look: &Look<'_>, args: Args<'_>, row: &Project) -> Result<Out, Error> {
    if !look.world.reads_code(look.caller, row) {
        return Ok(Out::NULL);
    }
    let id = args.id("id", "Ci::Pipeline")?;
    let iid = args.text("iid").map(|iid| iid.parse().unwrap_or(0));
    let sha = args.text("sha");
    if id.is_none() && iid.is_none() && sha.is_none() {
        return Err(Error::new("Provide one of id, iid or sha"));
    }
    let found = row.pipelines.iter().rev().find(|pipeline| {
        id.is_none_or(|id| id == pipeline.id)
            && iid.is_none_or(|iid: u64| iid == pipeline.iid)
            && sha.is_none_or(|sha| sha == pipeline.sha)
    });
    Ok(Out::node(found.map(|pipeline| Node::Pipeline(row.id, Arc::new(pipeline.clone())))))
}

/// Counts the pipelines of a project by what became of them.
pub(super) fn counts(look: &Look<'_>, args: Args<'_>, row: &Project) -> Out {
    if !look.world.reads_code(look.caller, row) {
        return Out::NULL;
    }
    let counted: Vec<&str> = row
        .pipelines
        .iter()
        .filter(|row| passes(args, row).unwrap_or(false))
        .map(|row| row.status.as_str())
        .collect();
    let among = |statuses: &[&str]| {
        Out::from(counted.iter().filter(|status| statuses.contains(status)).count())
    };
    Out::facts([
        ("all", counted.len().into()),
        ("finished", among(&FINISHED)),
        ("pending", among(&PENDING)),
        ("running", among(&RUNNING)),
    ])
}

/// Answers a field of a pipeline.
pub(super) fn field(look: &Look<'_>, project: ProjectId, row: &Arc<Pipeline>, name: &str) -> Out {
    let finished = FINISHED.contains(&row.status.as_str());
    let above = look.world.project(project);
    let path = above.map(|row| format!("/{}", row.full_path)).unwrap_or_default();
    let seconds = row.updated_at.duration_since(row.created_at).as_secs();
    match name {
        "id" => format!("gid://gitlab/Ci::Pipeline/{}", row.id).into(),
        "iid" => row.iid.to_string().into(),
        "sha" => row.sha.clone().into(),
        "ref" => row.branch.clone().into(),
        "source" => row.source.clone().into(),
        "status" => row.status.to_uppercase().into(),
        "path" => format!("{path}/-/pipelines/{}", row.id).into(),
        "commitPath" => format!("{path}/-/commit/{}", row.sha).into(),
        "commit" => repository::commit(look, project, &row.sha, row.created_at),
        "createdAt" => Out::time(row.created_at),
        "updatedAt" => Out::time(row.updated_at),
        "startedAt" => {
            let waits = PENDING.contains(&row.status.as_str());
            Out::maybe_time((!waits).then_some(row.created_at))
        }
        "finishedAt" => Out::maybe_time(finished.then_some(row.updated_at)),
        "duration" => Out::maybe(finished.then_some(seconds)),
        "project" => Out::node(project::node(look, project)),
        "active" => (!finished).into(),
        "complete" => finished.into(),
        "child" => false.into(),
        "latest" => above
            .and_then(|above| above.pipelines.iter().rev().find(|one| one.branch == row.branch))
            .is_some_and(|latest| latest.id == row.id)
            .into(),
        "beforeSha" | "coverage" | "name" => Out::NULL,
        "detailedStatus" => {
            let status = row.status.as_str();
            let word = if status == "success" { "passed" } else { status };
            let mut text = word.replace('_', " ");
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            Out::facts([
                ("id", format!("{status}-{}", row.id).into()),
                ("group", status.to_owned().into()),
                ("hasDetails", true.into()),
                ("icon", format!("status_{status}").into()),
                ("label", word.to_owned().into()),
                ("name", status.to_uppercase().into()),
                ("text", text.into()),
                ("tooltip", word.to_owned().into()),
                ("detailsPath", format!("{path}/-/pipelines/{}", row.id).into()),
            ])
        }
        _ => Out::Unknown,
    }
}

/// Makes a connection of the releases of some projects that the caller sees: no more is asked for.
pub(super) fn releases(args: Args<'_>, projects: &[&Project], default: &str) -> Result<Out, Error> {
    let sort = args.text("sort").unwrap_or(default);
    let mut rows = Vec::new();
    for project in projects {
        for row in &project.releases {
            let time = if sort.starts_with("CREATED") { row.created_at } else { row.released_at };
            rows.push((Place::new(Key::time(Some(time)), row.id), (project.id, row)));
        }
    }
    let falling = sort.ends_with("DESC");
    connect(args, Direction { falling, falling_ids: falling }, rows, |(project, row)| {
        Some(Node::Release(project, Arc::new(row.clone())))
    })
}

/// Answers a field of a release.
pub(super) fn release_field(
    look: &Look<'_>,
    project: ProjectId,
    row: &Arc<Release>,
    name: &str,
) -> Out {
    let above = look.world.project(project);
    let path = above.map(|row| format!("/{}", row.full_path)).unwrap_or_default();
    match name {
        "id" => format!("gid://gitlab/Release/{}", row.id).into(),
        "name" => row.name.clone().into(),
        "tagName" => row.tag.clone().into(),
        "tagPath" => format!("{path}/-/tags/{}", row.tag).into(),
        "description" => look.text(&row.description).into(),
        "descriptionHtml" => project::html(&look.text(&row.description)).into(),
        "createdAt" => Out::time(row.created_at),
        "releasedAt" => Out::time(row.released_at),
        "upcomingRelease" => (row.released_at > look.world.clock().now()).into(),
        "historicalRelease" => (row.released_at < row.created_at).into(),
        "author" => Out::node(look.world.user(row.author).map(|user| Node::User(user.id))),
        "commit" => above
            .filter(|above| look.world.reads_code(look.caller, above))
            .and_then(|above| above.tags.iter().find(|tag| tag.name == row.tag))
            .map_or(Out::NULL, |tag| repository::commit(look, project, &tag.sha, tag.created_at)),
        _ => Out::Unknown,
    }
}
