//! Projects: one, all, those of a group, and their approval rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Call;
use super::answer::{Answer, Failure};
use super::groups::directed;
use super::kept::shape;
use super::paging::{self, Cut, Page};
use super::places;
use super::project_shape::{ProjectShape, visibility_word};
use super::query::Query;
use super::shape::UserShape;
use crate::world::{AccessLevel, ApprovalRule, Caller, Group, Project, UserId};

const ORDERS: [&str; 8] = [
    "id",
    "name",
    "path",
    "created_at",
    "updated_at",
    "last_activity_at",
    "similarity",
    "star_count",
];

/// `GET /projects/:id`
pub(super) fn one(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    let mut shape = serde_json::to_value(ProjectShape::full(call, project)).unwrap_or_default();
    if call.query.flag("statistics")?.unwrap_or(false)
        && call.world.reads_code(call.caller, project)
    {
        let bytes: usize = project.files.values().map(Vec::len).sum();
        shape["statistics"] = json!({
            "commit_count": project.revision,
            "storage_size": bytes,
            "repository_size": bytes,
            "wiki_size": 0,
            "lfs_objects_size": 0,
            "job_artifacts_size": 0,
            "pipeline_artifacts_size": 0,
            "packages_size": 0,
            "snippets_size": 0,
            "uploads_size": 0,
            "container_registry_size": 0,
        });
    }
    Ok(Answer::json(&shape))
}

/// `GET /groups/:id/projects`
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let deep = call.query.flag("include_subgroups")?.unwrap_or(false);
    let shared = call.query.flag("with_shared")?.unwrap_or(true);
    let mut rows: Vec<&Project> = call
        .world
        .projects()
        .filter(|project| {
            project.group == group.id || deep && call.world.is_within(project.group, group.id)
        })
        .collect();
    if shared {
        // They live elsewhere: a group list is no proof of where a project belongs.
        let known: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
        let more = call.world.projects_shared_with(group.id);
        rows.extend(more.filter(|row| !known.contains(&row.id)));
    }
    let mut rows = select(call, rows)?;
    if let Some(topics) = call.query.list("topic") {
        rows.retain(|project| topics.iter().all(|topic| project.topics.contains(*topic)));
    }
    let echo = call.echo(
        &[
            ("include_ancestor_groups", "false"),
            ("include_subgroups", "false"),
            ("order_by", "created_at"),
            ("owned", "false"),
            ("simple", "false"),
            ("sort", "desc"),
            ("starred", "false"),
            ("with_custom_attributes", "false"),
            ("with_issues_enabled", "false"),
            ("with_merge_requests_enabled", "false"),
            ("with_security_reports", "false"),
            ("with_shared", "true"),
        ],
        id,
    );
    page(call, echo, &rows)
}

/// `GET /groups/:id/projects/shared`
pub(super) fn shared_with_group(
    call: &Call<'_>,
    group: &Group,
    id: &str,
) -> Result<Answer, Failure> {
    let rows = select(call, call.world.projects_shared_with(group.id).collect())?;
    let defaults = [("order_by", "created_at"), ("simple", "false"), ("sort", "desc")];
    page(call, call.echo(&defaults, id), &rows)
}

/// `GET /projects/:id/forks`
pub(super) fn forks(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    let rows = select(call, call.world.forks(project.id).collect())?;
    let defaults = [("order_by", "created_at"), ("simple", "false"), ("sort", "desc")];
    page(call, call.echo(&defaults, id), &rows)
}

/// `GET /users/:id/projects`: personal projects, of which there are none.
pub(super) fn of_user(call: &Call<'_>, id: &str) -> Result<Answer, Failure> {
    let known = match super::number(id) {
        Some(number) => call.world.user(UserId::new(number)),
        None => call.world.find_user(id),
    };
    known.ok_or(Failure::NotFound("User"))?;
    super::tour::empty(call, id)
}

/// `GET /projects`
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
    let query = &call.query;
    let mut rows = select(call, call.world.projects().collect())?;
    let updated = (query.time("updated_after")?, query.time("updated_before")?);
    if updated != (None, None) {
        if query.text("order_by") != Some("updated_at") {
            return Err(Failure::BadRequest(
                "`updated_at` filter and `updated_at` sorting must be paired".to_owned(),
            ));
        }
        rows.retain(|project| {
            updated.0.is_none_or(|after| project.updated_at >= after)
                && updated.1.is_none_or(|before| project.updated_at <= before)
        });
    }
    if let Some(after) = query.time("last_activity_after")? {
        rows.retain(|project| project.last_activity_at >= after);
    }
    if let Some(before) = query.time("last_activity_before")? {
        rows.retain(|project| project.last_activity_at <= before);
    }
    if let Some(after) = query.number("id_after")? {
        rows.retain(|project| i64::try_from(project.id.get()).is_ok_and(|id| id > after));
    }
    if let Some(before) = query.number("id_before")? {
        rows.retain(|project| i64::try_from(project.id.get()).is_ok_and(|id| id < before));
    }
    if let Some(day) = query.date("marked_for_deletion_on")? {
        rows.retain(|project| project.marked_for_deletion_on == Some(day));
    }
    if let Some(language) = query.filled("with_programming_language") {
        rows.retain(|project| {
            let known = places::languages_of(project);
            known.keys().any(|name| name.eq_ignore_ascii_case(language))
        });
    }
    if let Some(id) = query.number("topic_id")? {
        let topic = places::topics_of(call.world).into_iter().find(|(_, own)| *own == id);
        rows.retain(|row| topic.is_some_and(|(topic, _)| row.topics.contains(topic)));
    }
    if let Some(topics) = query.list("topic") {
        rows.retain(|project| topics.iter().all(|topic| project.topics.contains(*topic)));
    }
    let echo = call.query.clone().with_defaults(&[
        ("imported", "false"),
        ("include_hidden", "false"),
        ("membership", "false"),
        ("order_by", "created_at"),
        ("owned", "false"),
        ("repository_checksum_failed", "false"),
        ("simple", "false"),
        ("sort", "desc"),
        ("starred", "false"),
        ("statistics", "false"),
        ("wiki_checksum_failed", "false"),
        ("with_custom_attributes", "false"),
        ("with_issues_enabled", "false"),
        ("with_merge_requests_enabled", "false"),
    ]);
    match query.text("pagination") {
        Some("keyset") if query.text("order_by") != Some("id") => Err(Failure::NoKeyset),
        Some("keyset") => {
            let name = if query.descending(true)? { "id_before" } else { "id_after" };
            let simple = is_simple(call)?;
            let id = |project: &&Project| project.id.get();
            paging::keyset(call, echo, &rows, name, id, |project| shape(call, project, simple))
        }
        _ if call.site.projects_have_ceiling => {
            let simple = is_simple(call)?;
            paging::capped(call, echo, &rows, "Project", |project| shape(call, project, simple))
        }
        _ => page(call, echo, &rows),
    }
}

/// Filters and sorts in the ways that both lists share.
fn select<'w>(call: &Call<'w>, mut rows: Vec<&'w Project>) -> Result<Vec<&'w Project>, Failure> {
    let (world, query) = (call.world, &call.query);
    rows.retain(|project| world.sees_project(call.caller, project));
    if query.flag("membership")?.unwrap_or(false) {
        rows.retain(|project| world.access(call.caller, project).is_some());
    }
    if query.flag("owned")?.unwrap_or(false) {
        let owner = Some(AccessLevel::Owner);
        rows.retain(|project| world.access(call.caller, project) == owner);
    }
    if query.flag("starred")?.unwrap_or(false) {
        rows.clear();
    }
    if let Some(least) = query.number("min_access_level")? {
        rows.retain(|project| {
            world
                .access(call.caller, project)
                .is_some_and(|level| i64::try_from(level.number()).is_ok_and(|own| own >= least))
        });
    }
    if let Some(archived) = query.flag("archived")? {
        rows.retain(|project| project.archived == archived);
    }
    if let Some(active) = query.flag("active")? {
        rows.retain(|project| {
            (!project.archived && project.marked_for_deletion_on.is_none()) == active
        });
    }
    if let Some(word) = query.one_of("visibility", &["private", "internal", "public"])? {
        rows.retain(|project| visibility_word(project.visibility) == word);
    }
    if let Some(words) = query.filled("search") {
        let words = words.to_lowercase();
        let namespaces = query.flag("search_namespaces")?.unwrap_or(false);
        rows.retain(|project| {
            let path = if namespaces { &project.full_path } else { &project.path };
            project.name.to_lowercase().contains(&words)
                || path.to_lowercase().contains(&words)
                || project.description.to_lowercase().contains(&words)
        });
    }
    let order = query.one_of("order_by", &ORDERS)?.unwrap_or("created_at");
    let descending = query.descending(true)?;
    rows.sort_unstable_by(|a, b| {
        let ordering = match order {
            "name" => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
            "path" => a.path.cmp(&b.path),
            "updated_at" => a.updated_at.cmp(&b.updated_at),
            "last_activity_at" => a.last_activity_at.cmp(&b.last_activity_at),
            // `created_at` is executed as `id`, and nothing has stars or a similarity.
            _ => a.id.cmp(&b.id),
        };
        directed(ordering.then(a.id.cmp(&b.id)), descending)
    });
    Ok(rows)
}

fn is_simple(call: &Call<'_>) -> Result<bool, Failure> {
    let asked = call.query.flag("simple")?.unwrap_or(false);
    // Callers without an account only ever get the short form.
    Ok(asked || matches!(call.caller, Caller::Anonymous))
}

fn page<'w>(call: &Call<'w>, echo: Query, rows: &[&'w Project]) -> Result<Answer, Failure> {
    let simple = is_simple(call)?;
    let page = Page::read(&echo)?;
    let Cut { rows, total } = page.cut(rows);
    let body = call.site.project_rows.body(call, &rows, simple);
    Ok(paging::answer(call, echo, page, total, body))
}

/// `GET /projects/:id/approval_rules`
pub(super) fn approval_rules(
    call: &Call<'_>,
    project: &Project,
    id: &str,
) -> Result<Answer, Failure> {
    super::approvals::licensed(call)?;
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::Forbidden);
    }
    paging::list(call, call.echo(&[], id), &project.approval_rules, |rule| rule_shape(call, rule))
}

/// Renders an approval rule.
pub(super) fn rule_shape(call: &Call<'_>, rule: &ApprovalRule) -> Value {
    let users: Vec<UserShape<'_>> =
        rule.users.iter().filter_map(|user| UserShape::find(call, *user)).collect();
    let groups: Vec<Value> = rule
        .groups
        .iter()
        .filter_map(|group| call.world.group(*group))
        .filter(|group| call.world.sees_group(call.caller, group))
        .map(|group| {
            json!({
                "id": group.id,
                "name": group.name,
                "path": group.path,
                "full_path": group.full_path,
                "full_name": group.full_name,
                "web_url": format!("{}/groups/{}", call.site.url, group.full_path),
            })
        })
        .collect();
    json!({
        "id": rule.id,
        "name": rule.name,
        "rule_type": rule.rule_type,
        "report_type": null,
        "eligible_approvers": users,
        "approvals_required": rule.approvals_required,
        "users": users,
        "groups": groups,
        "contains_hidden_groups": groups.len() < rule.groups.len(),
        "protected_branches": [],
        "applies_to_all_protected_branches": false,
    })
}
