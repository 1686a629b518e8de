//! Writes projects one after the other, into the world and into the ledger.

use jiff::{SignedDuration, Timestamp};

use super::codeowners::{Codeowners, Owners};
use super::desk::Desk;
use super::draft::{Comment, Draft};
use super::names::PEOPLE;
use super::plan::{Planned, Role};
use super::template::Template;
use crate::clock::{earlier, later};
use crate::truth::Ledger;
use crate::world::{
    ItemRef, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject, ProjectId, Visibility,
    World,
};

/// Items lie in the last so many days.
const DAYS: i64 = 90;

/// Writes projects one after the other into the world and the ledger.
pub(crate) struct Writer<'w> {
    pub(crate) desk: &'w mut Desk,
    pub(crate) world: &'w mut World,
    pub(crate) ledger: &'w mut Ledger,
    pub(crate) now: Timestamp,
    /// The moment of a bulk edit, after which many items have the same `updated_at`.
    pub(crate) bulk: Timestamp,
}

impl Writer<'_> {
    /// Writes a project with its files, pipelines and items.
    pub(crate) fn project(&mut self, planned: Planned) {
        let created = earlier(self.now, SignedDuration::from_hours(24 * 400));
        let id = self.bare_project(&planned, created);
        if planned.role != Role::Empty {
            self.files(id, &planned);
            self.tags(id);
            self.pipelines(id);
        }
        self.items(id, &planned);
        self.ledger.plans.insert(id, planned);
    }

    /// Writes a project without anything in it.
    pub(crate) fn bare_project(&mut self, planned: &Planned, created: Timestamp) -> ProjectId {
        let visibility = match self.desk.dice.below(10) {
            0 => Visibility::Public,
            1 | 2 => Visibility::Internal,
            _ => Visibility::Private,
        };
        for (topic, key, value) in &planned.topic_tags {
            self.ledger.mean_topic(topic, key, value);
        }
        self.world.add_project(
            NewProject::at(&planned.path)
                .name(&planned.name)
                .description(&format!("{}, a part of {}.", planned.name, planned.domain.path))
                .topics(&planned.topics)
                .visibility(visibility)
                .archived(planned.role == Role::Archived)
                .default_branch(planned.branch)
                .created_at(created),
        )
    }

    /// Writes the files of a project.
    pub(crate) fn files(&mut self, id: ProjectId, planned: &Planned) {
        let name = &planned.name;
        self.world.add_file(
            id,
            "README.md",
            format!("# {name}\n\nHow to build it: `make`.\n\nQuestions go to the team.\n"),
        );
        self.world.add_file(id, "src/main.rs", "fn main() {\n    println!(\"hello\");\n}\n");
        self.world.add_file(id, ".gitlab-ci.yml", "test:\n  script:\n    - make test\n");
        for template in [Template::Bug, Template::Incident, Template::MergeRequest] {
            self.world.add_file(id, template.path(), template.text(planned.variant));
        }
        let owners = planned.owners();
        if let Some(codeowners) = Codeowners::of(planned.variant, &owners) {
            codeowners.write(self.world, self.ledger, id);
        }
        let user = self.world.add_user(planned.people[0]);
        self.world.add_approval_rule(id, "Team", 1, vec![user], Vec::new());
    }

    fn tags(&mut self, id: ProjectId) {
        for release in 1..=self.desk.dice.between(0, 3) {
            let days = 10 - i64::try_from(release).unwrap_or(0);
            let at = earlier(self.now, SignedDuration::from_hours(24 * days));
            let text = (release > 1).then_some("What changed is in the merge requests.");
            self.world.add_tag(id, &format!("v1.{release}.0"), text, at);
        }
    }

    /// Adds pipelines of the default branch, and a later one of another branch.
    fn pipelines(&mut self, id: ProjectId) {
        let count = self.desk.dice.between(1, 5);
        let mut at = earlier(self.now, SignedDuration::from_hours(24 * 7));
        for _ in 0..count {
            at = self.desk.dice.time(at, later(at, SignedDuration::from_hours(20)));
            let status =
                self.desk.dice.pick(&["success", "success", "failed", "running", "canceled"]);
            let updated = later(at, SignedDuration::from_mins(7));
            let pipeline = NewPipeline::new(status).times(at, updated);
            self.world.add_pipeline(id, pipeline);
        }
        let next = later(at, SignedDuration::from_hours(2));
        self.world
            .add_pipeline(id, NewPipeline::new("pending").branch("feature/next").times(next, next));
    }

    fn items(&mut self, id: ProjectId, planned: &Planned) {
        for iid in 1..=planned.issues {
            let finished = self.desk.issue(planned, iid);
            let times = self.times(iid, planned.issues);
            let draft = &finished.draft;
            let mut issue = NewIssue::new(&draft.title)
                .issue_type(finished.issue_type)
                .severity(finished.severity)
                .confidential(draft.confidential)
                .author(draft.author)
                .labels(&draft.labels)
                .created_at(times.created)
                .updated_at(times.updated);
            if planned.role == Role::Archived {
                issue = issue.in_project();
            }
            if !draft.description.is_empty() {
                issue = issue.description(&draft.description);
            }
            if self.desk.dice.chance(40) {
                issue = issue.closed_at(times.updated);
            }
            let number = self.world.add_issue(id, issue);
            self.finish(ItemRef::issue(id, number), &finished.draft, &times);
        }
        for iid in 1..=planned.merge_requests {
            let draft = self.desk.merge_request(planned, iid);
            let times = self.times(iid, planned.merge_requests);
            let mut row = NewMergeRequest::new(&draft.title)
                .source_branch(&draft.branch)
                .author(draft.author)
                .labels(&draft.labels)
                .created_at(times.created)
                .updated_at(times.updated);
            if planned.role == Role::Archived {
                row = row.in_project();
            }
            if !draft.description.is_empty() {
                row = row.description(&draft.description);
            }
            match self.desk.dice.below(100) {
                0..55 => row = row.merged_at(times.updated),
                55..65 => row = row.closed_at(times.updated),
                _ => {}
            }
            let number = self.world.add_merge_request(id, row);
            self.finish(ItemRef::merge_request(id, number), &draft, &times);
        }
    }

    /// Adds the comments of an item, and what its texts mean to the ledger.
    fn finish(&mut self, item: ItemRef, draft: &Draft, times: &Times) {
        let mut at = times.created;
        for comment in &draft.comments {
            at = self.desk.dice.time(at, times.updated);
            let note = self.world.add_note(item, comment.note().created_at(at));
            self.ledger.mean_note(note, comment.said.clone());
        }
        self.record(item, draft);
    }

    /// Records what labels and texts of an item mean.
    pub(crate) fn record(&mut self, item: ItemRef, draft: &Draft) {
        for (title, key, value) in &draft.label_tags {
            self.ledger.mean_label(title, key, value);
        }
        self.ledger.mean_item(self.world, item, draft.meaning.clone());
    }
}

impl Comment {
    /// Describes the note that it becomes.
    pub(crate) fn note(&self) -> NewNote {
        let mut note = NewNote::new(&self.body).author(self.author);
        if self.internal {
            note = note.internal();
        }
        if self.system {
            note = note.system();
        }
        note
    }
}

impl Planned {
    /// Tells whether the templates of two projects ask in the same way.
    pub(crate) fn asks_like(&self, other: &Self) -> bool {
        self.variant % 4 == other.variant % 4
    }

    /// Returns who owns things in the project.
    pub(crate) fn owners(&self) -> Owners<'static> {
        Owners {
            team: self.domain.teams[self.variant % 2],
            first: self.people[0],
            second: PEOPLE[(self.variant + 5) % PEOPLE.len()],
        }
    }
}

impl Codeowners {
    /// Adds the files to a project, and what they mean to the ledger.
    pub(crate) fn write(self, world: &mut World, ledger: &mut Ledger, project: ProjectId) {
        for (path, text, owners) in self.files {
            ledger.mean_owners(text.as_bytes(), owners);
            world.add_file(project, path, text);
        }
    }
}

/// When an item was made and last changed.
struct Times {
    created: Timestamp,
    updated: Timestamp,
}

impl Writer<'_> {
    /// Spreads the items of a project over the days, in the order of their numbers. One of seven
    /// was part of a bulk edit.
    fn times(&mut self, iid: u64, count: u64) -> Times {
        let end = earlier(self.bulk, SignedDuration::from_hours(1));
        let start = earlier(self.now, SignedDuration::from_hours(24 * DAYS));
        let span = (end.as_microsecond() - start.as_microsecond()).max(1);
        let step = span / i64::try_from(count.max(1)).unwrap_or(i64::MAX).max(1);
        let from = start.as_microsecond()
            + step.saturating_mul(i64::try_from(iid.saturating_sub(1)).unwrap_or(0));
        let moment = |at: i64| Timestamp::from_microsecond(at).unwrap_or(start);
        let created =
            self.desk.dice.time(moment(from), moment(from + step.saturating_sub(1).max(0)));
        let updated = if self.desk.dice.chance(14) {
            self.bulk
        } else {
            self.desk.dice.time(created, self.now)
        };
        Times { created, updated }
    }
}
