//! Releases.

use serde_json::{Value, json};

use super::Scene;
use super::shape::utc;
use crate::world::{ProjectId, Release};

/// The archives that GitLab offers of every tag.
const ARCHIVES: [&str; 4] = ["zip", "tar.gz", "tar.bz2", "tar"];

/// The body of a release event.
pub(super) fn body(scene: Scene<'_>, project: ProjectId, release: &Release) -> Option<Value> {
    let project = scene.world.project(project)?;
    let (page, tag) = (scene.page(project), &release.tag);
    let archive = |format: &&str| {
        let file = format!("{}-{tag}.{format}", project.path);
        json!({"format": format, "url": format!("{page}/-/archive/{tag}/{file}")})
    };
    let commit = project.tags.iter().find(|row| &row.name == tag).map(|row| {
        let message = format!("Release {tag}");
        scene.commit(project, &row.sha, &message, release.author, row.created_at)
    });
    Some(json!({
        "object_kind": "release",
        "action": "create",
        "id": release.id,
        "name": release.name,
        "tag": tag,
        "description": release.description,
        "created_at": utc(release.created_at),
        "released_at": utc(release.released_at),
        "url": format!("{page}/-/releases/{tag}"),
        "project": scene.project(project),
        "assets": {
            "count": ARCHIVES.len(),
            "links": [],
            "sources": ARCHIVES.iter().map(archive).collect::<Vec<_>>(),
        },
        "commit": commit,
    }))
}
