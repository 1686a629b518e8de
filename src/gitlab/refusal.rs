//! Reads an answer that is no success into an [`Error`].
//!
//! GitLab has several shapes for a refusal, `message` may be a string, an object or an array,
//! and what stands in front of GitLab answers in HTML. All are read leniently; none may fail,
//! and of a text only a short, printable piece is kept.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use super::Error;
use super::address::GRAPHQL;
use super::credential::Credential;
use super::error::{CredentialFault, Missing};
use super::wire::unmarked;

/// How much of a reason is kept, in characters: enough for GitLab's sentences.
const REASON_CHARS: usize = 200;

/// A refused answer.
pub(super) struct Refusal<'a> {
    pub(super) status: StatusCode,
    pub(super) path: &'a str,
    /// Its beginning, as far as it was read.
    pub(super) body: &'a [u8],
    pub(super) retry_after: Option<Duration>,
}

impl Refusal<'_> {
    /// Returns the error that says what was refused and why.
    pub(super) fn into_error(self, credential: &Credential) -> Error {
        let path = self.path.to_owned();
        let body = unmarked(self.body);
        let json = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object);
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => {
                Error::Throttled { path, retry_after: self.retry_after }
            }
            StatusCode::UNAUTHORIZED => Error::Unauthorized {
                path,
                reason: fault(json.as_ref(), credential),
                is_final: credential.refusal_is_final(),
            },
            StatusCode::FORBIDDEN => match json {
                Some(json) => Error::Forbidden {
                    path,
                    reason: reason(&json).unwrap_or_else(|| "no reason given".to_owned()),
                    missing_scope: missing_scope(&json),
                },
                None => Error::Blocked { path },
            },
            StatusCode::NOT_FOUND => Error::NotFound { path, what: missing(json.as_ref()) },
            // Asked again as it is, the query would fail again.
            status
                if self.path == GRAPHQL
                    && is_about_the_query(status)
                    && json.as_ref().is_some_and(|json| json["errors"].is_array()) =>
            {
                Error::Query { status, message: json.as_ref().and_then(reason).unwrap_or_default() }
            }
            status => Error::Refused {
                status,
                path,
                is_gitlab: json.is_some(),
                message: json.as_ref().and_then(reason).unwrap_or_else(|| plain(body)),
                retry_after: self.retry_after,
            },
        }
    }
}

/// Says which refusals in GraphQL's shape are about the query: it takes too long, or cannot be
/// worked on. All others are of GraphQL itself.
fn is_about_the_query(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::UNPROCESSABLE_ENTITY)
        || status.is_server_error()
}

fn fault(json: Option<&Value>, credential: &Credential) -> CredentialFault {
    let said = json.and_then(reason).unwrap_or_default().to_lowercase();
    if said.contains("expired") {
        CredentialFault::Expired
    } else if said.contains("revoked") {
        CredentialFault::Revoked
    } else if credential.is_some() {
        CredentialFault::Invalid
    } else {
        CredentialFault::Missing
    }
}

fn missing_scope(json: &Value) -> Option<String> {
    if json.get("error").and_then(Value::as_str) != Some("insufficient_scope") {
        return None;
    }
    let scope = json.get("scope").and_then(words).unwrap_or_default();
    Some(if scope.is_empty() { "read_api".to_owned() } else { scope })
}

/// Reads what is missing: `{"error":"404 Not Found"}` is a route that did not match, and
/// `{"message":"404 Project Not Found"}` names the thing.
fn missing(json: Option<&Value>) -> Missing {
    let Some(json) = json else {
        return Missing::Page;
    };
    let Some(message) = json.get("message").and_then(Value::as_str) else {
        return if json.get("error").is_some() { Missing::Route } else { Missing::Record };
    };
    let text = message.trim();
    let text = text.strip_prefix("404").unwrap_or(text).trim();
    let lower = text.to_ascii_lowercase();
    match lower.strip_suffix("not found").map(|named| named.trim_end().len()) {
        // Lower-casing ASCII keeps lengths, so the cut is at a character border.
        Some(length) if length > 0 => Missing::Named(shorten(&text[..length])),
        _ => Missing::Record,
    }
}

/// Returns GitLab's reason out of any of its shapes.
fn reason(json: &Value) -> Option<String> {
    ["message", "error_description", "error", "errors"]
        .into_iter()
        .find_map(|key| json.get(key).and_then(words))
        .map(|text| shorten(&text))
        .filter(|text| !text.is_empty())
}

/// Flattens a string, object or array into words: `name: has already been taken; path: …`.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => {
            Some(values.iter().filter_map(words).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => Some(
            fields
                .iter()
                .filter_map(|(key, value)| {
                    let text = words(value)?;
                    Some(if key == "error" { text } else { format!("{key}: {text}") })
                })
                .collect::<Vec<_>>()
                .join("; "),
        ),
    }
}

/// Returns what a body that is no JSON object says: nothing for HTML, else its beginning.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start();
    if text.is_empty() {
        "no reason given".to_owned()
    } else if text.starts_with('<') {
        "an HTML page".to_owned()
    } else {
        shorten(text)
    }
}

/// Makes a text fit for one line of a log: no control characters, no endless length.
fn shorten(text: &str) -> String {
    let mut kept = String::new();
    let mut characters = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !kept.is_empty() {
            kept.push(' ');
            characters += 1;
        }
        for character in word.chars() {
            if characters >= REASON_CHARS {
                kept.push('…');
                return kept;
            }
            kept.push(character);
            characters += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitlab::Verdict;

    fn refused(status: u16, body: &str) -> Error {
        refused_at("/projects/7", status, body)
    }

    fn refused_at(path: &str, status: u16, body: &str) -> Error {
        Refusal {
            status: StatusCode::from_u16(status).expect("a status"),
            path,
            body: body.as_bytes(),
            retry_after: None,
        }
        .into_error(&Credential::PrivateToken("glpat-abc".into()))
    }

    #[test]
    fn every_shape_of_a_reason_is_read() {
        for (status, body, said) in [
            (400, r#"{"message":"400 Bad request - x"}"#, "400 Bad request - x"),
            (
                400,
                r#"{"message":{"name":["is taken"],"path":["is odd","is long"]}}"#,
                "name: is taken; path: is odd, is long",
            ),
            (409, r#"{"message":["Another one exists"]}"#, "Another one exists"),
            (400, r#"{"error":"updated_after is invalid"}"#, "updated_after is invalid"),
            (408, r#"{"message":{"error":"Request timed out"}}"#, "Request timed out"),
            (502, "<html><body>GitLab is not responding</body></html>", "an HTML page"),
            (502, "", "no reason given"),
            (500, "a\u{7}b\r\nc", "a b c"),
        ] {
            let text = refused(status, body).to_string();
            assert!(text.ends_with(said), "{text}");
        }
    }

    #[test]
    fn endless_reason_is_cut() {
        let text = refused(500, &"x".repeat(9_999)).to_string();
        assert!(text.ends_with('…') && text.chars().count() < 300, "{text}");
    }

    #[test]
    fn not_found_tells_route_thing_and_foreign_page_apart() {
        for (body, expected) in [
            (r#"{"error":"404 Not Found"}"#, Missing::Route),
            (r#"{"message":"404 Project Not Found"}"#, Missing::Named("Project".to_owned())),
            (r#"{"message":"404 File Not Found"}"#, Missing::Named("File".to_owned())),
            (r#"{"message":"404 Not found"}"#, Missing::Record),
            ("{}", Missing::Record),
            ("<html>", Missing::Page),
            ("", Missing::Page),
        ] {
            let error = refused(404, body);
            let of_the_thing = matches!(expected, Missing::Named(_) | Missing::Record);
            assert_eq!(error.is_absence(), of_the_thing, "{body}");
            let Error::NotFound { what, .. } = error else { panic!("{body}") };
            assert_eq!(what, expected, "{body}");
        }
    }

    #[test]
    fn refused_token_says_whether_it_is_unknown_expired_or_revoked() {
        for (body, expected) in [
            (r#"{"message":"401 Unauthorized"}"#, CredentialFault::Invalid),
            (
                r#"{"error":"invalid_token","error_description":"Token is expired. You can…"}"#,
                CredentialFault::Expired,
            ),
            (
                r#"{"error":"invalid_token","error_description":"Token was revoked. You have…"}"#,
                CredentialFault::Revoked,
            ),
            ("<html>", CredentialFault::Invalid),
        ] {
            let error = refused(401, body);
            assert_eq!(error.verdict(), Verdict::Abort);
            let Error::Unauthorized { reason, .. } = error else { panic!("{body}") };
            assert_eq!(reason, expected, "{body}");
        }
    }

    #[test]
    fn missing_scope_is_named_in_the_hint() {
        let body = concat!(
            r#"{"error":"insufficient_scope","error_description":"The request requires "#,
            r#"higher privileges than provided","scope":"api read_api"}"#,
        );
        let error = refused(403, body);
        assert!(error.to_string().contains("higher privileges"), "{error}");
        assert!(error.hint().expect("a hint").contains("api read_api"));
        assert_eq!(error.verdict(), Verdict::Skip);
    }

    #[test]
    fn forbidden_by_something_else_than_gitlab_is_told_apart() {
        let blocked = refused(403, "<html>blocked</html>");
        assert_eq!(blocked.verdict(), Verdict::Retry { after: None }, "one may be chance");
        assert_eq!(refused(403, r#"{"message":"403 Forbidden"}"#).verdict(), Verdict::Skip);
    }

    #[test]
    fn byte_order_mark_hides_no_refusal() {
        let missing = refused(404, "\u{feff}{\"message\":\"404 Project Not Found\"}");
        assert!(missing.is_absence(), "{missing:?}");
        let forbidden = refused(403, "\u{feff}{\"message\":\"403 Forbidden\"}");
        assert!(matches!(forbidden, Error::Forbidden { .. }), "{forbidden:?}");
    }

    #[test]
    fn only_some_refusals_in_graphqls_shape_are_about_the_query() {
        let body = r#"{"errors":[{"message":"no"}]}"#;
        for status in [408, 422, 500, 502, 503, 504] {
            let error = refused_at(GRAPHQL, status, body);
            assert!(matches!(error, Error::Query { .. }), "{error:?}");
            let error = refused(status, body);
            assert!(matches!(error, Error::Refused { is_gitlab: true, .. }), "of REST: {error:?}");
        }
        for status in [400, 405, 409, 410, 418] {
            let error = refused_at(GRAPHQL, status, body);
            assert!(matches!(error, Error::Refused { is_gitlab: true, .. }), "{error:?}");
        }
        let error = refused_at(GRAPHQL, 403, body);
        assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    }

    #[test]
    fn refusal_of_a_job_token_is_for_the_allow_list() {
        let error = refused(
            403,
            r#"{"message":"403 Forbidden - Authentication by CI/CD job token not allowed from shop/ci to project #7."}"#,
        );
        let hint = error.hint().expect("a hint");
        assert!(hint.contains("job's project") && hint.contains("allow-list"), "{hint}");
        let error = refused(
            403,
            r#"{"message":"403 Forbidden - This action is unauthorized for CI/CD job tokens."}"#,
        );
        let hint = error.hint().expect("a hint");
        assert!(hint.contains("access token"), "{hint}");
    }

    #[test]
    fn only_statuses_that_pass_by_themselves_are_tried_again() {
        for status in 400..600 {
            let retried = matches!(refused(status, "{}").verdict(), Verdict::Retry { .. });
            let expected = matches!(status, 408 | 409 | 429 | 500 | 502..=504 | 520..=529);
            assert_eq!(retried, expected, "{status}");
        }
    }
}
