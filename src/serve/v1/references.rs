//! `GET /v1/references` and `/v1/references/{kind}/{id}`.

use axum::extract::State;
use utoipa::IntoParams;

use crate::lookup::{Item, Page, ReadReference};
use crate::serve::caller::Caller;
use crate::serve::path::Path;
use crate::serve::question::{ItemParameters, PageParameters, Question};
use crate::serve::{App, List, Problem, reply};

/// Parameters of `/v1/references`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that `Question` reads")]
pub struct ReadParameters {
    /// A URL, a key in any case, or a sentence.
    q: String,
}

/// Parameters of `/v1/references/{kind}/{id}`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that `Question` reads")]
pub struct MentionParameters {
    /// `issue` or `merge_request`.
    item_kind: Option<String>,
}

/// Lists the ids read out of a text, each with counts and whether it is known.
#[utoipa::path(get, path = "/v1/references", tag = "reference", params(ReadParameters),
    responses((status = 200, body = List<ReadReference>),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    question: Question,
) -> Result<List<ReadReference>, Problem> {
    question.only(&["q"])?;
    let text = question
        .value("q")
        .ok_or_else(|| Problem::bad_parameter("`q` is missing: a URL, a key or a sentence"))?;
    let data = app.lookup.mentions_in(text, &caller.viewer).await?;
    Ok(reply::list(&question, Page { data, next: None }))
}

/// Lists the items that mention a reference.
#[utoipa::path(get, path = "/v1/references/{kind}/{*id}", tag = "reference",
    params(("kind" = String, Path,), ("id" = String, Path,), MentionParameters, ItemParameters,
        PageParameters),
    responses((status = 200, body = List<Item>),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn mentions(
    State(app): State<App>,
    caller: Caller,
    Path((kind, id)): Path<(String, String)>,
    question: Question,
) -> Result<List<Item>, Problem> {
    let query = question.items(&["item_kind", "linked"])?;
    if question.flag("linked", false)? {
        return Err(Problem::bad_parameter(
            "`linked=true` is not answered by this version: it does not read GitLab's own links",
        ));
    }
    // `inherited` changes nothing here: a mention is always the item's own.
    let kinds = question.item_kind()?.map(Into::into);
    let page = app.lookup.mentions_of(&kind, &id, kinds, &query, &caller.viewer).await?;
    // Nothing visible mentions it: the list is empty, whether or not it is known.
    let page = page.unwrap_or(Page { data: Vec::new(), next: None });
    Ok(reply::list(&question, page))
}
