//! What the usual fields say.

use std::collections::BTreeMap;

use gitlab_sim::world::{
    IssueType, ItemRef, LinkKind, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject,
    ProjectId, Visibility, World,
};
use gitlab_sim::{Clock, GitLab, Options};
use serde_json::{Value, json};

use super::{ask, data, message, post};
use crate::client::serve;

const AT: &str = "2026-11-22T10:00:00.987654Z";

pub fn world() -> (World, ProjectId) {
    let mut world = World::with_clock(Clock::at(AT.parse().unwrap()));
    let shop = world.add_project(
        NewProject::at("acme/shop/webshop").topics(["service-webshop", "go"]).description("A shop"),
    );
    world.add_file(shop, "README.md", "see https://example.com");
    world.add_file(shop, "docs/CODEOWNERS", "* @ann");
    world.add_file(shop, "src/main.rs", "fn main() {}");
    let first = world.add_issue(
        shop,
        NewIssue::new("Checkout is slow")
            .issue_type(IssueType::Incident)
            .severity("HIGH")
            .labels(["service::webshop", "bug"])
            .author("ann")
            .description("- [x] seen\n- [ ] mended"),
    );
    let second = world.add_issue(shop, NewIssue::new("Secret").confidential(true));
    let (first, second) = (ItemRef::issue(shop, first), ItemRef::issue(shop, second));
    world.add_note(first, NewNote::new("see WEB-1").author("bob"));
    world.add_note(first, NewNote::new("closed").system());
    world.add_note(first, NewNote::new("for us only").internal());
    world.link_issues(first, second, LinkKind::RelatesTo);
    let merge_request = world.add_merge_request(
        shop,
        NewMergeRequest::new("Draft: Make it fast")
            .source_branch("web-1-fast")
            .description("Closes #1")
            .labels(["bug"]),
    );
    world.add_note(ItemRef::merge_request(shop, merge_request), NewNote::new("nice"));
    world.add_pipeline(shop, NewPipeline::new("success").branch("main"));
    world.add_pipeline(shop, NewPipeline::new("running").branch("web-1-fast"));
    (world, shop)
}

pub async fn served() -> GitLab {
    serve(world().0).await
}

#[tokio::test]
async fn items_say_what_they_are() {
    let gitlab = served().await;
    let query = r#"{project(fullPath:"ACME/shop/webshop"){
        id fullPath nameWithNamespace topics visibility archived group{fullPath} lastActivityAt
        openIssuesCount openMergeRequestsCount languages{name share} webUrl
        issue(iid:"1"){id iid title state type severity confidential createdAt updatedAt webUrl
          reference full:reference(full:true) labels{nodes{title id}} author{username}
          userNotesCount taskCompletionStatus{count completedCount}
          notes{count nodes{body system internal author{username}}}
          comments:notes(filter:ONLY_COMMENTS){nodes{body}}
          relatedMergeRequests{nodes{iid}} mergeRequestsCount}
        mergeRequest(iid:"1"){id title draft state sourceBranch targetBranch webPath
          headPipeline{status} reference(full:true)}
    }}"#;
    let row = data(&gitlab, query).await["project"].take();
    let url = format!("{}/acme/shop/webshop", gitlab.url());
    assert_eq!(row["fullPath"], "acme/shop/webshop");
    assert_eq!(row["webUrl"], url);
    assert_eq!(row["topics"], json!(["go", "service-webshop"]));
    assert_eq!(row["group"]["fullPath"], "acme/shop");
    assert_eq!(row["lastActivityAt"], "2026-11-22T10:00:00Z", "whole seconds");
    assert_eq!(row["openIssuesCount"], 2);
    assert_eq!(row["languages"][0], json!({"name": "Rust", "share": 100.0}));
    let issue = &row["issue"];
    assert_eq!(issue["id"], "gid://gitlab/Issue/1");
    assert_eq!((&issue["iid"], &issue["type"]), (&json!("1"), &json!("INCIDENT")));
    assert_eq!((&issue["severity"], &issue["state"]), (&json!("HIGH"), &json!("opened")));
    assert_eq!(issue["createdAt"], "2026-11-22T10:00:00Z");
    assert_eq!(issue["webUrl"], format!("{url}/-/issues/1"));
    assert_eq!(
        (&issue["reference"], &issue["full"]),
        (&json!("#1"), &json!("acme/shop/webshop#1"))
    );
    assert_eq!(issue["labels"]["nodes"][0]["title"], "bug");
    assert_eq!(issue["author"]["username"], "ann");
    assert_eq!(issue["userNotesCount"], 2);
    assert_eq!(issue["taskCompletionStatus"], json!({"count": 2, "completedCount": 1}));
    assert_eq!(issue["notes"]["count"], 3);
    assert_eq!(issue["notes"]["nodes"][0]["body"], "see WEB-1");
    assert_eq!(issue["notes"]["nodes"][1]["system"], true);
    assert_eq!(issue["notes"]["nodes"][2]["internal"], true);
    assert_eq!(issue["comments"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(issue["relatedMergeRequests"]["nodes"][0]["iid"], "1");
    assert_eq!(issue["mergeRequestsCount"], 1);
    let merge_request = &row["mergeRequest"];
    assert_eq!(
        (&merge_request["draft"], &merge_request["state"]),
        (&json!(true), &json!("opened"))
    );
    assert_eq!(merge_request["headPipeline"]["status"], "RUNNING");
    assert_eq!(merge_request["webPath"], "/acme/shop/webshop/-/merge_requests/1");
    assert_eq!(merge_request["reference"], "acme/shop/webshop!1");
    gitlab.stop().await;
}

#[tokio::test]
async fn work_items_are_issues_in_widgets() {
    let gitlab = served().await;
    let query = r#"{workItem(id:"gid://gitlab/WorkItem/1"){iid state workItemType{name} widgets{type
        ... on WorkItemWidgetDescription{description}
        ... on WorkItemWidgetLabels{labels{nodes{title}}}
        ... on WorkItemWidgetNotes{discussions{nodes{notes{nodes{body}}}}}
        ... on WorkItemWidgetDevelopment{closingMergeRequests{nodes{mergeRequest{iid}}}}
        ... on WorkItemWidgetLinkedItems{linkedItems{nodes{linkType workItem{title}}}}}}}"#;
    let row = data(&gitlab, query).await["workItem"].take();
    assert_eq!((&row["state"], &row["workItemType"]["name"]), (&json!("OPEN"), &json!("Incident")));
    let widgets: BTreeMap<&str, &Value> = row["widgets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["type"].as_str().unwrap(), row))
        .collect();
    assert_eq!(widgets["DESCRIPTION"]["description"], "- [x] seen\n- [ ] mended");
    assert_eq!(widgets["LABELS"]["labels"]["nodes"][0]["title"], "bug");
    let notes = &widgets["NOTES"]["discussions"]["nodes"][0]["notes"];
    assert_eq!(notes["nodes"][0]["body"], "see WEB-1");
    let closing = &widgets["DEVELOPMENT"]["closingMergeRequests"]["nodes"][0];
    assert_eq!(closing["mergeRequest"]["iid"], "1");
    let linked = &widgets["LINKED_ITEMS"]["linkedItems"]["nodes"][0];
    assert_eq!(
        (&linked["linkType"], &linked["workItem"]["title"]),
        (&json!("relates_to"), &json!("Secret"))
    );
    gitlab.stop().await;
}

#[tokio::test]
async fn repositories_show_files_and_trees() {
    let gitlab = served().await;
    let query = r#"{project(fullPath:"acme/shop/webshop"){repository{rootRef exists empty
        blobs(paths:["docs/CODEOWNERS","missing"]){nodes{path name size rawTextBlob oid}}
        tree{lastCommit{sha} blobs{nodes{path type}} trees{nodes{path}}}}}}"#;
    let row = data(&gitlab, query).await["project"]["repository"].take();
    assert_eq!((&row["rootRef"], &row["empty"]), (&json!("main"), &json!(false)));
    let blobs = row["blobs"]["nodes"].as_array().unwrap();
    assert_eq!(blobs.len(), 1, "what is missing is absent");
    assert_eq!((&blobs[0]["rawTextBlob"], &blobs[0]["size"]), (&json!("* @ann"), &json!("6")));
    assert_eq!(row["tree"]["blobs"]["nodes"], json!([{"path": "README.md", "type": "blob"}]));
    assert_eq!(row["tree"]["trees"]["nodes"], json!([{"path": "docs"}, {"path": "src"}]));
    let file = "/projects/1/repository/files/docs%2FCODEOWNERS?ref=main";
    let rest = crate::client::get(&gitlab, file).await.json();
    assert_eq!(blobs[0]["oid"], rest["blob_id"]);
    assert_eq!(row["tree"]["lastCommit"]["sha"], rest["commit_id"]);
    gitlab.stop().await;
}

#[tokio::test]
async fn what_a_caller_may_not_see_is_null_without_an_error() {
    let (mut world, shop) = world();
    world.set_visibility(shop, Visibility::Public);
    let hidden = world.add_project(NewProject::at("acme/hidden"));
    world.add_issue(hidden, NewIssue::new("Nobody knows"));
    let gitlab = serve(world).await;
    let query = r#"{hidden:project(fullPath:"acme/hidden"){id} none:project(fullPath:"no/such"){id}
        group(fullPath:"acme"){id} currentUser{id} issue(id:"gid://gitlab/Issue/2"){id}
        project(fullPath:"acme/shop/webshop"){
          issues{count nodes{iid notes{nodes{body}}}} repository{rootRef}}}"#;
    let body = post(&gitlab, None, &json!({"query": query})).await.json();
    assert_eq!(body.get("errors"), None);
    for name in ["hidden", "none", "group", "currentUser", "issue"] {
        assert_eq!(body["data"][name], Value::Null, "{name}");
    }
    let issues = &body["data"]["project"]["issues"];
    assert_eq!(issues["count"], 1, "the confidential one is not there");
    assert_eq!(issues["nodes"][0]["notes"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(body["data"]["project"]["repository"]["rootRef"], "main");
    gitlab.stop().await;
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let gitlab = served().await;
    let count = async |filter: &str| {
        let query = format!("{{project(fullPath:\"acme/shop/webshop\"){{{filter}{{count}}}}}}");
        let row = data(&gitlab, &query).await;
        let project = row["project"].as_object().unwrap();
        project.values().next().unwrap()["count"].as_u64().unwrap()
    };
    for (filter, expected) in [
        ("issues", 2),
        ("issues(types:[INCIDENT])", 1),
        ("issues(not:{types:[INCIDENT]})", 1),
        ("issues(confidential:true)", 1),
        ("issues(labelName:[\"bug\",\"service::webshop\"])", 1),
        ("issues(labelName:\"None\")", 1),
        ("issues(not:{labelName:[\"bug\"]})", 1),
        ("issues(or:{labelNames:[\"bug\",\"other\"]})", 1),
        ("issues(authorUsername:\"ann\")", 1),
        ("issues(authorUsername:\"nobody\")", 0),
        ("issues(state:closed)", 0),
        ("issues(state:opened)", 2),
        ("issues(iids:[\"2\",\"9\"])", 1),
        ("issues(search:\"CHECKOUT slow\")", 1),
        ("issues(milestoneTitle:\"m\")", 0),
        ("issues(milestoneWildcardId:NONE)", 2),
        ("issues(updatedAfter:\"2026-11-22T10:00:00.987Z\")", 2),
        ("issues(updatedBefore:\"2026-11-22T10:00:00Z\")", 0),
        ("issues(createdAfter:\"2026-11-23\")", 0),
        ("mergeRequests(sourceBranches:[\"web-1-fast\"])", 1),
        ("mergeRequests(targetBranches:[\"other\"])", 0),
        ("mergeRequests(draft:false)", 0),
        ("mergeRequests(mergedAfter:\"2020-01-01\")", 0),
        ("mergeRequests(not:{sourceBranches:[\"web-1-fast\"]})", 0),
        ("pipelines(ref:\"main\",status:SUCCESS)", 1),
        ("pipelines(status:FAILED)", 0),
        ("labels(includeAncestorGroups:true)", 2),
        ("labels(includeAncestorGroups:true,searchTerm:\"BU\")", 1),
    ] {
        assert_eq!(count(filter).await, expected, "{filter}");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn wrong_ids_and_times_are_errors_of_their_field() {
    let gitlab = served().await;
    for (query, expected) in [
        (r#"{issue(id:"12"){id}}"#, "12 is not a valid GitLab ID."),
        (r#"{issue(id:"gid://gitlab/Project/1"){id}}"#, "not a valid ID for Issue"),
        (r"{projects(first:1,last:1){count}}", "Can only provide either `first` or `last`"),
        (r#"{projects(after:"%%"){count}}"#, "Please provide a valid cursor"),
    ] {
        let body = ask(&gitlab, query).await;
        assert!(message(&body).contains(expected), "{body}");
        assert!(body["errors"][0]["path"].is_array(), "{body}");
        assert!(body.get("data").is_some(), "{body}");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn metadata_and_the_complexity_probe_answer() {
    let options = Options { version: "18.4.1-ee".to_owned(), ..Options::default() };
    let gitlab = GitLab::start(world().0, options).await.unwrap();
    let row = data(&gitlab, "{metadata{version enterprise} queryComplexity{score limit}}").await;
    assert_eq!(row["metadata"], json!({"version": "18.4.1-ee", "enterprise": true}));
    assert_eq!(row["queryComplexity"], json!({"score": 6, "limit": 250}));
    gitlab.stop().await;
}
