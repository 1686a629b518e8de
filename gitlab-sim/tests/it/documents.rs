//! What the documents claim is true: addresses are served, points have tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gitlab_sim::hooks::Hook;
use gitlab_sim::world::{
    ItemRef, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject, World,
};
use gitlab_sim::{GitLab, Options, Tier};

use crate::client::get;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// Returns what stands between back quotes in the rows of a page's tables, row by row.
fn quoted(page: &str) -> Vec<Vec<String>> {
    read(page)
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned).collect())
        .collect()
}

/// Names the tests of section 12, by point.
fn tests_by_point() -> BTreeMap<u32, BTreeSet<String>> {
    let mut tests = BTreeMap::<u32, BTreeSet<String>>::new();
    for entry in fs::read_dir(Path::new(ROOT).join("tests/it/section12")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        let names = source.lines().filter_map(|line| {
            let name = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
            name.starts_with("point_").then(|| name.split('(').next())?
        });
        for name in names {
            let number = name["point_".len()..].split('_').next().unwrap();
            tests.entry(number.parse().unwrap()).or_default().insert(name.to_owned());
        }
    }
    tests
}

#[test]
fn each_of_the_forty_points_has_a_test_and_a_row_that_names_it() {
    let tests = tests_by_point();
    assert_eq!(tests.keys().copied().collect::<Vec<u32>>(), (1..=40).collect::<Vec<u32>>());
    let page = read("docs/points.md");
    for (point, known) in tests {
        let row = page.lines().find(|line| line.starts_with(&format!("| {point} |"))).unwrap();
        let cell = row.rsplit('|').nth(1).unwrap();
        let named: BTreeSet<String> =
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(!named.is_empty(), "point {point} names no test");
        let invented: Vec<&String> = named.difference(&known).collect();
        assert!(invented.is_empty(), "point {point} names what is no test of it: {invented:?}");
    }
}

/// A world in which every address of the table leads somewhere.
fn world() -> World {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/web"));
    world.add_file(project, "README.md", "hello");
    world.add_file(project, ".gitlab/issue_templates/Bug.md", "What happened?");
    let issue = world.add_issue(project, NewIssue::new("One").labels(["bug"]));
    let merge_request = world.add_merge_request(project, NewMergeRequest::new("Fix"));
    world.add_note(ItemRef::issue(project, issue), NewNote::new("hm"));
    world.add_note(ItemRef::merge_request(project, merge_request), NewNote::new("hm"));
    world.add_pipeline(project, NewPipeline::new("success"));
    let now = world.clock().now();
    world.add_tag(project, "v1", Some("First"), now);
    world
}

#[tokio::test]
async fn every_address_of_the_table_is_served() {
    let options = Options { tier: Tier::Premium, ..Options::default() };
    let gitlab = GitLab::start(world(), options).await.unwrap();
    let (project, group) = {
        let world = gitlab.world();
        (world.find_project("acme/web").unwrap().id, world.find_group("acme").unwrap().id)
    };
    for hook in [Hook::on_project(project, "http://a.test"), Hook::on_group(group, "http://a.test")]
    {
        gitlab.add_hook(hook).unwrap();
    }
    let mut asked = 0;
    for address in quoted("docs/rest.md").into_iter().flatten().filter(|text| text.starts_with('/'))
    {
        let hook = if address.starts_with("/groups") { "2" } else { "1" };
        // The first note is of the issue, the second of the merge request.
        let note = if address.contains("merge_requests") { "2" } else { "1" };
        let path: Vec<&str> = address
            .split('/')
            .map(|part| match part {
                ":path" => "README.md",
                ":branch" | ":sha" => "main",
                ":tag" => "v1",
                ":template" => "Bug",
                ":label" => "bug",
                ":hook" => hook,
                ":note" => note,
                part if part.starts_with(':') => "1",
                part => part,
            })
            .collect();
        let reply = get(&gitlab, &path.join("/")).await;
        let no_route = reply.status == 404 && reply.json()["error"] == "404 Not Found";
        assert!(!no_route && reply.status < 500, "{address}: {} {}", reply.status, reply.text);
        asked += 1;
    }
    assert!(asked > 120, "{asked} addresses");
}

#[tokio::test]
async fn the_front_page_leads_to_pages_that_exist() {
    for page in ["README.md", "docs/control.md", "docs/rest.md", "docs/points.md"] {
        let folder = Path::new(ROOT).join(page);
        let folder = folder.parent().unwrap();
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(folder.join(link).exists(), "{page} leads to {link}");
        }
    }
}
