//! Answers and failures in GitLab's shapes.
//!
//! A failure is a value; how it looks on the wire is decided here and nowhere else. GitLab has four
//! envelopes, and clients tell them apart: `{"message": …}`, `{"error": …}`, `{"error": …,
//! "error_description": …}` and plain text.

use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::world::ProjectId;

/// The entity tag of an empty body, which endpoints behind Workhorse sent whatever they held.
pub(crate) const CONSTANT_ETAG: &str = "W/\"12ae32cb1ec02d01eda3581b127c1fee\"";

/// What a handler gives back when all went well.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Answers with a value as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value)
            .expect("the shapes have text keys and no fallible serializers");
        Self::json_bytes(body)
    }

    /// Answers with what is JSON already.
    pub(crate) fn json_bytes(body: Vec<u8>) -> Self {
        Self {
            status: StatusCode::OK,
            headers: vec![(header::CONTENT_TYPE, "application/json".to_owned())],
            body,
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }

    /// Refuses an address that is too long, as NGINX does before GitLab sees it.
    pub(crate) fn too_long() -> Self {
        let page = "<html>\r\n<head><title>414 Request-URI Too Large</title></head>\r\n<body>\r\n\
            <center><h1>414 Request-URI Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n\
            </body>\r\n</html>\r\n";
        Self {
            status: StatusCode::URI_TOO_LONG,
            headers: vec![(header::CONTENT_TYPE, "text/html".to_owned())],
            body: page.as_bytes().to_vec(),
        }
    }

    /// Gives it an entity tag that no condition is checked against: so does the list of jobs.
    pub(crate) fn unconditional(self) -> Self {
        let mut digest = crate::hash::hex64(&self.body);
        digest.truncate(32);
        self.header("etag", format!("W/\"{digest}\""))
            .header("cache-control", "max-age=0, private, must-revalidate")
    }

    /// Turns it into a response.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// What a handler gives back when GitLab would refuse.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No token where one is needed, or one that nobody knows.
    Unauthorized,
    /// A token whose day has come.
    Expired,
    /// A token that was revoked.
    Revoked,
    /// A token that may not do this.
    InsufficientScope(&'static str),
    /// Visible, but not allowed.
    Forbidden,
    /// Not allowed, for a reason in GitLab's words.
    Denied(String),
    /// A thing that is not there, by a name that the caller sent.
    Missing(String),
    /// A thing that is not there or may not be seen: `Project`, `Group`, `File`, …
    NotFound(&'static str),
    /// A record that is not there.
    NoRecord,
    /// No such address.
    NoRoute,
    /// A parameter that does not pass validation, in GitLab's words.
    Invalid(String),
    /// A field that does not pass the model's validation: the message is an object of arrays.
    InvalidField(&'static str, String),
    /// A request that makes no sense, in GitLab's words.
    BadRequest(String),
    /// A project that has moved.
    Moved(ProjectId),
    /// Keyset paging where there is none.
    NoKeyset,
    /// An offset beyond the ceiling, for a model that has keyset paging.
    TooDeep {
        /// The largest offset.
        ceiling: u64,
        /// What is listed: `Group`, `User`, `Project`.
        model: &'static str,
    },
    /// A verb that the address does not know.
    Method,
    /// A verb other than GET below the former path of a project.
    MovedForWrite,
    /// A condition of the request that is not met, in GitLab's words.
    Unprocessable(&'static str),
    /// A credential that is of no use for this.
    WrongToken,
}

/// Returns the scope list of GitLab's refusal for lists and items.
pub(crate) const API_SCOPES: &str = "api read_api";

impl Failure {
    /// Renders the failure. `location` is the address a moved project is found at.
    pub(crate) fn into_answer(self, location: impl FnOnce(ProjectId) -> String) -> Answer {
        let (status, body) = match self {
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, json!({"message": "401 Unauthorized"}))
            }
            Self::Expired => (
                StatusCode::UNAUTHORIZED,
                json!({
                    "error": "invalid_token",
                    "error_description": "Token is expired. You can either do re-authorization \
                        or token refresh.",
                }),
            ),
            Self::Revoked => (
                StatusCode::UNAUTHORIZED,
                json!({
                    "error": "invalid_token",
                    "error_description": "Token was revoked. You have to re-authorize from the \
                        user.",
                }),
            ),
            Self::InsufficientScope(scope) => (
                StatusCode::FORBIDDEN,
                json!({
                    "error": "insufficient_scope",
                    "error_description": "The request requires higher privileges than provided \
                        by the access token.",
                    "scope": scope,
                }),
            ),
            Self::Forbidden => (StatusCode::FORBIDDEN, json!({"message": "403 Forbidden"})),
            Self::Denied(reason) => {
                (StatusCode::FORBIDDEN, json!({"message": format!("403 Forbidden - {reason}")}))
            }
            Self::Missing(what) => {
                (StatusCode::NOT_FOUND, json!({"message": format!("404 {what} Not Found")}))
            }
            Self::NotFound(what) => {
                (StatusCode::NOT_FOUND, json!({"message": format!("404 {what} Not Found")}))
            }
            Self::NoRecord => (StatusCode::NOT_FOUND, json!({"message": "404 Not found"})),
            Self::NoRoute => (StatusCode::NOT_FOUND, json!({"error": "404 Not Found"})),
            Self::Invalid(error) => (StatusCode::BAD_REQUEST, json!({"error": error})),
            Self::InvalidField(field, reason) => {
                (StatusCode::BAD_REQUEST, json!({"message": {field: [reason]}}))
            }
            Self::BadRequest(reason) => {
                (StatusCode::BAD_REQUEST, json!({"message": format!("400 Bad request - {reason}")}))
            }
            Self::Moved(project) => return moved(location(project)),
            Self::NoKeyset => (
                StatusCode::METHOD_NOT_ALLOWED,
                json!({"error": "Keyset pagination is not yet available for this type of request"}),
            ),
            Self::MovedForWrite => (
                StatusCode::METHOD_NOT_ALLOWED,
                json!({"message": "Non GET methods are not allowed for moved projects"}),
            ),
            Self::Unprocessable(reason) => {
                (StatusCode::UNPROCESSABLE_ENTITY, json!({"message": reason}))
            }
            Self::TooDeep { ceiling, model } => (
                StatusCode::METHOD_NOT_ALLOWED,
                json!({"error": format!(
                    "Offset pagination has a maximum allowed offset of {ceiling} for requests that \
                     return objects of type {model}. Remaining records can be retrieved using \
                     keyset pagination."
                )}),
            ),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, json!({"error": "405 Not Allowed"})),
            Self::WrongToken => {
                (StatusCode::METHOD_NOT_ALLOWED, json!({"message": "405 Method Not Allowed"}))
            }
        };
        let challenge = (status == StatusCode::UNAUTHORIZED && body.get("error").is_some())
            .then_some("Bearer realm=\"Protected by OAuth 2.0\", error=\"invalid_token\"");
        let answer = Answer { status, ..Answer::json(&body) };
        match challenge {
            Some(challenge) => answer.header("www-authenticate", challenge),
            None => answer,
        }
    }
}

fn moved(location: String) -> Answer {
    let body = format!("This resource has been moved permanently to {location}.");
    Answer {
        status: StatusCode::MOVED_PERMANENTLY,
        headers: vec![
            (header::CONTENT_TYPE, "text/plain".to_owned()),
            (header::LOCATION, location),
        ],
        body: body.into_bytes(),
    }
}
