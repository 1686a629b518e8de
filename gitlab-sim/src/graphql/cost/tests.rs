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
