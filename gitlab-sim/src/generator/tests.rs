//! The generator against itself: same seed same world, and a truth that fits what was written.

use std::collections::BTreeSet;

use super::*;
use crate::truth::{ItemKind, Place, match_key};
use crate::world::ItemRef;

fn small(seed: u64) -> Generator {
    Generator {
        seed,
        projects: 24,
        issues_per_project: 12,
        merge_requests_per_project: 12,
        now: "2026-11-22T12:00:00.123456Z".parse().unwrap(),
    }
}

/// Lists every item with its texts: title, description, branch, comments.
fn texts(world: &World) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for project in world.projects() {
        let issues = project.issues.values().map(|issue| (ItemKind::Issue, &issue.item, ""));
        let merge_requests = project
            .merge_requests
            .values()
            .map(|row| (ItemKind::MergeRequest, &row.item, row.source_branch.as_str()));
        for (kind, item, branch) in issues.chain(merge_requests) {
            let description =
                item.description.as_ref().map(crate::world::Text::read).unwrap_or_default();
            let mut text = format!("{}\n{description}\n{branch}\n", item.title);
            for note in item.notes.iter().filter(|note| !note.system) {
                text.push_str(&note.body);
                text.push('\n');
            }
            let sigil = kind.sigil();
            all.push((format!("{}{sigil}{}", project.full_path, item.iid), text));
        }
    }
    all
}

#[test]
fn the_same_seed_writes_the_same_organisation() {
    let (first, second) = (small(5).generate(), small(5).generate());
    assert_eq!(texts(&first.0), texts(&second.0));
    assert_eq!(first.1.references, second.1.references);
    assert_eq!(first.1.tags, second.1.tags);
    assert_ne!(texts(&first.0), texts(&small(6).generate().0));
}

#[test]
fn every_item_of_the_world_is_in_the_truth_and_the_other_way_round() {
    let (world, truth) = small(1).generate();
    let written: BTreeSet<String> = texts(&world).into_iter().map(|(item, _)| item).collect();
    let known: BTreeSet<String> = truth.items.keys().cloned().collect();
    assert_eq!(written, known);
    assert_eq!(truth.projects.len(), 24);
    for (path, project) in &truth.projects {
        let row = world.find_project(path).unwrap();
        assert_eq!(row.id.get(), project.id);
        assert_eq!(row.archived, project.archived);
        assert_eq!(row.files.is_empty(), project.empty);
        if let Some(file) = project.codeowners {
            assert!(row.files.contains_key(file), "{path} has {file}");
        }
    }
}

#[test]
fn every_mentioned_item_of_the_instance_exists() {
    let (world, truth) = small(2).generate();
    let mut seen = 0;
    for reference in truth.references.keys() {
        let (kind, mark) = match reference.kind {
            "gitlab_issue" => (ItemKind::Issue, '#'),
            "gitlab_merge_request" => (ItemKind::MergeRequest, '!'),
            _ => continue,
        };
        let (path, iid) = reference.id.split_once(mark).unwrap();
        let project = world.find_project(path).unwrap_or_else(|| panic!("{path} exists")).id;
        let item = ItemRef { project, kind, iid: iid.parse().unwrap() };
        assert!(world.item(item).is_some(), "{} exists", reference.id);
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn every_item_that_mentions_or_carries_something_exists() {
    let (_, truth) = small(3).generate();
    for item in truth.references.values().flat_map(|items| items.keys()) {
        assert!(truth.items.contains_key(item), "{item}");
    }
    for tagged in truth.tags.values().flat_map(|values| values.values()) {
        for item in tagged.items.iter().chain(&tagged.inherited) {
            assert!(truth.items.contains_key(item), "{item}");
        }
        for project in tagged.projects.keys() {
            assert!(truth.projects.contains_key(project), "{project}");
        }
    }
}

#[test]
fn what_the_truth_says_is_written_stands_in_the_text() {
    let (world, truth) = small(4).generate();
    let texts: BTreeMap<String, String> = texts(&world).into_iter().collect();
    for (reference, items) in &truth.references {
        // The last part of an id is written in every form.
        let part = reference.id.rsplit(['#', '!', '/', '-']).next().unwrap().to_lowercase();
        let part = part.rsplit('.').next().unwrap();
        for item in items.keys() {
            let text = texts[item].to_lowercase();
            assert!(text.contains(part), "{item} mentions {reference:?}:\n{text}");
        }
    }
}

#[test]
fn ids_of_the_traps_are_in_no_truth() {
    for seed in 0..4 {
        let (world, truth) = small(seed).generate();
        for reference in truth.references.keys() {
            for trap in ["900", "PHIDDEN", "PVENDOR", "PEXAMPLE", "C0TRIAGE", "C0INCIDENT"] {
                let number = reference.id.rsplit(['-', '#', '!']).next().unwrap();
                let hit = if trap == "900" {
                    matches!(reference.kind, "jira" | "gitlab_issue" | "gitlab_merge_request")
                        && number.len() == 4
                        && number.starts_with(trap)
                } else {
                    reference.id.contains(trap)
                };
                assert!(!hit, "{reference:?}");
            }
            assert_ne!(reference.id, "acme/platform/handbook#1");
            assert!(!reference.id.ends_with("runbooks/incident-response"));
        }
        let all: String = texts(&world).into_iter().map(|(_, text)| text).collect();
        assert!(all.contains("PEXAMPLE1") && all.contains("-9003"), "the traps are set");
    }
}

#[test]
fn no_title_and_no_prose_names_a_service() {
    let (_, truth) = small(7).generate();
    let mut words: Vec<&str> = Vec::new();
    words.extend(names::PROBLEMS);
    words.extend(names::TASKS);
    words.extend(names::SENTENCES);
    words.extend(names::REMARKS);
    for domain in &DOMAINS {
        for service in domain.services.iter().chain([&plan::LABELLED_ONLY]) {
            for text in &words {
                assert!(!match_key(text).contains(&match_key(service)), "{service} in {text}");
            }
        }
    }
    assert!(truth.services().len() > 10);
}

#[test]
fn all_shapes_of_evidence_occur() {
    let (_, truth) = Generator { projects: 50, ..small(1) }.generate();
    let kinds: BTreeSet<&str> = truth.references.keys().map(|reference| reference.kind).collect();
    for kind in [
        "aws_arn",
        "cve",
        "datadog_incident",
        "datadog_monitor",
        "gitlab_alert",
        "gitlab_issue",
        "gitlab_merge_request",
        "grafana_dashboard",
        "incident_io_incident",
        "jira",
        "pagerduty_incident",
        "runbook_url",
        "sentry_issue",
        "servicenow_number",
        "servicenow_record",
        "slack_message",
    ] {
        assert!(kinds.contains(kind), "{kind}");
    }
    let places: BTreeSet<Place> =
        truth.references.values().flat_map(BTreeMap::values).flatten().copied().collect();
    assert_eq!(places.len(), 5, "{places:?}");
    for key in ["service", "team", "component", "severity", "priority", "environment", "tier"] {
        let least = if key == "tier" { 1 } else { 2 };
        assert!(truth.tags_of(key).len() >= least, "{key}");
    }
    let mut named = truth.services().flat_map(|(_, tagged)| tagged.projects.values());
    assert!(named.any(|carried| *carried == crate::truth::Carried::Name));
    let gift_cards = truth.tag("service", "Gift Cards").unwrap();
    assert!(gift_cards.projects.contains_key("acme/shop/gift-cards"));
    assert!(!gift_cards.items.is_empty() && !gift_cards.inherited.is_empty());
}

#[test]
fn a_project_with_two_services_passes_none_on() {
    let (_, truth) = small(1).generate();
    let (path, _) = truth.projects.iter().find(|(path, _)| path.contains("/mono-")).unwrap();
    let holders: Vec<_> =
        truth.services().filter(|(_, tagged)| tagged.projects.contains_key(path)).collect();
    assert_eq!(holders.len(), 2);
    for (_, tagged) in truth.services() {
        assert!(!tagged.inherited.iter().any(|item| truth.items[item].project == *path));
    }
}

#[test]
fn many_items_share_the_moment_of_the_bulk_edit() {
    let (world, _) = small(1).generate();
    let mut times: BTreeMap<Timestamp, usize> = BTreeMap::new();
    let now = small(1).now;
    for project in world.projects() {
        let issues = project.issues.values().map(|issue| &issue.item);
        for item in issues.chain(project.merge_requests.values().map(|row| &row.item)) {
            assert!(item.created_at <= item.updated_at && item.updated_at <= now);
            assert!(item.notes.iter().all(|note| note.created_at <= item.updated_at));
            *times.entry(item.updated_at).or_default() += 1;
        }
    }
    assert!(times.values().max().unwrap() > &30);
}

#[test]
fn readers_without_rights_get_a_smaller_truth() {
    let (_, truth) = small(1).generate();
    let open = truth.clone().without_confidential();
    assert!(open.items.len() < truth.items.len());
    assert!(open.items.values().all(|item| !item.confidential));
    let living = truth.clone().without_archived();
    assert!(living.projects.len() < truth.projects.len());
    assert!(living.items.values().all(|item| !item.project.contains("/attic-")));
    assert_eq!(
        living.services().filter(|(_, tagged)| tagged.projects.is_empty()).count(),
        0,
        "archived projects make no service known"
    );
}

#[test]
fn odd_sizes_are_written_too() {
    for (projects, issues, merge_requests) in [(0, 0, 0), (1, 1, 0), (3, 0, 2), (9, 1, 1)] {
        for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let (world, truth) = Generator {
                seed: 1,
                projects,
                issues_per_project: issues,
                merge_requests_per_project: merge_requests,
                now,
            }
            .generate();
            assert_eq!(world.projects().count(), projects);
            assert_eq!(truth.projects.len(), projects);
        }
    }
}
