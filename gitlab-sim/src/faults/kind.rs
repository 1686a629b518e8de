//! What can go wrong.
//!
//! A fault strikes at one of four places: it changes the request before it is routed, it answers
//! in place of GitLab (a proxy, a load balancer, a broken connection), it makes GitLab itself answer
//! otherwise, or it spoils a good answer on its way.

use axum::http::{HeaderValue, StatusCode, Uri};
use serde::{Deserialize, Serialize};

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// An HTML page of the proxy, as during a deploy: 502, 503, 504 or any other error.
    Html {
        /// The status, 400 to 599.
        status: u16,
    },
    /// GitLab's own 500, in JSON.
    ServerError,
    /// The 408 of merge request lists whose query took too long.
    Timeout,
    /// The passing 409 `Resource lock`.
    Locked,
    /// The 403 that a blocked address gets on every URL.
    Blocked,
    /// The 401 of a token that has expired.
    ExpiredToken,
    /// A 429, whatever the limits say.
    TooMany {
        /// In which of its two forms.
        #[serde(default)]
        form: Refusal,
        /// The seconds of `Retry-After`; without it the header is missing.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The sign-in page with status 200, as from a single sign-on proxy.
    Login,
    /// The body comes slowly.
    Slow {
        /// How quickly, at least 1.
        bytes_per_second: u64,
    },
    /// The body is cut in the middle: `Content-Length` promises more than comes.
    Cut,
    /// The body is cut in the middle, without its last chunk and without `Content-Length`.
    CutChunked,
    /// The connection is reset before anything is answered.
    Reset,
    /// The connection is reset after the head and half of the body.
    ResetAfterHead,
    /// Nothing is ever answered, until the client gives up or the simulator stops.
    Stall,
    /// After the head and half of the body nothing more comes.
    StallInBody,
    /// The body never ends: the JSON is followed by white space for ever.
    Endless,
    /// The body is followed by white space up to some size.
    Oversized {
        /// The size of the whole body.
        bytes: u64,
    },
    /// The body is right, its `Content-Type` is not.
    WrongType {
        /// The `Content-Type` that is sent.
        content_type: String,
    },
    /// Half of the body, complete by its length.
    Truncated,
    /// No body at all.
    Empty {
        /// The status, 200 to 299.
        status: u16,
    },
    /// A byte order mark before the body.
    ByteOrderMark,
    /// `Link` points to another scheme and host.
    LinkHost {
        /// The address in place of the external one, such as `http://other.example`.
        url: String,
    },
    /// The next page of `Link` and `X-Next-Page` is the present one.
    LinkLoop,
    /// A proxy decodes `%2F` in the path before GitLab routes it.
    DecodedSlashes,
}

/// The two forms of a 429.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// `Retry later` in plain text, as the request throttle says it.
    #[default]
    Throttle,
    /// JSON, as the application limiter says it.
    Application,
}

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before the request is routed.
    Routing,
    /// In place of GitLab.
    Edge,
    /// In GitLab: the request counts, its answer is another.
    Application,
    /// In what the answer says.
    Content,
    /// In how the answer travels.
    Delivery,
}

impl FaultKind {
    /// Returns the word by which the control API and the log know the fault.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Html { .. } => "html",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Locked => "locked",
            Self::Blocked => "blocked",
            Self::ExpiredToken => "expired_token",
            Self::TooMany { .. } => "too_many",
            Self::Login => "login",
            Self::Slow { .. } => "slow",
            Self::Cut => "cut",
            Self::CutChunked => "cut_chunked",
            Self::Reset => "reset",
            Self::ResetAfterHead => "reset_after_head",
            Self::Stall => "stall",
            Self::StallInBody => "stall_in_body",
            Self::Endless => "endless",
            Self::Oversized { .. } => "oversized",
            Self::WrongType { .. } => "wrong_type",
            Self::Truncated => "truncated",
            Self::Empty { .. } => "empty",
            Self::ByteOrderMark => "byte_order_mark",
            Self::LinkHost { .. } => "link_host",
            Self::LinkLoop => "link_loop",
            Self::DecodedSlashes => "decoded_slashes",
        }
    }

    /// Returns where the fault strikes.
    pub(crate) const fn stage(&self) -> Stage {
        match self {
            Self::DecodedSlashes => Stage::Routing,
            Self::Html { .. }
            | Self::Blocked
            | Self::TooMany { .. }
            | Self::Login
            | Self::Reset
            | Self::Stall => Stage::Edge,
            Self::ServerError | Self::Timeout | Self::Locked | Self::ExpiredToken => {
                Stage::Application
            }
            Self::WrongType { .. }
            | Self::Truncated
            | Self::Empty { .. }
            | Self::ByteOrderMark
            | Self::LinkHost { .. }
            | Self::LinkLoop => Stage::Content,
            Self::Slow { .. }
            | Self::Cut
            | Self::CutChunked
            | Self::ResetAfterHead
            | Self::StallInBody
            | Self::Endless
            | Self::Oversized { .. } => Stage::Delivery,
        }
    }

    /// Says what is wrong with the description of the fault, if anything.
    pub(super) fn complaint(&self) -> Option<String> {
        match self {
            Self::Html { status } if !(400..600).contains(status) => {
                Some(format!("status {status} of html is no error; take 400 to 599"))
            }
            Self::Empty { status } if !(200..300).contains(status) => {
                Some(format!("status {status} of empty is no success; take 200 to 299"))
            }
            Self::Slow { bytes_per_second: 0 } => {
                Some("bytes_per_second is 0; use stall_in_body for a body that stops".to_owned())
            }
            Self::WrongType { content_type } if HeaderValue::from_str(content_type).is_err() => {
                Some("content_type holds characters that no header may hold".to_owned())
            }
            Self::LinkHost { url } if !is_origin(url) => {
                Some(format!("url {url:?} is no address such as http://other.example"))
            }
            _ => None,
        }
    }
}

fn is_origin(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some())
        && HeaderValue::from_str(url).is_ok()
}

/// Returns the status of that number, or another where there is none.
pub(super) fn status(number: u16, otherwise: StatusCode) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(otherwise)
}
