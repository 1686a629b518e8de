//! What GitLab says about the token in force: its owner, its scopes and its expiry.
//!
//! A token that is about to expire, that lacks a scope, or that may do more than it needs is a
//! finding for the operator before it is an outage or a leak. What is asked depends on the kind of
//! token:
//!
//! - An access token describes itself (`/personal_access_tokens/self`), whatever its scopes, and
//!   in either header.
//! - An OAuth token has no such record; GitLab answers 401 or 404 there although it is good. Its
//!   user is asked for instead, and its scopes stay unknown.
//! - A job token names its job and with it user and project.
//! - Without a token nothing is asked.
//!
//! Whose the token is also decides which pace it keeps. It never rotates a token: two who rotate
//! the same one lock each other out.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Credential, ScopeFinding, scope};
use crate::gitlab::client::{Answer, Client};
use crate::gitlab::wire::{BearerBody, JobBody, Token, TokenBody, decode};
use crate::gitlab::{Error, StatusCode};

/// How long before its expiry a token is worth a warning, in days.
pub const EXPIRY_WARNING_DAYS: i64 = 14;

/// How often a check begins anew because the token was replaced under it.
const TRIES: u32 = 3;

/// How much of a token's name is shown, in characters.
const NAME_CHARS: usize = 80;

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A personal, project, group or impersonation token.
    Access,
    /// An OAuth token, or another one that GitLab does not describe.
    Other,
    /// The token of a CI job.
    Job,
    /// None.
    #[default]
    None,
}

/// What is known of the token in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenCheck {
    /// When GitLab was asked; `None` when it was not, because there is no token.
    pub checked_at: Option<Timestamp>,
    /// What kind of token it is.
    pub kind: TokenKind,
    /// The token's name on GitLab.
    pub name: Option<String>,
    /// The user that it acts as: tokens of one user share one budget.
    pub user_id: Option<u64>,
    /// The project whose job it belongs to.
    pub project_id: Option<u64>,
    /// Its scopes; empty when GitLab does not tell them.
    pub scopes: Vec<String>,
    /// True when its rights are finer than its scopes, which then say little.
    pub is_fine_grained: bool,
    /// True when GitLab describes it as one that does not work.
    pub is_inactive: bool,
    /// The first day on which it does not work any more: it expires at midnight UTC of that date.
    pub expires_on: Option<Date>,
    /// Scopes that it lacks, with what that costs.
    pub missing: Vec<ScopeFinding>,
    /// Scopes that it does not need, with the risk.
    pub needless: Vec<ScopeFinding>,
}

impl TokenCheck {
    /// Returns the days that are left, by the calendar in UTC: 1 on the last day on which it
    /// works, 0 or less once it has expired. `None` for a token that never expires, or of which
    /// that is not known.
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let left = today.until((jiff::Unit::Day, self.expires_on?)).ok()?;
        Some(i64::from(left.get_days()))
    }

    /// Returns what a person should act upon, in sentences without a capital or a full stop.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let token = self.describe();
        let mut warnings = Vec::new();
        if let (Some(date), Some(days)) = (self.expires_on, self.days_left(now))
            && days <= EXPIRY_WARNING_DAYS
        {
            let step = "make a new one or rotate it";
            warnings.push(match days {
                ..=0 => format!("{token} expired on {date}: {step}"),
                1 => format!("{token} expires on {date}, in 1 day: {step}"),
                _ => format!("{token} expires on {date}, in {days} days: {step}"),
            });
        }
        if self.is_inactive {
            warnings.push(format!("{token} is not active: make a new one"));
        }
        for ScopeFinding { scope, why } in &self.missing {
            warnings.push(format!("{token} lacks the scope {scope}: {why}"));
        }
        for ScopeFinding { scope, why } in &self.needless {
            warnings.push(format!("{token} has the scope {scope}, which is not needed: {why}"));
        }
        warnings
    }

    /// Returns what is worth knowing and needs no action, as sentences like those of
    /// [`TokenCheck::warnings`].
    pub fn remarks(&self) -> Vec<String> {
        let token = self.describe();
        let mut remarks = Vec::new();
        match self.kind {
            TokenKind::Access if self.is_fine_grained => remarks.push(format!(
                "{token} is fine-grained: its scopes do not tell what it may read, the first sync \
                 does"
            )),
            TokenKind::Access | TokenKind::None => {}
            TokenKind::Other => remarks.push(format!(
                "GitLab does not describe {token}, as with OAuth: its scopes and its expiry are \
                 not known"
            )),
            TokenKind::Job => remarks.push(
                "a job token reads few lists, and only of projects that let its project in"
                    .to_owned(),
            ),
        }
        remarks
    }

    fn describe(&self) -> String {
        match &self.name {
            Some(name) => format!("the token `{name}`"),
            None => "the token".to_owned(),
        }
    }

    fn of_access_token(token: Token, now: Timestamp) -> Self {
        // Without a list nothing is known, and a fine-grained token has rights of another kind.
        let tells = token.scopes.is_some() && !token.is_fine_grained;
        let scopes = token.scopes.unwrap_or_default();
        Self {
            checked_at: Some(now),
            kind: TokenKind::Access,
            name: token.name.map(|name| shorten(&name)).filter(|name| !name.is_empty()),
            user_id: token.user_id,
            project_id: None,
            missing: if tells { scope::missing(&scopes) } else { Vec::new() },
            needless: if tells { scope::needless(&scopes) } else { Vec::new() },
            scopes: scopes.iter().map(|scope| shorten(scope)).collect(),
            is_fine_grained: token.is_fine_grained,
            is_inactive: token.is_active == Some(false),
            expires_on: token.expires_on,
        }
    }
}

impl Client {
    /// Asks GitLab about the token in force, and keeps the pace of its owner from then on.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] when the token is not good, any other when GitLab could not be
    /// asked.
    pub async fn check_token(&self) -> Result<TokenCheck, Error> {
        let check = match self.keyring().present().await?.credential {
            Credential::None => TokenCheck::default(),
            Credential::JobToken(_) => self.check_job_token().await?,
            Credential::PrivateToken(_) | Credential::Bearer(_) => self.check_user_token().await?,
        };
        if let Some(user) = check.user_id {
            self.belongs_to(user);
        }
        Ok(check)
    }

    async fn check_user_token(&self) -> Result<TokenCheck, Error> {
        let target = self.base().target(&["personal_access_tokens", "self"], &[])?;
        let read =
            |answer: Answer| decode::<TokenBody>(&answer.body).map_err(|_| answer.not_gitlab());
        let mut tries = 0;
        loop {
            tries += 1;
            let generation = self.keyring().generation().await;
            match self.probe(&target, read).await {
                Ok(token) => return Ok(TokenCheck::of_access_token(token, self.now())),
                Err(error) if is_undescribed(&error) => {}
                Err(error) => return Err(error),
            }
            // Who is asked for must be told: a token that is not good is refused here, and
            // replaced if there is another one.
            let user = match self.get::<BearerBody>(&["user"], &[]).await {
                Ok(user) => user.id,
                Err(Error::Forbidden { .. } | Error::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
            if self.keyring().generation().await == generation || tries >= TRIES {
                return Ok(TokenCheck {
                    checked_at: Some(self.now()),
                    kind: TokenKind::Other,
                    user_id: user,
                    ..TokenCheck::default()
                });
            }
        }
    }

    async fn check_job_token(&self) -> Result<TokenCheck, Error> {
        let job = match self.get::<JobBody>(&["job"], &[]).await {
            Ok(job) => Some(job),
            // The job has ended. Other routes would take us for nobody and show what is public,
            // which is not what the job may see.
            Err(Error::Unauthorized { path, reason, .. }) => {
                return Err(Error::Unauthorized { path, reason, is_final: true });
            }
            Err(Error::Forbidden { .. } | Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(TokenCheck {
            checked_at: Some(self.now()),
            kind: TokenKind::Job,
            user_id: job.as_ref().and_then(|job| job.user_id),
            project_id: job.as_ref().and_then(|job| job.project_id),
            ..TokenCheck::default()
        })
    }
}

/// Says whether GitLab's answer may mean that the token is good and has no record of its own, or
/// that this GitLab is older than the question (15.5).
fn is_undescribed(error: &Error) -> bool {
    match error {
        Error::Unauthorized { .. } | Error::Forbidden { .. } | Error::NotFound { .. } => true,
        Error::Refused { status, .. } => {
            matches!(*status, StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED)
        }
        _ => false,
    }
}

/// Makes a name fit for one line of a log.
fn shorten(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect()
}

#[cfg(test)]
mod tests;
