//! `GET /v1/resolve`.

use axum::extract::State;
use utoipa::IntoParams;

use crate::lookup::{Input, Resolved};
use crate::serve::caller::Caller;
use crate::serve::question::Question;
use crate::serve::{App, Problem, Single, reply};

/// What to resolve: exactly one of these.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that `Question` reads")]
pub struct Parameters {
    /// An address, of GitLab or of a system that items mention.
    url: Option<String>,
    /// A repository: `shop/webshop`, or a git remote address.
    repository: Option<String>,
    /// An Amazon resource name.
    arn: Option<String>,
    /// A service.
    service: Option<String>,
    /// Anything.
    text: Option<String>,
}

/// Says what an input is, the services it belongs to, and their resources in short.
#[utoipa::path(get, path = "/v1/resolve", tag = "resolve", params(Parameters),
    responses((status = 200, body = Single<Resolved>),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn resolve(
    State(app): State<App>,
    caller: Caller,
    question: Question,
) -> Result<Single<Resolved>, Problem> {
    let names = ["url", "repository", "arn", "service", "text"];
    question.only(&names)?;
    let mut given = names.into_iter().filter_map(|name| Some((name, question.value(name)?)));
    let (Some((name, value)), None) = (given.next(), given.next()) else {
        return Err(Problem::bad_parameter(
            "give exactly one of `url`, `repository`, `arn`, `service` and `text`",
        ));
    };
    let value = value.to_owned();
    let input = match name {
        "url" => Input::Url(value),
        "repository" => Input::Repository(value),
        "arn" => Input::Arn(value),
        "service" => Input::Service(value),
        _ => Input::Text(value),
    };
    let resolved = app.lookup.resolve(input, &caller.viewer).await?;
    Ok(reply::single(&question, resolved))
}
