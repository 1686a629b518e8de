//! The cost of queries, as GitLab counts it.

use std::fmt::Write;

use async_graphql::parser::parse_query;

use super::*;

fn score_in(regime: BlobRegime, text: &str) -> u64 {
    let document = parse_query(text).unwrap();
    cost(&document, None, &Variables::default(), regime).unwrap().complexity
}

fn score(text: &str) -> u64 {
    score_in(BlobRegime::New, text)
}

#[test]
fn plain_fields_cost_one_and_gitaly_two() {
    assert_eq!(score("{currentUser{username}}"), 2);
    assert_eq!(score(r#"{project(fullPath:"a"){fullPath name}}"#), 3);
    assert_eq!(score(r#"{project(fullPath:"a"){repository{rootRef}}}"#), 4);
    assert_eq!(
        score(
            r#"{project(fullPath:"a"){repository{branchNames(searchPattern:"*",offset:0,limit:1)}}}"#
        ),
        172
    );
}

#[test]
fn a_page_multiplies_what_it_holds() {
    // nodes 1 + iid 1, the list itself 1: 3, and so much for a hundred rows again.
    assert_eq!(score(r#"{project(fullPath:"a"){issues{nodes{iid}}}}"#), 7);
    assert_eq!(score(r#"{project(fullPath:"a"){issues(first:500){nodes{iid}}}}"#), 7);
    assert_eq!(score(r#"{project(fullPath:"a"){issues(first:20){nodes{iid}}}}"#), 4);
    assert_eq!(score(r#"{project(fullPath:"a"){issues(last:34){nodes{iid}}}}"#), 5);
    assert_eq!(score(r#"{project(fullPath:"a"){issues(iids:["1"]){nodes{iid}}}}"#), 4);
    assert_eq!(score(r#"{project(fullPath:"a"){issues(sort:UPDATED_ASC){nodes{iid}}}}"#), 9);
    assert_eq!(score(r#"{project(fullPath:"a"){issues(search:"x"){nodes{iid}}}}"#), 17);
}

#[test]
fn projects_of_a_group_cost_ten_more() {
    assert_eq!(score(r#"{group(fullPath:"a"){projects{nodes{id}}}}"#), 1 + (2 + 1 + 10) * 2);
    let wide = (0..39).map(|n| format!("f{n}:id")).collect::<Vec<_>>().join(" ");
    let text = format!("{{group(fullPath:\"a\"){{projects{{nodes{{{wide}}}}}}}}}");
    assert_eq!(score(&text), 1 + (40 + 1 + 10) * 2, "the example of the reference");
}

fn blobs(paths: usize) -> String {
    let paths: Vec<String> = (0..paths).map(|n| format!("\"f{n}\"")).collect();
    format!(
        "{{project(fullPath:\"a\"){{id repository{{blobs(paths:[{}]){{nodes{{path rawTextBlob}}}}}}}}}}",
        paths.join(",")
    )
}

#[test]
fn blobs_cost_what_their_regime_says() {
    for (paths, old, costly) in [(1, 17, 35), (2, 19, 346), (3, 21, 357), (100, 215, 1424)] {
        assert_eq!(score_in(BlobRegime::Old, &blobs(paths)), old);
        assert_eq!(score_in(BlobRegime::New, &blobs(paths)), old);
        assert_eq!(score_in(BlobRegime::Costly, &blobs(paths)), costly);
    }
}

#[test]
fn variables_fragments_and_directives_are_followed() {
    let text = r#"query($n: Int = 20, $wide: Boolean!) {
        project(fullPath:"a") { ...P @include(if: $wide) issues(first: $n) { nodes { ...I iid } } }
    } fragment P on Project { name path } fragment I on Issue { iid title }"#;
    let document = parse_query(text).unwrap();
    let with = |json: serde_json::Value| {
        let variables = Variables::from_json(json);
        cost(&document, None, &variables, BlobRegime::New).unwrap()
    };
    // project 1, issues (nodes 1 + iid 1 + title 1 + 1) × 1.2 = 4.
    assert_eq!(with(serde_json::json!({"wide": false})).complexity, 5);
    assert_eq!(with(serde_json::json!({"wide": true})).complexity, 7);
    assert_eq!(with(serde_json::json!({"wide": false, "n": 100})).complexity, 9);
    assert_eq!(with(serde_json::json!({"wide": false})).depth, 4);
}

#[test]
fn fragments_that_grow_without_end_are_too_complex() {
    let mut text = String::from("{project(fullPath:\"a\"){...F0}}");
    for n in 0..60 {
        write!(text, " fragment F{n} on Project{{...F{0} ...F{0}}}", n + 1).unwrap();
    }
    text.push_str(" fragment F60 on Project{id}");
    assert_eq!(score(&text), u64::MAX);
    assert_eq!(score("{project(fullPath:\"a\"){...F}} fragment F on Project{...F}"), u64::MAX);
}

/// Each figure was computed twice: by hand, and by a second program from the rules alone.
#[test]
fn queries_of_a_crawler_cost_what_the_rules_say() {
    for (complexity, text) in [
        // notes (nodes 1 + fields 7 + author 1 + pageInfo 3 + itself 1) × 1.5 = 19; issues
        // (nodes 1 + iid 1 + title 1 + notes 19 + pageInfo 3 + itself 1 + sort 1) × 1.2 = 32.
        (
            33,
            r#"{group(fullPath:"acme"){issues(includeSubgroups:true,first:20,sort:UPDATED_ASC){
               nodes{iid title notes(first:50){nodes{id system internal body createdAt updatedAt
               author{username}} pageInfo{hasNextPage endCursor}}}
               pageInfo{hasNextPage endCursor}}}}"#,
        ),
        // blobs (nodes 1 + 3 fields, of which rawTextBlob 2, + itself 2 + 3 paths) × 2 = 20;
        // tree 1 + 1 + lastCommit 2 + sha 1; repository 1 + rootRef 2 + tree 5 + blobs 20 = 28;
        // pipelines (nodes 1 + status 1 + 1) × 1.01 = 3; (1 + 3 + 28 + 3 + 1 + 10) × 1.5 = 69.
        (
            70,
            r#"{group(fullPath:"acme"){projects(includeSubgroups:true,first:50){nodes{id fullPath
               topics repository{rootRef tree{lastCommit{sha}} blobs(paths:["a","b","c"]){nodes{
               path oid rawTextBlob}}} pipelines(first:1){nodes{status}}}}}}"#,
        ),
        // notes (1 + 1 + 1) × 1.1 = 3; issues by iids: 1 + iid 1 + 3 + 1, without a factor.
        (
            7,
            r#"{project(fullPath:"a"){issues(iids:["1","2"]){nodes{iid notes(last:10){nodes{id}}}}}}"#,
        ),
        // (nodes 1 + id 1 + languages 2 + 2 + pageInfo 2 + itself 1 + sort 1 + search 5) × 1.3.
        (
            19,
            r#"{projects(search:"x",sort:"name_asc",first:30){nodes{id languages{name share}}
               pageInfo{endCursor}}}"#,
        ),
        // A widget costs as much as the dearest: type 1 + labels (nodes 1 + title 1 + 1) × 2 = 7;
        // (nodes 1 + id 1 + widgets 1 + 7 + itself 1) × 1.1 = 12.
        (
            13,
            r#"{project(fullPath:"a"){workItems(first:10){nodes{id widgets{type
               ... on WorkItemWidgetLabels{labels{nodes{title}}}
               ... on WorkItemWidgetDescription{description edited}}}}}}"#,
        ),
        // branchNames 170 + exists 2 + repository + project.
        (
            174,
            r#"{project(fullPath:"a"){repository{branchNames(searchPattern:"*",offset:0,limit:5)
               exists}}}"#,
        ),
        // (nodes 1 + id 1 + itself 1 + search 5 + sort 1 + 10) × 2.
        (39, r#"{group(fullPath:"a"){projects(search:"x",sort:ACTIVITY_DESC){nodes{id}}}}"#),
        // author: the dearest of its types, 2; headPipeline 1 + status 1 + detailedStatus 2.
        (
            19,
            r#"{group(fullPath:"a"){mergeRequests(first:100){nodes{author{... on User{username}
               ... on MergeRequestAuthor{id}} headPipeline{status detailedStatus{text}}}}}}"#,
        ),
        // first: 0 takes nothing; last: 7 seven hundredths, cut: 3, and (2 + cursor + 1 + 1) = 5.
        (
            9,
            r#"{project(fullPath:"a"){issues(first:0){nodes{iid}} x:issues(last:7){edges{cursor
               node{iid}}}}}"#,
        ),
    ] {
        assert_eq!(score(text), complexity, "{text}");
    }
}
