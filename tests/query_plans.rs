//! Explains every statement that the program holds (`.sqlx/`, which `sqlx prepare --check` keeps
//! true), and fails on a table that is read from end to end without a reason listed here.
//!
//! The database is empty and was never analysed, as in production: `ANALYZE` is never run, so the
//! plan that is tested is the plan that is used, however many rows there are.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as the test does")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tempfile::TempDir;
use xrefd::store::Store;

/// A table that a statement may read from end to end.
struct Scan {
    /// Words that only this statement holds, blanks folded.
    statement: &'static str,
    /// What is scanned, by the name it has in the statement.
    scans: &'static [&'static str],
    /// Why it may be.
    reason: &'static str,
}

const ALLOWED: &[Scan] = &[
    Scan {
        statement: "delete from tag where not exists",
        scans: &["tag"],
        reason: "once a sync, to find the names that nothing carries: each is one search",
    },
    Scan {
        statement: "delete from reference where not exists",
        scans: &["reference"],
        reason: "once a sync, to find the references that nothing mentions: each is one search",
    },
    Scan {
        statement: "update tag set value = s.spelling",
        scans: &["project_tag", "item_tag_evidence"],
        reason: "once a sync, to count how each name is spelt; along an index, without a sort",
    },
    Scan {
        statement: "select count(*) from reference as r where exists",
        scans: &["r"],
        reason: "once a sync that changed something, to count what is mentioned: each is a search",
    },
    Scan {
        statement: "update settled set generation = generation + 1",
        scans: &["settled"],
        reason: "one row for each configured GitLab",
    },
    Scan {
        statement: "delete from source where name not in",
        scans: &["source"],
        reason: "one row for each configured GitLab",
    },
    Scan {
        statement: "outcome from source order by name",
        scans: &["source"],
        reason: "one row for each configured GitLab",
    },
    Scan {
        statement: "found (kind, inward, origin, internal, own, other) as",
        scans: &["f"],
        reason: "what the statement itself found of one item",
    },
    Scan {
        statement: "from source as s join sync_problem as p",
        scans: &["s"],
        reason: "one row for each configured GitLab",
    },
    Scan {
        statement: "from source as s join root as r on r.source_id = s.id left join stream",
        scans: &["s"],
        reason: "one row for each configured GitLab",
    },
];

async fn database() -> (TempDir, SqliteConnection) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.db");
    Store::open(&format!("sqlite://{}", path.display())).await.unwrap().close().await;
    let connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    (directory, connection)
}

/// Reads the statements of the program, blanks folded.
fn statements() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let mut statements = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("query-") || path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let body: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(body["db_name"], "SQLite", "{name}");
        statements.push(body["query"].as_str().unwrap().to_owned());
    }
    statements.sort();
    statements
}

fn folded(statement: &str) -> String {
    statement.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns SQLite's plan for a statement, line by line. Parameters are not bound, so all are NULL.
async fn plan(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")))
        .fetch_all(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}\n{error}"))
        .iter()
        .map(|row| row.get::<String, _>("detail"))
        .collect()
}

/// Returns the tables that a plan reads from end to end: neither parameters in JSON, nor constants,
/// nor what the statement itself made before.
fn scanned(plan: &[String]) -> BTreeSet<String> {
    let made: BTreeSet<&str> = plan
        .iter()
        .filter_map(|line| line.strip_prefix("MATERIALIZE ").or(line.strip_prefix("CO-ROUTINE ")))
        .collect();
    plan.iter()
        .filter_map(|line| line.strip_prefix("SCAN "))
        .filter(|scan| !scan.contains("VIRTUAL TABLE") && *scan != "CONSTANT ROW")
        .filter(|scan| !scan.starts_with('('))
        .map(|scan| scan.split(' ').next().unwrap_or(scan))
        .filter(|name| !made.contains(name))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn no_statement_reads_a_table_from_end_to_end_without_a_reason() {
    let (_directory, mut connection) = database().await;
    let statements = statements();
    assert!(statements.len() > 80, "only {} statements", statements.len());
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for statement in &statements {
        let plan = plan(&mut connection, statement).await;
        let folded = folded(statement);
        let mut scans = scanned(&plan);
        for (at, allowed) in ALLOWED.iter().enumerate() {
            if folded.contains(allowed.statement) {
                let listed = allowed.scans.iter().filter(|table| scans.remove(**table));
                if listed.count() == allowed.scans.len() {
                    used.insert(at);
                }
            }
        }
        if !scans.is_empty() {
            found.push(format!("{scans:?} in\n  {folded}\n  {}", plan.join("\n  ")));
        }
    }
    assert!(found.is_empty(), "add an index, or a reason:\n{}", found.join("\n"));
    for (at, allowed) in ALLOWED.iter().enumerate() {
        assert!(used.contains(&at), "no longer so: {} ({})", allowed.statement, allowed.reason);
    }
}

/// Returns whether a plan goes over the rows of a table and looks each up in a list of parameters,
/// where it should look the parameters up in the table.
async fn searches_the_list(connection: &mut SqliteConnection, statement: &str) -> bool {
    let lines = sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")))
        .fetch_all(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}\n{error}"));
    let mut outer = BTreeSet::new();
    for line in &lines {
        let (parent, detail): (i64, String) = (line.get("parent"), line.get("detail"));
        let is_list = detail.contains("VIRTUAL TABLE");
        if is_list && outer.contains(&parent) {
            return true;
        }
        if !is_list && (detail.starts_with("SEARCH ") || detail.starts_with("SCAN ")) {
            outer.insert(parent);
        }
    }
    false
}

#[tokio::test]
async fn no_statement_goes_over_a_table_to_find_what_a_list_names() {
    let (_directory, mut connection) = database().await;
    let wrong = "select i.id from json_each(?2) as e join item as i on i.source_id = ?1
        and i.kind = e.value ->> 0 and i.gitlab_id = e.value ->> 1";
    assert!(searches_the_list(&mut connection, wrong).await, "the test sees nothing");
    for statement in statements() {
        let found = searches_the_list(&mut connection, &statement).await;
        assert!(!found, "use `cross join`, the list first:\n{}", folded(&statement));
    }
}

#[tokio::test]
async fn a_scan_is_told_from_a_search_and_from_what_is_no_table() {
    let (_directory, mut connection) = database().await;
    let cases: &[(&str, &[&str])] = &[
        ("select id from project where name = ?1", &["project"]),
        ("select p.id from project as p order by p.path", &["p"]),
        ("delete from note where body = ?1", &["note"]),
        ("select id from project where path = ?1", &[]),
        ("select value from json_each(?1)", &[]),
        ("select 1", &[]),
        ("with t as materialized (select id from item where id = ?1) select id from t", &[]),
        (
            "select n from (select distinct title as n from item where project_id = ?1 limit 3) as n",
            &[],
        ),
        ("select i.id from json_each(?1) as j join item as i on i.title = j.value", &["i"]),
    ];
    for (statement, expected) in cases {
        let plan = plan(&mut connection, statement).await;
        let found: Vec<String> = scanned(&plan).into_iter().collect();
        assert_eq!(found, *expected, "{statement}\n{}", plan.join("\n"));
    }
}

#[tokio::test]
async fn every_foreign_key_can_be_followed_backwards() {
    // The scans of a cascade are in no plan, yet a deletion pays for them row by row.
    let (_directory, mut connection) = database().await;
    // A key of several columns is followed by all of them.
    let keys: Vec<(String, String)> = sqlx::query_as(
        "select t.name, group_concat('\"' || f.\"from\" || '\" = ?1', ' and ')
        from pragma_table_list as t join pragma_foreign_key_list(t.name) as f
        where t.schema = 'main' group by t.name, f.id order by t.name, f.id",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(keys.len() > 20, "{keys:?}");
    for (table, condition) in keys {
        let statement = format!("select 1 from {table} where {condition}");
        let plan = plan(&mut connection, &statement).await;
        assert_eq!(scanned(&plan), BTreeSet::new(), "{table} needs an index for {condition}");
    }
}

#[tokio::test]
async fn the_database_is_never_analysed() {
    let (_directory, mut connection) = database().await;
    let tables: Vec<String> =
        sqlx::query_scalar("select name from sqlite_master where name like 'sqlite_stat%'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(tables, Vec::<String>::new());
    for statement in statements() {
        let lower = statement.to_lowercase();
        assert!(!lower.contains("analyze") && !lower.contains("optimize"), "{statement}");
    }
}
