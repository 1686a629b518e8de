//! Opening: what is made, and what is refused.

use super::build::{Index, url_in};
use crate::store::{Error, Store};

/// Returns an error with all its causes.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn a_missing_database_is_made_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let url = url_in(&directory);
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.path(), directory.path().join("xrefd.db"));
    assert_eq!(store.generation().await.unwrap(), 0);
    store.close().await;
    let store = Store::open_existing(&url).await.unwrap();
    assert_eq!(store.generation().await.unwrap(), 0);
}

#[tokio::test]
async fn a_look_up_without_an_index_says_so_and_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let error = Store::open_existing(&url_in(&directory)).await.unwrap_err();
    assert!(matches!(error, Error::Missing { .. }), "{error:?}");
    assert!(error.to_string().contains("xrefd.db"), "{error}");
    assert!(error.to_string().contains("xrefd sync"), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_take_the_database_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // Folders of these kinds refuse even the superuser.
    std::fs::write(directory.path().join("file"), "").unwrap();
    for folder in ["absent", "file"] {
        let path = directory.path().join(folder).join("xrefd.db");
        let error = Store::open(&format!("sqlite://{}", path.display())).await.unwrap_err();
        assert!(matches!(error, Error::Open { .. }), "{error:?}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert!(error.to_string().contains("folder"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.db");
    let text = "this is a letter, not a database\n".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let error = Store::open(&url_in(&directory)).await.unwrap_err();
    assert!(matches!(error, Error::Open { .. }), "{error:?}");
    assert!(chain(&error).contains("not a database"), "{}", chain(&error));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_directory_in_place_of_the_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("xrefd.db")).unwrap();
    let error = Store::open(&url_in(&directory)).await.unwrap_err();
    assert!(matches!(error, Error::Open { .. }), "{error:?}");
}

#[tokio::test]
async fn a_database_written_by_a_newer_version_is_refused_and_kept() {
    let index = Index::new().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'from the future', true, x'00', 1)",
    )
    .execute(&index.store.writer)
    .await
    .unwrap();
    index.store.close().await;
    for _ in 0..2 {
        let error = Store::open(&url_in(&index.directory)).await.unwrap_err();
        assert!(matches!(error, Error::Newer { version: 9999, .. }), "{error:?}");
        assert!(error.to_string().contains("newer xrefd (schema 9999)"), "{error}");
    }
}

#[tokio::test]
async fn a_schema_that_was_changed_by_hand_is_not_taken_for_a_newer_one() {
    let index = Index::new().await;
    sqlx::query("update _sqlx_migrations set checksum = x'00'")
        .execute(&index.store.writer)
        .await
        .unwrap();
    index.store.close().await;
    let error = Store::open(&url_in(&index.directory)).await.unwrap_err();
    assert!(matches!(error, Error::Migrate { .. }), "{error:?}");
    assert!(chain(&error).contains("modified"), "{}", chain(&error));
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let pool =
        sqlx::SqlitePool::connect(&format!("{}?mode=rwc", url_in(&directory))).await.unwrap();
    sqlx::query("create table project (id integer primary key, notes text)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let error = Store::open(&url_in(&directory)).await.unwrap_err();
    assert!(matches!(error, Error::Migrate { .. }), "{error:?}");
    assert!(error.to_string().contains("xrefd.db"), "{error}");
}

#[tokio::test]
async fn sqlite_is_new_enough_to_reset_its_wal_safely() {
    let index = Index::new().await;
    let version = index.texts("select sqlite_version()").await.remove(0);
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(numbers >= vec![3, 51, 3], "SQLite {version} has the WAL-reset bug");
}

#[tokio::test]
async fn every_connection_has_the_settings_that_the_store_relies_on() {
    let index = Index::new().await;
    for pool in [&index.store.writer, &index.store.reader] {
        let text = |pragma: &'static str| sqlx::query_scalar::<_, String>(pragma).fetch_one(pool);
        let number = |pragma: &'static str| sqlx::query_scalar::<_, i64>(pragma).fetch_one(pool);
        assert_eq!(text("pragma journal_mode").await.unwrap(), "wal");
        assert_eq!(number("pragma foreign_keys").await.unwrap(), 1);
        assert_eq!(number("pragma busy_timeout").await.unwrap(), 5000);
        assert_eq!(number("pragma synchronous").await.unwrap(), 1, "normal");
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let index = Index::new().await;
    let written = sqlx::query("update generation set value = 7").execute(&index.store.reader).await;
    assert!(written.unwrap_err().to_string().contains("readonly"));
}

#[tokio::test]
async fn readers_see_the_last_commit_while_a_write_is_under_way() {
    let index = Index::new().await;
    let mut write = index.store.write("testing").await.unwrap();
    sqlx::query("update generation set value = 7").execute(&mut *write).await.unwrap();
    assert_eq!(index.generation().await, 0);
    write.commit().await.unwrap();
    assert_eq!(index.generation().await, 7);
}

#[tokio::test]
async fn two_processes_may_have_one_index_open() {
    let index = Index::new().await;
    let other = Store::open(&url_in(&index.directory)).await.unwrap();
    let before = index.generation().await;
    let run = other.begin_sync("other", "https://other.example.com", super::build::at(0)).await;
    let run = run.unwrap();
    other
        .finish_run(&run, crate::store::Outcome::Complete, &[], super::build::at(1))
        .await
        .unwrap();
    assert_eq!(index.generation().await, before + 1);
}
