//! Milestones of projects and groups.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::answer::{Answer, Failure};
use super::query::Query;
use super::shape::Stamp;
use super::{Call, paging};
use crate::world::{
    Group, GroupId, ItemKind, Milestone, MilestoneId, MilestoneOwner, Project, ProjectId,
};

/// A milestone as lists and items show it.
#[derive(Debug, Serialize)]
pub(super) struct MilestoneShape<'w> {
    id: MilestoneId,
    iid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<GroupId>,
    title: &'w str,
    description: &'w str,
    state: &'static str,
    created_at: Stamp,
    updated_at: Stamp,
    due_date: Option<Date>,
    start_date: Option<Date>,
    expired: bool,
    web_url: String,
}

/// Returns the day that it is.
pub(super) fn today(call: &Call<'_>) -> Date {
    call.world.clock().now().to_zoned(TimeZone::UTC).date()
}

impl<'w> MilestoneShape<'w> {
    fn new(call: &Call<'w>, row: &'w Milestone) -> Self {
        let (project_id, group_id) = match row.owner {
            MilestoneOwner::Project(id) => (Some(id), None),
            MilestoneOwner::Group(id) => (None, Some(id)),
        };
        let project = project_id.and_then(|id| call.world.project(id));
        let group = group_id.and_then(|id| call.world.group(id));
        let path = project.map(|row| row.full_path.clone());
        let path = path.or_else(|| group.map(|row| format!("groups/{}", row.full_path)));
        Self {
            id: row.id,
            iid: row.iid,
            project_id,
            group_id,
            title: &row.title,
            description: &row.description,
            state: row.state(),
            created_at: Stamp(row.created_at),
            updated_at: Stamp(row.updated_at),
            due_date: row.due_date,
            start_date: row.start_date,
            expired: row.expired(today(call)),
            web_url: format!(
                "{}/{}/-/milestones/{}",
                call.site.url,
                path.unwrap_or_default(),
                row.iid
            ),
        }
    }

    /// Renders the milestone of an item.
    pub(super) fn find(call: &Call<'w>, id: Option<MilestoneId>) -> Option<Self> {
        call.world.milestone(id?).map(|row| Self::new(call, row))
    }
}

/// Renders a milestone as a value.
pub(super) fn find_shape(call: &Call<'_>, id: Option<MilestoneId>) -> serde_json::Value {
    serde_json::to_value(MilestoneShape::find(call, id)).unwrap_or_default()
}

/// `GET /projects/:id/milestones`
pub(super) fn of_project(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    let mut owners = vec![MilestoneOwner::Project(project.id)];
    if ancestors(&call.query)? {
        let above = call.world.lineage(project.group);
        owners.extend(above.map(|group| MilestoneOwner::Group(group.id)));
    }
    list(call, &owners, id)
}

/// `GET /groups/:id/milestones`
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let mut owners = vec![MilestoneOwner::Group(group.id)];
    if ancestors(&call.query)? {
        let above = call.world.lineage(group.id).skip(1);
        owners.extend(above.map(|group| MilestoneOwner::Group(group.id)));
    }
    if call.query.flag("include_descendants")?.unwrap_or(false) {
        let below = call.world.groups().filter(|row| row.id != group.id);
        let below = below.filter(|row| call.world.is_within(row.id, group.id));
        owners.extend(below.map(|row| MilestoneOwner::Group(row.id)));
        let projects = call.world.projects();
        let projects = projects.filter(|row| {
            call.world.is_within(row.group, group.id) && call.world.sees_project(call.caller, row)
        });
        owners.extend(projects.map(|row| MilestoneOwner::Project(row.id)));
    }
    list(call, &owners, id)
}

fn ancestors(query: &Query) -> Result<bool, Failure> {
    let old = query.flag("include_parent_milestones")?;
    Ok(query.flag("include_ancestors")?.or(old).unwrap_or(false))
}

fn list(call: &Call<'_>, owners: &[MilestoneOwner], id: &str) -> Result<Answer, Failure> {
    let query = &call.query;
    let state = query.one_of("state", &["active", "closed", "all"])?.unwrap_or("all");
    let iids = query.numbers("iids")?;
    let title = query.filled("title");
    let words = query.filled("search").map(str::to_lowercase);
    let after = query.time("updated_after")?;
    let before = query.time("updated_before")?;
    let mut rows: Vec<&Milestone> = call
        .world
        .milestones()
        .filter(|row| owners.contains(&row.owner))
        .filter(|row| state == "all" || row.state() == state)
        .filter(|row| iids.as_ref().is_none_or(|iids| iids.contains(&row.iid)))
        .filter(|row| title.is_none_or(|title| row.title == title))
        .filter(|row| words.as_ref().is_none_or(|words| row.title.to_lowercase().contains(words)))
        .filter(|row| after.is_none_or(|after| row.updated_at >= after))
        .filter(|row| before.is_none_or(|before| row.updated_at <= before))
        .collect();
    // Those without a day come last; within a day the newest first.
    rows.sort_by_key(|row| (row.due_date.is_none(), row.due_date, std::cmp::Reverse(row.id)));
    let echo = call.echo(&[("include_ancestors", "false"), ("state", "all")], id);
    paging::list(call, echo, &rows, |row| MilestoneShape::new(call, row))
}

/// `GET /projects/:id/milestones/:milestone_id`
pub(super) fn one_of_project(
    call: &Call<'_>,
    project: &Project,
    milestone: &str,
) -> Result<Answer, Failure> {
    one(call, MilestoneOwner::Project(project.id), milestone)
}

/// `GET /groups/:id/milestones/:milestone_id`
pub(super) fn one_of_group(
    call: &Call<'_>,
    group: &Group,
    milestone: &str,
) -> Result<Answer, Failure> {
    one(call, MilestoneOwner::Group(group.id), milestone)
}

fn one(call: &Call<'_>, owner: MilestoneOwner, milestone: &str) -> Result<Answer, Failure> {
    Ok(Answer::json(&MilestoneShape::new(call, find(call, owner, milestone)?)))
}

fn find<'w>(
    call: &Call<'w>,
    owner: MilestoneOwner,
    milestone: &str,
) -> Result<&'w Milestone, Failure> {
    let id = milestone.parse().map_err(|_| super::query::is_invalid("milestone_id"))?;
    call.world
        .milestone(MilestoneId::new(id))
        .filter(|row| row.owner == owner)
        .ok_or(Failure::NotFound("Milestone"))
}

/// `GET /projects/:id/milestones/:milestone_id/{issues,merge_requests}`
pub(super) fn items(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    milestone: &str,
    kind: ItemKind,
) -> Result<Answer, Failure> {
    let wanted = Some(find(call, MilestoneOwner::Project(project.id), milestone)?.id);
    let mut echo = call.echo(&[], id);
    echo.set("milestone_id", milestone);
    let rows: Vec<serde_json::Value> = match kind {
        ItemKind::Issue => project
            .issues
            .values()
            .filter(|row| row.item.milestone == wanted)
            .filter(|row| call.world.sees_issue(call.caller, project, row))
            .map(|row| super::issues::shape(call, project, row))
            .collect(),
        ItemKind::MergeRequest => project
            .merge_requests
            .values()
            .filter(|row| row.item.milestone == wanted)
            .filter(|_| call.world.reads_code(call.caller, project))
            .map(|row| super::merge_requests::shape(call, project, row))
            .collect(),
    };
    paging::list(call, echo, &rows, Clone::clone)
}

/// Which milestones a list of items asks for.
#[derive(Debug)]
pub(super) enum Wanted<'q> {
    /// Any at all.
    Any,
    /// Items without one.
    None,
    /// One that has not begun.
    Upcoming,
    /// One that goes on.
    Started,
    /// One of this title.
    Title(&'q str),
}

impl<'q> Wanted<'q> {
    /// Reads `milestone` and `milestone_id`, or what stands for them within `not`.
    pub(super) fn read(query: &'q Query, title: &str, id: &str) -> Option<Self> {
        let word = query.filled(title).or_else(|| query.filled(id))?;
        Some(match word.to_ascii_lowercase().as_str() {
            "any" => Self::Any,
            "none" | "no milestone" | "0" => Self::None,
            "upcoming" | "#upcoming" => Self::Upcoming,
            "started" | "#started" => Self::Started,
            _ => Self::Title(word),
        })
    }

    /// Tells whether the milestone of an item is asked for.
    pub(super) fn holds(&self, call: &Call<'_>, milestone: Option<MilestoneId>) -> bool {
        let row = milestone.and_then(|id| call.world.milestone(id));
        match self {
            Self::Any => row.is_some(),
            Self::None => row.is_none(),
            Self::Title(title) => row.is_some_and(|row| row.title == *title),
            Self::Upcoming => row.is_some_and(|row| {
                !row.closed && row.due_date.is_some_and(|due| due > today(call))
            }),
            Self::Started => row.is_some_and(|row| {
                !row.closed
                    && row.start_date.is_some_and(|start| start <= today(call))
                    && !row.expired(today(call))
            }),
        }
    }
}
