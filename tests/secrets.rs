//! Tokens and keys reach nothing that is written: no log even at the finest level, no error, no
//! file of the index, nothing that is shown of the configuration.

#![allow(missing_docs)]

#[path = "support/command.rs"]
mod command;

use std::io::{Read as _, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use command::{Daemon, Sandbox};
use gitlab_sim::faults::{Fault, FaultKind, Requests};
use gitlab_sim::world::{AccessLevel, World};
use gitlab_sim::{Generator, GitLab, Options};

/// Fails when a text holds a secret, in any spelling that a library might write.
fn assert_silent(place: &str, bytes: &[u8], secret: &str) {
    let bare = ["glpat-", "xrefd_"].iter().find_map(|prefix| secret.strip_prefix(prefix));
    let bare = bare.unwrap_or(secret);
    let spellings = [
        secret.to_owned(),
        // Without the prefix, as a mask that hides too little would leave it.
        bare.to_owned(),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        hexadecimal(secret),
    ];
    for spelling in spellings {
        let found = bytes.windows(spelling.len()).position(|piece| piece == spelling.as_bytes());
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 200)];
            panic!("{place} holds the secret: {}", String::from_utf8_lossy(around));
        }
    }
}

fn hexadecimal(text: &str) -> String {
    let digits = |byte: u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
    text.bytes().flat_map(digits).flatten().collect()
}

/// Searches every file of a sandbox, the index and what lies beside it above all.
fn assert_files_silent(sandbox: &Sandbox, secret: &str) {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(sandbox.folder()).expect("our folder") {
        let path = entry.expect("our folder").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_file() && !name.starts_with("token") {
            let bytes = std::fs::read(&path).expect("our file");
            assert_silent(&name, &bytes, secret);
            names.push(name);
        }
    }
    assert!(names.iter().any(|name| name == "xrefd.db"), "there is no index: {names:?}");
}

/// Searches what a daemon answers.
async fn assert_answers_silent(daemon: &Daemon, secret: &str) {
    for address in ["/v1/services", "/v1/crawls", "/", "/openapi.json", "/metrics", "/readyz"] {
        assert_silent(address, daemon.text(address).await.as_bytes(), secret);
    }
}

/// Waits until something is so, far longer than it takes.
async fn wait_until(what: &str, daemon: &Daemon, mut is_so: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_mins(1), "{what}: {}", daemon.said());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn organisation() -> World {
    let generator = Generator {
        projects: 4,
        issues_per_project: 3,
        merge_requests_per_project: 3,
        ..Generator::default()
    };
    generator.generate().0
}

async fn start(world: World) -> GitLab {
    GitLab::start(world, Options::default()).await.expect("a free port")
}

fn config(url: &str, auth: &str, token: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\
         [[gitlab]]\nurl = \"{url}\"\nauth = \"{auth}\"\ntoken = {token}\n\
         requests_per_minute = 60000\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_run_writes_the_token_anywhere_even_at_the_finest_log_level() {
    let gitlab = start(organisation()).await;
    let token = gitlab.token().to_owned();
    for (auth, place) in [
        ("private-token", "{ env = \"TOKEN\" }"),
        ("bearer", "{ file = \"token\" }"),
        ("private-token", "{ command = [\"/bin/cat\", \"token\"] }"),
    ] {
        gitlab.forget_requests();
        let sandbox = Sandbox::new(&config(&gitlab.url(), auth, place))
            .with("XREFD_LOG", "trace")
            .with("TOKEN", &token);
        std::fs::write(sandbox.file("token"), format!("{token}\n")).expect("our folder");
        let ran = sandbox.run(&["sync", "--full", "--format", "json"]).await.expect(0);
        assert!(ran.json()["issues"].as_u64().is_some_and(|issues| issues > 0), "{}", ran.stdout);
        // The search means something: the log is as talkative as it can be, and the token was used.
        assert!(ran.stderr.contains("\"TRACE\"") && ran.stderr.contains("/api/graphql"), "{auth}");
        assert!(gitlab.requests().iter().all(|request| request.user.is_some()), "{auth}");
        assert_silent("stdout", ran.stdout.as_bytes(), &token);
        assert_silent("stderr", ran.stderr.as_bytes(), &token);

        let daemon = sandbox.serve().await;
        for address in ["/v1/services", "/v1/crawls", "/", "/openapi.json"] {
            let (status, _) = daemon.get(address).await.expect("an answer");
            assert_eq!(status, 200, "{address}");
        }
        assert_answers_silent(&daemon, &token).await;
        // While it runs, the newest pages stand in the write-ahead log.
        assert_files_silent(&sandbox, &token);
        let (code, said) = daemon.stop().await;
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("\"TRACE\""), "{said}");
        assert_silent("the daemon's log", said.as_bytes(), &token);
        assert_files_silent(&sandbox, &token);
    }
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_named_by_its_place_and_not_shown() {
    let gitlab = start(organisation()).await;
    for (auth, place) in
        [("private-token", "{ env = \"TOKEN\" }"), ("bearer", "{ file = \"token\" }")]
    {
        let wrong = "glpat-Wr0ngAndVerySecret42";
        let sandbox = Sandbox::new(&config(&gitlab.url(), auth, place))
            .with("XREFD_LOG", "trace")
            .with("TOKEN", wrong);
        std::fs::write(sandbox.file("token"), wrong).expect("our folder");
        let ran = sandbox.run(&["sync"]).await.expect(1);
        assert!(ran.stderr.contains("the token is not valid here"), "{ran:#?}");
        assert_silent("stderr", ran.stderr.as_bytes(), wrong);
        assert_files_silent(&sandbox, wrong);
    }
    gitlab.stop().await;
}

/// A schedule that comes each second.
const OFTEN: &str = "[schedule]\nsync = \"* * * * * *\"\n";

/// Says whether a request of somebody was answered since the log was last emptied.
fn serves(gitlab: &GitLab, is_theirs: impl Fn(&str) -> bool) -> bool {
    let requests = gitlab.requests();
    let mut good = requests.iter().filter(|request| request.status == 200);
    good.any(|request| request.user.as_deref().is_some_and(&is_theirs))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_goes_on_with_a_rotated_token_without_a_restart_and_writes_neither() {
    let gitlab = start(organisation()).await;
    for (auth, place) in [
        ("private-token", "{ file = \"token\" }"),
        ("bearer", "{ command = [\"/bin/cat\", \"token\"] }"),
    ] {
        let user = gitlab.world().token(gitlab.token()).expect("the bot's").user;
        let old = gitlab.world().add_token(user, &["read_api", "sudo"], None);
        let sandbox =
            Sandbox::new(&(config(&gitlab.url(), auth, place) + OFTEN)).with("XREFD_LOG", "trace");
        std::fs::write(sandbox.file("token"), &old).expect("our folder");
        let daemon = sandbox.serve().await;
        wait_until("the first sync", &daemon, async || {
            daemon.said().contains("has the scope sudo, which is not needed")
        })
        .await;

        // As a rotation does it: the old token ends at once, and nobody waits for anybody.
        let new = gitlab.world().rotate_token(&old, None).expect("it can be rotated");
        std::fs::write(sandbox.file("token"), &new).expect("our folder");
        gitlab.forget_requests();
        wait_until("a request with the new token", &daemon, async || serves(&gitlab, |_| true))
            .await;
        wait_until("a check of the new token", &daemon, async || {
            daemon.said().contains("make a new one or rotate it")
        })
        .await;
        for secret in [&old, &new] {
            assert_answers_silent(&daemon, secret).await;
            assert_files_silent(&sandbox, secret);
        }
        let (code, said) = daemon.stop().await;
        assert_eq!(code, 0, "{said}");
        for secret in [&old, &new] {
            assert_silent("the daemon's log", said.as_bytes(), secret);
            assert_files_silent(&sandbox, secret);
        }
    }
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_falls_back_to_the_second_token_and_returns_to_the_first_on_a_hangup() {
    let gitlab = start(organisation()).await;
    let first = gitlab.token().to_owned();
    let second = {
        let mut world = gitlab.world();
        let group = world.groups().next().expect("a group").id;
        world.add_group_token(group, "spare", AccessLevel::Reporter, &["read_api"], None)
    };
    let spare = |user: &str| user.starts_with("group_");
    let text = config(&gitlab.url(), "private-token", "{ command = [\"/bin/cat\", \"token\"] }");
    let text = text + "fallback_token = { file = \"token2\" }\n" + OFTEN;
    let sandbox = Sandbox::new(&text).with("XREFD_LOG", "trace");
    std::fs::write(sandbox.file("token"), &first).expect("our folder");
    std::fs::write(sandbox.file("token2"), &second).expect("our folder");
    let daemon = sandbox.serve().await;
    assert!(!serves(&gitlab, spare), "the first token is good");

    assert!(gitlab.world().revoke(&first));
    wait_until("a request with the second token", &daemon, async || serves(&gitlab, spare)).await;
    let said = daemon.said();
    assert!(said.contains("the token of the file token2 is used"), "{said}");
    assert!(said.contains("GitLab refuses the one of the output of the command"), "{said}");

    let third = {
        let mut world = gitlab.world();
        let group = world.groups().next().expect("a group").id;
        let third = world.add_group_token(group, "new", AccessLevel::Reporter, &["read_api"], None);
        // A command is not asked before something is wrong with the second token, or it is told to.
        std::fs::write(sandbox.file("token"), &third).expect("our folder");
        third
    };
    daemon.signal("HUP");
    wait_until("the hangup", &daemon, async || {
        daemon.said().contains("another token is used from now on: the one of the output")
    })
    .await;
    for secret in [&first, &second, &third] {
        assert_answers_silent(&daemon, secret).await;
    }
    let (code, said) = daemon.stop().await;
    assert_eq!(code, 0, "{said}");
    for secret in [&first, &second, &third] {
        assert_silent("the daemon's log", said.as_bytes(), secret);
        assert_files_silent(&sandbox, secret);
    }
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_token_is_enough_to_begin_with_and_without_any_the_place_is_named() {
    let gitlab = start(organisation()).await;
    let text = config(&gitlab.url(), "private-token", "{ file = \"absent\" }");
    let text = text + "fallback_token = { env = \"SPARE\" }\n";
    let sandbox = Sandbox::new(&text).with("XREFD_LOG", "trace");
    for command in ["sync", "serve"] {
        let ran = sandbox.run(&[command]).await.expect(2);
        assert!(ran.stderr.contains("cannot read the file absent"), "{ran:#?}");
    }
    let sandbox = sandbox.with("SPARE", gitlab.token());
    let ran = sandbox.run(&["sync"]).await.expect(0);
    assert!(ran.stderr.contains("the environment variable SPARE is used"), "{ran:#?}");
    assert_silent("stderr", ran.stderr.as_bytes(), gitlab.token());
    assert_files_silent(&sandbox, gitlab.token());
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_whose_links_and_records_lead_elsewhere_gets_no_token_there_nor_into_the_log() {
    // More items than one page holds.
    let generator = Generator {
        projects: 4,
        issues_per_project: 60,
        merge_requests_per_project: 3,
        ..Generator::default()
    };
    let gitlab = start(generator.generate().0).await;
    let token = gitlab.token().to_owned();
    let elsewhere = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    elsewhere.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}/", elsewhere.local_addr().expect("an address"));
    let faults = gitlab.faults();
    faults.add(Fault::new(FaultKind::LinkHost { url }).on(Requests::all()));
    faults.add(Fault::new(FaultKind::ExpiredToken).on(Requests::path("*/notes")).every(2));
    faults.add(Fault::new(FaultKind::Login).on(Requests::path("*/personal_access_tokens/*")));
    let sandbox = Sandbox::new(&config(&gitlab.url(), "private-token", "{ env = \"TOKEN\" }"))
        .with("XREFD_LOG", "trace")
        .with("TOKEN", &token);
    let ran = sandbox.run(&["sync"]).await;
    assert!(ran.stderr.contains("the token could not be checked"), "{ran:#?}");
    assert_silent("stdout", ran.stdout.as_bytes(), &token);
    assert_silent("stderr", ran.stderr.as_bytes(), &token);
    assert_files_silent(&sandbox, &token);
    assert!(elsewhere.accept().is_err(), "somebody asked the other host");
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_another_host_takes_no_token_there_nor_into_the_log() {
    let listen = || std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let (front, elsewhere) = (listen(), listen());
    elsewhere.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}", front.local_addr().expect("an address"));
    let target = elsewhere.local_addr().expect("an address");
    // Ends with the test's process.
    std::thread::spawn(move || {
        for mut stream in front.incoming().flatten() {
            let mut request = [0; 16 * 1024];
            let _ = stream.read(&mut request);
            let answer = format!(
                "HTTP/1.1 302 Found\r\nlocation: http://{target}/api/v4/version\r\n\
                 content-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let token = "glpat-RightAndVerySecret42";
    let text = config(&url, "bearer", "{ env = \"TOKEN\" }") + "groups = [\"shop\"]\n";
    let sandbox = Sandbox::new(&text).with("XREFD_LOG", "trace").with("TOKEN", token);
    let ran = sandbox.run(&["sync"]).await.expect(1);
    assert!(ran.stderr.contains("where the token is not sent"), "{ran:#?}");
    assert_silent("stderr", ran.stderr.as_bytes(), token);
    assert_files_silent(&sandbox, token);
    assert!(elsewhere.accept().is_err(), "somebody asked the other host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_wrong_place_is_refused_without_being_repeated() {
    let secret = "glpat-Wr0ngAndVerySecret42";
    for line in [
        format!("token = \"{secret}\""),
        format!("token = {{ value = \"{secret}\" }}"),
        format!("auth = \"{secret}\""),
        format!("name = \"a\"\ntoken = {secret}"),
        format!("private_token = \"{secret}\""),
    ] {
        let text = format!("[[gitlab]]\nurl = \"http://127.0.0.1:9\"\n{line}\n");
        let sandbox = Sandbox::new(&text).with("XREFD_LOG", "trace");
        for command in [&["sync"][..], &["serve"], &["config", "check"], &["config", "show"]] {
            let ran = sandbox.run(command).await.expect(2);
            assert_eq!(ran.stdout, "", "{line}");
            assert_silent(&format!("the message about `{line}`"), ran.stderr.as_bytes(), secret);
        }
    }
    let text = format!("[[gitlab]]\nurl = \"http://ann:{secret}@127.0.0.1:9\"\ngroups = [\"a\"]\n");
    let sandbox = Sandbox::new(&text).with("XREFD_LOG", "trace");
    for command in [&["sync"][..], &["config", "show"]] {
        let ran = sandbox.run(command).await;
        assert_ne!(ran.code, 0, "an address with a password is taken");
        assert_silent("stdout", ran.stdout.as_bytes(), secret);
        assert_silent("stderr", ran.stderr.as_bytes(), secret);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_shown_without_tokens_and_with_hashes_cut_short() {
    let made = Sandbox::new("").run(&["key", "new", "pager"]).await.expect(0);
    let (key, section) = made.stdout.split_once('\n').expect("the key, then the section");
    let (_, rest) = section.split_once("sha256 = \"").expect("a hash");
    let hash = &rest[..64];

    let token = "glpat-RightAndVerySecret42";
    let text = config("http://127.0.0.1:9", "private-token", "{ env = \"TOKEN\" }") + section;
    let sandbox = Sandbox::new(&text).with("TOKEN", token).with("XREFD_LOG", "trace");
    for format in ["table", "json"] {
        let ran = sandbox.run(&["config", "show", "--format", format]).await.expect(0);
        assert!(ran.stdout.contains("TOKEN") && ran.stdout.contains("pager"), "{ran:#?}");
        assert!(ran.stdout.contains(&hash[..8]), "{ran:#?}");
        for secret in [token, key, hash] {
            assert_silent("stdout", ran.stdout.as_bytes(), secret);
            assert_silent("stderr", ran.stderr.as_bytes(), secret);
        }
    }
    let checked = sandbox.run(&["config", "check"]).await.expect(0);
    assert_silent("stderr", checked.stderr.as_bytes(), token);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_that_is_used_is_written_nowhere() {
    let gitlab = start(organisation()).await;
    let made = Sandbox::new("").run(&["key", "new", "pager"]).await.expect(0);
    let (key, section) = made.stdout.split_once('\n').expect("the key, then the section");
    let text = config(&gitlab.url(), "private-token", "{ env = \"TOKEN\" }") + section;
    let sandbox = Sandbox::new(&text).with("TOKEN", gitlab.token()).with("XREFD_LOG", "trace");
    sandbox.run(&["sync"]).await.expect(0);
    let daemon = sandbox.serve().await;
    let (status, _) = daemon.get_as("/v1/services", Some(key)).await.expect("an answer");
    assert_eq!(status, 200);
    let wrong = "xrefd_Wr0ngAndVerySecret4242424242";
    for refused in [None, Some(wrong)] {
        let (status, body) = daemon.get_as("/v1/services", refused).await.expect("an answer");
        assert_eq!(status, 401);
        assert_silent("the refusal", body.to_string().as_bytes(), wrong);
    }
    // The command line as a client of the daemon holds the key as well.
    let client = Sandbox::new("").with("XREFD_API_KEY", key).with("XREFD_LOG", "trace");
    let ran = client.run(&["service", "--server", &daemon.url, "--format", "json"]).await.expect(0);
    assert_silent("the client's stdout", ran.stdout.as_bytes(), key);
    assert_silent("the client's log", ran.stderr.as_bytes(), key);

    let (code, said) = daemon.stop().await;
    assert_eq!(code, 0, "{said}");
    for secret in [key, wrong, gitlab.token()] {
        assert_silent("the daemon's log", said.as_bytes(), secret);
        assert_files_silent(&sandbox, secret);
    }
    gitlab.stop().await;
}
