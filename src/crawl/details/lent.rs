//! Templates that groups lend to the projects below (GitLab's "description templates of a group").
//!
//! REST shows them in the list of each project, GraphQL nowhere. All projects of a group are lent the
//! same, so one of them is asked for all, and of nested groups the innermost first: what is not lent
//! there is lent by none of those above either. The Community Edition has no such thing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{Crawler, Due, Error, Findings, Report, unless_stopped};
use crate::crawl::Pass;
use crate::gitlab::{self, Feature};
use crate::model::ItemKind;
use crate::store::{Lent, Run};
use crate::telemetry::chain;

/// How long the answer of a group holds in a pass that only reads files.
const HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// Names of templates.
type Names = BTreeSet<String>;

impl Crawler {
    /// Reads and stores what groups lend, for the groups of which that is not known.
    pub(super) async fn read_lent(
        &self,
        run: &Run,
        pass: Pass,
        due: &[Due<'_>],
        findings: &Findings,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        // Where nobody said, REST was asked, which shows to each project what it is lent.
        let Some(enterprise) = findings.enterprise() else { return Ok(()) };
        if due.is_empty() {
            return Ok(());
        }
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let known = store.lenders(run.source).await?;
        let own = store.own_templates(run.source).await?;
        let stored = store.stored_projects(run).await?;
        let mut groups: BTreeMap<&str, Vec<Due<'_>>> = BTreeMap::new();
        for row in stored.values().filter(|row| row.files_print.is_some()) {
            let group = row.project.path.rsplit_once('/').map(|(group, _)| group);
            if let (Some(group), Some(due)) = (group, super::due_of(row)) {
                groups.entry(group).or_default().push(due);
            }
        }
        let is_needed = |group: &str| match (known.get(group), pass) {
            (Some(_), Pass::Sync) => false,
            (Some(at), Pass::Files) => now.duration_since(*at).abs() >= HOLDS,
            (None, _) | (Some(_), Pass::Full | Pass::Reconcile | Pass::Sweep) => true,
        };
        let mut names: Vec<&str> = groups.keys().copied().filter(|name| is_needed(name)).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.matches('/').count()));
        let mut clear: BTreeSet<&str> = BTreeSet::new();
        for group in names {
            if !enterprise || clear.contains(group) {
                store.put_lent(run.source, group, &[], now).await?;
                continue;
            }
            let mut lent = Vec::new();
            let mut is_clear = true;
            let mut is_told = true;
            for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
                let mut below: Vec<(Due<'_>, Names)> = Vec::new();
                for due in groups[group].iter().filter(|due| due.features.offers(kind)) {
                    let templates = own.get(&due.project.id).map_or(&[][..], Vec::as_slice);
                    let templates = templates.iter().filter(|template| template.kind == kind);
                    below.push((*due, templates.map(|template| template.name.clone()).collect()));
                }
                if below.is_empty() {
                    continue;
                }
                match self.lent_below(kind, below, report, stop).await? {
                    Some((found, hides)) => {
                        is_clear &= found.is_empty() && !hides;
                        lent.extend(found);
                    }
                    None => is_told = false,
                }
            }
            if !is_told {
                continue;
            }
            store.put_lent(run.source, group, &lent, now).await?;
            if is_clear {
                clear.extend(group.match_indices('/').map(|(end, _)| &group[..end]));
            }
        }
        Ok(())
    }

    /// Asks what is lent to the projects of one group, and whether they may hide more of it, with
    /// templates of the same names. `None` when that could not be told.
    async fn lent_below(
        &self,
        kind: ItemKind,
        mut below: Vec<(Due<'_>, Names)>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<Option<(Vec<Lent>, bool)>, Error> {
        below.sort_by_key(|(_, own)| own.len());
        // What all have of their own is lent to none of them, whatever its group offers.
        let common = below.iter().map(|(_, own)| own.clone()).reduce(|a, b| &a & &b);
        let common = common.unwrap_or_default();
        let mut hidden: Option<Names> = None;
        let mut lent: BTreeMap<String, Lent> = BTreeMap::new();
        for (due, own) in below {
            let still = hidden.as_ref().map_or_else(|| own.clone(), |hidden| hidden & &own);
            if hidden.as_ref().is_some_and(|hidden| still.len() == hidden.len()) {
                continue;
            }
            if !self.asks_of(Feature::Templates, due.features, report) {
                return Ok(None);
            }
            let found = unless_stopped(stop, self.lent_to(due, kind, &own, &lent)).await?;
            match found {
                Ok(found) => {
                    lent.extend(found.into_iter().map(|found| (found.name.clone(), found)));
                }
                Err(error) => {
                    tracing::debug!("what a group lends is not told: {}", chain(&error));
                    self.survive(error, &due.project.path, "templates", report)?;
                    return Ok(None);
                }
            }
            let is_enough = still == common;
            hidden = Some(still);
            if is_enough {
                break;
            }
        }
        let hides = hidden.is_some_and(|hidden| !hidden.is_empty());
        Ok(Some((lent.into_values().collect(), hides)))
    }

    /// Reads the templates that a project shows and does not have of its own.
    async fn lent_to(
        &self,
        due: Due<'_>,
        kind: ItemKind,
        own: &Names,
        known: &BTreeMap<String, Lent>,
    ) -> Result<Vec<Lent>, gitlab::Error> {
        let client = &self.inner.client;
        let mut lent = Vec::new();
        for name in client.template_names(due.project.id, kind).await? {
            if own.contains(&name) || known.contains_key(&name) {
                continue;
            }
            if let Some(template) = client.template(due.project.id, kind, &name).await? {
                lent.push(Lent { kind, name: template.name, content: template.content });
            }
        }
        Ok(lent)
    }
}
