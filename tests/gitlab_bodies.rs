//! Decodes every body that is at hand of the kinds that are crawled: samples of four clients, raw
//! rows of a crawler, and recorded answers, from GitLab 3 to 19. None may fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xrefd::gitlab::wire::{
    File, GroupBody, Issue, Label, MergeRequest, Note, Pipeline, Project, TemplateName,
    Undecodable, Version, Wire, decode, decode_list,
};

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Version,
    Group,
    Project,
    Label,
    Issue,
    MergeRequest,
    Note,
    /// Threads of notes; the notes in them are what is crawled.
    Discussion,
    Pipeline,
    Template,
    File,
}

const CRAWLED: [Kind; 10] = [
    Kind::Version,
    Kind::Group,
    Kind::Project,
    Kind::Label,
    Kind::Issue,
    Kind::MergeRequest,
    Kind::Note,
    Kind::Pipeline,
    Kind::Template,
    Kind::File,
];

/// Tells the kind by the address that a body was the answer to.
fn kind_of_address(address: &str) -> Option<Kind> {
    let path = address.split_once('?').map_or(address, |(path, _)| path);
    let path = path.split_once("/api/v4/").map_or(path, |(_, path)| path);
    let segments: Vec<_> = path.split('/').collect();
    Some(match segments.as_slice() {
        ["version"] => Kind::Version,
        ["groups", _] => Kind::Group,
        ["projects"]
        | ["projects", _]
        | ["groups", _, "projects"]
        | ["projects", _, "fork" | "forks"] => Kind::Project,
        [.., "labels"] => Kind::Label,
        ["projects" | "groups", _, "issues"] | ["projects", _, "issues", _] => Kind::Issue,
        ["projects" | "groups", _, "merge_requests"]
        | ["projects", _, "merge_requests", _]
        | ["projects", _, "merge_requests", _, "merge"] => Kind::MergeRequest,
        [.., "notes"] | [.., "notes", _] => Kind::Note,
        [.., "discussions"] => Kind::Discussion,
        [.., "pipelines"] | ["projects", _, "pipelines", _] => Kind::Pipeline,
        ["projects", _, "repository", "files", _] => Kind::File,
        _ => return None,
    })
}

/// Tells the kind by the name of a file that holds a sample.
fn kind_of_name(name: &str) -> Option<Kind> {
    Some(match name {
        "group"
        | "groups"
        | "group_create"
        | "group_create_with_description"
        | "group_delete"
        | "group_descendants"
        | "group_edit"
        | "group_search"
        | "group_subgroups" => Kind::Group,
        "project"
        | "projects"
        | "group_projects"
        | "project_archive"
        | "project_edit"
        | "project_for_user"
        | "project_fork"
        | "project_forked_for_user"
        | "project_forks"
        | "project_search"
        | "project_star"
        | "project_unarchive"
        | "project_unstar"
        | "user_projects" => Kind::Project,
        "label"
        | "labels"
        | "group_label"
        | "group_labels"
        | "group_label_unsubscribe"
        | "label_unsubscribe" => Kind::Label,
        "issue"
        | "issues"
        | "group_issues"
        | "group_milestone_issues"
        | "issue_move"
        | "issue_reference"
        | "merge_request_closes_issues"
        | "milestone_issues"
        | "project_issue_links"
        | "project_issues" => Kind::Issue,
        "get_merge_request"
        | "get_merge_requests"
        | "get_merge_requests_author_username"
        | "get_merge_requests_not_author_username"
        | "group_merge_requests"
        | "group_milestone_merge_requests"
        | "list_group_merge_requests"
        | "merge_request"
        | "merge_request_basic"
        | "merge_request_changes"
        | "merge_requests"
        | "merge_requests_closing_issue_on_merge"
        | "milestone_merge_requests"
        | "project_commit_merge_requests"
        | "related_merge_requests" => Kind::MergeRequest,
        "note" | "notes" | "merge_request_discussion_note" => Kind::Note,
        "discussion" | "merge_request_discussion" | "merge_request_discussions" => Kind::Discussion,
        "pipeline"
        | "pipelines"
        | "pipeline_cancel"
        | "pipeline_create"
        | "pipeline_retry"
        | "pipeline_schedule_get_pipelines" => Kind::Pipeline,
        "project_templates" => Kind::Template,
        _ => return None,
    })
}

/// Counts what was decoded, and collects what was not.
#[derive(Default)]
struct Tally {
    decoded: BTreeMap<Kind, usize>,
    failures: Vec<String>,
}

impl Tally {
    fn take(&mut self, kind: Kind, body: &Value, place: &str) {
        match kind {
            Kind::Version => self.read::<Version>(kind, body, place),
            Kind::Group => self.read::<GroupBody>(kind, body, place),
            Kind::Project => self.read::<Project>(kind, body, place),
            Kind::Label => self.read::<Label>(kind, body, place),
            Kind::Issue => self.read::<Issue>(kind, body, place),
            Kind::MergeRequest => self.read::<MergeRequest>(kind, body, place),
            Kind::Note => self.read::<Note>(kind, body, place),
            Kind::Pipeline => self.read::<Pipeline>(kind, body, place),
            Kind::Template => self.read::<TemplateName>(kind, body, place),
            Kind::File => self.read::<File>(kind, body, place),
            Kind::Discussion => {
                let threads = match body {
                    Value::Array(threads) => threads.as_slice(),
                    thread => std::slice::from_ref(thread),
                };
                for thread in threads {
                    self.read::<Note>(Kind::Note, &thread["notes"], place);
                }
            }
        }
    }

    fn read<W: Wire>(&mut self, kind: Kind, body: &Value, place: &str) {
        let bytes = serde_json::to_vec(body).expect("a value is always printable");
        let read = if body.is_array() {
            decode_list::<W>(&bytes).map(|items| items.len())
        } else {
            decode::<W>(&bytes).map(|_| 1)
        };
        match read {
            Ok(count) => *self.decoded.entry(kind).or_default() += count,
            Err(Undecodable { index, source }) => {
                self.failures.push(format!("{place}: {kind:?} {index:?}: {source}"));
            }
        }
    }
}

/// Finds a directory of the shared material, which stands beside a full checkout only.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gitlab")).join(name);
    if path.is_dir() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "the test's reader must know")]
    {
        eprintln!("skipped: ../shared is not beside this checkout");
    }
    None
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lists a directory by name.
fn entries(path: &Path) -> Vec<PathBuf> {
    let list =
        std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<_> = list.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    paths
}

/// Takes in the samples, of which two folders are a single file of many bodies.
fn take_samples(tally: &mut Tally, folder: &Path) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for path in entries(folder) {
        let place = path.display().to_string();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("rows.json") => {
                for row in json(&path).as_array().expect("a list of rows") {
                    let url = text(&row["url"]);
                    if let Some(kind) = kind_of_address(&url) {
                        tally.take(kind, &row["data"], &format!("{place} {url}"));
                    }
                }
            }
            Some("mock.json") => {
                for (url, body) in json(&path).as_object().expect("bodies by address") {
                    if let Some(kind) = kind_of_address(url) {
                        tally.take(kind, body, &format!("{place} {url}"));
                    }
                }
            }
            Some(name) => {
                let stem = name.strip_suffix(".json");
                if let Some(kind) = stem.and_then(kind_of_name) {
                    tally.take(kind, &json(&path), &place);
                }
            }
            None => {}
        }
    }
}

/// Takes in recorded answers. Those to writes have the same bodies and count too.
fn take_exchanges(tally: &mut Tally, path: &Path) {
    for exchange in json(path).as_array().expect("a list of exchanges") {
        let status = exchange["status"].as_u64().unwrap_or_default();
        let body = &exchange["body"];
        let is_deletion = exchange["method"] == "DELETE";
        if is_deletion || !(200..300).contains(&status) || !(body.is_object() || body.is_array()) {
            continue;
        }
        // Some recordings keep the address only in the name of their file.
        let url = exchange["url"].as_str().unwrap_or_default();
        let file = exchange["file"].as_str().unwrap_or_default();
        let kind =
            if url.starts_with('(') { kind_of_recording(file) } else { kind_of_address(url) };
        if file.ends_with(CUT_BY_HAND) {
            refuse_nameless(body);
        } else if let Some(kind) = kind {
            tally.take(kind, body, &format!("{} {url} {file}", path.display()));
        }
    }
}

/// A recording that its owners cut down to `iid` and `sha` (1507 bytes were announced). No GitLab
/// leaves out an object's id, and what has none cannot be stored.
const CUT_BY_HAND: &str = "gitlab_api/merge_requests_response.json";

/// Sees to it that objects without an id are an error that says which and why.
fn refuse_nameless(body: &Value) {
    let bytes = serde_json::to_vec(body).expect("a value is always printable");
    let error = decode_list::<MergeRequest>(&bytes).expect_err("no id");
    assert_eq!(error.index, Some(0));
    assert!(error.source.to_string().contains("`id`"), "{}", error.source);
}

/// Tells the kind by the name of a file that holds a recording.
fn kind_of_recording(file: &str) -> Option<Kind> {
    let name = file.rsplit('/').next()?.trim_end_matches(".json");
    Some(match name {
        name if name.contains("_comments_") => Kind::Note,
        name if name.contains("_discussions_") => Kind::Discussion,
        "commit_merge_requests"
        | "merge_request_1_changes_response"
        | "merge_request_1_response" => Kind::MergeRequest,
        _ => return None,
    })
}

#[test]
fn every_body_of_a_crawled_kind_is_decoded() {
    let (Some(bodies), Some(recorded)) = (shared("bodies"), shared("recorded")) else {
        return;
    };
    let mut tally = Tally::default();
    let folders = entries(&bodies);
    assert_eq!(folders.iter().filter(|path| path.is_dir()).count(), 5, "{folders:?}");
    for folder in folders.iter().filter(|path| path.is_dir()) {
        take_samples(&mut tally, folder);
    }
    for folder in entries(&recorded).iter().filter(|path| path.is_dir()) {
        take_exchanges(&mut tally, &folder.join("exchanges.json"));
    }
    for (kind, count) in &tally.decoded {
        eprintln!("{kind:?}: {count} decoded");
    }
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    for kind in CRAWLED {
        assert!(tally.decoded.contains_key(&kind), "no body of kind {kind:?}");
    }
}
