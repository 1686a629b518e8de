//! Jobs, environments and deployments.
//!
//! Every pipeline has one job that went as the pipeline did. There are no environments and no
//! deployments: the lists are empty, but ask for what GitLab asks for.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::shape::Stamp;
use super::{Call, paging, pipelines, tour};
use crate::world::{Pipeline, Project};

fn readable(call: &Call<'_>, project: &Project) -> Result<(), Failure> {
    if call.world.reads_code(call.caller, project) { Ok(()) } else { Err(Failure::Forbidden) }
}

fn job(call: &Call<'_>, project: &Project, pipeline: &Pipeline) -> Value {
    let finished = matches!(pipeline.status.as_str(), "success" | "failed" | "canceled");
    let mut shape = json!({
        "id": pipeline.id,
        "status": pipeline.status,
        "stage": "test",
        "name": "test",
        "ref": pipeline.branch,
        "tag": project.tags.iter().any(|tag| tag.name == pipeline.branch),
        "coverage": null,
        "allow_failure": false,
        "created_at": Stamp(pipeline.created_at),
        "started_at": Stamp(pipeline.created_at),
        "finished_at": finished.then_some(Stamp(pipeline.updated_at)),
        "erased_at": null,
        "duration": null,
        "queued_duration": null,
        "user": null,
        "commit": null,
        "pipeline": pipelines::shape(call, project, pipeline),
        "web_url": format!("{}/{}/-/jobs/{}", call.site.url, project.full_path, pipeline.id),
        "project": {"ci_job_token_scope_enabled": true},
        "artifacts": [],
        "runner": null,
        "runner_manager": null,
        "artifacts_expire_at": null,
        "archived": false,
        "tag_list": [],
    });
    // On jobs that did not fail the field is absent, not null.
    if pipeline.status == "failed" {
        shape["failure_reason"] = json!("script_failure");
    }
    shape
}

fn find<'w>(project: &'w Project, number: &str) -> Result<&'w Pipeline, Failure> {
    number
        .parse()
        .ok()
        .and_then(|number: u64| project.pipelines.iter().find(|row| row.id == number))
        .ok_or(Failure::NoRecord)
}

/// `GET /projects/:id/pipelines/:pipeline_id/jobs`
pub(super) fn jobs(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    number: &str,
) -> Result<Answer, Failure> {
    readable(call, project)?;
    let rows = [find(project, number)?];
    let mut echo = call.echo(&[("include_retried", "false")], id);
    echo.set("pipeline_id", number);
    Ok(paging::list(call, echo, &rows, |row| job(call, project, row))?.unconditional())
}

/// `GET /projects/:id/pipelines/:pipeline_id/{bridges,variables}`, of which there are none.
pub(super) fn bridges(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    number: &str,
) -> Result<Answer, Failure> {
    readable(call, project)?;
    find(project, number)?;
    tour::empty(call, id)
}

/// `GET /projects/:id/jobs`
pub(super) fn all_jobs(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    let rows: Vec<&Pipeline> = project.pipelines.iter().rev().collect();
    paging::list(call, call.echo(&[], id), &rows, |row| job(call, project, row))
}

/// `GET /projects/:id/environments`
pub(super) fn environments(
    call: &Call<'_>,
    project: &Project,
    id: &str,
) -> Result<Answer, Failure> {
    readable(call, project)?;
    call.query.one_of("states", &["available", "stopping", "stopped"])?;
    tour::empty(call, id)
}

/// `GET /projects/:id/deployments`
pub(super) fn deployments(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    let query = &call.query;
    let orders = ["id", "iid", "created_at", "updated_at", "finished_at", "ref"];
    let order = query.one_of("order_by", &orders)?.unwrap_or("id");
    query.descending(false)?;
    for (name, paired) in [("updated", "updated_at"), ("finished", "finished_at")] {
        let after = query.time(&format!("{name}_after"))?;
        let before = query.time(&format!("{name}_before"))?;
        if (after.is_some() || before.is_some()) && order != paired {
            return Err(Failure::BadRequest(format!(
                "`{paired}` filter and `{paired}` sorting must be paired"
            )));
        }
    }
    tour::empty(call, id)
}
