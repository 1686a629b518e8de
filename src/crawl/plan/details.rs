//! What hangs on projects, priced from a look at a few of them.
//!
//! One question tells of fifty what GraphQL would, and two are asked for what only a request for each
//! tells. The rest are taken to be alike, which the margins say.

use std::collections::{BTreeMap, BTreeSet};

use super::price::{self, Projects};
use super::{ALL_ROOTS, KINDS, Planner, ratio};
use crate::codeowners::PLACES;
use crate::crawl::Error;
use crate::crawl::details::{CATALOG, FEW};
use crate::crawl::roots::is_below;
use crate::gitlab::{self, FetchedProject, ProjectDetails, wire};
use crate::model::{ItemKind, ProjectId};

/// So many projects of one default branch are looked at for files: as many as one query takes.
const LOOKED_AT: usize = 50;

/// So many projects are asked for what only a request for each tells.
const SAMPLED: usize = 2;

impl Planner<'_> {
    /// Prices what hangs on the projects of all roots.
    pub(super) async fn price_details(&mut self) -> Result<(), Error> {
        let mut branches: BTreeMap<&str, Vec<ProjectId>> = BTreeMap::new();
        let mut projects = Projects {
            count: self.counted,
            sample: self.projects.len() as u64,
            ..Projects::default()
        };
        for FetchedProject { project, features, .. } in &self.projects {
            let runs = features.builds_enabled && features.repository_readable;
            match project.default_branch.as_deref().filter(|_| runs) {
                Some(branch) => branches.entry(branch).or_default().push(project.id),
                None => projects.without_branch += 1,
            }
        }
        projects.branches = branches.values().map(|ids| ids.len() as u64).collect();
        let mut price = self.price;
        let looked_at = &self.projects[..self.projects.len().min(LOOKED_AT)];
        let mut without_labels: Vec<ProjectId> = Vec::new();
        if price.graphql && !looked_at.is_empty() {
            let ids: Vec<ProjectId> = looked_at.iter().map(|found| found.project.id).collect();
            let branch = branches.keys().next().copied();
            let paths: Vec<&str> = PLACES.into_iter().chain(CATALOG).collect();
            let told = self.client.project_details(&ids, &paths, branch).await;
            price.graphql = told.failure.is_none() && !told.projects.is_empty();
            let files = told.projects.values().filter_map(|told| told.files.as_ref());
            let holders = files.filter(|files| !files.is_empty()).count();
            projects.with_files = ratio(holders, told.projects.len());
            let lacks_labels =
                |id: &ProjectId| told.projects.get(id).is_none_or(|told| told.labels.is_none());
            without_labels = ids.into_iter().filter(lacks_labels).collect();
            if told.enterprise == Some(true) {
                let (settled, lenders) = self.lenders().await;
                projects.lenders = lenders;
                projects.lending = self.lending(&told.projects, &settled);
            }
        }
        if !price.graphql {
            without_labels = looked_at.iter().map(|found| found.project.id).collect();
            projects.files_each = self.files_by_rest().await;
        }
        // More labels than a query shows are listed by REST.
        let pages = self.label_pages(&without_labels).await;
        projects.labels_each = pages * ratio(without_labels.len(), looked_at.len());
        if pages > 1.0 {
            self.margins
                .insert(format!("how many labels projects have is that of {SAMPLED} of them"));
        }
        if projects.count > projects.sample {
            self.margins.insert(format!(
                "default branches, files and groups of {} projects are taken to be as those of the \
                 {} that changed last",
                projects.count, projects.sample
            ));
        }
        if !price.graphql {
            self.margins.insert(format!(
                "without GraphQL each file is a request, and how many projects have is that of \
                 {SAMPLED} of them"
            ));
        }
        let full = price.details(&projects, &self.client);
        self.put(ALL_ROOTS, "files", Some(projects.count), full, 0);
        Ok(())
    }

    /// Returns how many pages the labels of such projects have, on average of a few.
    async fn label_pages(&self, projects: &[ProjectId]) -> f64 {
        let (mut pages, mut asked) = (0, 0);
        for project in spread(projects) {
            let path = ["projects", &project.to_string(), "labels"];
            let query =
                [("include_ancestor_groups", "true".to_owned()), ("per_page", "1".to_owned())];
            // What cannot be had now is one request in the sync too.
            let page = self.client.list::<wire::Label>(&path, &query).await;
            let total = page.ok().and_then(|page| page.total).unwrap_or(1);
            pages += usize::try_from(price::pages(total)).unwrap_or(1);
            asked += 1;
        }
        ratio(pages, asked)
    }

    /// Returns how many requests the files and templates of a project need by REST, on average of a
    /// few: the places of CODEOWNERS up to the one that is there, and each template.
    async fn files_by_rest(&self) -> f64 {
        let all: Vec<&FetchedProject> = self.projects.iter().collect();
        let (mut requests, mut asked) = (0, 0);
        for FetchedProject { project, features, .. } in spread(&all) {
            asked += 1;
            let has_branch = project.default_branch.is_some() || features.is_sketch;
            if has_branch && !features.empty_repo && features.repository_readable {
                for place in PLACES {
                    requests += 1;
                    let branch = project.default_branch.as_deref();
                    let file = self.client.raw_file(project.id, place, branch).await;
                    if !matches!(file, Ok(None)) {
                        break;
                    }
                }
            }
            for kind in KINDS.into_iter().filter(|kind| features.offers(*kind)) {
                let names = self.client.template_names(project.id, kind).await;
                requests += 1 + names.map_or(0, |names| names.len());
            }
        }
        ratio(requests, asked)
    }

    /// Counts the questions of who lends templates, and for what is lent where that settles it for
    /// all groups of a root. Returns those groups too.
    async fn lenders(&self) -> (BTreeSet<String>, u64) {
        let mut settled = BTreeSet::new();
        let mut requests = 0;
        for (root, is_said) in &self.groups {
            let held = |group: &String| group == root || is_below(group, root);
            let below = || self.projects.iter().filter(|f| group_of(f).as_ref().is_some_and(held));
            let groups: BTreeSet<String> = below().filter_map(group_of).collect();
            if groups.len() <= FEW {
                continue;
            }
            requests += 1;
            if *is_said {
                // Most often nobody lends, and one project tells so for all.
                let kinds = KINDS.iter().filter(|kind| below().any(|f| f.features.offers(**kind)));
                requests += price::pages(groups.len() as u64) + kinds.count() as u64;
            } else {
                let sample: Vec<ProjectId> = below().map(|found| found.project.id).collect();
                let before = self.client.stats().requests;
                let licensed = self.client.are_licensed(&sample).await;
                requests += self.client.stats().requests - before;
                if licensed != Some(false) {
                    continue;
                }
            }
            settled.extend(groups);
        }
        (settled, requests)
    }

    /// Counts the questions for templates that groups lend, but those that are settled: one for each
    /// kind in each group, but where a project further below has none of its own, and so shows what
    /// it is lent.
    fn lending(
        &self,
        told: &BTreeMap<ProjectId, ProjectDetails>,
        settled: &BTreeSet<String>,
    ) -> u64 {
        let is_clear = |found: &&FetchedProject| {
            let files = told.get(&found.project.id).and_then(|told| told.files.as_ref());
            files.is_some_and(|files| {
                let folders = KINDS.map(gitlab::template_folder);
                files.iter().all(|file| folders.iter().all(|folder| !file.path.starts_with(folder)))
            })
        };
        let groups: BTreeSet<String> = self.projects.iter().filter_map(group_of).collect();
        let clear: BTreeSet<String> =
            self.projects.iter().filter(is_clear).filter_map(group_of).collect();
        let asked = groups.iter().filter(|group| !settled.contains(*group));
        let asked = asked.filter(|group| !clear.iter().any(|below| is_below(below, group)));
        let questions = asked.map(|group| {
            let of_group = || self.projects.iter().filter(|p| group_of(p).as_ref() == Some(group));
            let is_offered = |kind: &ItemKind| of_group().any(|p| p.features.offers(*kind));
            KINDS.iter().filter(|kind| is_offered(kind)).count() as u64
        });
        questions.sum()
    }
}

/// Returns the path of a project's group, in lower case.
fn group_of(found: &FetchedProject) -> Option<String> {
    found.project.path.rsplit_once('/').map(|(group, _)| group.to_lowercase())
}

/// Returns a few of many, as far apart as can be.
fn spread<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(SAMPLED).max(1)).take(SAMPLED)
}
