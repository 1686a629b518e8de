//! GraphQL as a client meets it.

mod every;
mod fields;
mod limits;
mod paging;
mod schema;
mod sight;
mod strict;
mod walk;

use gitlab_sim::GitLab;
use serde_json::{Value, json};

use crate::client::Reply;

/// Posts a body to GraphQL.
#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
pub async fn post(gitlab: &GitLab, token: Option<&str>, body: &Value) -> Reply {
    let mut request = reqwest::Client::new()
        .post(format!("{}/api/graphql", gitlab.url()))
        .header("content-type", "application/json")
        .body(body.to_string());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// Asks as the bot, and gives the whole body.
pub async fn ask(gitlab: &GitLab, query: &str) -> Value {
    let reply = post(gitlab, Some(gitlab.token()), &json!({"query": query})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

/// Asks as the bot, and gives the data of an answer without errors.
pub async fn data(gitlab: &GitLab, query: &str) -> Value {
    let mut body = ask(gitlab, query).await;
    assert_eq!(body.get("errors"), None, "{query}");
    body["data"].take()
}

/// Returns the message of the first error.
pub fn message(body: &Value) -> &str {
    body["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("an error in {body}"))
}
