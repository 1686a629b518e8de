//! The whole index of generated organisations against the generator's truth, both ways: nothing is
//! missing, and nothing is there that should not be.

mod support;

use gitlab_sim::{Generator, GitLab, Options, Truth};
use support::facts::{self, assert_same};
use support::{Bench, MEMBER, READER};

/// Crawls an organisation as the demo does, and compares what everyone may see with the truth.
async fn crawl_and_compare(generator: Generator, archived: bool) {
    let (world, truth) = generator.generate();
    let truth = if archived { truth } else { truth.without_archived() };
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let more = support::prefixes(&truth.settings) + &support::both_keys();
    let source = format!("archived = {archived}");
    let bench = Bench::new(&gitlab, &truth.group, &source, &more);
    let index = bench.open().await;
    let summary = index.sync().await;
    let sizes = [truth.projects.len(), truth.items.len()].map(|n| u64::try_from(n).expect("few"));
    assert_eq!([summary.projects, summary.issues + summary.merge_requests], sizes);

    let what = format!("{generator:?}, archived: {archived}");
    compare(&format!("members of {what}"), &index, MEMBER, &truth).await;
    compare(&format!("readers of {what}"), &index, READER, &truth).await;
    index.close().await;
    gitlab.stop().await;
}

async fn compare(what: &str, index: &support::Index, key: &str, truth: &Truth) {
    let wanted = facts::of_truth(truth, key == MEMBER);
    let found = facts::of_index(index, key, truth).await;
    assert_same(what, &wanted, &found);
}

fn small(seed: u64, projects: usize, items: usize) -> Generator {
    Generator {
        seed,
        projects,
        issues_per_project: items,
        merge_requests_per_project: items,
        ..Generator::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_indexed_as_it_was_meant() {
    crawl_and_compare(Generator::default(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_projects_are_indexed_when_they_are_asked_for() {
    crawl_and_compare(small(1, 30, 12), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_organisations_are_indexed_as_they_were_meant() {
    for seed in 2..5 {
        crawl_and_compare(small(seed, 20, 12), false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn larger_organisations_of_few_items_are_indexed_as_they_were_meant() {
    for seed in 5..7 {
        crawl_and_compare(small(seed, 60, 4), false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smallest_organisations_are_indexed_as_they_were_meant() {
    for (projects, items) in [(1, 0), (1, 1), (2, 3), (9, 1)] {
        crawl_and_compare(small(9, projects, items), false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_items_in_few_projects_are_indexed_as_they_were_meant() {
    crawl_and_compare(small(10, 4, 250), false).await;
}
