//! Requests and envelopes.
//!
//! A query comes as JSON, as a form, or in the query of a GET; several come as a JSON array, are
//! executed one after the other, and count as one request. What GitLab's controller refuses has a
//! status of its own (401, 422, 404); everything that the engine finds wrong is 200 with `errors`.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{PathSegment, Request, Response, ServerError, Value as GraphValue, Variables};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};

use super::check;
use super::cost::{self, Cost};
use super::node::Asking;
use super::schema::{NO_VALUE, schema};
use crate::rest::answer::{Answer, Failure};
use crate::rest::query::Query;
use crate::server::Shared;
use crate::world::{Caller, TokenKind, UserId};

/// The longest text of a query, or of all queries of a batch, in characters.
const QUERY_CHARACTERS: usize = 10_000;

/// The longest body that is read, in bytes: variables may be long where queries may not.
pub(crate) const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// How many validation errors are told at most.
const VALIDATION_ERRORS: usize = 5;

/// The largest complexity for somebody unknown, for a user, and for an administrator.
const COMPLEXITY: [u64; 3] = [200, 250, 300];

/// The largest depth for somebody unknown and for a user.
const DEPTH: [u64; 2] = [15, 20];

/// A request as it came, with what is known of its caller.
pub(crate) struct Ask {
    /// POST or GET; anything else has no route.
    pub(crate) method: Method,
    /// The query of the address.
    pub(crate) query: Query,
    /// The content type in lower case.
    pub(crate) content_type: String,
    /// The body. Nothing when it is too long to be read.
    pub(crate) body: Option<Bytes>,
    /// The user and the secret of the token; nothing when there is none, and an error when there is
    /// one that is no good here.
    pub(crate) identity: Result<Option<(UserId, String)>, Refusal>,
}

/// One query of a request.
struct Wanted {
    text: Option<String>,
    variables: Variables,
    operation: Option<String>,
}

/// Why a request is not executed at all.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    fn unprocessable(message: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, message.into())
    }
}

/// Tells whom a query is executed for. A token that may not read the API is no good here, nor is
/// that of a CI job.
pub(crate) fn identity(
    caller: Result<Caller<'_>, Failure>,
) -> Result<Option<(UserId, String)>, Refusal> {
    let invalid = || Refusal(StatusCode::UNAUTHORIZED, "Invalid token".to_owned());
    let forbidden = |message: String| Refusal(StatusCode::FORBIDDEN, message);
    let caller = caller.map_err(|failure| match failure {
        // Only whoever wants to act as somebody else gets this far with a good token.
        Failure::Denied(message) => forbidden(message),
        Failure::InsufficientScope(scope) => forbidden(format!("{scope} scope is missing")),
        Failure::Missing(what) => forbidden(format!("{what} Not Found")),
        _ => invalid(),
    })?;
    match caller {
        Caller::Anonymous => Ok(None),
        Caller::User { user, token } => {
            let reads = ["api", "read_api"].iter().any(|scope| token.scopes.contains(*scope));
            match token.kind {
                TokenKind::Job(_) => Err(invalid()),
                _ if reads => Ok(Some((user.id, token.secret.clone()))),
                _ => Err(invalid()),
            }
        }
    }
}

/// Answers a request.
pub(crate) async fn answer(shared: &Arc<Shared>, ask: Ask) -> Answer {
    if !matches!(ask.method, Method::GET | Method::HEAD | Method::POST) {
        return Failure::NoRoute.into_answer(|_| String::new());
    }
    let refused = |Refusal(status, message): Refusal| Answer {
        status,
        ..Answer::json(&json!({"errors": [{"message": message}]}))
    };
    let identity = match ask.identity.clone() {
        Ok(identity) => identity,
        Err(refusal) => return refused(refusal),
    };
    let (wanted, is_batch) = match read(&ask) {
        Ok(read) => read,
        Err(refusal) => return refused(refusal),
    };
    let length: usize =
        wanted.iter().filter_map(|wanted| Some(wanted.text.as_ref()?.chars().count())).sum();
    if length > QUERY_CHARACTERS {
        return refused(Refusal::unprocessable("Query too large"));
    }
    let without_deprecated = ask.query.text("remove_deprecated") == Some("true");
    let mut results = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let result = match execute(shared, &ask, identity.clone(), wanted, without_deprecated).await
        {
            Ok(result) => result,
            Err(refusal) => return refused(refusal),
        };
        results.push(result);
    }
    match (is_batch, results.pop()) {
        (false, Some(result)) => Answer::json(&result),
        (_, last) => {
            results.extend(last);
            Answer::json(&results)
        }
    }
}

fn read(ask: &Ask) -> Result<(Vec<Wanted>, bool), Refusal> {
    let Some(body) = &ask.body else {
        return Err(Refusal::unprocessable("Query too large"));
    };
    if ask.method != Method::POST {
        return Ok((vec![from_pairs(&ask.query)?], false));
    }
    if ask.content_type.starts_with("application/x-www-form-urlencoded") {
        let text = String::from_utf8_lossy(body);
        return Ok((vec![from_pairs(&Query::parse(&text))?], false));
    }
    if body.is_empty() {
        return Ok((vec![from_pairs(&ask.query)?], false));
    }
    let parsed: Value = serde_json::from_slice(body).map_err(|_| {
        let message = "There was a problem in the JSON you submitted";
        Refusal(StatusCode::BAD_REQUEST, message.to_owned())
    })?;
    match parsed {
        Value::Array(rows) => {
            let wanted = rows.iter().map(from_json).collect::<Result<Vec<_>, _>>()?;
            Ok((wanted, true))
        }
        row => {
            let mut wanted = from_json(&row)?;
            if wanted.text.is_none() {
                wanted.text = ask.query.text("query").map(str::to_owned);
            }
            Ok((vec![wanted], false))
        }
    }
}

fn from_pairs(query: &Query) -> Result<Wanted, Refusal> {
    let variables = query.filled("variables").map(|text| Value::String(text.to_owned()));
    Ok(Wanted {
        text: query.text("query").map(str::to_owned),
        variables: variables_of(variables.as_ref())?,
        operation: query.filled("operationName").map(str::to_owned),
    })
}

fn from_json(row: &Value) -> Result<Wanted, Refusal> {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    Ok(Wanted {
        text: text("query"),
        variables: variables_of(row.get("variables"))?,
        operation: text("operationName").filter(|name| !name.is_empty()),
    })
}

/// Reads variables, which come as an object or as the text of one.
fn variables_of(value: Option<&Value>) -> Result<Variables, Refusal> {
    let parsed = match value {
        None | Some(Value::Null) => return Ok(Variables::default()),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(Variables::default()),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
        Some(value) => value.clone(),
    };
    match parsed {
        Value::Object(_) => Ok(Variables::from_json(parsed)),
        Value::Null => Err(Refusal::unprocessable("Invalid variables: not a JSON object")),
        other => Err(Refusal::unprocessable(format!("Unexpected parameter: {other}"))),
    }
}

async fn execute(
    shared: &Arc<Shared>,
    ask: &Ask,
    identity: Option<(UserId, String)>,
    wanted: Wanted,
    without_deprecated: bool,
) -> Result<Value, Refusal> {
    let Some(text) = wanted.text.filter(|text| !text.trim().is_empty()) else {
        return Ok(json!({"errors": [{"message": "No query string was present"}]}));
    };
    let document = match parse_query(&text) {
        Ok(document) => document,
        Err(error) => return Ok(errors_only(&[ServerError::from(error)])),
    };
    let operation = wanted.operation.as_deref();
    let mutates = cost::chosen(&document, operation)
        .is_some_and(|operation| operation.ty == OperationType::Mutation);
    if mutates && ask.method != Method::POST {
        return Err(Refusal::unprocessable(format!(
            "Mutations are forbidden in {} requests",
            ask.method
        )));
    }
    let asking = asking(shared, identity, &document, operation, &wanted.variables);
    if asking.complexity == u64::MAX {
        // The engine would follow the fragments without end, too.
        let message = match check::circle(&document) {
            Some(fragment) => format!("Fragment {fragment} contains an infinite loop"),
            None => "Query is too large to execute".to_owned(),
        };
        return Ok(json!({"errors": [{"message": message}]}));
    }
    let mut request = Request::new(text).variables(wanted.variables).data(Arc::new(asking));
    if let Some(operation) = wanted.operation {
        request = request.operation_name(operation);
    }
    request.set_parsed_query(document);
    Ok(render(schema(without_deprecated).execute(request).await))
}

/// Weighs a query against the limits of its caller.
fn asking(
    shared: &Arc<Shared>,
    identity: Option<(UserId, String)>,
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
) -> Asking {
    let admin = identity
        .as_ref()
        .is_some_and(|(user, _)| shared.read().user(*user).is_some_and(|user| user.admin));
    let rank = usize::from(identity.is_some()) + usize::from(admin);
    let (limit, deepest) = (COMPLEXITY[rank], DEPTH[rank.min(1)]);
    let site = shared.site();
    let cost = cost::cost(document, operation, variables, site.blobs);
    let Cost { complexity, depth } = cost.unwrap_or(Cost { complexity: 0, depth: 0 });
    let mut refusals = Vec::new();
    if complexity > limit {
        refusals.push(format!(
            "Query has complexity of {complexity}, which exceeds max complexity of {limit}"
        ));
    }
    if depth > deepest {
        refusals.push(format!("Query has depth of {depth}, which exceeds max depth of {deepest}"));
    }
    let complaints = match cost::chosen(document, operation) {
        Some(operation) if complexity != u64::MAX => {
            check::complaints(document, operation, variables)
        }
        _ => Vec::new(),
    };
    Asking {
        shared: Arc::clone(shared),
        identity,
        complaints,
        complexity,
        limit,
        refusals,
        calls: Mutex::new(BTreeMap::new()),
        blob_bytes: AtomicU64::new(0),
        patience: site.graphql_fields.map(AtomicU64::new),
    }
}

/// Renders what the engine found. A query that was not executed has no `data`.
fn render(response: Response) -> Value {
    let early = response.errors.iter().all(|error| error.path.is_empty());
    if !response.errors.is_empty() && early && response.data == GraphValue::Null {
        return errors_only(&response.errors);
    }
    let mut data = response.data.into_json().unwrap_or(Value::Null);
    if response.errors.is_empty() {
        return json!({"data": data});
    }
    let told = response.errors.iter().filter(|error| error.message != NO_VALUE);
    for error in told.clone() {
        empty_parent(&mut data, &error.path);
    }
    let errors: Vec<Value> = told.map(error).collect();
    json!({"data": data, "errors": errors})
}

/// Makes the object null that lacks a field which may not be null.
fn empty_parent(data: &mut Value, path: &[PathSegment]) {
    let Some((PathSegment::Field(last), above)) = path.split_last() else {
        return;
    };
    let mut place = data;
    for segment in above {
        let below = match segment {
            PathSegment::Field(name) => place.get_mut(name.as_str()),
            PathSegment::Index(index) => place.get_mut(*index),
        };
        match below {
            Some(below) => place = below,
            None => return,
        }
    }
    if place.as_object().is_some_and(|fields| !fields.contains_key(last)) {
        *place = Value::Null;
    }
}

fn errors_only(errors: &[ServerError]) -> Value {
    let errors: Vec<Value> = errors.iter().take(VALIDATION_ERRORS).map(error).collect();
    json!({"errors": errors})
}

fn error(error: &ServerError) -> Value {
    let mut row = json!({"message": in_gitlabs_words(&error.message)});
    if !error.locations.is_empty() {
        let locations = error.locations.iter();
        row["locations"] =
            locations.map(|at| json!({"line": at.line, "column": at.column})).collect();
    }
    if !error.path.is_empty() {
        let path = error.path.iter().map(|segment| match segment {
            PathSegment::Field(name) => json!(name),
            PathSegment::Index(index) => json!(index),
        });
        row["path"] = path.collect();
    }
    row
}

/// Rephrases the usual complaints of the engine as GitLab's engine puts them.
fn in_gitlabs_words(message: &str) -> String {
    let quoted: Vec<&str> = message.split('"').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [field, on] if message.starts_with("Unknown field") => {
            format!("Field '{field}' doesn't exist on type '{on}'")
        }
        [argument, field, _] if message.starts_with("Unknown argument") => {
            format!("Field '{field}' doesn't accept argument '{argument}'")
        }
        [fragment] if message.starts_with("Unknown fragment") => {
            format!("Fragment {fragment} was used, but not defined")
        }
        [kind] if message.starts_with("Unknown type") => {
            format!("No such type {kind}, so it can't be a fragment condition")
        }
        _ => message.to_owned(),
    }
}
