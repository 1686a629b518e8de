//! Every field of every type, asked for once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use serde_json::Value;

use super::ask;
use super::fields::served;

fn base(written: &Type) -> String {
    match &written.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => base(inner),
    }
}

/// Builds a selection of every field down to some depth. Fields that need arguments get believable
/// ones, and each has an alias, because one name may mean two types in two fragments.
fn select(types: &BTreeMap<String, TypeDefinition>, name: &str, depth: usize) -> Option<String> {
    let (fields, is_open) = match &types.get(name)?.kind {
        TypeKind::Object(row) => (&row.fields, false),
        TypeKind::Interface(row) => (&row.fields, true),
        TypeKind::Union(row) => {
            let parts = row.members.iter().filter_map(|member| {
                Some(format!("... on {} {}", member.node, select(types, &member.node, depth)?))
            });
            return Some(format!("{{__typename {}}}", parts.collect::<String>()));
        }
        _ => return None,
    };
    let mut text = String::from("{__typename ");
    for field in fields {
        let field = &field.node;
        let (kind, call) = (base(&field.ty.node), field.name.node.as_str());
        let arguments: Vec<&str> = field
            .arguments
            .iter()
            .filter(|row| !row.node.ty.node.nullable && row.node.default_value.is_none())
            .map(|row| match (name, call, row.node.name.node.as_str()) {
                (_, "project", "fullPath") => r#"fullPath:"acme/shop/webshop""#,
                (_, _, "fullPath") => r#"fullPath:"acme""#,
                (_, "issue", "id") => r#"id:"gid://gitlab/Issue/1""#,
                (_, "mergeRequest", "id") => r#"id:"gid://gitlab/MergeRequest/1""#,
                (_, "note", "id") => r#"id:"gid://gitlab/Note/1""#,
                (_, "workItem", "id") => r#"id:"gid://gitlab/WorkItem/1""#,
                (_, _, "iid") => r#"iid:"1""#,
                (_, _, "title") => r#"title:"bug""#,
                (_, _, "text") => r#"text:"x""#,
                (_, _, "refs") => r#"refs:["acme/shop/webshop#1"]"#,
                (_, _, "ref") => r#"ref:"main""#,
                (_, _, "paths") => r#"paths:["README.md"]"#,
                (_, _, "searchPattern") => r#"searchPattern:"*""#,
                (_, _, "offset") => "offset:0",
                (_, _, "limit") => "limit:1",
                (_, _, "tagName") => r#"tagName:"v1""#,
                (owner, field, argument) => panic!("{owner}.{field} needs {argument}"),
            })
            .collect();
        let arguments = match (name, call) {
            ("Query", "user") => r#"(username:"ann")"#.to_owned(),
            ("Project", "pipeline") => r#"(iid:"1")"#.to_owned(),
            _ if arguments.is_empty() => String::new(),
            _ => format!("({})", arguments.join(",")),
        };
        let below = match types.get(&kind).map(|row| &row.kind) {
            Some(TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)) => {
                match depth.checked_sub(1).and_then(|depth| select(types, &kind, depth)) {
                    Some(below) => below,
                    None => continue,
                }
            }
            _ => String::new(),
        };
        write!(text, "{name}_{call}:{call}{arguments}{below} ").unwrap();
    }
    if is_open {
        for (other, row) in types {
            if let TypeKind::Object(row) = &row.kind
                && row.implements.iter().any(|parent| parent.node == name)
                && let Some(below) = select(types, other, depth)
            {
                write!(text, "... on {other} {below} ").unwrap();
            }
        }
    }
    text.push('}');
    Some(text)
}

#[tokio::test]
async fn every_field_of_every_type_is_answered() {
    let document = parse_schema(include_str!("../../../src/graphql/schema.graphql")).unwrap();
    let types: BTreeMap<String, TypeDefinition> = document
        .definitions
        .into_iter()
        .filter_map(|row| match row {
            TypeSystemDefinition::Type(row) => Some((row.node.name.node.to_string(), row.node)),
            _ => None,
        })
        .collect();
    let gitlab = served().await;
    let mut asked = BTreeSet::new();
    // One query for each place that a type can be reached at, small enough for the limits.
    let project = r#"project(fullPath:"acme/shop/webshop")"#;
    let issue = format!("{project}{{issue(iid:\"1\")");
    let merge_request = format!("{project}{{mergeRequest(iid:\"1\")");
    let repository = format!("{project}{{repository");
    let work_item = "workItem(id:\"gid://gitlab/WorkItem/1\")".to_owned();
    for (start, name, closing) in [
        (String::new(), "Query", ""),
        ("currentUser".into(), "CurrentUser", ""),
        (r#"user(username:"ann")"#.into(), "UserCore", ""),
        ("group(fullPath:\"acme/shop\")".into(), "Group", ""),
        ("namespace(fullPath:\"acme/shop\")".into(), "Namespace", ""),
        (project.into(), "Project", ""),
        (issue.clone(), "Issue", "}"),
        (merge_request.clone(), "MergeRequest", "}"),
        (repository.clone(), "Repository", "}"),
        (work_item, "WorkItem", ""),
        ("note(id:\"gid://gitlab/Note/1\")".into(), "Note", ""),
        (format!("{project}{{pipeline(iid:\"1\")"), "Pipeline", "}"),
        (format!("{issue}{{labels(first:1)"), "LabelConnection", "}}"),
        (format!("{issue}{{notes(first:1)"), "NoteConnection", "}}"),
        (format!("{issue}{{discussions(first:1)"), "DiscussionConnection", "}}"),
        (format!("{issue}{{linkedWorkItems(first:1)"), "LinkedWorkItemTypeConnection", "}}"),
        (format!("{project}{{issues(first:1)"), "IssueConnection", "}"),
        (format!("{repository}{{tree"), "Tree", "}}"),
        (format!("{repository}{{lastCommit"), "Commit", "}}"),
        (
            format!("{repository}{{blobs(paths:[\"README.md\"],first:1)"),
            "RepositoryBlobConnection",
            "}}",
        ),
        (format!("{merge_request}{{author"), "MergeRequestAuthor", "}}"),
    ] {
        let TypeKind::Object(row) = &types[name].kind else { panic!("{name}") };
        for field in &row.fields {
            let field = &field.node;
            let mut one = types[name].clone();
            if let TypeKind::Object(object) = &mut one.kind {
                object.fields.retain(|row| row.node.name.node == field.name.node);
            }
            let mut narrowed = types.clone();
            let nested = base(&field.ty.node) == name;
            if nested {
                continue;
            }
            narrowed.insert(name.to_owned(), one);
            // As deep as the limits let it go.
            let mut body = Value::Null;
            let mut query = String::new();
            for depth in [2, 1, 0] {
                let Some(selection) = select(&narrowed, name, depth) else { break };
                query = if start.is_empty() {
                    selection.replacen("__typename ", "", 1)
                } else {
                    format!("{{{start}{selection}{closing}}}")
                };
                if query == "{}" {
                    break;
                }
                body = ask(&gitlab, &query).await;
                if !body.to_string().contains("exceeds max complexity") {
                    break;
                }
            }
            for error in body["errors"].as_array().into_iter().flatten() {
                let message = error["message"].as_str().unwrap();
                // Two objects of one kind is what some fields refuse by rule.
                assert!(message.contains("can be requested only"), "{message}: {query}");
            }
            asked.insert(format!("{name}.{}", field.name.node));
        }
    }
    assert!(asked.len() > 350, "{}", asked.len());
    gitlab.stop().await;
}
