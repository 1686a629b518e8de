//! How many requests a sync needs, beside how many nobody can do without.
//!
//! The real crawler reads a simulated GitLab over real HTTP, in this process; requests are counted
//! by the client. Lower bounds follow from GitLab's rules alone: a page of a list has 100 items at
//! most, and each list has to be asked for once to know that nothing changed. What others need
//! stands beside: as formulas, and as figures that were published for one organisation, which is
//! read here too. `cargo bench --bench cost` prints one line per figure; `docs/figures.md` keeps
//! what came out and says what each bound means. It refuses to measure time.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and may stop")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::collections::BTreeMap;
use std::sync::Arc;

use gitlab_sim::world::{ItemKind, NewNote};
use gitlab_sim::{Bulk, Clock as WorldClock, GitLab, Options};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use xrefd::clock::Clock;
use xrefd::config::{Config, Environment};
use xrefd::crawl::{Crawler, Pass, Silent};
use xrefd::store::Store;

/// When all begins.
const START: &str = "2026-11-22T12:00:00Z";

/// The largest page that GitLab gives.
const PAGE: u64 = 100;

/// How often a daemon syncs by default.
const BETWEEN: SignedDuration = SignedDuration::from_mins(2);

/// How many syncs there are in a day.
const SYNCS_A_DAY: u64 = 720;

/// How many projects one query must bring the files of, at least.
const PROJECTS_A_QUERY: u64 = 25;

/// The variable that holds the token.
const TOKEN: &str = "XREFD_BENCH_TOKEN";

/// The size of an organisation.
#[derive(Clone, Copy)]
struct Size {
    projects: u64,
    /// Of each kind.
    items: u64,
    notes: u64,
}

/// What the promises are about.
const LARGE: Size = Size { projects: 1_000, items: 50_000, notes: 100_000 };

/// What others published figures for.
const PUBLISHED: Size = Size { projects: 60, items: 600, notes: 1_200 };

/// Figures that were published for [`PUBLISHED`], list pages and all else together.
const OTHERS: [(&str, u64); 6] = [
    ("a plain SDK script", 362),
    ("Port's Ocean integration", 350),
    ("Meltano's tap", 1_111),
    ("Meltano's tap, again when nothing changed", 811),
    ("Airbyte's source", 4_988),
    ("Perceval", 5_640),
];

impl Size {
    /// Returns how many pages the lists of issues and merge requests have.
    fn item_pages(self) -> u64 {
        2 * self.items.div_ceil(PAGE)
    }

    /// Returns how many pages all lists have.
    fn pages(self) -> u64 {
        self.projects.div_ceil(PAGE) + self.item_pages()
    }
}

/// The world's clock, for the crawler too: it runs, and is moved on where a day has to pass.
#[derive(Debug)]
struct Shared(WorldClock);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Requests by route and status.
type Counts = BTreeMap<(String, Option<u16>), u64>;

#[tokio::main]
async fn main() {
    println!(
        "{} projects, {} issues, {} merge requests, {} comments: {} pages",
        LARGE.projects,
        LARGE.items,
        LARGE.items,
        LARGE.notes,
        LARGE.pages(),
    );
    without_comments().await;
    with_comments().await;
    formulas(LARGE);
    published().await;
}

/// Reads all without comments, then what counts and ids bring to light.
async fn without_comments() {
    println!("without comments:");
    let mut bench = Bench::new(LARGE, false).await;
    let full = bench.run(Pass::Sync).await;
    report("full sync", &full);
    let lists = pages_of(&full);
    bound("list pages", lists, LARGE.pages(), 1.05);
    let files = total(&full) - lists;
    let queries = LARGE.projects.div_ceil(PROJECTS_A_QUERY);
    bound("all else, files among it", files, queries, 1.0);
    let idle = bench.run(Pass::Sync).await;
    report("idle sync", &idle);
    bound("idle sync of a root", total(&idle), 3, 1.0);
    let files = bench.run(Pass::Files).await;
    report("all files again, nothing changed", &files);
    report("reconcile by counts", &bench.run(Pass::Reconcile).await);
    let sweep = bench.run(Pass::Sweep).await;
    report("reconcile by ids", &sweep);
    bound("reconcile by ids", total(&sweep), LARGE.pages(), 2.0);
    bench.end().await;
}

/// Reads all with comments, then lives a day.
async fn with_comments() {
    println!("with comments:");
    let mut bench = Bench::new(LARGE, true).await;
    let files = bench.run(Pass::Files).await;
    report("projects and their files", &files);
    let full = bench.run(Pass::Sync).await;
    report("items and comments", &full);
    let both = pages_of(&files) + total(&full);
    bound("list pages and comments", both, LARGE.pages(), 2.2);
    // Comments that were read soon after they may have changed are looked at once more.
    bench.pass(SignedDuration::from_mins(10));
    let idle = bench.run(Pass::Sync).await;
    bound("idle sync of a root", total(&idle), 3, 1.0);

    let changes = LARGE.items * 2 / 100;
    let mut asked = 0;
    for turn in 0..SYNCS_A_DAY {
        let (from, to) = (changes * turn / SYNCS_A_DAY, changes * (turn + 1) / SYNCS_A_DAY);
        bench.pass(BETWEEN / 2);
        (from..to).for_each(|number| bench.change(number));
        bench.pass(BETWEEN / 2);
        asked += total(&bench.run(Pass::Sync).await);
    }
    let least = 3 * SYNCS_A_DAY;
    bound("a day in which 1 % of the items change, a sync every 2 minutes", asked, least, 1.5);

    (0..changes).for_each(|number| bench.change(number + changes));
    bench.pass(SignedDuration::from_hours(1));
    let once = bench.run(Pass::Sync).await;
    let least = 1 + 2 * (changes / 2).div_ceil(PAGE);
    bound("the same changes, one sync after them", total(&once), least, 2.2);
    bench.end().await;
}

/// Prints what others' ways of reading need, where they need no more than they must.
fn formulas(size: Size) {
    let per_project = size.items.div_ceil(size.projects);
    let by_project = size.projects.div_ceil(PAGE) + 2 * size.projects * per_project.div_ceil(PAGE);
    let lines = [
        ("project by project, lists alone", by_project),
        ("and a request for the comments of each item", by_project + 2 * size.items),
        ("and one for each of the three places of CODEOWNERS", 3 * size.projects),
    ];
    println!("others, on the same organisation, by formula:");
    let mut sum = 0;
    for (place, (name, requests)) in lines.into_iter().enumerate() {
        sum = if place < 2 { requests } else { sum + requests };
        println!("  {name}: {sum}");
    }
}

/// Reads the organisation that others published figures for.
async fn published() {
    println!(
        "{} projects, {} issues, {} merge requests, {} comments:",
        PUBLISHED.projects, PUBLISHED.items, PUBLISHED.items, PUBLISHED.notes
    );
    println!("  list pages, and one question for the group: {}", PUBLISHED.pages() + 1);
    for comments in [false, true] {
        let mut bench = Bench::new(PUBLISHED, comments).await;
        let with = if comments { "with" } else { "without" };
        let full = bench.run(Pass::Sync).await;
        report(&format!("xrefd, {with} comments"), &full);
        bench.pass(SignedDuration::from_mins(10));
        let idle = bench.run(Pass::Sync).await;
        println!("  xrefd, {with} comments, again when nothing changed: {}", total(&idle));
        bench.end().await;
    }
    for (name, requests) in OTHERS {
        println!("  {name}, as published: {requests}");
    }
}

/// Prints a figure beside its bound.
fn bound(name: &str, asked: u64, least: u64, goal: f64) {
    let part = asked as f64 / least as f64;
    println!("  {name}: {asked} / {least} = {part:.3} (goal {goal})");
}

/// Prints what was asked, by route.
fn report(name: &str, counts: &Counts) {
    println!("  {name}: {} requests", total(counts));
    for ((route, status), count) in counts {
        let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        println!("    {count} x {route} {status}");
    }
}

fn total(counts: &Counts) -> u64 {
    counts.values().sum()
}

/// Counts the requests for lists of projects, issues and merge requests.
fn pages_of(counts: &Counts) -> u64 {
    let is_list = |route: &str| {
        let lists = ["/projects", "/issues", "/merge_requests"];
        lists.iter().any(|list| route.ends_with(list)) && !route.contains("/templates/")
    };
    counts.iter().filter(|((route, _), _)| is_list(route)).map(|(_, count)| count).sum()
}

/// A simulated GitLab, and the index that is made of it.
struct Bench {
    gitlab: GitLab,
    bulk: Bulk,
    store: Store,
    crawler: Crawler,
    /// Holds the index.
    _folder: TempDir,
}

impl Bench {
    async fn new(size: Size, comments: bool) -> Self {
        let now: Timestamp = START.parse().unwrap();
        let bulk = Bulk {
            projects: usize::try_from(size.projects).unwrap(),
            issues: size.items,
            merge_requests: size.items,
            notes: size.notes,
            now,
            ..Bulk::default()
        };
        let world = bulk.generate();
        let clock = world.clock().clone();
        clock.run_from(now);
        let options = Options { log_size: Some(1), ..Options::default() };
        let gitlab = GitLab::start(world, options).await.unwrap();
        gitlab.tell_world_time();
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[database]\nurl = \"sqlite://{}\"\n[[gitlab]]\nname = \"bench\"\nurl = \"{}\"\n\
             token = {{ env = \"{TOKEN}\" }}\ngroups = [\"{}\"]\ncomments = {comments}\n\
             requests_per_minute = 1000000\n",
            folder.path().join("xrefd.db").display(),
            gitlab.url(),
            Bulk::GROUP,
        );
        let file = folder.path().join("xrefd.toml");
        std::fs::write(&file, text).unwrap();
        let environment = Environment::from([(TOKEN, gitlab.token())]);
        let config = Config::load(Some(file.as_path()), &environment).unwrap().config;
        let store = Store::open(&config.database.url()).await.unwrap();
        let crawler = Crawler::new(
            config.sources[0].clone(),
            &environment,
            store.clone(),
            Arc::new(config.reader().unwrap()),
            Arc::new(Shared(clock)),
            Arc::new(Silent),
            None,
        );
        let crawler = crawler.await.unwrap();
        Self { gitlab, bulk, store, crawler, _folder: folder }
    }

    /// Does one pass and returns what it asked.
    async fn run(&mut self, pass: Pass) -> Counts {
        let before = self.counts();
        let summary = self.crawler.sync(pass, &CancellationToken::new()).await.unwrap();
        assert!(summary.complete, "{summary:?}");
        let mut counts = self.counts();
        for (route, count) in &mut counts {
            *count -= before.get(route).copied().unwrap_or_default();
        }
        counts.retain(|_, count| *count > 0);
        counts
    }

    fn counts(&self) -> Counts {
        let figures = self.crawler.now().figures;
        figures.into_iter().map(|(route, figures)| (route, figures.requests)).collect()
    }

    /// Lets time pass.
    fn pass(&self, time: SignedDuration) {
        self.gitlab.world().clock().skip(time);
    }

    /// Changes an item, another for each number: every third gets a comment, the others an edit.
    fn change(&self, number: u64) {
        let kind = if number.is_multiple_of(2) { ItemKind::Issue } else { ItemKind::MergeRequest };
        // Prime to the number of items, so that none comes twice.
        let id = number * 7_919 % self.bulk.issues + 1;
        let item = self.bulk.item(kind, id).unwrap();
        let mut world = self.gitlab.world();
        if number.is_multiple_of(3) {
            world.add_note(item, NewNote::new("seen again"));
        } else {
            world.edit(item, |row| row.title.push_str(", again"));
        }
    }

    async fn end(self) {
        self.store.close().await;
        self.gitlab.stop().await;
    }
}
