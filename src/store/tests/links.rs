//! Links: kept with the item that tells them, found from both ends.

use super::build::{ALL, Index, ItemBuilder, PUBLIC, at, issue, merge_request, note, project};
use crate::correlate::links::{Change, Direction, LinkReading};
use crate::model::{Iid, ItemId, ItemKind, Link, LinkKind, LinkTarget, ProjectId, ShownLinks};
use crate::store::LinkOrigin;
use crate::store::read::Visibility;

fn at_place(text: &str) -> LinkTarget {
    LinkTarget::parse_place(text).expect("a place")
}

fn by_id(id: i64) -> LinkTarget {
    LinkTarget::Id { kind: ItemKind::Issue, id: ItemId::new(id) }
}

fn read(kind: LinkKind, to: LinkTarget, direction: Direction, change: Change) -> LinkReading {
    LinkReading { link: Link { kind, to }, direction, change }
}

/// Lets the description of an item tell a link.
fn telling(mut item: ItemBuilder, kind: LinkKind, to: &str) -> ItemBuilder {
    item.reading.links.push(read(kind, at_place(to), Direction::Outward, Change::Made));
    item
}

/// Lets GitLab's fields show links of an item.
fn showing(mut item: ItemBuilder, links: &[(LinkKind, LinkTarget)], whole: bool) -> ItemBuilder {
    let links = links.iter().map(|(kind, to)| Link { kind: *kind, to: to.clone() }).collect();
    item.item.links = ShownLinks { links, relations: whole };
    item
}

/// Writes the links of an item as `closes > 2`, `<` where the other stands so to it.
async fn links(index: &Index, item: &ItemBuilder, visibility: &Visibility) -> Vec<String> {
    let rows = index.store.list_links(index.item_key(item).await.0, visibility).await.unwrap();
    let mut written = Vec::new();
    for row in rows {
        let id =
            index.number(&format!("select gitlab_id from item where id = {}", row.other)).await;
        let arrow = if row.direction == Direction::Outward { '>' } else { '<' };
        let sure = if row.origin == LinkOrigin::Fields { "!" } else { "" };
        written.push(format!("{} {arrow} {id}{sure}", row.kind.as_str()));
    }
    written
}

#[tokio::test]
async fn merge_request_is_found_from_the_incident_that_its_issue_mentions() {
    let index = Index::new().await;
    let key = index.project(&project(1, "Shop/Webshop")).await;
    let closing = telling(merge_request(9), LinkKind::Closes, "shop/webshop#2");
    index.items(key, std::slice::from_ref(&closing)).await;
    assert!(links(&index, &closing, &ALL).await.is_empty(), "the issue is not there yet");
    let mentioning = issue(2).mentions("servicenow", "INC-1");
    index.items(key, std::slice::from_ref(&mentioning)).await;
    assert_eq!(links(&index, &closing, &ALL).await, ["closes > 2"]);
    assert_eq!(links(&index, &mentioning, &ALL).await, ["closes < 9"]);

    let mut linked = Vec::new();
    for id in index.mentioning("servicenow", "INC-1", &ALL).await {
        assert_eq!(id, 2);
        linked.extend(links(&index, &mentioning, &ALL).await);
    }
    assert_eq!(linked, ["closes < 9"]);
}

#[tokio::test]
async fn place_by_a_former_path_leads_to_where_the_project_is_now() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/old")).await;
    let (one, two) = (telling(issue(1), LinkKind::Mentions, "shop/old#2"), issue(2));
    index.items(key, &[one.clone(), two.clone()]).await;
    index.project(&project(1, "shop/new")).await;
    assert_eq!(links(&index, &one, &ALL).await, ["mentions > 2"]);
    assert_eq!(links(&index, &two, &ALL).await, ["mentions < 1"]);
    // Another project takes the path: it is meant from now on.
    let other = index.project(&project(2, "shop/old")).await;
    assert!(links(&index, &one, &ALL).await.is_empty());
    assert!(links(&index, &two, &ALL).await.is_empty());
    let mut three = issue(3);
    three.item.iid = Iid::new(2);
    index.items(other, &[three.clone()]).await;
    assert_eq!(links(&index, &one, &ALL).await, ["mentions > 3"]);
    assert_eq!(links(&index, &three, &ALL).await, ["mentions < 1"]);
}

#[tokio::test]
async fn shown_links_follow_gitlab_though_the_item_is_the_same() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let number =
        LinkTarget::Number { project: ProjectId::new(1), kind: ItemKind::Issue, iid: Iid::new(3) };
    let shown = [
        (LinkKind::IsBlockedBy, by_id(2)),
        (LinkKind::DuplicateOf, number),
        (LinkKind::MovedTo, by_id(77)),
    ];
    let items = [showing(issue(1), &shown, true), issue(2), issue(3)];
    index.items(key, &items).await;
    assert_eq!(links(&index, &items[0], &ALL).await, ["is_blocked_by > 2!", "duplicate_of > 3!"]);
    assert_eq!(links(&index, &items[1], &ALL).await, ["blocks > 1!"]);
    assert_eq!(links(&index, &items[2], &ALL).await, ["duplicate_of < 1!"]);
    let before = index.store.generation().await.unwrap();
    index.items(key, &items).await;
    assert_eq!(index.store.generation().await.unwrap(), before, "nothing is new");

    // The same item as REST shows it, and then whole and without: its digest is the same.
    let write = |links: ShownLinks| {
        let mut write = items[0].write(key);
        write.item.links = links;
        write
    };
    let none = ShownLinks::default();
    for (links_of, expected) in [
        (none.clone(), vec!["is_blocked_by > 2!"]),
        (ShownLinks { relations: true, ..none }, vec![]),
    ] {
        let page = [write(links_of)];
        index.store.apply_items(&index.run, &page, &crate::store::Moves::Nothing).await.unwrap();
        assert_eq!(links(&index, &items[0], &ALL).await, expected);
    }
}

#[tokio::test]
async fn relation_that_a_later_note_takes_away_is_gone() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let items = [issue(1), issue(2), issue(3)];
    index.items(key, &items).await;
    let said = |id, kind, to: &str, change| {
        let mut note = note(id, false, &[]);
        note.links.push(read(kind, at_place(to), Direction::Outward, change));
        note
    };
    let made = said(10, LinkKind::IsBlockedBy, "shop/webshop#2", Change::Made);
    let other = said(11, LinkKind::RelatesTo, "shop/webshop#3", Change::Made);
    let removed = said(12, LinkKind::RelatesTo, "shop/webshop#2", Change::Removed);
    index.notes(&items[0], &[made.clone(), other.clone()], at(50)).await;
    assert_eq!(links(&index, &items[0], &ALL).await, ["relates_to > 3", "is_blocked_by > 2"]);
    index.notes(&items[0], &[removed, other, made], at(60)).await;
    assert_eq!(links(&index, &items[0], &ALL).await, ["relates_to > 3"]);
    assert_eq!(links(&index, &items[2], &ALL).await, ["relates_to > 1"]);
    index.store.forget_notes(index.run.source).await.unwrap();
    assert!(links(&index, &items[0], &ALL).await.is_empty());
}

#[tokio::test]
async fn who_shows_all_its_relations_decides_over_notes_and_the_other_end() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let related = [(LinkKind::RelatesTo, by_id(2)), (LinkKind::RelatesTo, by_id(3))];
    let crowded = showing(issue(1), &related, false);
    let (two, three) = (issue(2), issue(3));
    index.items(key, &[crowded.clone(), two.clone(), three.clone()]).await;
    let mut told = note(10, false, &[]);
    let to = at_place("shop/webshop#2");
    told.links.push(read(LinkKind::RelatesTo, to, Direction::Outward, Change::Made));
    index.notes(&three, &[told], at(50)).await;
    assert_eq!(links(&index, &two, &ALL).await, ["relates_to > 1!", "relates_to > 3"]);

    let before = index.store.generation().await.unwrap();
    index.items(key, &[showing(two.clone(), &[], true)]).await;
    assert!(index.store.generation().await.unwrap() > before, "answers changed");
    assert!(links(&index, &two, &ALL).await.is_empty());
    assert_eq!(links(&index, &crowded, &ALL).await, ["relates_to > 3!"]);
    assert_eq!(links(&index, &three, &ALL).await, ["relates_to > 1!"]);

    // REST shows none, which says nothing of an item that is as old as before.
    index.items(key, std::slice::from_ref(&two)).await;
    assert!(links(&index, &two, &ALL).await.is_empty());
    // From a newer one on, whatever says so counts again.
    let mut newer = two.clone();
    newer.item.updated_at += jiff::SignedDuration::from_secs(5);
    index.items(key, &[newer]).await;
    assert_eq!(links(&index, &two, &ALL).await, ["relates_to > 1!", "relates_to > 3"]);
}

#[tokio::test]
async fn link_is_shown_only_to_those_who_may_see_its_other_end_and_its_text() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let far = index.project(&project(2, "ops/tools")).await;
    let one = telling(issue(1), LinkKind::Mentions, "shop/webshop#2");
    let one = telling(one, LinkKind::Mentions, "ops/tools#3");
    let items = [one, issue(2).confidential(), issue(4)];
    index.items(key, &items).await;
    index.items(far, &[issue(3)]).await;
    let mut internal = note(10, true, &[]);
    let to = at_place("shop/webshop#4");
    internal.links.push(read(LinkKind::Mentions, to, Direction::Outward, Change::Made));
    index.notes(&items[0], &[internal], at(50)).await;

    let mut seen = links(&index, &items[0], &ALL).await;
    seen.sort();
    assert_eq!(seen, ["mentions > 2", "mentions > 3", "mentions > 4"]);
    assert_eq!(links(&index, &items[0], &PUBLIC).await, ["mentions > 3"]);
    let shop = index.store.visibility(true, Some(&["shop".to_owned()])).await.unwrap();
    assert_eq!(links(&index, &items[0], &shop).await, ["mentions > 2", "mentions > 4"]);
    assert!(links(&index, &items[2], &PUBLIC).await.is_empty());
}
