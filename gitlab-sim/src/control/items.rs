//! Commands about issues, merge requests and their notes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal, find_project, find_user};
use crate::server::Shared;
use crate::world::{
    IssueType, ItemKind, ItemRef, NewIssue, NewMergeRequest, NewNote, Note, Text, UserId, World,
};

/// The severities of incidents.
const SEVERITIES: [&str; 5] = ["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"];

fn show_note(world: &World, note: &Note) -> Value {
    json!({
        "id": note.id,
        "body": note.body,
        "author": world.user(note.author).map(|user| &user.username),
        "system": note.system,
        "internal": note.internal,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
    })
}

fn show_item(world: &World, item: ItemRef) -> Value {
    let Some(row) = world.newest(item) else {
        return Value::Null;
    };
    json!({
        "reference": world.reference(item),
        "project_id": item.project,
        "kind": item.kind.segment(),
        "id": row.id,
        "iid": row.iid,
        "title": row.title,
        "state": world.newest_state(item),
        "labels": world.label_titles(&row.labels),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "notes": row.notes.iter().map(|note| show_note(world, note)).collect::<Vec<_>>(),
    })
}

pub(super) fn show(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let item = ask.item(&world)?;
    Ok(show_item(&world, item))
}

fn issue_type(word: &str) -> Result<IssueType, Refusal> {
    match word {
        "issue" => Ok(IssueType::Issue),
        "incident" => Ok(IssueType::Incident),
        "task" => Ok(IssueType::Task),
        _ => Err(Refusal::wrong(
            format!("{word:?} is no type of issue"),
            "take issue, incident or task",
        )),
    }
}

fn severity(word: &str) -> Result<&'static str, Refusal> {
    SEVERITIES.into_iter().find(|known| known.eq_ignore_ascii_case(word)).ok_or_else(|| {
        Refusal::wrong(
            format!("{word:?} is no severity"),
            format!("take one of {}", SEVERITIES.join(", ")),
        )
    })
}

fn check_title(title: &str) -> Result<(), Refusal> {
    if title.trim().is_empty() || title.chars().count() > 255 {
        return Err(Refusal::wrong(
            "the title is empty or longer than 255 characters",
            "send a shorter title that is not empty",
        ));
    }
    Ok(())
}

fn check_labels(labels: &[String]) -> Result<(), Refusal> {
    if labels.iter().any(|title| title.trim().is_empty() || title.contains(',')) {
        return Err(Refusal::wrong(
            "a title of a label is empty or holds a comma",
            "send a list of titles without commas",
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddIssue {
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    confidential: bool,
    #[serde(default)]
    issue_type: Option<String>,
    #[serde(default)]
    severity: Option<String>,
}

pub(super) fn add_issue(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: AddIssue = ask.read()?;
    check_title(&new.title)?;
    check_labels(&new.labels)?;
    let mut issue = NewIssue::new(&new.title).labels(&new.labels).confidential(new.confidential);
    if let Some(text) = &new.description {
        issue = issue.description(text);
    }
    if let Some(word) = &new.issue_type {
        issue = issue.issue_type(issue_type(word)?);
    }
    if let Some(word) = &new.severity {
        issue = issue.severity(severity(word)?);
    }
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let author = author(&mut world, new.author);
    let iid = world.add_issue(project, issue.author(&author));
    Ok(show_item(&world, ItemRef::issue(project, iid)))
}

/// Returns the name of the author: whom the body names, or who acts.
fn author(world: &mut World, named: Option<String>) -> String {
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let acting = world.acting();
        world.user(acting).map_or_else(String::new, |user| user.username.clone())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddMergeRequest {
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    source_branch: Option<String>,
    #[serde(default)]
    target_branch: Option<String>,
}

pub(super) fn add_merge_request(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: AddMergeRequest = ask.read()?;
    check_title(&new.title)?;
    check_labels(&new.labels)?;
    let mut row = NewMergeRequest::new(&new.title).labels(&new.labels);
    if let Some(text) = &new.description {
        row = row.description(text);
    }
    if let Some(branch) = &new.source_branch {
        row = row.source_branch(branch);
    }
    if let Some(branch) = &new.target_branch {
        row = row.target_branch(branch);
    }
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let author = author(&mut world, new.author);
    let iid = world.add_merge_request(project, row.author(&author));
    Ok(show_item(&world, ItemRef::merge_request(project, iid)))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Edit {
    title: Option<String>,
    description: Option<String>,
    labels: Option<Vec<String>>,
    assignees: Option<Vec<String>>,
    confidential: Option<bool>,
}

pub(super) fn edit(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let edit: Edit = ask.read()?;
    if let Some(title) = &edit.title {
        check_title(title)?;
    }
    check_labels(edit.labels.as_deref().unwrap_or_default())?;
    let mut world = ask.change(shared);
    let item = ask.item(&world)?;
    let assignees = edit
        .assignees
        .map(|names| {
            names
                .iter()
                .map(|name| find_user(&world, name).map(|user| user.id))
                .collect::<Result<Vec<UserId>, Refusal>>()
        })
        .transpose()?;
    if edit.confidential.is_some() && item.kind == ItemKind::MergeRequest {
        return Err(Refusal::wrong(
            "a merge request cannot be confidential",
            "leave the field out, or name an issue",
        ));
    }
    if edit.title.is_some() || edit.description.is_some() || assignees.is_some() {
        world.edit(item, |row| {
            if let Some(title) = edit.title {
                row.title = title;
            }
            if let Some(text) = edit.description {
                row.description = Some(Text::from(text));
            }
            if let Some(assignees) = assignees {
                row.assignees = assignees;
            }
        });
    }
    if let Some(labels) = edit.labels {
        world.relabel(item, labels);
    }
    if let Some(confidential) = edit.confidential {
        world.set_confidential(item.project, item.iid, confidential);
    }
    Ok(show_item(&world, item))
}

pub(super) fn delete(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let item = ask.item(&world)?;
    let reference = world.reference(item);
    world.delete_item(item);
    Ok(json!({"deleted": reference}))
}

/// Tells whether an item is open.
fn is_open(world: &World, item: ItemRef) -> bool {
    world.newest_state(item) == Some("opened")
}

fn not_open(world: &World, item: ItemRef) -> Refusal {
    let name = world.reference(item).unwrap_or_default();
    Refusal::conflict(format!("{name} is not open"), "reopen it first, or take another")
}

pub(super) fn close(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let item = ask.item(&world)?;
    if !is_open(&world, item) {
        return Err(not_open(&world, item));
    }
    let by = world.acting();
    world.close(item, by);
    Ok(show_item(&world, item))
}

pub(super) fn reopen(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let item = ask.item(&world)?;
    if world.newest_state(item) != Some("closed") {
        let name = world.reference(item).unwrap_or_default();
        return Err(Refusal::conflict(
            format!("{name} is not closed"),
            "only what was closed, and not merged, can be opened again",
        ));
    }
    world.reopen(item);
    Ok(show_item(&world, item))
}

pub(super) fn merge(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let item = ask.item_of(&world, ItemKind::MergeRequest)?;
    if !is_open(&world, item) {
        return Err(not_open(&world, item));
    }
    let by = world.acting();
    world.merge(item.project, item.iid, by);
    Ok(show_item(&world, item))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    to: super::places::Name,
}

pub(super) fn move_issue(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Move { to } = ask.read()?;
    let mut world = ask.change(shared);
    let item = ask.item_of(&world, ItemKind::Issue)?;
    let target = find_project(&world, &to.text())?.id;
    match world.move_issue(item.project, item.iid, target) {
        Some(moved) => Ok(show_item(&world, moved)),
        None => Err(Refusal::conflict(
            format!("{} cannot move there", world.reference(item).unwrap_or_default()),
            "it is there already, or was moved before: take another project or issue",
        )),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddNote {
    body: String,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    system: bool,
}

pub(super) fn add_note(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: AddNote = ask.read()?;
    let mut world = ask.change(shared);
    let item = ask.item(&world)?;
    let mut note = NewNote::new(&new.body).author(&author(&mut world, new.author));
    if new.internal {
        note = note.internal();
    }
    if new.system {
        note = note.system();
    }
    let id = world.add_note(item, note);
    find_note(&world, item, id)
}

fn find_note(world: &World, item: ItemRef, id: u64) -> Result<Value, Refusal> {
    world
        .newest(item)
        .and_then(|row| row.notes.iter().find(|note| note.id == id))
        .map(|note| show_note(world, note))
        .ok_or_else(|| {
            Refusal::missing(
                format!("{} has no note {id}", world.reference(item).unwrap_or_default()),
                "GET the item below /_sim to see its notes",
            )
        })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditNote {
    body: String,
}

pub(super) fn edit_note(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let EditNote { body } = ask.read()?;
    let mut world = ask.change(shared);
    let (item, id) = (ask.item(&world)?, ask.number("note")?);
    find_note(&world, item, id)?;
    world.edit_note(item, id, &body);
    find_note(&world, item, id)
}

pub(super) fn delete_note(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let (item, id) = (ask.item(&world)?, ask.number("note")?);
    find_note(&world, item, id)?;
    world.delete_note(item, id);
    Ok(json!({"deleted": id}))
}
