//! A configuration or a command line that is wrong.

use crate::command::Sandbox;
use crate::{failed, source};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_the_configuration_is_named_with_its_place() {
    let url = "http://127.0.0.1:9";
    let section = |line: &str| source(url, line);
    for (config, words) in [
        ("[[gitlab]\nurl = 3".to_owned(), &["xrefd.toml, line 1", "not valid TOML"][..]),
        (section("token = 1"), &["xrefd.toml, line 4", "not valid TOML"]),
        (section("gruops = []"), &["gitlab[0].gruops", "unknown key", "did you mean `groups`"]),
        ("[servr]\n".to_owned(), &["servr", "unknown", "did you mean `server`"]),
        (section("groups = \"shop\""), &["gitlab[0].groups", "must be a list", "it is a text"]),
        (section("concurrency = \"many\""), &["gitlab[0].concurrency", "whole number"]),
        (section("share = 3"), &["gitlab[0].share", "above 0 and at most 1"]),
        (section("auth = \"magic\""), &["gitlab[0].auth", "must be one of private-token"]),
        (section("[schedule]\nsync = \"often\""), &["schedule.sync", "second minute hour"]),
        (section("[rules.prefixes]\njirra = [\"W\"]"), &["rules.prefixes", "jirra", "jira"]),
        (section("[[rules.label]]\npattern = \"(\"\nkey = \"x\""), &["rules.label[0].pattern"]),
        (section("[database]\nurl = \"postgres://db/x\""), &["database.url", "only SQLite"]),
        (source("ftp://gitlab", ""), &["gitlab[0].url", "http"]),
        (section("[server]\nlisten = \"0.0.0.0:8420\""), &["server.listen", "xrefd key new"]),
        (String::new(), &["no GitLab is configured", "GITLAB_URL", "[[gitlab]]"]),
    ] {
        let sandbox = Sandbox::new(&config).with("TOKEN", "glpat-anything");
        for command in [&["sync"][..], &["serve"], &["config", "check"]] {
            failed(sandbox.run(command).await, 2, words);
        }
        assert!(!sandbox.file("xrefd.db").exists(), "a database was made for {config:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_problems_of_a_configuration_are_told_at_once_a_line_each() {
    let config = source("http://127.0.0.1:9", "groups = \"shop\"\nshare = 3\nconcurency = 1");
    let ran = Sandbox::new(&config).run(&["config", "check"]).await;
    let lines = ran.stderr.lines().filter(|line| line.starts_with("  `gitlab[0].")).count();
    assert_eq!(lines, 3, "{ran:#?}");
    failed(ran, 2, &["3 problems", "did you mean `concurrency`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_that_is_not_there_or_cannot_be_read_is_named() {
    let sandbox = Sandbox::new("");
    let absent = sandbox.run(&["--config", "nope.toml", "sync"]).await;
    failed(absent, 2, &["no configuration file nope.toml", "--config"]);
    std::fs::write(sandbox.file("xrefd.toml"), [0xff, 0xfe, 0x00]).expect("a writable folder");
    failed(sandbox.run(&["sync"]).await, 2, &["xrefd.toml"]);
    std::fs::create_dir(sandbox.file("folder.toml")).expect("a writable folder");
    failed(sandbox.run(&["--config", "folder.toml", "sync"]).await, 2, &["folder.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_is_not_where_it_should_be_is_named_by_its_place() {
    let url = "http://127.0.0.1:9";
    let unset = Sandbox::new(&source(url, "groups = [\"shop\"]"));
    failed(unset.run(&["sync"]).await, 2, &["environment variable TOKEN is not set", "set it"]);
    for (place, words) in [
        ("{ file = \"secret\" }", ["cannot read the file", "secret"]),
        ("{ command = [\"no-such-program\"] }", ["cannot run the command", "no-such-program"]),
        (
            "{ command = [\"/bin/sh\", \"-c\", \"exit 3\"] }",
            ["command `/bin/sh` failed", "by hand"],
        ),
    ] {
        let config = format!("[[gitlab]]\nurl = \"{url}\"\ngroups = [\"shop\"]\ntoken = {place}\n");
        failed(Sandbox::new(&config).run(&["sync"]).await, 2, &words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_shows_the_right_one() {
    let sandbox = Sandbox::new(&source("http://127.0.0.1:9", "groups = [\"shop\"]"));
    for (arguments, words) in [
        (&[][..], &["Usage: xrefd"][..]),
        (&["synk"], &["synk", "sync", "Usage"]),
        (&["sync", "--fast"], &["--fast", "Usage: xrefd sync"]),
        (&["ref"], &["<TEXT>", "Usage: xrefd ref"]),
        (&["owners"], &["<PROJECT>", "Usage: xrefd owners"]),
        (&["sync", "--format", "yaml"], &["yaml", "table, json"]),
        (&["ref", "x", "--server", "nowhere"], &["nowhere", "http://127.0.0.1:8420"]),
    ] {
        failed(sandbox.run(arguments).await, 2, words);
    }
}
