//! Connections: pages, cursors, and the same rows as in the REST interface.

use std::collections::BTreeMap;

use gitlab_sim::world::{ItemRef, NewIssue, NewProject, World};
use gitlab_sim::{Clock, Generator, GitLab};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{data, post};
use crate::client::{get, serve};

fn texts(rows: &Value, field: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap();
    rows.iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
}

/// Walks a connection that a query with `$after` reaches by a pointer.
async fn walk(gitlab: &GitLab, query: &str, pointer: &str) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), Value::Null);
    loop {
        let body = json!({"query": query, "variables": {"after": after}});
        let reply = post(gitlab, Some(gitlab.token()), &body).await.json();
        assert_eq!(reply.get("errors"), None, "{query}");
        let page = reply["data"].pointer(pointer).unwrap_or_else(|| panic!("{reply}"));
        rows.extend(page["nodes"].as_array().unwrap().iter().cloned());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] != true {
            return rows;
        }
    }
}

async fn rest(gitlab: &GitLab, path: &str) -> Vec<Value> {
    let (mut rows, mut page) = (Vec::new(), String::from("1"));
    while !page.is_empty() {
        let reply = get(gitlab, &format!("{path}&per_page=100&page={page}")).await;
        rows.extend(reply.json().as_array().unwrap().iter().cloned());
        reply.header("x-next-page").unwrap().clone_into(&mut page);
    }
    rows
}

#[tokio::test]
async fn the_generated_organisation_is_the_same_in_both_interfaces() {
    let (world, truth) = Generator { projects: 12, ..Generator::default() }.generate();
    let gitlab = serve(world).await;
    let mut seen = 0;
    for (kind, path) in [("issues", "issues"), ("mergeRequests", "merge_requests")] {
        let extra = if kind == "issues" { "confidential" } else { "sourceBranch draft" };
        let query = format!(
            "query($after:String){{group(fullPath:\"acme\"){{{kind}(includeSubgroups:true,\
             includeArchived:true,sort:UPDATED_ASC,after:$after,first:50){{nodes{{iid title state \
             {extra} reference(full:true) description createdAt updatedAt userNotesCount \
             labels{{nodes{{title}}}}}} pageInfo{{hasNextPage endCursor}}}}}}}}"
        );
        let rows = walk(&gitlab, &query, &format!("/group/{kind}")).await;
        let address =
            format!("/groups/acme/{path}?non_archived=false&order_by=updated_at&sort=asc");
        let others = rest(&gitlab, &address).await;
        assert_eq!(rows.len(), others.len());
        for (row, other) in rows.iter().zip(&others) {
            let reference = &row["reference"];
            assert_eq!(*reference, other["references"]["full"], "the same order");
            for field in ["title", "state", "description"] {
                assert_eq!(row[field], other[field], "{reference}");
            }
            assert_eq!(row["iid"], other["iid"].to_string(), "{reference}");
            assert_eq!(row["userNotesCount"], other["user_notes_count"], "{reference}");
            assert_eq!(
                json!(texts(&row["labels"]["nodes"], "title")),
                other["labels"],
                "{reference}"
            );
            for (here, there) in [("createdAt", "created_at"), ("updatedAt", "updated_at")] {
                let whole = &other[there].as_str().unwrap()[..19];
                assert_eq!(row[here], format!("{whole}Z"), "{reference}");
            }
            if kind == "issues" {
                assert_eq!(row["confidential"], other["confidential"], "{reference}");
            } else {
                assert_eq!(row["sourceBranch"], other["source_branch"], "{reference}");
                assert_eq!(row["draft"], other["draft"], "{reference}");
            }
        }
        seen += rows.len();
    }
    assert_eq!(seen, truth.items.len());
    gitlab.stop().await;
}

#[tokio::test]
async fn notes_labels_and_projects_are_the_same_in_both_interfaces() {
    let (world, _) = Generator { projects: 8, ..Generator::default() }.generate();
    let gitlab = serve(world).await;
    let query = "query($after:String){group(fullPath:\"acme\"){projects(includeSubgroups:true,\
        first:3,after:$after){nodes{id fullPath topics archived visibility description \
        lastActivityAt} pageInfo{hasNextPage endCursor}}}}";
    let rows = walk(&gitlab, query, "/group/projects").await;
    let others =
        rest(&gitlab, "/groups/acme/projects?include_subgroups=true&order_by=id&sort=desc").await;
    assert_eq!(rows.len(), others.len());
    for (row, other) in rows.iter().zip(&others) {
        assert_eq!(row["id"], format!("gid://gitlab/Project/{}", other["id"]));
        assert_eq!(row["fullPath"], other["path_with_namespace"]);
        for field in ["topics", "archived", "visibility", "description"] {
            assert_eq!(row[field], other[field]);
        }
        let (path, id) = (row["fullPath"].as_str().unwrap(), &other["id"]);
        let labels = format!(
            "query($after:String){{project(fullPath:\"{path}\"){{labels(includeAncestorGroups:true,\
             first:7,after:$after){{nodes{{title color}} pageInfo{{hasNextPage endCursor}}}}}}}}"
        );
        let labels = walk(&gitlab, &labels, "/project/labels").await;
        let mut here: Vec<String> =
            labels.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect();
        let there = rest(&gitlab, &format!("/projects/{id}/labels?with_counts=false")).await;
        let mut there: Vec<String> =
            there.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        here.sort();
        there.sort();
        assert_eq!(here, there, "{path}");
        let issues = format!(
            "query($after:String){{project(fullPath:\"{path}\"){{issues(first:20,after:$after)\
             {{nodes{{iid notes(first:100){{nodes{{id body internal system}}}}}} \
             pageInfo{{hasNextPage endCursor}}}}}}}}"
        );
        for issue in walk(&gitlab, &issues, "/project/issues").await.iter().take(12) {
            let iid = issue["iid"].as_str().unwrap();
            let address = format!("/projects/{id}/issues/{iid}/notes?sort=asc&order_by=created_at");
            let there = rest(&gitlab, &address).await;
            let here = issue["notes"]["nodes"].as_array().unwrap();
            let brief: BTreeMap<String, &Value> =
                there.iter().map(|row| (format!("gid://gitlab/Note/{}", row["id"]), row)).collect();
            assert_eq!(here.len(), brief.len(), "{path}#{iid}");
            for note in here {
                let other = brief[note["id"].as_str().unwrap()];
                for field in ["body", "internal", "system"] {
                    assert_eq!(note[field], other[field], "{path}#{iid}");
                }
            }
        }
    }
    gitlab.stop().await;
}

fn many(count: u64) -> (World, gitlab_sim::world::ProjectId) {
    let clock = Clock::at("2026-11-22T10:00:00Z".parse().unwrap());
    let mut world = World::with_clock(clock);
    let project = world.add_project(NewProject::at("acme/shop"));
    for n in 0..count {
        world.add_issue(project, NewIssue::new(&format!("issue {n}")));
        world.clock().advance(SignedDuration::from_secs(1));
    }
    (world, project)
}

const PAGE: &str = "pageInfo{hasNextPage hasPreviousPage startCursor endCursor}";

#[tokio::test]
async fn a_page_holds_a_hundred_rows_at_most() {
    let gitlab = serve(many(130).0).await;
    for size in ["", "(first:500)", "(last:500)"] {
        let query =
            format!("{{project(fullPath:\"acme/shop\"){{issues{size}{{count nodes{{iid}}}}}}}}");
        let issues = data(&gitlab, &query).await["project"]["issues"].take();
        assert_eq!(issues["count"], 130);
        assert_eq!(issues["nodes"].as_array().unwrap().len(), 100, "{size}");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn pages_go_forwards_and_backwards() {
    let gitlab = serve(many(5).0).await;
    let page = async |arguments: &str| {
        let query = format!(
            "{{project(fullPath:\"acme/shop\"){{issues(sort:CREATED_ASC,{arguments})\
             {{nodes{{iid}} edges{{cursor node{{iid}}}} {PAGE}}}}}}}"
        );
        data(&gitlab, &query).await["project"]["issues"].take()
    };
    let first = page("first:2").await;
    assert_eq!(texts(&first["nodes"], "iid"), ["1", "2"]);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    assert_eq!(first["pageInfo"]["hasPreviousPage"], false);
    assert_eq!(first["edges"][1]["cursor"], first["pageInfo"]["endCursor"]);
    let after = first["pageInfo"]["endCursor"].as_str().unwrap();
    let second = page(&format!("first:2,after:\"{after}\"")).await;
    assert_eq!(texts(&second["nodes"], "iid"), ["3", "4"]);
    assert_eq!(second["pageInfo"]["hasPreviousPage"], true);
    let before = second["pageInfo"]["startCursor"].as_str().unwrap();
    let back = page(&format!("last:1,before:\"{before}\"")).await;
    assert_eq!(texts(&back["nodes"], "iid"), ["2"]);
    assert_eq!(back["pageInfo"]["hasPreviousPage"], true);
    let end = page("last:2").await;
    assert_eq!(texts(&end["nodes"], "iid"), ["4", "5"]);
    let none = page("first:0").await;
    assert_eq!(none["pageInfo"]["endCursor"], Value::Null);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_cursor_is_not_shifted_by_what_happens_meanwhile() {
    let (world, project) = many(6);
    let gitlab = serve(world).await;
    let query = |after: &str| {
        format!(
            "{{project(fullPath:\"acme/shop\"){{issues(sort:UPDATED_ASC,first:2{after})\
             {{nodes{{iid}} {PAGE}}}}}}}"
        )
    };
    let first = data(&gitlab, &query("")).await["project"]["issues"].take();
    assert_eq!(texts(&first["nodes"], "iid"), ["1", "2"]);
    let after = first["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    gitlab.world().edit(ItemRef::issue(project, 1), |row| row.title = "moved".to_owned());
    gitlab.world().delete_item(ItemRef::issue(project, 2));
    let second = data(&gitlab, &query(&format!(",after:\"{after}\""))).await;
    assert_eq!(texts(&second["project"]["issues"]["nodes"], "iid"), ["3", "4"]);
    gitlab.stop().await;
}
