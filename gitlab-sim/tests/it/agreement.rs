//! REST and GraphQL are two views of one world: what both tell is the same.

use gitlab_sim::GitLab;
use gitlab_sim::world::{ItemRef, NewIssue, NewMergeRequest, NewNote, NewProject, World};
use serde_json::json;

use crate::client::{get, serve};
use crate::leaks::graphql;

#[tokio::test]
async fn rest_and_graphql_give_an_issue_one_address() {
    for (version, segment) in [("19.6.0-ee", "/-/work_items/1"), ("17.2.0", "/-/issues/1")] {
        let mut world = World::new();
        let project = world.add_project(NewProject::at("acme/shop"));
        let iid = world.add_issue(project, NewIssue::new("one"));
        world.add_note(ItemRef::issue(project, iid), NewNote::new("hello"));
        let options =
            gitlab_sim::Options { version: version.to_owned(), ..gitlab_sim::Options::default() };
        let gitlab = GitLab::start(world, options).await.unwrap();
        let query = r#"{project(fullPath:"acme/shop"){issue(iid:"1"){webUrl notes{nodes{url}}}}}"#;
        let reply = graphql(&gitlab, Some(gitlab.token()), query).await;
        let rest = get(&gitlab, "/projects/1/issues/1").await.json()["web_url"].clone();
        assert!(rest.as_str().unwrap().ends_with(segment), "{rest}");
        let seen = &reply["data"]["project"]["issue"];
        assert_eq!(seen["webUrl"], rest);
        let note = seen["notes"]["nodes"][0]["url"].as_str().unwrap();
        assert!(note.starts_with(&format!("{}#note_", rest.as_str().unwrap())), "{note}");
    }
}

#[tokio::test]
async fn rest_and_graphql_name_the_same_commits() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_file(project, "README.md", "hello");
    let iid = world.add_merge_request(project, NewMergeRequest::new("x"));
    let bot = world.bot();
    world.merge(project, iid, bot);
    let gitlab = serve(world).await;
    let query = r#"{project(fullPath:"acme/shop"){mergeRequest(iid:"1"){
        diffHeadSha mergeCommitSha diffRefs{baseSha headSha startSha}}}}"#;
    let reply = graphql(&gitlab, Some(gitlab.token()), query).await;
    let seen = &reply["data"]["project"]["mergeRequest"];
    let rest = get(&gitlab, "/projects/1/merge_requests/1").await.json();
    assert_eq!(
        (&seen["diffHeadSha"], &seen["mergeCommitSha"]),
        (&rest["sha"], &rest["merge_commit_sha"])
    );
    assert!(rest["merge_commit_sha"].is_string());
    for (field, name) in
        [("baseSha", "base_sha"), ("headSha", "head_sha"), ("startSha", "start_sha")]
    {
        assert_eq!(seen["diffRefs"][field], rest["diff_refs"][name], "{name}");
    }
}

#[tokio::test]
async fn rest_and_graphql_tell_the_same_changes() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_merge_request(project, NewMergeRequest::new("x"));
    let gitlab = serve(world).await;
    let query = r#"{project(fullPath:"acme/shop"){mergeRequest(iid:"1"){
        diffStats{path additions deletions} none:diffStats(path:"y"){path}
        diffStatsSummary{fileCount additions deletions changes}}}}"#;
    let reply = graphql(&gitlab, Some(gitlab.token()), query).await;
    let seen = &reply["data"]["project"]["mergeRequest"];
    let path =
        get(&gitlab, "/projects/1/merge_requests/1/diffs").await.json()[0]["new_path"].clone();
    assert_eq!(
        seen["diffStats"],
        json!([{"path": path, "additions": 1, "deletions": 0}]),
        "{reply}"
    );
    assert_eq!(seen["none"], json!([]));
    let summary = json!({"fileCount": 1, "additions": 1, "deletions": 0, "changes": 1});
    assert_eq!(seen["diffStatsSummary"], summary);
}
