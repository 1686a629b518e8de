//! What the recorded answers of gitlab.com hold, how they are synced, and how an index is compared
//! with them.
//!
//! It takes every expectation from the records and refuses to know how they are read.

#![allow(dead_code, reason = "every test binary uses a part of this")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::command::{Daemon, Sandbox};
use crate::replay::{Replay, Replaying, records};

pub const TOKEN: &str = "glpat-replayed-0123456789";

pub const GITEA: &str = "recorded/gitea-2026/exchanges.json";
pub const OGR: &str = "recorded/ogr/exchanges.json";
pub const DANGER: &str = "recorded/danger/exchanges.json";
pub const VELOREN: &str = "bodies/immobiliare-backstage/mock.json";

/// The projects whose lists were recorded, at least in part.
pub const LISTED: [&str; 7] = [
    "gitea/test_repo",
    "jscotka/ogr-tests",
    "lachmanfrantisek/ogr-tests",
    "nikromen/playground",
    "packit-service/hello-world",
    "packit-service/ogr-tests",
    "veloren/veloren",
];

/// Makes a configuration for a replay, with a few rules for the labels that veloren has.
pub fn config(replaying: &Replaying, roots: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\
         [schedule]\nsync = \"0 0 0 1 1 *\"\n\
         [[gitlab]]\nname = \"gitlab.com\"\nurl = \"{}\"\nauth = \"private-token\"\n\
         token = {{ env = \"REPLAY_TOKEN\" }}\ncomments = true\n\
         requests_per_minute = 60000\n{roots}\n\
         [rules.hosts]\ngitlab = [\"gitlab.com\"]\n\
         [[rules.label]]\npattern = \"^category::(?<value>.+)$\"\nkey = \"service\"\n\
         [[rules.label]]\npattern = \"^wg::(?<value>.+)$\"\nkey = \"team\"\n",
        replaying.url
    )
}

pub fn sandbox(replaying: &Replaying, roots: &str) -> Sandbox {
    Sandbox::new(&config(replaying, roots)).with("REPLAY_TOKEN", TOKEN)
}

/// Returns what a summary says is missing, as `subject: stream`.
pub fn missing(summary: &Value) -> BTreeSet<String> {
    let errors = summary["errors"].as_array().expect("a list of errors");
    let text = |error: &Value, key: &str| error[key].as_str().expect("a text").to_owned();
    for error in errors {
        assert_eq!(text(error, "source"), "gitlab.com");
        assert!(text(error, "reason").contains("404"), "{error}");
    }
    errors.iter().map(|e| format!("{}: {}", text(e, "subject"), text(e, "stream"))).collect()
}

/// Says how an item of the index must look like, by a recorded object.
pub fn expected(project: &str, sigil: char, object: &Value) -> Value {
    let labels = object["labels"].as_array().cloned().unwrap_or_default();
    json!({
        "reference": format!("{project}{sigil}{}", object["iid"]),
        "id": object["id"],
        "iid": object["iid"],
        "title": object["title"],
        "state": object["state"],
        "draft": object["draft"].as_bool().or(object["work_in_progress"].as_bool()) == Some(true),
        "confidential": object["confidential"] == json!(true),
        "author": object["author"]["username"].as_str().unwrap_or_default(),
        "labels": labels,
        "web_url": object["web_url"],
        "created_at": object["created_at"],
        "updated_at": object["updated_at"],
        "closed_at": object["closed_at"],
        "merged_at": object["merged_at"],
    })
}

/// Asks for one item by its reference.
pub async fn item(daemon: &Daemon, reference: &str) -> Value {
    let text = reference.replace('#', "%23");
    let answer = daemon.data(&format!("/v1/resolve?text={text}")).await;
    let items = answer["data"]["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().find(|item| item["reference"] == reference).unwrap_or(Value::Null)
}

/// Compares items of the index with recorded objects.
pub async fn compare(daemon: &Daemon, project: &str, sigil: char, objects: &[Value]) {
    for object in objects {
        let expected = expected(project, sigil, object);
        let reference = expected["reference"].as_str().expect("a reference");
        let found = item(daemon, reference).await;
        assert!(!found.is_null(), "{reference} is not in the index");
        for (field, value) in expected.as_object().expect("an object") {
            let same = match (field.ends_with("_at"), found[field].as_str(), value.as_str()) {
                (true, Some(found), Some(value)) => instant(found) == instant(value),
                _ => &found[field] == value,
            };
            assert!(same, "{reference}: `{field}` is {}, recorded is {value}", found[field]);
        }
        let kind = if sigil == '#' { "issue" } else { "merge_request" };
        assert_eq!(found["kind"], kind);
        assert_eq!(found["project"]["path"], project);
        assert_eq!(found["project"]["id"], object["project_id"]);
    }
}

pub fn instant(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

/// Asks the command line what mentions a text, and returns `reference` and its evidence for it.
pub async fn mentions(sandbox: &Sandbox, text: &str, subject: &str) -> Vec<(String, Vec<Value>)> {
    let ran = sandbox.run(&["ref", text, "--format", "json"]).await;
    let answer = ran.expect(0).json();
    let items = answer["data"].as_array().expect("a list").clone();
    items
        .into_iter()
        .map(|item| {
            let evidence = item["evidence"].as_array().expect("evidence").iter();
            let evidence = evidence.filter(|piece| piece["for"] == subject).cloned().collect();
            (item["reference"].as_str().expect("a reference").to_owned(), evidence)
        })
        .collect()
}

/// Returns the references of items in a list of the API.
pub async fn listed(daemon: &Daemon, address: &str) -> BTreeSet<String> {
    let list = daemon.data(address).await;
    let items = list["data"].as_array().expect("a list");
    items.iter().map(|item| item["reference"].as_str().expect("a reference").to_owned()).collect()
}

pub fn set<const N: usize>(references: [&str; N]) -> BTreeSet<String> {
    references.map(str::to_owned).into()
}

pub fn quoted(paths: &[&str]) -> String {
    paths.iter().map(|path| format!("{path:?}")).collect::<Vec<_>>().join(", ")
}

/// Says what is missing of projects of which only items were recorded.
pub fn never_recorded(projects: &[&str], streams: &[&str]) -> BTreeSet<String> {
    let all = |project: &&str| {
        let project = (*project).to_owned();
        streams.iter().map(move |stream| format!("{project}: {stream}")).collect::<Vec<_>>()
    };
    projects.iter().flat_map(all).collect()
}

/// Serves the recorded lists, and syncs their projects from them.
pub async fn synced_lists() -> Option<(Replaying, Sandbox, Value)> {
    let records = [records(GITEA)?, records(OGR)?, records(VELOREN)?].concat();
    let replaying = Replay::of(records).start().await;
    // The last one was recorded as not there.
    let projects = quoted(&[&LISTED[..], &["mfocko/ogr-tests"]].concat());
    let sandbox = sandbox(&replaying, &format!("projects = [{projects}]"));
    let summary = sandbox.run(&["sync", "--format", "json"]).await.expect(4).json();
    Some((replaying, sandbox, summary))
}
