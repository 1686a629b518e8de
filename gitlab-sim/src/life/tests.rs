//! Life against itself, and the truth after it against a reader who knows nothing of the ledger.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::Generator;
use crate::truth::{Place, Truth, match_key};
use crate::world::{Caller, Item, ItemKind, Project};

fn organisation(seed: u64) -> (World, Ledger) {
    let now: Timestamp = "2026-11-22T12:00:00.123456Z".parse().unwrap();
    let generator = Generator {
        seed,
        projects: 20,
        issues_per_project: 10,
        merge_requests_per_project: 10,
        now,
    };
    let (world, ledger) = generator.organisation();
    world.clock().set(now);
    (world, ledger)
}

fn lived(seed: u64, steps: usize) -> (World, Ledger, Vec<Step>) {
    let (mut world, mut ledger) = organisation(seed);
    let weights = Weights::default().with(Deed::DeleteProject, 1);
    let mut life = Life::seeded(seed).weights(weights);
    let steps = (0..steps).map(|_| life.step(&mut world, &mut ledger)).collect();
    (world, ledger, steps)
}

fn whole(world: &World, ledger: &Ledger) -> Truth {
    ledger.truth(world, world.caller(Some(world.bot_token())).unwrap())
}

fn texts(project: &Project, kind: ItemKind, item: &Item) -> Vec<(Place, String)> {
    let mut texts = vec![(Place::Title, item.title.clone())];
    texts
        .extend(item.description.iter().map(|text| (Place::Description, text.read().into_owned())));
    if kind == ItemKind::MergeRequest {
        let branch = &project.merge_requests[&item.iid].source_branch;
        texts.push((Place::Branch, branch.clone()));
    }
    texts.extend(item.notes.iter().filter(|note| !note.system).map(|note| {
        let place = if note.internal { Place::InternalComment } else { Place::Comment };
        (place, note.body.clone())
    }));
    texts
}

/// What stands behind a start, up to the first character that is neither letter nor digit.
fn ids_behind<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    text.match_indices(start)
        .map(|(at, _)| {
            let rest = &text[at + start.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

#[test]
fn the_same_seed_does_the_same_things() {
    let (first, second) = (lived(3, 200), lived(3, 200));
    assert_eq!(first.2, second.2);
    assert_eq!(whole(&first.0, &first.1), whole(&second.0, &second.1));
    assert_ne!(first.2, lived(4, 200).2);
}

#[test]
fn every_deed_is_done_in_a_long_life() {
    let done: BTreeSet<Option<Deed>> =
        lived(1, 2_000).2.into_iter().map(|step| step.deed).collect();
    for deed in Deed::ALL {
        assert!(done.contains(&Some(*deed)), "{deed}");
    }
}

#[test]
fn a_life_of_one_deed_does_nothing_else() {
    let (mut world, mut ledger) = organisation(1);
    let mut life = Life::seeded(1).weights(Weights::only([Deed::Close]));
    for _ in 0..20 {
        assert_eq!(life.step(&mut world, &mut ledger).deed, Some(Deed::Close));
    }
    let mut idle = Life::seeded(1).weights(Weights::only([]));
    assert_eq!(idle.step(&mut world, &mut ledger).deed, None);
    let mut nowhere = Life::seeded(1);
    assert_eq!(nowhere.step(&mut World::new(), &mut Ledger::default()).deed, None);
}

#[test]
fn the_ledger_holds_nothing_of_what_is_gone() {
    for seed in 1..4 {
        let (world, ledger, steps) = lived(seed, 2_000);
        let mut pruned = ledger.clone();
        pruned.prune(&world);
        let last = steps.last().unwrap();
        assert_eq!(format!("{pruned:?}"), format!("{ledger:?}"), "after {last}");
        assert_eq!(whole(&world, &pruned), whole(&world, &ledger));
    }
}

#[test]
fn every_fact_after_a_long_life_is_about_something_that_exists() {
    for seed in 1..4 {
        let (world, ledger, _) = lived(seed, 2_000);
        let truth = whole(&world, &ledger);
        for item in truth.references.values().flat_map(|items| items.keys()) {
            assert!(truth.items.contains_key(item), "{item}");
        }
        for tagged in truth.tags.values().flat_map(|values| values.values()) {
            assert!(
                tagged.items.union(&tagged.inherited).all(|item| truth.items.contains_key(item))
            );
            assert!(tagged.projects.keys().all(|path| truth.projects.contains_key(path)));
        }
        let written: usize = world
            .projects()
            .filter(|row| !row.hidden && ledger.covers(&world, row))
            .map(|row| row.items().count())
            .sum();
        assert_eq!(truth.items.len(), written);
    }
}

/// Mentions of incidents and errors: once read off the texts, once as the truth tells them.
type Mentions = BTreeSet<(&'static str, String, String, Place)>;

fn mentions(world: &World, truth: &Truth) -> (Mentions, Mentions) {
    let (mut found, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    for project in world.projects().filter(|row| !row.hidden) {
        for (kind, item) in project.items() {
            let itself = format!("{}{}{}", project.full_path, kind.sigil(), item.iid);
            for (place, text) in texts(project, kind, item) {
                for (start, reference) in [
                    ("acme.pagerduty.com/incidents/", "pagerduty_incident"),
                    ("acme.sentry.io/issues/", "sentry_issue"),
                ] {
                    for id in ids_behind(&text, start) {
                        if !["PEXAMPLE1", "PHIDDEN1"].contains(&id) {
                            found.insert((reference, id.to_owned(), itself.clone(), place));
                        }
                    }
                }
            }
        }
    }
    for (reference, items) in &truth.references {
        if ["pagerduty_incident", "sentry_issue"].contains(&reference.kind) {
            for (item, places) in items {
                wanted.extend(
                    places
                        .iter()
                        .map(|place| (reference.kind, reference.id.clone(), item.clone(), *place)),
                );
            }
        }
    }
    (found, wanted)
}

#[test]
fn incidents_read_off_the_texts_after_a_long_life_are_those_of_the_truth() {
    for seed in 1..4 {
        let (world, ledger, steps) = lived(seed, 2_000);
        let (found, wanted) = mentions(&world, &whole(&world, &ledger));
        assert!(found.len() > 50, "{}", found.len());
        assert_eq!(found, wanted, "after {}", steps.last().unwrap());
    }
}

#[test]
fn the_truth_is_right_again_when_a_database_that_lagged_has_caught_up() {
    let (mut world, mut ledger) = organisation(6);
    world.set_commit_delay(SignedDuration::from_secs(90));
    let mut life = Life::seeded(6);
    for _ in 0..500 {
        life.step(&mut world, &mut ledger);
        world.catch_up();
    }
    assert!(world.unseen_changes() > 0, "the last changes wait");
    world.clock().advance(SignedDuration::from_secs(90));
    world.catch_up();
    assert_eq!(world.unseen_changes(), 0);
    let (found, wanted) = mentions(&world, &whole(&world, &ledger));
    assert_eq!(found, wanted);
}

#[test]
fn services_read_off_the_labels_after_a_long_life_are_those_of_the_truth() {
    let (world, ledger, _) = lived(2, 2_000);
    let truth = whole(&world, &ledger);
    let mut labelled = 0;
    for project in world.projects().filter(|row| !row.hidden) {
        for (kind, item) in project.items() {
            let itself = format!("{}{}{}", project.full_path, kind.sigil(), item.iid);
            let mut own = BTreeSet::new();
            for title in world.label_titles(&item.labels) {
                for start in ["service:", "svc/", "svc:", "Service: ", "app:"] {
                    own.extend(title.strip_prefix(start).map(match_key));
                }
            }
            labelled += own.len();
            for service in &own {
                let tagged = truth.tag("service", service);
                assert!(
                    tagged.is_some_and(|row| row.items.contains(&itself)),
                    "{itself} {service}"
                );
            }
            let text =
                item.description.as_ref().map(|text| match_key(&text.read())).unwrap_or_default();
            for (service, _) in truth.services().filter(|(_, row)| row.items.contains(&itself)) {
                let key = match_key(service);
                assert!(own.contains(&key) || text.contains(&key), "{itself} {service}");
            }
        }
    }
    assert!(labelled > 50, "{labelled}");
}

#[test]
fn callers_with_fewer_rights_are_told_a_part_of_the_truth() {
    let (mut world, ledger, _) = lived(5, 1_000);
    let all = whole(&world, &ledger);
    let visitor = world.add_user("visitor");
    let secret = world.add_token(visitor, &["read_api"], None);
    let signed_in = ledger.truth(&world, world.caller(Some(&secret)).unwrap());
    let nobody = ledger.truth(&world, Caller::Anonymous);
    let items = |truth: &Truth| truth.items.keys().cloned().collect::<BTreeSet<_>>();
    assert!(items(&nobody).is_subset(&items(&signed_in)));
    assert!(items(&signed_in).is_subset(&items(&all)));
    assert!(!nobody.items.is_empty() && nobody.items.len() < signed_in.items.len());
    assert!(signed_in.items.values().all(|item| !item.confidential));
    for places in nobody.references.values().flat_map(|items| items.values()) {
        assert!(!places.contains(&Place::Comment) && !places.contains(&Place::InternalComment));
    }
    assert!(world.caller(Some("glpat-unknown")).is_none());
    world.revoke(&secret);
    assert!(world.caller(Some(&secret)).is_none());
}

#[test]
fn short_references_follow_the_project_and_written_ones_stay() {
    use crate::truth::{Meaning, Reference, Said};
    use crate::world::{ItemRef, NewIssue, NewProject};

    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop/web"));
    let text = "See #2, and acme/shop/web#1.";
    let item =
        ItemRef::issue(project, world.add_issue(project, NewIssue::new("A").description(text)));
    let mut ledger = Ledger::default();
    let mentions = BTreeSet::from([
        Said::Near(ItemKind::Issue, 2),
        Said::Written(Reference::to_item("acme/shop/web", ItemKind::Issue, 1)),
    ]);
    ledger.edit_item(&world, item, |meaning| {
        meaning.description = Meaning { mentions, ..Meaning::default() };
    });
    let before = whole(&world, &ledger);
    assert!(before.mentions("gitlab_issue", "acme/shop/web#2").is_some());
    assert!(before.mentions("gitlab_issue", "acme/shop/web#1").is_none(), "that is itself");
    world.rename_project(project, "store");
    let after = whole(&world, &ledger);
    assert!(after.mentions("gitlab_issue", "acme/shop/store#2").is_some());
    let itself = after.mentions("gitlab_issue", "acme/shop/web#1").unwrap();
    assert!(itself.contains_key("acme/shop/store#1"), "another project may take the old path");
}

#[test]
fn a_clock_that_follows_the_system_is_not_moved() {
    let (mut world, mut ledger) = organisation(1);
    world.use_system_clock();
    let mut life = Life::seeded(1);
    life.step(&mut world, &mut ledger);
    assert!(!world.clock().stands_still());
    let weights = Weights::only([Deed::BulkEdit]);
    Life::seeded(1).weights(weights).step(&mut world, &mut ledger);
    let mut times = std::collections::BTreeMap::<Timestamp, usize>::new();
    for (_, item) in world.projects().flat_map(Project::items) {
        *times.entry(item.updated_at).or_default() += 1;
    }
    assert!(times.values().max().unwrap() >= &200, "one moment, although time goes on");
}
