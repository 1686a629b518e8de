//! Issues and merge requests: each root's list, page by page into the index.
//!
//! A list that was never read is walked over once, from its first item ([`Walk`]); from then on only
//! what changed since its watermark is asked for, with an overlap, because a change may become
//! visible after later ones. Progress is stored with each page.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::parts::several;
use super::portion::Portion;
use super::roots::Roots;
use super::walk::{Seen, Step, Walk};
use super::{Crawler, Error, Event, KnownProject, Pass, Report, Root, digest, unless_stopped};
use crate::gitlab::{ItemQuery, Scope};
use crate::model::{Item, ItemId, ItemKind, ProjectId};
use crate::store::{ItemWrite, Moves, Origin, Run, StreamKind};

/// How much of what was read is read again: a change may be seen this much after it was made,
/// because it was not committed yet, or because a replica lags.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);

impl Crawler {
    /// Reads the lists of one kind of all roots.
    #[expect(clippy::too_many_arguments, reason = "one step of a run")]
    pub(super) async fn read_items(
        &self,
        run: &Run,
        pass: Pass,
        kind: ItemKind,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let name = stream_of(kind).as_str();
        self.inner.progress.event(Event::Step { name, units: Some(0) });
        let offered = |root: &&Root| match root.scope {
            Scope::Group(_) => true,
            Scope::Project(id) => {
                roots.listed.get(&id).is_none_or(|(_, features)| features.offers(kind))
            }
        };
        several(roots.lists.iter().filter(offered), self.concurrency(), |root| async {
            self.read_list(run, pass, kind, root, projects, report, stop).await
        })
        .await
    }

    /// Reads one list as far as the pass goes.
    #[expect(clippy::too_many_arguments, reason = "one step of a run")]
    pub(super) async fn read_list(
        &self,
        run: &Run,
        pass: Pass,
        kind: ItemKind,
        root: &Root,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let list = stream_of(kind);
        let store = &self.inner.store;
        let mut stream = store.find_stream(root.key, list).await?;
        if stream.walk.is_none() && (stream.watermark.is_none() || pass.walks_all()) {
            let now = self.by_gitlab(self.inner.clock.now());
            store.begin_walk(run, root.key, list, Timestamp::UNIX_EPOCH, now).await?;
            stream = store.find_stream(root.key, list).await?;
        }
        if let Some(walk) = stream.walk {
            if !self.walk(run, kind, root, None, projects, report, stop).await? {
                return Ok(());
            }
            self.remove_unseen(run, kind, root, walk.run, projects, report, stop).await?;
            store.end_walk(root.key, list).await?;
        } else {
            let from = stream.watermark.and_then(|at| at.checked_sub(OVERLAP).ok());
            if !self.walk(run, kind, root, from, projects, report, stop).await? {
                return Ok(());
            }
        }
        if root.origin == Origin::Joined && kind == ItemKind::MergeRequest {
            store.remove_root(root.key).await?;
        }
        Ok(())
    }

    /// Walks one list by time of change, and says whether it was read to its end.
    #[expect(clippy::too_many_arguments, reason = "one step of a run")]
    async fn walk(
        &self,
        run: &Run,
        kind: ItemKind,
        root: &Root,
        from: Option<Timestamp>,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let list = stream_of(kind);
        let began = self.by_gitlab(self.inner.clock.now());
        let mut walk = Walk::new(from);
        let mut portion = Portion::new();
        let mut ask = walk.first();
        let mut counted = false;
        let mut total = None;
        loop {
            let mut until = None;
            let read_at = self.by_gitlab(self.inner.clock.now());
            let page = match &ask {
                Step::From(from) => {
                    until = portion.until(*from, self.by_gitlab(self.inner.clock.now()));
                    let query = ItemQuery {
                        updated_after: *from,
                        updated_before: until,
                        archived: self.inner.source.archived,
                        per_page: portion.per_page(),
                        ..ItemQuery::default()
                    };
                    let page = self.inner.client.items_or_less(kind, root.scope, &query);
                    unless_stopped(stop, page).await?
                }
                Step::Follow(next) => {
                    let page = self.inner.client.follow_items_or_less(kind, next);
                    unless_stopped(stop, page).await?
                }
                Step::End => {
                    self.inner.store.end_of_list(root.key, list, began, total).await?;
                    return Ok(true);
                }
                Step::Endless => {
                    let reason = "GitLab's list does not end: page after page brings nothing new";
                    report.add(self.problem(&root.name, list.as_str(), reason.to_owned()));
                    return Ok(false);
                }
            };
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let from = walk.watermark();
                    let now = self.by_gitlab(self.inner.clock.now());
                    let now = walk.can_end_early().then_some(now);
                    if error.asks_for_less() && portion.shrink(from, now) {
                        tracing::debug!(
                            per_page = portion.per_page(),
                            "asking for less of the {list} of {}: {error}",
                            root.name,
                        );
                        // A link would bring pages of the old size: from the last time seen again.
                        ask = walk.again();
                        continue;
                    }
                    self.survive(error, &root.name, list.as_str(), report)?;
                    return Ok(false);
                }
            };
            portion.answered();
            self.learn_skew(page.server_date);
            if !counted {
                self.inner.progress.event(Event::More(page.total.unwrap_or_default()));
                total = page.total.filter(|_| from.is_none());
                counted = true;
            }
            let times: Vec<(ItemId, Timestamp)> =
                page.items.iter().map(|item| (item.id, item.updated_at)).collect();
            ask = walk.next(Seen { items: &times, next: page.next, until });
            let moves = match walk.watermark().filter(|_| from.is_some()) {
                Some(to) => Moves::Watermark { root: root.key, kind: list, to },
                None => Moves::Nothing,
            };
            let writes = self.item_writes(page.items, read_at, projects);
            self.inner.store.apply_items(run, &writes, &moves).await?;
            self.inner.progress.event(Event::Done(writes.len() as u64));
        }
    }

    /// Reads tags and references out of items. Items of projects that are not in the index are
    /// left out: excluded, archived, or newer than the list of projects.
    pub(super) fn item_writes(
        &self,
        items: Vec<Item>,
        read_at: Timestamp,
        projects: &BTreeMap<ProjectId, KnownProject>,
    ) -> Vec<ItemWrite> {
        let reader = &self.inner.reader;
        items
            .into_iter()
            .filter_map(|item| {
                let project = projects.get(&item.project)?;
                let revision = String::from_utf8_lossy(&project.revision);
                let fingerprint = digest(&[&format!("{item:?}"), &revision]);
                let reading = reader.read_item(&project.context, &item);
                let (project, notes) = (project.key, None);
                Some(ItemWrite { item, project, reading, fingerprint, read_at, notes })
            })
            .collect()
    }
}

/// Returns the list that a kind of item stands in.
pub(super) const fn stream_of(kind: ItemKind) -> StreamKind {
    match kind {
        ItemKind::Issue => StreamKind::Issues,
        ItemKind::MergeRequest => StreamKind::MergeRequests,
    }
}
