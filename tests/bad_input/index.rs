//! An index that cannot be opened or is not there, a port in use, a daemon that is away.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use serde_json::json;

use crate::command::Sandbox;
use crate::{closed, failed, shop, source, start, stranger};

#[tokio::test(flavor = "multi_thread")]
async fn database_that_cannot_be_opened_is_named() {
    let gitlab = start(shop()).await;
    for (path, cause) in [
        ("nowhere/xrefd.db", "No such file or directory"),
        // A file is no folder, whoever asks.
        ("xrefd.toml/xrefd.db", "Not a directory"),
        ("folder", "unable to open database file"),
        ("notes.txt", "file is not a database"),
    ] {
        let more = format!("groups = [\"shop\"]\n[database]\nurl = \"sqlite://{path}\"");
        let sandbox = Sandbox::new(&source(&gitlab.url(), &more)).with("TOKEN", gitlab.token());
        std::fs::create_dir(sandbox.file("folder")).expect("a writable folder");
        let notes = "no database, but long enough to be looked at as one\n".repeat(50);
        std::fs::write(sandbox.file("notes.txt"), &notes).expect("a writable folder");
        let step = "in a folder that exists and where this user may write";
        for command in [&["sync"][..], &["serve"]] {
            failed(sandbox.run(command).await, 1, &[path, cause, step]);
        }
        let kept = std::fs::read_to_string(sandbox.file("notes.txt")).expect("it is still there");
        assert_eq!(kept, notes, "somebody's file was changed");
    }
    assert_eq!(gitlab.requests().len(), 0, "nothing is asked for that cannot be kept");
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_without_the_right_to_write_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let more = "groups = [\"shop\"]\n[database]\nurl = \"sqlite://sealed/xrefd.db\"";
    let sandbox = Sandbox::new(&source("http://127.0.0.1:9", more)).with("TOKEN", "glpat-anything");
    let sealed = sandbox.file("sealed");
    std::fs::create_dir(&sealed).expect("a writable folder");
    std::fs::set_permissions(&sealed, std::fs::Permissions::from_mode(0o555)).expect("our folder");
    if std::fs::write(sealed.join("probe"), "").is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    failed(sandbox.run(&["sync"]).await, 1, &["sealed/xrefd.db", "where this user may write"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn port_in_use_is_named_before_the_index_is_touched() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address: SocketAddr = taken.local_addr().expect("a bound port");
    let more = format!("groups = [\"shop\"]\n[server]\nlisten = \"{address}\"");
    let sandbox = Sandbox::new(&source("http://127.0.0.1:9", &more)).with("TOKEN", "glpat-any");
    let ran = sandbox.run(&["serve"]).await;
    let words = [&*address.to_string(), "in use", "stop what holds it", "[server] listen"];
    failed(ran, 1, &words);
    assert!(!sandbox.file("xrefd.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn look_up_without_an_index_says_how_to_make_one() {
    let sandbox = Sandbox::new(&source("http://127.0.0.1:9", "groups = [\"shop\"]"));
    for command in
        [&["ref", "WEB-1"][..], &["resolve", "x"], &["owners", "a/b"], &["service"], &["team", "x"]]
    {
        let words = ["there is no index at", "xrefd.db", "run `xrefd sync`", "[database] url"];
        failed(sandbox.run(command).await, 1, &words);
    }
    assert!(!sandbox.file("xrefd.db").exists(), "a look-up made an index");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_found_is_told_from_a_failure() {
    let gitlab = start(shop()).await;
    let config = source(&gitlab.url(), "groups = [\"shop\"]\n[rules.prefixes]\njira = [\"WEB\"]");
    let sandbox = Sandbox::new(&config).with("TOKEN", gitlab.token());
    sandbox.run(&["sync"]).await.expect(0);
    for (command, word) in [
        (&["ref", "WEB-4242"][..], "nothing in the index mentions jira WEB-4242"),
        (&["ref", "good morning"], "no id, key or known address stands in"),
        (&["resolve", "nobody/nothing"], "nothing in the index is or mentions `nobody/nothing`"),
        (&["owners", "shop/nothing"], "no project in the index is or was `shop/nothing`"),
        (&["owners", "shop/webshop"], "the project has no CODEOWNERS file"),
        (&["service", "nothing"], "`xrefd service` lists those there are"),
        (&["team"], ""),
    ] {
        let ran = sandbox.run(command).await.expect(3);
        assert!(ran.stderr.contains(word), "{command:?}: {ran:#?}");
        // What is said of nothing is data too, and data alone.
        assert!(ran.stdout.is_empty() || ran.json().is_object(), "{ran:#?}");
    }
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_that_is_not_there_or_wants_a_key_is_told_so() {
    let sandbox = Sandbox::new("");
    let (url, _closed) = closed();
    let ran = sandbox.run(&["ref", "WEB-1", "--server", &url]).await;
    failed(ran, 1, &[&url, "does not answer", "is it running?"]);
    let (other, _) = stranger(|_, _| "<html>".into_response()).await;
    let ran = sandbox.run(&["ref", "WEB-1", "--server", &other]).await;
    failed(ran, 1, &[&other, "xrefd"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_whose_gitlab_is_away_answers_and_says_that_it_is_incomplete() {
    let (url, _closed) = closed();
    let more = "groups = [\"shop\"]\n[server]\nlisten = \"127.0.0.1:0\"";
    let sandbox = Sandbox::new(&source(&url, more)).with("TOKEN", "glpat-anything");
    let daemon = sandbox.serve().await;
    let services = daemon.data("/v1/services").await;
    assert_eq!((&services["data"], &services["complete"]), (&json!([]), &json!(false)));
    // The first sync fails in its own time; then the reason is shown.
    let began = Instant::now();
    loop {
        let crawls = daemon.data("/v1/crawls").await.to_string();
        if crawls.contains("Connection refused") {
            assert!(crawls.contains(&url), "{crawls}");
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{crawls}\n{}", daemon.said());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (code, said) = daemon.stop().await;
    assert_eq!(code, 0, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_whose_gitlab_is_silent_answers_and_stops_when_told() {
    // It accepts by itself, and nobody reads.
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("a bound port"));
    let more = "groups = [\"shop\"]\n[server]\nlisten = \"127.0.0.1:0\"";
    let sandbox = Sandbox::new(&source(&url, more)).with("TOKEN", "glpat-anything");
    let daemon = sandbox.serve().await;
    silent.accept().expect("the first sync has begun");
    assert_eq!(daemon.data("/v1/services").await["complete"], false);
    // Told once it waits for the answer for a while; told twice it does not.
    let began = Instant::now();
    daemon.tell_to_stop();
    while !daemon.said().contains("another signal stops at once") {
        assert!(began.elapsed() < Duration::from_mins(1), "{}", daemon.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (code, said) = daemon.stop().await;
    assert_eq!(code, 0, "{said}");
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}: {said}", began.elapsed());
    drop(silent);
}
