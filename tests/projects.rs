//! What a sync costs where nothing changed, and that it sees what changed: projects, and what hangs
//! on them.

mod support;

use gitlab_sim::world::{NewPipeline, NewProject, ProjectId};
use gitlab_sim::{GitLab, Options, Tier, World};
use sqlx::Row;
use support::facts::assert_same;
use support::{Bench, Index, content};
use tokio_util::sync::CancellationToken;
use xrefd::crawl::Pass;

/// A group with many projects in a few subgroups.
fn world(projects: usize) -> (World, Vec<ProjectId>) {
    let mut world = World::new();
    let ids = (0..projects)
        .map(|number| {
            let path = format!("acme/team-{}/project-{number}", number % 3);
            let id = world.add_project(NewProject::at(&path));
            world.add_file(id, "README.md", "text\n");
            id
        })
        .collect();
    (world, ids)
}

async fn serve(world: World) -> GitLab {
    GitLab::start(world, Options::default()).await.expect("a free port")
}

async fn pass(index: &Index, pass: Pass) {
    for crawler in &index.crawlers {
        let summary = crawler.sync(pass, &CancellationToken::new()).await.expect("it goes through");
        assert!(summary.complete, "{:#?}", summary.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_sync_of_another_process_asks_three_questions() {
    let gitlab = serve(world(80).0).await;
    let bench = Bench::new(&gitlab, "acme", "", "");
    let index = bench.open().await;
    index.sync().await;
    index.close().await;
    let index = bench.open().await;
    gitlab.forget_requests();
    index.sync().await;
    let asked: Vec<String> = gitlab.requests().iter().map(|row| row.path.clone()).collect();
    let projects = asked.iter().filter(|path| path.ends_with("/projects")).count();
    assert_eq!((projects, asked.len() <= 3), (1, true), "{asked:#?}");
}

/// What groups lend, as stored: the group, and the name and text of the template.
async fn lent(index: &Index) -> Vec<String> {
    let rows = "select namespace || ' ' || name from lent_template order by 1";
    let rows = index.rows(rows).await;
    rows.into_iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_that_groups_lend_cost_a_few_questions_however_many_groups() {
    for (tier, most) in [(Tier::Premium, 12), (Tier::Free, 2), (Tier::Community, 0)] {
        let mut world = World::new();
        for group in 0..30 {
            let id = world.add_project(NewProject::at(&format!("acme/team-{group:02}/web")));
            world.add_file(id, "README.md", "text\n");
        }
        let lender = world.add_project(NewProject::at("acme/team-07/templates"));
        world.add_file(lender, ".gitlab/issue_templates/Incident.md", "Service:\n");
        world.add_project(NewProject::at("acme/team-07/sub/api"));
        let group = |path: &str| world.find_group(path).expect("it is there").id;
        let (acme, team) = (group("acme"), group("acme/team-07"));
        world.set_template_project(team, Some(lender));
        let options = Options { tier, ..Options::default() };
        let gitlab = GitLab::start(world, options).await.expect("a free port");
        let bench = Bench::new(&gitlab, "acme", "", "");
        let index = bench.open().await;
        index.sync().await;
        let groups = |row: &gitlab_sim::Request| row.path.ends_with("/descendant_groups");
        let asked = gitlab.requests().iter().filter(|row| groups(row)).count()
            + gitlab.requests_for("/templates/")
            + gitlab.requests_for("/approval_rules");
        assert!(asked <= most, "{tier:?}: {asked} questions for 30 groups");
        let is_licensed = tier == Tier::Premium;
        let expected = ["acme/team-07 Incident", "acme/team-07/sub Incident"];
        assert_eq!(lent(&index).await, &expected[..if is_licensed { 2 } else { 0 }], "{tier:?}");

        let top = gitlab.world().add_project(NewProject::at("acme/common"));
        gitlab.world().add_file(top, ".gitlab/merge_request_templates/Default.md", "Team:\n");
        gitlab.world().set_template_project(acme, Some(top));
        pass(&index, Pass::Reconcile).await;
        let rows = lent(&index).await;
        let of_all = rows.iter().filter(|row| row.ends_with(" Default")).count();
        assert_eq!(of_all, if is_licensed { 32 } else { 0 }, "{tier:?}: {rows:#?}");
        gitlab.stop().await;
    }
}

type Change = fn(&mut World, &[ProjectId]) -> bool;

const CHANGES: [(&str, Change); 8] = [
    ("a topic", |world, ids| world.set_topics(ids[0], ["service-fresh"])),
    ("a new name", |world, ids| world.rename_project(ids[1], "other")),
    ("a new project", |world, _| {
        world.add_project(NewProject::at("acme/team-0/new"));
        true
    }),
    ("a project from elsewhere", |world, _| {
        let outside = world.find_project("elsewhere/old").expect("it is there").id;
        world.transfer_project(outside, "acme/team-1")
    }),
    ("a project that goes elsewhere", |world, ids| world.transfer_project(ids[2], "elsewhere")),
    ("an archived project", |world, ids| world.archive(ids[3], true)),
    ("a hidden project", |world, ids| world.hide_project(ids[4], true)),
    ("a deleted project", |world, ids| world.delete_project(ids[5])),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_projects_is_seen_by_the_next_sync() {
    for (name, change) in CHANGES {
        let (mut world, ids) = world(12);
        world.add_project(NewProject::at("elsewhere/old"));
        let gitlab = serve(world).await;
        let bench = Bench::new(&gitlab, "acme", "", "");
        let index = bench.open().await;
        index.sync().await;
        assert!(change(&mut gitlab.world(), &ids), "{name}");
        index.sync().await;
        let bench = Bench::new(&gitlab, "acme", "", "");
        let fresh = bench.open().await;
        fresh.sync().await;
        assert_same(name, &content::of(&fresh).await, &content::of(&index).await);
        gitlab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_details_cost_one_question_for_many_projects_and_changed_ones_are_read() {
    let (mut world, ids) = world(60);
    world.add_file(ids[7], ".gitlab/issue_templates/Bug.md", "## Steps\n");
    let gitlab = serve(world).await;
    let bench = Bench::new(&gitlab, "acme", "", "");
    let index = bench.open().await;
    index.sync().await;
    gitlab.forget_requests();
    pass(&index, Pass::Files).await;
    let asked = gitlab.requests_for("/api/graphql");
    assert!((1..=3).contains(&asked), "{asked} questions for 60 projects");
    assert_eq!(gitlab.requests_for("/repository/"), 0);
    assert_eq!(gitlab.requests_for("/labels"), 0);
    assert_eq!(gitlab.requests_for("/pipelines"), 0);
    {
        let mut world = gitlab.world();
        world.add_file(ids[0], "CODEOWNERS", "* @kim\n");
        world.add_file(ids[1], ".gitlab/merge_request_templates/Default.md", "Service:\n");
        world.add_file(ids[2], "catalog-info.yaml", "kind: Component\n");
        world.add_label(gitlab_sim::world::LabelOwner::Project(ids[3]), "team::fresh");
        world.add_pipeline(ids[4], NewPipeline::new("success"));
        world.delete_file(ids[7], ".gitlab/issue_templates/Bug.md");
    }
    pass(&index, Pass::Files).await;
    for transport in ["", "transport = \"rest\""] {
        let bench = Bench::new(&gitlab, "acme", transport, "");
        let fresh = bench.open().await;
        fresh.sync().await;
        assert_same(transport, &content::of(&fresh).await, &content::of(&index).await);
    }
    assert_eq!(index.rows("select path from catalog_file").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_pipeline_alone_asks_for_no_labels() {
    let (mut world, ids) = world(2);
    for number in 0..120 {
        let owner = gitlab_sim::world::LabelOwner::Project(ids[0]);
        world.add_label(owner, &format!("label-{number}"));
    }
    world.add_pipeline(ids[0], NewPipeline::new("running"));
    let gitlab = serve(world).await;
    let bench = Bench::new(&gitlab, "acme", "", "");
    let index = bench.open().await;
    index.sync().await;
    assert!(gitlab.requests_for("/labels") > 0, "GraphQL does not show so many");
    gitlab.forget_requests();
    pass(&index, Pass::Sync).await;
    assert!(gitlab.requests().len() > 3, "its pipeline is asked for");
    assert_eq!(gitlab.requests_for("/labels"), 0);
    pass(&index, Pass::Files).await;
    assert!(gitlab.requests_for("/labels") > 0, "a pass over all reads them");
}
