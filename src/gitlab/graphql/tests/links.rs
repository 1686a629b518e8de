//! Links of issues as GraphQL and REST show them, against the simulated GitLab's own.

use std::collections::{BTreeMap, BTreeSet};

use gitlab_sim::Options;
use gitlab_sim::World;
use gitlab_sim::world::{ItemRef, LinkKind as Kind, NewIssue, NewProject, Visibility};

use super::{client, serve};
use crate::gitlab::{Fetched, ItemOrder, ItemQuery, ItemsQuery, Place, Scope};
use crate::model::{ItemKind, LinkTarget, ProjectId, ShownLinks};

fn written(links: &ShownLinks, numbers: &BTreeMap<i64, i64>) -> BTreeSet<String> {
    let far = |to: &LinkTarget| match to {
        LinkTarget::Id { id, .. } => numbers[&id.get()],
        LinkTarget::Number { iid, .. } => iid.get(),
        LinkTarget::Place { .. } => panic!("fields name ids, not {to:?}"),
    };
    links.links.iter().map(|link| format!("{} {}", link.kind.as_str(), far(&link.to))).collect()
}

#[tokio::test]
async fn fields_of_links_say_what_gitlab_keeps() {
    let mut world = World::new();
    let user = world.bot();
    let shop = world.add_project(NewProject::at("acme/shop").visibility(Visibility::Public));
    for title in ["one", "two", "three", "four", "five"] {
        world.add_issue(shop, NewIssue::new(title));
    }
    let issue = |iid| ItemRef::issue(shop, iid);
    world.link_issues(issue(1), issue(2), Kind::RelatesTo).expect("a link");
    world.link_issues(issue(1), issue(3), Kind::Blocks).expect("a link");
    assert!(world.close_as_duplicate(issue(4), issue(1), user));
    let gitlab = serve(world, Options::default()).await;
    let client = client(&gitlab);

    let query = ItemsQuery::all(ItemKind::Issue, Place::Project("acme/shop"), ItemOrder::Created);
    let Ok(Fetched::Whole(page)) = client.items_page(&query).await else { panic!("no page") };
    let mut items = Vec::new();
    for item in page.items {
        let Fetched::Whole(item) = item else { panic!("{item:?}") };
        items.push(item.item);
    }
    let numbers: BTreeMap<i64, i64> =
        items.iter().map(|item| (item.id.get(), item.iid.get())).collect();
    let expected: [&[&str]; 5] = [
        &["blocks 3", "relates_to 2"],
        &["relates_to 1"],
        &["is_blocked_by 1"],
        &["duplicate_of 1"],
        &[],
    ];
    for (item, expected) in items.iter().zip(expected) {
        let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(written(&item.links, &numbers), expected, "#{}", item.iid);
        assert!(item.links.relations, "#{}", item.iid);
    }

    let project = ProjectId::new(items[0].project.get());
    let page = client.items(ItemKind::Issue, Scope::Project(project), &ItemQuery::default()).await;
    for item in page.expect("a page").items {
        let expected = if item.iid.get() == 4 { vec!["duplicate_of 1".to_owned()] } else { vec![] };
        assert_eq!(written(&item.links, &numbers), expected.into_iter().collect(), "{}", item.iid);
        assert!(!item.links.relations, "REST shows no relations with the issue");
    }
    gitlab.stop().await;
}
