//! Pushes, git tags, and the summary of both for system hooks.

use serde_json::{Value, json};

use super::Scene;
use super::shape::HIDDEN_EMAIL;
use crate::world::{Change, Commit, Project, ProjectId};

/// How many commits a body holds, the newest ones. `total_commits_count` counts them all.
const MAX_COMMITS: usize = 20;

/// Stands for "no commit": before a first push, after a deletion.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// A reference that went from one commit to another.
struct Move<'w> {
    project: &'w Project,
    kind: &'static str,
    reference: String,
    before: &'w str,
    after: &'w str,
    commits: Vec<Commit>,
}

impl<'w> Move<'w> {
    fn find(scene: Scene<'w>) -> Option<Self> {
        let project = |id: &ProjectId| scene.world.project(*id);
        let branch = |name: &str| format!("refs/heads/{name}");
        let tag = |name: &str| format!("refs/tags/{name}");
        Some(match &scene.event.what {
            Change::Push { project: id, before, after, commits } => {
                let project = project(id)?;
                let reference = branch(&project.default_branch);
                let commits = commits.clone();
                Self { project, kind: "push", reference, before, after, commits }
            }
            Change::BranchDeleted { project: id, name, sha } => Self {
                project: project(id)?,
                kind: "push",
                reference: branch(name),
                before: sha,
                after: NOTHING,
                commits: Vec::new(),
            },
            Change::Tag { project: id, name, sha } => Self {
                project: project(id)?,
                kind: "tag_push",
                reference: tag(name),
                before: NOTHING,
                after: sha,
                commits: vec![Commit {
                    sha: sha.clone(),
                    message: format!("Release {name}"),
                    added: Vec::new(),
                    modified: Vec::new(),
                    removed: Vec::new(),
                }],
            },
            Change::TagDeleted { project: id, name, sha } => Self {
                project: project(id)?,
                kind: "tag_push",
                reference: tag(name),
                before: sha,
                after: NOTHING,
                commits: Vec::new(),
            },
            Change::Issue { .. }
            | Change::MergeRequest { .. }
            | Change::Note { .. }
            | Change::Pipeline { .. }
            | Change::Release { .. }
            | Change::Project { .. }
            | Change::Group { .. }
            | Change::Member { .. }
            | Change::User { .. } => return None,
        })
    }
}

/// The body of a push or tag push event.
pub(super) fn body(scene: Scene<'_>) -> Option<Value> {
    let moved = Move::find(scene)?;
    let project = moved.project;
    let total = moved.commits.len();
    let newest = &moved.commits[total.saturating_sub(MAX_COMMITS)..];
    let default = format!("refs/heads/{}", project.default_branch);
    let mut body = json!({
        "object_kind": moved.kind,
        "event_name": moved.kind,
        "before": moved.before,
        "after": moved.after,
        "ref": moved.reference,
        "ref_protected": moved.reference == default,
        "checkout_sha": (moved.after != NOTHING).then_some(moved.after),
        "message": null,
        "project_id": project.id,
        "project": scene.project(project),
        "repository": scene.full_repository(project),
        "commits": newest.iter().map(|row| commit(scene, project, row)).collect::<Vec<_>>(),
        "total_commits_count": total,
        "push_options": {},
    });
    pusher(scene, &mut body)?;
    Some(body)
}

/// The body of a `repository_update` event.
pub(super) fn repository_update(scene: Scene<'_>) -> Option<Value> {
    let moved = Move::find(scene)?;
    let project = moved.project;
    let mut body = json!({
        "event_name": "repository_update",
        "project_id": project.id,
        "project": scene.project(project),
        "changes": [{"before": moved.before, "after": moved.after, "ref": moved.reference}],
        "refs": [moved.reference],
    });
    pusher(scene, &mut body)?;
    Some(body)
}

/// Adds who pushed.
fn pusher(scene: Scene<'_>, body: &mut Value) -> Option<()> {
    let user = scene.world.user(scene.event.by)?;
    body["user_id"] = json!(user.id);
    body["user_name"] = json!(user.name);
    body["user_username"] = json!(user.username);
    body["user_email"] = json!(HIDDEN_EMAIL);
    body["user_avatar"] = json!(scene.avatar(user));
    Some(())
}

fn commit(scene: Scene<'_>, project: &Project, commit: &Commit) -> Value {
    let Commit { sha, message, added, modified, removed } = commit;
    let mut shape = scene.commit(project, sha, message, scene.event.by, scene.event.at);
    shape["added"] = json!(added);
    shape["modified"] = json!(modified);
    shape["removed"] = json!(removed);
    shape
}
