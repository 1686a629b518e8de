//! Files, trees, templates, pipelines, releases and git tags.

use gitlab_sim::GitLab;
use gitlab_sim::world::{NewPipeline, NewProject, World};
use serde_json::json;

use crate::client::{get, serve};

async fn repository() -> GitLab {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop").default_branch("trunk"));
    world.add_project(NewProject::at("acme/empty"));
    world.add_file(project, "README.md", "# Shop\n");
    world.add_file(project, "docs/CODEOWNERS", "* @ann\n");
    world.add_file(project, "docs/guide/setup.md", "Setup\n");
    world.add_file(project, ".gitlab/issue_templates/Bug.md", "- Service:\n");
    world.add_file(project, ".gitlab/issue_templates/notes.txt", "none");
    world.add_file(project, ".gitlab/merge_request_templates/Default.md", "Why?\n");
    serve(world).await
}

#[tokio::test]
async fn a_file_comes_as_json_and_raw_with_the_same_metadata() {
    let gitlab = repository().await;
    let file = get(&gitlab, "/projects/1/repository/files/docs%2FCODEOWNERS?ref=trunk").await;
    let body = file.json();
    assert_eq!(body["content"], "KiBAYW5uCg==");
    assert_eq!((&body["file_name"], &body["size"]), (&json!("CODEOWNERS"), &json!(7)));
    let raw = get(&gitlab, "/projects/1/repository/files/docs%2FCODEOWNERS/raw").await;
    assert_eq!(raw.text, "* @ann\n");
    for (header, field) in [
        ("x-gitlab-blob-id", "blob_id"),
        ("x-gitlab-commit-id", "commit_id"),
        ("x-gitlab-content-sha256", "content_sha256"),
        ("x-gitlab-last-commit-id", "last_commit_id"),
        ("x-gitlab-file-path", "file_path"),
        ("x-gitlab-ref", "ref"),
    ] {
        assert_eq!(raw.header(header), body[field].as_str(), "{header}");
        assert_eq!(file.header(header), raw.header(header), "{header}");
    }
    assert_eq!(raw.header("etag"), None);
    let blob = raw.header("x-gitlab-blob-id").unwrap().to_owned();
    let project = gitlab.world().find_project("acme/shop").unwrap().id;
    gitlab.world().add_file(project, "docs/CODEOWNERS", "* @bob\n");
    let changed = get(&gitlab, "/projects/1/repository/files/docs%2FCODEOWNERS/raw?ref=HEAD").await;
    assert_ne!(changed.header("x-gitlab-blob-id"), Some(blob.as_str()));
}

#[tokio::test]
async fn missing_files_refs_and_repositories_are_told_apart() {
    let gitlab = repository().await;
    for (path, status, body) in [
        ("/projects/1/repository/files/README.md", 400, json!({"error": "ref is missing"})),
        (
            "/projects/1/repository/files/NO.md?ref=trunk",
            404,
            json!({"message": "404 File Not Found"}),
        ),
        (
            "/projects/1/repository/files/README.md?ref=main",
            404,
            json!({"message": "404 Commit Not Found"}),
        ),
        (
            "/projects/2/repository/files/README.md/raw",
            404,
            json!({"message": "404 Commit Not Found"}),
        ),
        ("/projects/2/repository/tree", 404, json!({"message": "404 Tree Not Found"})),
        ("/projects/1/repository/tree?ref=main", 404, json!({"message": "404 Tree Not Found"})),
    ] {
        let reply = get(&gitlab, path).await;
        assert_eq!((reply.status, reply.json()), (status, body), "{path}");
    }
    assert!(get(&gitlab, "/projects/2").await.json()["default_branch"].is_null());
    assert_eq!(get(&gitlab, "/projects/2").await.json()["empty_repo"], true);
    assert_eq!(get(&gitlab, "/projects/1").await.json()["default_branch"], "trunk");
}

#[tokio::test]
async fn trees_are_listed_by_folder_or_whole() {
    let gitlab = repository().await;
    let root = get(&gitlab, "/projects/1/repository/tree").await;
    assert_eq!(root.texts("path"), [".gitlab", "docs", "README.md"]);
    assert_eq!(root.texts("type"), ["tree", "tree", "blob"]);
    let docs = get(&gitlab, "/projects/1/repository/tree?path=docs&ref=trunk").await;
    assert_eq!(docs.texts("path"), ["docs/guide", "docs/CODEOWNERS"]);
    let all = get(&gitlab, "/projects/1/repository/tree?recursive=true&per_page=100").await;
    let paths = all.texts("path");
    assert_eq!(paths.len(), 11);
    assert!(paths.contains(&"docs/guide/setup.md".to_owned()));
    assert_eq!(get(&gitlab, "/projects/1/repository/tree?path=nowhere").await.status, 404);
}

#[tokio::test]
async fn templates_are_listed_and_read() {
    let gitlab = repository().await;
    let list = get(&gitlab, "/projects/1/templates/issues").await.json();
    assert_eq!(list, json!([{"key": "Bug", "name": "Bug"}]));
    let one = get(&gitlab, "/projects/1/templates/issues/Bug").await.json();
    assert_eq!(one, json!({"name": "Bug", "content": "- Service:\n"}));
    let merge = get(&gitlab, "/projects/1/templates/merge_requests/Default").await.json();
    assert_eq!(merge["content"], "Why?\n");
    assert_eq!(get(&gitlab, "/projects/1/templates/issues/None").await.status, 404);
    assert_eq!(get(&gitlab, "/projects/1/templates/poems").await.status, 400);
    assert_eq!(get(&gitlab, "/projects/2/templates/issues").await.text, "[]");
}

#[tokio::test]
async fn the_latest_pipeline_is_that_of_the_branch() {
    let gitlab = repository().await;
    let project = gitlab.world().find_project("acme/shop").unwrap().id;
    for (status, branch) in [("failed", None), ("success", None), ("running", Some("feature"))] {
        let mut pipeline = NewPipeline::new(status);
        if let Some(branch) = branch {
            pipeline = pipeline.branch(branch);
        }
        gitlab.world().add_pipeline(project, pipeline);
    }
    assert_eq!(get(&gitlab, "/projects/1/pipelines/latest").await.json()["status"], "success");
    let latest = get(&gitlab, "/projects/1/pipelines/latest?ref=feature").await.json();
    assert_eq!((&latest["status"], &latest["ref"]), (&json!("running"), &json!("feature")));
    let list = get(&gitlab, "/projects/1/pipelines?ref=trunk&per_page=1").await;
    assert_eq!(list.texts("status"), ["success"]);
    assert_eq!(list.header("x-total"), Some("2"));
    let rising = get(&gitlab, "/projects/1/pipelines?sort=asc&order_by=id").await;
    assert_eq!(rising.texts("status"), ["failed", "success", "running"]);
    assert_eq!(get(&gitlab, "/projects/1/pipelines/2").await.json()["status"], "success");
    assert_eq!(get(&gitlab, "/projects/2/pipelines/latest").await.status, 403);
    assert_eq!(get(&gitlab, "/projects/2/pipelines").await.text, "[]");
}

#[tokio::test]
async fn releases_and_git_tags_come_newest_first() {
    let gitlab = repository().await;
    let project = gitlab.world().find_project("acme/shop").unwrap().id;
    let at = |text: &str| text.parse().unwrap();
    gitlab.world().add_tag(project, "v1", None, at("2026-11-01T10:00:00Z"));
    gitlab.world().add_tag(project, "v2", Some("What is new"), at("2026-11-10T10:00:00Z"));
    let tags = get(&gitlab, "/projects/1/repository/tags").await;
    assert_eq!(tags.texts("name"), ["v2", "v1"]);
    assert_eq!(tags.json()[0]["release"]["description"], "What is new");
    assert!(tags.json()[1]["release"].is_null());
    let releases = get(&gitlab, "/projects/1/releases").await.json();
    assert_eq!(releases[0]["tag_name"], "v2");
    assert_eq!(releases[0]["released_at"], "2026-11-10T10:00:00.000Z");
    assert_eq!(get(&gitlab, "/projects/1/repository/files/README.md/raw?ref=v1").await.status, 200);
}
