//! Merge requests.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::items::{Filter, Order, projects_of_group, relative};
use super::merge_request_parts::of_branch;
use super::query::Query;
use super::shape::{LabelsShape, References, Stamp, TaskStatus, TimeStats, UserShape, long_text};
use super::{Call, paging, pipelines};
use crate::world::{Group, MergeRequest, Project, ProjectId};

const STATES: [&str; 5] = ["opened", "closed", "locked", "merged", "all"];
const ORDERS: [&str; 8] = [
    "created_at",
    "label_priority",
    "milestone_due",
    "popularity",
    "priority",
    "title",
    "updated_at",
    "merged_at",
];

#[derive(Serialize)]
struct MergeRequestShape<'w> {
    id: u64,
    iid: u64,
    project_id: ProjectId,
    title: &'w str,
    description: Option<Cow<'w, str>>,
    state: &'static str,
    created_at: Stamp,
    updated_at: Stamp,
    #[serde(flatten)]
    full: Option<Full<'w>>,
    web_url: String,
}

/// What `view=simple` leaves out.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is GitLab's")]
struct Full<'w> {
    merged_by: Option<UserShape<'w>>,
    merge_user: Option<UserShape<'w>>,
    merged_at: Option<Stamp>,
    closed_by: Option<UserShape<'w>>,
    closed_at: Option<Stamp>,
    target_branch: &'w str,
    source_branch: &'w str,
    user_notes_count: usize,
    upvotes: usize,
    downvotes: usize,
    author: Option<UserShape<'w>>,
    assignees: Vec<UserShape<'w>>,
    assignee: Option<UserShape<'w>>,
    reviewers: [(); 0],
    source_project_id: ProjectId,
    target_project_id: ProjectId,
    labels: LabelsShape<'w>,
    draft: bool,
    imported: bool,
    imported_from: &'static str,
    work_in_progress: bool,
    milestone: Option<()>,
    merge_when_pipeline_succeeds: bool,
    merge_status: &'static str,
    detailed_merge_status: &'static str,
    merge_after: Option<()>,
    sha: String,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    discussion_locked: Option<bool>,
    should_remove_source_branch: Option<bool>,
    force_remove_source_branch: bool,
    prepared_at: Stamp,
    reference: String,
    references: References,
    time_stats: TimeStats,
    squash: bool,
    squash_on_merge: bool,
    task_completion_status: TaskStatus,
    has_conflicts: bool,
    blocking_discussions_resolved: bool,
    approvals_before_merge: Option<()>,
}

/// One row of a list.
type Row<'w> = (&'w Project, &'w MergeRequest);

/// How the rows of a list are to look.
#[derive(Debug, Clone, Copy)]
struct View<'q> {
    simple: bool,
    details: bool,
    in_group: Option<&'q str>,
    /// Rows may come from the cache of project lists.
    cached: bool,
}

impl<'w> MergeRequestShape<'w> {
    fn new(call: &Call<'w>, row: Row<'w>, view: View<'_>) -> Self {
        let (project, merge_request) = row;
        let item = &merge_request.item;
        Self {
            id: item.id,
            iid: item.iid,
            project_id: project.id,
            title: &item.title,
            description: item.description.as_ref().map(|words| long_text(call, words)),
            state: merge_request.state(),
            created_at: Stamp(item.created_at),
            updated_at: Stamp(item.updated_at),
            full: (!view.simple).then(|| Full::new(call, row, view)),
            web_url: format!(
                "{}/{}/-/merge_requests/{}",
                call.site.url, project.full_path, item.iid
            ),
        }
    }
}

impl<'w> Full<'w> {
    fn new(call: &Call<'w>, (project, merge_request): Row<'w>, view: View<'_>) -> Self {
        let item = &merge_request.item;
        let short = format!("!{}", item.iid);
        let draft = merge_request.draft();
        let user = |id: Option<crate::world::UserId>| id.and_then(|id| UserShape::find(call, id));
        let seed = format!("{}!{}", project.id, item.iid);
        Self {
            merged_by: user(merge_request.merge_user),
            merge_user: user(merge_request.merge_user),
            merged_at: merge_request.merged_at.map(Stamp),
            closed_by: user(item.closed_by),
            closed_at: item.closed_at.map(Stamp),
            target_branch: &merge_request.target_branch,
            source_branch: &merge_request.source_branch,
            user_notes_count: comments(call, merge_request, view.cached),
            upvotes: 0,
            downvotes: 0,
            author: user(Some(item.author)),
            assignees: item
                .assignees
                .iter()
                .filter_map(|user| UserShape::find(call, *user))
                .collect(),
            assignee: user(item.assignees.first().copied()),
            reviewers: [],
            source_project_id: project.id,
            target_project_id: project.id,
            labels: LabelsShape::new(call, &item.labels, view.details),
            draft,
            imported: false,
            imported_from: "none",
            work_in_progress: draft,
            milestone: None,
            merge_when_pipeline_succeeds: false,
            merge_status: "can_be_merged",
            detailed_merge_status: match merge_request.state() {
                "opened" if draft => "draft_status",
                "opened" => "mergeable",
                _ => "not_open",
            },
            merge_after: None,
            merge_commit_sha: merge_request
                .merged_at
                .map(|_| crate::hash::hex40(&format!("merge {seed}"))),
            squash_commit_sha: None,
            sha: crate::hash::hex40(&seed),
            discussion_locked: None,
            should_remove_source_branch: None,
            force_remove_source_branch: true,
            prepared_at: Stamp(item.created_at),
            reference: short.clone(),
            references: References {
                relative: relative(project, &short, view.in_group),
                full: format!("{}{short}", project.full_path),
                short,
            },
            time_stats: TimeStats::default(),
            squash: false,
            squash_on_merge: false,
            task_completion_status: TaskStatus::of(item.description.as_ref()),
            has_conflicts: false,
            blocking_discussions_resolved: true,
            approvals_before_merge: None,
        }
    }
}

/// Counts the comments, or takes the number from the cache of project lists, which details bypass.
fn comments(call: &Call<'_>, row: &MergeRequest, cached: bool) -> usize {
    let count = row.item.notes.iter().filter(|note| !note.system).count();
    if !cached {
        return count;
    }
    let user = call.caller.user().map(|user| user.id);
    call.site.stale.count(user, row, call.world.clock().now(), count)
}

const DEFAULTS: [(&str, &str); 5] = [
    ("order_by", "created_at"),
    ("sort", "desc"),
    ("state", "all"),
    ("with_labels_details", "false"),
    ("with_merge_status_recheck", "false"),
];

/// `GET /projects/:id/merge_requests`
pub(super) fn of_project(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    let rows = select(call, &[project])?;
    page(call, call.echo(&DEFAULTS, id), &rows, None)
}

/// `GET /groups/:id/merge_requests`
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let rows = select(call, &projects_of_group(call, group.id)?)?;
    let echo = call.echo(&DEFAULTS, id).with_defaults(&[("non_archived", "true")]);
    page(call, echo, &rows, Some(&group.full_path))
}

fn page<'w>(
    call: &Call<'w>,
    echo: Query,
    rows: &[Row<'w>],
    in_group: Option<&str>,
) -> Result<Answer, Failure> {
    let details = call.query.flag("with_labels_details")?.unwrap_or(false);
    let view = View {
        simple: call.query.one_of("view", &["simple"])?.is_some(),
        details,
        in_group,
        cached: in_group.is_none() && !details && call.site.stale_lists,
    };
    paging::list(call, echo, rows, |row| MergeRequestShape::new(call, *row, view))
}

fn select<'w>(call: &Call<'w>, projects: &[&'w Project]) -> Result<Vec<Row<'w>>, Failure> {
    let query = &call.query;
    let filter = Filter::read(call)?;
    let state = query.one_of("state", &STATES)?.unwrap_or("all");
    let source = query.filled("source_branch");
    let target = query.filled("target_branch");
    let wip = query.one_of("wip", &["yes", "no"])?.map(|word| word == "yes");
    let order = Order::read(call, &ORDERS)?;
    let mut rows: Vec<Row<'w>> = Vec::new();
    for project in projects.iter().filter(|project| call.world.reads_code(call.caller, project)) {
        rows.extend(project.merge_requests.values().map(|row| (*project, row)).filter(
            |(_, row)| {
                (state == "all" || row.state() == state)
                    && source.is_none_or(|branch| row.source_branch == branch)
                    && target.is_none_or(|branch| row.target_branch == branch)
                    && wip.is_none_or(|wanted| row.draft() == wanted)
                    && filter.passes(call, &row.item)
            },
        ));
    }
    rows.sort_unstable_by(|(_, a), (_, b)| {
        order.compare((&a.item, a.merged_at), (&b.item, b.merged_at))
    });
    Ok(rows)
}

/// Finds a visible merge request by the number in a path.
pub(super) fn find<'w>(
    call: &Call<'_>,
    project: &'w Project,
    iid: &str,
) -> Result<&'w MergeRequest, Failure> {
    iid.parse()
        .ok()
        .and_then(|iid: u64| project.merge_requests.get(&iid))
        .filter(|_| call.world.reads_code(call.caller, project))
        .ok_or(Failure::NoRecord)
}

/// Renders a merge request as other endpoints mention it.
pub(super) fn shape(call: &Call<'_>, project: &Project, row: &MergeRequest) -> Value {
    let view = View { simple: false, details: false, in_group: None, cached: false };
    serde_json::to_value(MergeRequestShape::new(call, (project, row), view)).unwrap_or_default()
}

/// `GET /projects/:id/merge_requests/:iid`
pub(super) fn one(call: &Call<'_>, project: &Project, iid: &str) -> Result<Answer, Failure> {
    Ok(Answer::json(&detail(call, project, find(call, project, iid)?)))
}

/// Renders a merge request with what only the single view has.
pub(super) fn detail(call: &Call<'_>, project: &Project, row: &MergeRequest) -> Value {
    let mut shape = shape(call, project, row);
    let head = shape["sha"].clone();
    let pipeline = of_branch(project, row).next().map(|row| pipelines::shape(call, project, row));
    let more = json!({
        "subscribed": false,
        "changes_count": "1",
        "latest_build_started_at": null,
        "latest_build_finished_at": null,
        "first_deployed_to_production_at": null,
        "pipeline": pipeline,
        "head_pipeline": pipeline,
        "diff_refs": {
            "base_sha": project.head(),
            "head_sha": head,
            "start_sha": project.head(),
        },
        "merge_error": null,
        "first_contribution": false,
        "user": {"can_merge": false},
    });
    if let (Value::Object(shape), Value::Object(more)) = (&mut shape, more) {
        shape.extend(more);
    }
    shape
}
