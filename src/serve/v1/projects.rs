//! `GET /v1/projects/{project}` and `/v1/projects/{project}/owners`.

use axum::extract::State;
use utoipa::IntoParams;

use crate::lookup::{PathOwners, ProjectDetail};
use crate::serve::caller::Caller;
use crate::serve::path::Path;
use crate::serve::question::Question;
use crate::serve::{App, Problem, Single, reply};

/// Parameters of `/v1/projects/{project}/owners`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that `Question` reads")]
pub struct OwnersParameters {
    /// A file's path from the root of the repository; without it, all entries are listed.
    path: Option<String>,
}

fn unknown(project: &str) -> Problem {
    Problem::not_found(format!(
        "no project that you may see is or was `{project}`; write `/` in a path as %2F"
    ))
}

/// A project with its tags and their evidence, by GitLab's id or its path; old paths work.
#[utoipa::path(get, path = "/v1/projects/{project}", tag = "project",
    params(("project" = String, Path,)),
    responses((status = 200, body = Single<ProjectDetail>),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn project(
    State(app): State<App>,
    caller: Caller,
    Path(project): Path<String>,
    question: Question,
) -> Result<Single<ProjectDetail>, Problem> {
    question.only(&[])?;
    let found = app.lookup.project(&project, &caller.viewer).await?;
    Ok(reply::single(&question, found.ok_or_else(|| unknown(&project))?))
}

/// Whom CODEOWNERS names for a path, by section.
#[utoipa::path(get, path = "/v1/projects/{project}/owners", tag = "project",
    params(("project" = String, Path,), OwnersParameters),
    responses((status = 200, body = Single<PathOwners>),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn owners(
    State(app): State<App>,
    caller: Caller,
    Path(project): Path<String>,
    question: Question,
) -> Result<Single<PathOwners>, Problem> {
    question.only(&["path"])?;
    let found = app.lookup.owners(&project, question.value("path"), &caller.viewer).await?;
    Ok(reply::single(&question, found.ok_or_else(|| unknown(&project))?))
}
