//! Merge requests.

use serde::Serialize;
use serde_json::{Value, json};

use super::Call;
use super::answer::{Answer, Failure};
use super::items::{Filter, Order, Who, relative};
use super::milestones::MilestoneShape;
use super::paging::{self, Page};
use super::query::Query;
use super::select::{Places, Row, Selection};
use super::shape::{
    Joined, LabelsShape, Piece, References, Stamp, TaskStatus, TimeStats, UserShape, Words,
    long_text,
};
use super::{direct, merge_request_parts::of_branch, pipelines};
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
pub(super) struct MergeRequestShape<'w> {
    id: u64,
    iid: u64,
    project_id: ProjectId,
    title: &'w str,
    description: Option<Words<'w>>,
    state: &'static str,
    created_at: Stamp,
    updated_at: Stamp,
    #[serde(flatten)]
    full: Option<Full<'w>>,
    web_url: Joined<'w, 5>,
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
    reviewers: Vec<UserShape<'w>>,
    source_project_id: ProjectId,
    target_project_id: ProjectId,
    labels: LabelsShape<'w>,
    draft: bool,
    imported: bool,
    imported_from: &'static str,
    work_in_progress: bool,
    milestone: Option<MilestoneShape<'w>>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_collaboration: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_maintainer_to_push: Option<bool>,
    approvals_before_merge: Option<()>,
}

/// How the rows of a list are to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'q> {
    pub(super) simple: bool,
    pub(super) details: bool,
    pub(super) in_group: Option<&'q str>,
    /// Rows may come from the cache of project lists.
    pub(super) cached: bool,
}

impl<'w> MergeRequestShape<'w> {
    pub(super) fn new(call: &Call<'w>, row: Row<'w, MergeRequest>, view: View<'_>) -> Self {
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
            web_url: Joined([
                Piece::Text(&call.site.url),
                Piece::Text("/"),
                Piece::Text(&project.full_path),
                Piece::Text("/-/merge_requests/"),
                Piece::Number(item.iid),
            ]),
        }
    }
}

impl<'w> Full<'w> {
    fn new(
        call: &Call<'w>,
        (project, merge_request): Row<'w, MergeRequest>,
        view: View<'_>,
    ) -> Self {
        let item = &merge_request.item;
        let short = format!("!{}", item.iid);
        let draft = merge_request.draft();
        let user = |id: Option<crate::world::UserId>| id.and_then(|id| UserShape::find(call, id));
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
            reviewers: merge_request
                .reviewers
                .iter()
                .filter_map(|user| UserShape::find(call, *user))
                .collect(),
            source_project_id: merge_request.source_project.unwrap_or(project.id),
            target_project_id: project.id,
            labels: LabelsShape::new(call, &item.labels, view.details),
            draft,
            imported: false,
            imported_from: "none",
            work_in_progress: draft,
            milestone: MilestoneShape::find(call, item.milestone),
            merge_when_pipeline_succeeds: false,
            merge_status: "can_be_merged",
            detailed_merge_status: detailed_status(merge_request.state(), draft),
            merge_after: None,
            merge_commit_sha: merge_request.merge_commit(project.id),
            squash_commit_sha: None,
            sha: merge_request.head(project.id),
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
            allow_collaboration: merge_request.source_project.map(|_| false),
            allow_maintainer_to_push: merge_request.source_project.map(|_| false),
            approvals_before_merge: None,
        }
    }
}

pub(super) fn detailed_status(state: &str, draft: bool) -> &'static str {
    match state {
        "opened" if draft => "draft_status",
        "opened" => "mergeable",
        _ => "not_open",
    }
}

/// Counts the comments, or takes the number from the cache of project lists, which details bypass.
pub(super) fn comments(call: &Call<'_>, row: &MergeRequest, cached: bool) -> usize {
    let count = row.item.comments();
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
    page(call, Places::Project(project), call.echo(&DEFAULTS, id), None)
}

/// `GET /groups/:id/merge_requests`
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let echo = call.echo(&DEFAULTS, id).with_defaults(&[("non_archived", "true")]);
    page(call, Places::Group(group), echo, Some(&group.full_path))
}

/// `GET /merge_requests`: without a scope only what the caller wrote.
pub(super) fn of_instance(call: &Call<'_>) -> Result<Answer, Failure> {
    let echo = call
        .query
        .clone()
        .with_defaults(&DEFAULTS)
        .with_defaults(&[("non_archived", "false"), ("scope", "created_by_me")]);
    page(call, Places::Instance, echo, Some(""))
}

fn page<'w>(
    call: &Call<'w>,
    places: Places<'w>,
    echo: Query,
    in_group: Option<&str>,
) -> Result<Answer, Failure> {
    let details = call.query.flag("with_labels_details")?.unwrap_or(false);
    let view = View {
        simple: call.query.one_of("view", &["simple"])?.is_some(),
        details,
        in_group,
        cached: matches!(places, Places::Project(_)) && !details && call.site.stale_lists,
    };
    let page = Page::read(&call.query)?;
    let cut = select(call, places)?.page(page)?;
    let body =
        direct::body(call, &cut.rows, |pen, row| direct::write_merge_request(pen, *row, view));
    Ok(paging::answer(call, echo, page, cut.total, body))
}

fn select<'c, 'w>(
    call: &'c Call<'w>,
    places: Places<'w>,
) -> Result<Selection<'c, 'w, MergeRequest>, Failure> {
    let query = &call.query;
    let instance = matches!(places, Places::Instance);
    if instance && query.text("scope") != Some("all") {
        call.signed_in()?;
    }
    let filter = Filter::read(call, if instance { "created_by_me" } else { "all" })?;
    let state = query.one_of("state", &STATES)?.filter(|state| *state != "all");
    let source = query.filled("source_branch");
    let target = query.filled("target_branch");
    let wip = query.one_of("wip", &["yes", "no"])?.map(|word| word == "yes");
    let merge_user = Who::read(call, "merge_user_id", "merge_user_username")?;
    let from = query.number("source_project_id")?;
    let own = match places {
        Places::Project(project) => Some(project.id),
        Places::Group(_) | Places::Instance => None,
    };
    let reviewer = Who::read(call, "reviewer_id", "reviewer_username")?;
    let not_reviewer = Who::read(call, "not[reviewer_id]", "not[reviewer_username]")?;
    let narrowed = state.is_some()
        || source.is_some()
        || target.is_some()
        || wip.is_some()
        || merge_user.is_some()
        || reviewer.is_some()
        || not_reviewer.is_some()
        || from.is_some();
    let narrow = move |row: &MergeRequest| {
        from.is_none_or(|wanted| {
            // Without a fork both branches are of the project in which the row stands.
            let source = row.source_project.or(own);
            source.is_some_and(|id| u64::try_from(wanted) == Ok(id.get()))
        }) && reviewer.as_ref().is_none_or(|who| who.all_among(&row.reviewers))
            && !not_reviewer.as_ref().is_some_and(|who| who.any_among(&row.reviewers))
            && state.is_none_or(|state| row.state() == state)
            && source.is_none_or(|branch| row.source_branch == branch)
            && target.is_none_or(|branch| row.target_branch == branch)
            && wip.is_none_or(|wanted| row.draft() == wanted)
            && merge_user.as_ref().is_none_or(|who| who.all_among(row.merge_user.as_slice()))
    };
    Ok(Selection {
        call,
        places,
        filter,
        order: Order::read(call, &ORDERS)?,
        narrow: narrowed.then(|| Box::new(narrow) as Box<dyn Fn(&MergeRequest) -> bool + 'c>),
        hide_later: false,
        hide_archived: matches!(places, Places::Group(_)),
    })
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
