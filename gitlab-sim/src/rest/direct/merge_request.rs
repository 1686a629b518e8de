//! The row of a merge request.

use super::Pen;
use crate::digits::Decimal;
use crate::rest::items::path_within;
use crate::rest::merge_requests::{View, comments, detailed_status};
use crate::rest::select::Row;
use crate::rest::shape::Stamp;
use crate::world::{MergeRequest, Text};

/// Writes what `MergeRequestShape` holds.
pub(in crate::rest) fn write(pen: &mut Pen<'_>, row: Row<'_, MergeRequest>, view: View<'_>) {
    let (project, merge_request) = row;
    let item = &merge_request.item;
    let iid = Decimal::new(item.iid);
    pen.put("{\"id\":").number(item.id).put(",\"iid\":").digits(&iid);
    pen.put(",\"project_id\":").number(project.id.get());
    pen.put(",\"title\":\"").plain(&item.title);
    pen.put("\",\"description\":").long_text(item.description.as_ref());
    pen.put(",\"state\":\"").put(merge_request.state());
    pen.put("\",\"created_at\":").time(Stamp(item.created_at));
    pen.put(",\"updated_at\":").time(Stamp(item.updated_at));
    if !view.simple {
        write_full(pen, row, view, &iid);
    }
    pen.put(",\"web_url\":\"").url().put("/").plain(&project.full_path);
    pen.put("/-/merge_requests/").digits(&iid).put("\"}");
}

/// Writes what `view=simple` leaves out.
fn write_full(
    pen: &mut Pen<'_>,
    (project, merge_request): Row<'_, MergeRequest>,
    view: View<'_>,
    iid: &Decimal,
) {
    let (call, item) = (pen.call, &merge_request.item);
    let project_id = Decimal::new(project.id.get());
    pen.put(",\"merged_by\":").user(merge_request.merge_user);
    pen.put(",\"merge_user\":").user(merge_request.merge_user);
    pen.put(",\"merged_at\":").time_or_null(merge_request.merged_at);
    pen.put(",\"closed_by\":").user(item.closed_by);
    pen.put(",\"closed_at\":").time_or_null(item.closed_at);
    pen.put(",\"target_branch\":\"").plain(&merge_request.target_branch);
    pen.put("\",\"source_branch\":\"").plain(&merge_request.source_branch);
    pen.put("\",\"user_notes_count\":").count(comments(call, merge_request, view.cached));
    pen.put(",\"upvotes\":0,\"downvotes\":0,\"author\":").user(Some(item.author));
    pen.put(",\"assignees\":").users(&item.assignees);
    pen.put(",\"assignee\":").user(item.assignees.first().copied());
    pen.put(",\"reviewers\":").users(&merge_request.reviewers);
    let source = merge_request.source_project.unwrap_or(project.id);
    pen.put(",\"source_project_id\":").number(source.get());
    pen.put(",\"target_project_id\":").digits(&project_id);
    pen.put(",\"labels\":").labels(&item.labels, view.details);
    let draft = merge_request.draft();
    pen.put(",\"draft\":").flag(draft);
    pen.put(",\"imported\":false,\"imported_from\":\"none\",\"work_in_progress\":").flag(draft);
    pen.put(",\"milestone\":").milestone(item.milestone);
    pen.put(",\"merge_when_pipeline_succeeds\":false,\"merge_status\":");
    pen.put("\"can_be_merged\",\"detailed_merge_status\":\"");
    pen.put(detailed_status(merge_request.state(), draft));
    pen.put("\",\"merge_after\":null,\"sha\":\"").put(&merge_request.head(project.id));
    pen.put("\",\"merge_commit_sha\":");
    match merge_request.merge_commit(project.id) {
        Some(name) => pen.put("\"").put(&name).put("\""),
        None => pen.put("null"),
    };
    pen.put(",\"squash_commit_sha\":null,\"discussion_locked\":null,");
    pen.put("\"should_remove_source_branch\":null,\"force_remove_source_branch\":true,");
    pen.put("\"prepared_at\":").time(Stamp(item.created_at));
    pen.put(",\"reference\":\"!").digits(iid);
    pen.put("\",\"references\":{\"short\":\"!").digits(iid);
    pen.put("\",\"relative\":\"").plain(path_within(project, view.in_group)).put("!").digits(iid);
    pen.put("\",\"full\":\"").plain(&project.full_path).put("!").digits(iid);
    pen.put("\"},\"time_stats\":{\"time_estimate\":0,\"total_time_spent\":0,");
    pen.put("\"human_time_estimate\":null,\"human_total_time_spent\":null},");
    let (tasks, done) = item.description.as_ref().map(Text::tasks).unwrap_or_default();
    pen.put("\"squash\":false,\"squash_on_merge\":false,\"task_completion_status\":{\"count\":");
    pen.count(tasks).put(",\"completed_count\":").count(done);
    pen.put("},\"has_conflicts\":false,\"blocking_discussions_resolved\":true,");
    if merge_request.source_project.is_some() {
        pen.put("\"allow_collaboration\":false,\"allow_maintainer_to_push\":false,");
    }
    pen.put("\"approvals_before_merge\":null");
}
