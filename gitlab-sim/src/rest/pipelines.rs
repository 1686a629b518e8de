//! Pipelines of a project.

use serde::Serialize;

use super::answer::{Answer, Failure};
use super::groups::directed;
use super::shape::Stamp;
use super::{Call, paging};
use crate::world::{Pipeline, Project, ProjectId};

const ORDERS: [&str; 5] = ["id", "status", "ref", "updated_at", "user_id"];
const STATUSES: [&str; 13] = [
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
    "scheduled",
];

const SCOPES: [&str; 5] = ["running", "pending", "finished", "branches", "tags"];

/// Tells whether a pipeline of some status is in a scope. They all run for branches here.
fn is_in(scope: &str, status: &str) -> bool {
    match scope {
        "running" => status == "running",
        "pending" => ["created", "waiting_for_resource", "preparing", "pending"].contains(&status),
        "finished" => ["success", "failed", "canceled", "skipped"].contains(&status),
        "tags" => false,
        _ => true,
    }
}

#[derive(Serialize)]
struct PipelineShape<'w> {
    id: u64,
    iid: u64,
    project_id: ProjectId,
    sha: &'w str,
    r#ref: &'w str,
    status: &'w str,
    source: &'w str,
    created_at: Stamp,
    updated_at: Stamp,
    web_url: String,
    name: Option<&'w str>,
}

impl<'w> PipelineShape<'w> {
    fn new(call: &Call<'_>, project: &Project, pipeline: &'w Pipeline) -> Self {
        Self {
            id: pipeline.id,
            iid: pipeline.iid,
            project_id: project.id,
            sha: &pipeline.sha,
            r#ref: &pipeline.branch,
            status: &pipeline.status,
            source: &pipeline.source,
            created_at: Stamp(pipeline.created_at),
            updated_at: Stamp(pipeline.updated_at),
            web_url: format!("{}/{}/-/pipelines/{}", call.site.url, project.full_path, pipeline.id),
            name: None,
        }
    }
}

/// Renders a pipeline as lists do.
pub(super) fn shape<'w>(
    call: &Call<'_>,
    project: &Project,
    pipeline: &'w Pipeline,
) -> impl Serialize + use<'w> {
    PipelineShape::new(call, project, pipeline)
}

fn readable(call: &Call<'_>, project: &Project) -> Result<(), Failure> {
    if call.world.reads_code(call.caller, project) { Ok(()) } else { Err(Failure::Forbidden) }
}

/// `GET /projects/:id/pipelines`
pub(super) fn list(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    let query = &call.query;
    let order = query.one_of("order_by", &ORDERS)?.unwrap_or("id");
    let descending = query.descending(true)?;
    let status = query.one_of("status", &STATUSES)?;
    let branch = query.filled("ref");
    let sha = query.filled("sha");
    let source = query.filled("source");
    let scope = query.one_of("scope", &SCOPES)?;
    // Nothing here has a name or a broken file, nor is it kept who started what.
    let nothing = query.filled("username").is_some()
        || query.filled("name").is_some()
        || query.flag("yaml_errors")? == Some(true);
    let updated = (query.time("updated_after")?, query.time("updated_before")?);
    let created = (query.time("created_after")?, query.time("created_before")?);
    let mut rows: Vec<&Pipeline> = project
        .pipelines
        .iter()
        .filter(|row| !nothing && scope.is_none_or(|scope| is_in(scope, &row.status)))
        .filter(|row| branch.is_none_or(|branch| row.branch == branch))
        .filter(|row| sha.is_none_or(|sha| row.sha == sha))
        .filter(|row| source.is_none_or(|source| row.source == source))
        .filter(|row| status.is_none_or(|status| row.status == status))
        .filter(|row| updated.0.is_none_or(|after| row.updated_at >= after))
        .filter(|row| updated.1.is_none_or(|before| row.updated_at <= before))
        .filter(|row| created.0.is_none_or(|after| row.created_at >= after))
        .filter(|row| created.1.is_none_or(|before| row.created_at <= before))
        .collect();
    rows.sort_unstable_by(|a, b| {
        let ordering = match order {
            "status" => a.status.cmp(&b.status),
            "ref" => a.branch.cmp(&b.branch),
            "updated_at" => a.updated_at.cmp(&b.updated_at),
            _ => a.id.cmp(&b.id),
        };
        directed(ordering.then(a.id.cmp(&b.id)), descending)
    });
    let echo = call.echo(&[("order_by", "id"), ("sort", "desc")], id);
    paging::list(call, echo, &rows, |row| PipelineShape::new(call, project, row))
}

/// `GET /projects/:id/pipelines/latest`
///
/// Without a pipeline GitLab checks a permission on nothing, and so answers 403.
pub(super) fn latest(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    readable(call, project)?;
    let branch = call.query.filled("ref").unwrap_or(&project.default_branch);
    project
        .pipelines
        .iter()
        .filter(|row| row.branch == branch)
        .max_by_key(|row| row.id)
        .map(|row| Answer::json(&PipelineShape::new(call, project, row)))
        .ok_or(Failure::Forbidden)
}

/// `GET /projects/:id/pipelines/:pipeline_id`
pub(super) fn one(call: &Call<'_>, project: &Project, number: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    number
        .parse()
        .ok()
        .and_then(|number: u64| project.pipelines.iter().find(|row| row.id == number))
        .map(|row| Answer::json(&PipelineShape::new(call, project, row)))
        .ok_or(Failure::NoRecord)
}
