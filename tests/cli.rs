//! The command line through the real binary: what it prints, how it ends, and the daemon's life.

mod support;

#[path = "cli/daemon.rs"]
mod daemon_life;
#[path = "cli/job.rs"]
mod job;
#[path = "cli/network.rs"]
mod network;

use jiff::SignedDuration;
use serde_json::Value;
use support::daemon::{self, Daemon, Output, wait_for};
use support::shop::{self, SHARED};
use support::{Bench, MEMBER, READER, api_key};

use gitlab_sim::{GitLab, Options};

/// A schedule that does not come while a test runs, so that answers keep their age.
const NEVER: &str = "[schedule]\nsync = \"0 0 0 29 2 *\"\n";

async fn shop_bench(more: &str) -> (GitLab, Bench) {
    let (world, _) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &(shop::sections() + more));
    (gitlab, bench)
}

/// Reads GitLab once.
async fn synced(bench: &Bench) {
    let output = daemon::run(bench, &["sync"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
}

/// Asks the daemon instead of the database.
async fn asked(bench: &Bench, daemon: &Daemon, key: &str, arguments: &[&str]) -> Output {
    let mut command = daemon::command(bench, arguments);
    command.args(["--server", &daemon.url]).env("XREFD_API_KEY", key);
    daemon::finish(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_prints_what_the_api_answers() {
    let (gitlab, bench) = shop_bench(NEVER).await;
    let daemon = Daemon::start(&bench).await;
    daemon.synced().await;
    let url = format!("{}/acme/shop/webshop/-/merge_requests/1", gitlab.url());
    let incident = format!("https://acme.pagerduty.com/incidents/{SHARED}");
    let mention = format!("/v1/references/pagerduty_incident/{SHARED}");
    let resolved = format!("/v1/resolve?text={url}");
    for (arguments, address) in [
        (vec!["service"], "/v1/services"),
        (vec!["team"], "/v1/teams"),
        (vec!["service", "Web-Shop"], "/v1/services/webshop"),
        (vec!["team", "storefront"], "/v1/teams/storefront"),
        (vec!["ref", "web-12"], "/v1/references/jira/WEB-12"),
        (vec!["ref", &incident], &mention),
        (vec!["resolve", "webshop"], "/v1/resolve?text=webshop"),
        (vec!["resolve", &url], &resolved),
        (
            vec!["owners", "acme/shop/webshop", "src/pay/a.rs"],
            "/v1/projects/acme%2Fshop%2Fwebshop/owners?path=src/pay/a.rs",
        ),
        (vec!["owners", "acme/shop/webshop"], "/v1/projects/acme%2Fshop%2Fwebshop/owners"),
    ] {
        for (key, sees_all) in [(READER, false), (MEMBER, true)] {
            let (status, body) = daemon.get(address, Some(key)).await.expect("it answers");
            assert_eq!(status, 200, "{address}: {body}");
            let mut local = arguments.clone();
            if sees_all {
                local.push("--confidential");
            }
            for output in
                [daemon::run(&bench, &local).await, asked(&bench, &daemon, key, &arguments).await]
            {
                assert_eq!(output.code, Some(0), "{arguments:?}: {output:#?}");
                assert_eq!(output.json(), body, "{arguments:?} and {address} as {key}");
                assert_eq!(output.stderr, "", "{arguments:?}");
            }
        }
    }
    daemon.signal("TERM").await;
    assert!(daemon.ended().await.0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_confidential_is_shown_only_when_asked_for() {
    let (_gitlab, bench) = shop_bench("").await;
    synced(&bench).await;
    assert_eq!(daemon::run(&bench, &["service", "shadow"]).await.code, Some(3));
    let output = daemon::run(&bench, &["service", "shadow", "--confidential"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_for_people_and_say_how_old_they_are() {
    let (_gitlab, bench) = shop_bench("").await;
    synced(&bench).await;
    let incident = format!("https://acme.pagerduty.com/incidents/{SHARED}");
    for (arguments, words) in [
        (vec!["service"], vec!["SERVICE", "PROJECTS", "OPEN ISSUES", "webshop", "ledger"]),
        (
            vec!["service", "webshop"],
            vec!["webshop", "storefront", "acme/shop/webshop", "success", "Pay by invoice"],
        ),
        (vec!["team"], vec!["TEAM", "storefront", "money"]),
        (
            vec!["ref", &incident],
            vec!["acme/shop/webshop!1", "merged", "description", "acme/pay/ledger#1"],
        ),
        (vec!["resolve", "webshop"], vec!["service webshop", "storefront", "acme/shop/webshop"]),
        (
            vec!["owners", "acme/shop/webshop", "src/pay/a.rs"],
            vec!["SECTION", "OWNERS", "Payments", "/src/pay/", "@pia"],
        ),
    ] {
        let mut command = arguments.clone();
        command.extend(["--format", "table"]);
        let output = daemon::run(&bench, &command).await;
        assert_eq!(output.code, Some(0), "{output:#?}");
        for word in words {
            assert!(output.stdout.contains(word), "{arguments:?} shows {word}:\n{}", output.stdout);
        }
        assert!(!output.stdout.contains(['{', '\u{1b}']), "{arguments:?}:\n{}", output.stdout);
        assert!(output.stderr.contains("as of "), "{arguments:?}: {}", output.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_found_is_told_apart_by_the_exit_code() {
    let (_gitlab, bench) = shop_bench(NEVER).await;
    let daemon = Daemon::start(&bench).await;
    daemon.synced().await;
    for arguments in [
        vec!["service", "nobody"],
        vec!["team", "nobody"],
        vec!["ref", "WEB-9999"],
        vec!["ref", "nothing to see here"],
        vec!["resolve", "nobody-knows-this"],
        vec!["owners", "acme/nobody"],
        vec!["owners", "acme/shop/bulk", "src/a.rs"],
    ] {
        for output in [
            daemon::run(&bench, &arguments).await,
            asked(&bench, &daemon, READER, &arguments).await,
        ] {
            assert_eq!(output.code, Some(3), "{arguments:?}: {output:#?}");
            assert!(!output.stderr.is_empty(), "{arguments:?} says what was not found");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_wants_a_key_is_told_from_one_that_has_nothing() {
    let (_gitlab, bench) = shop_bench(NEVER).await;
    let daemon = Daemon::start(&bench).await;
    let output = asked(&bench, &daemon, "xrefd_wrong", &["service"]).await;
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stderr.contains("XREFD_API_KEY"), "{}", output.stderr);
    let mut command = daemon::bare(&["service", "--server", "http://127.0.0.1:9"]);
    command.env("XREFD_API_KEY", READER);
    let output = daemon::finish(command).await;
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stderr.contains("127.0.0.1:9") && output.stderr.contains("running"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_sums_up_what_it_did_as_the_contract_has_it() {
    let (gitlab, bench) = shop_bench("").await;
    let output = daemon::run(&bench, &["sync", "--format", "json"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    let summary = output.json();
    let bulk = shop::BULK;
    for (name, number) in [
        ("projects", 3),
        ("issues", bulk + 4),
        ("merge_requests", bulk + 2),
        ("removed", 0),
        ("throttled", 0),
        ("requests", u64::try_from(gitlab.requests().len()).expect("few")),
    ] {
        assert_eq!(summary[name], number, "{name} in {summary}");
    }
    assert!(summary["references"].as_u64() > Some(3), "{summary}");
    assert!(summary["duration_ms"].is_u64(), "{summary}");
    assert_eq!((&summary["complete"], &summary["errors"]), (&true.into(), &Value::Array(vec![])));
    let streams = summary["streams"].as_array().expect("a list");
    let lists: Vec<_> = streams.iter().map(|stream| stream["stream"].as_str()).collect();
    assert_eq!(lists, [Some("projects"), Some("issues"), Some("merge_requests")]);
    for stream in streams {
        assert_eq!((&stream["source"], &stream["root"]), (&"sim".into(), &"group:acme".into()));
        assert!(stream["watermark"].is_string() && stream["lag_seconds"].is_u64(), "{stream}");
    }
    assert_eq!(output.stderr, "", "there is no terminal to show progress on");

    let output = daemon::run(&bench, &["sync", "--format", "table"]).await;
    assert!(output.stdout.contains("3 projects") && output.stdout.contains("complete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_a_sync_would_cost_and_makes_no_index() {
    let (gitlab, bench) = shop_bench("").await;
    let output = daemon::run(&bench, &["plan", "--format", "json"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(!bench.database().exists());
    let plan = &output.json()["sources"][0];
    assert_eq!((&plan["source"], &plan["idle"]["requests"]), (&"sim".into(), &3.into()), "{plan}");
    let lists = plan["roots"].as_array().expect("a list");
    let sum: u64 = lists.iter().filter_map(|list| list["full"]["requests"].as_u64()).sum();
    assert_eq!(plan["full"]["requests"], sum, "{plan:#}");
    let issues = lists.iter().find(|list| list["kind"] == "issues").expect("it is counted");
    assert_eq!(issues["root"], "group:acme");
    assert_eq!(issues["count"], shop::BULK + 4);
    gitlab.forget_requests();
    let output = daemon::run(&bench, &["sync", "--format", "json"]).await;
    let needed = output.json()["requests"].as_u64().expect("a number");
    assert!(sum.abs_diff(needed) <= 1, "{sum} told, {needed} needed: {plan:#}");

    let output = daemon::run(&bench, &["plan", "--format", "table"]).await;
    assert!(
        output.stdout.contains("group:acme") && output.stdout.contains("idle sync: 3 requests")
    );
    let text = bench.config_text();
    let roots = |roots: &str| bench.write_config(&text.replace("groups = [\"acme\"]", roots));
    roots("groups = [\"acme\"]\nprojects = [\"acme/not/there\"]");
    let output = daemon::run(&bench, &["plan", "--format", "table"]).await;
    assert_eq!(output.code, Some(4), "{output:#?}");
    assert!(output.stdout.contains("not counted: root of project:acme/not/there"), "{output:#?}");
    roots("groups = [\"not/there\"]");
    let output = daemon::run(&bench, &["plan"]).await;
    assert_eq!(output.code, Some(1), "{output:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_reads_all_comments_again() {
    let (world, _) = shop::world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    // By REST each item's comments are a request of their own, which can be counted.
    let bench = Bench::new(&gitlab, "acme", "transport = \"rest\"", &shop::sections());
    synced(&bench).await;
    let comments = gitlab.requests_for("/notes");
    // Comments on an item that changed a moment ago are looked at twice, without being told to.
    gitlab.world().clock().advance(SignedDuration::from_mins(5));
    synced(&bench).await;
    gitlab.forget_requests();
    synced(&bench).await;
    assert!(comments > 0);
    assert_eq!(gitlab.requests_for("/notes"), 0);
    // GitLab tells its time in whole seconds, so what was read within the last one counts as read.
    wait_for("comments read again", async || {
        gitlab.forget_requests();
        assert_eq!(daemon::run(&bench, &["sync", "--full"]).await.code, Some(0));
        (gitlab.requests_for("/notes") == comments).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_shown_on_a_terminal() {
    let (_gitlab, bench) = shop_bench("").await;
    let config = bench.config().display().to_string();
    let line = format!("{} sync --config {config}", env!("CARGO_BIN_EXE_xrefd"));
    let mut command = tokio::process::Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).env(support::TOKEN_VARIABLE, bench.token());
    command.env("TERM", "xterm").stdin(std::process::Stdio::null());
    let Ok(output) = command.output().await else {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return;
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("\u{1b}[") && shown.contains("projects"), "{shown:?}");
    assert!(shown.contains("complete"), "a terminal gets the summary for people: {shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_shown_and_checked() {
    let (gitlab, bench) = shop_bench("").await;
    let output = daemon::run(&bench, &["config", "check"]).await;
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{output:#?}");
    assert!(output.stderr.contains("valid") && output.stderr.contains("xrefd.toml"));

    let shown = daemon::run(&bench, &["config", "show"]).await.json();
    let source = &shown["gitlab"][0];
    assert_eq!((&source["name"], &source["groups"][0]), (&"sim".into(), &"acme".into()));
    assert!(source["url"].as_str().is_some_and(|url| url.starts_with(&gitlab.url())), "{source}");
    assert_eq!(shown["api_keys"][0]["name"], "member");
    assert!(shown["schedule"]["sync"].is_string(), "defaults are shown too: {shown}");

    let output = daemon::run(&bench, &["config", "show", "--format", "table"]).await;
    for word in ["[server]", "[[gitlab]]", "groups = [\"acme\"]", "[[api_keys]]", "[schedule]"] {
        assert!(output.stdout.contains(word), "{word} in {}", output.stdout);
    }
    let mut command = daemon::command(&bench, &["config", "show"]);
    command.env("XREFD__SERVER__LISTEN", "127.0.0.1:9999");
    let shown = daemon::finish(command).await.json();
    assert_eq!(shown["server"]["listen"], "127.0.0.1:9999", "the environment comes last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_opens_the_daemon_that_it_was_made_for() {
    let (_gitlab, bench) = shop_bench(NEVER).await;
    let output = daemon::finish(daemon::bare(&["key", "new", "laptop"])).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    let (secret, section) = output.stdout.split_once('\n').expect("a key and a section");
    assert!(!section.contains(secret) && !output.stderr.contains(secret));
    let again = daemon::finish(daemon::bare(&["key", "new", "laptop"])).await;
    assert_ne!(again.stdout.lines().next(), Some(secret), "no key is made twice");

    bench.write_config(&(bench.config_text() + section));
    assert_eq!(daemon::run(&bench, &["config", "check"]).await.code, Some(0), "{section}");
    let daemon = Daemon::start(&bench).await;
    let (status, _) = daemon.get("/v1/services", Some(secret)).await.expect("it answers");
    assert_eq!(status, 200);
    let other = again.stdout.lines().next().expect("a key");
    let (status, _) = daemon.get("/v1/services", Some(other)).await.expect("it answers");
    assert_eq!(status, 401);
    let (status, _) = daemon.get("/v1/services", None).await.expect("it answers");
    assert_eq!(status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_one_group_works_on_the_command_line_too() {
    let more = api_key("pay", "xrefd_pay-only", "\"read\"", "groups = [\"acme/pay\"]") + NEVER;
    let (_gitlab, bench) = shop_bench(&more).await;
    let daemon = Daemon::start(&bench).await;
    daemon.synced().await;
    let output = asked(&bench, &daemon, "xrefd_pay-only", &["service"]).await;
    let answer = output.json();
    let names: Vec<&str> = answer["data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(names, ["ledger", "webshop"]);
}
