//! Real input: recorded answers of gitlab.com are served from a small replaying server, the real
//! binary syncs them, and what comes out is compared with what the records say.
//!
//! Every object that the replay lists must be in the index as recorded; beside that, items were
//! picked by hand from the records and are checked word for word. The records are parts of
//! projects: what was never recorded is answered with 404, and must be named as missing.

#![allow(missing_docs)]

#[path = "support/command.rs"]
mod command;
#[path = "support/replay.rs"]
mod replay;

use std::collections::BTreeSet;

use command::{Daemon, Sandbox};
use replay::{Record, Replay, Replaying, records};
use serde_json::{Value, json};

const TOKEN: &str = "glpat-replayed-0123456789";

const GITEA: &str = "recorded/gitea-2026/exchanges.json";
const OGR: &str = "recorded/ogr/exchanges.json";
const DANGER: &str = "recorded/danger/exchanges.json";
const VELOREN: &str = "bodies/immobiliare-backstage/mock.json";

/// The projects whose lists were recorded, at least in part.
const LISTED: [&str; 7] = [
    "gitea/test_repo",
    "jscotka/ogr-tests",
    "lachmanfrantisek/ogr-tests",
    "nikromen/playground",
    "packit-service/hello-world",
    "packit-service/ogr-tests",
    "veloren/veloren",
];

/// Makes a configuration for a replay, with a few rules for the labels that veloren has.
fn config(replaying: &Replaying, roots: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\
         [schedule]\nsync = \"0 0 0 1 1 *\"\n\
         [[gitlab]]\nname = \"gitlab.com\"\nurl = \"{}\"\nauth = \"private-token\"\n\
         token = {{ env = \"REPLAY_TOKEN\" }}\ncomments = true\n{roots}\n\
         [rules.hosts]\ngitlab = [\"gitlab.com\"]\n\
         [[rules.label]]\npattern = \"^category::(?<value>.+)$\"\nkey = \"service\"\n\
         [[rules.label]]\npattern = \"^wg::(?<value>.+)$\"\nkey = \"team\"\n",
        replaying.url
    )
}

fn sandbox(replaying: &Replaying, roots: &str) -> Sandbox {
    Sandbox::new(&config(replaying, roots)).with("REPLAY_TOKEN", TOKEN)
}

/// Returns what a summary says is missing, as `subject: stream`.
fn missing(summary: &Value) -> BTreeSet<String> {
    let errors = summary["errors"].as_array().expect("a list of errors");
    let text = |error: &Value, key: &str| error[key].as_str().expect("a text").to_owned();
    for error in errors {
        assert_eq!(text(error, "source"), "gitlab.com");
        assert!(text(error, "reason").contains("404"), "{error}");
    }
    errors.iter().map(|e| format!("{}: {}", text(e, "subject"), text(e, "stream"))).collect()
}

/// Says how an item of the index must look like, by a recorded object.
fn expected(project: &str, sigil: char, object: &Value) -> Value {
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
async fn item(daemon: &Daemon, reference: &str) -> Value {
    let text = reference.replace('#', "%23");
    let answer = daemon.data(&format!("/v1/resolve?text={text}")).await;
    let items = answer["data"]["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().find(|item| item["reference"] == reference).unwrap_or(Value::Null)
}

/// Compares items of the index with recorded objects.
async fn compare(daemon: &Daemon, project: &str, sigil: char, objects: &[Value]) {
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

fn instant(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

/// Asks the command line what mentions a text, and returns `reference` and its evidence for it.
async fn mentions(sandbox: &Sandbox, text: &str, subject: &str) -> Vec<(String, Vec<Value>)> {
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

#[tokio::test(flavor = "multi_thread")]
async fn explore() {
    let (Some(gitea), Some(ogr), Some(veloren)) = (records(GITEA), records(OGR), records(VELOREN))
    else {
        return;
    };
    let replaying = Replay::of([gitea, ogr, veloren].concat()).start().await;
    let projects = LISTED.map(|path| format!("{path:?}")).join(", ");
    let sandbox = sandbox(&replaying, &format!("projects = [{projects}, \"mfocko/ogr-tests\"]"));
    let ran = sandbox.run(&["sync", "--format", "json"]).await;
    println!("{} {}\n{}", ran.code, ran.stdout, ran.stderr);
    for asked in replaying.asked() { println!("{asked:?}"); }
    for r in ["veloren/veloren#1418","veloren/veloren!3678","veloren/veloren!3494","veloren/veloren#1563","https://github.com/packit-service/ogr/pull/340"] {
        let ran = sandbox.run(&["ref", r, "--format", "table"]).await;
        println!("{} {}\n{}", ran.code, ran.stdout, ran.stderr);
    }
    for r in [&["service"][..], &["service","voxygen"], &["team"], &["owners","veloren/veloren"], &["owners","veloren/veloren","client/Cargo.toml"], &["resolve","https://gitlab.com/veloren/veloren/-/issues/1762"], &["resolve","--format","json","gitea/test_repo!3"]] {
        let ran = sandbox.run(r).await;
        println!("{r:?} {} {}\n{}", ran.code, &ran.stdout.chars().take(5000).collect::<String>(), ran.stderr);
    }
    let daemon = sandbox.serve().await;
    println!("{}", daemon.data("/v1/projects/veloren%2Fveloren").await);
    println!("{}", daemon.data("/v1/crawls").await);
    for (project, number) in [("veloren/veloren","10174980"),("packit-service/ogr-tests","14233409"),("gitea/test_repo","15578026"),("jscotka/ogr-tests","20727834")] {
    for (sigil, list) in [('#', "issues"), ('!', "merge_requests")] {
        let objects = replaying.replay.listed(&format!("projects/{number}/{list}?per_page=100&order_by=updated_at&sort=asc&state=all&scope=all"));
        println!("{project} {list} {}", objects.len());
        compare(&daemon, project, sigil, &objects).await;
    }}
    println!("{:?}", daemon.stop().await);
}
