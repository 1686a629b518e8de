//! Every query against GitLab's published schema, and its cost by GitLab's arithmetic.

use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema, ast};
use gitlab_sim::Options;
use serde_json::{Value, json};

use super::super::document::{ALL, Document};
use super::super::items::FIRST_NOTES;
use super::super::standing::Kind;
use super::serve;

const SCHEMA: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gitlab/graphql/ce_18_schema.graphql");

/// GitLab's limit of characters.
const LONGEST: usize = 10_000;

/// What somebody unknown may ask for, which is the least.
const LIMIT: u64 = 200;

/// Reads the schema of a GitLab Community Edition 18; `None` when it is not there.
fn schema() -> Option<Valid<Schema>> {
    let Ok(text) = std::fs::read_to_string(SCHEMA) else {
        eprintln!("skipped: ../shared is not beside this checkout");
        return None;
    };
    let schema = Schema::parse(text, "ce_18_schema.graphql");
    // What is odd in GitLab's own schema is not at stake.
    Some(Valid::assume_valid(schema.unwrap_or_else(|partial| partial.partial)))
}

/// Returns the variables of a document at the size that it starts with.
fn variables(document: &Document) -> Value {
    let first = document.kind.size().present();
    match document.kind {
        Kind::Files => {
            let ids: Vec<String> =
                (1..=first).map(|id| format!("gid://gitlab/Project/{id}")).collect();
            json!({"ids": ids, "paths": crate::codeowners::PLACES, "first": first, "files": 3})
        }
        Kind::Details => {
            let ids: Vec<String> =
                (1..=first).map(|id| format!("gid://gitlab/Project/{id}")).collect();
            json!({
                "ids": ids, "paths": vec!["a"; 13], "first": first, "files": 13,
                "issueTemplates": "a", "mergeRequestTemplates": "b", "branch": "main",
            })
        }
        Kind::Counts => {
            let ids: Vec<String> =
                (1..=first).map(|id| format!("gid://gitlab/Project/{id}")).collect();
            json!({"ids": ids, "first": first})
        }
        Kind::LinkedIssues | Kind::Issues | Kind::MergeRequests => json!({
            "path": "acme", "first": first, "notes": FIRST_NOTES, "archived": true,
            "updatedAfter": "2026-01-01T00:00:00Z", "updatedBefore": null, "after": null,
            "sort": "UPDATED_ASC",
        }),
        Kind::Notes => {
            let class = if document.name == "issue_notes" { "Issue" } else { "MergeRequest" };
            json!({"id": format!("gid://gitlab/{class}/1"), "first": first, "after": null})
        }
        Kind::GroupCounts => json!({"path": "a/b", "archived": false}),
        Kind::Instance => json!({}),
    }
}

#[test]
fn every_field_and_argument_of_every_query_exists() {
    let Some(schema) = schema() else { return };
    for document in ALL {
        for text in [document.source().to_owned(), document.text()] {
            let parsed = ExecutableDocument::parse_and_validate(&schema, text, document.name);
            let parsed = parsed.unwrap_or_else(|errors| panic!("{}: {errors}", document.name));
            let names: Vec<_> = parsed.operations.named.keys().map(ToString::to_string).collect();
            assert_eq!(names, [document.name], "one operation, under its own name");
            assert!(parsed.operations.named[document.name].is_query(), "{}", document.name);
        }
    }
}

#[test]
fn schema_test_notices_what_gitlab_does_not_have() {
    let Some(schema) = schema() else { return };
    for query in [
        "{ projects { nodes { nope } } }",
        "{ projects(nope: 1) { nodes { id } } }",
        "query q($x: [Int!]) { projects(ids: $x) { nodes { id } } }",
        "{ group(fullPath: \"a\") { issues(sort: NOPE) { nodes { id } } } }",
        "{ ...F } fragment F on Nope { id }",
    ] {
        assert!(ExecutableDocument::parse_and_validate(&schema, query, "q").is_err(), "{query}");
    }
}

#[test]
fn every_query_is_far_shorter_than_gitlab_allows() {
    for document in ALL {
        let text = document.text();
        assert!(text.chars().count() < LONGEST / 4, "{}: {}", document.name, text.len());
        assert!(!text.contains('#') && !text.contains('"') && !text.contains("  "), "{text}");
        assert!(!text.contains("mutation"), "{text}");
    }
}

/// GitLab's arithmetic, as far as the queries here need it.
struct Arithmetic<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Value,
}

impl Arithmetic<'_> {
    fn operation(&self, operation: &Operation) -> u64 {
        self.set(&operation.selection_set)
    }

    fn set(&self, set: &SelectionSet) -> u64 {
        let of = |selection: &Selection| match selection {
            Selection::Field(field) => self.field(field, set.ty.as_str()),
            Selection::FragmentSpread(spread) => {
                self.set(&self.document.fragments[&spread.fragment_name].selection_set)
            }
            Selection::InlineFragment(inline) => self.set(&inline.selection_set),
        };
        set.selections.iter().map(of).sum()
    }

    fn field(&self, field: &Node<Field>, parent: &str) -> u64 {
        let asks_gitaly = matches!(
            (parent, field.name.as_str()),
            ("Repository", "blobs" | "empty" | "rootRef" | "tree")
                | ("RepositoryBlob", "rawTextBlob")
                | ("Tree", "blobs")
        );
        // What listing the projects of a namespace costs beyond its rows.
        let of_namespace = (parent, field.name.as_str()) == ("Group", "projects");
        let sorted = self.argument(field, "sort").is_some();
        let paths = self.argument(field, "paths").and_then(|paths| Some(paths.as_array()?.len()));
        let mut sum = 1 + self.set(&field.selection_set);
        sum += u64::from(asks_gitaly) + u64::from(sorted) + paths.unwrap_or(0) as u64;
        sum += if of_namespace { 10 } else { 0 };
        if field.ty().inner_named_type().ends_with("Connection") {
            let first = self.argument(field, "first").and_then(|first| first.as_u64());
            sum += sum * first.unwrap_or(100).min(100) / 100;
        }
        sum
    }

    fn argument(&self, field: &Node<Field>, name: &str) -> Option<Value> {
        let argument = field.arguments.iter().find(|argument| argument.name == name)?;
        match &*argument.value {
            ast::Value::Variable(name) => Some(self.variables[name.as_str()].clone()),
            ast::Value::Int(number) => Some(json!(number.try_to_i32().expect("a number"))),
            _ => Some(json!(true)),
        }
    }
}

#[tokio::test]
async fn every_query_fits_at_the_size_it_starts_with_and_costs_what_gitlab_says() {
    let Some(schema) = schema() else { return };
    let gitlab = serve(gitlab_sim::World::new(), Options::default()).await;
    let http = reqwest::Client::new();
    let mut wrong = Vec::new();
    for document in ALL {
        let variables = variables(&document);
        let parsed =
            ExecutableDocument::parse_and_validate(&schema, document.text(), document.name)
                .expect("a valid query");
        let arithmetic = Arithmetic { document: &parsed, variables: &variables };
        let score = arithmetic.operation(&parsed.operations.named[document.name]);
        assert!(score <= LIMIT, "{} costs {score}", document.name);

        let body = json!({
            "query": document.text(), "operationName": document.name, "variables": variables,
        });
        #[expect(clippy::disallowed_methods, reason = "the simulator is asked past the client")]
        let answer = http
            .post(format!("{}/api/graphql", gitlab.url()))
            .header("private-token", gitlab.token())
            .json(&body)
            .send()
            .await
            .expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(answer["errors"], Value::Null, "{}: {answer}", document.name);
        let told = &answer["data"]["queryComplexity"];
        if told["score"] != score {
            wrong.push(format!("{}: {score}, GitLab {}", document.name, told["score"]));
        }
        assert_eq!(told["limit"], 250);
        eprintln!("{} costs {score}", document.name);
    }
    gitlab.stop().await;
    assert_eq!(wrong, Vec::<String>::new());
}
