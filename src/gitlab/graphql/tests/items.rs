//! Items and comments by GraphQL against what REST says of them.

use std::collections::BTreeMap;

use gitlab_sim::world::{
    IssueType, ItemRef, NewIssue, NewMergeRequest, NewNote, NewProject, Visibility,
};
use gitlab_sim::{Generator, Options, World};
use jiff::{Timestamp, Unit};

use super::{client, serve};
use crate::gitlab::{
    Client, Fetched, ItemOrder, ItemQuery, ItemWithNotes, ItemsQuery, Place, Scope,
};
use crate::model::{GroupId, Iid, Item, ItemId, ItemKind, Note, ProjectId, ShownLinks};

const KINDS: [ItemKind; 2] = [ItemKind::Issue, ItemKind::MergeRequest];

fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).expect("a whole second")
}

/// Writes an item as GraphQL has it: in whole seconds. The order of labels is each interface's own,
/// and so are the links.
fn coarse(mut item: Item) -> Item {
    item.created_at = second(item.created_at);
    item.updated_at = second(item.updated_at);
    item.closed_at = item.closed_at.map(second);
    item.merged_at = item.merged_at.map(second);
    item.labels.sort();
    item.links = ShownLinks::default();
    item
}

fn coarse_notes(notes: Vec<Note>) -> Vec<Note> {
    let whole = |note: Note| Note {
        created_at: second(note.created_at),
        updated_at: second(note.updated_at),
        ..note
    };
    notes.into_iter().map(whole).collect()
}

async fn by_rest(client: &Client, kind: ItemKind, scope: Scope) -> BTreeMap<ItemId, Item> {
    let query = ItemQuery { archived: true, ..ItemQuery::default() };
    let mut page = client.items(kind, scope, &query).await.expect("a page");
    let mut items = BTreeMap::new();
    loop {
        items.extend(page.items.into_iter().map(|item| (item.id, coarse(item))));
        let Some(next) = page.next else { return items };
        page = client.follow_items(kind, &next).await.expect("a page");
    }
}

async fn by_graphql(client: &Client, query: ItemsQuery<'_>) -> Vec<ItemWithNotes> {
    let mut after = None;
    let mut items = Vec::new();
    loop {
        let query = ItemsQuery { after: after.as_ref(), ..query };
        let page = client.items_page(&query).await.expect("an answer");
        let Fetched::Whole(page) = page else { panic!("{page:?}") };
        for item in page.items {
            let Fetched::Whole(item) = item else { panic!("{item:?}") };
            items.push(item);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return items,
        }
    }
}

async fn all_notes(client: &Client, row: &ItemWithNotes) -> Vec<Note> {
    let mut notes = row.notes.clone().expect("comments are shown");
    let mut more = row.more_notes.clone();
    while let Some(after) = more {
        let page = client.notes_page(row.item.kind, row.item.id, Some(&after)).await;
        let Ok(Fetched::Whole(page)) = page else { panic!("{page:?}") };
        notes.extend(page.notes);
        more = page.next;
    }
    notes
}

fn everywhere(kind: ItemKind, place: Place<'_>) -> ItemsQuery<'_> {
    ItemsQuery::all(kind, place, ItemOrder::Updated)
}

/// Requires that both interfaces say the same of all items of a place, and of their comments.
async fn compare(client: &Client, place: Place<'_>, scope: Scope) -> usize {
    let mut seen = 0;
    for kind in KINDS {
        let wanted = by_rest(client, kind, scope).await;
        let found = by_graphql(client, everywhere(kind, place)).await;
        assert_eq!(found.len(), wanted.len(), "{place:?} {kind:?}");
        assert!(found.is_sorted_by_key(|row| row.item.updated_at), "oldest change first");
        for row in found {
            assert_eq!(coarse(row.item.clone()), wanted[&row.item.id]);
            let notes = client.notes(row.item.project, kind, row.item.iid).await;
            let notes = coarse_notes(notes.expect("comments"));
            assert_eq!(all_notes(client, &row).await, notes, "{:?}", row.item.web_url);
            seen += notes.len();
        }
    }
    seen
}

#[tokio::test]
async fn both_interfaces_say_the_same_of_every_item() {
    let generator = Generator {
        seed: 3,
        projects: 6,
        issues_per_project: 30,
        merge_requests_per_project: 30,
        ..Generator::default()
    };
    let (world, truth) = generator.generate();
    let group = world.find_group(&truth.group).expect("the group").id;
    let project = world.projects().next().expect("a project");
    let (project, path) = (project.id, project.full_path.clone());
    let gitlab = serve(world, Options::default()).await;
    let client = client(&gitlab);
    let scope = Scope::Group(GroupId::new(i64::try_from(group.get()).expect("small")));
    let comments = compare(&client, Place::Group(&truth.group), scope).await;
    assert!(comments > 50, "{comments}");
    let scope = Scope::Project(ProjectId::new(i64::try_from(project.get()).expect("small")));
    compare(&client, Place::Project(&path), scope).await;
    gitlab.stop().await;
}

/// A project with an issue of each odd kind and more comments than one page holds.
fn odd_world() -> World {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop").visibility(Visibility::Private));
    let labels: Vec<String> = (0..30).map(|number| format!("label-{number}")).collect();
    world.add_issue(project, NewIssue::new("bare"));
    world.add_issue(
        project,
        NewIssue::new("secret").confidential(true).issue_type(IssueType::Incident).labels(&labels),
    );
    let busy = world.add_issue(project, NewIssue::new("busy").description("see\nthere"));
    for number in 0..230 {
        let note = NewNote::new(&format!("comment {number}"));
        let note = if number % 7 == 0 { note.system() } else { note };
        let note = if number % 11 == 0 { note.internal() } else { note };
        world.add_note(ItemRef::issue(project, busy), note);
    }
    world.add_merge_request(project, NewMergeRequest::new("Draft: x").source_branch("WEB-1"));
    world
}

#[tokio::test]
async fn odd_items_and_long_discussions_come_whole() {
    let gitlab = serve(odd_world(), Options::default()).await;
    let client = client(&gitlab);
    let project = Scope::Project(ProjectId::new(1));
    assert_eq!(compare(&client, Place::Project("acme/shop"), project).await, 230);
    gitlab.stop().await;
}

#[tokio::test]
async fn items_are_filtered_by_time_and_absent_places_are_told_from_empty_ones() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let at = |hour: i64| Timestamp::from_second(1_790_000_000 + 3_600 * hour).expect("a time");
    for hour in 0..10 {
        let issue = NewIssue::new("one").created_at(at(hour)).updated_at(at(hour));
        world.add_issue(project, issue);
    }
    let gitlab = serve(world, Options::default()).await;
    let client = client(&gitlab);
    let query = ItemsQuery {
        from: Some(at(3)),
        until: Some(at(6)),
        ..everywhere(ItemKind::Issue, Place::Group("acme"))
    };
    let found = by_graphql(&client, query).await;
    assert_eq!(
        found.iter().map(|row| row.item.iid).collect::<Vec<_>>(),
        [4, 5, 6, 7].map(Iid::new)
    );
    let last = found.last().expect("an item");
    assert!(last.watermark() < last.item.updated_at.round(Unit::Second).expect("a time"));
    let nothing = by_graphql(&client, everywhere(ItemKind::MergeRequest, Place::Group("acme")));
    assert_eq!(nothing.await, []);
    for place in [Place::Group("acme/nope"), Place::Project("acme/nope")] {
        let answer = client.items_page(&everywhere(ItemKind::Issue, place)).await;
        assert_eq!(answer.expect("an answer"), Fetched::Absent);
    }
    let absent = client.notes_page(ItemKind::Issue, ItemId::new(4_711), None).await;
    assert_eq!(absent.expect("an answer"), Fetched::Absent);
    gitlab.stop().await;
}

#[tokio::test]
async fn instance_tells_version_user_and_limit() {
    let gitlab = serve(World::new(), Options::default()).await;
    let client = client(&gitlab);
    let instance = client.graphql_instance().await.expect("an answer");
    assert_eq!(instance.version.as_ref().expect("a version").version, "19.6.0-ee");
    assert_eq!(instance.username.as_deref(), Some("xrefd-bot"));
    assert!(instance.user_id.is_some());
    assert_eq!(instance.complexity_limit, Some(250));
    assert_eq!(client.capabilities().version, instance.version);
    gitlab.stop().await;
}
