//! The row of an issue.

use super::Pen;
use crate::digits::Decimal;
use crate::rest::events::closing_count;
use crate::rest::issues::{duplicate_of, type_word, web_segment};
use crate::rest::items::path_within;
use crate::rest::select::Row;
use crate::rest::shape::Stamp;
use crate::server::Tier;
use crate::world::{Issue, Text};

/// Writes what `IssueShape` holds.
pub(in crate::rest) fn write(
    pen: &mut Pen<'_>,
    (project, issue): Row<'_, Issue>,
    details: bool,
    in_group: Option<&str>,
) {
    let (call, item) = (pen.call, &issue.item);
    let (iid, project_id) = (Decimal::new(item.iid), Decimal::new(project.id.get()));
    pen.put("{\"id\":").number(item.id).put(",\"iid\":").digits(&iid);
    pen.put(",\"project_id\":").digits(&project_id);
    pen.put(",\"title\":\"").plain(&item.title);
    pen.put("\",\"description\":").long_text(item.description.as_ref());
    pen.put(",\"state\":\"").put(issue.state());
    pen.put("\",\"created_at\":").time(Stamp(item.created_at));
    pen.put(",\"updated_at\":").time(Stamp(item.updated_at));
    pen.put(",\"closed_at\":").time_or_null(item.closed_at);
    pen.put(",\"closed_by\":").user(item.closed_by);
    pen.put(",\"labels\":").labels(&item.labels, details);
    pen.put(",\"milestone\":").milestone(item.milestone);
    pen.put(",\"assignees\":").users(&item.assignees);
    pen.put(",\"author\":").user(Some(item.author));
    pen.put(",\"type\":\"").put(type_word(issue.issue_type));
    pen.put("\",\"assignee\":").user(item.assignees.first().copied());
    pen.put(",\"user_notes_count\":").count(item.comments());
    pen.put(",\"merge_requests_count\":").count(closing_count(call, project, item.iid));
    pen.put(",\"upvotes\":0,\"downvotes\":0,\"start_date\":null,");
    pen.put("\"due_date\":null,\"confidential\":").flag(issue.confidential);
    pen.put(",\"discussion_locked\":null,\"issue_type\":\"").put(issue.issue_type.word());
    let path = pen.put("\",\"web_url\":\"").path(&project.full_path);
    pen.put(web_segment(&call.site.version)).digits(&iid);
    pen.put("\",\"time_stats\":{\"time_estimate\":0,\"total_time_spent\":0,");
    pen.put("\"human_time_estimate\":null,\"human_total_time_spent\":null},");

    let (tasks, done) = item.description.as_ref().map(Text::tasks).unwrap_or_default();
    pen.put("\"task_completion_status\":{\"count\":").count(tasks);
    pen.put(",\"completed_count\":").count(done);
    pen.put("},\"blocking_issues_count\":0,\"has_tasks\":true,\"task_status\":\"").count(done);
    pen.put(" of ").count(tasks).put(" checklist items completed\",\"_links\":{\"self\":\"");

    let start = pen.here();
    pen.url().put("/api/v4/projects/").digits(&project_id);
    let of_project = start..pen.here();
    pen.put("/issues/").digits(&iid);
    let of_issue = start..pen.here();
    pen.put("\",\"notes\":\"").again(of_issue.clone());
    pen.put("/notes\",\"award_emoji\":\"").again(of_issue);
    pen.put("/award_emoji\",\"project\":\"").again(of_project);
    pen.put("\",\"closed_as_duplicate_of\":").value(&duplicate_of(call, project, item.iid));

    pen.put("},\"references\":{\"short\":\"#").digits(&iid);
    pen.put("\",\"relative\":\"").plain(path_within(project, in_group)).put("#").digits(&iid);
    pen.put("\",\"full\":\"").again(path).put("#").digits(&iid);
    pen.put("\"},\"severity\":\"").plain(&issue.severity);
    pen.put("\",\"moved_to_id\":");
    match issue.moved_to {
        Some(id) => pen.number(id),
        None => pen.put("null"),
    };
    pen.put(",\"imported\":false,\"imported_from\":\"none\",\"service_desk_reply_to\":null");
    if call.site.tier == Tier::Premium {
        pen.put(",\"weight\":null,\"health_status\":null,\"epic\":null,\"epic_iid\":null");
        pen.put(",\"iteration\":null");
    }
    pen.put("}");
}
