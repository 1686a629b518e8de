//! The REST interface, version 4: which address is answered by what.
//!
//! Handlers are plain functions from a [`Call`] to an [`Answer`] or a [`Failure`]: no async, no
//! lock, no header handling beyond their own. The server locks the world, counts the request
//! against the throttle and calls [`answer()`]. Only reading is offered, but for the rotation of
//! tokens: the world is changed through Rust.
//!
//! Path segments arrive percent-encoded, so that `acme%2Fshop` is one segment and `acme/shop` is
//! two, which no route knows: the usual mistake gets the usual answer.

mod account;
pub(crate) mod answer;
mod approvals;
mod delivery;
mod direct;
mod discussions;
mod events;
mod git;
mod groups;
mod hooks;
mod issues;
mod items;
mod job;
mod json;
pub(crate) mod kept;
mod labels;
mod merge_request_parts;
mod merge_requests;
mod milestones;
mod notes;
mod paging;
mod people;
mod pipelines;
mod places;
mod project_shape;
mod projects;
pub(crate) mod query;
mod relations;
mod releases;
mod repository;
pub(crate) mod rotation;
mod select;
mod shape;
pub(crate) mod stale;
mod templates;
mod tokens;
mod tour;

use answer::{API_SCOPES, Answer, Failure};
pub(crate) use git::sha_of;
pub(crate) use issues::web_segment;
use query::{Query, decode};
pub(crate) use repository::{blob_id, knows};

use crate::server::Site;
use crate::world::{Caller, Group, GroupId, ItemKind, Project, ProjectId, World};

/// One request with everything a handler needs.
pub(crate) struct Call<'w> {
    pub(crate) world: &'w World,
    pub(crate) site: &'w Site,
    pub(crate) caller: Caller<'w>,
    /// The path below `/api/v4`, as sent.
    pub(crate) path: &'w str,
    pub(crate) query: Query,
}

impl<'w> Call<'w> {
    /// Returns the address of this call at the configured external address, without a query.
    fn address(&self) -> String {
        format!("{}/api/v4{}", self.site.url, self.path)
    }

    /// Returns the effective parameters: those that came, defaults, and the id of the path.
    fn echo(&self, defaults: &[(&str, &str)], id: &str) -> Query {
        let mut query = self.query.clone().with_defaults(defaults);
        query.set("id", id);
        query
    }

    /// Asks for a signed-in caller.
    fn signed_in(&self) -> Result<(), Failure> {
        match self.caller {
            Caller::Anonymous => Err(Failure::Unauthorized),
            Caller::User { .. } => Ok(()),
        }
    }

    /// Asks for one of some scopes, when there is a token at all.
    fn scoped(&self, enough: &[&str], wanted: &'static str) -> Result<(), Failure> {
        match self.caller {
            // Nobody asks a job token for scopes: it is taken on few routes, and on those whole.
            Caller::User { token, .. }
                if token.job().is_none()
                    && !enough.iter().any(|scope| token.scopes.contains(*scope)) =>
            {
                Err(Failure::InsufficientScope(wanted))
            }
            Caller::User { .. } | Caller::Anonymous => Ok(()),
        }
    }

    /// Finds a visible project by number or path, or where it went.
    fn project(&self, id: &str) -> Result<&'w Project, Failure> {
        let world = self.world;
        let visible = |project: &&Project| world.sees_project(self.caller, project);
        if let Some(number) = number(id) {
            return world
                .project(ProjectId::new(number))
                .ok_or(Failure::NotFound("Project"))
                .and_then(|project| job::admit(self, project, visible(&project)));
        }
        if let Some(project) = world.find_project(id) {
            return job::admit(self, project, visible(&project));
        }
        match world.find_moved_project(id).filter(visible) {
            Some(project) => Err(Failure::Moved(project.id)),
            None => Err(Failure::NotFound("Project")),
        }
    }

    /// Finds a visible group by number or path. Former paths of groups lead nowhere.
    fn group(&self, id: &str) -> Result<&'w Group, Failure> {
        let group = match number(id) {
            Some(number) => self.world.group(GroupId::new(number)),
            None => self.world.find_group(id),
        };
        group
            .filter(|group| self.world.sees_group(self.caller, group))
            .ok_or(Failure::NotFound("Group"))
    }
}

/// Reads an id that is written in digits only. Everything else is a path.
fn number(id: &str) -> Option<u64> {
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.parse().ok()).flatten()
}

/// Refuses a call with a verb other than GET: below a former path of a project GitLab says so, and
/// names no new address.
pub(crate) fn refuse(call: &Call<'_>) -> Failure {
    let moved = call
        .path
        .strip_prefix("/projects/")
        .map(|rest| decode(rest.split('/').next().unwrap_or(rest), false))
        .is_some_and(|id| matches!(call.project(&id), Err(Failure::Moved(_))));
    if moved {
        return Failure::MovedForWrite;
    }
    let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    match segments.as_slice() {
        ["projects", id, "issues"] => refuse_issue(call, &decode(id, false)),
        _ => Failure::Method,
    }
}

/// Refuses a new issue with what GitLab would say first. The world is changed through Rust and the
/// control API only, so a valid one is a wrong verb too.
fn refuse_issue(call: &Call<'_>, project: &str) -> Failure {
    let checked = call
        .signed_in()
        .and_then(|()| call.scoped(&["api"], "api"))
        .and_then(|()| call.project(project));
    match (checked, call.query.filled("title")) {
        (Err(failure), _) => failure,
        (Ok(_), None) => Failure::Invalid("title is missing".to_owned()),
        (Ok(_), Some(title)) if title.chars().count() > LONGEST_TITLE => Failure::InvalidField(
            "title",
            format!("is too long (maximum is {LONGEST_TITLE} characters)"),
        ),
        (Ok(_), Some(_)) => Failure::Method,
    }
}

/// How many characters the title of an issue has at most.
const LONGEST_TITLE: usize = 255;

/// Answers a call.
pub(crate) fn answer(call: &Call<'_>) -> Result<Answer, Failure> {
    let segments: Vec<String> =
        call.path.trim_start_matches('/').split('/').map(|part| decode(part, false)).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let scope = match segments.as_slice() {
        ["personal_access_tokens", "self", ..] | ["job"] => Ok(()),
        ["user" | "users" | "events", ..] => {
            call.scoped(&["api", "read_api", "read_user"], "api read_user")
        }
        ["projects", _, "repository", "files", ..] => {
            call.scoped(&["api", "read_api", "read_repository"], "api read_api read_repository")
        }
        _ => call.scoped(&["api", "read_api"], API_SCOPES),
    };
    match segments.as_slice() {
        ["projects", id, rest @ ..] => in_project(call, scope, id, rest),
        ["groups", id, rest @ ..] => in_group(call, scope, id, rest),
        ["version"] => scope.and_then(|()| account::version(call)),
        ["metadata"] => scope.and_then(|()| account::metadata(call)),
        ["user"] => scope.and_then(|()| account::user(call)),
        ["personal_access_tokens"] => tokens::list(call),
        ["personal_access_tokens", "self"] => tokens::own(call),
        ["personal_access_tokens", "self", "associations"] => tokens::associations(call),
        ["personal_access_tokens", id] => tokens::one(call, id),
        ["job"] => job::own(call),
        ["groups"] => scope.and_then(|()| groups::list(call)),
        ["hooks"] => scope.and_then(|()| hooks::of_system(call)),
        ["issues"] => scope.and_then(|()| issues::of_instance(call)),
        ["issues_statistics"] => scope.and_then(|()| issues::statistics_of_instance(call)),
        ["merge_requests"] => scope.and_then(|()| merge_requests::of_instance(call)),
        ["projects"] => scope.and_then(|()| projects::list(call)),
        ["users"] => scope.and_then(|()| people::users(call)),
        // By the id that is unique on the instance an issue is for administrators only.
        ["issues", id] if number(id).is_some() => scope.and_then(|()| issues::by_id(call, id)),
        ["users", id] => scope.and_then(|()| people::user(call, id)),
        ["users", id, "projects"] => scope.and_then(|()| projects::of_user(call, id)),
        ["namespaces"] => scope.and_then(|()| places::namespaces(call)),
        ["namespaces", id] => scope.and_then(|()| places::one_namespace(call, id)),
        ["topics"] => scope.and_then(|()| places::topics(call)),
        ["events"] => scope.and_then(|()| call.signed_in()).and_then(|()| tour::empty(call, "")),
        _ => Err(Failure::NoRoute),
    }
}

fn in_group(
    call: &Call<'_>,
    scope: Result<(), Failure>,
    id: &str,
    rest: &[&str],
) -> Result<Answer, Failure> {
    type Handler = fn(&Call<'_>, &Group, &str) -> Result<Answer, Failure>;
    let handler: Handler = match rest {
        [] => groups::one,
        ["subgroups"] => groups::subgroups,
        ["descendant_groups"] => groups::descendants,
        ["projects"] => projects::of_group,
        ["labels"] => labels::of_group,
        ["issues"] => issues::of_group,
        ["issues_statistics"] => issues::statistics_of_group,
        ["merge_requests"] => merge_requests::of_group,
        ["hooks"] => hooks::of_group,
        ["hooks", hook] => {
            scope?;
            return hooks::one_of_group(call, call.group(id)?, hook);
        }
        _ => {
            let handler = tour::in_group(rest).ok_or(Failure::NoRoute)?;
            scope?;
            return handler(call, call.group(id)?, id);
        }
    };
    scope?;
    handler(call, call.group(id)?, id)
}

/// The lists directly below a project.
const LISTS: [&str; 8] = [
    "labels",
    "issues",
    "issues_statistics",
    "merge_requests",
    "pipelines",
    "releases",
    "approval_rules",
    "hooks",
];

fn in_project(
    call: &Call<'_>,
    scope: Result<(), Failure>,
    id: &str,
    rest: &[&str],
) -> Result<Answer, Failure> {
    let list = matches!(rest, [list] if LISTS.contains(list));
    let known = matches!(
        rest,
        [] | ["issues" | "merge_requests" | "pipelines" | "templates" | "hooks", _]
            | ["issues" | "merge_requests", _, "notes"]
            | ["templates", _, _]
            | ["repository", "tree" | "tags"]
            | ["repository", "files", _]
            | ["repository", "files", _, "raw"]
    );
    if !list && !known {
        let handler = tour::in_project(rest).ok_or(Failure::NoRoute)?;
        scope?;
        return handler(call, call.project(id)?, id);
    }
    scope?;
    let project = call.project(id)?;
    match rest {
        [] => projects::one(call, project),
        ["labels"] => labels::of_project(call, project, id),
        ["issues"] => issues::of_project(call, project, id),
        ["issues", iid] => issues::one(call, project, iid),
        ["issues", iid, "notes"] => notes::list(call, project, id, ItemKind::Issue, iid),
        ["issues_statistics"] => issues::statistics_of_project(call, project),
        ["merge_requests"] => merge_requests::of_project(call, project, id),
        ["merge_requests", iid] => merge_requests::one(call, project, iid),
        ["merge_requests", iid, "notes"] => {
            notes::list(call, project, id, ItemKind::MergeRequest, iid)
        }
        ["pipelines"] => pipelines::list(call, project, id),
        ["pipelines", "latest"] => pipelines::latest(call, project),
        ["pipelines", number] => pipelines::one(call, project, number),
        ["releases"] => releases::list(call, project, id),
        ["repository", "tags"] => releases::tags(call, project, id),
        ["repository", "tree"] => repository::tree(call, project, id),
        ["repository", "files", path] => repository::file(call, project, path),
        ["repository", "files", path, "raw"] => repository::raw(call, project, path),
        ["templates", kind] => templates::list(call, project, id, kind),
        ["templates", kind, name] => templates::one(call, project, kind, name),
        ["hooks"] => hooks::of_project(call, project, id),
        ["hooks", hook] => hooks::one_of_project(call, project, hook),
        ["approval_rules"] => projects::approval_rules(call, project, id),
        _ => Err(Failure::NoRoute),
    }
}
