//! Labels of projects and groups.

use serde::Serialize;

use super::answer::{Answer, Failure};
use super::shape::TEXT_COLOR;
use super::{Call, paging};
use crate::world::{Group, Item, Label, LabelId, LabelOwner, Project};

#[derive(Serialize)]
struct LabelShape<'w> {
    id: LabelId,
    name: &'w str,
    description: Option<&'w str>,
    description_html: &'w str,
    text_color: &'static str,
    color: &'w str,
    archived: bool,
    #[serde(flatten)]
    counts: Option<Counts>,
    subscribed: bool,
    #[serde(flatten)]
    project: Option<InProject>,
}

/// What is only told where a project is asked.
#[derive(Serialize)]
struct InProject {
    priority: Option<u64>,
    is_project_label: bool,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are GitLab's")]
struct Counts {
    open_issues_count: usize,
    closed_issues_count: usize,
    open_merge_requests_count: usize,
}

/// `GET /projects/:id/labels`
pub(super) fn of_project(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    let ancestors = call.query.flag("include_ancestor_groups")?.unwrap_or(true);
    let mut owners = vec![LabelOwner::Project(project.id)];
    if ancestors {
        owners.extend(call.world.lineage(project.group).map(|group| LabelOwner::Group(group.id)));
    }
    let with_counts = call.query.flag("with_counts")?.unwrap_or(false);
    let labels = select(call, &owners);
    let defaults = [("include_ancestor_groups", "true"), ("with_counts", "false")];
    paging::list(call, call.echo(&defaults, id), &labels, |label| LabelShape {
        counts: with_counts.then(|| count(call, std::iter::once(project), label.id)),
        project: Some(InProject {
            priority: None,
            is_project_label: matches!(label.owner, LabelOwner::Project(_)),
        }),
        ..LabelShape::new(label)
    })
}

/// `GET /groups/:id/labels`
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let query = &call.query;
    let world = call.world;
    let mut owners = vec![LabelOwner::Group(group.id)];
    if query.flag("include_ancestor_groups")?.unwrap_or(true) {
        owners.extend(world.lineage(group.id).skip(1).map(|group| LabelOwner::Group(group.id)));
    }
    if query.flag("include_descendant_groups")?.unwrap_or(false) {
        owners.extend(
            world
                .groups()
                .filter(|below| below.id != group.id && world.is_within(below.id, group.id))
                .filter(|below| world.sees_group(call.caller, below))
                .map(|below| LabelOwner::Group(below.id)),
        );
    }
    if !query.flag("only_group_labels")?.unwrap_or(true) {
        owners.extend(
            world
                .projects()
                .filter(|project| world.is_within(project.group, group.id))
                .filter(|project| world.sees_project(call.caller, project))
                .map(|project| LabelOwner::Project(project.id)),
        );
    }
    let with_counts = query.flag("with_counts")?.unwrap_or(false);
    let labels = select(call, &owners);
    let defaults = [
        ("include_ancestor_groups", "true"),
        ("include_descendant_groups", "false"),
        ("only_group_labels", "true"),
        ("with_counts", "false"),
    ];
    paging::list(call, call.echo(&defaults, id), &labels, |label| {
        let below = || {
            world
                .projects()
                .filter(|project| world.is_within(project.group, group.id))
                .filter(|project| world.sees_project(call.caller, project))
        };
        LabelShape {
            counts: with_counts.then(|| count(call, below(), label.id)),
            ..LabelShape::new(label)
        }
    })
}

fn named<'w>(labels: Vec<&'w Label>, name: &str) -> Result<&'w Label, Failure> {
    let id = super::number(name);
    labels
        .into_iter()
        .find(|label| id == Some(label.id.get()) || label.title == name)
        .ok_or(Failure::NotFound("Label"))
}

/// `GET /projects/:id/labels/:name`, by number or title
pub(super) fn one_of_project(
    call: &Call<'_>,
    project: &Project,
    name: &str,
) -> Result<Answer, Failure> {
    let mut owners = vec![LabelOwner::Project(project.id)];
    owners.extend(call.world.lineage(project.group).map(|group| LabelOwner::Group(group.id)));
    let label = named(select(call, &owners), name)?;
    Ok(Answer::json(&LabelShape {
        counts: Some(count(call, std::iter::once(project), label.id)),
        project: Some(InProject {
            priority: None,
            is_project_label: matches!(label.owner, LabelOwner::Project(_)),
        }),
        ..LabelShape::new(label)
    }))
}

/// `GET /groups/:id/labels/:name`, by number or title
pub(super) fn one_of_group(call: &Call<'_>, group: &Group, name: &str) -> Result<Answer, Failure> {
    let owners: Vec<LabelOwner> =
        call.world.lineage(group.id).map(|group| LabelOwner::Group(group.id)).collect();
    let label = named(select(call, &owners), name)?;
    Ok(Answer::json(&LabelShape::new(label)))
}

impl<'w> LabelShape<'w> {
    fn new(label: &'w Label) -> Self {
        Self {
            id: label.id,
            name: &label.title,
            description: label.description.as_deref(),
            description_html: label.description.as_deref().unwrap_or_default(),
            text_color: TEXT_COLOR,
            color: &label.color,
            archived: false,
            counts: None,
            subscribed: false,
            project: None,
        }
    }
}

fn select<'w>(call: &Call<'w>, owners: &[LabelOwner]) -> Vec<&'w Label> {
    let words = call.query.filled("search").map(str::to_lowercase);
    let mut labels: Vec<&Label> = call
        .world
        .labels()
        .filter(|label| owners.contains(&label.owner))
        .filter(|label| {
            words.as_ref().is_none_or(|words| {
                label.title.to_lowercase().contains(words)
                    || label
                        .description
                        .as_ref()
                        .is_some_and(|text| text.to_lowercase().contains(words))
            })
        })
        .collect();
    labels.sort_unstable_by(|a, b| a.title.cmp(&b.title).then(a.id.cmp(&b.id)));
    labels
}

/// Counts what carries a label, as far as the caller sees it.
fn count<'w>(
    call: &Call<'_>,
    projects: impl Iterator<Item = &'w Project>,
    label: LabelId,
) -> Counts {
    let carries = |item: &Item| item.labels.contains(&label);
    let mut counts =
        Counts { open_issues_count: 0, closed_issues_count: 0, open_merge_requests_count: 0 };
    for project in projects {
        let issues = project.issues.values().filter(|issue| carries(&issue.item));
        for issue in issues.filter(|issue| call.world.sees_issue(call.caller, project, issue)) {
            if issue.item.closed_at.is_none() {
                counts.open_issues_count += 1;
            } else {
                counts.closed_issues_count += 1;
            }
        }
        if call.world.reads_code(call.caller, project) {
            counts.open_merge_requests_count += project
                .merge_requests
                .values()
                .filter(|row| carries(&row.item) && row.state() == "opened")
                .count();
        }
    }
    counts
}
