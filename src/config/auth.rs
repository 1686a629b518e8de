//! The credential of a source: which header it goes into, and where the token is read from.
//!
//! A second place may be named as a fallback, for the time in which the first token is replaced.
//! It refuses to lend one source's token to another: with several sources each names its own.

use super::TokenSource;
use super::section::Section;

/// The key of the second place.
pub(super) const FALLBACK: &str = "fallback_token";

/// How a source is asked, with the place of the token where one is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// A personal, group or project access token, in `PRIVATE-TOKEN`.
    PrivateToken(TokenSource),
    /// An OAuth token, in `Authorization: Bearer`.
    Bearer(TokenSource),
    /// The token of a CI job, in `JOB-TOKEN`.
    JobToken(TokenSource),
    /// No credential: public data only.
    None,
}

impl Auth {
    /// Returns the word used in the configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::PrivateToken(_) => "private-token",
            Self::Bearer(_) => "bearer",
            Self::JobToken(_) => "job-token",
            Self::None => "none",
        }
    }

    /// Returns the place of the token, if one is used.
    pub const fn token(&self) -> Option<&TokenSource> {
        match self {
            Self::PrivateToken(token) | Self::Bearer(token) | Self::JobToken(token) => Some(token),
            Self::None => None,
        }
    }
}

/// The word under `auth`, before the token is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// See [`Auth::PrivateToken`].
    PrivateToken,
    /// See [`Auth::Bearer`].
    Bearer,
    /// See [`Auth::JobToken`].
    JobToken,
    /// See [`Auth::None`].
    None,
}

impl Kind {
    /// The words and what they mean.
    pub(super) const CHOICES: [(&'static str, Self); 4] = [
        ("private-token", Self::PrivateToken),
        ("bearer", Self::Bearer),
        ("job-token", Self::JobToken),
        ("none", Self::None),
    ];

    fn with(self, token: TokenSource) -> Auth {
        match self {
            Self::PrivateToken => Auth::PrivateToken(token),
            Self::Bearer => Auth::Bearer(token),
            Self::JobToken => Auth::JobToken(token),
            Self::None => Auth::None,
        }
    }

    /// The variable of the token when none is named.
    fn variable(self) -> &'static str {
        match self {
            Self::JobToken => "CI_JOB_TOKEN",
            Self::PrivateToken | Self::Bearer | Self::None => "GITLAB_TOKEN",
        }
    }
}

/// Joins the word under `auth` with the place of the token, and reads the place of the second.
/// Without any of them, a source is asked without a credential, so that a public group needs no
/// more than its name.
pub(super) fn read_auth(
    section: &mut Section<'_>,
    kind: Kind,
    given: bool,
    sole: bool,
) -> (Auth, Option<TokenSource>) {
    // A second token makes no sense without a first.
    let given = given || section.has(FALLBACK);
    let place = section.place_of(FALLBACK);
    let fallback = TokenSource::read_key(section, FALLBACK);
    let auth = read_first(section, kind, given, sole);
    if fallback.is_some() && fallback.as_ref() == auth.token() {
        section.report(FALLBACK, place, "names the place that `token` names already");
    }
    let fallback = fallback.filter(|_| auth.token().is_some());
    (auth, fallback)
}

fn read_first(section: &mut Section<'_>, kind: Kind, given: bool, sole: bool) -> Auth {
    let named = section.has("token");
    let token = TokenSource::read_key(section, "token");
    match (kind, token) {
        (Kind::None, _) => Auth::None,
        (kind, Some(token)) => kind.with(token),
        // Wrong, and reported.
        (_, None) if named => Auth::None,
        // Reading it will say that the variable is not set.
        (kind, None) if given && sole => kind.with(TokenSource::Env(kind.variable().to_owned())),
        (_, None) if given => {
            section.report_absent(
                "token",
                "is missing: with several sources each names its own, as in { env = \
                 \"SHOP_TOKEN\" }; for public data write auth = \"none\"",
            );
            Auth::None
        }
        (_, None) => Auth::None,
    }
}
