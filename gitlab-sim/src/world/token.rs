//! Access tokens: whom they stand for, how long they work, how they are replaced.
//!
//! A token acts for a user, and project and group tokens act for bot users of their own, so that
//! each has its own rate bucket. Rotated tokens keep their family: whoever presents a token that
//! was rotated away takes the whole family down, as on GitLab. The world refuses to check how a
//! secret was sent: the `auth` module does.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::entity::{AccessLevel, User};
use super::id::{GroupId, ProjectId, UserId};
use super::{World, next};
use crate::clock::later;

/// How long an OAuth access token works.
const OAUTH_LIFE: SignedDuration = SignedDuration::from_hours(2);

/// How long a rotated token works when nobody says: one week.
const ROTATED_DAYS: i64 = 7;

/// The longest life of a new token, in days: GitLab's default.
pub(crate) const LONGEST_DAYS: i64 = 365;

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A personal access token.
    Personal,
    /// An access token of a project, behind which stands a bot user.
    Project(ProjectId),
    /// An access token of a group, behind which stands a bot user.
    Group(GroupId),
    /// An OAuth access token.
    OAuth,
    /// The token of a CI job, by the number of the job.
    Job(u64),
}

/// An access token.
#[derive(Debug, Clone)]
pub struct Token {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// What kind of token it is.
    pub kind: TokenKind,
    /// The secret that is sent with a request.
    pub secret: String,
    /// Whom it stands for.
    pub user: UserId,
    /// What it may be used for. GitLab does not ask job tokens for scopes, so they have none.
    pub scopes: BTreeSet<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The day at whose start (UTC) it stops working.
    pub expires_at: Option<Date>,
    /// The moment at which an OAuth token stops working.
    pub ends_at: Option<Timestamp>,
    /// True once it was revoked.
    pub revoked: bool,
    /// The id of the first token of those that replaced one another.
    pub family: u64,
    /// When it was last used.
    pub last_used: LastUsed,
}

impl Token {
    /// Tells whether the token's time is over.
    pub fn expired(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(TimeZone::UTC).date();
        self.expires_at.is_some_and(|day| day <= today)
            || self.ends_at.is_some_and(|end| end <= now)
    }

    /// Tells whether the token still works.
    pub fn active(&self, now: Timestamp) -> bool {
        !self.revoked && !self.expired(now)
    }

    /// Tells whether it is a personal, project or group token, which GitLab keeps in one table.
    pub fn is_personal(&self) -> bool {
        match self.kind {
            TokenKind::Personal | TokenKind::Project(_) | TokenKind::Group(_) => true,
            TokenKind::OAuth | TokenKind::Job(_) => false,
        }
    }

    /// Returns the number of the CI job whose token it is.
    pub fn job(&self) -> Option<u64> {
        match self.kind {
            TokenKind::Job(job) => Some(job),
            TokenKind::Personal
            | TokenKind::Project(_)
            | TokenKind::Group(_)
            | TokenKind::OAuth => None,
        }
    }
}

/// When a token was last used. Requests only read the world, so this one thing changes under a
/// shared reference.
#[derive(Debug)]
pub struct LastUsed(AtomicI64);

/// Stands for "never": no request is that old.
const NEVER: i64 = i64::MIN;

impl LastUsed {
    /// Notes a use.
    pub(crate) fn mark(&self, now: Timestamp) {
        self.0.store(now.as_microsecond(), Ordering::Relaxed);
    }

    /// Returns the moment of the last use, if there was one.
    pub fn get(&self) -> Option<Timestamp> {
        let micros = self.0.load(Ordering::Relaxed);
        if micros == NEVER { None } else { Timestamp::from_microsecond(micros).ok() }
    }
}

impl Default for LastUsed {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER))
    }
}

impl Clone for LastUsed {
    fn clone(&self) -> Self {
        Self(AtomicI64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// Why a token was not rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRotated {
    /// There is no such token.
    Unknown,
    /// It was revoked before, and its whole family now is.
    Reused,
    /// Its time is over.
    Expired,
    /// The new day is not one that a token may end at.
    Day(Date),
}

impl World {
    /// Adds a personal access token and returns its secret.
    pub fn add_token(&mut self, user: UserId, scopes: &[&str], expires_at: Option<Date>) -> String {
        self.make_token(TokenKind::Personal, user, None, scopes, expires_at)
    }

    /// Adds an access token of a project, with a bot user who gets the role there, and returns its
    /// secret.
    pub fn add_project_token(
        &mut self,
        project: ProjectId,
        name: &str,
        level: AccessLevel,
        scopes: &[&str],
        expires_at: Option<Date>,
    ) -> String {
        let bot = self.add_token_bot(&format!("project_{project}"), name);
        self.add_project_member(project, bot, level);
        self.make_token(TokenKind::Project(project), bot, Some(name), scopes, expires_at)
    }

    /// Adds an access token of a group, with a bot user who gets the role there, and returns its
    /// secret.
    pub fn add_group_token(
        &mut self,
        group: GroupId,
        name: &str,
        level: AccessLevel,
        scopes: &[&str],
        expires_at: Option<Date>,
    ) -> String {
        let bot = self.add_token_bot(&format!("group_{group}"), name);
        self.add_group_member(group, bot, level);
        self.make_token(TokenKind::Group(group), bot, Some(name), scopes, expires_at)
    }

    /// Adds an OAuth access token, which works for two hours, and returns its secret.
    pub fn add_oauth_token(&mut self, user: UserId, scopes: &[&str]) -> String {
        let secret = self.make_token(TokenKind::OAuth, user, None, scopes, None);
        let end = later(self.clock.now(), OAUTH_LIFE);
        if let Some(token) = self.tokens.get_mut(&secret) {
            token.ends_at = Some(end);
        }
        secret
    }

    /// Gives a token a description.
    pub fn describe_token(&mut self, secret: &str, description: &str) -> bool {
        let Some(token) = self.tokens.get_mut(secret) else {
            return false;
        };
        token.description = Some(description.to_owned());
        true
    }

    /// Lists all tokens by id, those of CI jobs included.
    pub fn tokens(&self) -> Vec<&Token> {
        let mut tokens: Vec<&Token> = self.tokens.values().collect();
        tokens.sort_unstable_by_key(|token| token.id);
        tokens
    }

    /// Finds a personal, project or group token by its id.
    pub fn find_token(&self, id: u64) -> Option<&Token> {
        self.tokens.values().find(|token| token.id == id && token.is_personal())
    }

    /// Replaces a token by a new one and revokes the old at once. Returns the new secret. Without
    /// a day the new token lives for a week.
    ///
    /// # Errors
    ///
    /// When the token is not one that works, or the day is not in the coming year. A token that
    /// was revoked already takes every token of its family with it.
    pub fn rotate_token(
        &mut self,
        secret: &str,
        expires_at: Option<Date>,
    ) -> Result<String, NotRotated> {
        let now = self.clock.now();
        let token = self.tokens.get(secret).ok_or(NotRotated::Unknown)?.clone();
        if !token.is_personal() {
            return Err(NotRotated::Unknown);
        }
        if token.revoked {
            self.revoke_family(token.family);
            return Err(NotRotated::Reused);
        }
        if token.expired(now) {
            return Err(NotRotated::Expired);
        }
        let today = now.to_zoned(TimeZone::UTC).date();
        let in_days = |days: i64| today.saturating_add(jiff::Span::new().days(days));
        let day = expires_at.unwrap_or_else(|| in_days(ROTATED_DAYS));
        if day < today || day > in_days(LONGEST_DAYS) {
            return Err(NotRotated::Day(day));
        }
        self.revoke(secret);
        let scopes: Vec<&str> = token.scopes.iter().map(String::as_str).collect();
        let fresh = self.make_token(token.kind, token.user, Some(&token.name), &scopes, Some(day));
        if let Some(row) = self.tokens.get_mut(&fresh) {
            row.description.clone_from(&token.description);
            row.family = token.family;
        }
        Ok(fresh)
    }

    fn revoke_family(&mut self, family: u64) {
        for token in self.tokens.values_mut().filter(|token| token.family == family) {
            token.revoked = true;
        }
    }

    /// Revokes a token.
    pub fn revoke(&mut self, secret: &str) -> bool {
        let Some(token) = self.tokens.get_mut(secret) else {
            return false;
        };
        token.revoked = true;
        true
    }

    /// Sets the day at whose start a token stops working.
    pub fn expire(&mut self, secret: &str, day: Date) -> bool {
        let Some(token) = self.tokens.get_mut(secret) else {
            return false;
        };
        token.expires_at = Some(day);
        true
    }

    fn add_token_bot(&mut self, owner: &str, name: &str) -> UserId {
        let number = self.last.token + 1;
        let mut tail = crate::hash::hex40(&format!("bot {owner} {number}"));
        tail.truncate(32);
        let id = self.add_user(&format!("{owner}_bot_{tail}"));
        if let Some(User { bot, name: shown, .. }) = self.users.get_mut(&id) {
            *bot = true;
            name.clone_into(shown);
        }
        id
    }

    pub(super) fn make_token(
        &mut self,
        kind: TokenKind,
        user: UserId,
        name: Option<&str>,
        scopes: &[&str],
        expires_at: Option<Date>,
    ) -> String {
        let id = next(&mut self.last.token);
        let secret = match kind {
            TokenKind::Personal | TokenKind::Project(_) | TokenKind::Group(_) => {
                format!("glpat-sim{id:017}")
            }
            TokenKind::OAuth => crate::hash::hex64(format!("oauth {id}")),
            TokenKind::Job(_) => format!("{JOB_PREFIX}64_sim{id:017}"),
        };
        self.tokens.insert(
            secret.clone(),
            Token {
                id,
                name: name.map_or_else(|| format!("token {id}"), str::to_owned),
                description: None,
                kind,
                secret: secret.clone(),
                user,
                scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
                created_at: self.clock.now(),
                expires_at,
                ends_at: None,
                revoked: false,
                family: id,
                last_used: LastUsed::default(),
            },
        );
        secret
    }
}

/// How the token of a CI job begins. GitLab recognises it by that.
pub(crate) const JOB_PREFIX: &str = "glcbt-";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn world() -> World {
        World::with_clock(Clock::at("2026-11-22T10:00:00Z".parse().unwrap()))
    }

    #[test]
    fn a_rotated_token_lives_a_week_and_the_old_one_not_at_all() {
        let mut world = world();
        let ann = world.add_user("ann");
        let old = world.add_token(ann, &["api"], None);
        world.describe_token(&old, "for the crawler");
        let new = world.rotate_token(&old, None).unwrap();
        let row = world.token(&new).unwrap().clone();
        assert_eq!(row.expires_at, Some("2026-11-29".parse().unwrap()));
        assert_eq!(row.description.as_deref(), Some("for the crawler"));
        assert_eq!(row.name, world.token(&old).unwrap().name);
        assert!(world.token(&old).unwrap().revoked);
    }

    #[test]
    fn a_token_presented_twice_for_rotation_ends_its_family() {
        let mut world = world();
        let ann = world.add_user("ann");
        let other = world.add_token(ann, &["api"], None);
        let first = world.add_token(ann, &["api"], None);
        let second = world.rotate_token(&first, None).unwrap();
        assert_eq!(world.rotate_token(&first, None), Err(NotRotated::Reused));
        assert!(world.token(&second).unwrap().revoked);
        assert!(!world.token(&other).unwrap().revoked, "another family");
    }

    #[test]
    fn days_in_the_past_and_beyond_a_year_are_refused() {
        let mut world = world();
        let ann = world.add_user("ann");
        let token = world.add_token(ann, &["api"], None);
        for (day, taken) in [("2026-11-21", false), ("2027-11-23", false), ("2027-11-22", true)] {
            let result = world.rotate_token(&token, Some(day.parse().unwrap()));
            assert_eq!(result.is_ok(), taken, "{day}");
        }
    }

    #[test]
    fn oauth_tokens_end_after_two_hours() {
        let mut world = world();
        let ann = world.add_user("ann");
        let secret = world.add_oauth_token(ann, &["read_api"]);
        let token = world.token(&secret).unwrap();
        let now = world.clock().now();
        assert!(token.active(later(now, SignedDuration::from_mins(119))));
        assert!(!token.active(later(now, SignedDuration::from_mins(120))));
    }
}
