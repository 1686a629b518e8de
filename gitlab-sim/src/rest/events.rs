//! Resource events: what became of the labels, the state and the milestone of an item.
//!
//! Of an item that was imported as closed or merged, and not changed since, one event is made up
//! from that time.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::shape::{Stamp, UserShape};
use super::{Call, issues, merge_requests, milestones, notes, paging, people};
use crate::world::{Happened, Item, ItemKind, Project, Reached, ResourceEvent, Source, UserId};

/// `GET …/award_emoji` and `…/resource_*_events`
pub(super) fn list(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    kind: ItemKind,
    iid: &str,
    what: &str,
) -> Result<Answer, Failure> {
    let rows = rows(call, project, kind, iid, what)?;
    let mut echo = call.echo(&[], id);
    echo.set("eventable_id", iid);
    paging::list(call, echo, &rows, Clone::clone)
}

/// `GET …/resource_*_events/:event_id`
pub(super) fn one(
    call: &Call<'_>,
    project: &Project,
    kind: ItemKind,
    iid: &str,
    what: &str,
    event: &str,
) -> Result<Answer, Failure> {
    let wanted: u64 = event.parse().map_err(|_| super::query::is_invalid("event_id"))?;
    let rows = rows(call, project, kind, iid, what)?;
    let found = rows.into_iter().find(|row| row["id"] == wanted).ok_or(Failure::NoRecord)?;
    Ok(Answer::json(&found))
}

fn rows(
    call: &Call<'_>,
    project: &Project,
    kind: ItemKind,
    iid: &str,
    what: &str,
) -> Result<Vec<Value>, Failure> {
    let item = people::item(call, project, kind, iid)?;
    let mut rows: Vec<Value> = item
        .history
        .events()
        .iter()
        .filter(|event| what == list_of(&event.what))
        .map(|event| shape(call, kind, item, event))
        .collect();
    if what == "resource_state_events" && !item.history.knows_states() {
        rows.extend(imported(call, project, kind, item));
    }
    Ok(rows)
}

/// Returns the list in which an event stands.
const fn list_of(what: &Happened) -> &'static str {
    match what {
        Happened::Label { .. } => "resource_label_events",
        Happened::State { .. } => "resource_state_events",
        Happened::Milestone { .. } => "resource_milestone_events",
    }
}

fn shape(call: &Call<'_>, kind: ItemKind, item: &Item, event: &ResourceEvent) -> Value {
    let mut row = json!({
        "id": event.id,
        "user": UserShape::find(call, event.by),
        "created_at": Stamp(event.at),
        "resource_type": notes::noteable(kind),
        "resource_id": item.id,
    });
    let action = |added| if added { "add" } else { "remove" };
    match &event.what {
        Happened::Label { label, added } => {
            // A label that was deleted since is not told any more.
            row["label"] = call.world.label(*label).map_or(Value::Null, |label| {
                json!({
                    "id": label.id,
                    "name": label.title,
                    "color": label.color,
                    "description": label.description,
                })
            });
            row["action"] = json!(action(*added));
        }
        Happened::State { state, source } => {
            let (merge_request, commit) = match source {
                Some(Source::MergeRequest(id)) => (Some(id), None),
                Some(Source::Commit(sha)) => (None, Some(sha)),
                None => (None, None),
            };
            row["source_commit"] = json!(commit);
            row["source_merge_request_id"] = json!(merge_request);
            row["state"] = json!(state.word());
        }
        Happened::Milestone { milestone, added } => {
            row["milestone"] = milestones::find_shape(call, Some(*milestone));
            row["action"] = json!(action(*added));
        }
    }
    row
}

fn imported(call: &Call<'_>, project: &Project, kind: ItemKind, item: &Item) -> Option<Value> {
    let merged = match kind {
        ItemKind::Issue => None,
        ItemKind::MergeRequest => project
            .merge_requests
            .get(&item.iid)
            .and_then(|row| Some((Reached::Merged, row.merged_at?, row.merge_user))),
    };
    let closed = item.closed_at.map(|at| (Reached::Closed, at, item.closed_by));
    let (state, at, by) = merged.or(closed)?;
    let by: UserId = by.unwrap_or(item.author);
    let what = Happened::State { state, source: None };
    Some(shape(call, kind, item, &ResourceEvent { id: item.id, by, at, what }))
}

/// `GET …/merge_requests/:iid/reviewers`
pub(super) fn reviewers(call: &Call<'_>, project: &Project, iid: &str) -> Result<Answer, Failure> {
    let row = merge_requests::find(call, project, iid)?;
    let rows: Vec<Value> = row
        .reviewers
        .iter()
        .filter_map(|user| UserShape::find(call, *user))
        .map(|user| {
            json!({
                "user": user,
                "state": "unreviewed",
                "created_at": Stamp(row.item.created_at),
            })
        })
        .collect();
    Ok(Answer::json(&rows))
}

/// Counts the merge requests that close an issue when they are merged, and that the caller sees.
pub(super) fn closing_count(call: &Call<'_>, project: &Project, iid: u64) -> usize {
    issues::closing(call, project, iid)
        .filter(|row| {
            let home = call.world.project(row.project);
            home.is_some_and(|home| call.world.reads_code(call.caller, home))
        })
        .count()
}
