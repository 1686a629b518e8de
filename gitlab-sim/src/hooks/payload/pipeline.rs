//! Pipelines. The world has no jobs, so none are listed.

use serde_json::{Value, json};

use super::Scene;
use super::shape::utc;
use crate::world::{Pipeline, ProjectId};

/// Statuses from which a pipeline does not go on by itself.
const FINAL: [&str; 4] = ["success", "failed", "canceled", "skipped"];

/// The body of a pipeline event.
pub(super) fn body(scene: Scene<'_>, project: ProjectId, pipeline: &Pipeline) -> Option<Value> {
    let project = scene.world.project(project)?;
    let finished = FINAL.contains(&pipeline.status.as_str()).then_some(pipeline.updated_at);
    let tag = project.tags.iter().any(|tag| tag.name == pipeline.branch);
    let title = format!("Commit of {}", pipeline.branch);
    let at = pipeline.created_at;
    Some(json!({
        "object_kind": "pipeline",
        "object_attributes": {
            "before_sha": pipeline.sha,
            "created_at": utc(at),
            "detailed_status": match pipeline.status.as_str() {
                "success" => "passed",
                status => status,
            },
            "duration": finished.map(|end| end.duration_since(at).as_secs()),
            "finished_at": finished.map(utc),
            "id": pipeline.id,
            "iid": pipeline.iid,
            "name": null,
            "protected_ref": pipeline.branch == project.default_branch,
            "queued_duration": 0,
            "ref": pipeline.branch,
            "sha": pipeline.sha,
            "source": pipeline.source,
            "stages": [],
            "status": pipeline.status,
            "tag": tag,
            "url": format!("{}/-/pipelines/{}", scene.page(project), pipeline.id),
            "variables": [],
        },
        "merge_request": null,
        "user": scene.actor(),
        "project": scene.short_project(project),
        "commit": scene.commit(project, &pipeline.sha, &title, scene.event.by, at),
        "builds": [],
    }))
}
