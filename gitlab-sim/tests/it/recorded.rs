//! The shapes against what gitlab.com 19 was recorded to answer.

use std::collections::BTreeSet;

use gitlab_sim::world::{NewIssue, NewMergeRequest, NewProject, World};
use serde_json::Value;

use crate::client::{get, serve};

const RECORDS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/gitlab/recorded/gitea-2026/exchanges.json");

/// Fields that gitlab.com has and the simulator leaves out, with the reason.
const LEFT_OUT: [(&str, &str); 21] = [
    ("allow_collaboration", "only on merge requests from forks"),
    ("allow_maintainer_to_push", "only on merge requests from forks"),
    ("pages_access_level", "settings of features that are not simulated"),
    ("analytics_access_level", "settings of features that are not simulated"),
    ("container_registry_access_level", "settings of features that are not simulated"),
    ("security_and_compliance_access_level", "settings of features that are not simulated"),
    ("feature_flags_access_level", "settings of features that are not simulated"),
    ("infrastructure_access_level", "settings of features that are not simulated"),
    ("monitor_access_level", "settings of features that are not simulated"),
    ("model_experiments_access_level", "settings of features that are not simulated"),
    ("model_registry_access_level", "settings of features that are not simulated"),
    ("package_registry_access_level", "settings of features that are not simulated"),
    ("show_diff_preview_in_email", "settings of features that are not simulated"),
    ("enforce_auth_checks_on_uploads", "settings of features that are not simulated"),
    ("warn_about_potentially_unwanted_characters", "settings of features that are not simulated"),
    ("max_artifacts_size", "settings of features that are not simulated"),
    ("external_authorization_classification_label", "settings of features that are not simulated"),
    ("requirements_enabled", "settings of features that are not simulated"),
    ("requirements_access_level", "settings of features that are not simulated"),
    ("security_and_compliance_enabled", "settings of features that are not simulated"),
    ("compliance_frameworks", "settings of features that are not simulated"),
];

/// Fields that only a member gets; the record was made by a stranger.
const FOR_MEMBERS: [&str; 2] = ["issues_template", "merge_requests_template"];

fn fields(row: &Value) -> BTreeSet<String> {
    row.as_object().unwrap().keys().cloned().collect()
}

fn first(value: &Value) -> &Value {
    value.get(0).unwrap_or(value)
}

#[tokio::test]
async fn rows_have_the_fields_that_gitlab_sends() {
    let Ok(text) = std::fs::read_to_string(RECORDS) else {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    };
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let issue = NewIssue::new("x").closed_at(jiff::Timestamp::UNIX_EPOCH);
    world.add_issue(project, issue);
    world.add_merge_request(project, NewMergeRequest::new("y"));
    let gitlab = serve(world).await;
    let mut compared = 0;
    for (part, path) in [
        ("/api/v4/version", "/version"),
        ("/projects/15578026", "/projects/1"),
        ("/issues?page=1&per_page=2&sort=asc&state=all", "/projects/1/issues"),
        ("/merge_requests?page=1&per_page=2&view=simple", "/projects/1/merge_requests?view=simple"),
        ("/merge_requests/3", "/projects/1/merge_requests/1"),
    ] {
        let record = records.iter().find(|row| row["url"].as_str().unwrap().ends_with(part));
        let Some(record) = record else { panic!("{part} is recorded") };
        let left_out = |name: &String| LEFT_OUT.iter().any(|(known, _)| known == name);
        let theirs = fields(first(&record["body"]));
        let ours = fields(first(&get(&gitlab, path).await.json()));
        let missing: Vec<&String> =
            theirs.difference(&ours).filter(|name| !left_out(name)).collect();
        let invented: Vec<&String> =
            ours.difference(&theirs).filter(|name| !FOR_MEMBERS.contains(&name.as_str())).collect();
        assert_eq!((missing, invented), (vec![], vec![]), "{path}");
        let names = record["headers"].as_object().unwrap().keys();
        let reply = get(&gitlab, path).await;
        for name in names.filter(|name| name.starts_with("x-") || *name == "link") {
            let absent = ["x-gitlab-lb", "x-gitlab-sv"].contains(&name.as_str());
            assert!(absent || reply.header(name).is_some(), "{path} has {name}");
        }
        compared += 1;
    }
    assert_eq!(compared, 5);
}
