//! Issues, incidents and tasks.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::items::{Filter, Order, projects_of_group, relative};
use super::shape::{LabelsShape, References, Stamp, TaskStatus, TimeStats, UserShape, long_text};
use super::{Call, paging};
use crate::server::Tier;
use crate::world::{Group, Issue, IssueType, Project, ProjectId};

const STATES: [&str; 3] = ["opened", "closed", "all"];
const TYPES: [&str; 6] = ["issue", "incident", "test_case", "requirement", "task", "ticket"];
const ORDERS: [&str; 10] = [
    "created_at",
    "due_date",
    "label_priority",
    "milestone_due",
    "popularity",
    "priority",
    "relative_position",
    "title",
    "updated_at",
    "weight",
];

#[derive(Serialize)]
struct IssueShape<'w> {
    id: u64,
    iid: u64,
    project_id: ProjectId,
    title: &'w str,
    description: Option<Cow<'w, str>>,
    state: &'static str,
    created_at: Stamp,
    updated_at: Stamp,
    closed_at: Option<Stamp>,
    closed_by: Option<UserShape<'w>>,
    labels: LabelsShape<'w>,
    milestone: Option<()>,
    assignees: Vec<UserShape<'w>>,
    author: Option<UserShape<'w>>,
    r#type: &'static str,
    assignee: Option<UserShape<'w>>,
    user_notes_count: usize,
    merge_requests_count: usize,
    upvotes: usize,
    downvotes: usize,
    start_date: Option<()>,
    due_date: Option<()>,
    confidential: bool,
    discussion_locked: Option<bool>,
    issue_type: &'static str,
    web_url: String,
    time_stats: TimeStats,
    task_completion_status: TaskStatus,
    blocking_issues_count: usize,
    has_tasks: bool,
    task_status: String,
    _links: Links,
    references: References,
    severity: &'w str,
    moved_to_id: Option<u64>,
    imported: bool,
    imported_from: &'static str,
    service_desk_reply_to: Option<()>,
    #[serde(flatten)]
    licensed: Option<Licensed>,
}

/// What only a licence shows.
#[derive(Default, Serialize)]
struct Licensed {
    weight: Option<u64>,
    health_status: Option<&'static str>,
    epic: Option<()>,
    epic_iid: Option<u64>,
    iteration: Option<()>,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    notes: String,
    award_emoji: String,
    project: String,
    closed_as_duplicate_of: Option<String>,
}

/// One row of a list.
type Row<'w> = (&'w Project, &'w Issue);

impl<'w> IssueShape<'w> {
    fn new(
        call: &Call<'w>,
        (project, issue): Row<'w>,
        details: bool,
        in_group: Option<&str>,
    ) -> Self {
        let item = &issue.item;
        let url = &call.site.url;
        let project_url = format!("{url}/api/v4/projects/{}", project.id);
        let this = format!("{project_url}/issues/{}", item.iid);
        let short = format!("#{}", item.iid);
        let assignees: Vec<UserShape<'w>> =
            item.assignees.iter().filter_map(|user| UserShape::find(call, *user)).collect();
        let status = TaskStatus::of(item.description.as_ref());
        Self {
            id: item.id,
            iid: item.iid,
            project_id: project.id,
            title: &item.title,
            description: item.description.as_ref().map(|words| long_text(call, words)),
            state: issue.state(),
            created_at: Stamp(item.created_at),
            updated_at: Stamp(item.updated_at),
            closed_at: item.closed_at.map(Stamp),
            closed_by: item.closed_by.and_then(|user| UserShape::find(call, user)),
            labels: LabelsShape::new(call, &item.labels, details),
            milestone: None,
            assignee: item.assignees.first().and_then(|user| UserShape::find(call, *user)),
            assignees,
            author: UserShape::find(call, item.author),
            r#type: match issue.issue_type {
                IssueType::Issue => "ISSUE",
                IssueType::Incident => "INCIDENT",
                IssueType::Task => "TASK",
            },
            user_notes_count: item.notes.iter().filter(|note| !note.system).count(),
            merge_requests_count: 0,
            upvotes: 0,
            downvotes: 0,
            start_date: None,
            due_date: None,
            confidential: issue.confidential,
            discussion_locked: None,
            issue_type: issue.issue_type.word(),
            web_url: format!(
                "{url}/{}/-/{}/{}",
                project.full_path,
                web_segment(&call.site.version),
                item.iid
            ),
            time_stats: TimeStats::default(),
            has_tasks: true,
            task_status: status.words(),
            task_completion_status: status,
            blocking_issues_count: 0,
            _links: Links {
                notes: format!("{this}/notes"),
                award_emoji: format!("{this}/award_emoji"),
                this,
                project: project_url,
                closed_as_duplicate_of: duplicate_of(call, project, item.iid),
            },
            references: References {
                relative: relative(project, &short, in_group),
                full: format!("{}{short}", project.full_path),
                short,
            },
            severity: &issue.severity,
            moved_to_id: issue.moved_to,
            imported: false,
            imported_from: "none",
            service_desk_reply_to: None,
            licensed: (call.site.tier == Tier::Premium).then(Licensed::default),
        }
    }
}

/// `GET /projects/:id/issues`
pub(super) fn of_project(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    let rows = select(call, &[project], true)?;
    let details = call.query.flag("with_labels_details")?.unwrap_or(false);
    let echo = call.echo(
        &[
            ("order_by", "created_at"),
            ("sort", "desc"),
            ("state", "all"),
            ("with_labels_details", "false"),
        ],
        id,
    );
    paging::list(call, echo, &rows, |row| IssueShape::new(call, *row, details, None))
}

/// `GET /groups/:id/issues`
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let rows = select(call, &projects_of_group(call, group.id)?, true)?;
    let details = call.query.flag("with_labels_details")?.unwrap_or(false);
    let echo = call.echo(
        &[
            ("non_archived", "true"),
            ("order_by", "created_at"),
            ("sort", "desc"),
            ("state", "all"),
            ("with_labels_details", "false"),
        ],
        id,
    );
    paging::list(call, echo, &rows, |row| {
        IssueShape::new(call, *row, details, Some(&group.full_path))
    })
}

/// Filters and sorts. The state is left out of account for statistics, which count by it.
fn select<'w>(
    call: &Call<'w>,
    projects: &[&'w Project],
    by_state: bool,
) -> Result<Vec<Row<'w>>, Failure> {
    let filter = Filter::read(call)?;
    let state = call.query.one_of("state", &STATES)?.unwrap_or("all");
    let issue_type = call.query.one_of("issue_type", &TYPES)?;
    let confidential = call.query.flag("confidential")?;
    let order = Order::read(call, &ORDERS)?;
    let mut rows: Vec<Row<'w>> = Vec::new();
    for project in projects {
        rows.extend(project.issues.values().map(|issue| (*project, issue)).filter(
            |(project, issue)| {
                (!by_state || state == "all" || issue.state() == state)
                    && issue_type.is_none_or(|word| issue.issue_type.word() == word)
                    && confidential.is_none_or(|wanted| issue.confidential == wanted)
                    && filter.passes(call, &issue.item)
                    && call.world.sees_issue(call.caller, project, issue)
            },
        ));
    }
    rows.sort_unstable_by(|(_, a), (_, b)| order.compare((&a.item, None), (&b.item, None)));
    Ok(rows)
}

/// Finds a visible issue by the number in a path.
pub(super) fn find<'w>(
    call: &Call<'_>,
    project: &'w Project,
    iid: &str,
) -> Result<&'w Issue, Failure> {
    iid.parse()
        .ok()
        .and_then(|iid: u64| project.issues.get(&iid))
        .filter(|issue| call.world.sees_issue(call.caller, project, issue))
        .ok_or(Failure::NoRecord)
}

/// Returns how pages of issues are addressed: as work items since GitLab 19. The old form stays
/// valid.
fn web_segment(version: &str) -> &'static str {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 19) { "work_items" } else { "issues" }
}

fn duplicate_of(call: &Call<'_>, project: &Project, iid: u64) -> Option<String> {
    let of = call.world.duplicate_of(crate::world::ItemRef::issue(project.id, iid))?;
    Some(format!("{}/api/v4/projects/{}/issues/{}", call.site.url, of.project, of.iid))
}

/// Renders an issue as other endpoints mention it.
pub(super) fn shape(call: &Call<'_>, project: &Project, issue: &Issue) -> Value {
    serde_json::to_value(IssueShape::new(call, (project, issue), false, None)).unwrap_or_default()
}

/// `GET /projects/:id/issues/:iid`
pub(super) fn one(call: &Call<'_>, project: &Project, iid: &str) -> Result<Answer, Failure> {
    let issue = find(call, project, iid)?;
    let details = call.query.flag("with_labels_details")?.unwrap_or(false);
    let mut shape = serde_json::to_value(IssueShape::new(call, (project, issue), details, None))
        .unwrap_or_default();
    shape["subscribed"] = Value::Bool(false);
    Ok(Answer::json(&shape))
}

/// `GET /issues/:id`, by the id that is unique on the instance
pub(super) fn by_id(call: &Call<'_>, id: &str) -> Result<Answer, Failure> {
    call.signed_in()?;
    if !call.caller.user().is_some_and(|user| user.admin) {
        return Err(Failure::Forbidden);
    }
    let id: u64 = id.parse().map_err(|_| Failure::NoRecord)?;
    call.world
        .projects()
        .flat_map(|project| project.issues.values().map(move |issue| (project, issue)))
        .find(|(_, issue)| issue.item.id == id)
        .map(|(project, issue)| Answer::json(&shape(call, project, issue)))
        .ok_or(Failure::NoRecord)
}

/// `GET /projects/:id/issues_statistics`
pub(super) fn statistics_of_project(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    statistics(call, &[project])
}

/// `GET /groups/:id/issues_statistics`
pub(super) fn statistics_of_group(
    call: &Call<'_>,
    group: &Group,
    _: &str,
) -> Result<Answer, Failure> {
    statistics(call, &projects_of_group(call, group.id)?)
}

fn statistics(call: &Call<'_>, projects: &[&Project]) -> Result<Answer, Failure> {
    let rows = select(call, projects, false)?;
    let closed = rows.iter().filter(|(_, issue)| issue.state() == "closed").count();
    let counts = json!({"all": rows.len(), "closed": closed, "opened": rows.len() - closed});
    Ok(Answer::json(&json!({"statistics": {"counts": counts}})))
}
