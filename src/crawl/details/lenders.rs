//! Which groups lend templates, so that few projects have to be asked what they are lent.
//!
//! GitLab says of a group which project's templates it lends, where the licence has such a thing.
//! Projects below the same lending groups are lent the same, so that one of them tells for all. Of
//! groups of which GitLab says nothing each is asked for itself. Nothing is stored here; what is
//! lent is asked for in [`super::lent`].

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::{Crawler, Due};
use crate::config::Auth;
use crate::crawl::roots::{Root, Roots, is_below};
use crate::crawl::{Error, unless_stopped};
use crate::gitlab::{self, Scope};
use crate::model::{GroupId, ProjectId};
use crate::telemetry::chain;

/// Up to so many groups are asked without finding out first who lends: that is a list, and a group.
pub(in crate::crawl) const FEW: usize = 2;

/// What is known of the groups of a source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lenders {
    /// Whether a group lends, by its path in lower case. Groups that are missing may.
    lends: BTreeMap<String, bool>,
    /// Groups, in lower case, with no licence for lending; nothing below them is lent anything.
    unlicensed: BTreeSet<String>,
}

/// What decides what a group's projects are lent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chain {
    /// The nearest group of which nothing is known, itself included; empty when there is none.
    pub unknown: String,
    /// The groups from there down that lend.
    pub lenders: Vec<String>,
}

impl Lenders {
    /// Returns what decides what the projects of a group are lent; `None` when they are lent
    /// nothing.
    pub fn chain(&self, group: &str) -> Option<Chain> {
        let group = group.to_lowercase();
        if self.unlicensed.iter().any(|root| *root == group || is_below(&group, root)) {
            return None;
        }
        let mut lenders = Vec::new();
        let mut above = Some(group.as_str());
        while let Some(path) = above {
            match self.lends.get(path) {
                Some(true) => lenders.push(path.to_owned()),
                Some(false) => {}
                None => return Some(Chain { unknown: path.to_owned(), lenders }),
            }
            above = path.rsplit_once('/').map(|(above, _)| above);
        }
        Some(Chain { unknown: String::new(), lenders })
    }

    fn note(&mut self, group: &gitlab::Group) {
        if let Some(lends) = group.lends_templates {
            self.lends.insert(group.path.to_lowercase(), lends);
        }
    }
}

impl Crawler {
    /// Finds out which of the groups below the roots lend templates, where some of `groups` are
    /// not asked as quickly. What cannot be told is left unknown: the sync goes on without it.
    pub(super) async fn find_lenders(
        &self,
        roots: Option<&Roots>,
        groups: &BTreeMap<&str, Vec<Due<'_>>>,
        stop: &CancellationToken,
    ) -> Result<Lenders, Error> {
        let mut lenders = Lenders::default();
        // A job token reaches no group.
        if matches!(self.inner.source.auth, Auth::JobToken(_)) {
            return Ok(lenders);
        }
        for root in roots.map_or(&[][..], |roots| &roots.lists) {
            let Scope::Group(id) = root.scope else { continue };
            let path = root.path.to_lowercase();
            let held = |group: &str| {
                let group = group.to_lowercase();
                group == path || is_below(&group, &path)
            };
            let below: Vec<_> = groups.iter().filter(|(group, _)| held(group)).collect();
            if below.len() <= FEW {
                continue;
            }
            let sample = below.iter().flat_map(|(_, due)| due.iter());
            let sample: Vec<ProjectId> = sample.map(|due| due.project.id).collect();
            let found = self.lenders_below(id, root, &sample, &mut lenders);
            if let Err(error) = unless_stopped(stop, found).await? {
                tracing::debug!("who lends templates below {path} is not told: {}", chain(&error));
            }
        }
        Ok(lenders)
    }

    async fn lenders_below(
        &self,
        id: GroupId,
        root: &Root,
        sample: &[ProjectId],
        lenders: &mut Lenders,
    ) -> Result<(), gitlab::Error> {
        let client = &self.inner.client;
        let group = client.group(&id.to_string()).await?;
        if group.lends_templates.is_none() {
            // GitLab says it to those with a licence; without one there is no lending either.
            if client.are_licensed(sample).await == Some(false) {
                lenders.unlicensed.insert(root.path.to_lowercase());
            }
            return Ok(());
        }
        lenders.note(&group);
        for group in client.groups_below(id).await? {
            lenders.note(&group);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Lenders {
        Lenders {
            lends: [
                ("shop", false),
                ("shop/web", true),
                ("shop/web/ui", false),
                ("shop/ops", false),
            ]
            .map(|(path, lends)| (path.to_owned(), lends))
            .into(),
            unlicensed: BTreeSet::from(["free".to_owned()]),
        }
    }

    #[test]
    fn groups_below_the_same_lenders_are_lent_the_same() {
        let chain = |unknown: &str, lenders: &[&str]| {
            let lenders = lenders.iter().map(|path| (*path).to_owned()).collect();
            Some(Chain { unknown: unknown.to_owned(), lenders })
        };
        let cases = [
            ("shop", chain("", &[])),
            ("Shop/Ops", chain("", &[])),
            ("shop/web", chain("", &["shop/web"])),
            ("shop/web/ui", chain("", &["shop/web"])),
            // Not in the list: hidden, or newer than it.
            ("shop/web/new", chain("shop/web/new", &[])),
            ("other/team", chain("other/team", &[])),
            ("free/team", None),
            ("free", None),
            ("freedom", chain("freedom", &[])),
        ];
        for (group, expected) in cases {
            assert_eq!(known().chain(group), expected, "{group}");
        }
    }

    #[test]
    fn a_root_below_groups_that_are_not_seen_stands_below_what_is_unknown() {
        let mut known = known();
        known.lends.remove("shop");
        let expected = Chain { unknown: "shop".to_owned(), lenders: vec!["shop/web".to_owned()] };
        assert_eq!(known.chain("shop/web/ui"), Some(expected));
    }
}
