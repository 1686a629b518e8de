//! Single items, by their numbers: what a webhook or a reconcile wants looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::super::{Crawler, Error, KnownProject, Report, unless_stopped};
use super::reading::Found;
use crate::gitlab::{Fetched, ItemOrder, ItemsQuery, Place};
use crate::model::{Iid, ItemKind, ProjectId};
use crate::store::{Moves, Run};

/// Numbers asked for in one request: a long address is refused, and a page holds a hundred.
const AT_ONCE: usize = 50;

/// What became of items that were asked for by number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::crawl) struct NumbersRead {
    /// Those that were read and stored.
    pub read: BTreeSet<Iid>,
    /// Those that GitLab does not show. Whether they are gone is another question.
    pub absent: BTreeSet<Iid>,
    /// Those of which nothing is known, because the question failed.
    pub failed: BTreeSet<Iid>,
}

impl Crawler {
    /// Reads items of one project with their comments, and stores them.
    #[expect(clippy::too_many_arguments, reason = "one step of a run")]
    pub(in crate::crawl) async fn read_numbers(
        &self,
        run: &Run,
        kind: ItemKind,
        project: ProjectId,
        iids: &[Iid],
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<NumbersRead, Error> {
        let mut all = NumbersRead::default();
        let Some(known) = projects.get(&project) else {
            all.failed.extend(iids.iter().copied());
            return Ok(all);
        };
        for iids in iids.chunks(AT_ONCE) {
            let read_at = self.gitlab_now();
            let found =
                if let Some(found) = self.numbers_by_graphql(kind, known, iids, stop).await? {
                    Some(found)
                } else {
                    let asked = self.list_by_number(kind, project, iids.to_vec());
                    match unless_stopped(stop, asked).await? {
                        Ok(there) => there.map(|items| {
                            items.into_iter().map(|item| (item, None)).collect::<Vec<Found>>()
                        }),
                        Err(error) => {
                            let list = super::stream_of(kind).as_str();
                            self.survive(error, &known.path, list, report)?;
                            None
                        }
                    }
                };
            let Some(found) = found else {
                all.failed.extend(iids.iter().copied());
                continue;
            };
            let there: BTreeSet<Iid> = found.iter().map(|(item, _)| item.iid).collect();
            all.absent.extend(iids.iter().filter(|iid| !there.contains(iid)));
            self.store_numbers(run, found, read_at, projects, report).await?;
            all.read.extend(there);
        }
        Ok(all)
    }

    /// Reads the comments of items of one project many at a time, with the items. Returns those
    /// whose comments came and are stored; the others are to be asked for by themselves.
    #[expect(clippy::too_many_arguments, reason = "one step of a run")]
    pub(in crate::crawl) async fn read_notes_by_number(
        &self,
        run: &Run,
        kind: ItemKind,
        project: ProjectId,
        iids: &[Iid],
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<BTreeSet<Iid>, Error> {
        let mut read = BTreeSet::new();
        let Some(known) = projects.get(&project) else { return Ok(read) };
        for iids in iids.chunks(AT_ONCE) {
            let read_at = self.gitlab_now();
            let found = self.numbers_by_graphql(kind, known, iids, stop).await?;
            let Some(found) = found else { break };
            read.extend(found.iter().filter(|(_, notes)| notes.is_some()).map(|row| row.0.iid));
            self.store_numbers(run, found, read_at, projects, report).await?;
        }
        Ok(read)
    }

    async fn store_numbers(
        &self,
        run: &Run,
        found: Vec<Found>,
        read_at: Timestamp,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
    ) -> Result<(), Error> {
        let writes = self.item_writes(found, read_at, projects, report);
        self.inner.store.apply_items(run, &writes, &Moves::Nothing).await?;
        Ok(())
    }

    /// Asks by GraphQL; `None` where that does not tell for sure.
    async fn numbers_by_graphql(
        &self,
        kind: ItemKind,
        project: &KnownProject,
        iids: &[Iid],
        stop: &CancellationToken,
    ) -> Result<Option<Vec<Found>>, Error> {
        if !self.inner.source.comments {
            return Ok(None);
        }
        let most = u32::try_from(iids.len()).unwrap_or(u32::MAX);
        let all = ItemsQuery::all(kind, Place::Project(&project.path), ItemOrder::Created);
        let query = ItemsQuery { iids, most, ..all };
        let page = match unless_stopped(stop, self.inner.client.items_page(&query)).await? {
            Ok(Fetched::Whole(page)) if page.next.is_none() => page,
            Ok(Fetched::Whole(_) | Fetched::Failed(_) | Fetched::Absent) => return Ok(None),
            Err(failure) => {
                self.judge(failure)?;
                return Ok(None);
            }
        };
        let mut found = Vec::new();
        for fetched in page.items {
            match fetched {
                // One that has more comments than fit is read for its comments by itself.
                Fetched::Whole(row) if iids.contains(&row.item.iid) => {
                    let notes = row.notes.filter(|_| row.more_notes.is_none());
                    found.push((row.item, notes));
                }
                Fetched::Absent => {}
                Fetched::Whole(_) | Fetched::Failed(_) => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}
