//! `GET /v1/crawls`.

use axum::extract::State;

use crate::lookup::{Page, SourceStatus};
use crate::serve::caller::Caller;
use crate::serve::question::Question;
use crate::serve::{App, List, Problem, reply};

/// How fresh each source is, and what of it could not be read, with the reason.
#[utoipa::path(get, path = "/v1/crawls", tag = "crawl",
    responses((status = 200, body = List<SourceStatus>),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn crawls(
    State(app): State<App>,
    caller: Caller,
    question: Question,
) -> Result<List<SourceStatus>, Problem> {
    question.only(&[])?;
    let data = app.lookup.crawls(&caller.viewer).await?;
    Ok(reply::list(&question, Page { data, next: None }))
}
