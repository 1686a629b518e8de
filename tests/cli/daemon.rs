//! The daemon and the demo: start, sync, stop.

use std::net::TcpListener;

use gitlab_sim::world::ItemRef;
use gitlab_sim::{Generator, GitLab, Options};

use crate::support::daemon::{self, Daemon, wait_for};
use crate::support::{Bench, READER, both_keys, shop};
use crate::{NEVER, shop_bench};

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_syncs_by_its_schedule_and_stops_cleanly() {
    let (world, projects) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let more = shop::sections() + "[schedule]\nsync = \"* * * * * *\"\n";
    let bench = Bench::new(&gitlab, "acme", "", &more);
    let daemon = Daemon::start(&bench).await;
    let (status, _) = daemon.get("/healthz", None).await.expect("it lives");
    assert_eq!(status, 200);
    let first = daemon.synced().await["as_of"].clone();

    let item = ItemRef::issue(projects.webshop, 1);
    gitlab.world().edit(item, |row| "Checkout is up again".clone_into(&mut row.title));
    // The title comes with its page, the age at the end of the sync.
    wait_for("the change, and an answer that is younger", async || {
        let (_, body) = daemon.get("/v1/services/webshop/issues", Some(READER)).await?;
        let changed = body.to_string().contains("Checkout is up again");
        (changed && body["as_of"].as_str() > first.as_str()).then_some(())
    })
    .await;

    daemon.signal("TERM").await;
    let url = daemon.url.clone();
    let (status, log) = daemon.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
    let address = url.trim_start_matches("http://");
    assert!(TcpListener::bind(address).is_ok(), "the port is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_stopped_in_the_middle_of_a_sync_ends_the_page_and_the_next_goes_on() {
    let generator = Generator {
        projects: 12,
        issues_per_project: 40,
        merge_requests_per_project: 40,
        ..Generator::default()
    };
    let (world, truth) = generator.generate();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let more = crate::support::prefixes(&truth.settings) + &both_keys() + NEVER;
    let bench = Bench::new(&gitlab, &truth.group, "transport = \"rest\"", &more);
    let daemon = Daemon::start(&bench).await;
    // The walk over all goes by creation; what changed since is asked for anew by each sync.
    let asked = |list: &str| {
        let requests = gitlab.requests();
        let of_groups = requests.iter().filter(|row| row.path.starts_with("/api/v4/groups/"));
        let walks = of_groups.filter(|row| row.query.contains("order_by=created_at"));
        walks.filter(|row| row.path.ends_with(list)).count()
    };
    wait_for("the walk over the merge requests", async || {
        (asked("/merge_requests") > 0).then_some(())
    })
    .await;
    daemon.signal("INT").await;
    let (status, log) = daemon.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");

    gitlab.forget_requests();
    let output = daemon::run(&bench, &["sync"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert_eq!(asked("/issues"), 0, "the issues had been read to their end");
    let totals = output.json();
    let items = totals["issues"].as_u64().unwrap_or_default()
        + totals["merge_requests"].as_u64().unwrap_or_default();
    let truth = truth.without_archived();
    assert_eq!(items, u64::try_from(truth.items.len()).expect("few"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_daemon_holds_the_index_a_sync_is_refused_and_look_ups_are_answered() {
    let (_gitlab, bench) = shop_bench(NEVER).await;
    let daemon = Daemon::start(&bench).await;
    daemon.synced().await;
    let output = daemon::run(&bench, &["sync"]).await;
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stderr.contains("xrefd.db"), "it names the index: {}", output.stderr);
    assert_eq!(daemon::run(&bench, &["service", "webshop"]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_three_look_ups_and_needs_nothing() {
    let output =
        daemon::finish(daemon::bare(&["demo", "--once", "--projects", "6", "--port", "0"])).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    let asked: Vec<&str> = output
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("$ xrefd "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(asked, ["service", "ref", "owners"], "{}", output.stdout);
    for word in ["pagerduty_incident", "acme/", "SECTION"] {
        assert!(output.stdout.contains(word), "{word} in {}", output.stdout);
    }
    assert!(output.stderr.contains("6 projects") && output.stderr.contains("complete"));
    assert!(!output.stderr.contains('\u{1b}'), "{:?}", output.stderr);
    assert!(!output.stdout.contains('\u{1b}'), "{:?}", output.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_serves_what_it_read_until_it_is_stopped() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it has an address").port().to_string();
    let command = daemon::bare(&["demo", "--projects", "4", "--seed", "3", "--port", &port]);
    let daemon = Daemon::spawn(command, folder.path().join("demo.log"), "Serving on ").await;
    assert!(!daemon.url.ends_with(&format!(":{port}")), "that port is taken: {}", daemon.url);
    let (status, body) = daemon.get("/v1/services", None).await.expect("it answers");
    assert_eq!((status, &body["complete"]), (200, &true.into()), "{body}");
    assert!(!body["data"].as_array().expect("a list").is_empty());
    daemon.signal("TERM").await;
    let (status, log) = daemon.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
}
