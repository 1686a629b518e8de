//! What a refusal of a query means.
//!
//! GitLab refuses in two ways: with a status of its own (422, 503, 403, …), or with 200 and `errors`
//! without `data`. Both end here, as one of a few kinds of [`Trouble`] that differ in what is done:
//! ask for less, never ask this again, or ask by REST. It refuses to decide about whole answers:
//! those with `data` are not trouble, whatever else they hold.

use reqwest::StatusCode;

use super::reply::Complaint;
use crate::gitlab::Error;
use crate::gitlab::error::Missing;

/// Why a question was not answered by GraphQL. Whoever asked may ask by REST.
#[derive(Debug, thiserror::Error)]
pub enum GraphqlFailure {
    /// GraphQL is not to be had here, or not for this question.
    #[error("GraphQL is not used: {reason}")]
    Off {
        /// Why.
        reason: String,
    },
    /// This GitLab does not know a field, an argument or a type of the query.
    #[error("this GitLab's GraphQL lacks something: {message}")]
    Lacks {
        /// What, in GitLab's words.
        message: String,
    },
    /// Even the smallest query is too complex.
    #[error("even the smallest query costs {score}, and GitLab allows {limit}")]
    Complex {
        /// What it costs.
        score: u64,
        /// What it may cost.
        limit: u64,
    },
    /// Even the smallest query takes too long, or is too large.
    #[error("GitLab does not answer even the smallest query: {message}")]
    Heavy {
        /// Why, in GitLab's words.
        message: String,
    },
    /// The request failed as any other may.
    #[error("the query was not answered")]
    Client {
        /// Why.
        #[source]
        source: Error,
    },
}

impl GraphqlFailure {
    /// Returns the error of the request below, where that is what went wrong.
    pub fn client_error(self) -> Option<Error> {
        match self {
            Self::Client { source } => Some(source),
            Self::Off { .. } | Self::Lacks { .. } | Self::Complex { .. } | Self::Heavy { .. } => {
                None
            }
        }
    }
}

/// What went wrong with one query.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is too complex: by how much.
    Complex { score: u64, limit: u64 },
    /// It takes too long, is too large, or fails for a reason that nobody tells.
    Heavy(String),
    /// It asks for something that this GitLab lacks, or is refused for its shape.
    Lacks(String),
    /// GraphQL itself is refused. `sure` when GitLab says so in its own words, and not somebody in
    /// front of it.
    Refused { sure: bool, error: Error },
    /// The request failed as any other may.
    Client(Error),
}

impl Trouble {
    /// Judges a request that failed, all its tries included.
    pub(super) fn of_error(error: Error) -> Self {
        let last = match &error {
            Error::TooManyRetries { source, .. } => source,
            other => other,
        };
        match last {
            Error::Query { message, .. } => Self::Heavy(message.clone()),
            Error::TooSlow { .. } | Error::BodyTooLarge { .. } => Self::Heavy(last.to_string()),
            // The token is good elsewhere; one that is not stops everything.
            Error::Unauthorized { is_final: false, .. }
            | Error::Forbidden { .. }
            | Error::NotFound {
                what: Missing::Route | Missing::Named(_) | Missing::Record, ..
            } => Self::Refused { sure: true, error },
            Error::Refused { status, is_gitlab: true, .. } if is_lasting(*status) => {
                Self::Refused { sure: true, error }
            }
            Error::Refused { status, is_gitlab: false, .. } if is_lasting(*status) => {
                Self::Refused { sure: false, error }
            }
            // Something stands in front of GraphQL, or of everything: REST will tell.
            Error::NotFound { what: Missing::Page, .. }
            | Error::Blocked { .. }
            | Error::Barred { .. }
            | Error::NotGitLab { .. }
            | Error::ForeignRedirect { .. } => Self::Refused { sure: false, error },
            _ => Self::Client(error),
        }
    }

    /// Judges an answer without `data`.
    pub(super) fn of_complaints(complaints: &[Complaint]) -> Self {
        let cost = complaints.iter().filter_map(|one| complexity(&one.message)).max();
        if let Some((score, limit)) = cost {
            return Self::Complex { score, limit };
        }
        let first = complaints.first().map_or("no reason given", |one| one.message.as_str());
        match complaints.iter().find(|one| is_about_the_query(one)) {
            Some(about) => Self::Lacks(about.message.clone()),
            None => Self::Heavy(first.to_owned()),
        }
    }
}

/// Says whether a status means that this address takes no query, now or later.
fn is_lasting(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE | StatusCode::NOT_IMPLEMENTED
    )
}

/// Reads `Query has complexity of 346, which exceeds max complexity of 250`.
fn complexity(message: &str) -> Option<(u64, u64)> {
    let number = |after: &str| {
        let rest = message.split_once(after)?.1;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
        digits.parse().ok()
    };
    Some((number("has complexity of ")?, number("max complexity of ")?))
}

/// Says whether an error is about the text of the query, so that it will come again. The engine
/// (graphql-ruby) gives such errors a code; GitLab's versions differ in whether they show it.
fn is_about_the_query(complaint: &Complaint) -> bool {
    const CODES: [&str; 12] = [
        "undefinedField",
        "undefinedType",
        "undefinedArgument",
        "undefinedDirective",
        "argumentNotAccepted",
        "argumentLiteralsIncompatible",
        "missingRequiredArguments",
        "variableMismatch",
        "variableRequiresValidType",
        "selectionMismatch",
        "useAndDefineFragment",
        "fragmentOnNonCompositeType",
    ];
    const WORDS: [&str; 12] = [
        "doesn't exist on type",
        "doesn't accept argument",
        "is an invalid type",
        "isn't a defined input type",
        "no such type",
        "no such",
        "has an invalid value",
        "mismatch on variable",
        "must have selections",
        "parse error",
        "exceeds max depth",
        "was used, but not defined",
    ];
    let message = complaint.message.to_ascii_lowercase();
    complaint.code.as_deref().is_some_and(|code| CODES.contains(&code))
        || WORDS.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(message: &str) -> Trouble {
        Trouble::of_complaints(&[complaint(message, None)])
    }

    fn complaint(message: &str, code: Option<&str>) -> Complaint {
        Complaint { message: message.to_owned(), path: Vec::new(), code: code.map(str::to_owned) }
    }

    #[test]
    fn complexity_is_read_from_gitlabs_words() {
        let trouble = judge("Query has complexity of 346, which exceeds max complexity of 250");
        assert!(matches!(trouble, Trouble::Complex { score: 346, limit: 250 }), "{trouble:?}");
        for odd in ["Query has complexity of lots", "has complexity of 9", "max complexity of 250"]
        {
            assert!(matches!(judge(odd), Trouble::Heavy(_)), "{odd}");
        }
    }

    #[test]
    fn what_this_version_lacks_is_told_from_what_may_pass() {
        for message in [
            "Field 'blobs' doesn't exist on type 'Repository'",
            "Field 'issues' doesn't accept argument 'includeArchived'",
            "Query has depth of 21, which exceeds max depth of 20",
            "Parse error on \"}\" (RCURLY) at [1, 5]",
            "IssueID isn't a defined input type (on $id)",
            "Argument 'sort' on Field 'issues' has an invalid value (UPDATED_ASC).",
        ] {
            assert!(matches!(judge(message), Trouble::Lacks(_)), "{message}");
        }
        let coded = complaint("Unbekanntes Feld", Some("undefinedField"));
        assert!(matches!(Trouble::of_complaints(&[coded]), Trouble::Lacks(_)));
        for message in ["Timeout on projects.nodes", "Internal server error", ""] {
            assert!(matches!(judge(message), Trouble::Heavy(_)), "{message}");
        }
        assert!(matches!(Trouble::of_complaints(&[]), Trouble::Heavy(_)));
    }
}
