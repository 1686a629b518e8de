//! Takes an index through every schema that there ever was.
//!
//! After each migration the sample rows of its version are loaded, so that the next one runs over
//! rows as an older program left them. `tests/data/migrations/0001.sql` belongs to migration 1,
//! and every table that a migration makes needs rows there: the tests ask for them.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as the test does")]

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use xrefd::model::ItemKind;
use xrefd::store::read::{Filter, Listing, Sort, Visibility};
use xrefd::store::{Store, StreamKind};

static MIGRATIONS: Migrator = sqlx::migrate!();

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/migrations");

const ALL: Visibility = Visibility { confidential: true, projects: None };

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .connect()
        .await
        .unwrap()
}

async fn texts(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_all(connection).await.unwrap()
}

/// Lists our own tables, neither SQLite's nor sqlx's.
async fn tables(connection: &mut SqliteConnection) -> Vec<String> {
    texts(
        connection,
        "select name from pragma_table_list where schema = 'main' and type = 'table'
        and name not like 'sqlite%' and name not like '\\_sqlx%' escape '\\' order by name",
    )
    .await
}

/// Counts the rows of every table.
async fn counts(connection: &mut SqliteConnection) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for table in tables(connection).await {
        let statement = format!("select count(*) from {table}");
        let count = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut *connection).await;
        counts.insert(table, count.unwrap());
    }
    counts
}

async fn expect_sound(connection: &mut SqliteConnection) {
    let broken = "select \"table\" || ' row ' || coalesce(rowid, '?') || ' -> ' || parent
        from pragma_foreign_key_check";
    assert_eq!(texts(connection, broken).await, Vec::<String>::new());
    assert_eq!(texts(connection, "pragma integrity_check").await, ["ok"]);
}

/// Makes an index that went through all schemas, with the sample rows of each.
async fn migrate(path: &Path) {
    for migration in MIGRATIONS.iter() {
        let mut connection = connect(path).await;
        let version = migration.version;
        MIGRATIONS.run_to(version, &mut connection).await.unwrap();
        let sample = format!("{SAMPLES}/{version:04}.sql");
        let rows = std::fs::read_to_string(&sample)
            .unwrap_or_else(|error| panic!("migration {version} needs rows in {sample}: {error}"));
        sqlx::raw_sql(AssertSqlSafe(rows))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{sample}: {error}"));
        expect_sound(&mut connection).await;
        let empty: Vec<String> = counts(&mut connection)
            .await
            .into_iter()
            .filter(|(_, count)| *count == 0)
            .map(|(table, _)| table)
            .collect();
        assert!(empty.is_empty(), "no rows after {version} in {empty:?}");
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn every_migration_runs_over_rows_of_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.db");
    migrate(&path).await;
    let mut connection = connect(&path).await;
    let versions = texts(
        &mut connection,
        "select cast(version as text) from _sqlx_migrations where success order by version",
    )
    .await;
    let expected: Vec<String> = MIGRATIONS.iter().map(|m| m.version.to_string()).collect();
    assert_eq!(versions, expected);
    assert!(!expected.is_empty());
}

#[tokio::test]
async fn an_old_index_answers_after_it_was_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.db");
    migrate(&path).await;
    let mut connection = connect(&path).await;
    let before = counts(&mut connection).await;

    let store = Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
    assert_eq!(store.generation().await.unwrap(), 41);
    let sources = store.list_sources().await.unwrap();
    let names: Vec<(&str, &str)> =
        sources.iter().map(|row| (row.name.as_str(), row.outcome.as_str())).collect();
    assert_eq!(names, [("main", "incomplete"), ("mirror", "failed")]);
    let project = store.list_projects_at("store/front", &ALL).await.unwrap().remove(0);
    assert_eq!(project.path, "shop/webshop");
    assert_eq!(project.pipeline.unwrap().status, "success");
    let (place, text) = store.find_code_owners(project.key).await.unwrap().unwrap();
    assert_eq!((place.as_str(), text.as_str()), (".gitlab/CODEOWNERS", "* @shop/platform\n"));
    let tag = store.find_tag("service", "webshop").await.unwrap().unwrap();
    assert_eq!(tag.value, "Web-Shop");
    let listing = Listing::Tag(tag.id, ItemKind::Issue);
    let filter = Filter::default();
    let items =
        store.list_items(listing, &filter, Sort::UpdatedDesc, None, 10, &ALL).await.unwrap();
    let titles: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["Checkout is down, see WEB-12"]);
    let reference = store.find_reference("jira", "WEB-12").await.unwrap().unwrap();
    assert_eq!(store.count_reference(reference.key, &ALL).await.unwrap(), (1, 1));

    // A sync goes on with it.
    let begun = jiff::Timestamp::from_millisecond(1_763_810_000_000).unwrap();
    let run = store.begin_sync("main", "https://gitlab.example.com", begun).await.unwrap();
    let root = store.list_roots(run.source).await.unwrap().remove(0);
    let stream = store.find_stream(root.key, StreamKind::MergeRequests).await.unwrap();
    assert_eq!(stream.walk.unwrap().began_at.as_millisecond(), 1000);
    let templates = store.templates(run.source).await.unwrap();
    // Two files, one in the settings, and what the group lends.
    assert_eq!(templates.values().map(Vec::len).sum::<usize>(), 4);
    store.close().await;

    expect_sound(&mut connection).await;
    let mut after = counts(&mut connection).await;
    // The run that was begun here.
    *after.get_mut("sync_run").unwrap() -= 1;
    assert_eq!(after, before);
}

#[tokio::test]
async fn removing_a_source_takes_all_its_rows_along() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.db");
    migrate(&path).await;
    let store = Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
    store.remove_other_sources(&[]).await.unwrap();
    store.close().await;
    let mut connection = connect(&path).await;
    let left: Vec<String> = counts(&mut connection)
        .await
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(table, _)| table)
        .collect();
    // Names and references are dictionaries: they belong to no source.
    assert_eq!(left, ["generation", "reference", "tag"]);
    expect_sound(&mut connection).await;
}

#[tokio::test]
async fn every_table_is_strict() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.db");
    migrate(&path).await;
    let mut connection = connect(&path).await;
    let all = tables(&mut connection).await;
    assert!(all.len() >= 20, "{all:?}");
    let strict = texts(
        &mut connection,
        "select name from pragma_table_list where schema = 'main' and strict order by name",
    )
    .await;
    assert_eq!(strict, all);
    let error = sqlx::query("update item set updated_at = 'yesterday'")
        .execute(&mut connection)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("cannot store TEXT value in INTEGER column"), "{error}");
}
