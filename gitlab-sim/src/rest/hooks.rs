//! Webhooks of projects and groups, and system hooks. Only listed: they are registered through
//! Rust and the control API.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::shape::Stamp;
use super::{Call, paging};
use crate::hooks::{HookState, Scope, Switch};
use crate::world::{AccessLevel, Group, Project};

/// Events of GitLab that the world does not have: every hook has them switched off.
const NEVER: [&str; 8] = [
    "deployment_events",
    "emoji_events",
    "feature_flag_events",
    "job_events",
    "milestone_events",
    "resource_access_token_events",
    "vulnerability_events",
    "wiki_page_events",
];

fn hooks(call: &Call<'_>, scope: Scope) -> Vec<HookState> {
    call.site.hooks.states().into_iter().filter(|state| state.hook.scope == scope).collect()
}

fn find(call: &Call<'_>, scope: Scope, id: &str) -> Result<HookState, Failure> {
    hooks(call, scope).into_iter().find(|state| state.id.to_string() == id).ok_or(Failure::NoRecord)
}

fn allowed(call: &Call<'_>, level: Option<AccessLevel>, least: AccessLevel) -> Result<(), Failure> {
    call.signed_in()?;
    if level.is_some_and(|level| level >= least) { Ok(()) } else { Err(Failure::Forbidden) }
}

/// `GET /projects/:id/hooks`, for maintainers
pub(super) fn of_project(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    allowed(call, call.world.access(call.caller, project), AccessLevel::Maintainer)?;
    let rows = hooks(call, Scope::Project(project.id));
    list(call, &rows, id)
}

/// `GET /projects/:id/hooks/:hook_id`, for maintainers
pub(super) fn one_of_project(
    call: &Call<'_>,
    project: &Project,
    hook: &str,
) -> Result<Answer, Failure> {
    allowed(call, call.world.access(call.caller, project), AccessLevel::Maintainer)?;
    Ok(Answer::json(&shape(&find(call, Scope::Project(project.id), hook)?)))
}

/// `GET /groups/:id/hooks`, for owners
pub(super) fn of_group(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    allowed(call, call.world.group_access(call.caller, group), AccessLevel::Owner)?;
    let rows = hooks(call, Scope::Group(group.id));
    list(call, &rows, id)
}

/// `GET /groups/:id/hooks/:hook_id`, for owners
pub(super) fn one_of_group(call: &Call<'_>, group: &Group, hook: &str) -> Result<Answer, Failure> {
    allowed(call, call.world.group_access(call.caller, group), AccessLevel::Owner)?;
    Ok(Answer::json(&shape(&find(call, Scope::Group(group.id), hook)?)))
}

/// `GET /hooks`, for administrators
pub(super) fn of_system(call: &Call<'_>) -> Result<Answer, Failure> {
    call.signed_in()?;
    if !call.caller.user().is_some_and(|user| user.admin) {
        return Err(Failure::Forbidden);
    }
    let rows: Vec<Value> = hooks(call, Scope::System).iter().map(shape).collect();
    Ok(Answer::json(&rows))
}

fn list(call: &Call<'_>, rows: &[HookState], id: &str) -> Result<Answer, Failure> {
    let rows: Vec<&HookState> = rows.iter().collect();
    paging::list(call, call.echo(&[], id), &rows, |row| shape(row))
}

/// Renders a hook. Its secrets are never shown, nor the values of its headers.
fn shape(state: &HookState) -> Value {
    let hook = &state.hook;
    let headers: Vec<Value> = hook.headers.iter().map(|(name, _)| json!({"key": name})).collect();
    let mut shape = json!({
        "id": state.id,
        "url": hook.url,
        "name": null,
        "description": null,
        "created_at": Stamp(state.created_at),
        "enable_ssl_verification": true,
        "alert_status": state.alert.word(),
        "disabled_until": state.disabled_until.map(Stamp),
        "url_variables": [],
        "custom_webhook_template": null,
        "custom_headers": headers,
        "push_events_branch_filter": null,
        "branch_filter_strategy": "wildcard",
    });
    match hook.scope {
        Scope::Project(project) => shape["project_id"] = json!(project),
        Scope::Group(group) => shape["group_id"] = json!(group),
        Scope::System => {}
    }
    for switch in Switch::ALL.into_iter().filter(|switch| exists(*switch, hook.scope)) {
        shape[switch.name()] = json!(hook.events.contains(&switch));
    }
    if hook.scope != Scope::System {
        for name in NEVER {
            shape[name] = json!(false);
        }
    }
    shape
}

/// Tells whether hooks of a scope have a switch.
const fn exists(switch: Switch, scope: Scope) -> bool {
    match switch {
        Switch::Push | Switch::TagPush | Switch::MergeRequests | Switch::RepositoryUpdate => true,
        Switch::Issues
        | Switch::ConfidentialIssues
        | Switch::Note
        | Switch::ConfidentialNote
        | Switch::Pipeline
        | Switch::Releases => !matches!(scope, Scope::System),
        Switch::Member | Switch::Project | Switch::Subgroup => matches!(scope, Scope::Group(_)),
    }
}
