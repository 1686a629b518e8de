//! Nobody learns more through GraphQL than through REST, and both tell the same.

use std::collections::BTreeSet;

use gitlab_sim::world::{
    AccessLevel, ItemRef, NewIssue, NewMergeRequest, NewNote, NewProject, Visibility, World,
};
use gitlab_sim::{Generator, GitLab, Options};
use serde_json::{Value, json};

use super::{data, post};
use crate::client::{get, get_as, serve};

async fn ask_as(gitlab: &GitLab, token: Option<&str>, query: &str) -> Value {
    let reply = post(gitlab, token, &json!({"query": query})).await.json();
    assert_eq!(reply.get("errors"), None, "{query}");
    reply["data"].clone()
}

/// Returns all rows of a list, or nothing when the caller does not get it.
async fn rows(gitlab: &GitLab, token: Option<&str>, path: &str) -> Option<Vec<Value>> {
    let reply = get_as(gitlab, token, path).await;
    assert_ne!(reply.header("x-next-page"), Some("2"), "the worlds of these tests are small");
    (reply.status == 200).then(|| reply.json().as_array().cloned().unwrap_or_default())
}

fn ids(rows: &[Value]) -> BTreeSet<u64> {
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

fn global_ids(rows: &Value) -> BTreeSet<u64> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap())
        .collect()
}

/// A generated world in which something of everything is closed to somebody.
fn mixed(seed: u64) -> (World, Vec<Option<String>>) {
    let generator = Generator {
        seed,
        projects: 8,
        issues_per_project: 4,
        merge_requests_per_project: 3,
        ..Generator::default()
    };
    let (mut world, _) = generator.generate();
    let (reporter, guest) = (world.add_user("rep"), world.add_user("gst"));
    let projects: Vec<_> = world.projects().map(|row| row.id).collect();
    for (index, id) in projects.into_iter().enumerate() {
        match index % 4 {
            0 => world.add_project_member(id, reporter, AccessLevel::Reporter),
            1 => world.add_project_member(id, guest, AccessLevel::Guest),
            2 => drop(world.set_visibility(id, Visibility::Public)),
            _ => drop(world.set_visibility(id, Visibility::Internal)),
        }
        if index == 4 {
            world.hide_project(id, true);
        }
        if index == 5 {
            world.archive(id, true);
        }
        if index == 6 {
            world.mark_for_deletion(id);
        }
        let iids: Vec<u64> =
            world.project(id).map(|row| row.issues.keys().copied().collect()).unwrap_or_default();
        for iid in iids {
            if iid % 3 == 0 {
                world.set_confidential(id, iid, true);
            }
            if iid % 2 == 0 {
                world.add_note(ItemRef::issue(id, iid), NewNote::new("for us").internal());
            }
        }
    }
    let reporter = world.add_token(reporter, &["read_api"], None);
    let guest = world.add_token(guest, &["read_api"], None);
    (world, vec![None, Some(reporter), Some(guest)])
}

#[tokio::test]
async fn every_caller_sees_the_same_in_both_interfaces() {
    for seed in [1, 2, 3] {
        let (world, mut callers) = mixed(seed);
        let gitlab = serve(world).await;
        callers.push(Some(gitlab.token().to_owned()));
        let mut seen = BTreeSet::new();
        for token in &callers {
            let token = token.as_deref();
            let here = ask_as(&gitlab, token, "{projects{count nodes{id fullPath}}}").await;
            let there = rows(&gitlab, token, "/projects?per_page=100").await.unwrap();
            assert_eq!(global_ids(&here["projects"]["nodes"]), ids(&there));
            assert_eq!(here["projects"]["count"], there.len());
            seen.insert(there.len());
            for project in &there {
                same_of_project(&gitlab, token, project).await;
            }
        }
        assert!(seen.len() > 2, "the callers differ: {seen:?}");
        gitlab.stop().await;
    }
}

async fn same_of_project(gitlab: &GitLab, token: Option<&str>, project: &Value) {
    let path = project["path_with_namespace"].as_str().unwrap();
    let address = format!("/projects/{}", project["id"]);
    let query = format!(
        "{{project(fullPath:\"{path}\"){{openIssuesCount issueStatusCounts{{all opened}} \
         issues{{count nodes{{id iid}}}} mergeRequests{{count nodes{{id iid mergeCommitSha \
         diffHeadSha}}}} pipelines{{count}} releases{{count}}}}}}"
    );
    let here = ask_as(gitlab, token, &query).await["project"].take();
    let issues = rows(gitlab, token, &format!("{address}/issues?per_page=100")).await.unwrap();
    assert_eq!(global_ids(&here["issues"]["nodes"]), ids(&issues), "{path}");
    assert_eq!(here["issues"]["count"], issues.len());
    assert_eq!(here["issueStatusCounts"]["all"], issues.len());
    let open = issues.iter().filter(|row| row["state"] == "opened").count();
    assert_eq!(here["openIssuesCount"], open, "{path}");
    let list = format!("{address}/merge_requests?per_page=100");
    let merge_requests = rows(gitlab, token, &list).await.unwrap_or_default();
    assert_eq!(global_ids(&here["mergeRequests"]["nodes"]), ids(&merge_requests), "{path}");
    for row in here["mergeRequests"]["nodes"].as_array().unwrap() {
        let iid = row["iid"].as_str().and_then(|iid| iid.parse().ok());
        let twin = merge_requests.iter().find(|twin| twin["iid"].as_u64() == iid).unwrap();
        assert_eq!(row["mergeCommitSha"], twin["merge_commit_sha"]);
        assert_eq!(row["diffHeadSha"], twin["sha"]);
    }
    for (field, list) in [("pipelines", "pipelines"), ("releases", "releases")] {
        let there = rows(gitlab, token, &format!("{address}/{list}?per_page=100")).await;
        let count = here[field]["count"].as_u64();
        assert_eq!(count, there.map(|rows| rows.len() as u64), "{field} of {path}");
    }
    for issue in &issues {
        same_of_issue(gitlab, token, path, issue).await;
    }
}

async fn same_of_issue(gitlab: &GitLab, token: Option<&str>, path: &str, issue: &Value) {
    let iid = &issue["iid"];
    let query = format!(
        "{{project(fullPath:\"{path}\"){{issue(iid:\"{iid}\"){{webUrl mergeRequestsCount \
         notes{{count nodes{{id}}}} participants{{nodes{{id}}}} relatedMergeRequests{{nodes{{id}}}} \
         linkedWorkItems{{nodes{{workItem{{id}}}}}}}} workItems(iids:[\"{iid}\"]){{nodes{{\
         widgets(onlyTypes:[DEVELOPMENT]){{... on WorkItemWidgetDevelopment{{\
         willAutoCloseByMergeRequest closingMergeRequests{{count}}}}}}}}}}}}}}"
    );
    let mut here = ask_as(gitlab, token, &query).await["project"].take();
    let widget = here["workItems"]["nodes"][0]["widgets"][0].take();
    let here = here["issue"].take();
    assert_eq!(here["webUrl"], issue["web_url"]);
    let address = format!("/projects/{}/issues/{iid}", issue["project_id"]);
    let list = async |what: &str| {
        rows(gitlab, token, &format!("{address}/{what}?per_page=100")).await.map(|rows| ids(&rows))
    };
    if token.is_some() {
        let notes = list("notes").await.unwrap();
        assert_eq!(global_ids(&here["notes"]["nodes"]), notes, "{path}#{iid}");
        assert_eq!(here["notes"]["count"], notes.len());
    }
    assert_eq!(Some(global_ids(&here["participants"]["nodes"])), list("participants").await);
    let related = list("related_merge_requests").await;
    assert_eq!(Some(global_ids(&here["relatedMergeRequests"]["nodes"])), related);
    let closing = list("closed_by").await.unwrap().len();
    assert_eq!(here["mergeRequestsCount"], closing, "{path}#{iid}");
    assert_eq!(widget["closingMergeRequests"]["count"], closing);
    assert_eq!(widget["willAutoCloseByMergeRequest"], closing > 0);
}

#[tokio::test]
async fn merge_requests_that_are_hidden_are_not_counted() {
    let mut world = World::new();
    let open = world.add_project(NewProject::at("acme/open"));
    world.set_visibility(open, Visibility::Public);
    let iid = world.add_issue(open, NewIssue::new("one"));
    let closed = world.add_project(NewProject::at("acme/closed"));
    let description = "Closes acme/open#1";
    world.add_merge_request(
        closed,
        NewMergeRequest::new("mend").source_branch("a").description(description),
    );
    let gitlab = serve(world).await;
    let query = format!(
        "{{project(fullPath:\"acme/open\"){{issue(iid:\"{iid}\"){{mergeRequestsCount}}}}}}"
    );
    for (token, count) in [(Some(gitlab.token()), 1), (None, 0)] {
        let here = ask_as(&gitlab, token, &query).await;
        assert_eq!(here["project"]["issue"]["mergeRequestsCount"], count);
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn a_project_counts_confidential_issues_to_those_only_who_see_them() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.set_visibility(project, Visibility::Public);
    world.add_issue(project, NewIssue::new("open"));
    world.add_issue(project, NewIssue::new("secret").confidential(true));
    let gitlab = serve(world).await;
    let query = "{project(fullPath:\"acme/shop\"){openIssuesCount issues{count}}}";
    for (token, count) in [(Some(gitlab.token()), 2), (None, 1)] {
        let here = ask_as(&gitlab, token, query).await;
        assert_eq!(here["project"], json!({"openIssuesCount": count, "issues": {"count": count}}));
        let there = get_as(&gitlab, token, "/projects/1").await.json();
        assert_eq!(there["open_issues_count"], 1, "REST says the same to everybody");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn a_namespace_is_hidden_with_its_group_and_may_be_a_project() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.set_visibility(project, Visibility::Public);
    world.add_issue(project, NewIssue::new("one"));
    let gitlab = serve(world).await;
    let query = "{project(fullPath:\"acme/shop\"){namespace{fullPath} group{fullPath}}}";
    let nobody = ask_as(&gitlab, None, query).await;
    assert_eq!(nobody["project"], json!({"namespace": null, "group": null}));
    assert_eq!(data(&gitlab, query).await["project"]["namespace"]["fullPath"], "acme");
    let query = "{namespace(fullPath:\"acme/shop\"){id fullPath name workItem(iid:\"1\"){iid \
                 namespace{fullPath}} workItems{count} projects{count}}}";
    let shop = ask_as(&gitlab, None, query).await["namespace"].take();
    assert_eq!(shop["id"], "gid://gitlab/Namespaces::ProjectNamespace/1");
    assert_eq!(shop["workItem"], json!({"iid": "1", "namespace": {"fullPath": "acme/shop"}}));
    assert_eq!((&shop["workItems"]["count"], &shop["projects"]["count"]), (&json!(1), &json!(0)));
    gitlab.stop().await;
}

#[tokio::test]
async fn issues_are_addressed_as_the_version_addresses_them() {
    for (version, segment) in [("18.6.0", "issues"), ("19.1.0", "work_items")] {
        let mut world = World::new();
        let project = world.add_project(NewProject::at("acme/shop"));
        let iid = world.add_issue(project, NewIssue::new("one"));
        world.add_note(ItemRef::issue(project, iid), NewNote::new("hello"));
        let options = Options { version: version.to_owned(), ..Options::default() };
        let gitlab = GitLab::start(world, options).await.unwrap();
        let query = "{project(fullPath:\"acme/shop\"){issue(iid:\"1\"){webUrl webPath \
                     notes{nodes{url}}}}}";
        let issue = data(&gitlab, query).await["project"]["issue"].take();
        let path = format!("/acme/shop/-/{segment}/1");
        assert_eq!(issue["webPath"], path.as_str());
        let there = get(&gitlab, "/projects/1/issues/1").await.json();
        assert_eq!(issue["webUrl"], there["web_url"]);
        assert!(issue["notes"]["nodes"][0]["url"].as_str().unwrap().contains(&path));
        gitlab.stop().await;
    }
}

#[tokio::test]
async fn whoever_may_not_act_as_another_is_forbidden_to() {
    let mut world = World::new();
    world.add_user("ann");
    let root = world.add_user("root");
    world.set_admin(root, true);
    let sudo = world.add_token(root, &["api", "sudo"], None);
    let gitlab = serve(world).await;
    let asked = async |token: &str| {
        let url = format!("{}/api/graphql?query=%7BcurrentUser%7Busername%7D%7D", gitlab.url());
        crate::client::fetch(&url, &[("private-token", token), ("sudo", "ann")]).await
    };
    let refused = asked(gitlab.token()).await;
    assert_eq!(
        (refused.status, refused.json()),
        (403, json!({"errors": [{"message": "Must be admin to use sudo"}]}))
    );
    assert_eq!(asked(&sudo).await.json()["data"]["currentUser"]["username"], "ann");
    gitlab.stop().await;
}
