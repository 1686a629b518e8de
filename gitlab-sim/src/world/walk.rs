//! Ways through the world that lists over HTTP do not need: both kinds of item at once, the caller
//! behind a secret, and several changes at one moment.

use super::World;
use super::entity::{Item, Project};
use super::id::{ItemKind, ItemRef};
use super::sight::Caller;
use crate::clock::Clock;

impl Project {
    /// Lists issues, then merge requests, each by number.
    pub fn items(&self) -> impl Iterator<Item = (ItemKind, &Item)> {
        let issues = self.issues.values().map(|row| (ItemKind::Issue, &row.item));
        issues.chain(self.merge_requests.values().map(|row| (ItemKind::MergeRequest, &row.item)))
    }

    /// Names an item of the project.
    pub(crate) fn item_ref(&self, kind: ItemKind, iid: u64) -> ItemRef {
        ItemRef { project: self.id, kind, iid }
    }
}

impl World {
    /// Returns whom a token stands for; without one nobody known. A token that GitLab would refuse,
    /// because nobody knows it or it is revoked or expired, stands for no caller at all.
    pub fn caller(&self, secret: Option<&str>) -> Option<Caller<'_>> {
        let Some(secret) = secret else {
            return Some(Caller::Anonymous);
        };
        let token = self.token(secret)?;
        let user = self.user(token.user)?;
        token.active(self.clock.now()).then_some(Caller::User { user, token })
    }

    /// Does several things at one moment, as one statement in GitLab's database does: all that is
    /// written meanwhile has the same times.
    pub fn at_one_moment<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let still = Clock::at(self.clock.now());
        let clock = std::mem::replace(&mut self.clock, still);
        let result = act(self);
        self.clock = clock;
        result
    }
}
