//! `GET /v1/services`, `/v1/services/{name}` and its lists; the same for teams and for any key.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::lookup::{
    Item, NameDetail, NameOwner, NameSummary, Project, ProjectPipeline, ReferenceSummary,
};
use crate::model::ItemKind;
use crate::serve::caller::Caller;
use crate::serve::path::Path;
use crate::serve::question::{ItemParameters, PageParameters, Question};
use crate::serve::{App, List, Problem, Single, reply};

fn unknown(key: &str, name: &str) -> Problem {
    Problem::not_found(format!("nothing that you may see carries the {key} `{name}`"))
}

async fn names(
    key: &str,
    app: &App,
    caller: &Caller,
    question: &Question,
) -> Result<List<NameSummary>, Problem> {
    let (limit, cursor) = question.page()?;
    let page = app.lookup.names(key, cursor.as_ref(), limit, &caller.viewer).await?;
    Ok(reply::list(question, page))
}

async fn name(
    key: &str,
    name: &str,
    app: &App,
    caller: &Caller,
    question: &Question,
) -> Result<Single<NameDetail>, Problem> {
    question.only(&[])?;
    let found = app.lookup.name(key, name, &caller.viewer).await?;
    Ok(reply::single(question, found.ok_or_else(|| unknown(key, name))?))
}

async fn projects(
    key: &str,
    name: &str,
    app: &App,
    caller: &Caller,
    question: &Question,
) -> Result<List<Project>, Problem> {
    let (limit, cursor) = question.page()?;
    let page = app.lookup.name_projects(key, name, cursor.as_ref(), limit, &caller.viewer).await?;
    Ok(reply::list(question, page.ok_or_else(|| unknown(key, name))?))
}

async fn items(
    kind: ItemKind,
    key: &str,
    name: &str,
    app: &App,
    caller: &Caller,
    question: &Question,
) -> Result<List<Item>, Problem> {
    let query = question.items(&[])?;
    let page = app.lookup.name_items(key, name, kind, &query, &caller.viewer).await?;
    Ok(reply::list(question, page.ok_or_else(|| unknown(key, name))?))
}

async fn references(
    key: &str,
    name: &str,
    app: &App,
    caller: &Caller,
    question: &Question,
) -> Result<List<ReferenceSummary>, Problem> {
    let (limit, cursor) = question.page()?;
    let page =
        app.lookup.name_references(key, name, cursor.as_ref(), limit, &caller.viewer).await?;
    Ok(reply::list(question, page.ok_or_else(|| unknown(key, name))?))
}

async fn owners(
    key: &str,
    name: &str,
    app: &App,
    caller: &Caller,
    question: &Question,
) -> Result<List<NameOwner>, Problem> {
    let (limit, cursor) = question.page()?;
    let page = app.lookup.name_owners(key, name, cursor.as_ref(), limit, &caller.viewer).await?;
    Ok(reply::list(question, page.ok_or_else(|| unknown(key, name))?))
}

async fn pipelines(
    key: &str,
    name: &str,
    app: &App,
    caller: &Caller,
    question: &Question,
) -> Result<List<ProjectPipeline>, Problem> {
    let (limit, cursor) = question.page()?;
    let page = app.lookup.name_pipelines(key, name, cursor.as_ref(), limit, &caller.viewer).await?;
    Ok(reply::list(question, page.ok_or_else(|| unknown(key, name))?))
}

/// Makes the eight endpoints of a key that has addresses of its own.
macro_rules! endpoints {
    ($module:ident, $key:literal, $base:literal, $one:literal, $projects:literal, $issues:literal,
        $merge_requests:literal, $references:literal, $owners:literal, $pipelines:literal) => {
        mod $module {
            use super::*;

            #[doc = concat!("Lists the names that something carries, with counts.")]
            #[utoipa::path(get, path = $base, params(PageParameters), tag = $key,
                operation_id = concat!($key, "_list"),
                responses((status = 200, body = List<NameSummary>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn list(
                State(app): State<App>,
                caller: Caller,
                question: Question,
            ) -> Result<List<NameSummary>, Problem> {
                names($key, &app, &caller, &question).await
            }

            /// All about one name, in any spelling or by an alias.
            #[utoipa::path(get, path = $one, params(("name" = String, Path,)), tag = $key,
                operation_id = concat!($key, "_detail"),
                responses((status = 200, body = Single<NameDetail>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn detail(
                State(app): State<App>,
                caller: Caller,
                Path(name): Path<String>,
                question: Question,
            ) -> Result<Single<NameDetail>, Problem> {
                super::name($key, &name, &app, &caller, &question).await
            }

            /// Lists its projects by path.
            #[utoipa::path(get, path = $projects, tag = $key,
                operation_id = concat!($key, "_projects"),
                params(("name" = String, Path,), PageParameters),
                responses((status = 200, body = List<Project>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn projects(
                State(app): State<App>,
                caller: Caller,
                Path(name): Path<String>,
                question: Question,
            ) -> Result<List<Project>, Problem> {
                super::projects($key, &name, &app, &caller, &question).await
            }

            /// Lists its issues.
            #[utoipa::path(get, path = $issues, tag = $key,
                operation_id = concat!($key, "_issues"),
                params(("name" = String, Path,), ItemParameters, PageParameters),
                responses((status = 200, body = List<Item>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn issues(
                State(app): State<App>,
                caller: Caller,
                Path(name): Path<String>,
                question: Question,
            ) -> Result<List<Item>, Problem> {
                super::items(ItemKind::Issue, $key, &name, &app, &caller, &question).await
            }

            /// Lists its merge requests.
            #[utoipa::path(get, path = $merge_requests, tag = $key,
                operation_id = concat!($key, "_merge_requests"),
                params(("name" = String, Path,), ItemParameters, PageParameters),
                responses((status = 200, body = List<Item>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn merge_requests(
                State(app): State<App>,
                caller: Caller,
                Path(name): Path<String>,
                question: Question,
            ) -> Result<List<Item>, Problem> {
                super::items(ItemKind::MergeRequest, $key, &name, &app, &caller, &question).await
            }

            /// Lists what its items mention, the last mentioned first.
            #[utoipa::path(get, path = $references, tag = $key,
                operation_id = concat!($key, "_references"),
                params(("name" = String, Path,), PageParameters),
                responses((status = 200, body = List<ReferenceSummary>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn references(
                State(app): State<App>,
                caller: Caller,
                Path(name): Path<String>,
                question: Question,
            ) -> Result<List<ReferenceSummary>, Problem> {
                super::references($key, &name, &app, &caller, &question).await
            }

            /// Lists whom the CODEOWNERS files of its projects name.
            #[utoipa::path(get, path = $owners, tag = $key,
                operation_id = concat!($key, "_owners"),
                params(("name" = String, Path,), PageParameters),
                responses((status = 200, body = List<NameOwner>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn owners(
                State(app): State<App>,
                caller: Caller,
                Path(name): Path<String>,
                question: Question,
            ) -> Result<List<NameOwner>, Problem> {
                super::owners($key, &name, &app, &caller, &question).await
            }

            /// Lists the latest pipelines of its projects.
            #[utoipa::path(get, path = $pipelines, tag = $key,
                operation_id = concat!($key, "_pipelines"),
                params(("name" = String, Path,), PageParameters),
                responses((status = 200, body = List<ProjectPipeline>),
                    (status = "default", body = Problem, content_type = "application/problem+json")))]
            pub async fn pipelines(
                State(app): State<App>,
                caller: Caller,
                Path(name): Path<String>,
                question: Question,
            ) -> Result<List<ProjectPipeline>, Problem> {
                super::pipelines($key, &name, &app, &caller, &question).await
            }

            /// Returns the routes of this key.
            pub fn routes() -> OpenApiRouter<App> {
                OpenApiRouter::new()
                    .routes(routes!(list))
                    .routes(routes!(detail))
                    .routes(routes!(projects))
                    .routes(routes!(issues))
                    .routes(routes!(merge_requests))
                    .routes(routes!(references))
                    .routes(routes!(owners))
                    .routes(routes!(pipelines))
            }
        }
    };
}

endpoints!(
    services,
    "service",
    "/v1/services",
    "/v1/services/{name}",
    "/v1/services/{name}/projects",
    "/v1/services/{name}/issues",
    "/v1/services/{name}/merge_requests",
    "/v1/services/{name}/references",
    "/v1/services/{name}/owners",
    "/v1/services/{name}/pipelines"
);

endpoints!(
    teams,
    "team",
    "/v1/teams",
    "/v1/teams/{name}",
    "/v1/teams/{name}/projects",
    "/v1/teams/{name}/issues",
    "/v1/teams/{name}/merge_requests",
    "/v1/teams/{name}/references",
    "/v1/teams/{name}/owners",
    "/v1/teams/{name}/pipelines"
);

/// Returns the routes of services and teams.
pub fn routes() -> OpenApiRouter<App> {
    services::routes().merge(teams::routes())
}
