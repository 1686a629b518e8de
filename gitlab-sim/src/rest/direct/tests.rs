//! Every row against its shape.

use std::sync::Arc;

use serde::Serialize;

use super::*;
use crate::hooks::{HookOptions, Registry};
use crate::rest::issues::IssueShape;
use crate::rest::kept::ProjectRows;
use crate::rest::merge_requests::{MergeRequestShape, View};
use crate::rest::query::Query;
use crate::rest::stale::Stale;
use crate::server::{Options, Site, Tier};
use crate::world::{
    Caller, ItemRef, MilestoneOwner, NewIssue, NewMergeRequest, NewNote, NewProject, ProjectId,
    SELF_URL, World,
};
use crate::{Bulk, Generator};

fn site(world: &World, tier: Tier, version: &str) -> Site {
    let url = "https://gitlab.example.com/a\"b".to_owned();
    let clock = world.clock().clone();
    let hooks = Arc::new(Registry::new(HookOptions::default(), clock, &url, version));
    let Options { blobs, graphql_fields, offset_ceiling, .. } = Options::default();
    Site {
        url,
        tier,
        version: version.to_owned(),
        blobs,
        graphql_fields,
        hooks,
        stale_lists: true,
        stale: Stale::default(),
        project_rows: ProjectRows::default(),
        constant_etag: false,
        offset_ceiling,
        projects_have_ceiling: false,
    }
}

/// Expects the same bytes as `serde_json` makes of the shapes.
fn same<'w, T: Listed, S: Serialize>(
    call: &'w Call<'w>,
    rows: &[Row<'w, T>],
    write: impl Fn(&mut Pen<'w>, &Row<'w, T>),
    shape: impl Fn(&Row<'w, T>) -> S,
) {
    let written = String::from_utf8(body(call, rows, write)).unwrap();
    let shapes: Vec<S> = rows.iter().map(shape).collect();
    assert_eq!(written, serde_json::to_string(&shapes).unwrap());
}

/// Compares the rows of all items, as every list can ask for them.
fn compare(world: &World) {
    for (tier, version) in [(Tier::Free, "19.6.0-ee"), (Tier::Premium, "18.2.1-ee")] {
        let site = site(world, tier, version);
        let token = world.token(world.bot_token()).unwrap();
        let caller = Caller::User { user: world.user(world.bot()).unwrap(), token };
        let call = Call { world, site: &site, caller, path: "", query: Query::parse("") };
        for project in world.projects() {
            let issues: Vec<_> = project.issues.values().map(|row| (project, row)).collect();
            let rows = project.merge_requests.values();
            let merge_requests: Vec<_> = rows.map(|row| (project, row)).collect();
            for details in [false, true] {
                for in_group in [None, Some(""), Some("acme"), Some("acme/odd")] {
                    same(
                        &call,
                        &issues,
                        |pen, row| write_issue(pen, *row, details, in_group),
                        |row| IssueShape::new(&call, *row, details, in_group),
                    );
                    for (simple, cached) in [(false, false), (false, true), (true, false)] {
                        let view = View { simple, details, in_group, cached };
                        same(
                            &call,
                            &merge_requests,
                            |pen, row| write_merge_request(pen, *row, view),
                            |row| MergeRequestShape::new(&call, *row, view),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn rows_of_a_generated_organisation_are_what_their_shapes_say() {
    let generator = Generator {
        seed: 11,
        projects: 12,
        issues_per_project: 15,
        merge_requests_per_project: 10,
        now: "2026-11-22T10:00:00Z".parse().unwrap(),
    };
    let (world, _) = generator.generate();
    compare(&world);
}

#[test]
fn rows_of_a_made_world_are_what_their_shapes_say() {
    let bulk = Bulk { projects: 3, issues: 40, merge_requests: 40, notes: 30, ..Bulk::default() };
    compare(&bulk.generate());
}

/// Changes a world so that every field has each of its forms somewhere.
fn odd_world() -> (World, ProjectId) {
    let mut world = World::new();
    let odd = world.add_project(NewProject::at("acme/odd/one"));
    let other = world.add_project(NewProject::at("acme/other"));
    let texts = ["", "plain", "\"quotes\" \\ \u{1}\n\t", "ü€🦀", "- [x] a\n- [ ] b\n- [X] c"];
    for text in texts {
        let text = format!("{text} {SELF_URL}/x");
        for labels in [vec![], vec!["b", "a"], vec!["z\"", "ä"]] {
            let new = NewIssue::new(&text).labels(labels.clone()).description(&text);
            let iid = world.add_issue(odd, new);
            world.add_note(ItemRef::issue(odd, iid), NewNote::new("x"));
            let new = NewMergeRequest::new(&format!("Draft: {text}")).labels(labels);
            world.add_merge_request(odd, new.description(&text));
        }
    }
    let people: Vec<_> = (0..150).map(|number| world.add_user(&format!("p{number}"))).collect();
    for (place, user) in people.iter().enumerate() {
        let iid = world.add_issue(odd, NewIssue::new("assigned"));
        let item = ItemRef::issue(odd, iid);
        world.edit(item, |row| row.assignees = people[place..].iter().take(3).copied().collect());
        world.edit(item, |row| row.author = *user);
    }
    world.close(ItemRef::issue(odd, 1), people[1]);
    world.move_issue(odd, 2, other);
    let nobody = crate::world::UserId::new(9_999);
    world.edit(ItemRef::issue(odd, 3), |row| {
        row.author = nobody;
        row.assignees = vec![nobody, people[0], nobody];
        row.description = None;
    });
    world.close(ItemRef::merge_request(odd, 1), people[1]);
    world.close_as_duplicate(ItemRef::issue(odd, 4), ItemRef::issue(odd, 5), people[2]);
    world.merge(odd, 2, people[1]);
    let fork = world.add_project(NewProject::at("ann/one").forked_from(odd));
    let closing = NewMergeRequest::new("from a fork").description("Closes #7").source_project(fork);
    let closing = world.add_merge_request(odd, closing);
    world.request_reviews(ItemRef::merge_request(odd, closing), people[..2].to_vec());
    let milestone = world.add_milestone(MilestoneOwner::Project(odd), "v1 \"first\"");
    for item in [ItemRef::issue(odd, 6), ItemRef::merge_request(odd, closing)] {
        world.set_milestone(item, Some(milestone));
    }
    world.edit(ItemRef::merge_request(odd, 3), |row| row.title = "no draft".to_owned());
    (world, odd)
}

#[test]
fn rows_with_odd_contents_are_what_their_shapes_say() {
    let (world, odd) = odd_world();
    let project = world.project(odd).unwrap();
    assert!(project.issues.values().any(|row| row.moved_to.is_some()));
    assert!(project.issues.values().any(|row| row.item.closed_at.is_some()));
    assert!(project.issues.values().any(|row| row.item.description.is_none()));
    assert!(project.issues.values().any(|row| row.item.milestone.is_some()));
    assert!(project.merge_requests.values().any(|row| row.source_project.is_some()));
    assert!(project.merge_requests.values().any(|row| !row.reviewers.is_empty()));
    for state in ["opened", "closed", "merged"] {
        assert!(project.merge_requests.values().any(|row| row.state() == state), "{state}");
    }
    compare(&world);
}
