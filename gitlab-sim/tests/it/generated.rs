//! The generated organisation as a client sees it.

use std::collections::BTreeSet;

use gitlab_sim::world::SELF_URL;
use gitlab_sim::{Generator, GitLab};

use crate::client::{get, serve};

async fn crawl(gitlab: &GitLab, kind: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut page = String::from("1");
    while !page.is_empty() {
        let path = format!(
            "/groups/acme/{kind}?non_archived=false&per_page=100&order_by=updated_at&sort=asc\
             &page={page}"
        );
        let reply = get(gitlab, &path).await;
        assert!(!reply.text.contains(SELF_URL), "the address is filled in");
        for row in reply.json().as_array().unwrap() {
            seen.insert(row["references"]["full"].as_str().unwrap().to_owned());
        }
        reply.header("x-next-page").unwrap().clone_into(&mut page);
    }
    seen
}

#[tokio::test]
async fn the_bot_finds_every_item_of_the_truth() {
    let (world, truth) = Generator::default().generate();
    let gitlab = serve(world).await;
    let mut seen = crawl(&gitlab, "issues").await;
    seen.extend(crawl(&gitlab, "merge_requests").await);
    assert_eq!(seen, truth.items.keys().cloned().collect());
    assert!(seen.len() > 2000);
}

#[tokio::test]
async fn owners_and_pipelines_of_the_truth_are_served() {
    let (world, truth) = Generator { projects: 12, ..Generator::default() }.generate();
    let gitlab = serve(world).await;
    for (path, project) in &truth.projects {
        let base = format!("/projects/{}", project.id);
        let row = get(&gitlab, &base).await.json();
        assert_eq!(row["path_with_namespace"], **path);
        assert_eq!(row["empty_repo"], project.empty, "{path}");
        if let Some(pipeline) = &project.latest_pipeline {
            let query = format!("{base}/pipelines?ref={}&per_page=1", pipeline.branch);
            let latest = get(&gitlab, &query).await.json();
            assert_eq!(latest[0]["id"], pipeline.id, "{path}");
            assert_eq!(latest[0]["status"], pipeline.status, "{path}");
            let direct = get(&gitlab, &format!("{base}/pipelines/latest")).await.json();
            assert_eq!(direct["id"], pipeline.id, "{path}");
        }
        if let Some(file) = project.codeowners {
            let file = file.replace('/', "%2F");
            let raw = get(&gitlab, &format!("{base}/repository/files/{file}/raw")).await;
            assert_eq!(raw.status, 200, "{path}");
            assert!(!project.owners.is_empty());
        }
    }
}
