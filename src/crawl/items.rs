//! Issues and merge requests: the walk over each root's list, page by page into the index.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::parts::several;
use super::portion::Portion;
use super::roots::Roots;
use super::walk::{Seen, Step, Walk};
use super::{Crawler, Error, Event, KnownProject, Report, Root, digest, unless_stopped};
use crate::gitlab::{ItemQuery, Scope};
use crate::model::{Item, ItemId, ItemKind, ProjectId};
use crate::store::{ItemWrite, Run, Stream};

impl Crawler {
    /// Walks the lists of one kind of all roots, and says whether every one was read to its end.
    pub(super) async fn read_items(
        &self,
        run: &Run,
        kind: ItemKind,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let name = stream_name(kind);
        self.inner.progress.event(Event::Step { name, units: Some(0) });
        let whole = AtomicBool::new(true);
        let offered = |root: &&Root| match root.scope {
            Scope::Group(_) => true,
            Scope::Project(id) => {
                roots.projects.get(&id).is_none_or(|(_, features)| features.offers(kind))
            }
        };
        several(roots.lists.iter().filter(offered), self.concurrency(), |root| async {
            if !self.walk_root(run, kind, root, projects, report, stop).await? {
                whole.store(false, Ordering::Relaxed);
            }
            Ok(())
        })
        .await?;
        Ok(whole.into_inner())
    }

    /// Walks one list, and says whether it was read to its end.
    async fn walk_root(
        &self,
        run: &Run,
        kind: ItemKind,
        root: &Root,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let list = stream_name(kind);
        let stored = self.inner.store.find_stream(run, &root.name, list).await?;
        if stored.done {
            return Ok(true);
        }
        let mut walk = Walk::new(stored.watermark);
        let mut portion = Portion::new();
        let mut ask = walk.first();
        let mut counted = false;
        loop {
            let mut until = None;
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
                Step::End => return Ok(true),
                Step::Endless => {
                    let reason = "GitLab's list does not end: page after page brings nothing new";
                    report.add(self.problem(&root.name, list, reason.to_owned()));
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
                    self.survive(error, &root.name, list, report)?;
                    return Ok(false);
                }
            };
            portion.answered();
            self.learn_skew(page.server_date);
            if !counted {
                self.inner.progress.event(Event::More(page.total.unwrap_or_default()));
                counted = true;
            }
            let times: Vec<(ItemId, Timestamp)> =
                page.items.iter().map(|item| (item.id, item.updated_at)).collect();
            ask = walk.next(Seen { items: &times, next: page.next, until });
            let stream = Stream {
                root: root.name.clone(),
                kind: list,
                watermark: walk.watermark(),
                done: ask == Step::End,
            };
            let writes = self.item_writes(page.items, projects);
            self.inner.store.apply_items(run, &writes, &stream).await?;
            self.inner.progress.event(Event::Done(writes.len() as u64));
        }
    }

    /// Reads tags and references out of items. Items of projects that are not in the index are
    /// left out: excluded, archived, or newer than the list of projects.
    pub(super) fn item_writes(
        &self,
        items: Vec<Item>,
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
                Some(ItemWrite { item, project: project.key, reading, fingerprint })
            })
            .collect()
    }
}

/// Returns the name of a list of items.
pub(super) const fn stream_name(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Issue => "issues",
        ItemKind::MergeRequest => "merge_requests",
    }
}
