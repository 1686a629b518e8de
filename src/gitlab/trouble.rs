//! The table of troubles: what each failure means, and what follows from it.
//!
//! One row for each kind of [`Error`]: how often a request that fails so is sent at all, whose
//! failure it is (which decides what the breaker of the host counts), what the crawl does when the
//! tries are spent, when it is worth to look again, and why. Nothing else decides any of this. The
//! same table, for operators, is `docs/troubles.md`; a test holds both together, and another one
//! serves every status and every broken transport and writes down what came of it.

use jiff::SignedDuration;
use reqwest::StatusCode;

use super::Error;
use super::error::{Missing, Verdict};
use super::tls::certificate_hint;

/// How often a request is sent that GitLab itself refuses for a passing reason. Few, since the
/// crawl comes back anyway.
pub(super) const TRIES: u32 = 4;

/// How often a request is sent that the host, or what stands before it, fails to answer while it
/// answers others: in a rolling deploy every second answer may be an error page.
const HOST_TRIES: u32 = 6;

/// How often a request is sent that is answered by something else than GitLab. One such answer may
/// be chance; to insist is what gets an address blocked.
const FRONT_TRIES: u32 = 3;

/// How often a request is sent whose answer leads astray, or cannot be taken as it came. It may be
/// chance, even twice; what is so for good costs two requests more, once.
const STRAY_TRIES: u32 = 3;

/// How often a request is sent that meets a lock: with delays that double from a second on, the
/// last goes out after 15 to 30 seconds. Somebody else's change is done by then.
const LOCK_TRIES: u32 = 6;

/// How often a request is sent at most that meets one kind of trouble after the other.
pub(super) const MOST_TRIES: u32 = 8;

/// How often a request is sent that is refused for its key, while GitLab says that the key is
/// valid.
pub(super) const KEY_TRIES: u32 = 3;

/// A part that failed by chance is read again by the next sync.
const NEXT_SYNC: SignedDuration = SignedDuration::from_mins(2);

/// People change permissions in hours, not in minutes.
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What is too large or unreadable today is so until somebody changes it, or GitLab is updated.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Whose failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// GitLab answered, if only to refuse: the host lives.
    GitLab,
    /// The host, or the way to it: after a few in a row the breaker opens.
    Host,
    /// Something in front of GitLab answered in its place: after a few in a row all stops.
    Front,
    /// It says nothing about the host.
    Nobody,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trouble {
    /// How often a request that fails so is sent at most.
    pub(super) tries: u32,
    pub(super) whose: Whose,
    /// What the crawl does when the tries are spent: never `Retry`.
    pub(super) then: Verdict,
    /// When it is worth to ask for the same part again.
    pub(super) look_again: SignedDuration,
    /// Why, for operators.
    pub(super) why: &'static str,
}

impl Trouble {
    const fn stop(why: &'static str) -> Self {
        let (whose, then) = (Whose::Nobody, Verdict::Abort);
        Self { tries: 1, whose, then, look_again: NEXT_SYNC, why }
    }

    const fn skip(tries: u32, whose: Whose, look_again: SignedDuration, why: &'static str) -> Self {
        Self { tries, whose, then: Verdict::Skip, look_again, why }
    }
}

/// What may help where GitLab cannot answer a question about a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Less {
    /// Nothing that has to do with the size of the question.
    No,
    /// A smaller question, if the same one fails twice: once may be chance.
    Later,
    /// A smaller question at once: the same one would cost the same time again.
    AtOnce,
}

impl Error {
    /// Returns the row of the table.
    #[expect(clippy::too_many_lines, reason = "one table is read in one piece")]
    pub(super) fn trouble(&self) -> Trouble {
        use Whose::{Front, GitLab, Host, Nobody};
        match self {
            Self::Settings { .. }
            | Self::Token { .. }
            | Self::Build { .. }
            | Self::CaFile { .. } => {
                Trouble::stop("nothing was sent, and nothing can be before it is corrected")
            }
            Self::Name { .. } => {
                Trouble::skip(1, Nobody, A_DAY, "nothing was sent: the name stays what it is")
            }
            Self::Throttled { .. } => Trouble::skip(
                TRIES,
                GitLab,
                NEXT_SYNC,
                "the pacer waits as long as GitLab says; refused interval after interval, the \
                 limit is used up by others",
            ),
            Self::Unauthorized { is_final: true, .. } => Trouble {
                whose: GitLab,
                ..Trouble::stop(
                    "the token was read again and GitLab asked about it, and it is refused: no \
                     request can succeed",
                )
            },
            Self::Unauthorized { is_final: false, .. } => Trouble::skip(
                1,
                GitLab,
                AN_HOUR,
                "this route does not take the credential, others do",
            ),
            Self::Forbidden { .. } => {
                Trouble::skip(1, GitLab, AN_HOUR, "a permission is missing until somebody gives it")
            }
            Self::Blocked { .. } => Trouble::skip(
                FRONT_TRIES,
                Front,
                NEXT_SYNC,
                "one may be the mood of a CDN; several in a row are a block of our address",
            ),
            Self::NotFound { what: Missing::Page, .. } => Trouble::skip(
                FRONT_TRIES,
                Front,
                AN_HOUR,
                "not GitLab's 404: a proxy that has lost its backend, or a wrong `url`",
            ),
            Self::NotFound { .. } => {
                Trouble::skip(1, GitLab, AN_HOUR, "it is not there, or hidden from this token")
            }
            Self::Refused { status: StatusCode::CONFLICT, is_gitlab: true, .. } => Trouble::skip(
                LOCK_TRIES,
                GitLab,
                NEXT_SYNC,
                "somebody else changes it at this moment: asked again within half a minute",
            ),
            Self::Refused { status, is_gitlab, .. } => refused(*status, *is_gitlab),
            Self::Query { .. } => Trouble::skip(
                1,
                GitLab,
                NEXT_SYNC,
                "it would be refused again as it is: a smaller query is sent, or REST is asked",
            ),
            // A builder error is our own fault and would only repeat.
            Self::Transport { source, .. } if source.is_builder() => {
                Trouble::stop("the request cannot be made: our own fault")
            }
            Self::Transport { source, .. } if certificate_hint(source).is_some() => {
                Trouble::stop("a certificate that is not accepted stays so until somebody acts")
            }
            Self::Transport { .. } => Trouble::skip(
                HOST_TRIES,
                Host,
                NEXT_SYNC,
                "connections break; a host that is gone opens the breaker",
            ),
            Self::TooSlow { .. } => Trouble::skip(
                FRONT_TRIES,
                Host,
                NEXT_SYNC,
                "each try costs its whole time limit, so there are fewer",
            ),
            Self::BodyTooLarge { .. } => Trouble::skip(
                STRAY_TRIES,
                Nobody,
                A_DAY,
                "cut off at the limit; again in case it was chance, for lists a smaller page",
            ),
            Self::Decode { source, .. } if source.is_eof() => Trouble::skip(
                FRONT_TRIES,
                Front,
                NEXT_SYNC,
                "empty or cut, though complete by its length: a proxy's doing",
            ),
            Self::Garbled { .. } => {
                Trouble::skip(FRONT_TRIES, Front, NEXT_SYNC, "a file that a proxy cut or added to")
            }
            Self::Decode { .. } => Trouble::skip(
                STRAY_TRIES,
                Nobody,
                A_DAY,
                "JSON of another shape; again in case it was chance, then it takes a new version",
            ),
            Self::NotGitLab { .. } => Trouble::skip(
                FRONT_TRIES,
                Front,
                NEXT_SYNC,
                "a sign-in page or another server; several in a row stand in the way of all",
            ),
            Self::ForeignRedirect { .. } => Trouble::skip(
                STRAY_TRIES,
                Nobody,
                AN_HOUR,
                "the token is not sent elsewhere; if it was not chance, somebody must correct the \
                 address",
            ),
            Self::RedirectLoop { .. } => Trouble::skip(
                STRAY_TRIES,
                Nobody,
                AN_HOUR,
                "to itself, or more than five: a move needs one",
            ),
            Self::ForeignLink { .. } | Self::LoopingLink { .. } => Trouble::skip(
                STRAY_TRIES,
                GitLab,
                NEXT_SYNC,
                "the page is asked for again; a list whose links lead astray is not whole",
            ),
            Self::EndlessList { .. } => Trouble::skip(
                1,
                GitLab,
                NEXT_SYNC,
                "it was left where no list of its kind goes on; it is not whole",
            ),
            Self::TooManyRetries { source, .. } => Trouble { tries: 1, ..source.trouble() },
            Self::Unreachable { .. } => {
                Trouble::stop("the patience with an outage is over; the next sync looks again")
            }
            Self::Barred { .. } => {
                Trouble::stop("nothing that is GitLab's came in between; asking on makes it worse")
            }
        }
    }

    /// Decides what happens next. Nothing else may decide this.
    ///
    /// What the client returns has been retried already, so callers of the client may take `Retry`
    /// for `Skip`.
    pub fn verdict(&self) -> Verdict {
        let trouble = self.trouble();
        if trouble.tries > 1 {
            return Verdict::Retry { after: self.asked_wait() };
        }
        trouble.then
    }

    /// Returns how long after this failure it is worth to ask for the same part again.
    pub fn look_again(&self) -> SignedDuration {
        self.trouble().look_again
    }

    /// True when a smaller page, or a narrower span of time, may be answered.
    pub fn asks_for_less(&self) -> bool {
        self.less() != Less::No
    }

    /// Says whether a smaller question may be answered.
    pub(super) fn less(&self) -> Less {
        match self {
            Self::TooManyRetries { source, .. } => source.less(),
            // 408 is the database's time limit of the merge request API.
            Self::BodyTooLarge { .. }
            | Self::Query { .. }
            | Self::Refused { status: StatusCode::REQUEST_TIMEOUT, .. } => Less::AtOnce,
            Self::Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR | StatusCode::GATEWAY_TIMEOUT,
                ..
            }
            | Self::TooSlow { .. } => Less::Later,
            Self::Settings { .. }
            | Self::Token { .. }
            | Self::Build { .. }
            | Self::CaFile { .. }
            | Self::Name { .. }
            | Self::Throttled { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Blocked { .. }
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Transport { .. }
            | Self::Decode { .. }
            | Self::Garbled { .. }
            | Self::NotGitLab { .. }
            | Self::ForeignRedirect { .. }
            | Self::RedirectLoop { .. }
            | Self::ForeignLink { .. }
            | Self::LoopingLink { .. }
            | Self::EndlessList { .. }
            | Self::Unreachable { .. }
            | Self::Barred { .. } => Less::No,
        }
    }
}

/// The rows of statuses that have no error of their own.
fn refused(status: StatusCode, is_gitlab: bool) -> Trouble {
    match (is_transient(status), is_gitlab) {
        (true, true) => Trouble::skip(
            TRIES,
            Whose::GitLab,
            NEXT_SYNC,
            "it passes by itself: a full database, a worker that died; lists are asked for in \
             smaller pages",
        ),
        (true, false) => Trouble::skip(
            HOST_TRIES,
            Whose::Host,
            NEXT_SYNC,
            "the page of a proxy while GitLab is deployed or restarted",
        ),
        (false, true) => {
            Trouble::skip(1, Whose::GitLab, A_DAY, "the same question gets the same answer")
        }
        (false, false) => {
            Trouble::skip(1, Whose::Nobody, A_DAY, "the same question gets the same answer")
        }
    }
}

/// Says which statuses pass by themselves.
///
/// 408 is a database timeout of the merge request API, 409 a resource lock, 52x a CDN that does
/// not reach GitLab. 501 and 505 are lasting.
fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 409 | 500 | 502..=504 | 520..=529)
}

#[cfg(test)]
mod tests;
