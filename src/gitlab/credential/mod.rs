//! Who we are to GitLab.
//!
//! A credential travels in a header and nowhere else: GitLab also takes it in the query, but
//! there it lands in access logs and comes back in `Link` headers. The text of a token is
//! reachable only inside this module, so that no log, error or `Debug` can show it, and it is wiped
//! from memory with the last value that holds it, as far as the HTTP library lets us. Which token
//! is in force: `keyring.rs`, with `place.rs`. What GitLab says about it: `check.rs`, with
//! `scope.rs`.

mod check;
mod keyring;
mod place;
mod scope;

pub use check::{EXPIRY_WARNING_DAYS, TokenCheck, TokenKind};
pub(super) use keyring::Key;
pub use keyring::Keyring;
pub use scope::ScopeFinding;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::Error;

/// A shorter text is no token of GitLab's, and may stand in any answer by chance.
const SHORTEST_MASKED: usize = 12;

/// The credential of one source, and the header it travels in.
#[derive(Clone, Default)]
pub enum Credential {
    /// A personal, project, group or impersonation token, sent as `PRIVATE-TOKEN`.
    PrivateToken(SecretString),
    /// An OAuth token (GitLab takes access tokens too), sent as `Authorization: Bearer`.
    Bearer(SecretString),
    /// The token of a running CI job, sent as `JOB-TOKEN`.
    JobToken(SecretString),
    /// None: public data only.
    #[default]
    None,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PrivateToken(_) => "PrivateToken([REDACTED])",
            Self::Bearer(_) => "Bearer([REDACTED])",
            Self::JobToken(_) => "JobToken([REDACTED])",
            Self::None => "None",
        })
    }
}

impl Credential {
    /// Returns the header to send, marked sensitive so that the HTTP library does not log it.
    ///
    /// Blanks around the token are dropped: a secret read from a file often ends in a newline.
    pub(super) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        let (name, prefix, token) = match self {
            Self::PrivateToken(token) => (HeaderName::from_static("private-token"), "", token),
            Self::Bearer(token) => (AUTHORIZATION, "Bearer ", token),
            Self::JobToken(token) => (HeaderName::from_static("job-token"), "", token),
            Self::None => return Ok(None),
        };
        let token = token.expose_secret().trim();
        if token.is_empty() {
            return Err(Error::Settings { reason: "the token is empty".to_owned() });
        }
        let text = Zeroizing::new(format!("{prefix}{token}"));
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            // The cause is dropped on purpose: it adds nothing, and a later version of it
            // might quote the value.
            Error::Settings {
                reason: "the token holds characters that no header may carry".to_owned(),
            }
        })?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// Puts stars in the place of the token wherever it stands in what a server sent, so that one
    /// that echoes it brings it neither into a log nor into the index. Lengths stay.
    pub(super) fn mask(&self, text: &mut [u8]) {
        let (Self::PrivateToken(token) | Self::Bearer(token) | Self::JobToken(token)) = self else {
            return;
        };
        let token = token.expose_secret().trim().as_bytes();
        if token.len() < SHORTEST_MASKED {
            return;
        }
        let finder = memchr::memmem::Finder::new(token);
        let mut from = 0;
        while let Some(at) = finder.find(&text[from..]) {
            let begin = from + at;
            from = begin + token.len();
            text[begin..from].fill(b'*');
        }
    }

    /// Says whether a refusal of this credential means that every further request will fail.
    ///
    /// Without a token, and with a job token, GitLab refuses some routes and serves others.
    pub(super) fn refusal_is_final(&self) -> bool {
        match self {
            Self::PrivateToken(_) | Self::Bearer(_) => true,
            Self::JobToken(_) | Self::None => false,
        }
    }

    /// Says whether there is anything to send.
    pub(super) fn is_some(&self) -> bool {
        match self {
            Self::PrivateToken(_) | Self::Bearer(_) | Self::JobToken(_) => true,
            Self::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_travels_in_its_own_header() {
        let secret = || SecretString::from("glpat-abc\n");
        for (credential, name, value) in [
            (Credential::PrivateToken(secret()), "private-token", "glpat-abc"),
            (Credential::Bearer(secret()), "authorization", "Bearer glpat-abc"),
            (Credential::JobToken(secret()), "job-token", "glpat-abc"),
        ] {
            let (sent_name, sent_value) =
                credential.header().expect("a valid header").expect("a header");
            assert_eq!(sent_name.as_str(), name);
            assert_eq!(sent_value.to_str().expect("plain text"), value);
            assert!(sent_value.is_sensitive());
        }
        assert!(Credential::None.header().expect("no error").is_none());
    }

    #[test]
    fn token_that_a_server_echoes_is_masked() {
        let credential = Credential::Bearer("glpat-abcdefgh\n".into());
        let mut text =
            b"[\"glpat-abcdefgh\",\"glpat-abcdefg\",\"glpat-abcdefghglpat-abcdefgh".to_vec();
        credential.mask(&mut text);
        let expected = b"[\"**************\",\"glpat-abcdefg\",\"****************************";
        assert_eq!(text, expected);
        let mut text = b"short".to_vec();
        Credential::JobToken("short".into()).mask(&mut text);
        assert_eq!(text, b"short");
    }

    #[test]
    fn debug_never_shows_the_token() {
        for credential in [
            Credential::PrivateToken("hunter2".into()),
            Credential::Bearer("hunter2".into()),
            Credential::JobToken("hunter2".into()),
        ] {
            assert!(!format!("{credential:?}").contains("hunter2"));
        }
    }

    #[test]
    fn empty_or_unsendable_token_is_refused_without_being_shown() {
        assert!(Credential::Bearer("  \n".into()).header().is_err());
        let error = Credential::PrivateToken("hunter2\nx".into()).header().expect_err("refused");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
