//! The addresses below a project and a group that a reading tour visits beside the great lists.
//!
//! One match per level says what is served; whatever is not in it has no route.

use serde_json::Value;

use super::answer::{Answer, Failure};
use super::{Call, approvals, delivery, discussions, git, merge_request_parts, paging, people};
use super::{places, relations, releases, repository};
use crate::world::{Group, ItemKind, Project};

/// What answers an address below a project.
pub(super) type InProject<'r> =
    Box<dyn FnOnce(&Call<'_>, &Project, &str) -> Result<Answer, Failure> + 'r>;

/// What answers an address below a group.
pub(super) type InGroup<'r> =
    Box<dyn FnOnce(&Call<'_>, &Group, &str) -> Result<Answer, Failure> + 'r>;

/// Finds what answers an address below a project.
pub(super) fn in_project<'r>(rest: &'r [&'r str]) -> Option<InProject<'r>> {
    Some(match *rest {
        ["issues", iid, ref below @ ..] => in_item(ItemKind::Issue, iid, below)?,
        ["merge_requests", iid, ref below @ ..] => in_item(ItemKind::MergeRequest, iid, below)?,
        ["repository", ref below @ ..] => in_repository(below)?,
        ["labels", name] => {
            Box::new(move |call, project, _| super::labels::one_of_project(call, project, name))
        }
        ["members"] => Box::new(|call, row, id| people::of_project(call, row, id, false)),
        ["members", "all"] => Box::new(|call, row, id| people::of_project(call, row, id, true)),
        ["members", user] => {
            Box::new(move |call, row, _| people::one_of_project(call, row, user, false))
        }
        ["members", "all", user] => {
            Box::new(move |call, row, _| people::one_of_project(call, row, user, true))
        }
        ["users"] => Box::new(people::users_of_project),
        ["groups"] => Box::new(places::groups_of_project),
        ["languages"] => Box::new(|call, project, _| places::languages(call, project)),
        ["forks" | "snippets" | "milestones" | "hooks" | "events" | "boards"] => Box::new(nothing),
        ["milestones", _] => Box::new(|_, _, _| Err(Failure::NoRecord)),
        ["approvals"] => Box::new(|call, project, _| approvals::settings(call, project)),
        ["pipelines", number, "jobs"] => {
            Box::new(move |call, project, id| delivery::jobs(call, project, id, number))
        }
        ["pipelines", number, "bridges"] => {
            Box::new(move |call, project, id| delivery::bridges(call, project, id, number))
        }
        ["pipelines", number, "variables"] => {
            Box::new(move |call, project, id| delivery::bridges(call, project, id, number))
        }
        ["jobs"] => Box::new(delivery::all_jobs),
        ["releases", "permalink", "latest"] => {
            Box::new(|call, project, _| releases::latest(call, project))
        }
        ["releases", tag] => Box::new(move |call, project, _| releases::one(call, project, tag)),
        ["environments"] => Box::new(delivery::environments),
        ["deployments"] => Box::new(delivery::deployments),
        ["environments" | "deployments", _] => Box::new(|_, _, _| Err(Failure::NoRecord)),
        _ => return None,
    })
}

fn in_item<'r>(kind: ItemKind, iid: &'r str, below: &'r [&'r str]) -> Option<InProject<'r>> {
    let issue = kind == ItemKind::Issue;
    Some(match *below {
        ["notes", note] => {
            Box::new(move |call, project, _| discussions::note(call, project, kind, iid, note))
        }
        ["notes", note, "award_emoji"] => Box::new(move |call, project, id| {
            discussions::note(call, project, kind, iid, note)?;
            empty(call, id)
        }),
        ["discussions"] => {
            Box::new(move |call, project, id| discussions::list(call, project, id, kind, iid))
        }
        ["participants"] => {
            Box::new(move |call, row, id| people::participants(call, row, id, kind, iid))
        }
        [
            "award_emoji"
            | "resource_label_events"
            | "resource_state_events"
            | "resource_milestone_events",
        ] => Box::new(move |call, project, id| {
            discussions::events(call, project, id, kind, iid, below[0])
        }),
        ["metric_images"] if issue => Box::new(move |call, project, _| {
            super::issues::find(call, project, iid)?;
            Ok(Answer::json(&Vec::<Value>::new()))
        }),
        ["links"] if issue => {
            Box::new(move |call, project, _| relations::links(call, project, iid))
        }
        ["related_merge_requests"] if issue => Box::new(move |call, project, id| {
            relations::merge_requests(call, project, id, iid, false)
        }),
        ["closed_by"] if issue => Box::new(move |call, project, id| {
            relations::merge_requests(call, project, id, iid, true)
        }),
        ["closes_issues"] if !issue => {
            Box::new(move |call, project, id| relations::issues(call, project, id, iid, true))
        }
        ["related_issues"] if !issue => {
            Box::new(move |call, project, id| relations::issues(call, project, id, iid, false))
        }
        ["commits"] if !issue => {
            Box::new(move |call, project, id| merge_request_parts::commits(call, project, id, iid))
        }
        ["diffs"] if !issue => {
            Box::new(move |call, project, id| merge_request_parts::diffs(call, project, id, iid))
        }
        ["changes"] if !issue => {
            Box::new(move |call, project, _| merge_request_parts::changes(call, project, iid))
        }
        ["versions"] if !issue => {
            Box::new(move |call, project, id| merge_request_parts::versions(call, project, id, iid))
        }
        ["pipelines"] if !issue => Box::new(move |call, project, id| {
            merge_request_parts::pipelines(call, project, id, iid)
        }),
        ["reviewers"] if !issue => Box::new(move |call, project, _| {
            super::merge_requests::find(call, project, iid)?;
            Ok(Answer::json(&Vec::<Value>::new()))
        }),
        ["approvals"] if !issue => {
            Box::new(move |call, project, _| approvals::of_merge_request(call, project, iid))
        }
        ["approval_state"] if !issue => {
            Box::new(move |call, project, _| approvals::state(call, project, iid))
        }
        ["approval_rules"] if !issue => {
            Box::new(move |call, project, id| approvals::rules(call, project, id, iid))
        }
        _ => return None,
    })
}

fn in_repository<'r>(below: &'r [&'r str]) -> Option<InProject<'r>> {
    Some(match *below {
        ["branches"] => Box::new(git::branches),
        ["branches", name] => Box::new(move |call, project, _| git::branch(call, project, name)),
        ["commits"] => Box::new(git::commits),
        ["commits", sha] => Box::new(move |call, project, _| git::commit(call, project, sha)),
        ["commits", sha, "merge_requests"] => {
            Box::new(move |call, project, id| git::merge_requests_of(call, project, id, sha))
        }
        ["commits", sha, "statuses" | "comments" | "discussions" | "refs"] => {
            Box::new(move |call, project, id| git::of_commit(call, project, id, sha))
        }
        ["compare"] => Box::new(|call, project, _| git::compare(call, project)),
        ["tags", name] => Box::new(move |call, project, _| releases::tag(call, project, name)),
        ["contributors"] => Box::new(git::contributors),
        ["blobs", sha] => Box::new(move |call, row, _| repository::blob(call, row, sha, false)),
        ["blobs", sha, "raw"] => {
            Box::new(move |call, row, _| repository::blob(call, row, sha, true))
        }
        [archive] if archive == "archive" || archive.starts_with("archive.") => {
            Box::new(|call, project, _| repository::archive(call, project))
        }
        _ => return None,
    })
}

/// Finds what answers an address below a group.
pub(super) fn in_group<'r>(rest: &'r [&'r str]) -> Option<InGroup<'r>> {
    Some(match *rest {
        ["groups", "shared"] => Box::new(places::shared_groups),
        ["invited_groups"] => Box::new(places::invited_groups),
        ["projects", "shared"] => Box::new(super::projects::shared_with_group),
        ["members"] => Box::new(|call, group, id| people::of_group(call, group, id, false)),
        ["members", "all"] => Box::new(|call, group, id| people::of_group(call, group, id, true)),
        ["members", user] => {
            Box::new(move |call, group, _| people::one_of_group(call, group, user, false))
        }
        ["members", "all", user] => {
            Box::new(move |call, group, _| people::one_of_group(call, group, user, true))
        }
        ["labels", name] => {
            Box::new(move |call, group, _| super::labels::one_of_group(call, group, name))
        }
        ["milestones" | "releases" | "boards"] => Box::new(|call, _, id| empty(call, id)),
        ["epics"] => Box::new(|call, _, id| {
            approvals::licensed(call)?;
            empty(call, id)
        }),
        ["epics", ..] => Box::new(|call, _, _| {
            approvals::licensed(call)?;
            Err(Failure::NoRecord)
        }),
        _ => return None,
    })
}

fn nothing(call: &Call<'_>, _: &Project, id: &str) -> Result<Answer, Failure> {
    empty(call, id)
}

/// Answers with an empty list, paged like any other.
pub(super) fn empty(call: &Call<'_>, id: &str) -> Result<Answer, Failure> {
    paging::list(call, call.echo(&[], id), &[], |row: &Value| row.clone())
}
