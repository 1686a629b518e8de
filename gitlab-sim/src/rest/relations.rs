//! Which issues and merge requests belong together.
//!
//! What the caller may not see is left out, and the list gets shorter; issues of a tracker
//! elsewhere have a key for an id and no number.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::shape::Stamp;
use super::{Call, issues, merge_requests, paging};
use crate::world::{ItemRef, Project, Related};

/// `GET /projects/:id/issues/:iid/links`
pub(super) fn links(call: &Call<'_>, project: &Project, iid: &str) -> Result<Answer, Failure> {
    let issue = issues::find(call, project, iid)?;
    let rows: Vec<Value> = call
        .world
        .links_of(project.id, issue.item.iid)
        .into_iter()
        .filter_map(|link| {
            let mut shape = visible_issue(call, link.other)?;
            shape["issue_link_id"] = json!(link.id);
            shape["link_type"] = json!(link.kind.word());
            shape["link_created_at"] = json!(Stamp(link.created_at));
            shape["link_updated_at"] = json!(Stamp(link.updated_at));
            Some(shape)
        })
        .collect();
    Ok(Answer::json(&rows))
}

fn visible_issue(call: &Call<'_>, issue: ItemRef) -> Option<Value> {
    let project = call.world.project(issue.project)?;
    let row = call.world.issue(issue.project, issue.iid)?;
    let seen = call.world.sees_project(call.caller, project)
        && call.world.sees_issue(call.caller, project, row);
    seen.then(|| issues::shape(call, project, row))
}

/// `GET …/issues/:iid/related_merge_requests`, and `…/closed_by`, which looks in the same project
/// only.
pub(super) fn merge_requests(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    iid: &str,
    closing: bool,
) -> Result<Answer, Failure> {
    let issue = ItemRef::issue(project.id, issues::find(call, project, iid)?.item.iid);
    let rows = if closing {
        let mut rows = call.world.closing(issue);
        rows.retain(|row| row.project == project.id);
        rows
    } else {
        call.world.related_merge_requests(issue)
    };
    let rows: Vec<Value> = rows
        .into_iter()
        .filter_map(|row| {
            let project = call.world.project(row.project)?;
            let merge_request = call.world.merge_request(row.project, row.iid)?;
            call.world
                .reads_code(call.caller, project)
                .then(|| merge_requests::shape(call, project, merge_request))
        })
        .collect();
    paging::list(call, call.echo(&[], id), &rows, Clone::clone)
}

/// `GET …/merge_requests/:iid/closes_issues` and `…/related_issues`
pub(super) fn issues(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    iid: &str,
    closing: bool,
) -> Result<Answer, Failure> {
    let row = merge_requests::find(call, project, iid)?;
    let merge_request = ItemRef::merge_request(project.id, row.item.iid);
    let related = if closing {
        call.world.closed_by(merge_request)
    } else {
        call.world.related_issues(merge_request)
    };
    let rows: Vec<Value> = related
        .into_iter()
        .filter_map(|related| match related {
            Related::Issue(issue) => visible_issue(call, issue),
            Related::External(key) => {
                Some(json!({"title": format!("External Issue {key}"), "id": key}))
            }
        })
        .collect();
    paging::list(call, call.echo(&[], id), &rows, Clone::clone)
}
