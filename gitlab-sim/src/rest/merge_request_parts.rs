//! What lies below one merge request: commits, diffs, versions, pipelines.
//!
//! A merge request of the simulator has one commit, which changes one file.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::git::Commit;
use super::shape::Stamp;
use super::{Call, merge_requests, paging, pipelines};
use crate::world::{MergeRequest, Pipeline, Project};

fn echo(call: &Call<'_>, id: &str, iid: &str) -> super::query::Query {
    let mut echo = call.echo(&[], id);
    echo.set("merge_request_iid", iid);
    echo
}

/// `GET …/merge_requests/:iid/commits`
pub(super) fn commits(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    iid: &str,
) -> Result<Answer, Failure> {
    let row = merge_requests::find(call, project, iid)?;
    let rows = [Commit::of_merge_request(project, row)];
    paging::list(call, echo(call, id, iid), &rows, |commit| commit.shape(call, project))
}

fn diff(row: &MergeRequest) -> Value {
    let path = format!("changes/{}.md", row.item.iid);
    json!({
        "diff": format!("@@ -0,0 +1 @@\n+{}\n", row.item.title),
        "collapsed": false,
        "too_large": false,
        "new_path": path,
        "old_path": path,
        "a_mode": "0",
        "b_mode": "100644",
        "new_file": true,
        "renamed_file": false,
        "deleted_file": false,
        "generated_file": false,
    })
}

/// `GET …/merge_requests/:iid/diffs`
pub(super) fn diffs(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    iid: &str,
) -> Result<Answer, Failure> {
    let row = merge_requests::find(call, project, iid)?;
    paging::list(call, echo(call, id, iid), &[diff(row)], Clone::clone)
}

/// `GET …/merge_requests/:iid/changes`
pub(super) fn changes(call: &Call<'_>, project: &Project, iid: &str) -> Result<Answer, Failure> {
    let row = merge_requests::find(call, project, iid)?;
    let mut shape = merge_requests::detail(call, project, row);
    shape["changes"] = json!([diff(row)]);
    shape["overflow"] = json!(false);
    Ok(Answer::json(&shape))
}

/// `GET …/merge_requests/:iid/versions`
pub(super) fn versions(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    iid: &str,
) -> Result<Answer, Failure> {
    let row = merge_requests::find(call, project, iid)?;
    let commit = Commit::of_merge_request(project, row);
    let rows = [json!({
        "id": row.item.id,
        "head_commit_sha": commit.sha,
        "base_commit_sha": project.head(),
        "start_commit_sha": project.head(),
        "created_at": Stamp(row.item.created_at),
        "merge_request_id": row.item.id,
        "state": "collected",
        "real_size": "1",
        "patch_id_sha": null,
    })];
    paging::list(call, echo(call, id, iid), &rows, Clone::clone)
}

/// `GET …/merge_requests/:iid/pipelines`
pub(super) fn pipelines(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    iid: &str,
) -> Result<Answer, Failure> {
    let row = merge_requests::find(call, project, iid)?;
    let rows: Vec<&Pipeline> = of_branch(project, row).collect();
    paging::list(call, echo(call, id, iid), &rows, |row| pipelines::shape(call, project, row))
}

/// Lists the pipelines of a merge request, the newest first.
pub(super) fn of_branch<'w>(
    project: &'w Project,
    row: &'w MergeRequest,
) -> impl Iterator<Item = &'w Pipeline> {
    let target = project.default_branch == row.source_branch;
    project
        .pipelines
        .iter()
        .rev()
        .filter(move |pipeline| !target && pipeline.branch == row.source_branch)
}
