//! Which key is sent, and what is read to find it: with places of all kinds, and with a GitLab that
//! takes some tokens and refuses others.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex as Lock;

use futures_util::future::join_all;
use tempfile::TempDir;

use super::*;
use crate::gitlab::Client;
use crate::gitlab::stub::{Stub, client, json, settings};

const VERSION: &str = r#"{"version":"19.0.0"}"#;

/// A folder with files that hold tokens.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces a file as a secret store does: at once.
    fn replace(&self, name: &str, token: &str) {
        std::fs::write(self.path("new"), token).expect("a writable folder");
        std::fs::rename(self.path("new"), self.path(name)).expect("a writable folder");
    }

    fn file(&self, name: &str) -> TokenSource {
        TokenSource::File(self.path(name))
    }

    /// A command that prints a file of the folder, and counts how often it ran.
    fn command(&self, name: &str) -> TokenSource {
        let script = format!("cd '{}' && echo run >> runs && cat {name}", self.0.path().display());
        TokenSource::Command { program: "sh".to_owned(), arguments: vec!["-c".to_owned(), script] }
    }

    fn runs(&self) -> usize {
        std::fs::read_to_string(self.path("runs")).unwrap_or_default().lines().count()
    }
}

fn ring(first: TokenSource, fallback: Option<TokenSource>) -> Arc<Keyring> {
    Keyring::new(Auth::PrivateToken(first), fallback, Environment::from([("TOKEN", "variable")]))
}

fn variable(name: &str) -> TokenSource {
    TokenSource::Env(name.to_owned())
}

/// Returns the token that the next request would carry.
async fn sent(ring: &Keyring) -> String {
    let key = ring.present().await.expect("a key");
    let (_, value) = key.header.expect("a header");
    value.to_str().expect("plain text").to_owned()
}

/// Lets GitLab refuse the key in force, and says whether there was another one.
async fn refuse(ring: &Keyring) -> bool {
    let generation = ring.generation().await;
    ring.refused(generation).await
}

/// Lets time pass, without waiting for it, in a test whose clock runs: one that asks a server or
/// runs a command.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// Lets time pass in a test whose clock stands still.
async fn skip(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// A GitLab that takes these tokens.
struct Door {
    stub: Stub,
    good: Arc<Lock<BTreeSet<String>>>,
}

impl Door {
    async fn open(tokens: &[&str]) -> Self {
        let good: BTreeSet<String> = tokens.iter().map(|token| (*token).to_owned()).collect();
        let good = Arc::new(Lock::new(good));
        let known = Arc::clone(&good);
        let stub = Stub::start(move |asked, _| {
            let token = asked.headers["private-token"].to_str().expect("plain text");
            if known.lock().expect("not poisoned").contains(token) {
                json(200, VERSION)
            } else {
                json(401, r#"{"message":"401 Unauthorized"}"#)
            }
        });
        Self { stub: stub.await, good }
    }

    fn take_only(&self, token: &str) {
        *self.good.lock().expect("not poisoned") = BTreeSet::from([token.to_owned()]);
    }

    fn client(&self, ring: &Arc<Keyring>) -> Client {
        let mut settings = settings(&self.stub.url);
        settings.keyring = Arc::clone(ring);
        client(settings)
    }

    /// The tokens that came, in order, without the looks at a token itself that follow a refusal.
    fn came(&self) -> Vec<String> {
        let asked = self.stub.asked().into_iter();
        let asked = asked.filter(|asked| !asked.uri.contains("/personal_access_tokens/"));
        let token = asked.map(|asked| asked.headers["private-token"].to_str().map(str::to_owned));
        token.map(|token| token.expect("plain text")).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_replaced_is_read_again_within_seconds_and_not_before_each_request() {
    let folder = Folder::new();
    folder.replace("token", "one\n");
    let ring = ring(folder.file("token"), None);
    assert_eq!(sent(&ring).await, "one");
    folder.replace("token", "two\n");
    assert_eq!(sent(&ring).await, "one", "it was looked at a moment ago");
    skip(4).await;
    assert_eq!(sent(&ring).await, "two");
    assert_eq!(ring.generation().await, 2);
    skip(4).await;
    assert_eq!((sent(&ring).await, ring.generation().await), ("two".to_owned(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_empty_or_gone_for_a_moment_costs_nothing() {
    let folder = Folder::new();
    folder.replace("token", "one");
    let ring = ring(folder.file("token"), None);
    assert_eq!(sent(&ring).await, "one");
    for half in ["", "two words", "\n"] {
        folder.replace("token", half);
        skip(4).await;
        assert_eq!(sent(&ring).await, "one", "{half:?}");
    }
    std::fs::remove_file(folder.path("token")).expect("it was there");
    skip(4).await;
    assert_eq!(sent(&ring).await, "one");
    assert!(!refuse(&ring).await, "there is no other");
    folder.replace("token", "two");
    skip(4).await;
    assert_eq!(sent(&ring).await, "two");
}

#[tokio::test]
async fn a_file_that_was_read_half_written_gives_way_to_what_it_held_before_and_then_to_the_whole()
{
    let folder = Folder::new();
    folder.replace("token", "glpat-one");
    let door = Door::open(&["glpat-one", "glpat-two"]).await;
    let ring = ring(folder.file("token"), None);
    let client = door.client(&ring);
    client.version().await.expect("a version");
    folder.replace("token", "glpat-t");
    later(4).await;
    client.version().await.expect("a version");
    assert_eq!(door.came(), ["glpat-one", "glpat-t", "glpat-one"]);
    folder.replace("token", "glpat-two");
    later(4).await;
    client.version().await.expect("a version");
    assert_eq!(door.came().last().map(String::as_str), Some("glpat-two"));
}

#[tokio::test]
async fn a_token_rotated_in_its_file_in_the_middle_of_a_run_is_picked_up_when_gitlab_refuses_the_old()
 {
    let folder = Folder::new();
    folder.replace("token", "one");
    let door = Door::open(&["one"]).await;
    let client = door.client(&ring(folder.file("token"), None));
    client.version().await.expect("a version");
    folder.replace("token", "two");
    door.take_only("two");
    client.version().await.expect("a version");
    let came = door.came();
    assert_eq!((came[0].as_str(), came[came.len() - 1].as_str()), ("one", "two"));
    assert!(came.len() <= 3, "one refusal is enough: {came:?}");
}

#[tokio::test]
async fn a_command_is_run_again_when_gitlab_refuses_its_token_but_not_again_and_again() {
    let folder = Folder::new();
    folder.replace("token", "one");
    let door = Door::open(&["one"]).await;
    let client = door.client(&ring(folder.command("token"), None));
    client.version().await.expect("a version");
    client.version().await.expect("a version");
    assert_eq!(folder.runs(), 1);

    folder.replace("token", "two");
    door.take_only("two");
    client.version().await.expect("a version");
    assert_eq!((door.came().join(" "), folder.runs()), ("one one one two".to_owned(), 2));

    door.take_only("three");
    for _ in 0..5 {
        client.version().await.expect_err("refused");
    }
    assert_eq!(folder.runs(), 2, "it ran a moment ago");
    later(11).await;
    folder.replace("token", "three");
    client.version().await.expect("a version");
    assert_eq!(folder.runs(), 3);
}

#[tokio::test]
async fn requests_that_are_refused_at_once_share_one_reading_and_one_new_key() {
    let folder = Folder::new();
    folder.replace("token", "one");
    let ring = ring(folder.command("token"), None);
    assert_eq!(sent(&ring).await, "one");
    folder.replace("token", "two");
    let found = join_all((0..20).map(|_| ring.refused(1))).await;
    assert!(found.iter().all(|found| *found), "{found:?}");
    assert_eq!((folder.runs(), ring.generation().await), (2, 2));

    // With nothing new there is one reading all the same.
    later(20).await;
    let found = join_all((0..20).map(|_| ring.refused(2))).await;
    assert!(found.iter().all(|found| !found), "{found:?}");
    assert_eq!((folder.runs(), ring.generation().await), (3, 2));
}

#[tokio::test]
async fn the_second_token_is_used_while_the_first_is_refused_and_the_first_again_when_it_changes() {
    let folder = Folder::new();
    folder.replace("first", "one");
    folder.replace("second", "spare");
    let door = Door::open(&["one", "spare"]).await;
    let client = door.client(&ring(folder.file("first"), Some(folder.command("second"))));
    client.version().await.expect("a version");
    assert_eq!(folder.runs(), 0, "the second is not read before it is needed");
    door.take_only("spare");
    client.version().await.expect("a version");
    client.version().await.expect("a version");
    assert_eq!(door.came(), ["one", "one", "spare", "spare"]);
    assert_eq!(folder.runs(), 1);

    folder.replace("first", "two");
    door.take_only("two");
    later(4).await;
    client.version().await.expect("a version");
    assert_eq!(door.came().last().map(String::as_str), Some("two"));
}

#[tokio::test(start_paused = true)]
async fn a_reload_begins_with_the_first_token_again() {
    let folder = Folder::new();
    folder.replace("second", "spare");
    let ring = ring(variable("TOKEN"), Some(folder.file("second")));
    assert_eq!(sent(&ring).await, "variable");
    assert!(refuse(&ring).await);
    assert_eq!(sent(&ring).await, "spare");
    skip(60).await;
    assert_eq!(sent(&ring).await, "spare", "a variable never changes");
    let sentence = ring.stand_in().await.expect("the second stands in for the first");
    assert!(sentence.contains("GitLab refuses the one of"), "{sentence}");
    assert!(!sentence.contains("spare"), "{sentence}");
    ring.reload().await;
    assert_eq!(sent(&ring).await, "variable");
    assert_eq!(ring.stand_in().await, None);
    assert_eq!(ring.generation().await, 3);
    ring.reload().await;
    assert_eq!(ring.generation().await, 3, "the same key is no new one");
}

#[tokio::test]
async fn when_both_are_refused_that_is_said_and_the_next_token_ends_it() {
    let folder = Folder::new();
    folder.replace("first", "one");
    folder.replace("second", "spare");
    let door = Door::open(&[]).await;
    let client = door.client(&ring(folder.file("first"), Some(folder.file("second"))));
    let error = client.version().await.expect_err("both are refused");
    assert!(matches!(error, Error::Unauthorized { is_final: true, .. }), "{error:?}");
    assert_eq!(door.came(), ["one", "spare"]);
    // The next one begins with the first again: nobody is stuck with the worst key.
    client.version().await.expect_err("both are refused");
    assert_eq!(door.came()[2], "one");

    // Many at once share what the first of them found: each was sent once with each key at most.
    let before = door.came().len();
    later(2).await;
    let errors = join_all((0..20).map(|_| client.version())).await;
    assert!(errors.iter().all(Result::is_err));
    assert!(door.came().len() - before <= 40, "{:?}", door.came());
    folder.replace("second", "new");
    door.take_only("new");
    later(4).await;
    client.version().await.expect("a version");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_cannot_be_read_is_no_failure_while_the_other_one_can() {
    let folder = Folder::new();
    folder.replace("second", "spare");
    let ring = ring(folder.file("first"), Some(folder.file("second")));
    ring.open().await.expect("the second can be read");
    assert_eq!(sent(&ring).await, "spare");
    folder.replace("first", "one");
    skip(4).await;
    assert_eq!(sent(&ring).await, "one");
}

#[tokio::test]
async fn without_any_token_the_first_place_is_named_and_the_next_try_reads_again() {
    let folder = Folder::new();
    let ring = ring(variable("UNSET"), Some(folder.file("second")));
    let error = ring.open().await.expect_err("no token anywhere");
    assert!(chain(&error).contains("UNSET"), "{}", chain(&error));
    folder.replace("second", "spare");
    assert_eq!(sent(&ring).await, "spare");
}

#[tokio::test]
async fn a_refusal_by_chance_does_not_lead_back_to_a_token_that_was_replaced_long_ago() {
    let folder = Folder::new();
    folder.replace("token", "one");
    let door = Door::open(&["one"]).await;
    let ring = ring(folder.file("token"), None);
    let client = door.client(&ring);
    client.version().await.expect("a version");
    folder.replace("token", "two");
    door.take_only("two");
    client.version().await.expect("a version");
    for seconds in [120, 1] {
        later(seconds).await;
        assert!(!refuse(&ring).await, "there is no other");
        client.version().await.expect("a version");
        assert_eq!(door.came().last().map(String::as_str), Some("two"));
    }
}

#[tokio::test]
async fn a_refusal_by_chance_of_every_key_is_over_with_the_next_request() {
    let folder = Folder::new();
    folder.replace("second", "spare");
    let ring = ring(variable("TOKEN"), Some(folder.file("second")));
    assert_eq!(sent(&ring).await, "variable");
    assert!(refuse(&ring).await);
    assert!(!refuse(&ring).await, "there is no third");
    assert_eq!(sent(&ring).await, "variable");
    assert!(!refuse(&ring).await, "not so soon");
    later(2).await;
    assert!(refuse(&ring).await);
    assert_eq!(sent(&ring).await, "spare");
}

#[tokio::test]
async fn the_same_token_in_both_places_is_refused_once() {
    let folder = Folder::new();
    folder.replace("second", "variable");
    let door = Door::open(&[]).await;
    let client = door.client(&ring(variable("TOKEN"), Some(folder.file("second"))));
    client.version().await.expect_err("refused");
    assert!(door.came().len() <= 2, "{:?}", door.came());
}

#[tokio::test]
async fn no_key_shows_its_token() {
    let ring = ring(variable("TOKEN"), None);
    let key = ring.present().await.expect("a key");
    for shown in [format!("{ring:?}"), format!("{key:?}")] {
        assert!(!shown.contains("variable"), "{shown}");
    }
    assert_eq!(format!("{ring:?}"), "private-token");
}
