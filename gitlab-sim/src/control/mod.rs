//! The control API: what a test in another language can do to the world and to the way it is served.
//!
//! Everything lies below `/_sim`, speaks JSON, needs no token, is neither throttled nor logged as a
//! request, and no fault strikes it. [`COMMANDS`] is the whole of it: who adds a command adds a line
//! there and a line to docs/control.md, which a test compares. A command is a plain function; it
//! locks the world itself, for as short as it can, and waits for nothing. The one thing to wait for,
//! that hooks are delivered, is waited for before its command is carried out.
//!
//! It refuses to imitate GitLab: writing by GitLab's own addresses stays refused, so that a crawler
//! that writes by mistake is found out.

mod ask;
mod contents;
mod hooks;
mod items;
mod labels;
mod limits;
mod living;
mod people;
mod places;
mod relations;
mod service;
#[cfg(test)]
mod tests;
mod tokens;
mod trouble;

use ask::{Ask, Refusal};
use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::rest::query::{Query, decode};
use crate::server::Shared;

/// How much of a body is read, in bytes: more than any file that a test would put in.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// The path of the command that waits for hooks.
const SETTLED: &str = "/_sim/hooks/settled";

type Handler = fn(&Shared, &Ask) -> Result<Value, Refusal>;

/// One command.
struct Command {
    method: &'static str,
    /// The path; parts that begin with a colon stand for any part.
    path: &'static str,
    handler: Handler,
    what: &'static str,
}

macro_rules! commands {
    ($($method:ident $path:literal $handler:path, $what:literal;)*) => {
        [$(Command {
            method: stringify!($method),
            path: $path,
            handler: $handler,
            what: $what,
        },)*]
    };
}

/// Every command that there is.
#[rustfmt::skip]
static COMMANDS: &[Command] = &commands! {
    GET    "/_sim" list_commands, "lists the commands";
    GET    "/_sim/state" service::state, "address, token, clock, counts";
    GET    "/_sim/options" service::options, "how the instance presents itself";
    GET    "/_sim/clock" service::clock, "the time, and how the clock goes";
    PUT    "/_sim/clock" service::set_clock, "sets the clock: now, runs, follow_system";
    POST   "/_sim/clock/advance" service::advance_clock, "moves the clock: by";
    GET    "/_sim/requests" service::requests, "the log of requests: ?last=, ?holds=";
    DELETE "/_sim/requests" service::forget_requests, "empties the log";
    GET    "/_sim/requests/counts" service::count_requests, "how many requests, by status: ?holds=";
    GET    "/_sim/latency" service::latency, "how long answers take";
    PUT    "/_sim/latency" service::set_latency, "sets how long answers take, by kind of request";
    GET    "/_sim/limits" limits::show, "the throttle, the limits of endpoints, the bans";
    PUT    "/_sim/limits/throttle" limits::set_throttle, "replaces the throttle: preset, requests, period, rules and more";
    PUT    "/_sim/limits/endpoints" limits::set_endpoints, "replaces the limits of endpoints: preset, entries, retry_after";
    PUT    "/_sim/limits/bans/:address" limits::ban, "bans an address: until";
    DELETE "/_sim/limits/bans/:address" limits::lift_ban, "lifts a ban";
    GET    "/_sim/lag" service::lag, "how long changes of items stay unseen, and how many do";
    PUT    "/_sim/lag" service::set_lag, "lets the database lag: delay";
    GET    "/_sim/faults" trouble::list, "the faults in force, and the schedule";
    POST   "/_sim/faults" trouble::add, "puts a fault in force: what, on, when";
    DELETE "/_sim/faults" trouble::clear, "ends all faults and the schedule";
    PUT    "/_sim/faults/schedule" trouble::follow, "follows a schedule: seed, profile";
    DELETE "/_sim/faults/schedule" trouble::unfollow, "follows no schedule";
    DELETE "/_sim/faults/:fault" trouble::remove, "ends a fault";
    GET    "/_sim/hooks" hooks::list, "lists hooks";
    POST   "/_sim/hooks" hooks::add_system, "adds a system hook: url, events, token, signing_token, headers";
    GET    "/_sim/hooks/options" hooks::options, "how hooks are delivered";
    PATCH  "/_sim/hooks/options" hooks::set_options, "changes that: timeout, retries, auto_disable, per_minute, silent";
    GET    "/_sim/hooks/settled" hooks::settled, "waits until nothing is to be delivered any more";
    GET    "/_sim/hooks/deliveries" hooks::deliveries, "the log of deliveries: ?hook=, ?last=";
    DELETE "/_sim/hooks/deliveries" hooks::forget_deliveries, "empties the log of deliveries";
    POST   "/_sim/hooks/deliveries/:delivery/resend" hooks::resend, "sends a delivery again";
    GET    "/_sim/hooks/:hook" hooks::one, "shows a hook";
    DELETE "/_sim/hooks/:hook" hooks::remove, "removes a hook";
    POST   "/_sim/hooks/:hook/enable" hooks::enable, "enables a hook that failures have disabled";
    POST   "/_sim/groups/:group/hooks" hooks::add_to_group, "adds a hook of a group: url and more";
    POST   "/_sim/projects/:project/hooks" hooks::add_to_project, "adds a hook of a project: url and more";
    GET    "/_sim/truth" living::truth, "what belongs where, as a token sees it now: ?token=";
    GET    "/_sim/rows" living::rows, "projects, items and notes that a token sees now: ?token=";
    GET    "/_sim/life" living::steps, "what the present life did so far";
    POST   "/_sim/life" living::begin, "begins a life: seed, per_second or after_requests, weights";
    DELETE "/_sim/life" living::end, "ends the life, and says what it did";
    POST   "/_sim/life/steps" living::step, "makes changes now: steps, by default 1";
    GET    "/_sim/users" people::users, "lists users";
    POST   "/_sim/users" people::add_user, "adds a user: username, admin";
    PATCH  "/_sim/users/:user" people::edit_user, "edits a user: admin";
    GET    "/_sim/tokens" tokens::list, "lists tokens";
    POST   "/_sim/tokens" tokens::add, "adds a token: user, kind, scopes, expires_at";
    POST   "/_sim/tokens/:token/expire" tokens::expire, "lets a token expire: on, by default today";
    POST   "/_sim/tokens/:token/revoke" tokens::revoke, "revokes a token";
    POST   "/_sim/tokens/:token/rotate" tokens::rotate, "replaces a token: expires_at";
    POST   "/_sim/groups/:group/tokens" tokens::add_to_group, "adds a token with a bot user: name, access_level and more";
    POST   "/_sim/projects/:project/tokens" tokens::add_to_project, "adds a token with a bot user: name, access_level and more";
    POST   "/_sim/projects/:project/jobs" tokens::start_job, "starts a CI job, and makes its token: user";
    POST   "/_sim/jobs/:job/finish" tokens::finish_job, "ends a CI job, and its token";
    GET    "/_sim/projects/:project/job_token_allowlist" tokens::allowed, "whose jobs a project lets in";
    PUT    "/_sim/projects/:project/job_token_allowlist/:source" tokens::allow, "lets the jobs of another project in: permissions";
    DELETE "/_sim/projects/:project/job_token_allowlist/:source" tokens::refuse, "lets them in no more";
    GET    "/_sim/groups" places::groups, "lists groups";
    POST   "/_sim/groups" places::add_group, "adds a group: full_path, visibility";
    GET    "/_sim/groups/:group" places::group, "shows a group";
    PATCH  "/_sim/groups/:group" places::edit_group, "edits a group: path, name, description, visibility";
    DELETE "/_sim/groups/:group" places::delete_group, "deletes a group with everything below it";
    POST   "/_sim/groups/:group/transfer" places::transfer_group, "moves a group: to, null for the top";
    POST   "/_sim/groups/:group/mark_for_deletion" places::mark_group, "marks a group for deletion";
    POST   "/_sim/groups/:group/restore" places::restore_group, "takes the mark back";
    PUT    "/_sim/groups/:group/members/:user" places::join_group, "gives a role: access_level";
    DELETE "/_sim/groups/:group/members/:user" places::leave_group, "ends a membership";
    PUT    "/_sim/groups/:group/shares/:with" relations::share_group, "shares a group with another: access_level";
    DELETE "/_sim/groups/:group/shares/:with" relations::unshare_group, "ends that";
    PUT    "/_sim/groups/:group/template_project" relations::set_templates, "whose description templates the projects below inherit: project";
    POST   "/_sim/groups/:group/labels" labels::add_to_group, "adds a label: title, color, description";
    GET    "/_sim/projects" places::projects, "lists projects";
    POST   "/_sim/projects" places::add_project, "adds a project: full_path and more";
    GET    "/_sim/projects/:project" places::project, "shows a project";
    PATCH  "/_sim/projects/:project" places::edit_project, "edits a project: path, topics, visibility, archived, hidden and more";
    DELETE "/_sim/projects/:project" places::delete_project, "deletes a project";
    POST   "/_sim/projects/:project/transfer" places::transfer_project, "moves a project: to";
    POST   "/_sim/projects/:project/mark_for_deletion" places::mark_project, "marks a project for deletion";
    POST   "/_sim/projects/:project/restore" places::restore_project, "takes the mark back";
    PUT    "/_sim/projects/:project/members/:user" places::join_project, "gives a role: access_level";
    DELETE "/_sim/projects/:project/members/:user" places::leave_project, "ends a membership";
    PUT    "/_sim/projects/:project/shares/:with" relations::share_project, "shares a project with a group: access_level";
    DELETE "/_sim/projects/:project/shares/:with" relations::unshare_project, "ends that";
    PUT    "/_sim/projects/:project/external_tracker" relations::set_tracker, "gives a project a tracker elsewhere: name, issue_url";
    DELETE "/_sim/projects/:project/external_tracker" relations::remove_tracker, "takes it away";
    POST   "/_sim/projects/:project/approval_rules" contents::add_approval_rule, "adds an approval rule: name, approvals_required, users, groups";
    POST   "/_sim/projects/:project/labels" labels::add_to_project, "adds a label: title, color, description";
    GET    "/_sim/labels" labels::list, "lists labels";
    PATCH  "/_sim/labels/:label" labels::edit, "edits a label: title, color, description";
    DELETE "/_sim/labels/:label" labels::delete, "deletes a label";
    PUT    "/_sim/projects/:project/files/:path" contents::put_file, "writes a file: content or content_base64";
    DELETE "/_sim/projects/:project/files/:path" contents::delete_file, "removes a file";
    POST   "/_sim/projects/:project/push" contents::push, "pushes commits to the default branch: commits";
    DELETE "/_sim/projects/:project/branches/:branch" contents::delete_branch, "deletes a branch";
    POST   "/_sim/projects/:project/pipelines" contents::add_pipeline, "adds a pipeline: status, branch, source";
    PATCH  "/_sim/projects/:project/pipelines/:pipeline" contents::edit_pipeline, "lets a pipeline go on: status";
    POST   "/_sim/projects/:project/tags" contents::add_tag, "adds a git tag: name, and with release a release";
    DELETE "/_sim/projects/:project/tags/:tag" contents::delete_tag, "deletes a git tag";
    POST   "/_sim/projects/:project/issues" items::add_issue, "adds an issue: title and more";
    POST   "/_sim/projects/:project/merge_requests" items::add_merge_request, "adds a merge request: title and more";
    GET    "/_sim/projects/:project/:items/:iid" items::show, "shows an item with its notes";
    PATCH  "/_sim/projects/:project/:items/:iid" items::edit, "edits an item: title, description, labels and more";
    DELETE "/_sim/projects/:project/:items/:iid" items::delete, "deletes an item without a trace";
    POST   "/_sim/projects/:project/:items/:iid/close" items::close, "closes an item";
    POST   "/_sim/projects/:project/:items/:iid/reopen" items::reopen, "opens an item again";
    POST   "/_sim/projects/:project/merge_requests/:iid/merge" items::merge, "merges a merge request";
    POST   "/_sim/projects/:project/issues/:iid/move" items::move_issue, "moves an issue: to";
    POST   "/_sim/projects/:project/issues/:iid/duplicate" relations::close_as_duplicate, "closes an issue as a duplicate: of";
    GET    "/_sim/projects/:project/issues/:iid/links" relations::links, "lists the links of an issue";
    POST   "/_sim/projects/:project/issues/:iid/links" relations::link, "links an issue to another: to, link_type";
    DELETE "/_sim/projects/:project/issues/:iid/links/:link" relations::unlink, "takes a link away";
    POST   "/_sim/projects/:project/:items/:iid/notes" items::add_note, "writes a note: body, internal, system";
    PATCH  "/_sim/projects/:project/:items/:iid/notes/:note" items::edit_note, "edits a note: body";
    DELETE "/_sim/projects/:project/:items/:iid/notes/:note" items::delete_note, "deletes a note";
};

/// Tells whether a path belongs to the control API.
pub(crate) fn claims(path: &str) -> bool {
    path.strip_prefix("/_sim").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Carries out a command.
pub(crate) async fn answer(shared: &Shared, request: axum::extract::Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let result = match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(body) => {
            if parts.method == Method::GET && parts.uri.path() == SETTLED {
                shared.hooks_settled().await;
            }
            let query = Query::parse(parts.uri.query().unwrap_or_default());
            run(shared, &parts.method, parts.uri.path(), query, &body)
        }
        Err(error) => Err(Refusal::wrong(
            format!("the body cannot be read: {error}"),
            format!("send at most {BODY_LIMIT} bytes"),
        )),
    };
    let (status, value) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err(refusal) => refusal.render(),
    };
    let mut response = Response::new(Body::from(format!("{value}\n")));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn run(
    shared: &Shared,
    method: &Method,
    path: &str,
    query: Query,
    body: &[u8],
) -> Result<Value, Refusal> {
    let segments: Vec<String> =
        path.trim_matches('/').split('/').map(|part| decode(part, false)).collect();
    let mut other_methods = Vec::new();
    for command in COMMANDS {
        let Some(values) = fit(command.path, &segments) else {
            continue;
        };
        if command.method == method.as_str() {
            return (command.handler)(shared, &Ask::new(values, query, body.to_vec()));
        }
        other_methods.push(command.method);
    }
    if other_methods.is_empty() {
        return Err(Refusal::missing(
            format!("there is no command {method} {path}"),
            "GET /_sim lists the commands; a path of several parts is one part with %2F",
        ));
    }
    Err(Refusal::method(format!("{path} knows {}, not {method}", other_methods.join(", "))))
}

/// Returns the parts that a pattern leaves open, by name, if the path fits it.
fn fit(pattern: &'static str, segments: &[String]) -> Option<Vec<(&'static str, String)>> {
    let parts: Vec<&str> = pattern.trim_matches('/').split('/').collect();
    if parts.len() != segments.len() {
        return None;
    }
    let mut values = Vec::new();
    for (part, segment) in parts.into_iter().zip(segments) {
        match part.strip_prefix(':') {
            // Only two words stand for the items of a project.
            Some("items") if !matches!(segment.as_str(), "issues" | "merge_requests") => {
                return None;
            }
            Some(name) if !segment.is_empty() => values.push((name, segment.clone())),
            None if part == segment => {}
            Some(_) | None => return None,
        }
    }
    Some(values)
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
fn list_commands(_: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let rows: Vec<Value> = COMMANDS
        .iter()
        .map(|row| json!({"command": format!("{} {}", row.method, row.path), "what": row.what}))
        .collect();
    Ok(json!({
        "commands": rows,
        "everywhere": "?by=<username> says who does it; by default it is the bot",
    }))
}
