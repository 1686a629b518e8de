//! The bodies of webhooks against the samples that published clients test with.
//!
//! Field by field: what the samples have and we lack, what we have and they lack, and what has
//! another JSON type is a difference, and every difference is listed in `hook_samples`.

use std::collections::{BTreeMap, BTreeSet};

use gitlab_sim::hooks::Scope;
use gitlab_sim::world::{
    AccessLevel, IssueType, ItemRef, LabelOwner, NewIssue, NewMergeRequest, NewNote, NewPipeline,
    NewProject, UserId,
};
use serde_json::Value;

use crate::hook_samples::{ADDED, COMPARED, Differences, LEFT_OUT, OTHER_TYPE};
use crate::hooks::{Place, place};
use crate::receiver::{Received, Receiver};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/gitlab/webhooks");

/// The JSON types of every field, by path. Elements of a list are taken together.
type Shape = BTreeMap<String, BTreeSet<&'static str>>;

fn describe(path: &str, value: &Value, shape: &mut Shape) {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    shape.entry(path.to_owned()).or_default().insert(name);
    match value {
        Value::Array(rows) => {
            for row in rows {
                describe(&format!("{path}[]"), row, shape);
            }
        }
        Value::Object(fields) => {
            // Which fields differ follows from what was done, not from the event. Some names of
            // one sample end in a space.
            for (field, value) in
                fields.iter().filter(|(field, _)| path != ".changes" && !field.ends_with(' '))
            {
                describe(&format!("{path}.{field}"), value, shape);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Looks the field at the end of a path up in a list. An entry may begin with the event.
fn listed(list: Differences, event: &str, path: &str) -> bool {
    let path = format!("{event} {path}");
    list.iter().flat_map(|(fields, _)| *fields).any(|field| {
        path == *field || path.strip_suffix(field).is_some_and(|before| before.ends_with('.'))
    })
}

/// Tells whether a field lies in an object that is there and not null.
fn in_object(shape: &Shape, path: &str) -> bool {
    let (parent, _) = path.rsplit_once('.').unwrap_or_default();
    shape.get(parent).is_some_and(|types| types.contains("object"))
}

fn differences(name: &str, ours: &Shape, samples: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    for (path, types) in samples {
        match ours.get(path) {
            None if in_object(ours, path) && !listed(LEFT_OUT, name, path) => {
                found.push(format!("{name}: lacks {path} ({types:?})"));
            }
            None => {}
            // A sample shows one moment: that a field may also be null it cannot deny, and when it
            // shows nothing but null it says nothing.
            Some(own) if own.iter().any(|own| types.contains(own)) => {}
            Some(_) if types.len() == 1 && types.contains("null") => {}
            Some(_) if listed(OTHER_TYPE, name, path) => {}
            Some(own) => found.push(format!("{name}: {path} is {own:?} and not {types:?}")),
        }
    }
    for path in ours.keys() {
        if !samples.contains_key(path) && in_object(samples, path) && !listed(ADDED, name, path) {
            found.push(format!("{name}: adds {path}"));
        }
    }
    found
}

/// Does everything that is told to somebody, each step with its own lock of the world.
fn act(place: &Place) {
    let mona = place.gitlab.world().add_user("mona");
    act_on_places(place, mona);
    act_on_items(place, mona);
    let (world, project) = (|| place.gitlab.world(), place.webshop);
    world().add_file(project, "README.md", "text");
    world().add_file(project, "README.md", "new text");
    world().delete_file(project, "README.md");
    world().delete_branch(project, "topic");
    world().add_tag(project, "v1", Some("First"), jiff::Timestamp::UNIX_EPOCH);
    world().delete_tag(project, "v1");
    world().add_pipeline(project, NewPipeline::new("success"));
}

fn act_on_places(place: &Place, mona: UserId) {
    let mut world = place.gitlab.world();
    world.add_group_member(place.acme, mona, AccessLevel::Maintainer);
    world.add_group_member(place.acme, mona, AccessLevel::Owner);
    world.add_project_member(place.webshop, mona, AccessLevel::Developer);
    world.remove_project_member(place.webshop, mona);
    let project = world.add_project(NewProject::at("acme/shop/tools/site").description("Pages"));
    world.set_topics(project, ["docs"]);
    world.rename_project(project, "page");
    world.transfer_project(project, "acme");
    world.delete_project(project);
    let tools = world.add_group("acme/shop/tools");
    world.rename_group(tools, "instruments");
}

fn act_on_items(place: &Place, mona: UserId) {
    let (world, project) = (|| place.gitlab.world(), place.webshop);
    world().add_label(LabelOwner::Project(project), "API");
    let labels = ["API", "service::webshop"];
    for issue_type in [IssueType::Issue, IssueType::Task] {
        let new = NewIssue::new("Slow").description("Very").labels(labels).issue_type(issue_type);
        let issue = ItemRef::issue(project, world().add_issue(project, new));
        world().edit(issue, |row| row.assignees.push(mona));
        world().add_note(issue, NewNote::new("a word"));
        world().close(issue, mona);
    }
    let new = NewMergeRequest::new("Faster").description("Now").labels(labels);
    let iid = world().add_merge_request(project, new);
    let merge_request = ItemRef::merge_request(project, iid);
    world().edit(merge_request, |row| row.assignees.push(mona));
    world().add_note(merge_request, NewNote::new("a word"));
    world().merge(project, iid, mona);
}

/// Takes the shapes of what came, by the words of `COMPARED`.
fn shapes(receiver: &Receiver) -> BTreeMap<String, Shape> {
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    let name = |row: &Received, body: &Value| {
        let word = body["event_name"].as_str().or(body["object_kind"].as_str()).unwrap();
        match (row.event(), body["object_attributes"]["noteable_type"].as_str()) {
            ("System Hook", _) => format!("system {word}"),
            (_, Some(kind)) => format!("{word} on {kind}"),
            _ => word.to_owned(),
        }
    };
    for row in receiver.take() {
        let body = row.json();
        describe("", &body, shapes.entry(name(&row, &body)).or_default());
    }
    shapes
}

#[tokio::test]
async fn bodies_have_the_fields_and_types_of_the_samples() {
    let read = |name: &str| std::fs::read_to_string(format!("{SAMPLES}/{name}.json"));
    if read("go-gitlab/webhooks__issue").is_err() {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    }
    let place = place().await;
    let of_group = place.receiver(Scope::Group(place.acme)).await;
    let of_system = place.receiver(Scope::System).await;
    act(&place);
    place.gitlab.hooks_settled().await;
    let mut ours = shapes(&of_group);
    ours.extend(shapes(&of_system));
    let mut found = Vec::new();
    for (name, samples) in COMPARED {
        let mut expected = Shape::new();
        for sample in samples {
            let sample: Value = serde_json::from_str(&read(sample).unwrap()).unwrap();
            describe("", &sample, &mut expected);
        }
        let own = ours.get(name).unwrap_or_else(|| panic!("{name} was delivered: {ours:?}"));
        found.extend(differences(name, own, &expected));
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    place.gitlab.stop().await;
}
