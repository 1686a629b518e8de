//! Issues and merge requests: each root's list, page by page into the index.
//!
//! A list that was never read is walked over once, by time of creation ([`full`]); from then on only
//! what changed since its watermark is asked for ([`recent`]). Either way pages come by GraphQL with
//! their comments or by REST without ([`reading`]). Progress is stored with each page. What becomes
//! of an item is decided by what is stored and by when GitLab was asked, never by the way it came.
//! Design: `docs/adr/0017`.

mod full;
mod numbers;
mod reading;
mod recent;
mod strangers;
mod windows;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use self::reading::Found;
pub(super) use self::reading::Reading;
use super::details::several;
use super::roots::{Root, Roots};
use super::{Crawler, Error, Event, KnownProject, Pass, Report, digest};
use crate::gitlab::Scope;
use crate::model::{Item, ItemKind, Note, ProjectId, ShownLinks};
use crate::store::{ItemWrite, NoteWrite, NotesOfItem, Origin, Run, StreamKind};

pub(super) use strangers::project_path;

/// A watermark further in the future was told by a wrong clock; what is nearer lies in the overlap
/// that is read again anyway.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

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
        several(&roots.lists, self.concurrency(), |root| async move {
            let reading = Reading {
                crawler: self,
                run,
                kind,
                root,
                with_notes: true,
                projects,
                report,
                stop,
            };
            let offers = match root.scope {
                Scope::Group(_) => true,
                Scope::Project(id) => {
                    roots.listed.get(&id).is_none_or(|(_, features)| features.offers(kind))
                }
            };
            self.read_list(pass, &reading, offers).await
        })
        .await
    }

    /// Reads the lists of projects that joined while others were read.
    pub(super) async fn read_joined(
        &self,
        run: &Run,
        kind: ItemKind,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        // One whose lists were read meanwhile is no root any more.
        let standing = self.inner.store.list_roots(run.source).await?;
        let is_joined = |root: &&Root| {
            root.origin == Origin::Joined && standing.iter().any(|row| row.key == root.key)
        };
        let joined = roots.lists.iter().filter(is_joined).cloned();
        let listed = roots.listed.clone();
        let joined = Roots { lists: joined.collect(), listed, ..Roots::default() };
        self.read_items(run, Pass::Sync, kind, &joined, projects, report, stop).await
    }

    /// Reads one list as far as the pass goes.
    pub(super) async fn read_list(
        &self,
        pass: Pass,
        reading: &Reading<'_>,
        offers: bool,
    ) -> Result<(), Error> {
        let (store, root, list) = (&self.inner.store, reading.root, stream_of(reading.kind));
        let mut stream = store.find_stream(root.key, list).await?;
        // A time to come tells that GitLab's clock was ahead, once: what changes until then would
        // be asked for by nobody.
        let now = self.gitlab_now();
        if stream.watermark.is_some_and(|watermark| watermark.duration_since(now) > AHEAD) {
            tracing::warn!(
                "GitLab's clock was ahead when the {} of {} were read: all of them are read again",
                list.as_str(),
                root.name
            );
            store.forget_watermark(root.key, list).await?;
            stream = store.find_stream(root.key, list).await?;
        }
        // What is refused for good is tried again by a pass that looks at all of it.
        let waits = root.origin == Origin::Joined;
        if waits && reading.report.postpones(&root.name, list.as_str()) {
            return Ok(());
        }
        if stream.walk.is_none() && (stream.watermark.is_none() || pass.walks_all()) {
            let now = self.gitlab_now();
            store.begin_walk(reading.run, root.key, list, Timestamp::UNIX_EPOCH, now).await?;
            stream = store.find_stream(root.key, list).await?;
        }
        let mut is_whole = true;
        if let Some(walk) = stream.walk {
            if walk.run != reading.run.key {
                reading.report.resume();
            }
            // A sweep looks for what is gone; which comments changed, their counts tell. What was
            // never read whole needs them.
            let with_notes = pass != Pass::Sweep || stream.watermark.is_none();
            let walking = Reading { with_notes, ..*reading };
            // What a project does not offer is not asked for: its list is empty, and it says so.
            is_whole = !offers || walking.walk_all().await?;
            if is_whole {
                self.remove_unseen(reading, walk.run).await?;
                store.end_walk(root.key, list).await?;
                stream = store.find_stream(root.key, list).await?;
            }
        }
        if !offers {
            // Nothing is to be read of it, and that is as fresh as what the project says.
            let read_at = self.by_gitlab(reading.run.started_at);
            store.end_of_list(root.key, list, read_at, None).await?;
        }
        // What changed is read even where a walk over all does not come to its end.
        if let Some(watermark) = stream.watermark.filter(|_| offers) {
            is_whole &= reading.read_recent(watermark).await?;
        }
        if !is_whole {
            return Ok(());
        }
        // With the second of its lists: until then both are asked for.
        let is_last = reading.kind == ItemKind::MergeRequest;
        if root.origin == Origin::Joined && is_last && self.is_done(root).await? {
            store.remove_root(root.key).await?;
        }
        Ok(())
    }

    /// True when both lists of a root were read whole, and neither is being read again.
    pub(super) async fn is_done(&self, root: &Root) -> Result<bool, Error> {
        for kind in [StreamKind::Issues, StreamKind::MergeRequests] {
            let stream = self.inner.store.find_stream(root.key, kind).await?;
            if stream.whole_at.is_none() || stream.walk.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads tags and references out of items and their comments. Items of projects that are not
    /// in the index are left out; those projects are asked for afterwards.
    pub(super) fn item_writes(
        &self,
        found: Vec<Found>,
        read_at: Timestamp,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
    ) -> Vec<ItemWrite> {
        let reader = &self.inner.reader;
        let writes = found.into_iter().filter_map(|(item, notes)| {
            let Some(project) = projects.get(&item.project) else {
                report.meet(&item);
                return None;
            };
            let reading = reader.read_item(&project.context, &item);
            let notes = notes.map(|notes| self.note_writes(project, &item, notes));
            Some(ItemWrite {
                fingerprint: fingerprint(&item, project),
                project: project.key,
                item,
                reading,
                read_at,
                notes,
            })
        });
        writes.collect()
    }

    fn note_writes(&self, project: &KnownProject, item: &Item, notes: Vec<Note>) -> NotesOfItem {
        let mut texts = vec![String::from_utf8_lossy(&project.revision).into_owned()];
        let notes = notes
            .into_iter()
            .map(|note| {
                texts.push(format!("{:?}", in_seconds_note(note.clone())));
                let reader = &self.inner.reader;
                let references = reader.read_note(&project.context, item.kind, item.iid, &note);
                let links = reader.read_note_links(&project.context, item.kind, item.iid, &note);
                NoteWrite { note, references, links }
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        NotesOfItem { notes, fingerprint: digest(&texts) }
    }
}

/// Returns the digest of an item: its own half, and that of the rules and the project's context.
/// GraphQL prints whole seconds and REST milliseconds, and the two show different links; the same
/// item has one digest.
fn fingerprint(item: &Item, project: &KnownProject) -> Vec<u8> {
    let item = Item {
        created_at: in_seconds(item.created_at),
        updated_at: in_seconds(item.updated_at),
        closed_at: item.closed_at.map(in_seconds),
        merged_at: item.merged_at.map(in_seconds),
        links: ShownLinks::default(),
        ..item.clone()
    };
    let own = digest(&[&format!("{item:?}")]);
    let mut both = own[..10].to_vec();
    both.extend_from_slice(&project.revision[..6]);
    both
}

fn in_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_millisecond().div_euclid(1_000)).unwrap_or(time)
}

fn in_seconds_note(note: Note) -> Note {
    Note {
        created_at: in_seconds(note.created_at),
        updated_at: in_seconds(note.updated_at),
        ..note
    }
}

/// Returns the list that a kind of item stands in.
pub(super) const fn stream_of(kind: ItemKind) -> StreamKind {
    match kind {
        ItemKind::Issue => StreamKind::Issues,
        ItemKind::MergeRequest => StreamKind::MergeRequests,
    }
}
