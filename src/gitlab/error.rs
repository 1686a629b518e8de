//! What can go wrong between us and GitLab, and what follows from it.
//!
//! Every failure is one [`Error`]; what follows from each is one table, in `trouble.rs`, and
//! [`Error::hint`] says what a person can do. Errors name paths, never query strings, and never
//! hold a token: `reqwest`'s errors are stripped of their URLs before they come in. How a refused
//! answer becomes an error: `refusal.rs`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;

use super::paging;
use super::tls::{CaFault, certificate_hint};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings make no client; nothing was sent.
    #[error("the GitLab client cannot be set up: {reason}")]
    Settings {
        /// What is wrong with them.
        reason: String,
    },
    /// The token could not be read; nothing was sent.
    #[error("the token cannot be read")]
    Token {
        /// Why.
        #[source]
        source: crate::config::Error,
    },
    /// The HTTP library could not be set up; nothing was sent.
    #[error("the HTTP client cannot be set up")]
    Build {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The certificates of `ca_file` cannot be used; nothing was sent.
    #[error("the certificates in {} (`ca_file`) cannot be used", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CaFault,
    },
    /// A name that cannot stand in a path (empty, `.` or `..`); nothing was sent.
    #[error("`{name}` is not a name that GitLab can be asked for")]
    Name {
        /// The name.
        name: String,
    },
    /// 429.
    #[error("GitLab asked us to slow down at {path}")]
    Throttled {
        /// What was asked for.
        path: String,
        /// How long to wait, if GitLab said so.
        retry_after: Option<Duration>,
    },
    /// 401.
    #[error("GitLab answered 401 to {path}: {reason}")]
    Unauthorized {
        /// What was asked for.
        path: String,
        /// What is wrong with the credential.
        reason: CredentialFault,
        /// True when no request with this credential can succeed.
        is_final: bool,
    },
    /// 403 in GitLab's own words.
    #[error("GitLab answered 403 to {path}: {reason}")]
    Forbidden {
        /// What was asked for.
        path: String,
        /// GitLab's reason.
        reason: String,
        /// The scope that the token lacks, if that is the reason.
        missing_scope: Option<String>,
    },
    /// 403 by something in front of GitLab: a firewall, a CDN, a block of our address.
    #[error("something in front of GitLab answered 403 to {path}")]
    Blocked {
        /// What was asked for.
        path: String,
    },
    /// 404.
    #[error("GitLab answered 404 to {path}: {what}")]
    NotFound {
        /// What was asked for.
        path: String,
        /// What is not there.
        what: Missing,
    },
    /// Any other status that is no success.
    #[error("GitLab answered {status} to {path}: {message}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// What was asked for.
        path: String,
        /// GitLab's reason, shortened.
        message: String,
        /// True when the answer is in GitLab's own words, false for the page of a proxy.
        is_gitlab: bool,
        /// How long to wait, if GitLab said so.
        retry_after: Option<Duration>,
    },
    /// A refusal of a GraphQL query in GraphQL's own shape: about the query, not about the request.
    #[error("GitLab answered {status} to a GraphQL query: {message}")]
    Query {
        /// The status.
        status: StatusCode,
        /// GitLab's reason, shortened.
        message: String,
    },
    /// No answer, or an answer that broke off.
    #[error("no complete answer from {origin} to {path}")]
    Transport {
        /// Scheme, host and port that were asked, and the proxy on the way.
        origin: String,
        /// What was asked for.
        path: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// No answer in time, or one that came too slowly.
    #[error("no complete answer from {origin} to {path}: {limit}")]
    TooSlow {
        /// Scheme, host and port that were asked.
        origin: String,
        /// What was asked for.
        path: String,
        /// Which time limit was passed.
        limit: TimeLimit,
    },
    /// A body beyond the limit.
    #[error("GitLab's answer to {path} is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// What was asked for.
        path: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// A body that is JSON of another shape, or broke off.
    #[error("GitLab's answer to {path} cannot be read{}", At(*index))]
    Decode {
        /// What was asked for.
        path: String,
        /// Which object of a list, counted from 0.
        index: Option<usize>,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A file that is shorter or longer than GitLab says it is.
    #[error("the file at {path} came with {bytes} bytes instead of {expected_bytes}")]
    Garbled {
        /// What was asked for.
        path: String,
        /// How long GitLab says it is.
        expected_bytes: u64,
        /// How long it was.
        bytes: u64,
    },
    /// A success that is not JSON: a sign-in page, another server.
    #[error("the answer to {path} does not come from GitLab's API ({content_type})")]
    NotGitLab {
        /// What was asked for.
        path: String,
        /// What it says it is.
        content_type: String,
    },
    /// A redirect to another host, or one that leads back to itself because only scheme or port
    /// differ. It was not followed.
    #[error("GitLab redirects {path} to {origin}, where the token is not sent")]
    ForeignRedirect {
        /// What was asked for.
        path: String,
        /// Scheme, host and port of the target.
        origin: String,
    },
    /// More redirects than a moved project can need.
    #[error("GitLab redirects {path} again and again")]
    RedirectLoop {
        /// What was asked for.
        path: String,
    },
    /// A link to the next page that leads to something else.
    #[error("the link to the next page of {path} leads to {target}")]
    ForeignLink {
        /// The list.
        path: String,
        /// Origin or path of the target.
        target: String,
    },
    /// A link to the next page that leads to the page itself, or to one that was read before.
    #[error("the link to the next page of {path} leads back to a page that was read before")]
    LoopingLink {
        /// The list.
        path: String,
    },
    /// A list with more pages than it can have, or with page after page of nothing new.
    #[error("the list {path} does not end: it was left after {pages} pages")]
    EndlessList {
        /// The list.
        path: String,
        /// How many pages were read.
        pages: usize,
    },
    /// All tries failed; the cause is the last failure.
    #[error("given up after {attempts} tries")]
    TooManyRetries {
        /// How many tries.
        attempts: u32,
        /// The last failure.
        #[source]
        source: Box<Error>,
    },
    /// The host has been failing for so long that there is no point in waiting for it.
    #[error("GitLab has not answered since {}", Second(*since))]
    Unreachable {
        /// When the first of the failing requests was sent.
        since: Timestamp,
        /// The last failure.
        #[source]
        source: Arc<Error>,
    },
    /// Something else answers in GitLab's place, whatever is asked.
    #[error("{answers} answers in a row did not come from GitLab")]
    Barred {
        /// How many, with nothing of GitLab's in between.
        answers: u32,
        /// The last of them.
        #[source]
        source: Box<Error>,
    },
}

/// A limit of time that an answer passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLimit {
    /// Until the answer begins.
    Head(Duration),
    /// Between two pieces of the body.
    Idle(Duration),
    /// For all of it.
    Whole(Duration),
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(limit) => write!(f, "it did not begin within {limit:?}"),
            Self::Idle(limit) => write!(f, "it stopped in the middle for {limit:?}"),
            Self::Whole(limit) => write!(f, "it was not whole within {limit:?}"),
        }
    }
}

/// Prints a moment to the second.
struct Second(Timestamp);

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

/// What is wrong with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// None was sent, and this part is not public.
    Missing,
    /// GitLab does not know it, or not for this route.
    Invalid,
    /// It has expired.
    Expired,
    /// It was revoked.
    Revoked,
}

impl fmt::Display for CredentialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it wants a token, and none is configured",
            Self::Invalid => "the token is not valid here",
            Self::Expired => "the token has expired",
            Self::Revoked => "the token was revoked",
        })
    }
}

/// What a 404 says is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The route: GitLab has no such address. A wrong URL, or a proxy that decodes `%2F`.
    Route,
    /// A thing that GitLab names: `Project`, `Group`, `File`, `Commit`. Missing, or hidden from
    /// this token: GitLab does not tell the two apart.
    Named(String),
    /// A thing that GitLab does not name.
    Record,
    /// Everything: the answer is not GitLab's.
    Page,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route => f.write_str("there is no such API route"),
            Self::Named(name) => write!(f, "{name} not found, or hidden from this token"),
            Self::Record => f.write_str("not found, or hidden from this token"),
            Self::Page => f.write_str("the answer is not GitLab's"),
        }
    }
}

/// Prints which object of a list is meant.
struct At(Option<usize>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(index) => write!(f, " at object {index} of the list"),
            None => Ok(()),
        }
    }
}

/// True when a reason of GitLab's holds some words, in whatever case.
fn names(reason: &str, words: &str) -> bool {
    reason.to_ascii_lowercase().contains(words)
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Ask again, at the earliest after the given time.
    Retry {
        /// How long GitLab wants us to wait, if it said so.
        after: Option<Duration>,
    },
    /// Leave this resource, keep what is known of it, go on with the others.
    Skip,
    /// Stop: no other request would fare better.
    Abort,
}

impl Error {
    /// Returns how long GitLab wants us to wait, if it said so.
    pub(super) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Returns the failure itself, without the tries and the waiting around it.
    pub fn cause(&self) -> &Self {
        match self {
            Self::TooManyRetries { source, .. } | Self::Barred { source, .. } => source.cause(),
            Self::Unreachable { source, .. } => source.cause(),
            other => other,
        }
    }

    /// True when nothing that is GitLab answered, whatever was tried.
    pub fn is_unanswered(&self) -> bool {
        match self {
            Self::TooManyRetries { source, .. } => source.is_unanswered(),
            Self::Blocked { .. }
            | Self::NotGitLab { .. }
            | Self::Transport { .. }
            | Self::TooSlow { .. }
            | Self::Unreachable { .. }
            | Self::Barred { .. } => true,
            _ => false,
        }
    }

    /// True when GitLab itself says that a thing is not there, or hidden. A missing route or a page
    /// of something else says nothing about the thing.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NotFound { what: Missing::Named(_) | Missing::Record, .. })
    }

    /// Returns what a person can do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        if let Self::Transport { source, .. } = self
            && let Some(hint) = certificate_hint(source)
        {
            return Some(hint.to_owned());
        }
        let hint = match self {
            Self::TooManyRetries { source, .. } | Self::Barred { source, .. } => {
                return source.hint();
            }
            Self::Unreachable { source, .. } => return source.hint(),
            Self::Forbidden { missing_scope: Some(scope), .. } => {
                return Some(format!("use a token that has one of these scopes: {scope}"));
            }
            Self::ForeignRedirect { origin, .. } => {
                return Some(format!(
                    "if {origin} is your GitLab, set `url` to its address there; for a project \
                     that was renamed, configure its new path"
                ));
            }
            Self::Unauthorized { reason, .. } => match reason {
                CredentialFault::Missing => "configure a token with the scope read_api",
                CredentialFault::Invalid => {
                    "check the token and `auth`: access tokens are `private-token`, OAuth tokens \
                     are `bearer`, and a job token serves few routes"
                }
                CredentialFault::Expired | CredentialFault::Revoked => {
                    "make a new token with the scope read_api and configure it"
                }
            },
            Self::Forbidden { reason, .. } if names(reason, "job token not allowed") => {
                "add the job's project to the job token allow-list of the project that is read \
                 (Settings, CI/CD, Job token permissions)"
            }
            Self::Forbidden { reason, .. } if names(reason, "job token") => {
                "no job token may do this, or this one lacks the permission: leave this part out, \
                 or use an access token with the scope read_api"
            }
            Self::Forbidden { .. } => "give the token's user access, or leave this part out",
            Self::Blocked { .. } => {
                "the address may be blocked; wait, and look at the firewall or ask the operator"
            }
            Self::NotFound { what, .. } => match what {
                Missing::Route => {
                    "check `url`: it is the address of GitLab's start page; a proxy in front of \
                     GitLab must leave %2F in paths alone"
                }
                Missing::Page => "check `url`: it is the address of GitLab's start page",
                Missing::Named(_) | Missing::Record => {
                    "check the path, and that the token's user may see it"
                }
            },
            Self::NotGitLab { .. } => {
                "check `url`, and that no sign-in page stands between here and GitLab's API"
            }
            error @ Self::Refused { .. } if paging::is_ceiling(error) => {
                "GitLab does not let this list be read to its end; name smaller groups, or ask \
                 its operator to raise the limit of offset pagination"
            }
            Self::Transport { source, .. } if source.is_connect() => {
                "check `url`, the network, the proxy variables, and the server's certificate"
            }
            Self::Transport { .. } | Self::TooSlow { .. } => {
                "check `url`, and what stands between here and it; if GitLab is restarting, try again"
            }
            Self::Throttled { .. } => "lower `share` or `requests_per_minute`, or wait",
            Self::Settings { .. } => "correct the configuration of this GitLab",
            Self::Build { .. } => {
                "install the system's certificate authorities (the package ca-certificates), or \
                 name a file with those of your GitLab in `ca_file`"
            }
            Self::CaFile { .. } => {
                "let `ca_file` name a readable file with the authority's certificate, which begins \
                 with -----BEGIN CERTIFICATE-----"
            }
            Self::Refused { is_gitlab: false, .. } => {
                "if GitLab is being deployed or restarted, try again; else look at the proxy in \
                 front of it"
            }
            Self::Token { .. }
            | Self::Name { .. }
            | Self::Refused { .. }
            | Self::Query { .. }
            | Self::BodyTooLarge { .. }
            | Self::Decode { .. }
            | Self::Garbled { .. }
            | Self::RedirectLoop { .. }
            | Self::ForeignLink { .. }
            | Self::LoopingLink { .. }
            | Self::EndlessList { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
