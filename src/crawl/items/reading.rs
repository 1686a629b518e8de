//! One list of items, page by page into the index, whichever way the pages come.
//!
//! GraphQL pages bring the comments along, and go on by a cursor that holds the place of a row.
//! REST pages go on as [`Walk`] says. What GraphQL does not answer, or not for sure, is read by
//! REST from the same place on, so what is stored does not depend on the way. Who asks says which
//! span of time, and what is moved on with each page.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::stream_of;
use crate::crawl::portion::Portion;
use crate::crawl::roots::Root;
use crate::crawl::walk::{Seen, Step, Walk};
use crate::crawl::{Crawler, Error, Event, KnownProject, Report, unless_stopped};
use crate::gitlab::{
    Cursor, Fetched, GraphqlFailure, ItemOrder, ItemQuery, ItemWithNotes, ItemsQuery, Place, Scope,
    Verdict,
};
use crate::model::{Item, ItemId, ItemKind, Note, ProjectId};
use crate::store::{Moves, Run};
use crate::telemetry::chain;

/// Pages of comments beyond the first that an item may have: GitLab allows 5,000 by people, and
/// system notes beside them.
const NOTE_PAGES: usize = 1_000;

/// An item as it came, with all its comments where they came too.
pub(in crate::crawl) type Found = (Item, Option<Vec<Note>>);

/// A list that is being read in a run.
#[derive(Clone, Copy)]
pub(in crate::crawl) struct Reading<'a> {
    pub crawler: &'a Crawler,
    pub run: &'a Run,
    pub kind: ItemKind,
    pub root: &'a Root,
    /// False where the comments are not wanted with the items.
    pub with_notes: bool,
    pub projects: &'a BTreeMap<ProjectId, KnownProject>,
    pub report: &'a Report,
    pub stop: &'a CancellationToken,
}

/// What is asked for, and what each page means.
pub(super) trait Span: Sync {
    /// By which time the list is ordered and bounded.
    fn order(&self) -> ItemOrder;
    /// Where it begins.
    fn from(&self) -> Option<Timestamp>;
    /// Where it ends, inclusive; that may come nearer while it is read.
    fn until(&self) -> Option<Timestamp>;
    /// Takes note of a page: the times of its first and last item, how many there are, up to where
    /// the list was read with it, and whether that is the end. Returns what is moved on with it.
    fn page(&self, page: &Page, position: Option<Timestamp>, done: bool) -> Moves;
}

/// What a [`Span`] learns of a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// Times of the first and the last item.
    pub times: Option<(Timestamp, Timestamp)>,
    /// How many items.
    pub items: usize,
}

/// How often one page is read by REST and GraphQL is asked again behind it. One row that GraphQL
/// does not answer must not turn a whole list into a request for each item's comments.
const STEPS_ASIDE: usize = 20;

/// Pages in a row whose rows are no later than those before: 100,000 items that were changed by one
/// statement. What does not move on for longer is left to REST, which tells items apart.
const STANDING_PAGES: usize = 1_000;

/// How the reading by one interface ended.
enum End {
    /// At the end of the list.
    Whole,
    /// With a problem that was noted.
    Cut,
    /// One page later: the other interface is asked again from here.
    Past(Option<Timestamp>),
    /// One page is not answered: it is asked of the other interface from here.
    Aside(Option<Timestamp>),
    /// The other interface reads the rest from here.
    Over(Option<Timestamp>),
}

impl Reading<'_> {
    /// Reads a span of the list into the index, and says whether it was read to its end.
    pub(super) async fn read(&self, span: &impl Span) -> Result<bool, Error> {
        let mut from = span.from();
        if self.with_notes && self.crawler.inner.source.comments {
            for _ in 0..STEPS_ASIDE {
                let aside = match self.by_graphql(span, from).await? {
                    End::Whole => return Ok(true),
                    End::Aside(at) => at.or(from),
                    End::Cut | End::Past(_) | End::Over(None) => break,
                    End::Over(Some(at)) => {
                        from = Some(at);
                        break;
                    }
                };
                match self.by_rest(span, aside, true).await? {
                    End::Whole => return Ok(true),
                    End::Past(at) | End::Over(at) | End::Aside(at) => from = at.or(aside),
                    End::Cut => return Ok(false),
                }
            }
        }
        Ok(matches!(self.by_rest(span, from, false).await?, End::Whole))
    }

    async fn by_graphql(&self, span: &impl Span, from: Option<Timestamp>) -> Result<End, Error> {
        let crawler = self.crawler;
        let mut path = self.root.path.clone();
        let mut at = from;
        let mut after: Option<Cursor> = None;
        let (mut seen, mut standing, mut is_moved) = (HashSet::new(), 0, false);
        loop {
            let place = match self.root.scope {
                Scope::Group(_) => Place::Group(&path),
                Scope::Project(_) => Place::Project(&path),
            };
            let query = ItemsQuery {
                from,
                until: span.until(),
                archived: crawler.inner.source.archived,
                after: after.as_ref(),
                ..ItemsQuery::all(self.kind, place, span.order())
            };
            let read_at = crawler.gitlab_now();
            let page = crawler.inner.client.items_page(&query);
            let page = match unless_stopped(self.stop, page).await? {
                Ok(Fetched::Whole(page)) => page,
                Ok(Fetched::Absent) => {
                    // A former path leads nowhere in GraphQL. One look: paths may go round.
                    if is_moved {
                        return Ok(End::Over(at));
                    }
                    is_moved = true;
                    match self.present_path(&path).await? {
                        Some(present) => {
                            path = present;
                            continue;
                        }
                        None => return Ok(End::Over(at)),
                    }
                }
                Ok(Fetched::Failed(reason)) => {
                    tracing::debug!("REST is asked for the {} of {path}: {reason}", self.name());
                    return Ok(End::Over(at));
                }
                Err(failure) => {
                    // What is not to be had is not to be had for the rest; what was not answered
                    // may be this page alone.
                    let end = match failure {
                        GraphqlFailure::Heavy { .. } | GraphqlFailure::Client { .. } => {
                            End::Aside(at)
                        }
                        GraphqlFailure::Off { .. }
                        | GraphqlFailure::Lacks { .. }
                        | GraphqlFailure::Complex { .. } => End::Over(at),
                    };
                    crawler.judge(failure)?;
                    return Ok(end);
                }
            };
            let mut items = Vec::with_capacity(page.items.len());
            for fetched in page.items {
                match fetched {
                    Fetched::Whole(item) => items.push(item),
                    // Hidden from us: no item of ours.
                    Fetched::Absent => {}
                    Fetched::Failed(reason) => {
                        tracing::debug!("REST is asked for a page of {path}: {reason}");
                        return Ok(End::Aside(at));
                    }
                }
            }
            let time = |found: &ItemWithNotes| time_of(&found.item, span.order());
            let times = items.first().zip(items.last()).map(|(a, b)| (time(a), time(b)));
            let before = at;
            at = times.map(|(_, last)| last).or(at);
            standing = if at > before { 0 } else { standing + 1 };
            let beyond = at.zip(span.until()).is_some_and(|(at, until)| at > until);
            let done = page.next.is_none() || beyond;
            let page_of = Page { times, items: items.len() };
            let mut found = Vec::with_capacity(items.len());
            for item in items {
                found.push(self.complete(item).await?);
            }
            let moves = span.page(&page_of, at, done);
            self.store(found, read_at, &moves).await?;
            if done {
                return Ok(End::Whole);
            }
            // A server whose cursors go round would be asked for ever.
            let is_new = page.next.as_ref().is_none_or(|next| seen.insert(next.clone()));
            if !is_new || standing > STANDING_PAGES {
                tracing::debug!(
                    "REST is asked for the rest of {path}: GraphQL's pages stand still"
                );
                return Ok(End::Over(at));
            }
            after = page.next;
        }
    }

    /// Reads the comments that did not fit beside an item.
    async fn complete(&self, found: ItemWithNotes) -> Result<Found, Error> {
        let ItemWithNotes { item, notes, more_notes } = found;
        let (Some(mut notes), mut more) = (notes, more_notes) else { return Ok((item, None)) };
        let mut pages = 0;
        while let Some(cursor) = more {
            pages += 1;
            let page = self.crawler.inner.client.notes_page(self.kind, item.id, Some(&cursor));
            match unless_stopped(self.stop, page).await? {
                Ok(Fetched::Whole(page)) if pages < NOTE_PAGES => {
                    notes.extend(page.notes);
                    more = page.next;
                }
                // All or none: the item's comments are due, and read in another way.
                Ok(Fetched::Whole(_) | Fetched::Failed(_) | Fetched::Absent) => {
                    return Ok((item, None));
                }
                Err(failure) => {
                    self.crawler.judge(failure)?;
                    return Ok((item, None));
                }
            }
        }
        Ok((item, Some(notes)))
    }

    /// Looks up where a root is now; `None` when that is where it was, or is not to be had.
    async fn present_path(&self, path: &str) -> Result<Option<String>, Error> {
        let client = &self.crawler.inner.client;
        let present = match self.root.scope {
            Scope::Group(id) => {
                let found = unless_stopped(self.stop, client.group(&id.to_string())).await?;
                found.map(|group| group.path)
            }
            Scope::Project(id) => {
                let found = unless_stopped(self.stop, client.project(&id.to_string())).await?;
                found.map(|found| found.project.path)
            }
        };
        match present {
            Ok(present) if present != path => {
                self.crawler.inner.store.move_root(self.root.key, &present).await?;
                Ok(Some(present))
            }
            Ok(_) => Ok(None),
            Err(error) => {
                tracing::debug!("{path} is not found: {}", chain(&error));
                Ok(None)
            }
        }
    }

    /// Reads to the end, or until the list has moved on by a page where that is enough.
    async fn by_rest(
        &self,
        span: &impl Span,
        from: Option<Timestamp>,
        one_page: bool,
    ) -> Result<End, Error> {
        let crawler = self.crawler;
        let mut walk = Walk::new(from);
        let mut portion = Portion::new();
        let mut ask = walk.first();
        loop {
            let (mut until, read_at) = (None, crawler.gitlab_now());
            let page = match &ask {
                Step::From(from) => {
                    let bound = span.until();
                    if from.zip(bound).is_some_and(|(from, bound)| from > bound) {
                        return self.end(span, *from).await;
                    }
                    until = portion.until(*from, bound.unwrap_or(read_at)).or(bound);
                    let query = self.query(span.order(), *from, until, portion.per_page());
                    let scope = self.root.scope;
                    let page = crawler.inner.client.items_or_less(self.kind, scope, &query);
                    unless_stopped(self.stop, page).await?
                }
                Step::Follow(next) => {
                    let page = crawler.inner.client.follow_items_or_less(self.kind, next);
                    unless_stopped(self.stop, page).await?
                }
                Step::End => return Ok(End::Whole),
                Step::Endless => {
                    let reason = "GitLab's list does not end: page after page brings nothing new";
                    let (root, list) = (&self.root.name, self.name());
                    self.report.add(crawler.problem(root, list, reason.to_owned()));
                    return Ok(End::Cut);
                }
            };
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let from = walk.watermark();
                    let now = walk.can_end_early().then_some(read_at);
                    if error.asks_for_less() && portion.shrink(from, now) {
                        tracing::debug!(
                            per_page = portion.per_page(),
                            "asking for less of the {} of {}: {error}",
                            self.name(),
                            self.root.name,
                        );
                        // A link would bring pages of the old size: from the last time seen again.
                        ask = walk.again();
                        continue;
                    }
                    crawler.survive(error, &self.root.name, self.name(), self.report)?;
                    return Ok(End::Cut);
                }
            };
            portion.answered();
            let times: Vec<(ItemId, Timestamp)> =
                page.items.iter().map(|item| (item.id, time_of(item, span.order()))).collect();
            // The end of the whole span is the end of the list.
            let part = until.filter(|until| span.until().is_none_or(|bound| *until < bound));
            ask = walk.next(Seen { items: &times, next: page.next, until: part });
            let done = ask == Step::End;
            let page_of = Page {
                times: times.first().zip(times.last()).map(|(a, b)| (a.1, b.1)),
                items: times.len(),
            };
            let moves = span.page(&page_of, walk.watermark(), done);
            let found = page.items.into_iter().map(|item| (item, None)).collect();
            self.store(found, read_at, &moves).await?;
            if one_page && !done && walk.watermark() > from {
                return Ok(End::Past(walk.watermark()));
            }
        }
    }

    /// Notes that a span ended before another page was asked for.
    async fn end(&self, span: &impl Span, at: Option<Timestamp>) -> Result<End, Error> {
        let moves = span.page(&Page { times: None, items: 0 }, at, true);
        self.crawler.inner.store.apply_items(self.run, &[], &moves).await?;
        Ok(End::Whole)
    }

    fn query(
        &self,
        order: ItemOrder,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        per_page: u32,
    ) -> ItemQuery {
        let query = ItemQuery {
            archived: self.crawler.inner.source.archived,
            per_page,
            order,
            ..ItemQuery::default()
        };
        match order {
            ItemOrder::Updated => ItemQuery { updated_after: from, updated_before: until, ..query },
            ItemOrder::Created => ItemQuery { created_after: from, created_before: until, ..query },
        }
    }

    /// Stores what was found, and what is moved on with it.
    pub(in crate::crawl) async fn store(
        &self,
        found: Vec<Found>,
        read_at: Timestamp,
        moves: &Moves,
    ) -> Result<(), Error> {
        let crawler = self.crawler;
        let writes = crawler.item_writes(found, read_at, self.projects, self.report);
        crawler.inner.store.apply_items(self.run, &writes, moves).await?;
        crawler.inner.progress.event(Event::Done(writes.len() as u64));
        Ok(())
    }

    fn name(&self) -> &'static str {
        stream_of(self.kind).as_str()
    }
}

fn time_of(item: &Item, order: ItemOrder) -> Timestamp {
    match order {
        ItemOrder::Updated => item.updated_at,
        ItemOrder::Created => item.created_at,
    }
}

impl Crawler {
    /// Ends the sync when a query met what every request would meet; else REST is asked.
    pub(in crate::crawl) fn judge(&self, failure: GraphqlFailure) -> Result<(), Error> {
        tracing::debug!("GraphQL does not answer, and REST is asked: {}", chain(&failure));
        match failure.client_error() {
            Some(error) if error.verdict() == Verdict::Abort => Err(Error::GitLab {
                url: self.inner.source.url.to_string(),
                source: Box::new(error),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the present moment by GitLab's clock.
    pub(in crate::crawl) fn gitlab_now(&self) -> Timestamp {
        self.by_gitlab(self.inner.clock.now())
    }
}
