//! Which issues or merge requests a list holds, and which of them are on a page.
//!
//! Lists by time walk the orders that the world keeps: nothing is sorted, nothing behind the page
//! is looked at but to count, and that only as far as GitLab counts. All other orders, and the
//! lists of small projects, are collected and sorted.

use std::slice::Iter;
use std::sync::Arc;

use jiff::Timestamp;

use super::Call;
use super::answer::Failure;
use super::items::{Filter, Order, Rank, Span};
use super::paging::{Cut, Page};
use crate::world::index::{Entry, Ordered, Seen, Sight};
use crate::world::{Group, Issue, Item, ItemKind, MergeRequest, Project};

/// A project with fewer items than this is sorted, which is quicker than to find them among all.
const SORTED: usize = 2_000;

/// One row of a list.
pub(super) type Row<'w, T> = (&'w Project, &'w T);

/// Where a list looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Places<'w> {
    Project(&'w Project),
    /// A group and everything below it.
    Group(&'w Group),
    Instance,
}

/// Issues and merge requests as lists see them.
pub(super) trait Listed: Sized + 'static {
    const KIND: ItemKind;

    fn find(project: &Project, iid: u64) -> Option<&Self>;
    fn all(project: &Project) -> Iter<'_, Self>;
    fn item(&self) -> &Item;
    fn merged_at(&self) -> Option<Timestamp>;

    /// Tells what the caller sees of a project's items of this kind.
    fn sight(call: &Call<'_>, project: &Project) -> Seen;

    /// Tells whether the caller sees a row of a project of which they see something.
    fn seen(&self, call: &Call<'_>, project: &Project) -> bool;
}

impl Listed for Issue {
    const KIND: ItemKind = ItemKind::Issue;

    fn find(project: &Project, iid: u64) -> Option<&Self> {
        project.issues.get(&iid)
    }

    fn all(project: &Project) -> Iter<'_, Self> {
        project.issues.values()
    }

    fn item(&self) -> &Item {
        &self.item
    }

    fn merged_at(&self) -> Option<Timestamp> {
        None
    }

    fn sight(call: &Call<'_>, project: &Project) -> Seen {
        if !call.world.sees_project(call.caller, project) {
            Seen::Nothing
        } else if call.world.reads_confidential(call.caller, project) {
            Seen::All
        } else {
            Seen::Open
        }
    }

    fn seen(&self, call: &Call<'_>, project: &Project) -> bool {
        call.world.sees_issue(call.caller, project, self)
    }
}

impl Listed for MergeRequest {
    const KIND: ItemKind = ItemKind::MergeRequest;

    fn find(project: &Project, iid: u64) -> Option<&Self> {
        project.merge_requests.get(&iid)
    }

    fn all(project: &Project) -> Iter<'_, Self> {
        project.merge_requests.values()
    }

    fn item(&self) -> &Item {
        &self.item
    }

    fn merged_at(&self) -> Option<Timestamp> {
        self.merged_at
    }

    fn sight(call: &Call<'_>, project: &Project) -> Seen {
        let (world, caller) = (call.world, call.caller);
        if world.sees_project(caller, project) && world.reads_code(caller, project) {
            Seen::All
        } else {
            Seen::Nothing
        }
    }

    fn seen(&self, _: &Call<'_>, _: &Project) -> bool {
        true
    }
}

/// What a list holds.
pub(super) struct Selection<'c, 'w, T> {
    pub(super) call: &'c Call<'w>,
    pub(super) places: Places<'w>,
    pub(super) filter: Filter<'c>,
    pub(super) order: Order,
    /// The filters of this kind alone, or nothing when the request has none of them.
    #[expect(clippy::type_complexity, reason = "a name would not say more")]
    pub(super) narrow: Option<Box<dyn Fn(&T) -> bool + 'c>>,
    /// True where GitLab looks at visibility only after it has cut the page.
    pub(super) hide_later: bool,
    /// What `non_archived` is when it is not sent.
    pub(super) hide_archived: bool,
}

impl<'w, T: Listed> Selection<'_, 'w, T> {
    /// Cuts a page.
    pub(super) fn page(&self, page: Page) -> Result<Cut<Row<'w, T>>, Failure> {
        let sight = self.sight()?;
        let span = match self.order.by {
            "updated_at" if self.walks() => self.filter.updated,
            "created_at" if self.walks() => self.filter.created,
            _ => return Ok(page.cut(&self.sorted(&sight))),
        };
        Ok(self.walk(page, &sight, span))
    }

    /// Returns all rows in order.
    pub(super) fn all(&self) -> Result<Vec<Row<'w, T>>, Failure> {
        Ok(self.sorted(&self.sight()?))
    }

    /// Tells whether a row is shown, where that is looked at late.
    pub(super) fn shows(&self, (project, row): &Row<'w, T>) -> bool {
        !self.hide_later
            || T::sight(self.call, project) != Seen::Nothing && row.seen(self.call, project)
    }

    fn walks(&self) -> bool {
        match self.places {
            Places::Project(project) => T::all(project).len() > SORTED,
            Places::Group(_) | Places::Instance => true,
        }
    }

    fn walk(&self, page: Page, sight: &Sight, (after, before): Span) -> Cut<Row<'w, T>> {
        let index = self.call.world.index(T::KIND);
        let rows = match self.order.by {
            "updated_at" => &index.by_updated,
            _ => &index.by_created,
        };
        let from = after.map_or(Ordered::START, |time| rows.time_start(first_micros(time)));
        let to = before.map_or(rows.end(), |time| rows.time_end(last_micros(time))).max(from);
        let descending = self.order.descending;
        let others = match self.order.by {
            "updated_at" => self.filter.created,
            _ => self.filter.updated,
        };
        let open = self.filter.is_open() && self.narrow.is_none() && others == (None, None);
        if open && sight.iter().all(|seen| *seen == Seen::All) {
            let listed = rows.list(from, to, descending, page.start());
            let total = rows.rank(to) - rows.rank(from);
            return page.cut_at(listed.filter_map(|entry| self.row(entry)), total);
        }
        let listed = rows.list(from, to, descending, 0).filter_map(|entry| {
            let project = usize::try_from(entry.project.get()).unwrap_or(usize::MAX);
            match sight.get(project).copied().unwrap_or(Seen::Nothing) {
                Seen::Nothing => return None,
                Seen::Open if entry.confidential => {
                    let (project, row) = self.row(entry)?;
                    if !row.seen(self.call, project) {
                        return None;
                    }
                }
                Seen::Open | Seen::All => {}
            }
            if open {
                return Some(entry);
            }
            let (_, row) = self.row(entry)?;
            self.passes(row).then_some(entry)
        });
        let Cut { rows, total } = page.cut_from(listed);
        let rows = rows.into_iter().filter_map(|entry| self.row(entry)).collect();
        Cut { rows, total }
    }

    fn row(&self, entry: &Entry) -> Option<Row<'w, T>> {
        let project = self.call.world.project(entry.project)?;
        Some((project, T::find(project, entry.iid)?))
    }

    fn passes(&self, row: &T) -> bool {
        self.filter.passes(self.call, row.item())
            && self.narrow.as_ref().is_none_or(|narrow| narrow(row))
    }

    fn sorted(&self, sight: &Sight) -> Vec<Row<'w, T>> {
        let world = self.call.world;
        let mut rows: Vec<(Rank, Row<'w, T>)> = Vec::new();
        let mut collect = |project: &'w Project| {
            let place = usize::try_from(project.id.get()).unwrap_or(usize::MAX);
            let seen = sight.get(place).copied().unwrap_or(Seen::Nothing);
            if seen == Seen::Nothing {
                return;
            }
            let shown = T::all(project).filter(|row| {
                self.passes(row) && (seen == Seen::All || row.seen(self.call, project))
            });
            rows.extend(
                shown.map(|row| (self.order.rank(row.item(), row.merged_at()), (project, row))),
            );
        };
        match self.places {
            Places::Project(project) => collect(project),
            Places::Group(_) | Places::Instance => world.projects().for_each(collect),
        }
        rows.sort_unstable_by(|(a, _), (b, _)| self.order.compare(a, b));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Returns what the caller sees of each project that the list is about.
    fn sight(&self) -> Result<Sight, Failure> {
        let (call, world) = (self.call, self.call.world);
        let active = call.query.flag("non_archived")?.unwrap_or(self.hide_archived);
        let group = match self.places {
            Places::Project(only) => {
                let mut sight = vec![Seen::Nothing; sight_length(call)];
                if let Some(seen) =
                    usize::try_from(only.id.get()).ok().and_then(|place| sight.get_mut(place))
                {
                    *seen = T::sight(call, only);
                }
                return Ok(Arc::from(sight));
            }
            Places::Group(group) => Some(group.id),
            Places::Instance => None,
        };
        if self.hide_later {
            return Ok(self.all_but_archived(active));
        }
        let caller = call.caller.user().map(|user| user.id);
        Ok(world.sight((caller, group, active, T::KIND), || {
            // Numbers that no project has hide nothing.
            let mut sight = vec![Seen::All; sight_length(call)];
            for project in world.projects() {
                let listed = group.is_none_or(|group| world.is_within(project.group, group))
                    && !(active && project.archived);
                if let Some(seen) =
                    usize::try_from(project.id.get()).ok().and_then(|place| sight.get_mut(place))
                {
                    *seen = if listed { T::sight(call, project) } else { Seen::Nothing };
                }
            }
            Arc::from(sight)
        }))
    }

    fn all_but_archived(&self, active: bool) -> Sight {
        let mut sight = vec![Seen::All; sight_length(self.call)];
        for project in self.call.world.projects().filter(|project| active && project.archived) {
            if let Some(seen) =
                usize::try_from(project.id.get()).ok().and_then(|place| sight.get_mut(place))
            {
                *seen = Seen::Nothing;
            }
        }
        Arc::from(sight)
    }
}

/// Returns a length that holds a flag for every project by its number.
fn sight_length(call: &Call<'_>) -> usize {
    let last = call.world.last_project().map_or(0, |project| project.id.get());
    usize::try_from(last).unwrap_or(0) + 1
}

/// Returns the first whole microsecond that is not before a time.
fn first_micros(time: Timestamp) -> i64 {
    let nanos = time.as_nanosecond();
    i64::try_from(-(-nanos).div_euclid(1_000)).unwrap_or(i64::MAX)
}

/// Returns the last whole microsecond that is not behind a time.
fn last_micros(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond().div_euclid(1_000)).unwrap_or(i64::MAX)
}
