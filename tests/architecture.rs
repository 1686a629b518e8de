//! Holds the borders between the modules, which issues deepen but do not move.
//!
//! Every file under `src` is read for the paths it names. Code compiled only for tests may reach
//! anywhere and is left out; its files still need their `//!` and their measure.

#[path = "architecture/source.rs"]
mod source;

use std::fs;
use std::path::Path;

use source::{Named, Source};

/// Modules that do no IO, read no clock and never become `async`.
const PURE: [&str; 4] = ["model", "extract", "codeowners", "correlate"];

/// Modules that serve every module above the pure ones.
const SERVICES: [&str; 3] = ["clock", "config", "telemetry"];

/// Which modules each module may use, besides itself. A module that is not listed has no place.
const LAYERS: [(&str, &[&[&str]]); 15] = [
    ("model", &[]),
    ("extract", &[&["model"]]),
    ("codeowners", &[&["model"]]),
    ("correlate", &[&["model", "extract", "codeowners"]]),
    ("clock", &[]),
    ("config", &[&["model", "extract", "correlate", "clock"]]),
    ("telemetry", &[&["clock", "config"]]),
    ("lifecycle", &[&SERVICES]),
    ("gitlab", &[&PURE, &SERVICES]),
    ("store", &[&PURE, &SERVICES]),
    ("crawl", &[&PURE, &SERVICES, &["gitlab", "store"]]),
    ("lookup", &[&PURE, &SERVICES, &["store"]]),
    ("serve", &[&PURE, &SERVICES, &["store", "crawl", "lookup", "lifecycle"]]),
    ("cli", &[&PURE, &SERVICES, &["gitlab", "store", "crawl", "lookup", "serve", "lifecycle"]]),
    ("main", &[&["cli"]]),
];

/// What a pure module never names.
const IMPURE: [&str; 16] = [
    "axum",
    "futures_util",
    "gitlab_sim",
    "governor",
    "reqwest",
    "tokio",
    "tokio_util",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "rand",
];

/// What only some files may name, given by the start of their path below `src`.
const OWNERS: [(&str, &[&str]); 4] = [
    ("sqlx", &["store/", "store.rs"]),
    ("chrono", &["crawl/schedule.rs"]),
    ("gitlab_sim", &["cli/", "cli.rs"]),
    ("jiff::Timestamp::now", &["clock.rs"]),
];

/// The most lines a file may have.
const LINES_MAX: usize = 800;

/// Says what is wrong with a file, given by its path below `src`.
fn check(file: &str, text: &str) -> Vec<String> {
    let mut wrong = check_form(file, text);
    if is_test(file) {
        return wrong;
    }
    let source = Source::new(text);
    let module = module_of(file);
    let top = module.first().copied().unwrap_or(file.trim_end_matches(".rs"));
    let named = source.paths(&module);
    // The root of the library lists the modules and may name them all.
    if top != "lib" {
        let Some(&(_, allowed)) = LAYERS.iter().find(|(name, _)| *name == top) else {
            wrong.push(format!("{file}: the module `{top}` has no place in the layers"));
            return wrong;
        };
        for Named { path, line } in &named {
            let used = target(path)
                .filter(|used| *used != top && !allowed.iter().any(|group| group.contains(used)));
            wrong.extend(used.map(|used| format!("{file}:{line}: {top} may not use {used}")));
        }
    }
    let is_pure = PURE.contains(&top);
    if let Some((word, line)) = source.find_word(&["async", "await"]).filter(|_| is_pure) {
        wrong.push(format!("{file}:{line}: {top} is pure and has no `{word}`"));
    }
    for Named { path, line } in &named {
        let impure = IMPURE.iter().find(|foreign| is_pure && begins(path, foreign));
        wrong.extend(
            impure
                .map(|foreign| format!("{file}:{line}: {top} is pure and may not name {foreign}")),
        );
        let owned = OWNERS.iter().find(|(foreign, owners)| {
            names_owned(path, foreign, is_pure) && !owners.iter().any(|own| file.starts_with(own))
        });
        wrong.extend(owned.map(|(foreign, owners)| {
            format!("{file}:{line}: only {} may name {foreign}", owners[0])
        }));
    }
    wrong
}

/// Says what is wrong with a file whatever it names.
fn check_form(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.trim_start().starts_with("//!") {
        wrong.push(format!("{file}: does not open with `//!`"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        wrong.push(format!("{file}: has {lines} lines, more than {LINES_MAX}"));
    }
    wrong
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// Returns where a file stands: `serve/v1/mod.rs` is `["serve", "v1"]`.
fn module_of(file: &str) -> Vec<&str> {
    let stem = file.trim_end_matches(".rs");
    let mut parts: Vec<&str> = stem.split('/').collect();
    if matches!(parts.last(), Some(&"mod")) || matches!(parts[..], ["lib" | "main"]) {
        parts.pop();
    }
    parts
}

/// Returns the module at the top of the crate that a path leads into. A path that takes in
/// everything at once hides where it leads, so it counts as a module of its own.
fn target(path: &[String]) -> Option<&str> {
    match path {
        [root, rest @ ..] if root == "crate" || root == "xrefd" => match rest.first()?.as_str() {
            "*" => Some("everything"),
            top => LAYERS.iter().map(|(name, _)| *name).find(|name| *name == top),
        },
        _ => None,
    }
}

fn begins(path: &[String], foreign: &str) -> bool {
    let mut parts = path.iter();
    foreign.split("::").all(|part| parts.next().is_some_and(|own| own == part))
}

/// Says whether a path is one that has an owner. A pure module may derive `sqlx::Type`, which
/// is no IO; the type of the present moment is also caught without its crate in front.
fn names_owned(path: &[String], foreign: &str, is_pure: bool) -> bool {
    match foreign {
        "sqlx" => begins(path, foreign) && !(is_pure && begins(path, "sqlx::Type")),
        "jiff::Timestamp::now" => {
            begins(path, foreign) || begins(path, "Timestamp::now") || begins(path, "Zoned::now")
        }
        _ => begins(path, foreign),
    }
}

/// Lists the Rust files below a directory, as paths from there with slashes.
fn list_files(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![root.to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory).expect("the checkout is readable") {
            let path = entry.expect("the checkout is readable").path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                let below = path.strip_prefix(root).expect("the walk stays below its root");
                let name = below.to_str().expect("names are UTF-8").replace('\\', "/");
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_module_keeps_to_its_place() {
    let files = list_files(&root().join("src"));
    assert!(files.iter().any(|(file, _)| file == "lib.rs"), "the walk finds the sources");

    let wrong: Vec<String> = files.iter().flat_map(|(file, text)| check(file, text)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_simulated_gitlab_knows_nothing_of_xrefd() {
    let mut wrong = Vec::new();
    for (file, text) in list_files(&root().join("gitlab-sim/src")) {
        wrong.extend(check_form(&file, &text));
        let named = Source::new(&text).paths(&module_of(&file));
        let used = named.iter().filter(|named| begins(&named.path, "xrefd"));
        wrong.extend(used.map(|named| format!("{file}:{}: names xrefd", named.line)));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn tests_open_with_their_reason_and_keep_the_measure() {
    let folders = ["tests", "gitlab-sim/tests", "gitlab-sim/benches"];
    let files = folders.iter().flat_map(|folder| list_files(&root().join(folder)));
    let wrong: Vec<String> = files.flat_map(|(file, text)| check_form(&file, &text)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// File, source, and what is said of it.
const FORBIDDEN: [(&str, &str, &str); 24] = [
    ("model/tag.rs", "use crate::extract::Mention;", "model may not use extract"),
    ("extract/mod.rs", "use super::correlate::Rules;", "extract may not use correlate"),
    ("codeowners/mod.rs", "use crate::{model::Tag, store};", "codeowners may not use store"),
    ("gitlab/client.rs", "fn f() { crate::store::open() }", "gitlab may not use store"),
    ("store/mod.rs", "use crate::gitlab;", "store may not use gitlab"),
    ("lookup/mod.rs", "use crate::gitlab::Client;", "lookup may not use gitlab"),
    ("crawl/plan.rs", "use crate::lookup::Query;", "crawl may not use lookup"),
    ("serve/v1/a.rs", "type A = super::super::super::gitlab::A;", "serve may not use gitlab"),
    ("lookup/mod.rs", "use crate::lifecycle::Tokens;", "lookup may not use lifecycle"),
    ("clock.rs", "use crate::config::Config;", "clock may not use config"),
    ("main.rs", "fn main() { xrefd::store::open() }", "main may not use store"),
    ("serve/mod.rs", "use crate::*;", "serve may not use everything"),
    ("utils.rs", "fn f() {}", "the module `utils` has no place"),
    ("serve/mod.rs", "fn f() { sqlx::query(x) }", "only store/ may name sqlx"),
    ("model/id.rs", "use sqlx::{Type, query};", "only store/ may name sqlx"),
    ("crawl/worker.rs", "use chrono::Utc;", "only crawl/schedule.rs may name chrono"),
    ("serve/mod.rs", "use gitlab_sim::World;", "only cli/ may name gitlab_sim"),
    ("store/mod.rs", "let n = Timestamp::now();", "only clock.rs may name jiff"),
    ("crawl/mod.rs", "let n = jiff::Timestamp::now();", "only clock.rs may name jiff"),
    ("extract/mod.rs", "use std::fs;", "may not name std::fs"),
    ("extract/mod.rs", "use std::{fmt, env::var};", "may not name std::env"),
    ("correlate/mod.rs", "async fn f() {}", "has no `async`"),
    ("correlate/mod.rs", "fn f() { tokio::spawn(x) }", "may not name tokio"),
    ("model/mod.rs", "use std::time::{Duration, Instant};", "may not name std::time::Instant"),
];

#[test]
fn forbidden_edges_are_found() {
    for (file, text, expected) in FORBIDDEN {
        let wrong = check(file, &format!("//! Why.\n{text}"));
        assert_eq!(wrong.len(), 1, "{file}: {text}: {wrong:?}");
        assert!(wrong[0].contains(expected), "{file}: {text}: {wrong:?}");
    }
}

#[test]
fn permitted_edges_are_left_alone() {
    let cases = [
        ("model/id.rs", "#[derive(sqlx::Type)]\n#[sqlx(transparent)]\nstruct Id(i64);"),
        ("correlate/mod.rs", "use crate::{extract::Mention, model::Tag};\nuse super::model::Id;"),
        ("crawl/schedule.rs", "use chrono::Utc;\nuse crate::{gitlab, store};"),
        ("clock.rs", "fn f() { Timestamp::now() }"),
        ("store/items.rs", "use sqlx::query;\nuse crate::store::Error;\nuse super::text;"),
        ("cli/demo.rs", "use gitlab_sim::World;\nuse crate::{serve, store, gitlab};"),
        ("extract/mod.rs", "#[cfg(test)]\nmod tests { use std::fs; use crate::store; }"),
        ("extract/tests.rs", "use std::fs;"),
        ("lib.rs", "pub mod store;\npub use crate::store::Store;"),
        ("main.rs", "fn main() { xrefd::cli::run() }"),
    ];
    for (file, text) in cases {
        let wrong = check(file, &format!("//! Why.\n{text}"));
        assert!(wrong.is_empty(), "{file}: {wrong:?}");
    }
}

#[test]
fn files_without_reason_or_measure_are_found() {
    let wrong = check("model/tag.rs", "use std::fmt;");
    assert_eq!(wrong, ["model/tag.rs: does not open with `//!`"]);

    let long = format!("//! Why.\n{}", "// line\n".repeat(LINES_MAX));
    let wrong = check("extract/tests.rs", &long);
    assert_eq!(wrong, ["extract/tests.rs: has 801 lines, more than 800"]);
}
