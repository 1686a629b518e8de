//! Plays a scene: passes over a GitLab that lives, then quiet, then the verdict.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use gitlab_sim::hooks::{Hook, HookId, HookOptions};
use gitlab_sim::{Clock, GitLab, Life, Pace};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use xrefd::crawl::Pass;
use xrefd::gitlab::Settings;

use crate::judge;
use crate::scene::{Act, Hooks, Kills, Roots, Scene};
use crate::support::{self, Bench, Index, TOKEN_VARIABLE, daemon};

/// How often GitLab's count of requests is looked at.
const LOOK: Duration = Duration::from_micros(300);

/// How many passes may be needed: one finds what goes, the next confirms a great drop, and one more
/// sees that nothing is left to do.
const LAST_PASSES: usize = 4;

/// Longer than a second look takes, and than any lag.
const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// The world's clock, handed to xrefd: a test's minutes pass at once, for both.
#[derive(Debug)]
struct WorldClock(Clock);

impl xrefd::clock::Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Limits of time with which nobody waits for long.
fn quick(settings: &mut Settings) {
    settings.head_timeout = Duration::from_secs(5);
    settings.idle_timeout = Duration::from_secs(5);
    settings.request_timeout = Duration::from_secs(10);
    settings.backoff = Duration::from_millis(2);
    settings.unstated_pause = Duration::from_millis(20);
    settings.patience = Duration::from_secs(2);
    settings.first_patience = Duration::from_millis(200);
}

/// What a scene is played with.
struct Stage {
    scene: Scene,
    gitlab: GitLab,
    clock: Clock,
    bench: Bench,
    /// The projects that are named one by one.
    named: BTreeSet<u64>,
}

/// Plays a scene; the error tells what people did and what is different.
pub async fn play(scene: Scene) -> Result<(), String> {
    let stage = Stage::set(scene).await;
    let result = stage.run().await;
    stage.gitlab.stop().await;
    result
}

impl Stage {
    async fn set(scene: Scene) -> Self {
        let now: Timestamp = "2026-11-20T12:00:00.123456Z".parse().expect("an instant");
        let (world, ledger) = scene.generator(now).organisation();
        let clock = world.clock().clone();
        match scene.kills {
            Kills::Within => clock.set(now),
            // The process has the machine's clock; GitLab's runs as quickly.
            Kills::Process => clock.run_from(now),
        }
        let settings = ledger.truth(&world, world.caller(None).expect("everybody")).settings;
        let more = support::prefixes(&settings) + &support::both_keys();
        let ids = world.projects().map(|row| row.id.get());
        let named: BTreeSet<u64> = ids.filter(|id| id % 2 == 0).collect();
        let gitlab = GitLab::start(world, scene.options()).await.expect("a free port");
        let gitlab = gitlab.with_ledger(ledger);
        let bench = Bench::new(&gitlab, "acme", "", &more);
        bench.write_config(&configuration(&scene, &bench, &gitlab, &named, &more));
        Self { scene, gitlab, clock, bench, named }
    }

    async fn open(&self) -> Index {
        self.bench.open_by(Arc::new(WorldClock(self.clock.clone())), quick).await
    }

    async fn run(&self) -> Result<(), String> {
        let scene = &self.scene;
        let lag = SignedDuration::from_secs(scene.lag_seconds);
        self.gitlab.world().set_commit_delay(lag);
        let stride = SignedDuration::from_secs(scene.stride_seconds);
        let life = Life::seeded(scene.seed).weights(scene.weights()).stride(stride);
        self.gitlab.live(life, Pace::AfterRequests(scene.pace));
        for fault in scene.faults() {
            self.gitlab.faults().add(fault);
        }
        let mut told = Vec::new();
        for act in &scene.acts {
            self.pass_time(act).await;
            told.push(match scene.kills {
                Kills::Within => self.act_within(act).await,
                Kills::Process => self.act_by_process(act).await,
            });
        }
        self.gitlab.faults().clear();
        let steps = self.gitlab.quiet().await;
        self.clock.skip(QUIET);
        self.gitlab.world().set_commit_delay(SignedDuration::ZERO);
        self.settle(&mut told).await.map_err(|wrong| {
            let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
            format!("{}\n{}\n{wrong}", steps.join("\n"), told.join("\n"))
        })
    }

    /// Lets time pass, in which people do something.
    async fn pass_time(&self, act: &Act) {
        self.clock.skip(SignedDuration::from_secs(act.rest_seconds));
        let client = reqwest::Client::new();
        for _ in 0..act.deeds * self.scene.pace {
            let url = format!("{}/api/v4/version", self.gitlab.url());
            let request = client.get(url).header("private-token", self.gitlab.token());
            let request = request.build().expect("a request");
            // It may be struck: it is a request all the same.
            let _ = client.execute(request).await;
        }
    }

    async fn act_within(&self, act: &Act) -> String {
        let index = self.open().await;
        let (url, serving) = index.served().await;
        let hooks = self.hook(&url);
        let beside = async {
            if self.scene.hooks == Hooks::None {
                std::future::pending::<()>().await;
            }
            tokio::join!(serving, index.read_marks());
        };
        let ended = tokio::select! {
            ended = self.act_alone(&index, act) => ended,
            () = beside => "the daemon's other half ended".to_owned(),
        };
        for hook in hooks {
            self.gitlab.remove_hook(hook);
        }
        index.close().await;
        format!("{} at {}: {ended}", act.pass.as_str(), self.clock.now())
    }

    /// Hooks that tell this index what happens; some events are lost, or come twice.
    fn hook(&self, url: &str) -> Vec<HookId> {
        if self.scene.hooks == Hooks::None {
            return Vec::new();
        }
        let url = format!("{url}/v1/webhooks/gitlab/sim");
        let acme = self.gitlab.world().find_group("acme").expect("the root").id;
        let mut hooks = vec![Hook::on_group(acme, &url), Hook::on_system(&url)];
        match self.scene.hooks {
            Hooks::None | Hooks::Told => {}
            // The same events from a second hook: other deliveries, with other keys.
            Hooks::Doubled => hooks.push(Hook::on_group(acme, &url)),
            Hooks::Lost => self
                .gitlab
                .set_hook_options(HookOptions { per_minute: Some(3), ..HookOptions::default() }),
        }
        let told = hooks.into_iter().map(|hook| hook.all_events().token(support::HOOK_TOKEN));
        told.map(|hook| self.gitlab.add_hook(hook).expect("a hook as it must be")).collect()
    }

    async fn act_alone(&self, index: &Index, act: &Act) -> String {
        self.gitlab.forget_requests();
        let stop = CancellationToken::new();
        let passes = async {
            let mut ended = Vec::new();
            for crawler in &index.crawlers {
                ended.push(match crawler.sync(act.pass, &stop).await {
                    Ok(summary) if summary.complete => "complete".to_owned(),
                    Ok(summary) => format!("incomplete, {} problems", summary.errors.len()),
                    Err(error) => error.to_string(),
                });
            }
            ended.join("; ")
        };
        match act.killed_after {
            None => passes.await,
            Some(requests) => tokio::select! {
                ended = passes => ended,
                () = self.asked(requests) => format!("killed after {requests} requests"),
            },
        }
    }

    async fn asked(&self, requests: usize) {
        while self.gitlab.requests().len() < requests {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn act_by_process(&self, act: &Act) -> String {
        self.gitlab.forget_requests();
        let mut command = daemon::command(&self.bench, &["sync"]);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let requests = act.killed_after.unwrap_or(usize::MAX);
        let deadline = Instant::now() + daemon::PATIENCE;
        while self.gitlab.requests().len() < requests {
            if let Some(status) = child.try_wait().expect("its state can be asked") {
                return format!("the process ended: {status}");
            }
            assert!(Instant::now() < deadline, "the process does not end");
            tokio::time::sleep(LOOK).await;
        }
        // SIGKILL: the process gets no chance to tidy up.
        child.kill().await.expect("it can be killed");
        format!("the process was killed after {requests} requests")
    }

    /// A last sync and reconciles, and then sweeps, each until nothing is left to do; the index is
    /// compared after both. A sweep reads every item again, and would hide what the others missed.
    async fn settle(&self, told: &mut Vec<String>) -> Result<(), String> {
        let index = self.open().await;
        let mut wrong = Vec::new();
        for last in [Pass::Reconcile, Pass::Sweep] {
            wrong = self.settle_by(last, &index, told).await?;
            if !wrong.is_empty() {
                wrong.insert(0, format!("after the {}:", last.as_str()));
                break;
            }
        }
        index.close().await;
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// A sync and passes of one kind, until nothing is left to do; returns what is wrong then.
    async fn settle_by(
        &self,
        last: Pass,
        index: &Index,
        told: &mut Vec<String>,
    ) -> Result<Vec<String>, String> {
        let mut passes = vec![Pass::Sync];
        passes.extend([last; LAST_PASSES]);
        let mut left = Vec::new();
        for pass in passes {
            left.clear();
            let mut removed = 0;
            for crawler in &index.crawlers {
                let summary = crawler.sync(pass, &CancellationToken::new()).await;
                let summary = summary.map_err(|error| {
                    format!("the {} in the quiet failed: {error}: {error:?}", pass.as_str())
                })?;
                removed += summary.removed;
                left.extend(summary.errors);
            }
            told.push(format!(
                "{} in the quiet: {removed} removed, {} problems",
                pass.as_str(),
                left.len()
            ));
            self.clock.skip(QUIET);
            if pass == last && removed == 0 && left.is_empty() {
                break;
            }
        }
        let mut wrong: Vec<String> =
            left.iter().map(|problem| format!("still a problem: {problem:?}")).collect();
        wrong.extend(judge::judge(&self.scene, &self.named, &self.gitlab, index, last).await);
        Ok(wrong)
    }
}

/// Writes the configuration of a scene.
fn configuration(
    scene: &Scene,
    bench: &Bench,
    gitlab: &GitLab,
    named: &BTreeSet<u64>,
    more: &str,
) -> String {
    let transport = if scene.graphql { "auto" } else { "rest" };
    let source = |name: &str, roots: &str| {
        format!(
            "[[gitlab]]\nname = \"{name}\"\nurl = \"{}\"\n\
             token = {{ env = \"{TOKEN_VARIABLE}\" }}\nrequests_per_minute = 600000\n\
             comments = {}\narchived = {}\ntransport = \"{transport}\"\nconcurrency = {}\n{roots}\n",
            gitlab.url(),
            scene.comments,
            scene.archived,
            scene.concurrency,
        )
    };
    let named: Vec<String> = named.iter().map(|id| format!("\"{id}\"")).collect();
    let named = format!("projects = [{}]", named.join(", "));
    let group = "groups = [\"acme\"]";
    let sources = match scene.roots {
        Roots::Group => source("one", group),
        Roots::Member => source("one", ""),
        Roots::Projects => source("one", &named),
        Roots::Twice => source("one", group) + &source("two", group),
        Roots::Overlapping => source("one", &named) + &source("two", group),
        Roots::Excluding => source("one", &format!("{group}\nexclude = [\"acme/shop/**\"]")),
    };
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite://{}\"\n{sources}\n{more}\n",
        bench.database().display()
    )
}
