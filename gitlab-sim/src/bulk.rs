//! A world of any size, in seconds and in little memory.
//!
//! The generator writes an organisation that means something; this writes a large one: plain
//! issues and merge requests whose titles, times, labels and people follow from a seed, and whose
//! descriptions of two kilobytes are made whenever they are read. What they mention outside is
//! known without reading them, so that an index of it can be checked. It refuses to write files,
//! pipelines and anything else that a benchmark of lists does not need.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, earlier, micros};
use crate::hash::mixed;
use crate::world::text::Recipe;
use crate::world::{
    AccessLevel, Issue, Item, ItemKind, ItemRef, LabelId, LabelOwner, MergeRequest, NewIssue,
    NewMergeRequest, NewNote, NewProject, Note, Outside, ProjectId, Text, UserId, World,
};

/// So many people write the items.
const PEOPLE: u64 = 60;

/// So many groups below the top-level group hold the projects.
const TEAMS: usize = 50;

/// One stretch of so many items in [`BULK_EDITED`] was changed by one bulk edit and has one
/// `updated_at`: more than two of the largest pages.
const STRETCH: u64 = 250;
const BULK_EDITED: u64 = 16;

/// How far back the items reach.
const HISTORY: SignedDuration = SignedDuration::from_hours(3 * 365 * 24);

/// Describes a large world. The same values always make the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// Where chance starts.
    pub seed: u32,
    /// How many projects there are, at least one.
    pub projects: usize,
    /// How many issues there are in all, spread evenly over the projects.
    pub issues: u64,
    /// How many merge requests there are in all, spread evenly over the projects.
    pub merge_requests: u64,
    /// How many comments there are in all, spread evenly over the items.
    pub notes: u64,
    /// The moment before which everything happened.
    pub now: Timestamp,
}

impl Default for Bulk {
    /// Describes a thousand projects with half a million issues and as many merge requests.
    fn default() -> Self {
        Self {
            seed: 1,
            projects: 1_000,
            issues: 500_000,
            merge_requests: 500_000,
            notes: 0,
            now: Clock::system().now(),
        }
    }
}

/// Rows that all others are copied from, and what these draw from.
struct Moulds {
    issue: Issue,
    merge_request: MergeRequest,
    note: Note,
    people: Vec<UserId>,
    labels: Vec<LabelId>,
}

impl Bulk {
    /// The full path of the group that holds everything.
    pub const GROUP: &'static str = "acme";

    /// Makes the world. Its clock is the system's.
    pub fn generate(&self) -> World {
        let mut world = World::with_clock(Clock::at(self.now));
        let projects: Vec<ProjectId> = (0..self.project_count())
            .map(|number| {
                let team = number % TEAMS;
                let path = format!("{}/team-{team:02}/service-{number:04}", Self::GROUP);
                let born = earlier(self.now, HISTORY);
                world.add_project(NewProject::at(&path).created_at(born))
            })
            .collect();
        let moulds = Self::moulds(&mut world, projects[0]);
        let mut notes = 0;
        for (place, project) in projects.iter().enumerate() {
            let issues = self
                .numbers(place, self.issues)
                .map(|number| {
                    let mut row = moulds.issue.clone();
                    self.shape(&mut row.item, ItemKind::Issue, number, &moulds);
                    row.item.notes = self.notes_of(ItemKind::Issue, number, &mut notes, &moulds);
                    row
                })
                .collect();
            let merge_requests = self
                .numbers(place, self.merge_requests)
                .map(|number| {
                    let mut row = moulds.merge_request.clone();
                    let kind = ItemKind::MergeRequest;
                    self.shape(&mut row.item, kind, number, &moulds);
                    row.item.notes = self.notes_of(kind, number, &mut notes, &moulds);
                    row.source_branch = format!("topic/{number}");
                    // Of the closed ones most were merged.
                    if !number.is_multiple_of(5) {
                        row.merged_at = row.item.closed_at.take();
                        row.merge_user = row.merged_at.and(row.item.closed_by.take());
                    }
                    row
                })
                .collect();
            world.fill(*project, issues, merge_requests);
        }
        world.rebuild_indexes();
        world.use_system_clock();
        world
    }

    /// Names the item of a kind that has this id, which is 1 for the oldest.
    pub fn item(&self, kind: ItemKind, id: u64) -> Option<ItemRef> {
        let count = match kind {
            ItemKind::Issue => self.issues,
            ItemKind::MergeRequest => self.merge_requests,
        };
        if id == 0 || id > count {
            return None;
        }
        let projects = self.project_count() as u64;
        let project = ProjectId::new((id - 1) % projects + 1);
        Some(ItemRef { project, kind, iid: (id - 1) / projects + 1 })
    }

    /// Returns what the description of an item mentions outside.
    pub fn mentioned_by(&self, kind: ItemKind, id: u64) -> Option<Outside> {
        self.item(kind, id)?;
        self.recipe(kind, id).mention()
    }

    /// Lists everything outside that descriptions mention, each with the kinds and ids of the
    /// items that mention it.
    pub fn mentions(&self) -> BTreeMap<Outside, Vec<(ItemKind, u64)>> {
        let mut mentions: BTreeMap<Outside, Vec<(ItemKind, u64)>> = BTreeMap::new();
        for (kind, count) in
            [(ItemKind::Issue, self.issues), (ItemKind::MergeRequest, self.merge_requests)]
        {
            for id in 1..=count {
                if let Some(outside) = self.mentioned_by(kind, id) {
                    mentions.entry(outside).or_default().push((kind, id));
                }
            }
        }
        mentions
    }

    fn project_count(&self) -> usize {
        self.projects.max(1)
    }

    /// Returns the ids of a project's items of a kind.
    fn numbers(&self, place: usize, count: u64) -> impl Iterator<Item = u64> + use<> {
        (place as u64 + 1..=count).step_by(self.project_count())
    }

    fn recipe(&self, kind: ItemKind, id: u64) -> Recipe {
        let number = id * 2 + u64::from(kind == ItemKind::MergeRequest);
        // Two billion items do not fit into memory, so that the number always fits.
        Recipe { seed: self.seed, number: u32::try_from(number).unwrap_or(u32::MAX) }
    }

    fn chance(&self, kind: ItemKind, id: u64) -> u64 {
        let recipe = self.recipe(kind, id);
        mixed(mixed(u64::from(recipe.number)) ^ u64::from(recipe.seed))
    }

    /// Adds people and labels, and one row of each kind, which is overwritten afterwards.
    fn moulds(world: &mut World, project: ProjectId) -> Moulds {
        let people: Vec<UserId> =
            (0..PEOPLE).map(|number| world.add_user(&format!("developer-{number:02}"))).collect();
        if let Some(top) = world.find_group(Self::GROUP).map(|group| group.id) {
            for user in &people {
                world.add_group_member(top, *user, AccessLevel::Developer);
            }
        }
        let owner = world
            .find_group(Self::GROUP)
            .map_or(LabelOwner::Project(project), |group| LabelOwner::Group(group.id));
        let labels = (0..40)
            .map(|number| {
                let scope = ["service", "team", "priority", "type"][number % 4];
                world.add_label(owner, &format!("{scope}::{number:02}"))
            })
            .collect();
        let iid = world.add_issue(project, NewIssue::new("mould"));
        world.add_note(ItemRef::issue(project, iid), NewNote::new("mould"));
        let mut issue = world.issue(project, iid).expect("it was added two lines above").clone();
        let note = issue.item.notes.pop().expect("it was added two lines above");
        let iid = world.add_merge_request(project, NewMergeRequest::new("mould"));
        let merge_request =
            world.merge_request(project, iid).expect("it was added a line above").clone();
        Moulds { issue, merge_request, note, people, labels }
    }

    /// Writes what issues and merge requests have in common.
    fn shape(&self, item: &mut Item, kind: ItemKind, id: u64, moulds: &Moulds) {
        let count = match kind {
            ItemKind::Issue => self.issues,
            ItemKind::MergeRequest => self.merge_requests,
        };
        let chance = self.chance(kind, id);
        let pick = |shift: u32, length: usize| {
            usize::try_from(chance >> shift & 0xFFF).unwrap_or(0) % length
        };
        let created_at = self.moment(id, count);
        let closed = chance.is_multiple_of(3);
        item.id = id;
        item.iid = (id - 1) / self.project_count() as u64 + 1;
        item.title = Recipe::title(chance);
        item.description = Some(Text::made(self.recipe(kind, id)));
        item.labels = vec![moulds.labels[pick(8, 20)], moulds.labels[20 + pick(16, 20)]];
        item.author = moulds.people[pick(24, moulds.people.len())];
        item.assignees = if chance.is_multiple_of(2) {
            vec![moulds.people[pick(32, moulds.people.len())]]
        } else {
            Vec::new()
        };
        item.created_at = created_at;
        item.updated_at = if (id / STRETCH).is_multiple_of(BULK_EDITED) {
            self.moment((id / STRETCH + 2) * STRETCH, count)
        } else {
            let left = self.now.as_microsecond() - created_at.as_microsecond();
            // Most items go quiet soon: the share of the time left that passes is a square.
            let share = i64::try_from(chance >> 44 & 0x3FF).unwrap_or(0);
            let later = created_at.as_microsecond() + left / 1_048_576 * share * share;
            Timestamp::from_microsecond(later).unwrap_or(created_at)
        };
        item.closed_at = closed.then_some(item.updated_at);
        item.closed_by = closed.then_some(item.author);
    }

    /// Returns the moment at which the item of this id was made: ids rise with it.
    fn moment(&self, id: u64, count: u64) -> Timestamp {
        let span = i128::from(HISTORY.as_secs()) * 1_000_000;
        let passed = span * i128::from(id.min(count)) / i128::from(count.max(1));
        let passed = i64::try_from(passed).unwrap_or(0);
        let start = earlier(self.now, HISTORY).as_microsecond();
        micros(Timestamp::from_microsecond(start.saturating_add(passed)).unwrap_or(self.now))
    }

    /// Writes the comments of an item.
    fn notes_of(&self, kind: ItemKind, id: u64, last: &mut u64, moulds: &Moulds) -> Vec<Note> {
        let items = self.issues + self.merge_requests;
        let place = match kind {
            ItemKind::Issue => id,
            ItemKind::MergeRequest => self.issues + id,
        };
        let before =
            |place: u64| u128::from(place) * u128::from(self.notes) / u128::from(items.max(1));
        let count = usize::try_from(before(place) - before(place - 1)).unwrap_or(0);
        let at = self.moment(
            id,
            match kind {
                ItemKind::Issue => self.issues,
                ItemKind::MergeRequest => self.merge_requests,
            },
        );
        (0..count)
            .map(|number| {
                *last += 1;
                let mut note = moulds.note.clone();
                note.id = *last;
                note.body = Recipe::title(mixed(*last));
                note.author = moulds.people[number % moulds.people.len()];
                note.created_at = at;
                note.updated_at = at;
                note
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Bulk {
        Bulk { projects: 7, issues: 1_003, merge_requests: 500, notes: 400, ..Bulk::default() }
    }

    #[test]
    fn there_is_as_much_as_was_asked_for() {
        let world = small().generate();
        let (mut issues, mut merge_requests, mut notes) = (0, 0, 0);
        for project in world.projects() {
            issues += project.issues.len();
            merge_requests += project.merge_requests.len();
            let items = project.issues.values().map(|row| &row.item);
            let items = items.chain(project.merge_requests.values().map(|row| &row.item));
            notes += items.map(|item| item.notes.len()).sum::<usize>();
        }
        assert_eq!((issues, merge_requests, notes), (1_003, 500, 400));
        assert_eq!(world.projects().count(), 7);
    }

    #[test]
    fn items_are_found_by_their_ids_and_mention_what_is_said() {
        let bulk = small();
        let world = bulk.generate();
        let mentions = bulk.mentions();
        for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
            for id in 1..=500 {
                let item = world.item(bulk.item(kind, id).unwrap()).unwrap();
                assert_eq!(item.id, id);
                let text = item.description.as_ref().unwrap().read();
                match bulk.mentioned_by(kind, id) {
                    Some(outside) => {
                        assert!(text.contains(&outside.text()), "{id}");
                        assert!(mentions[&outside].contains(&(kind, id)));
                    }
                    None => assert!(!text.contains("pagerduty") && !text.contains("INC0")),
                }
            }
        }
        assert!(mentions.len() > 10);
    }

    #[test]
    fn a_bulk_edit_gives_more_than_two_pages_one_time() {
        let world = small().generate();
        let mut times: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for project in world.projects() {
            for issue in project.issues.values() {
                assert!(issue.item.updated_at >= issue.item.created_at);
                *times.entry(issue.item.updated_at).or_default() += 1;
            }
        }
        assert!(times.values().any(|count| *count > 200));
    }

    #[test]
    fn new_items_get_new_ids_and_numbers() {
        let bulk = small();
        let mut world = bulk.generate();
        let project = ProjectId::new(1);
        let iid = world.add_issue(project, NewIssue::new("one more"));
        assert_eq!(world.issue(project, iid).unwrap().item.id, bulk.issues + 1);
    }
}
