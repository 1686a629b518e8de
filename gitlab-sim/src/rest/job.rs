//! The CI job behind a job token, and where such a token is let in.

use serde_json::json;

use super::Call;
use super::answer::{Answer, Failure};
use super::shape::{Stamp, UserShape};
use crate::auth::job_route::{Need, need};
use crate::world::{Caller, JobPermissions, Project, TokenJob};

/// Returns the job behind the caller.
fn job_of<'w>(call: &Call<'w>) -> Option<&'w TokenJob> {
    match call.caller {
        Caller::Anonymous => None,
        Caller::User { token, .. } => call.world.token_job(token.job()?),
    }
}

/// Lets a caller into a project that was found. For all but jobs that is a question of visibility;
/// a job is told why it stays outside if its user would not.
pub(super) fn admit<'w>(
    call: &Call<'w>,
    project: &'w Project,
    visible: bool,
) -> Result<&'w Project, Failure> {
    let Some(job) = job_of(call) else {
        return if visible { Ok(project) } else { Err(Failure::NotFound("Project")) };
    };
    let permissions = call.world.job_permissions(project.id, job.project);
    match (permissions, visible) {
        (None | Some(JobPermissions::All), true) => Ok(project),
        (Some(JobPermissions::Only(granted)), true) => {
            let rest = call.path.trim_start_matches('/').splitn(3, '/').nth(2);
            let rest: Vec<&str> = rest.map_or_else(Vec::new, |rest| rest.split('/').collect());
            match need(&rest) {
                Some(Need::Permission(wanted)) if granted.contains(wanted) => Ok(project),
                Some(Need::Permission(wanted)) => Err(Failure::Denied(format!(
                    "Insufficient permissions to access this resource in project {}. The following \
                     token permissions are required: {wanted}.",
                    project.full_path
                ))),
                Some(Need::Whole) | None => Err(Failure::Denied(
                    "This action is unauthorized for CI/CD job tokens.".to_owned(),
                )),
            }
        }
        (None, false) if call.world.user_sees_project(job.user, project) => {
            let from = call.world.project(job.project).map_or("", |row| row.full_path.as_str());
            Err(Failure::Denied(format!(
                "Authentication by CI/CD job token not allowed from {from} to project #{}.",
                project.id
            )))
        }
        (_, false) => Err(Failure::NotFound("Project")),
    }
}

/// `GET /job`
pub(super) fn own(call: &Call<'_>) -> Result<Answer, Failure> {
    call.signed_in()?;
    // Whoever comes with another kind of token has no job.
    let job = job_of(call).ok_or(Failure::NotFound("Job"))?;
    let project = call.world.project(job.project).ok_or(Failure::NotFound("Project"))?;
    let now = call.world.clock().now();
    let seconds = now.duration_since(job.started_at).as_secs_f64();
    let head = project.head();
    Ok(Answer::json(&json!({
        "id": job.id,
        "status": if job.finished_at.is_some() { "success" } else { "running" },
        "stage": job.stage,
        "name": job.name,
        "ref": job.branch,
        "tag": false,
        "coverage": null,
        "allow_failure": false,
        "created_at": Stamp(job.started_at),
        "started_at": Stamp(job.started_at),
        "finished_at": job.finished_at.map(Stamp),
        "erased_at": null,
        "duration": seconds,
        "queued_duration": 0.0,
        "user": UserShape::find(call, job.user),
        "commit": {
            "id": head,
            "short_id": &head[..8],
            "created_at": Stamp(project.created_at),
            "title": "Update files",
            "message": "Update files",
            "web_url": format!("{}/{}/-/commit/{head}", call.site.url, project.full_path),
        },
        "pipeline": {
            "id": job.id,
            "iid": job.id,
            "project_id": project.id,
            "sha": head,
            "ref": job.branch,
            "status": "running",
            "source": "push",
            "created_at": Stamp(job.started_at),
            "updated_at": Stamp(job.started_at),
            "web_url": format!(
                "{}/{}/-/pipelines/{}", call.site.url, project.full_path, job.id
            ),
        },
        "failure_reason": null,
        "web_url": format!("{}/{}/-/jobs/{}", call.site.url, project.full_path, job.id),
        "project": {"ci_job_token_scope_enabled": false},
        "artifacts": [],
        "runner": null,
        "runner_manager": null,
        "artifacts_expire_at": null,
        "archived": false,
        "tag_list": [],
    })))
}
