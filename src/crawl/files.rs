//! Files of the projects' repositories: CODEOWNERS.
//!
//! GraphQL tells of a batch of projects in one request which of the three places hold a file, and
//! what stands in it. Whatever it does not tell for sure is asked by REST, project by project: a
//! repository that it does not show, a text that is not the exact content, a part that failed, or
//! everything where GraphQL is not to be had. So what is stored does not depend on the way it came.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::features::Taken;
use super::parts::several;
use super::roots::Roots;
use super::{Crawler, Error, Event, Report, unless_stopped};
use crate::codeowners::PLACES;
use crate::gitlab::{self, Feature, Fetched, ProjectFeatures, ProjectFiles, Want};
use crate::model::{Project, ProjectId};
use crate::store::{ProjectKey, ProjectParts, Run};

/// The largest CODEOWNERS that is read. GitLab names no limit; its own viewer reads this much.
const MAX_CODEOWNERS_BYTES: usize = 10 << 20;

/// The CODEOWNERS file that counts, as place and text; `None` where there is none.
type CodeOwners = Option<(String, String)>;

/// A project whose file is to be read.
#[derive(Debug, Clone, Copy)]
struct Due<'a> {
    project: &'a Project,
    key: ProjectKey,
    /// `None` for a project that is known by its items alone: GitLab takes the default one.
    branch: Option<&'a str>,
}

impl Crawler {
    /// Reads and stores the CODEOWNERS files of all projects, and returns the projects where that
    /// failed, or is not due: what is stored of them is kept.
    pub(super) async fn read_files(
        &self,
        run: &Run,
        roots: &Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<BTreeSet<ProjectId>, Error> {
        let seen = self.inner.store.stored_projects(run).await?;
        let (mut due, mut postponed) = (Vec::new(), BTreeSet::new());
        for (project, features) in roots.listed.values() {
            let Some(seen) = seen.get(&project.id).filter(|seen| seen.details_due) else {
                continue;
            };
            if !may_hold_files(project, features) || !self.asks_of(Feature::Files, features, report)
            {
                continue;
            }
            let branch = project.default_branch.as_deref();
            if report.postpones(&project.path, "files") {
                postponed.insert(project.id);
            } else {
                due.push(Due { project, key: seen.key, branch });
            }
        }
        let units = Some(due.len() as u64);
        self.inner.progress.event(Event::Step { name: "project files", units });
        let mut batches = due.chunks(self.inner.client.files_at_once());
        // The first goes alone: where GraphQL is not to be had, or dear, it finds out for all.
        let first = match batches.next() {
            Some(batch) => self.read_batch(run, batch, stop).await?,
            None => Vec::new(),
        };
        let left = Mutex::new(first);
        several(batches, self.concurrency(), |batch| async {
            let untold = self.read_batch(run, batch, stop).await?;
            left.lock().unwrap_or_else(PoisonError::into_inner).extend(untold);
            Ok(())
        })
        .await?;
        let left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        let failed = Mutex::new(postponed);
        let unread = &failed;
        several(left, self.concurrency(), |due| async move {
            let file = unless_stopped(stop, self.read_code_owners(due)).await?;
            match self.take(Feature::Files, file, &due.project.path, "files", report)? {
                Taken::Found(file) => self.store_code_owners(run, due, file).await?,
                Taken::Failed => {
                    unread.lock().unwrap_or_else(PoisonError::into_inner).insert(due.project.id);
                }
                Taken::NotToBeHad => {}
            }
            self.inner.progress.event(Event::Done(1));
            Ok(())
        })
        .await?;
        Ok(failed.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for a batch by GraphQL, stores what is sure, and returns the others.
    async fn read_batch<'a>(
        &self,
        run: &Run,
        batch: &[Due<'a>],
        stop: &CancellationToken,
    ) -> Result<Vec<Due<'a>>, Error> {
        let ids: Vec<ProjectId> = batch.iter().map(|due| due.project.id).collect();
        let answer = self.inner.client.project_files(&ids, &PLACES, Want::First);
        let mut answer = unless_stopped(stop, answer).await?;
        if let Some(failure) = answer.failure {
            self.judge(failure)?;
        }
        let mut left = Vec::new();
        for due in batch {
            let fetched = answer.projects.remove(&due.project.id);
            match sure(fetched.as_ref()) {
                Some(file) => {
                    self.store_code_owners(run, *due, file).await?;
                    self.inner.progress.event(Event::Done(1));
                }
                None => left.push(*due),
            }
        }
        Ok(left)
    }

    async fn store_code_owners(
        &self,
        run: &Run,
        due: Due<'_>,
        file: CodeOwners,
    ) -> Result<(), Error> {
        let parts = ProjectParts { code_owners: Some(file), ..ProjectParts::default() };
        self.inner.store.apply_parts(run, due.key, &parts, false).await?;
        Ok(())
    }

    /// Finds the CODEOWNERS file that counts by REST: the first of its three places that exists.
    async fn read_code_owners(&self, due: Due<'_>) -> Result<CodeOwners, gitlab::Error> {
        for place in PLACES {
            let file = self.inner.client.raw_file(due.project.id, place, due.branch).await?;
            if let Some(file) = file {
                return Ok(Some((place.to_owned(), as_text(&file.bytes))));
            }
        }
        Ok(None)
    }
}

/// Says whether a project may have files that this credential may read. One without a branch has
/// none, unless it is known by its items alone, which do not tell its branch.
pub(super) fn may_hold_files(project: &Project, features: &ProjectFeatures) -> bool {
    let has_branch = project.default_branch.is_some() || features.is_sketch;
    has_branch && !features.empty_repo && features.repository_readable
}

/// Returns the file that counts when the answer tells it for sure, and `None` when it does not.
fn sure(fetched: Option<&Fetched<ProjectFiles>>) -> Option<CodeOwners> {
    match fetched? {
        Fetched::Whole(files) => match PLACES.iter().find_map(|place| files.file(place)) {
            None => Some(None),
            Some(file) => {
                let text = as_text(file.text.as_ref()?.as_bytes());
                Some(Some((file.path.clone(), text)))
            }
        },
        Fetched::Failed(_) | Fetched::Absent => None,
    }
}

/// Reads a file as text. A binary file counts as empty, as GitLab has it; bytes that are no text are
/// dropped.
fn as_text(bytes: &[u8]) -> String {
    let bytes = if bytes.contains(&0) { &[][..] } else { bytes };
    let bytes = &bytes[..bytes.len().min(MAX_CODEOWNERS_BYTES)];
    bytes.utf8_chunks().map(|chunk| chunk.valid()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitlab::ProjectFile;

    fn whole(files: &[(&str, Option<&str>)]) -> Fetched<ProjectFiles> {
        let files = files.iter().map(|(path, text)| ProjectFile {
            path: (*path).to_owned(),
            oid: None,
            size_bytes: None,
            text: text.map(str::to_owned),
        });
        Fetched::Whole(ProjectFiles { root_ref: Some("main".to_owned()), files: files.collect() })
    }

    #[test]
    fn first_of_the_places_counts_in_whatever_order_they_are_told() {
        let told = whole(&[(".gitlab/CODEOWNERS", Some("c")), ("docs/CODEOWNERS", Some("b\0"))]);
        let expected = ("docs/CODEOWNERS".to_owned(), String::new());
        assert_eq!(sure(Some(&told)), Some(Some(expected)));
        assert_eq!(sure(Some(&whole(&[]))), Some(None));
    }

    #[test]
    fn what_is_not_told_for_sure_is_asked_elsewhere() {
        let inexact = whole(&[("CODEOWNERS", None), ("docs/CODEOWNERS", Some("b"))]);
        let failed = Fetched::Failed("too slow".to_owned());
        for unsure in [None, Some(&inexact), Some(&failed), Some(&Fetched::Absent)] {
            assert_eq!(sure(unsure), None, "{unsure:?}");
        }
    }
}
