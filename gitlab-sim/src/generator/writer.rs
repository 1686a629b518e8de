//! Writes projects one after the other, into the world and into the truth.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::codeowners::{Codeowners, Owners};
use super::dice::Dice;
use super::draft::Draft;
use super::mention::Event;
use super::names::PEOPLE;
use super::plan::{Planned, Role};
use super::template::Template;
use crate::clock::{earlier, later};
use crate::truth::{Carried, ItemTruth, LatestPipeline, ProjectTruth, Tagged, Truth, match_key};
use crate::world::{
    ItemRef, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject, ProjectId, Visibility,
    World,
};

/// Items lie in the last so many days.
const DAYS: i64 = 90;

/// Writes projects one after the other into the world and the truth.
pub(super) struct Writer {
    pub(super) dice: Dice,
    pub(super) world: World,
    pub(super) truth: Truth,
    /// Services that any item may be labelled with.
    pub(super) services: Vec<String>,
    /// Projects whose items may be mentioned, with the numbers of their issues and merge requests.
    pub(super) targets: Vec<(String, u64, u64)>,
    /// What happened in the whole organisation.
    pub(super) events: Vec<Event>,
    /// The path of the first project.
    pub(super) first: String,
    pub(super) now: Timestamp,
    /// The moment of a bulk edit, after which many items have the same `updated_at`.
    pub(super) bulk: Timestamp,
}

impl Writer {
    pub(super) fn project(&mut self, planned: &Planned) {
        let visibility = match self.dice.below(10) {
            0 => Visibility::Public,
            1 | 2 => Visibility::Internal,
            _ => Visibility::Private,
        };
        let id = self.world.add_project(
            NewProject::at(&planned.path)
                .name(&planned.name)
                .description(&format!("{}, a part of {}.", planned.name, planned.domain.path))
                .topics(&planned.topics)
                .visibility(visibility)
                .archived(planned.role == Role::Archived)
                .default_branch(planned.branch)
                .created_at(earlier(self.now, SignedDuration::from_hours(24 * 400))),
        );
        for service in &planned.services {
            self.tagged("service", service).projects.insert(planned.path.clone(), Carried::Topic);
        }
        if let Some(team) = planned.team {
            self.tagged("team", team).projects.insert(planned.path.clone(), Carried::Topic);
        }
        let mut truth = ProjectTruth {
            id: id.get(),
            archived: planned.role == Role::Archived,
            empty: planned.role == Role::Empty,
            codeowners: None,
            owners: Vec::new(),
            latest_pipeline: None,
        };
        if planned.role != Role::Empty {
            self.files(id, planned, &mut truth);
            self.pipelines(id, planned, &mut truth);
        }
        self.truth.projects.insert(planned.path.clone(), truth);
        self.items(id, planned);
    }

    fn files(&mut self, id: ProjectId, planned: &Planned, truth: &mut ProjectTruth) {
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
        let owners = Owners {
            team: planned.domain.teams[planned.variant % 2],
            first: planned.people[0],
            second: PEOPLE[(planned.variant + 5) % PEOPLE.len()],
        };
        if let Some(codeowners) = Codeowners::of(planned.variant, &owners) {
            for (path, text) in codeowners.files {
                self.world.add_file(id, path, text);
            }
            truth.codeowners = Some(codeowners.path);
            truth.owners = codeowners.owners;
        }
        let user = self.world.add_user(planned.people[0]);
        self.world.add_approval_rule(id, "Team", 1, vec![user], Vec::new());
        for release in 1..=self.dice.between(0, 3) {
            let days = 10 - i64::try_from(release).unwrap_or(0);
            let at = earlier(self.now, SignedDuration::from_hours(24 * days));
            let text = (release > 1).then_some("What changed is in the merge requests.");
            self.world.add_tag(id, &format!("v1.{release}.0"), text, at);
        }
    }

    /// Adds pipelines of the default branch, and a later one of another branch.
    fn pipelines(&mut self, id: ProjectId, planned: &Planned, truth: &mut ProjectTruth) {
        let count = self.dice.between(1, 5);
        let mut at = earlier(self.now, SignedDuration::from_hours(24 * 7));
        for _ in 0..count {
            at = self.dice.time(at, later(at, SignedDuration::from_hours(20)));
            let status = self.dice.pick(&["success", "success", "failed", "running", "canceled"]);
            let updated = later(at, SignedDuration::from_mins(7));
            let pipeline = NewPipeline::new(status).times(at, updated);
            let pipeline = self.world.add_pipeline(id, pipeline);
            truth.latest_pipeline = Some(LatestPipeline {
                id: pipeline,
                status: status.to_owned(),
                branch: planned.branch.to_owned(),
            });
        }
        let next = later(at, SignedDuration::from_hours(2));
        self.world
            .add_pipeline(id, NewPipeline::new("pending").branch("feature/next").times(next, next));
    }

    fn items(&mut self, id: ProjectId, planned: &Planned) {
        for iid in 1..=planned.issues {
            let finished = self.issue(planned, iid);
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
            if self.dice.chance(40) {
                issue = issue.closed_at(times.updated);
            }
            let number = self.world.add_issue(id, issue);
            self.finish(ItemRef::issue(id, number), &finished.draft, &times);
        }
        for iid in 1..=planned.merge_requests {
            let draft = self.merge_request(planned, iid);
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
            match self.dice.below(100) {
                0..55 => row = row.merged_at(times.updated),
                55..65 => row = row.closed_at(times.updated),
                _ => {}
            }
            let number = self.world.add_merge_request(id, row);
            self.finish(ItemRef::merge_request(id, number), &draft, &times);
        }
    }

    /// Adds the comments of an item, and everything about it to the truth.
    fn finish(&mut self, item: ItemRef, draft: &Draft, times: &Times) {
        let mut at = times.created;
        for comment in &draft.comments {
            at = self.dice.time(at, times.updated);
            let mut note = NewNote::new(&comment.body).author(comment.author).created_at(at);
            if comment.internal {
                note = note.internal();
            }
            if comment.system {
                note = note.system();
            }
            self.world.add_note(item, note);
        }
        let reference = draft.reference();
        for (key, value) in &draft.tags {
            self.tagged(key, value).items.insert(reference.clone());
        }
        for (mention, place) in &draft.mentions {
            self.truth
                .references
                .entry(mention.clone())
                .or_default()
                .entry(reference.clone())
                .or_default()
                .insert(*place);
        }
        self.truth.items.insert(
            reference,
            ItemTruth {
                project: draft.project.clone(),
                kind: draft.kind,
                iid: draft.iid,
                title: draft.title.clone(),
                confidential: draft.confidential,
            },
        );
    }

    fn tagged(&mut self, key: &'static str, value: &str) -> &mut Tagged {
        self.truth.tags.entry(key).or_default().entry(value.to_owned()).or_default()
    }

    /// Gives namesakes the service of their name, and items what their project carries.
    pub(super) fn inherit(&mut self, projects: &[Planned]) {
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for (name, _) in self.truth.services() {
            known.insert(match_key(name), name.clone());
        }
        let mut items: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let all: Vec<(String, String)> = self
            .truth
            .items
            .iter()
            .map(|(reference, item)| (item.project.clone(), reference.clone()))
            .collect();
        for (project, reference) in &all {
            items.entry(project).or_default().push(reference.clone());
        }
        for planned in projects {
            let mut services = planned.services.clone();
            if services.is_empty() {
                let names = [planned.last_segment(), &planned.name];
                let found = names.iter().find_map(|name| known.get(&match_key(name)));
                if let Some(service) = found {
                    self.tagged("service", service)
                        .projects
                        .insert(planned.path.clone(), Carried::Name);
                    services.push(service.clone());
                }
            }
            let below = items.get(planned.path.as_str()).cloned().unwrap_or_default();
            if let [service] = services.as_slice() {
                self.tagged("service", service).inherited.extend(below.iter().cloned());
            }
            if let Some(team) = planned.team {
                self.tagged("team", team).inherited.extend(below);
            }
        }
    }
}

/// When an item was made and last changed.
struct Times {
    created: Timestamp,
    updated: Timestamp,
}

impl Writer {
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
        let created = self.dice.time(moment(from), moment(from + step.saturating_sub(1).max(0)));
        let updated =
            if self.dice.chance(14) { self.bulk } else { self.dice.time(created, self.now) };
        Times { created, updated }
    }
}
