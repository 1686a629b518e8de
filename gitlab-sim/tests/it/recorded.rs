//! Every recorded answer of an endpoint that is served, against the answer to the like request.
//!
//! Compared are status, header names, and the fields and types of the body at every level, in both
//! directions. What differs is listed in `differences` with its reason; a difference that is not
//! listed fails the test, and so does a listed one that no longer occurs.

mod differences;

use std::collections::{BTreeMap, BTreeSet};

use gitlab_sim::world::{
    AccessLevel, ItemRef, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject, Visibility,
    World,
};
use gitlab_sim::{Clock, GitLab, Limit, Options, Throttle, Tier};
use serde_json::Value;

use crate::client::{Reply, fetch};
use differences::{BODIES, HEADERS, NOT_SERVED, OF_THE_NETWORK};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/gitlab/recorded");

/// A world in which everything that was asked for on gitlab.com has a like.
fn world() -> World {
    let mut world = World::with_clock(Clock::at("2026-04-23T10:00:00Z".parse().unwrap()));
    let project = world.add_project(NewProject::at("acme/shop").visibility(Visibility::Public));
    world.add_file(project, "README.md", "# Shop\n");
    world.add_file(project, "src/main.py", "print()\n");
    world.add_pipeline(project, NewPipeline::new("success"));
    let at = world.clock().now();
    world.add_tag(project, "v1", Some("What is new"), at);
    let issue = NewIssue::new("x").labels(["bug"]).description("- [ ] do it").closed_at(at);
    world.add_issue(project, issue);
    let bot = world.bot();
    world.edit(ItemRef::issue(project, 1), |row| row.assignees = vec![bot]);
    let merge_request = NewMergeRequest::new("y").labels(["bug"]).description("Closes #1");
    world.add_merge_request(project, merge_request);
    world.edit(ItemRef::merge_request(project, 1), |row| row.assignees = vec![bot]);
    for item in [ItemRef::issue(project, 1), ItemRef::merge_request(project, 1)] {
        world.add_note(item, NewNote::new("hello"));
    }
    world.add_project_member(project, bot, AccessLevel::Maintainer);
    world.add_approval_rule(project, "two eyes", 1, vec![bot], Vec::new());
    world
}

/// Returns the path that asks the simulator what a record asked of gitlab.com.
fn like(record: &Value, head: &str) -> Option<String> {
    let url = record["url"].as_str()?;
    let Some(path) = url.strip_prefix("https://gitlab.com/api/v4") else {
        return like_file(record["file"].as_str()?);
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let found = record["status"] == 200;
    let mut segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
    for index in 1..segments.len() {
        let new = match segments[index - 1].as_str() {
            "projects" if index == 1 => {
                if found || segments.len() > 2 {
                    "1"
                } else {
                    "none%2Fx"
                }
            }
            "groups" if index == 1 => "acme",
            "issues" => "1",
            "merge_requests" => {
                if found {
                    "1"
                } else {
                    "100000000000000000000"
                }
            }
            "notes" if segments[2] == "issues" => "1",
            "notes" => "2",
            "files" => {
                if found {
                    "README%2Emd"
                } else {
                    "nothing"
                }
            }
            "branches" => {
                if found {
                    "main"
                } else {
                    "nothing"
                }
            }
            "tags" => "nothing",
            "commits" => head,
            _ => continue,
        };
        new.clone_into(&mut segments[index]);
    }
    let mut query = if path.ends_with("/compare") {
        format!("from={head}&to=v1&straight=false")
    } else if path.contains("/files/") {
        "ref=main".to_owned()
    } else {
        query.replace("=master", "=main")
    };
    if segments == ["users"] {
        "username=xrefd-bot".clone_into(&mut query);
    }
    // Later pages of long lists would be empty here.
    let query: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            !["page", "id", "state", "labels", "author_username", "assignee_username"]
                .contains(&pair.split('=').next().unwrap_or_default())
        })
        .collect();
    Some(format!("/{}?{}", segments.join("/"), query.join("&")))
}

/// Some records have a file name instead of an address.
fn like_file(file: &str) -> Option<String> {
    let name = file.rsplit('/').next()?;
    let below = "/projects/1/merge_requests/1";
    Some(match name {
        // The merge requests of a commit are rows like those of the list.
        _ if name.starts_with("merge_requests") || name.starts_with("commit_") => {
            "/projects/1/merge_requests".to_owned()
        }
        _ if name.contains("_changes") => format!("{below}/changes"),
        _ if name.contains("_commits") => format!("{below}/commits"),
        _ if name.contains("_comments") => format!("{below}/notes"),
        _ if name.contains("_discussions") => format!("{below}/discussions"),
        _ if name.starts_with("merge_request_") => below.to_owned(),
        _ => return None,
    })
}

/// Notes fields and types at every level: elements of a list count as one.
fn shape(value: &Value, path: &str, into: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => return,
        Value::Bool(_) => "truth value",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    into.entry(path.to_owned()).or_default().insert(kind);
    match value {
        Value::Array(rows) => rows.iter().for_each(|row| shape(row, &format!("{path}[]"), into)),
        Value::Object(fields) => {
            for (name, value) in fields {
                // A map whose keys are data, not names.
                let name = if path.is_empty() && is_share(fields) { "*" } else { name };
                let path = format!("{path}.{name}");
                into.entry(path.clone()).or_default();
                shape(value, &path, into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Tells whether an object is one of languages and their shares.
fn is_share(fields: &serde_json::Map<String, Value>) -> bool {
    !fields.is_empty() && fields.values().all(Value::is_number)
}

/// Lists what differs: `-` is missing here, `+` is only here, `~` has another type.
fn differing(theirs: &Value, ours: &Value) -> BTreeSet<String> {
    let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
    shape(theirs, "", &mut left);
    shape(ours, "", &mut right);
    let mut found = BTreeSet::new();
    // Of what is null, or a list without elements, on one side nothing can be said.
    let said = |path: &str, on: &BTreeMap<String, BTreeSet<&str>>| {
        let parent = path.rfind(['.', '[']).map_or("", |at| &path[..at]);
        on.get(parent).is_some_and(|kinds| !kinds.is_empty())
            && (!path.ends_with("[]") || on.contains_key(path))
    };
    for (path, kinds) in &left {
        match right.get(path) {
            None if said(path, &right) => {
                found.insert(format!("-{path}"));
            }
            Some(other) if !kinds.is_empty() && !other.is_empty() && kinds.is_disjoint(other) => {
                found.insert(format!("~{path}"));
            }
            None | Some(_) => {}
        }
    }
    for path in right.keys().filter(|path| !left.contains_key(*path) && said(path, &left)) {
        found.insert(format!("+{path}"));
    }
    found
}

fn header_names(record: &Value) -> BTreeSet<String> {
    let names = record["headers"].as_object().unwrap().keys();
    names
        .map(|name| name.to_lowercase())
        .filter(|name| !OF_THE_NETWORK.iter().any(|known| name.starts_with(known)))
        .collect()
}

async fn ask(gitlab: &GitLab, record: &Value, path: &str) -> Reply {
    let unknown = record["status"] == 401;
    let token = if unknown { "wrong" } else { gitlab.token() };
    fetch(&format!("{}/api/v4{path}", gitlab.url()), &[("private-token", token)]).await
}

#[tokio::test]
async fn recorded_answers_have_the_headers_fields_and_types_of_ours() {
    if !std::path::Path::new(RECORDED).exists() {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    }
    let world = world();
    let head = world.find_project("acme/shop").unwrap().head();
    let mut compared = 0;
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut surprises: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (set, tier) in
        [("gitea-2026", Tier::Free), ("ogr", Tier::Premium), ("danger", Tier::Premium)]
    {
        let throttle = Throttle::Always(Limit::per_minute(2000));
        let options = Options { throttle, tier, ..Options::default() };
        let gitlab = GitLab::start(world.clone(), options).await.unwrap();
        let text = std::fs::read_to_string(format!("{RECORDED}/{set}/exchanges.json")).unwrap();
        let records: Vec<Value> = serde_json::from_str(&text).unwrap();
        for record in records.iter().filter(|record| record["method"] == "GET") {
            let url = record["url"].as_str().unwrap();
            if let Some((part, _)) = NOT_SERVED.iter().find(|(part, _)| url.contains(part)) {
                used.insert(("", part));
                continue;
            }
            let path = like(record, &head)
                .unwrap_or_else(|| panic!("{url} {} has a like", record["file"]));
            let reply = ask(&gitlab, record, &path).await;
            if u64::from(reply.status) != record["status"].as_u64().unwrap() {
                let status = format!("{} for {}", reply.status, record["status"]);
                surprises.entry(status).or_default().insert(path);
                continue;
            }
            let ours: BTreeSet<String> = reply.headers.keys().map(ToString::to_string).collect();
            let theirs = header_names(record);
            let known = |name: &String| OF_THE_NETWORK.iter().any(|part| name.starts_with(part));
            let mut found: BTreeSet<String> = BTreeSet::new();
            // Some recorders kept no headers.
            if theirs.contains("content-type") && theirs.contains("x-runtime") {
                found.extend(theirs.difference(&ours).map(|name| format!("-{name}")));
                let more = ours.difference(&theirs).filter(|name| !known(name));
                found.extend(more.map(|name| format!("+{name}")));
            }
            let body = serde_json::from_str(&reply.text).unwrap_or(Value::Null);
            found.extend(differing(&record["body"], &body));
            for difference in found {
                let name = difference.rsplit(['.', ']']).next().unwrap_or_default();
                let sign = difference.get(..1).unwrap_or_default();
                let signed = format!("{sign}{}", name.trim_start_matches(['-', '+', '~']));
                let listed = BODIES.iter().chain(&HEADERS).find(|(sets, known, _)| {
                    sets.contains(&set) && known.split(' ').any(|known| known == signed)
                });
                match listed {
                    Some((_, known, _)) => {
                        let known = known.split(' ').find(|known| *known == signed);
                        used.insert((set, known.unwrap_or_default()));
                    }
                    None => {
                        surprises
                            .entry(format!("{set} {signed}"))
                            .or_default()
                            .insert(path.clone());
                    }
                }
            }
            compared += 1;
        }
    }
    assert!(surprises.is_empty(), "differences without a reason: {surprises:#?}");
    let unused: Vec<(&str, &str)> = BODIES
        .iter()
        .chain(&HEADERS)
        .flat_map(|(sets, known, _)| {
            sets.iter().flat_map(|set| known.split(' ').map(|name| (*set, name)))
        })
        .chain(NOT_SERVED.iter().map(|(part, _)| ("", *part)))
        .filter(|listed| !used.contains(listed))
        .collect();
    assert!(unused.is_empty(), "listed, but no longer so: {unused:?}");
    assert!(compared >= 80, "{compared} answers compared");
}
