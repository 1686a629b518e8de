//! What goes, why, and what an old address says then; and what must not go.

use std::time::Duration;

use axum::http::StatusCode;
use gitlab_sim::faults::{Fault, FaultKind, Refusal, Requests};
use gitlab_sim::world::{ItemRef, NewIssue, NewProject};
use gitlab_sim::{GitLab, Options, World};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use xrefd::crawl::{Pass, Summary};

use super::check;
use crate::support::facts::assert_same;
use crate::support::shop::{self, SHOP_ONLY, Shop};
use crate::support::{Bench, Index, MEMBER, READER, content, escaped};

/// Runs a pass over all sources, as far as it goes.
async fn pass(index: &Index, pass: Pass) -> Summary {
    let mut total = Summary { complete: true, ..Summary::default() };
    for crawler in &index.crawlers {
        let summary = crawler.sync(pass, &CancellationToken::new()).await;
        total = total.and(summary.expect("the pass does not fail"));
    }
    total
}

/// Syncs and reconciles by counts, which must succeed wholly, and returns how much was removed.
async fn reconcile(index: &Index) -> u64 {
    let mut removed = 0;
    for kind in [Pass::Sync, Pass::Reconcile] {
        let summary = pass(index, kind).await;
        assert!(summary.complete, "{kind:?}: {:#?}", summary.errors);
        removed += summary.removed;
    }
    removed
}

/// Says what is said of a text to somebody, of what is gone.
async fn gone(index: &Index, key: &str, text: &str) -> Value {
    let address = format!("/v1/resolve?text={}", escaped(text));
    index.api(Some(key)).single(&address).await["gone"].clone()
}

/// Opens the index again with one line of the configuration replaced, and syncs.
async fn reconfigured(shop: Shop, from: &str, to: &str) -> (GitLab, Bench, Index) {
    let text = shop.bench.config_text();
    assert!(text.contains(from), "{text}");
    shop.bench.write_config(&text.replacen(from, to, 1));
    let Shop { gitlab, bench, index, .. } = shop;
    index.close().await;
    let index = bench.open().await;
    (gitlab, bench, index)
}

#[tokio::test]
async fn an_item_that_is_deleted_goes_and_its_address_says_so() {
    for source in ["", "transport = \"rest\""] {
        let (world, projects) = shop::world();
        let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
        let bench = Bench::new(&gitlab, "acme", source, &shop::sections());
        let index = bench.open().await;
        index.sync().await;
        gitlab.world().delete_item(ItemRef::issue(projects.webshop, 1));
        gitlab.world().delete_item(ItemRef::merge_request(projects.bulk, 7));
        assert_eq!(reconcile(&index).await, 2, "{source}");
        check("after a deletion", &gitlab, &index).await;

        let told = gone(&index, MEMBER, "acme/shop/webshop#1").await;
        assert_eq!(told["kind"], "issue", "{told}");
        assert_eq!(told["reference"], "acme/shop/webshop#1");
        assert_eq!(told["reason"], "not_shown");
        assert!(told["gone_at"].is_string(), "{told}");
        let url = format!("{}/acme/shop/bulk/-/merge_requests/7", gitlab.url());
        let told = gone(&index, READER, &url).await;
        assert_eq!((&told["kind"], &told["web_url"]), (&"merge_request".into(), &url.into()));
        assert_eq!(gone(&index, MEMBER, "acme/shop/webshop#3").await, Value::Null);
        assert_eq!(gone(&index, MEMBER, "acme/shop/webshop#99").await, Value::Null);
        gitlab.stop().await;
    }
}

#[tokio::test]
async fn numbers_are_compared_in_one_query_and_only_what_differs_is_walked() {
    let shop = Shop::open().await;
    pass(&shop.index, Pass::Sync).await;
    shop.gitlab.forget_requests();
    pass(&shop.index, Pass::Reconcile).await;
    let calm = shop.gitlab.requests().len();
    shop.gitlab.world().delete_item(ItemRef::issue(shop.projects.bulk, 3));
    shop.gitlab.forget_requests();
    let summary = pass(&shop.index, Pass::Reconcile).await;
    assert_eq!(summary.removed, 1);
    let after = shop.gitlab.requests().len();
    assert!(after <= calm + 4, "{after} requests where {calm} find nothing");
}

#[tokio::test]
async fn an_item_that_went_while_another_came_is_found_by_numbers() {
    let (world, project) = super::fresh_world();
    let (gitlab, _bench, index) = super::read_once(world).await;
    {
        let mut world = gitlab.world();
        world.delete_item(ItemRef::issue(project, 1));
        world.add_issue(project, NewIssue::new("Its successor"));
    }
    assert_eq!(reconcile(&index).await, 1);
    let titles = index.rows("select title from item order by title").await;
    let titles: Vec<String> = titles.iter().map(|row| sqlx::Row::get(row, "title")).collect();
    assert_eq!(titles, ["Issue 1", "Issue 2", "Its successor"]);
}

#[tokio::test]
async fn a_sweep_finds_what_numbers_do_not_show() {
    let shop = Shop::open().await;
    shop.gitlab.world().delete_item(ItemRef::issue(shop.projects.webshop, 2));
    let summary = pass(&shop.index, Pass::Sweep).await;
    assert!(summary.complete, "{:#?}", summary.errors);
    assert_eq!(summary.removed, 1);
    check("after a sweep", &shop.gitlab, &shop.index).await;
}

#[tokio::test]
async fn a_confidential_issue_that_is_gone_is_told_to_those_who_might_have_seen_it() {
    let shop = Shop::open().await;
    shop.gitlab.world().delete_item(ItemRef::issue(shop.projects.webshop, 2));
    reconcile(&shop.index).await;
    let text = "acme/shop/webshop#2";
    assert_eq!(gone(&shop.index, MEMBER, text).await["kind"], "issue");
    let api = shop.index.api(Some(READER));
    let never = api.single("/v1/resolve?text=acme%2Fshop%2Fwebshop%2377").await;
    let told = api.single("/v1/resolve?text=acme%2Fshop%2Fwebshop%232").await;
    assert_eq!(told["gone"], Value::Null);
    assert_eq!(told["input"]["kind"], never["input"]["kind"], "as if it had never been");
}

#[tokio::test]
async fn a_project_that_is_deleted_answers_for_its_items_and_under_its_old_paths() {
    let shop = Shop::open().await;
    let ledger = shop.projects.ledger;
    assert!(shop.gitlab.world().rename_project(ledger, "ledger-deletion_scheduled-2"));
    shop.index.sync().await;
    assert!(shop.gitlab.world().delete_project(ledger));
    assert_eq!(reconcile(&shop.index).await, 1);
    check("after a project went", &shop.gitlab, &shop.index).await;
    let url = format!("{}/acme/pay/ledger/-/issues/1", shop.gitlab.url());
    for text in ["acme/pay/ledger", "ACME/pay/Ledger#1", &url] {
        let told = gone(&shop.index, MEMBER, text).await;
        assert_eq!(told["kind"], "project", "{text}: {told}");
        assert_eq!(told["reference"], "acme/pay/ledger-deletion_scheduled-2");
        assert_eq!(told["reason"], "not_shown");
        assert_eq!(gone(&shop.index, SHOP_ONLY, text).await, Value::Null, "another group's");
    }
}

#[tokio::test]
async fn what_comes_back_is_no_longer_gone() {
    let shop = Shop::open().await;
    let before = content::of(&shop.index).await;
    let ledger = shop.projects.ledger;
    assert!(shop.gitlab.world().hide_project(ledger, true));
    reconcile(&shop.index).await;
    assert_eq!(gone(&shop.index, MEMBER, "acme/pay/ledger").await["kind"], "project");
    assert!(shop.gitlab.world().hide_project(ledger, false));
    reconcile(&shop.index).await;
    assert_same("shown again", &before, &content::of(&shop.index).await);
    assert_eq!(gone(&shop.index, MEMBER, "acme/pay/ledger").await, Value::Null);
}

#[tokio::test]
async fn a_project_that_leaves_the_root_goes_and_says_why() {
    let shop = Shop::open().await;
    assert!(shop.gitlab.world().transfer_project(shop.projects.ledger, "other/pay"));
    assert_eq!(reconcile(&shop.index).await, 1);
    let told = gone(&shop.index, MEMBER, "acme/pay/ledger").await;
    assert_eq!(told["reason"], "outside_roots", "{told}");
    check("after a transfer", &shop.gitlab, &shop.index).await;
}

#[tokio::test]
async fn an_archived_project_goes_and_says_why() {
    let shop = Shop::open().await;
    assert!(shop.gitlab.world().archive(shop.projects.ledger, true));
    assert_eq!(reconcile(&shop.index).await, 1);
    assert_eq!(gone(&shop.index, MEMBER, "acme/pay/ledger").await["reason"], "archived");
    check("after archiving", &shop.gitlab, &shop.index).await;
}

#[tokio::test]
async fn a_project_that_is_excluded_goes_with_the_next_sync_and_comes_back() {
    let shop = Shop::open().await;
    let exclude = "groups = [\"acme\"]\nexclude = [\"acme/pay/**\"]";
    let (gitlab, bench, index) = reconfigured(shop, "groups = [\"acme\"]", exclude).await;
    assert_eq!(index.sync().await.removed, 1);
    assert_eq!(gone(&index, MEMBER, "acme/pay/ledger").await["reason"], "excluded");
    index.close().await;
    bench.write_config(&bench.config_text().replacen(exclude, "groups = [\"acme\"]", 1));
    let index = bench.open().await;
    reconcile(&index).await;
    check("after it was wanted again", &gitlab, &index).await;
}

#[tokio::test]
async fn a_root_that_is_no_longer_configured_goes_with_what_only_it_held() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme/shop", "", &shop::sections());
    let one = bench.config_text();
    let both = "groups = [\"acme/shop\", \"acme/pay\"]\nprojects = [\"acme/shop/bulk\"]";
    bench.write_config(&one.replacen("groups = [\"acme/shop\"]", both, 1));
    let index = bench.open().await;
    index.sync().await;
    index.close().await;
    bench.write_config(&one);
    let index = bench.open().await;
    gitlab.forget_requests();
    assert_eq!(index.sync().await.removed, 1, "the ledger; the bulk lies below the other root");
    let asked = format!("/projects/{}", projects.ledger);
    assert_eq!(gitlab.requests_for(&asked), 0, "nobody has to be asked");
    assert_eq!(gone(&index, MEMBER, "acme/pay/ledger").await["reason"], "root_removed");
    let api = index.api(Some(MEMBER));
    assert_eq!(api.get("/v1/projects/acme%2Fshop%2Fbulk").await.status, StatusCode::OK);
}

#[tokio::test]
async fn roots_that_overlap_are_read_once() {
    let (world, _) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let index = bench.open().await;
    gitlab.forget_requests();
    index.sync().await;
    let alone = gitlab.requests().len();
    let wanted = content::of(&index).await;
    index.close().await;

    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let group = gitlab.world().find_group("acme").expect("it is there").id;
    let more = format!(
        "groups = [\"acme\", \"acme/shop\", \"{group}\"]\nprojects = [\"acme/pay/ledger\"]"
    );
    bench.write_config(&bench.config_text().replacen("groups = [\"acme\"]", &more, 1));
    let index = bench.open().await;
    gitlab.forget_requests();
    index.sync().await;
    let found = gitlab.requests().len();
    // Each further root is looked up, and a project of its own is a list of one.
    assert!(found <= alone + 4, "{found} requests where one root takes {alone}");
    assert_same("overlapping roots", &wanted, &content::of(&index).await);
}

#[tokio::test]
async fn of_two_sources_of_one_gitlab_the_first_holds_a_project() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let second = format!(
        "[[gitlab]]\nname = \"second\"\nurl = \"{}\"\ntoken = {{ env = \"{}\" }}\n\
         groups = [\"acme\"]\nrequests_per_minute = 600000\n",
        gitlab.url(),
        crate::support::TOKEN_VARIABLE,
    );
    let bench = Bench::new(&gitlab, "acme/shop", "", &(second + &shop::sections()));
    let index = bench.open().await;
    index.sync().await;
    let held = || async {
        let rows = index.rows(
            "select s.name || ' ' || p.path as line from project as p
            join source as s on s.id = p.source_id order by 1",
        );
        let rows = rows.await;
        rows.iter().map(|row| sqlx::Row::get::<String, _>(row, "line")).collect::<Vec<_>>()
    };
    assert_eq!(
        held().await,
        ["second acme/pay/ledger", "sim acme/shop/bulk", "sim acme/shop/webshop"]
    );
    // What the first no longer covers, the other takes over.
    assert!(gitlab.world().transfer_project(projects.bulk, "acme/pay"));
    reconcile(&index).await;
    assert_eq!(
        held().await,
        ["second acme/pay/bulk", "second acme/pay/ledger", "sim acme/shop/webshop"]
    );
    let items = index.rows("select count(*) as n from item").await;
    let expected = 2 * i64::try_from(shop::BULK).expect("a small number") + 6;
    assert_eq!(sqlx::Row::get::<i64, _>(&items[0], "n"), expected, "all of them, and once");
}

#[tokio::test]
async fn a_renamed_or_deleted_label_is_read_with_the_items_that_carry_it() {
    let shop = Shop::open().await;
    {
        let mut world = shop.gitlab.world();
        let id = |world: &World, title: &str| {
            world.labels().find(|label| label.title == title).expect("it is there").id
        };
        let renamed = id(&world, "backend");
        assert!(world.rename_label(renamed, "server"));
        let deleted = id(&world, "component::belt");
        assert!(world.delete_label(deleted));
    }
    reconcile(&shop.index).await;
    check("after labels changed", &shop.gitlab, &shop.index).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_refused_cut_or_empty_remove_nothing() {
    let kinds = [
        FaultKind::Html { status: 403 },
        FaultKind::Html { status: 404 },
        FaultKind::ServerError,
        FaultKind::TooMany { form: Refusal::Throttle, retry_after: None },
        FaultKind::Cut,
        FaultKind::Empty { status: 200 },
    ];
    let shop = Shop::open().await;
    let Shop { gitlab, bench, index, projects } = shop;
    index.close().await;
    let index = bench.open_with(hasty).await;
    // Gone as they are, nobody can be sure of it.
    assert!(gitlab.world().delete_item(ItemRef::issue(projects.webshop, 1)));
    assert!(gitlab.world().delete_project(projects.ledger));
    for kind in kinds {
        for path in ["*/issues", "*/merge_requests", "*/graphql", "*/projects*"] {
            gitlab.faults().add(Fault::new(kind.clone()).on(Requests::path(path)));
        }
        for pass in [Pass::Reconcile, Pass::Sweep] {
            for crawler in &index.crawlers {
                let result = crawler.sync(pass, &CancellationToken::new()).await;
                let complete = result.is_ok_and(|summary| summary.complete);
                assert!(!complete, "{kind:?} is told");
            }
        }
        let rows = "select (select count(*) from item), (select count(*) from project)";
        let rows = index.rows(rows).await;
        let counts = (sqlx::Row::get::<i64, _>(&rows[0], 0), sqlx::Row::get::<i64, _>(&rows[0], 1));
        assert_eq!(counts, (2 * i64::try_from(shop::BULK).expect("a small number") + 6, 3));
        gitlab.faults().clear();
    }
    gitlab.stop().await;
}

/// Gives up soon.
fn hasty(settings: &mut xrefd::gitlab::Settings) {
    settings.backoff = Duration::from_millis(1);
    settings.unstated_pause = Duration::from_millis(1);
    settings.patience = Duration::from_millis(100);
    settings.first_patience = Duration::from_millis(50);
}

#[tokio::test]
async fn much_that_is_gone_at_once_waits_for_a_second_pass() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/one"));
    for number in 0..300 {
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
    }
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let index = bench.open().await;
    index.sync().await;
    for iid in 1..=150 {
        assert!(gitlab.world().delete_item(ItemRef::issue(project, iid)));
    }
    let first = pass(&index, Pass::Reconcile).await;
    assert_eq!((first.removed, first.complete), (0, false));
    assert_eq!(first.errors.len(), 1, "{:#?}", first.errors);
    assert_eq!(first.errors[0].stream, "issue drop");
    let between = pass(&index, Pass::Sync).await;
    assert_eq!((between.removed, between.complete), (0, false), "it stays told");
    let second = pass(&index, Pass::Reconcile).await;
    assert_eq!((second.removed, second.complete), (150, true), "{:#?}", second.errors);
    check("after a confirmed drop", &gitlab, &index).await;

    // With `drop = 1.0`, everything may go at once.
    for iid in 151..=290 {
        assert!(gitlab.world().delete_item(ItemRef::issue(project, iid)));
    }
    index.close().await;
    let text = bench.config_text().replacen("groups", "drop = 1.0\ngroups", 1);
    bench.write_config(&text);
    let index = bench.open().await;
    assert_eq!(reconcile(&index).await, 140);
}

#[tokio::test]
async fn a_pass_that_reads_no_items_makes_no_answer_fresher() {
    let shop = Shop::open().await;
    let as_of = async || shop.index.lookup.freshness().await.expect("it can be read").as_of;
    let before = as_of().await;
    pass(&shop.index, Pass::Files).await;
    assert_eq!(as_of().await, before);
    pass(&shop.index, Pass::Sync).await;
    assert!(as_of().await > before);
}

#[tokio::test]
async fn a_list_whose_watermark_lies_in_the_future_is_read_again() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let index = bench.open().await;
    index.sync().await;
    // As a wrong clock leaves it.
    index.tamper("update stream set watermark = watermark + 86400000").await;
    assert!(gitlab.world().edit(ItemRef::issue(projects.webshop, 1), |row| {
        "another".clone_into(&mut row.title);
    }));
    pass(&index, Pass::Sync).await;
    check("after a watermark in the future", &gitlab, &index).await;
}
