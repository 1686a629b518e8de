//! Answers in place of GitLab's, and good answers whose content is spoiled.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode, response};
use serde_json::{Value, json};

use super::kind::{FaultKind, Refusal, status};
use super::requests::RequestKind;
use crate::rest::answer::{Answer, Failure};

/// Headers that tell about a page or a version of a body that is no longer there.
const OF_THE_BODY: [&str; 12] = [
    "content-length",
    "etag",
    "link",
    "x-next-page",
    "x-page",
    "x-per-page",
    "x-prev-page",
    "x-total",
    "x-total-pages",
    "location",
    "last-modified",
    "content-disposition",
];

/// Returns the answer that comes in place of GitLab's, or nothing for a fault that has none.
/// `asked` is the kind of request, because GraphQL has envelopes of its own.
pub(crate) fn in_place(kind: &FaultKind, asked: RequestKind) -> Option<Response<Body>> {
    let response = match kind {
        FaultKind::Html { status: number } => {
            let status = status(*number, StatusCode::BAD_GATEWAY);
            page(status, &nginx_page(status), "nginx")
        }
        FaultKind::Blocked => {
            let mut response = Response::new(Body::from("Forbidden\n"));
            *response.status_mut() = StatusCode::FORBIDDEN;
            set(&mut response, "content-type", "text/plain");
            response
        }
        FaultKind::Login => page(StatusCode::OK, LOGIN_PAGE, "nginx"),
        FaultKind::TooMany { form, retry_after } => {
            let (content_type, body) = match form {
                Refusal::Throttle => ("text/plain", "Retry later\n".to_owned()),
                Refusal::Application => {
                    let words = "This endpoint has been requested too many times. Try again later.";
                    let body = match asked {
                        RequestKind::GraphQl => json!({"errors": [{"message": words}]}),
                        _ => json!({"message": {"error": words}}),
                    };
                    ("application/json", body.to_string())
                }
            };
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            set(&mut response, "content-type", content_type);
            if let Some(seconds) = retry_after {
                set(&mut response, "retry-after", &seconds.to_string());
            }
            response
        }
        _ => return None,
    };
    Some(response)
}

/// Makes GitLab's answer another. The request was counted, so what the throttle says stays, and
/// a refusal by the throttle stays altogether.
pub(crate) fn instead(
    kind: &FaultKind,
    asked: RequestKind,
    response: Response<Body>,
) -> Response<Body> {
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        return response;
    }
    let error = |status: StatusCode, body: Value| (status, body.to_string());
    let errors = |status: StatusCode, message: &str| {
        error(status, json!({"errors": [{"message": message}]}))
    };
    let (status, body) = match (kind, asked) {
        (FaultKind::ServerError, RequestKind::GraphQl) => {
            errors(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
        }
        (FaultKind::Timeout, RequestKind::GraphQl) => errors(
            StatusCode::SERVICE_UNAVAILABLE,
            "Request timed out. Please try a less complex query or a smaller set of records.",
        ),
        (FaultKind::Locked, RequestKind::GraphQl) => {
            errors(StatusCode::CONFLICT, "409 Conflict: Resource lock")
        }
        (FaultKind::ExpiredToken, RequestKind::GraphQl) => {
            errors(StatusCode::UNAUTHORIZED, "Invalid token")
        }
        (FaultKind::ServerError, _) => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"message": "500 Internal Server Error"}),
        ),
        (FaultKind::Timeout, _) => {
            error(StatusCode::REQUEST_TIMEOUT, json!({"message": {"error": "Request timed out"}}))
        }
        (FaultKind::Locked, _) => {
            error(StatusCode::CONFLICT, json!({"message": "409 Conflict: Resource lock"}))
        }
        (FaultKind::ExpiredToken, _) => return expired(response),
        _ => return response,
    };
    let (mut parts, _) = response.into_parts();
    strip(&mut parts);
    parts.status = status;
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(body))
}

/// Answers as to a token whose day has come.
fn expired(response: Response<Body>) -> Response<Body> {
    let Answer { status, headers, body } = Failure::Expired.into_answer(|_| String::new());
    let (mut parts, _) = response.into_parts();
    strip(&mut parts);
    parts.status = status;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(name, value);
        }
    }
    Response::from_parts(parts, Body::from(body))
}

/// Spoils what an answer says.
pub(crate) fn spoil(
    kind: &FaultKind,
    address: &str,
    parts: &mut response::Parts,
    body: Bytes,
) -> Bytes {
    match kind {
        FaultKind::WrongType { content_type } => {
            if let Ok(value) = HeaderValue::from_str(content_type) {
                parts.headers.insert(header::CONTENT_TYPE, value);
            }
            body
        }
        FaultKind::Truncated => {
            parts.headers.remove(header::CONTENT_LENGTH);
            body.slice(..body.len() / 2)
        }
        FaultKind::Empty { status: number } => {
            strip(parts);
            parts.status = status(*number, StatusCode::OK);
            parts.headers.remove(header::CONTENT_TYPE);
            Bytes::new()
        }
        FaultKind::ByteOrderMark => {
            parts.headers.remove(header::CONTENT_LENGTH);
            let mut marked = "\u{feff}".as_bytes().to_vec();
            marked.extend_from_slice(&body);
            marked.into()
        }
        FaultKind::LinkHost { url } => {
            relink(parts, |link| {
                let after = link.find("/api/").map_or("", |at| &link[at..]);
                format!("{}{after}", url.trim_end_matches('/'))
            });
            body
        }
        FaultKind::LinkLoop => {
            loop_links(parts, address);
            body
        }
        _ => body,
    }
}

/// Removes the headers that speak of the body that was.
fn strip(parts: &mut response::Parts) {
    for name in OF_THE_BODY {
        parts.headers.remove(name);
    }
}

/// Rewrites every address of the `Link` header.
fn relink(parts: &mut response::Parts, rewrite: impl Fn(&str) -> String) {
    let Some(links) = parts.headers.get(header::LINK).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let mut rewritten = String::with_capacity(links.len());
    for (index, link) in links.split(", <").enumerate() {
        let link = link.trim_start_matches('<');
        let (address, rest) = link.split_once('>').unwrap_or((link, ""));
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(rewritten, "{comma}<{}>{rest}", rewrite(address));
    }
    if let Ok(value) = HeaderValue::from_str(&rewritten) {
        parts.headers.insert(header::LINK, value);
    }
}

/// Makes the next page the present one, if there is a next one.
fn loop_links(parts: &mut response::Parts, address: &str) {
    let Some(links) = parts.headers.get(header::LINK).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let looped: Vec<String> = links
        .split(", <")
        .map(|link| match link.trim_start_matches('<').split_once('>') {
            Some((_, rest)) if rest.contains("rel=\"next\"") => format!("<{address}>{rest}"),
            Some((address, rest)) => format!("<{address}>{rest}"),
            None => link.to_owned(),
        })
        .collect();
    if let Ok(value) = HeaderValue::from_str(&looped.join(", ")) {
        parts.headers.insert(header::LINK, value);
    }
    let next = HeaderName::from_static("x-next-page");
    if parts.headers.get(&next).is_some_and(|value| !value.is_empty())
        && let Some(page) = parts.headers.get("x-page").cloned()
    {
        parts.headers.insert(next, page);
    }
}

fn page(status: StatusCode, html: &str, server: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(html.to_owned()));
    *response.status_mut() = status;
    set(&mut response, "content-type", "text/html");
    set(&mut response, "server", server);
    response
}

fn set(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// Writes a page of the kind that a proxy shows when GitLab does not answer.
fn nginx_page(status: StatusCode) -> String {
    let reason = match status {
        StatusCode::SERVICE_UNAVAILABLE => "Service Temporarily Unavailable",
        StatusCode::GATEWAY_TIMEOUT => "Gateway Time-out",
        other => other.canonical_reason().unwrap_or("Error"),
    };
    let number = status.as_u16();
    format!(
        "<html>\r\n<head><title>{number} {reason}</title></head>\r\n<body>\r\n\
         <center><h1>{number} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n\
         </body>\r\n</html>\r\n"
    )
}

/// The page of a sign-in form.
const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
    <title>Sign in</title></head>\n<body>\n<h1>Sign in</h1>\n\
    <form action=\"/users/sign_in\" method=\"post\">\n\
    <label>Username <input name=\"user[login]\"></label>\n\
    <label>Password <input name=\"user[password]\" type=\"password\"></label>\n\
    <button type=\"submit\">Sign in</button>\n</form>\n</body>\n</html>\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(link: &str) -> response::Parts {
        let response = Response::builder()
            .header("link", link)
            .header("x-page", "2")
            .header("x-next-page", "3")
            .body(())
            .unwrap();
        response.into_parts().0
    }

    const LINK: &str = "<http://gitlab/api/v4/projects?page=3>; rel=\"next\", \
                        <http://gitlab/api/v4/projects?page=1>; rel=\"first\"";

    #[test]
    fn links_move_to_another_host() {
        let mut parts = parts(LINK);
        let kind = FaultKind::LinkHost { url: "https://other.example/".to_owned() };
        spoil(&kind, "http://gitlab/here", &mut parts, Bytes::new());
        assert_eq!(
            parts.headers["link"],
            "<https://other.example/api/v4/projects?page=3>; rel=\"next\", \
             <https://other.example/api/v4/projects?page=1>; rel=\"first\""
        );
    }

    #[test]
    fn the_next_page_becomes_this_one() {
        let mut parts = parts(LINK);
        spoil(&FaultKind::LinkLoop, "http://gitlab/here", &mut parts, Bytes::new());
        assert_eq!(
            parts.headers["link"],
            "<http://gitlab/here>; rel=\"next\", <http://gitlab/api/v4/projects?page=1>; \
             rel=\"first\""
        );
        assert_eq!(parts.headers["x-next-page"], "2");
    }
}
