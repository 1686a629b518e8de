//! What a second sync makes of a GitLab that changed since the first, or under it: the same index
//! as one that is made anew.

mod support;

#[path = "second_sync/changes.rs"]
mod changes;

#[path = "second_sync/comments.rs"]
mod comments;

#[path = "second_sync/links.rs"]
mod links;

#[path = "second_sync/plan.rs"]
mod plan;

#[path = "second_sync/removal.rs"]
mod removal;

#[path = "second_sync/roots.rs"]
mod roots;

#[path = "second_sync/transports.rs"]
mod transports;

use gitlab_sim::world::{
    AccessLevel, ItemRef, NewIssue, NewMergeRequest, NewNote, NewProject, ProjectId, Visibility,
    World,
};
use gitlab_sim::{Generator, GitLab, Options};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::facts::{Facts, assert_same};
use support::shop::{self, Shop};
use support::{Bench, Index, MEMBER, address, content, mischief};
use xrefd::crawl::Pass;

/// Reads GitLab into a new index, and writes that down.
async fn anew(gitlab: &GitLab, token: &str) -> Facts {
    let bench = Bench::new(gitlab, "acme", "", &shop::sections()).with_token(token);
    let index = bench.open().await;
    index.sync().await;
    let facts = content::of(&index).await;
    index.close().await;
    facts
}

/// Requires that an index, once settled, holds what one made anew holds.
async fn check(what: &str, gitlab: &GitLab, index: &Index) {
    index.settle().await;
    let wanted = anew(gitlab, gitlab.token()).await;
    assert_same(what, &wanted, &content::of(index).await);
}

/// Serves a world, and reads it once.
async fn read_once(world: World) -> (GitLab, Bench, Index) {
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let index = bench.open().await;
    index.sync().await;
    (gitlab, bench, index)
}

#[tokio::test]
async fn a_sync_of_an_unchanged_gitlab_writes_nothing() {
    let shop = Shop::open().await;
    let before = content::of(&shop.index).await;
    let generation = shop.index.store.generation().await.expect("it can be read");
    shop.gitlab.forget_requests();
    let summary = shop.index.sync().await;
    assert_eq!(summary.removed, 0);
    assert_eq!(shop.gitlab.requests_for("/notes"), 0, "no comment is read again");
    let after = shop.index.store.generation().await.expect("it can be read");
    assert_eq!(after - generation, 1, "only the end of the sync is news");
    assert_same("after an idle sync", &before, &content::of(&shop.index).await);
}

#[tokio::test]
async fn a_renamed_or_moved_project_keeps_answering_to_its_old_paths() {
    let shop = Shop::open().await;
    let webshop = shop.projects.webshop;
    assert!(shop.gitlab.world().rename_project(webshop, "storefront"));
    shop.index.sync().await;
    assert!(shop.gitlab.world().transfer_project(webshop, "acme/web"));
    shop.index.sync().await;
    let former = Facts::from([
        "acme/shop/storefront is now acme/web/storefront".to_owned(),
        "acme/shop/webshop is now acme/web/storefront".to_owned(),
    ]);
    assert_eq!(content::former_paths(&shop.index).await, former);
    let api = shop.index.api(Some(MEMBER));
    let present = api.single("/v1/projects/acme%2Fweb%2Fstorefront").await;
    assert_eq!(present["path"], "acme/web/storefront");
    let base = shop.gitlab.url();
    for old in ["acme%2Fshop%2Fwebshop", "acme%2Fshop%2Fstorefront", "Acme%2FShop%2FWebshop"] {
        assert_eq!(api.single(&format!("/v1/projects/{old}")).await, present, "{old}");
    }
    let url = format!("{base}/acme/shop/webshop/-/merge_requests/1");
    let found = api.single(&format!("/v1/resolve?url={url}")).await;
    assert_eq!(found["items"][0]["reference"], "acme/web/storefront!1", "{found}");
    check("after a rename and a move", &shop.gitlab, &shop.index).await;
}

#[tokio::test]
async fn a_path_that_another_project_took_over_is_the_others() {
    let shop = Shop::open().await;
    {
        let mut world = shop.gitlab.world();
        assert!(world.rename_project(shop.projects.webshop, "storefront"));
        world.add_project(NewProject::at("acme/shop/webshop").topics(["service-successor"]));
    }
    shop.index.sync().await;
    let api = shop.index.api(Some(MEMBER));
    let taken = api.single("/v1/projects/acme%2Fshop%2Fwebshop").await;
    assert_eq!(taken["tags"][0]["value"], "successor", "{taken}");
    check("after a path was taken over", &shop.gitlab, &shop.index).await;
}

/// An organisation at the present time, so that GitLab's minute and our two count.
fn fresh_world() -> (World, ProjectId) {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop/webshop").topics(["service-web"]));
    for number in 0..3 {
        let issue = world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
        world.add_note(ItemRef::issue(project, issue), NewNote::new("First."));
    }
    (world, project)
}

fn incident(id: &str) -> String {
    format!("See https://acme.pagerduty.com/incidents/{id}")
}

#[tokio::test]
async fn a_comment_edited_within_the_minute_in_which_gitlab_says_nothing_is_read() {
    let (world, project) = fresh_world();
    let (gitlab, _bench, index) = read_once(world).await;
    let item = ItemRef::issue(project, 1);
    let (before, after) = {
        let mut world = gitlab.world();
        let row = world.item(item).expect("it is there");
        let (before, note) = (row.updated_at, row.notes[0].id);
        assert!(world.edit_note(item, note, &incident("Q285NZXJG65XDH")));
        (before, world.item(item).expect("it is there").updated_at)
    };
    assert_eq!(before, after, "GitLab does not say that anything changed");
    index.sync().await;
    let api = index.api(Some(MEMBER));
    let items = api.list("/v1/references/pagerduty_incident/Q285NZXJG65XDH").await;
    assert_eq!(items.len(), 1);
    check("after a late comment", &gitlab, &index).await;
}

#[tokio::test]
async fn a_comment_replaced_by_another_within_the_minute_is_read() {
    let (world, project) = fresh_world();
    let (gitlab, _bench, index) = read_once(world).await;
    let item = ItemRef::issue(project, 2);
    {
        let mut world = gitlab.world();
        let note = world.item(item).expect("it is there").notes[0].id;
        assert!(world.delete_note(item, note));
        world.add_note(item, NewNote::new(&incident("Q285NZXJG65XDH")));
    }
    index.sync().await;
    check("after a comment was replaced", &gitlab, &index).await;
}

#[tokio::test]
async fn a_project_that_is_hidden_from_the_token_goes_and_comes_back_with_it() {
    let (mut world, projects) = shop::world();
    let reader = world.add_user("reader");
    let token = world.add_token(reader, &["read_api"], None);
    for path in ["acme", "acme/shop", "acme/pay"] {
        let group = world.find_group(path).expect("it is there").id;
        world.set_group_visibility(group, Visibility::Internal);
    }
    for project in [projects.webshop, projects.ledger, projects.bulk] {
        world.add_project_member(project, reader, AccessLevel::Reporter);
    }
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections()).with_token(&token);
    let index = bench.open().await;
    index.sync().await;
    let before = content::of(&index).await;
    let api = index.api(Some(MEMBER));
    assert_eq!(api.get("/v1/services/ledger").await.status, 200);

    gitlab.world().project_mut(projects.ledger).expect("it is there").members.clear();
    assert!(index.sync().await.removed > 0);
    assert_eq!(api.get("/v1/services/ledger").await.status, 404);
    assert_same("hidden", &anew(&gitlab, &token).await, &content::of(&index).await);

    gitlab.world().add_project_member(projects.ledger, reader, AccessLevel::Reporter);
    index.sync().await;
    assert_same("shown again", &before, &content::of(&index).await);
}

fn organisation(seed: u64) -> World {
    let generator = Generator {
        seed,
        projects: 8,
        issues_per_project: 20,
        merge_requests_per_project: 20,
        now: "2026-06-01T12:00:00Z".parse().expect("an instant"),
    };
    generator.generate().0
}

#[tokio::test(flavor = "multi_thread")]
async fn round_after_round_of_changes_ends_with_the_same_index() {
    for seed in [1, 2, 6] {
        eprintln!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let (gitlab, _bench, index) = read_once(organisation(seed)).await;
        for round in 0..5 {
            let mut done = Vec::new();
            for _ in 0..25 {
                done.push(mischief::change(&mut gitlab.world(), &mut random));
            }
            done.push(mischief::upheaval(&mut gitlab.world(), &mut random));
            index.sync().await;
            let what = format!("seed {seed}, round {round}, after {done:#?}");
            check(&what, &gitlab, &index).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_under_a_running_sync_are_there_after_the_next() {
    for seed in [3, 4, 5] {
        eprintln!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let gitlab = GitLab::start(organisation(seed), Options::default()).await;
        let gitlab = gitlab.expect("a free port");
        let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
        let index = bench.open().await;
        let mut done = Vec::new();
        let mischief = async {
            let mut asked = 0;
            loop {
                // Every few answers, so that each list is changed while it is read.
                let now = gitlab.requests().len();
                if now >= asked + 2 {
                    asked = now;
                    done.push(mischief::change(&mut gitlab.world(), &mut random));
                    if random.random_bool(0.03) {
                        done.push(mischief::upheaval(&mut gitlab.world(), &mut random));
                    }
                }
                tokio::time::sleep(std::time::Duration::from_micros(200)).await;
            }
        };
        tokio::select! {
            _ = index.try_sync() => {}
            () = mischief => unreachable!("it has no end"),
        }
        assert!(done.len() > 10, "seed {seed}: {} changes", done.len());
        index.sync().await;
        check(&format!("seed {seed}, after {done:#?}"), &gitlab, &index).await;
    }
}

#[tokio::test]
async fn items_that_come_while_pages_are_turned_are_not_lost() {
    let (world, projects) = shop::world();
    let (gitlab, _bench, index) = read_once(world).await;
    {
        let mut world = gitlab.world();
        // More than two pages that share one moment.
        for number in 0..230 {
            world.add_issue(projects.bulk, NewIssue::new(&format!("Twin {number}")));
            world.add_merge_request(projects.bulk, NewMergeRequest::new(&format!("Row {number}")));
        }
    }
    index.sync().await;
    check("after many items of one moment", &gitlab, &index).await;
}

#[tokio::test]
async fn short_references_follow_their_project_with_the_next_sync() {
    let shop = Shop::open().await;
    let mentions = async |path: &str| {
        let address = address(&["v1", "references", "gitlab_issue", &format!("{path}#1")]);
        shop.index.api(Some(MEMBER)).get(&address).await.body.to_string()
    };
    assert!(mentions("acme/shop/webshop").await.contains("acme/shop/webshop!1"));
    assert!(shop.gitlab.world().rename_project(shop.projects.webshop, "storefront"));
    shop.index.sync().await;
    let found = mentions("acme/shop/storefront").await;
    assert!(found.contains("acme/shop/storefront!1"), "{found}");
}

#[tokio::test]
async fn a_renamed_group_of_many_projects_is_read_again_by_the_lists_of_its_root() {
    let (mut world, _) = shop::world();
    for number in 0..12 {
        let project = world.add_project(NewProject::at(&format!("acme/many/part-{number}")));
        world.add_issue(project, NewIssue::new("Slow"));
        let new = NewMergeRequest::new("Faster").description("Closes #1");
        let change = world.add_merge_request(project, new);
        let note = NewNote::new("See #1").author("bob");
        world.add_note(ItemRef::merge_request(project, change), note);
    }
    let (gitlab, _bench, index) = read_once(world).await;
    let group = gitlab.world().find_group("acme/many").expect("it is there").id;
    assert!(gitlab.world().rename_group(group, "more"));
    gitlab.forget_requests();
    index.run(Pass::Reconcile).await;
    let asked = gitlab.requests();
    let own = asked.iter().filter(|row| row.path.starts_with("/api/v4/projects/")).count();
    assert!(own < 12, "no list of each project is asked for: {asked:#?}");
    let wanted = anew(&gitlab, gitlab.token()).await;
    assert_same("after the rename of a group", &wanted, &content::of(&index).await);
}

#[tokio::test]
async fn many_projects_that_moved_are_counted_over_all_pages_of_a_list() {
    let mut world = World::new();
    for number in 0..120 {
        // Six on the first page of a hundred projects, six on the second.
        let group = if (6..114).contains(&number) { "calm" } else { "many" };
        let project = world.add_project(NewProject::at(&format!("acme/{group}/part-{number}")));
        world.add_issue(project, NewIssue::new("Slow"));
    }
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "transport = \"rest\"", &shop::sections());
    let index = bench.open().await;
    index.sync().await;
    let group = gitlab.world().find_group("acme/many").expect("it is there").id;
    assert!(gitlab.world().rename_group(group, "more"));
    index.run(Pass::Files).await;
    let joined = index.rows("select name from root where origin = 'joined'").await;
    assert_eq!(joined.len(), 0, "their items are read with all of the root");
    gitlab.forget_requests();
    index.run(Pass::Sync).await;
    let asked = gitlab.requests();
    let is_own = |path: &str| path.starts_with("/api/v4/projects/") && path.ends_with("/issues");
    assert_eq!(asked.iter().filter(|row| is_own(&row.path)).count(), 0, "no list of their own");
}
