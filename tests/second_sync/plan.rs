//! What `xrefd plan` says a sync will cost is what it then costs.

use std::sync::Arc;

use gitlab_sim::{Generator, GitLab, Options, Tier};
use xrefd::clock::SystemClock;
use xrefd::crawl::plan::{self, Plan};

use crate::support::Bench;

/// How far a price may be off, in per cent of what a sync then needed, beside one request.
const TOLERANCE: u64 = 10;

/// How many requests it may take to find out, for one root.
const HANDFUL: u64 = 24;

async fn planned(bench: &Bench) -> Plan {
    let (sources, environment) = bench.sources();
    let plan = plan::plan(&sources[0], &environment, Arc::new(SystemClock)).await;
    plan.expect("the GitLab can be read")
}

/// Plans, syncs twice, and says what differs too much.
async fn compare(what: &str, gitlab: &GitLab, bench: &Bench) -> Vec<String> {
    gitlab.forget_requests();
    let plan = planned(bench).await;
    let mut wrong = Vec::new();
    let sent = gitlab.requests().len() as u64;
    if sent != plan.asked || sent > HANDFUL {
        wrong.push(format!("{what}: {sent} requests to plan, {} told", plan.asked));
    }
    if !plan.uncounted.is_empty() {
        wrong.push(format!("{what}: {:?}", plan.uncounted));
    }
    let index = bench.open().await;
    for (name, told) in [("first", plan.full.requests), ("idle", plan.idle.requests)] {
        let needed = index.sync().await.requests;
        if told.abs_diff(needed) > (needed * TOLERANCE / 100).max(1) {
            let lists: Vec<_> =
                plan.roots.iter().map(|l| (&l.root, l.kind, l.count, l.full.requests)).collect();
            let mut routes = std::collections::BTreeMap::new();
            for now in index.crawlers.iter().map(xrefd::crawl::Crawler::now) {
                for ((route, _), figures) in now.figures {
                    *routes.entry(route).or_insert(0) += figures.requests;
                }
            }
            wrong.push(format!(
                "{what}, {name}: {told} told, {needed} needed: {lists:?} {routes:?}"
            ));
        }
    }
    index.close().await;
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_within_a_tenth_of_what_a_sync_then_needs() {
    let mut wrong = Vec::new();
    for (seed, projects, items, tier) in
        [(1, 30, 12, Tier::Premium), (2, 110, 2, Tier::Free), (3, 4, 300, Tier::Community)]
    {
        let (world, _) = Generator {
            seed,
            projects,
            issues_per_project: items,
            merge_requests_per_project: items,
            ..Generator::default()
        }
        .generate();
        let options = Options { tier, ..Options::default() };
        let gitlab = GitLab::start(world, options).await.expect("a free port");
        for source in [
            "",
            "comments = false",
            "transport = \"rest\"\ncomments = false",
            "archived = true\nconcurrency = 2",
        ] {
            let bench = Bench::new(&gitlab, "acme", source, "");
            let what = format!("{projects} projects, {items} items, {source:?}");
            wrong.extend(compare(&what, &gitlab, &bench).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_single_projects_and_memberships_is_as_near() {
    let (world, _) = Generator {
        projects: 30,
        issues_per_project: 12,
        merge_requests_per_project: 12,
        ..Generator::default()
    }
    .generate();
    let full_path = |project: &gitlab_sim::world::Project| {
        let group = world.group(project.group).expect("each project is in a group");
        format!("{}/{}", group.full_path, project.path)
    };
    let names: Vec<String> = world.projects().take(3).map(full_path).collect();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", "");
    let text = bench.config_text();
    let mut wrong = Vec::new();
    for (what, roots) in [
        ("single projects", format!("groups = []\nprojects = {names:?}")),
        (
            "a group and a project of it",
            format!("groups = [\"acme\"]\nprojects = {:?}", &names[..1]),
        ),
        ("memberships", "groups = []".to_owned()),
        ("by REST", "groups = [\"acme\"]\ntransport = \"rest\"".to_owned()),
    ] {
        bench.write_config(&text.replace("groups = [\"acme\"]", &roots));
        std::fs::remove_file(bench.database()).ok();
        wrong.extend(compare(what, &gitlab, &bench).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_cannot_be_counted_is_said_and_nothing_is_stored() {
    let (world, _) = Generator { projects: 3, ..Generator::default() }.generate();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "projects = [\"acme/not/there\"]", "");
    let plan = planned(&bench).await;
    let missing: Vec<_> =
        plan.uncounted.iter().map(|part| (part.root.as_str(), part.kind)).collect();
    assert_eq!(missing, [("project:acme/not/there", "root")]);
    assert!(plan.uncounted[0].reason.contains("404"), "{plan:?}");
    assert!(plan.full.requests > plan.idle.requests && plan.idle.requests == 3, "{plan:?}");
    assert!(plan.full.minutes > 0.0 && plan.full.share <= 1.0, "{plan:?}");
    assert!(!bench.database().exists(), "it needs no index");
}
