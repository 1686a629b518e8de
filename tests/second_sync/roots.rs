//! Several roots, of which one cannot be read; roots that others cover; and what is not recorded.

use std::time::Duration;

use gitlab_sim::faults::{Fault, FaultKind, Requests};
use gitlab_sim::world::{ItemRef, NewIssue, NewProject, ProjectId};
use gitlab_sim::{GitLab, Options, World};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use xrefd::clock::{Clock, SystemClock};
use xrefd::crawl::{Pass, Summary};
use xrefd::store::{Outcome, Problem};

use super::check;
use crate::support::facts::assert_same;
use crate::support::shop::{self, Projects};
use crate::support::{Bench, Index, content};

async fn pass(index: &Index, pass: Pass) -> Summary {
    let [crawler] = &index.crawlers[..] else { panic!("one source") };
    crawler.sync(pass, &CancellationToken::new()).await.expect("the pass does not fail")
}

/// Gives up soon.
fn hasty(settings: &mut xrefd::gitlab::Settings) {
    settings.backoff = Duration::from_millis(1);
    settings.unstated_pause = Duration::from_millis(1);
    settings.patience = Duration::from_millis(100);
    settings.first_patience = Duration::from_millis(50);
}

/// Configures groups in the place of `acme`.
fn set_groups(bench: &Bench, from: &str, groups: &str) {
    let text = bench.config_text();
    let from = format!("groups = [{from}]");
    assert!(text.contains(&from), "{text}");
    bench.write_config(&text.replacen(&from, &format!("groups = [{groups}]"), 1));
}

async fn paths(index: &Index) -> Vec<String> {
    let rows = index.rows("select path from project order by path").await;
    rows.iter().map(|row| sqlx::Row::get(row, "path")).collect()
}

#[tokio::test]
async fn a_root_that_is_not_found_does_not_keep_what_went_below_another() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    set_groups(&bench, "\"acme\"", "\"acme/shop\", \"acme/nowhere\"");
    let index = bench.open().await;
    pass(&index, Pass::Sync).await;
    assert!(gitlab.world().delete_project(projects.bulk));
    let found = pass(&index, Pass::Reconcile).await;
    assert_eq!((found.removed, found.complete), (1, false), "{:#?}", found.errors);
    assert_eq!(paths(&index).await, ["acme/shop/webshop"]);
}

#[tokio::test]
async fn a_project_that_moved_to_a_root_that_cannot_be_read_is_kept() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    set_groups(&bench, "\"acme\"", "\"acme/shop\", \"acme/pay\"");
    let index = bench.open_with(hasty).await;
    pass(&index, Pass::Sync).await;
    let pay = gitlab.world().find_group("acme/pay").expect("it is there").id;
    assert!(gitlab.world().transfer_project(projects.bulk, "acme/pay"));
    let refused = Requests::path(&format!("*/groups/{pay}/*"));
    gitlab.faults().add(Fault::new(FaultKind::Html { status: 404 }).on(refused));
    for kind in [Pass::Sync, Pass::Reconcile, Pass::Sweep] {
        let found = pass(&index, kind).await;
        assert_eq!((found.removed, found.complete), (0, false), "{kind:?}: {:#?}", found.errors);
        assert_eq!(paths(&index).await.len(), 3, "{kind:?}");
    }
    gitlab.faults().clear();
    let found = pass(&index, Pass::Reconcile).await;
    assert!(found.complete, "{:#?}", found.errors);
    assert_eq!(paths(&index).await, ["acme/pay/bulk", "acme/pay/ledger", "acme/shop/webshop"]);
}

#[tokio::test]
async fn a_root_that_stays_missing_does_not_make_the_others_be_listed() {
    let (world, _) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    set_groups(&bench, "\"acme\"", "\"acme\", \"nowhere\"");
    let index = bench.open().await;
    for _ in 0..2 {
        pass(&index, Pass::Sync).await;
    }
    gitlab.forget_requests();
    let found = pass(&index, Pass::Sync).await;
    assert_eq!(found.errors.len(), 1, "{:#?}", found.errors);
    let asked: Vec<String> = gitlab.requests().iter().map(|row| row.path.clone()).collect();
    // One for the group that is missed.
    assert!(asked.len() <= 4, "{asked:#?}");
}

#[tokio::test]
async fn a_label_made_anew_under_its_name_is_not_the_one_that_items_carried() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let index = bench.open().await;
    pass(&index, Pass::Sync).await;
    {
        let mut world = gitlab.world();
        let id = world.find_label(projects.webshop, "backend").expect("it is there");
        let owner = world.label(id).expect("it is there").owner;
        assert!(world.delete_label(id));
        world.add_label(owner, "backend");
    }
    let found = pass(&index, Pass::Reconcile).await;
    assert!(found.complete, "{:#?}", found.errors);
    check("after a label was made anew", &gitlab, &index).await;
}

/// A project with issues that is moved below the root after that was read.
async fn joining() -> (GitLab, Bench, Index, u64) {
    let mut world = World::new();
    world.add_project(NewProject::at("acme/first"));
    let project = world.add_project(NewProject::at("elsewhere/second"));
    for number in 0..3 {
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
    }
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "transport = \"rest\"", &shop::sections());
    let index = bench.open_with(hasty).await;
    pass(&index, Pass::Sync).await;
    assert!(gitlab.world().transfer_project(project, "acme"));
    (gitlab, bench, index, project.get())
}

#[tokio::test]
async fn a_project_that_joined_and_is_refused_is_asked_again_by_a_reconcile() {
    let (gitlab, _bench, index, project) = joining().await;
    let path = format!("*/projects/{project}/issues");
    let refused = Fault::new(FaultKind::Html { status: 404 }).on(Requests::path(&path));
    gitlab.faults().add(refused);
    let found = pass(&index, Pass::Sync).await;
    let subject = format!("project {project}");
    assert_eq!(found.errors.len(), 1, "{:#?}", found.errors);
    assert_eq!((&found.errors[0].subject, &*found.errors[0].stream), (&subject, "issues"));

    // As GitLab's own 403 is noted, which the simulator has no reason for.
    let at = SystemClock.now();
    let retry_at = at + SignedDuration::from_hours(1);
    let (stream, reason) = ("issues".to_owned(), "403".to_owned());
    let problem = Problem { subject, stream, reason, at, retry_at };
    let run = index.store.begin_sync("sim", &gitlab.url(), at).await.expect("it begins");
    let ended = index.store.finish_run(&run, Outcome::Incomplete, &[problem], at).await;
    ended.expect("it ends");
    gitlab.forget_requests();
    let found = pass(&index, Pass::Sync).await;
    assert_eq!(found.errors.len(), 1, "it stays told: {:#?}", found.errors);
    let asked = gitlab.requests();
    let path = format!("/projects/{project}/issues");
    assert!(asked.iter().all(|row| !row.path.ends_with(&path)), "{asked:#?}");
    gitlab.faults().clear();
    let found = pass(&index, Pass::Reconcile).await;
    assert!(found.complete, "{:#?}", found.errors);
    check("after it was readable again", &gitlab, &index).await;
}

#[tokio::test]
async fn roots_that_others_cover_do_not_stop_the_clock() {
    let (world, _) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme/shop", "", &shop::sections());
    let index = bench.open().await;
    pass(&index, Pass::Sync).await;
    index.close().await;
    set_groups(&bench, "\"acme/shop\"", "\"acme/shop\", \"acme\"");
    let index = bench.open().await;
    let as_of = async || {
        pass(&index, Pass::Sync).await;
        index.lookup.freshness().await.expect("it can be read").as_of
    };
    let before = as_of().await;
    assert!(as_of().await > before);
}

#[tokio::test]
async fn a_sweep_of_which_a_part_failed_by_chance_is_not_recorded() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "transport = \"rest\"", &shop::sections());
    let index = bench.open_with(hasty).await;
    pass(&index, Pass::Sync).await;
    let name = index.crawlers[0].name();
    let swept = async || index.store.list_passes(name).await.expect("they are known")["sweep"];
    let before = swept().await;
    gitlab.world().delete_item(ItemRef::issue(projects.webshop, 1));
    let path = format!("*/projects/{}/issues", projects.webshop);
    gitlab.faults().add(Fault::new(FaultKind::ServerError).on(Requests::path(&path)));
    let found = pass(&index, Pass::Sweep).await;
    assert_eq!((found.removed, found.complete), (0, false), "{:#?}", found.errors);
    assert_eq!(swept().await, before);
    gitlab.faults().clear();
    let found = pass(&index, Pass::Sweep).await;
    assert_eq!((found.removed, found.complete), (1, true), "{:#?}", found.errors);
    assert!(swept().await > before);
}

/// A turn that life takes, in two steps; between them a sync runs.
type Turn = fn(&mut World, &Projects, bool);

const TURNS: [(&str, Turn); 8] = [
    ("another project takes the path of one that went", |world, projects, is_second| {
        if is_second {
            let project = world.add_project(NewProject::at("acme/shop/bulk"));
            world.add_issue(project, NewIssue::new("Its first"));
        } else {
            assert!(world.delete_project(projects.bulk));
        }
    }),
    ("the same at once", |world, projects, is_second| {
        if !is_second {
            assert!(world.delete_project(projects.ledger));
            let project = world.add_project(NewProject::at("acme/pay/ledger"));
            world.add_issue(project, NewIssue::new("Its first"));
        }
    }),
    ("archived, and back", |world, projects, is_second| {
        assert!(world.archive(projects.webshop, !is_second));
        if !is_second {
            world.delete_item(ItemRef::issue(projects.webshop, 1));
        }
    }),
    ("hidden, and back without an item", |world, projects, is_second| {
        assert!(world.hide_project(projects.webshop, !is_second));
        if is_second {
            world.delete_item(ItemRef::issue(projects.webshop, 1));
        }
    }),
    ("out of the root, and back without an item", |world, projects, is_second| {
        let group = if is_second { "acme/pay" } else { "elsewhere" };
        assert!(world.transfer_project(projects.webshop, group));
        world.delete_item(ItemRef::issue(projects.webshop, if is_second { 1 } else { 2 }));
    }),
    ("groups that change their paths", |world, _, is_second| {
        let (from, to) = if is_second { ("acme/pay", "shop") } else { ("acme/shop", "store") };
        let group = world.find_group(from).expect("it is there").id;
        assert!(world.rename_group(group, to));
    }),
    ("confidential, and no more", |world, projects, is_second| {
        assert!(world.set_confidential(projects.webshop, 1, !is_second));
    }),
    ("marked for deletion, and back", |world, projects, is_second| {
        if is_second {
            assert!(world.restore_project(projects.ledger));
        } else {
            assert!(world.mark_for_deletion(projects.ledger));
        }
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn after_each_turn_a_sync_and_a_sweep_tell_what_there_is() {
    for (what, turn) in TURNS {
        let (mut world, projects) = shop::world();
        world.add_project(NewProject::at("elsewhere/other"));
        let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
        let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
        let index = bench.open().await;
        pass(&index, Pass::Sync).await;
        for is_second in [false, true] {
            turn(&mut gitlab.world(), &projects, is_second);
            pass(&index, Pass::Sync).await;
            check(what, &gitlab, &index).await;
        }
        gitlab.stop().await;
    }
}

#[tokio::test]
async fn a_configured_project_that_comes_back_is_read_whole() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let text = bench.config_text();
    let single = "projects = [\"acme/shop/webshop\"]";
    bench.write_config(&text.replacen("groups = [\"acme\"]", single, 1));
    let index = bench.open().await;
    pass(&index, Pass::Sync).await;
    let before = content::of(&index).await;
    assert!(gitlab.world().archive(projects.webshop, true));
    assert_eq!(pass(&index, Pass::Reconcile).await.removed, 1);
    assert!(gitlab.world().archive(projects.webshop, false));
    pass(&index, Pass::Sync).await;
    assert_same("after it came back", &before, &content::of(&index).await);
}

#[tokio::test]
async fn a_joined_project_is_a_root_until_both_of_its_lists_are_read_again() {
    let (gitlab, _bench, index, project) = joining().await;
    let id = ProjectId::new(project);
    gitlab.world().add_issue(id, NewIssue::new("Short").description("See #1"));
    let refuse = |list: &str| {
        let path = format!("*/projects/{project}/{list}");
        gitlab.faults().add(Fault::new(FaultKind::ServerError).on(Requests::path(&path)));
    };
    refuse("merge_requests");
    assert!(!pass(&index, Pass::Sync).await.complete);
    gitlab.faults().clear();
    assert!(gitlab.world().rename_project(id, "third"));
    refuse("issues");
    assert!(!pass(&index, Pass::Sync).await.complete);
    let joined = index.rows("select name from root where origin = 'joined'").await;
    assert_eq!(joined.len(), 1, "its issues are not read again yet");
    gitlab.faults().clear();
    assert!(pass(&index, Pass::Sync).await.complete);
    let joined = index.rows("select name from root where origin = 'joined'").await;
    assert_eq!(joined.len(), 0);
    check("after a rename that was cut off", &gitlab, &index).await;
}

#[tokio::test]
async fn a_renamed_root_group_is_read_on_by_its_number() {
    let (world, _) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &shop::sections());
    let index = bench.open().await;
    pass(&index, Pass::Sync).await;
    let group = gitlab.world().find_group("acme").expect("it is there").id;
    assert!(gitlab.world().rename_group(group, "umbrella"));
    let found = pass(&index, Pass::Reconcile).await;
    assert!(found.complete, "{:#?}", found.errors);
    let wanted = ["umbrella/pay/ledger", "umbrella/shop/bulk", "umbrella/shop/webshop"];
    assert_eq!(paths(&index).await, wanted);
}
