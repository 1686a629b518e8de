//! Groups: one, all, and what lies below one.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::project_shape::{ProjectShape, visibility_word};
use super::query::Query;
use super::shape::Stamp;
use super::{Call, paging};
use crate::server::Tier;
use crate::world::{AccessLevel, Group, GroupId, Visibility};

/// How many projects `GET /groups/:id` lists at most.
const PROJECTS_SHOWN: usize = 100;

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is GitLab's")]
struct GroupShape<'w> {
    id: GroupId,
    web_url: String,
    name: &'w str,
    path: &'w str,
    description: &'w str,
    visibility: Visibility,
    share_with_group_lock: bool,
    require_two_factor_authentication: bool,
    two_factor_grace_period: u64,
    project_creation_level: &'static str,
    auto_devops_enabled: Option<bool>,
    subgroup_creation_level: &'static str,
    emails_disabled: bool,
    emails_enabled: bool,
    mentions_disabled: Option<bool>,
    lfs_enabled: bool,
    archived: bool,
    default_branch: Option<&'static str>,
    default_branch_protection: u64,
    avatar_url: Option<&'static str>,
    request_access_enabled: bool,
    full_name: &'w str,
    full_path: &'w str,
    created_at: Stamp,
    parent_id: Option<GroupId>,
    organization_id: u64,
    shared_runners_setting: &'static str,
    marked_for_deletion_on: Option<Date>,
    /// Said with a licence only.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_template_project_id: Option<Value>,
}

impl<'w> GroupShape<'w> {
    fn new(call: &Call<'w>, group: &'w Group) -> Self {
        Self {
            id: group.id,
            web_url: format!("{}/groups/{}", call.site.url, group.full_path),
            name: &group.name,
            path: &group.path,
            description: &group.description,
            visibility: group.visibility,
            share_with_group_lock: false,
            require_two_factor_authentication: false,
            two_factor_grace_period: 48,
            project_creation_level: "developer",
            auto_devops_enabled: None,
            subgroup_creation_level: "maintainer",
            emails_disabled: false,
            emails_enabled: true,
            mentions_disabled: None,
            lfs_enabled: true,
            archived: false,
            default_branch: None,
            default_branch_protection: 2,
            avatar_url: None,
            request_access_enabled: true,
            full_name: &group.full_name,
            full_path: &group.full_path,
            created_at: Stamp(group.created_at),
            parent_id: group.parent,
            organization_id: 1,
            shared_runners_setting: "enabled",
            marked_for_deletion_on: group.marked_for_deletion_on,
            file_template_project_id: (call.site.tier == Tier::Premium)
                .then(|| json!(call.world.template_project(group.id))),
        }
    }
}

#[derive(Serialize)]
struct GroupDetail<'w> {
    #[serde(flatten)]
    group: GroupShape<'w>,
    shared_with_groups: Vec<Value>,
    prevent_sharing_groups_outside_hierarchy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    projects: Option<Vec<ProjectShape<'w>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_projects: Option<Vec<ProjectShape<'w>>>,
    shared_runners_minutes_limit: Option<u64>,
    extra_shared_runners_minutes_limit: Option<u64>,
    prevent_forking_outside_group: Option<bool>,
}

/// `GET /groups`
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
    let query = &call.query;
    let admin = call.caller.user().is_some_and(|user| user.admin);
    let signed_in = call.caller.user().is_some();
    let all = query.flag("all_available")?.unwrap_or(admin || !signed_in);
    let top_level = query.flag("top_level_only")?.unwrap_or(false);
    let owned = query.flag("owned")?.unwrap_or(false);
    let groups = call
        .world
        .groups()
        .filter(|group| !top_level || group.parent.is_none())
        .filter(|group| {
            if owned {
                let level = call.world.group_access(call.caller, group);
                level == Some(AccessLevel::Owner)
            } else if all {
                call.world.sees_group(call.caller, group)
            } else {
                call.world.group_access(call.caller, group).is_some()
            }
        })
        .collect();
    let defaults = call.query.clone().with_defaults(&[
        ("order_by", "name"),
        ("owned", "false"),
        ("sort", "asc"),
        ("statistics", "false"),
        ("with_custom_attributes", "false"),
    ]);
    let groups = ordered(call, groups)?;
    if query.text("pagination") == Some("keyset") {
        return by_keyset(call, defaults, groups);
    }
    paging::capped(call, defaults, &groups, "Group", |group| GroupShape::new(call, group))
}

/// `GET /groups/:id/subgroups`
pub(super) fn subgroups(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    below(call, id, |candidate| candidate.parent == Some(group.id))
}

/// `GET /groups/:id/descendant_groups`
pub(super) fn descendants(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    below(call, id, |candidate| {
        candidate.id != group.id && call.world.is_within(candidate.id, group.id)
    })
}

fn below(call: &Call<'_>, id: &str, belongs: impl Fn(&Group) -> bool) -> Result<Answer, Failure> {
    let groups = call
        .world
        .groups()
        .filter(|group| belongs(group) && call.world.sees_group(call.caller, group))
        .collect();
    let echo = call.echo(
        &[
            ("order_by", "name"),
            ("owned", "false"),
            ("sort", "asc"),
            ("statistics", "false"),
            ("with_custom_attributes", "false"),
        ],
        id,
    );
    let groups = ordered(call, groups)?;
    paging::list(call, echo, &groups, |group| GroupShape::new(call, group))
}

/// Answers with a page of groups, filtered and sorted as all lists are.
pub(super) fn page(call: &Call<'_>, echo: Query, groups: Vec<&Group>) -> Result<Answer, Failure> {
    let groups = ordered(call, groups)?;
    paging::list(call, echo, &groups, |group| GroupShape::new(call, group))
}

/// Filters and sorts in the ways that all lists share.
fn ordered<'w>(call: &Call<'w>, mut groups: Vec<&'w Group>) -> Result<Vec<&'w Group>, Failure> {
    let query = &call.query;
    if let Some(visibility) = query.one_of("visibility", &["private", "internal", "public"])? {
        groups.retain(|group| visibility_word(group.visibility) == visibility);
    }
    if let Some(words) = query.filled("search") {
        let words = words.to_lowercase();
        groups.retain(|group| {
            group.name.to_lowercase().contains(&words) || group.path.to_lowercase().contains(&words)
        });
    }
    if let Some(least) = query.number("min_access_level")? {
        groups.retain(|group| {
            let level = call.world.group_access(call.caller, group);
            level.is_some_and(|level| i64::try_from(level.number()).is_ok_and(|own| own >= least))
        });
    }
    if let Some(active) = query.flag("active")? {
        groups.retain(|group| group.marked_for_deletion_on.is_none() == active);
    }
    if let Some(day) = query.date("marked_for_deletion_on")? {
        groups.retain(|group| group.marked_for_deletion_on == Some(day));
    }
    if query.flag("archived")?.unwrap_or(false) {
        groups.clear();
    }
    if let Some(skipped) = query.numbers("skip_groups")? {
        groups.retain(|group| !skipped.contains(&group.id.get()));
    }
    let order = query.one_of("order_by", &["name", "path", "id", "similarity"])?.unwrap_or("name");
    let descending = query.descending(false)?;
    groups.sort_unstable_by(|a, b| {
        let ordering = match order {
            "id" => a.id.cmp(&b.id),
            "path" => a.path.cmp(&b.path),
            _ => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
        };
        directed(ordering, descending).then(a.id.cmp(&b.id))
    });
    Ok(groups)
}

/// Pages groups by keyset, which GitLab does for callers without an account and by rising name.
fn by_keyset(call: &Call<'_>, echo: Query, mut groups: Vec<&Group>) -> Result<Answer, Failure> {
    let order = call.query.text("order_by").unwrap_or("name");
    if call.caller.user().is_some() || order != "name" || call.query.descending(false)? {
        return Err(Failure::NoKeyset);
    }
    let key = |group: &Group| (group.name.to_lowercase(), group.id.get());
    if let Some(text) = call.query.filled("cursor") {
        let cursor: (String, u64) = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Failure::Invalid("cursor is invalid".to_owned()))?;
        groups.retain(|group| key(group) > cursor);
    }
    let cursor = |group: &&Group| URL_SAFE_NO_PAD.encode(serde_json::json!(key(group)).to_string());
    paging::cursor(call, echo, &groups, cursor, |group| GroupShape::new(call, group))
}

/// Turns an order round.
pub(super) fn directed(ordering: Ordering, descending: bool) -> Ordering {
    if descending { ordering.reverse() } else { ordering }
}

/// `GET /groups/:id`
pub(super) fn one(call: &Call<'_>, group: &Group, _: &str) -> Result<Answer, Failure> {
    let with_projects = call.query.flag("with_projects")?.unwrap_or(true);
    let projects = with_projects.then(|| {
        call.world
            .projects()
            .filter(|project| project.group == group.id)
            .filter(|project| call.world.sees_project(call.caller, project))
            .take(PROJECTS_SHOWN)
            .map(|project| ProjectShape::full(call, project))
            .collect()
    });
    let shared_projects = with_projects.then(|| {
        call.world
            .projects_shared_with(group.id)
            .filter(|project| call.world.sees_project(call.caller, project))
            .take(PROJECTS_SHOWN)
            .map(|project| ProjectShape::full(call, project))
            .collect()
    });
    Ok(Answer::json(&GroupDetail {
        group: GroupShape::new(call, group),
        shared_with_groups: shares(call, call.world.shares_of_group(group.id)),
        prevent_sharing_groups_outside_hierarchy: false,
        shared_projects,
        projects,
        shared_runners_minutes_limit: None,
        extra_shared_runners_minutes_limit: None,
        prevent_forking_outside_group: None,
    }))
}

/// Renders with whom something is shared, as far as the caller sees them.
pub(super) fn shares<'w>(
    call: &Call<'_>,
    shares: impl Iterator<Item = (&'w Group, AccessLevel)>,
) -> Vec<Value> {
    shares
        .filter(|(group, _)| call.world.sees_group(call.caller, group))
        .map(|(group, level)| {
            json!({
                "group_id": group.id,
                "group_name": group.name,
                "group_full_path": group.full_path,
                "group_access_level": level.number(),
                "expires_at": null,
            })
        })
        .collect()
}
