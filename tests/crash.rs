//! A sync that is killed at any moment goes on where it was, and ends with the same index as one
//! that was not.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gitlab_sim::truth::match_key;
use gitlab_sim::{Generator, GitLab, Options, Truth};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::daemon::{self, PATIENCE};
use support::facts::{self, Facts, assert_same};
use support::{Bench, MEMBER, content};
use tokio::time::Instant;

/// How often each sync is killed.
const KILLS: usize = 6;

/// Items and projects that may be under way at once, and so be asked for again: twice the configured
/// concurrency, so that requests go on while others write, and one more.
const UNDER_WAY: usize = 17;

/// Makes an organisation of several pages, long at rest.
async fn organisation(seed: u64) -> (GitLab, Truth) {
    let generator = Generator {
        seed,
        projects: 10,
        issues_per_project: 45,
        merge_requests_per_project: 30,
        now: "2026-06-01T12:00:00Z".parse().expect("an instant"),
    };
    let (world, truth) = generator.generate();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    (gitlab, truth)
}

fn bench(gitlab: &GitLab, truth: &Truth) -> Bench {
    let more = support::prefixes(&truth.settings) + &support::both_keys();
    // One request for each part, so that there are many moments to be killed at, and each says
    // from where it asks.
    Bench::new(gitlab, &truth.group, "transport = \"rest\"", &more)
}

fn with_graphql(gitlab: &GitLab, truth: &Truth) -> Bench {
    let more = support::prefixes(&truth.settings) + &support::both_keys();
    Bench::new(gitlab, &truth.group, "", &more)
}

/// What one process asked for before it ended.
#[derive(Debug, Default)]
struct Attempt {
    /// The borders from which each list of a group was asked for, in order; none for the start.
    lists: BTreeMap<String, Vec<Option<Timestamp>>>,
    /// How often each comment list, and each project's labels, were asked for.
    parts: BTreeMap<String, usize>,
}

impl Attempt {
    /// Takes the requests since the last time.
    fn take(gitlab: &GitLab) -> Self {
        let mut attempt = Self::default();
        for request in gitlab.requests() {
            let path = request.path.trim_start_matches("/api/v4").to_owned();
            let list = path.rsplit('/').next().unwrap_or_default();
            if path.starts_with("/groups/") && matches!(list, "issues" | "merge_requests") {
                let address = format!("http://localhost/?{}", request.query);
                let address = reqwest::Url::parse(&address).expect("a query");
                let find = |name| address.query_pairs().find(|(found, _)| found == name);
                // What changed since is asked for anew by each.
                if find("order_by").is_some_and(|(_, order)| order == "created_at") {
                    let from = find("created_after");
                    let from = from.map(|(_, value)| value.parse().expect("an instant"));
                    attempt.lists.entry(list.to_owned()).or_default().push(from);
                }
            } else if matches!(list, "notes" | "labels") {
                *attempt.parts.entry(path).or_default() += 1;
            }
        }
        gitlab.forget_requests();
        attempt
    }
}

/// Requires that an attempt went on where those before it were.
fn check_progress(seed: u64, before: &[Attempt], now: &Attempt) {
    let Some(last) = before.last() else { return };
    for (list, from) in &now.lists {
        // A page is asked for from a border only after the page before it was stored.
        let reached = before.iter().filter_map(|attempt| attempt.lists.get(list)?.iter().max());
        let (reached, first) = (reached.max(), from.first());
        assert!(first >= reached, "seed {seed}: {list} went back from {reached:?} to {first:?}");
    }
    if last.lists.contains_key("merge_requests") {
        let issues = now.lists.get("issues");
        assert_eq!(issues, None, "seed {seed}: the issues were read to their end before");
    }
}

/// Requires that next to nothing was asked for twice.
fn check_repeats(seed: u64, attempts: &[Attempt]) {
    let mut asked: BTreeMap<&String, usize> = BTreeMap::new();
    for (path, times) in attempts.iter().flat_map(|attempt| &attempt.parts) {
        *asked.entry(path).or_default() += times;
    }
    for part in ["notes", "labels"] {
        let counts = asked.iter().filter(|(path, _)| path.ends_with(part));
        let repeated: usize = counts.map(|(_, times)| times - 1).sum();
        let most = (attempts.len() - 1) * UNDER_WAY;
        assert!(repeated <= most, "seed {seed}: {repeated} lists of {part} were read again");
    }
}

/// Runs a sync until GitLab has answered so many requests, and kills it; says whether it ended
/// before.
async fn run_and_kill(bench: &Bench, gitlab: &GitLab, requests: usize) -> bool {
    let mut child = daemon::command(bench, &["sync"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    let deadline = Instant::now() + PATIENCE;
    while gitlab.requests().len() < requests {
        if child.try_wait().expect("its state can be asked").is_some() {
            return true;
        }
        assert!(Instant::now() < deadline, "GitLab was not asked {requests} times");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    // SIGKILL: the process gets no chance to tidy up.
    child.kill().await.expect("it can be killed");
    false
}

async fn written_down(bench: &Bench, truth: &Truth) -> (Facts, Facts) {
    let index = bench.open().await;
    let both = (content::of(&index).await, facts::of_index(&index, MEMBER, truth).await);
    index.close().await;
    both
}

async fn survives_kills(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let (gitlab, truth) = organisation(seed).await;
    let calm = bench(&gitlab, &truth);
    let output = daemon::run(&calm, &["sync"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    let whole = gitlab.requests().len();
    gitlab.forget_requests();
    let (wanted, told) = written_down(&calm, &truth).await;

    let killed = bench(&gitlab, &truth);
    let mut attempts: Vec<Attempt> = Vec::new();
    // Kills early and late: each somewhere in what is left.
    let mut left = whole;
    for kill in 0..KILLS {
        let share = left / (KILLS - kill);
        let requests = random.random_range(1..=(share * 2).max(1));
        if run_and_kill(&killed, &gitlab, requests).await {
            break;
        }
        let attempt = Attempt::take(&gitlab);
        check_progress(seed, &attempts, &attempt);
        attempts.push(attempt);
        left = left.saturating_sub(requests).max(1);
    }
    assert!(attempts.len() > 1, "seed {seed}: the sync was killed more than once");
    gitlab.forget_requests();
    let output = daemon::run(&killed, &["sync"]).await;
    assert_eq!(output.code, Some(0), "seed {seed}: {output:#?}");
    let attempt = Attempt::take(&gitlab);
    check_progress(seed, &attempts, &attempt);
    attempts.push(attempt);
    check_repeats(seed, &attempts);

    let (found, answers) = written_down(&killed, &truth).await;
    assert_same(&format!("seed {seed}, rows"), &wanted, &found);
    assert_same(&format!("seed {seed}, answers"), &told, &answers);
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_killed_at_any_moment_ends_with_the_same_index() {
    let seed = 1;
    eprintln!("seed {seed}");
    survives_kills(seed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_killed_at_other_moments_ends_with_the_same_index() {
    let seed = 2;
    eprintln!("seed {seed}");
    survives_kills(seed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_killed_after_every_few_requests_still_comes_to_its_end() {
    let (gitlab, truth) = organisation(4).await;
    let calm = bench(&gitlab, &truth);
    assert_eq!(daemon::run(&calm, &["sync"]).await.code, Some(0));
    let (wanted, _) = written_down(&calm, &truth).await;
    let killed = bench(&gitlab, &truth);
    let mut kills = 0;
    loop {
        gitlab.forget_requests();
        // Enough for the roots and one page of projects, which are asked for anew every time, and
        // for a step beyond.
        if run_and_kill(&killed, &gitlab, 60).await {
            break;
        }
        kills += 1;
        assert!(kills < 100, "the sync does not get on");
    }
    assert!(kills > 3, "{kills}");
    let (found, _) = written_down(&killed, &truth).await;
    assert_same(&format!("after {kills} kills"), &wanted, &found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_by_graphql_killed_after_each_number_of_requests_ends_with_the_same_index() {
    let (gitlab, truth) = organisation(6).await;
    let calm = with_graphql(&gitlab, &truth);
    assert_eq!(daemon::run(&calm, &["sync"]).await.code, Some(0));
    let whole = gitlab.requests().len();
    let (wanted, _) = written_down(&calm, &truth).await;
    let mut kills = 0;
    // So many processes as end in time, at every place of the way.
    for requests in (1..whole).step_by((whole / 6).max(1)) {
        let killed = with_graphql(&gitlab, &truth);
        gitlab.forget_requests();
        kills += usize::from(!run_and_kill(&killed, &gitlab, requests).await);
        assert_eq!(daemon::run(&killed, &["sync"]).await.code, Some(0));
        let (found, _) = written_down(&killed, &truth).await;
        assert_same(&format!("killed after {requests} requests"), &wanted, &found);
    }
    assert!(kills > 3, "{kills}");
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_between_kill_and_restart_answers_and_says_that_it_is_incomplete() {
    let (gitlab, truth) = organisation(5).await;
    let bench = bench(&gitlab, &truth);
    assert!(!run_and_kill(&bench, &gitlab, 150).await, "it was killed on its way");
    let output = daemon::run(&bench, &["service", "--format", "json"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    let answer = output.json();
    assert_eq!((&answer["complete"], &answer["as_of"]), (&false.into(), &serde_json::Value::Null));
    let names: BTreeSet<String> = truth.services().map(|(name, _)| match_key(name)).collect();
    for row in answer["data"].as_array().expect("a list") {
        let name = row["name"].as_str().unwrap_or_default();
        assert!(names.contains(&match_key(name)), "{name} is a service");
    }
}
