//! Templates that groups lend to the projects below (GitLab's "description templates of a group").
//!
//! REST shows them in the list of each project, GraphQL nowhere. All projects below the same lending
//! groups are lent the same, so one of them is asked for all; which groups lend is found out in
//! [`super::lenders`]. Where that is not told, each group is asked for itself. The Community Edition
//! has no such thing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::lenders::{Chain, Lenders};
use super::{Crawler, Due, Error, Findings, Report, Roots, several, unless_stopped};
use crate::crawl::Pass;
use crate::gitlab::{self, Feature};
use crate::model::{ItemKind, ProjectId, Template};
use crate::store::{Lent, Run};
use crate::telemetry::chain;

/// How long the answer of a group holds in a pass that only reads files.
const HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// Names of templates.
type Names = BTreeSet<String>;

/// Groups that are lent the same, and the projects that show it.
#[derive(Debug, Default)]
struct Alike<'a> {
    groups: Vec<&'a str>,
    projects: Vec<Due<'a>>,
}

impl Crawler {
    /// Reads and stores what groups lend, for the groups of which that is not known.
    pub(super) async fn read_lent(
        &self,
        run: &Run,
        pass: Pass,
        roots: Option<&Roots>,
        findings: &Findings,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        // Where nobody said, REST was asked, which shows to each project what it is lent.
        let Some(enterprise) = findings.enterprise() else { return Ok(()) };
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let known = store.lenders(run.source).await?;
        let stored = store.stored_projects(run).await?;
        let is_needed = |group: &str| match (known.get(group), pass) {
            (Some(_), Pass::Sync) => false,
            (Some(at), Pass::Files) => now.duration_since(*at).abs() >= HOLDS,
            (None, _) | (Some(_), Pass::Full | Pass::Reconcile | Pass::Sweep) => true,
        };
        let mut groups: BTreeMap<&str, Vec<Due<'_>>> = BTreeMap::new();
        for row in stored.values().filter(|row| row.files_print.is_some()) {
            let group = row.project.path.rsplit_once('/').map(|(group, _)| group);
            if let (Some(group), Some(due)) = (group, super::due_of(row))
                && is_needed(group)
            {
                groups.entry(group).or_default().push(due);
            }
        }
        if groups.is_empty() {
            return Ok(());
        }
        let lenders = if enterprise {
            self.find_lenders(roots, &groups, stop).await?
        } else {
            Lenders::default()
        };
        let mut alike: BTreeMap<Chain, Alike<'_>> = BTreeMap::new();
        for (group, projects) in groups {
            match lenders.chain(group).filter(|_| enterprise) {
                None => store.put_lent(run.source, group, &[], now).await?,
                Some(chain) => {
                    let alike = alike.entry(chain).or_default();
                    alike.groups.push(group);
                    alike.projects.extend(projects);
                }
            }
        }
        // The innermost first: what is not lent there is lent by none of those above either.
        let mut by_depth: BTreeMap<Reverse<usize>, Vec<(Chain, Alike<'_>)>> = BTreeMap::new();
        for (chain, alike) in alike {
            let depth = chain.unknown.matches('/').count();
            by_depth.entry(Reverse(depth)).or_default().push((chain, alike));
        }
        let own = store.own_templates(run.source).await?;
        let clear: Mutex<BTreeSet<String>> = Mutex::default();
        for group in by_depth.into_values() {
            several(group, self.concurrency(), async |(chain, alike): (Chain, Alike<'_>)| {
                let is_clear = chain.lenders.is_empty()
                    && clear
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .contains(&chain.unknown);
                let found = if is_clear {
                    Some((Vec::new(), true))
                } else {
                    self.lent_to_alike(&alike, &own, report, stop).await?
                };
                let Some((lent, is_clear)) = found else { return Ok(()) };
                for group in &alike.groups {
                    store.put_lent(run.source, group, &lent, now).await?;
                }
                if is_clear {
                    let unknown = chain.unknown.as_str();
                    let above =
                        unknown.match_indices('/').map(|(end, _)| unknown[..end].to_owned());
                    clear
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend(above.chain([unknown.to_owned()]));
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Asks what is lent to groups that are lent the same, and whether it is nothing for sure.
    /// `None` when that could not be told.
    async fn lent_to_alike(
        &self,
        alike: &Alike<'_>,
        own: &BTreeMap<ProjectId, Vec<Template>>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<Option<(Vec<Lent>, bool)>, Error> {
        let mut lent = Vec::new();
        let mut is_clear = true;
        let mut is_told = true;
        for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
            let mut below: Vec<(Due<'_>, Names)> = Vec::new();
            for due in alike.projects.iter().filter(|due| due.features.offers(kind)) {
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
        Ok(is_told.then_some((lent, is_clear)))
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
