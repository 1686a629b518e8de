//! Issues, incidents and tasks.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::items::{Filter, Order, relative};
use super::milestones::MilestoneShape;
use super::paging::{self, Cut, Page};
use super::query::Query;
use super::select::{Places, Row, Selection};
use super::shape::{
    Joined, LabelsShape, Piece, References, Stamp, TaskStatus, TimeStats, UserShape, Words,
    long_text,
};
use super::{Call, direct};
use crate::server::Tier;
use crate::world::{Group, Issue, IssueType, ItemKind, ItemRef, Project, ProjectId};

const STATES: [&str; 3] = ["opened", "closed", "all"];
const TYPES: [&str; 6] = ["issue", "incident", "test_case", "requirement", "task", "ticket"];
const ORDERS: [&str; 11] = [
    "created_at",
    "due_date",
    "id",
    "label_priority",
    "milestone_due",
    "popularity",
    "priority",
    "relative_position",
    "title",
    "updated_at",
    "weight",
];

/// Orders that keyset paging of a project's issues knows.
const KEYSET_ORDERS: [&str; 7] =
    ["created_at", "updated_at", "title", "id", "weight", "due_date", "relative_position"];

/// The first version with keyset paging of a project's issues.
const KEYSET_SINCE: (u64, u64) = (18, 3);

#[derive(Serialize)]
pub(super) struct IssueShape<'w> {
    id: u64,
    iid: u64,
    project_id: ProjectId,
    title: &'w str,
    description: Option<Words<'w>>,
    state: &'static str,
    created_at: Stamp,
    updated_at: Stamp,
    closed_at: Option<Stamp>,
    closed_by: Option<UserShape<'w>>,
    labels: LabelsShape<'w>,
    milestone: Option<MilestoneShape<'w>>,
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
    web_url: Joined<'w, 5>,
    time_stats: TimeStats,
    task_completion_status: TaskStatus,
    blocking_issues_count: usize,
    has_tasks: bool,
    task_status: String,
    _links: Links<'w>,
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
struct Links<'w> {
    #[serde(rename = "self")]
    this: Joined<'w, 6>,
    notes: Joined<'w, 6>,
    award_emoji: Joined<'w, 6>,
    project: Joined<'w, 3>,
    closed_as_duplicate_of: Option<String>,
}

impl<'w> IssueShape<'w> {
    pub(super) fn new(
        call: &Call<'w>,
        (project, issue): Row<'w, Issue>,
        details: bool,
        in_group: Option<&str>,
    ) -> Self {
        let item = &issue.item;
        let url = Piece::Text(&call.site.url);
        let [api, issues] = [Piece::Text("/api/v4/projects/"), Piece::Text("/issues/")];
        let (project_id, iid) = (Piece::Number(project.id.get()), Piece::Number(item.iid));
        let link = |tail| Joined([url, api, project_id, issues, iid, Piece::Text(tail)]);
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
            milestone: MilestoneShape::find(call, item.milestone),
            assignee: item.assignees.first().and_then(|user| UserShape::find(call, *user)),
            assignees,
            author: UserShape::find(call, item.author),
            r#type: type_word(issue.issue_type),
            user_notes_count: item.comments(),
            merge_requests_count: super::events::closing_count(call, project, item.iid),
            upvotes: 0,
            downvotes: 0,
            start_date: None,
            due_date: None,
            confidential: issue.confidential,
            discussion_locked: None,
            issue_type: issue.issue_type.word(),
            web_url: Joined([
                url,
                Piece::Text("/"),
                Piece::Text(&project.full_path),
                Piece::Text(web_segment(&call.site.version)),
                iid,
            ]),
            time_stats: TimeStats::default(),
            has_tasks: true,
            task_status: status.words(),
            task_completion_status: status,
            blocking_issues_count: 0,
            _links: Links {
                this: link(""),
                notes: link("/notes"),
                award_emoji: link("/award_emoji"),
                project: Joined([url, api, project_id]),
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

const DEFAULTS: [(&str, &str); 4] = [
    ("order_by", "created_at"),
    ("sort", "desc"),
    ("state", "all"),
    ("with_labels_details", "false"),
];

/// `GET /projects/:id/issues`
pub(super) fn of_project(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    let selection = select(call, Places::Project(project), true)?;
    let echo = call.echo(&DEFAULTS, id);
    let keyset = call.query.text("pagination") == Some("keyset")
        && KEYSET_ORDERS.contains(&selection.order.by)
        && release(&call.site.version) >= KEYSET_SINCE;
    // An order without keyset paging, and an older version, fall back to offsets in silence.
    if keyset { by_keyset(call, &selection, echo) } else { page(call, &selection, echo, None) }
}

/// `GET /groups/:id/issues`
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let selection = select(call, Places::Group(group), true)?;
    let echo = call.echo(&DEFAULTS, id).with_defaults(&[("non_archived", "true")]);
    page(call, &selection, echo, Some(&group.full_path))
}

/// `GET /issues`: without a scope only what the caller wrote. Pages are cut before it is looked at
/// who may see the rows, so that they get short, or empty in the middle of the list.
pub(super) fn of_instance(call: &Call<'_>) -> Result<Answer, Failure> {
    let selection = select(call, Places::Instance, true)?;
    let echo = call
        .query
        .clone()
        .with_defaults(&DEFAULTS)
        .with_defaults(&[("non_archived", "true"), ("scope", "created_by_me")]);
    page(call, &selection, echo, Some(""))
}

fn page<'w>(
    call: &Call<'w>,
    selection: &Selection<'_, 'w, Issue>,
    echo: Query,
    in_group: Option<&str>,
) -> Result<Answer, Failure> {
    let details = call.query.flag("with_labels_details")?.unwrap_or(false);
    let page = Page::read(&call.query)?;
    let Cut { mut rows, total } = selection.page(page)?;
    rows.retain(|row| selection.shows(row));
    let body =
        direct::body(call, &rows, |pen, row| direct::write_issue(pen, *row, details, in_group));
    Ok(paging::answer(call, echo, page, total, body))
}

fn by_keyset<'w>(
    call: &Call<'w>,
    selection: &Selection<'_, 'w, Issue>,
    echo: Query,
) -> Result<Answer, Failure> {
    let details = call.query.flag("with_labels_details")?.unwrap_or(false);
    let order = selection.order;
    let mut rows = selection.all()?;
    if let Some(text) = call.query.filled("cursor") {
        let cursor = order.read_cursor(text)?;
        rows.retain(|(_, row)| order.compare(&order.rank(&row.item, None), &cursor).is_gt());
    }
    paging::cursor(
        call,
        echo,
        &rows,
        |(_, row)| order.cursor(&order.rank(&row.item, None)),
        |row| IssueShape::new(call, *row, details, None),
    )
}

/// Returns major and minor of a version such as `18.3.0-ee`. What is no number counts as 0.
fn release(version: &str) -> (u64, u64) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Reads what a list holds. The state is left out of account for statistics, which count by it.
fn select<'c, 'w>(
    call: &'c Call<'w>,
    places: Places<'w>,
    by_state: bool,
) -> Result<Selection<'c, 'w, Issue>, Failure> {
    let instance = matches!(places, Places::Instance);
    if instance && call.query.text("scope") != Some("all") {
        call.signed_in()?;
    }
    let filter = Filter::read(call, if instance { "created_by_me" } else { "all" })?;
    let state = call.query.one_of("state", &STATES)?.filter(|state| by_state && *state != "all");
    let issue_type = call.query.one_of("issue_type", &TYPES)?;
    let confidential = call.query.flag("confidential")?;
    let narrowed = state.is_some() || issue_type.is_some() || confidential.is_some();
    let narrow = move |issue: &Issue| {
        state.is_none_or(|state| issue.state() == state)
            && issue_type.is_none_or(|word| issue.issue_type.word() == word)
            && confidential.is_none_or(|wanted| issue.confidential == wanted)
    };
    Ok(Selection {
        call,
        places,
        filter,
        order: Order::read(call, &ORDERS)?,
        narrow: narrowed.then(|| Box::new(narrow) as Box<dyn Fn(&Issue) -> bool + 'c>),
        hide_later: instance && by_state,
        hide_archived: !matches!(places, Places::Project(_)),
    })
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

/// Returns the word of the field `type`.
pub(super) fn type_word(issue_type: IssueType) -> &'static str {
    match issue_type {
        IssueType::Issue => "ISSUE",
        IssueType::Incident => "INCIDENT",
        IssueType::Task => "TASK",
    }
}

/// Returns how pages of issues are addressed: as work items since GitLab 19. The old form stays
/// valid.
pub(crate) fn web_segment(version: &str) -> &'static str {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 19) { "/-/work_items/" } else { "/-/issues/" }
}

pub(super) fn duplicate_of(call: &Call<'_>, project: &Project, iid: u64) -> Option<String> {
    let of = call.world.duplicate_of(ItemRef::issue(project.id, iid))?;
    let (home, original) = (call.world.project(of.project)?, call.world.issue(of.project, of.iid)?);
    if !call.world.sees_project(call.caller, home)
        || !call.world.sees_issue(call.caller, home, original)
    {
        return None;
    }
    Some(format!("{}/api/v4/projects/{}/issues/{}", call.site.url, of.project, of.iid))
}

/// Lists the merge requests that close an issue when they are merged.
pub(super) fn closing(
    call: &Call<'_>,
    project: &Project,
    iid: u64,
) -> impl Iterator<Item = ItemRef> + use<> {
    call.world.closing(ItemRef::issue(project.id, iid)).into_iter()
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
    let find = || {
        let item = call.world.find_by_id(ItemKind::Issue, id)?;
        let project = call.world.project(item.project)?;
        Some(Answer::json(&shape(call, project, project.issues.get(&item.iid)?)))
    };
    find().ok_or(Failure::NoRecord)
}

/// `GET /projects/:id/issues_statistics`
pub(super) fn statistics_of_project(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    statistics(call, Places::Project(project))
}

/// `GET /groups/:id/issues_statistics`
pub(super) fn statistics_of_group(
    call: &Call<'_>,
    group: &Group,
    _: &str,
) -> Result<Answer, Failure> {
    statistics(call, Places::Group(group))
}

/// `GET /issues_statistics`
pub(super) fn statistics_of_instance(call: &Call<'_>) -> Result<Answer, Failure> {
    statistics(call, Places::Instance)
}

fn statistics(call: &Call<'_>, places: Places<'_>) -> Result<Answer, Failure> {
    let rows = select(call, places, false)?.all()?;
    let closed = rows.iter().filter(|(_, issue)| issue.state() == "closed").count();
    let counts = json!({"all": rows.len(), "closed": closed, "opened": rows.len() - closed});
    Ok(Answer::json(&json!({"statistics": {"counts": counts}})))
}
