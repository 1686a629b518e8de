//! When a token is checked, and what becomes of a check that fails.

use std::sync::Arc;

use gitlab_sim::faults::{Fault, FaultKind, Requests};
use gitlab_sim::world::{NewProject, World};
use gitlab_sim::{GitLab, Options};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock::{Clock as _, FakeClock, SystemClock};
use crate::config::{Config, Environment};
use crate::crawl::{Pass, Silent};
use crate::gitlab::TokenKind;
use crate::store::Store;

const CHECK: &str = "/personal_access_tokens/self";

/// A simulated GitLab with a project, and a crawler of it whose token lies in a file.
struct Bench {
    gitlab: GitLab,
    clock: Arc<FakeClock>,
    folder: TempDir,
    crawler: Crawler,
}

impl Bench {
    async fn new() -> Self {
        let mut world = World::new();
        world.add_project(NewProject::at("acme/shop"));
        let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
        let folder = TempDir::new().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("token"), gitlab.token()).expect("our folder");
        let text = format!(
            "[database]\nurl = \"sqlite://{}\"\n[[gitlab]]\nname = \"main\"\nurl = \"{}\"\n\
             token = {{ file = \"{}\" }}\ngroups = [\"acme\"]\nrequests_per_minute = 60000\n",
            path("xrefd.db"),
            gitlab.url(),
            path("token"),
        );
        std::fs::write(path("xrefd.toml"), text).expect("our folder");
        let environment = Environment::default();
        let file = folder.path().join("xrefd.toml");
        let config = Config::load(Some(&file), &environment).expect("it is valid").config;
        let clock = Arc::new(FakeClock::new(SystemClock.now()));
        let crawler = Crawler::new(
            config.sources[0].clone(),
            &environment,
            Store::open(&config.database.url()).await.expect("it opens"),
            Arc::new(config.reader().expect("the rules are valid")),
            Arc::clone(&clock) as Arc<dyn crate::clock::Clock>,
            Arc::new(Silent),
            None,
        );
        let crawler = crawler.await.expect("the token can be read");
        Self { gitlab, clock, folder, crawler }
    }

    async fn sync(&self) -> Result<(), Error> {
        self.crawler.sync(Pass::Sync, &CancellationToken::new()).await.map(|_| ())
    }

    fn checks(&self) -> usize {
        self.gitlab.requests_for(CHECK)
    }
}

#[tokio::test]
async fn a_token_is_checked_at_the_first_sync_and_once_a_day() {
    let bench = Bench::new().await;
    assert_eq!(bench.crawler.token_check(), None);
    for (hours, checks) in [(0, 1), (0, 1), (23, 1), (1, 2), (1, 2), (24, 3), (-48, 4)] {
        bench.clock.advance(SignedDuration::from_hours(hours));
        bench.sync().await.expect("a sync");
        assert_eq!(bench.checks(), checks, "{hours} hours later");
    }
    let check = bench.crawler.token_check().expect("a check");
    assert_eq!((check.kind, check.checked_at), (TokenKind::Access, Some(bench.clock.now())));
    assert_eq!(check.scopes, ["read_api"]);
    bench.gitlab.stop().await;
}

#[tokio::test]
async fn a_token_that_came_into_use_is_checked_by_the_next_sync() {
    let bench = Bench::new().await;
    bench.sync().await.expect("a sync");
    let old = bench.gitlab.token().to_owned();
    let new = bench.gitlab.world().rotate_token(&old, None).expect("it can be rotated");
    std::fs::write(bench.folder.path().join("token"), new).expect("our folder");
    bench.sync().await.expect("a sync");
    bench.sync().await.expect("a sync");
    let check = bench.crawler.token_check().expect("a check");
    assert!(check.expires_on.is_some(), "a rotated token lives for a week: {check:?}");
    let checks = bench.checks();
    bench.sync().await.expect("a sync");
    assert_eq!(bench.checks(), checks, "once is enough");
    bench.gitlab.stop().await;
}

#[tokio::test]
async fn a_check_that_fails_leaves_the_sync_alone_and_is_tried_again_in_an_hour() {
    let bench = Bench::new().await;
    let fault = Fault::new(FaultKind::Login).on(Requests::path(&format!("*{CHECK}")));
    let fault = bench.gitlab.faults().add(fault);
    bench.sync().await.expect("a sync");
    let checks = bench.checks();
    assert!(checks > 0);
    bench.sync().await.expect("a sync");
    assert_eq!((bench.checks(), bench.crawler.token_check()), (checks, None));
    bench.gitlab.faults().remove(fault);
    bench.clock.advance(SignedDuration::from_hours(1));
    bench.sync().await.expect("a sync");
    assert!(bench.crawler.token_check().is_some());
    bench.gitlab.stop().await;
}

#[tokio::test]
async fn a_token_that_gitlab_refuses_ends_the_sync_and_says_so() {
    let bench = Bench::new().await;
    let token = bench.gitlab.token().to_owned();
    assert!(bench.gitlab.world().revoke(&token));
    let error = bench.sync().await.expect_err("revoked");
    assert!(chain(&error).contains("the token was revoked"), "{}", chain(&error));
    assert_eq!(bench.crawler.token_check(), None);
    bench.gitlab.stop().await;
}
