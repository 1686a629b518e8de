//! Notes and discussions.
//!
//! Here every note is a discussion of its own, as ordinary comments are on GitLab: the world knows
//! no threads.

use std::sync::Arc;

use async_graphql::Error;

use super::args::Args;
use super::issue::IssueRow;
use super::merge_request::MergeRow;
use super::node::{Look, Node, Out};
use super::page::{Direction, Key, Place, connect, list as in_order};
use super::project;
use crate::hash::hex40;
use crate::rest::web_segment;
use crate::world::{ItemKind, ItemRef, Note};

/// A note as it was when it was found.
#[derive(Debug)]
pub(super) struct NoteRow {
    pub(super) item: ItemRef,
    pub(super) note: Note,
}

impl NoteRow {
    /// Returns the notes of an item that the caller sees, oldest first.
    pub(super) fn visible(look: &Look<'_>, item: ItemRef, notes: &[Note]) -> Vec<Arc<Self>> {
        let Some(project) = look.world.project(item.project) else {
            return Vec::new();
        };
        notes
            .iter()
            .filter(|note| look.world.sees_note(look.caller, project, note))
            .map(|note| Arc::new(Self { item, note: note.clone() }))
            .collect()
    }
}

fn select(look: &Look<'_>, args: Args<'_>, item: ItemRef, notes: &[Note]) -> Vec<Arc<NoteRow>> {
    let mut rows = NoteRow::visible(look, item, notes);
    match args.text("filter") {
        Some("ONLY_COMMENTS") => rows.retain(|row| !row.note.system),
        Some("ONLY_ACTIVITY") => rows.retain(|row| row.note.system),
        _ => {}
    }
    rows
}

/// Makes a connection of the notes of an item.
pub(super) fn list(
    look: &Look<'_>,
    args: Args<'_>,
    item: ItemRef,
    notes: &[Note],
) -> Result<Out, Error> {
    paged(args, select(look, args, item, notes), false, Node::Note)
}

/// Makes a connection of the discussions of an item.
pub(super) fn discussions(
    look: &Look<'_>,
    args: Args<'_>,
    item: ItemRef,
    notes: &[Note],
) -> Result<Out, Error> {
    let falling = args.text("sort") == Some("CREATED_DESC");
    paged(args, select(look, args, item, notes), falling, Node::Discussion)
}

fn paged(
    args: Args<'_>,
    rows: Vec<Arc<NoteRow>>,
    falling: bool,
    wrap: impl Fn(Arc<NoteRow>) -> Node,
) -> Result<Out, Error> {
    let rows = rows
        .into_iter()
        .map(|row| (Place::new(Key::time(Some(row.note.created_at)), row.note.id), row))
        .collect();
    connect(args, Direction { falling, falling_ids: falling }, rows, |row| Some(wrap(row)))
}

/// Answers a field of a note.
pub(super) fn field(look: &Look<'_>, row: &Arc<NoteRow>, name: &str) -> Out {
    let NoteRow { item, note } = &**row;
    let edited = note.updated_at > note.created_at;
    match name {
        "id" => format!("gid://gitlab/Note/{}", note.id).into(),
        "body" => look.text(&note.body).into(),
        "bodyHtml" => project::html(&look.text(&note.body)).into(),
        "bodyFirstLineHtml" => {
            project::html(look.text(&note.body).lines().next().unwrap_or_default()).into()
        }
        "system" => note.system.into(),
        "internal" => note.internal.into(),
        "createdAt" => Out::time(note.created_at),
        "updatedAt" => Out::time(note.updated_at),
        "lastEditedAt" => Out::maybe_time(edited.then_some(note.updated_at)),
        "author" => Out::node(look.world.user(note.author).map(|user| Node::User(user.id))),
        "lastEditedBy" => {
            let editor = look.world.user(note.author).filter(|_| edited);
            Out::node(editor.map(|user| Node::User(user.id)))
        }
        "discussion" => Out::Node(Node::Discussion(Arc::clone(row))),
        "project" => Out::node(project::node(look, item.project)),
        "url" => {
            let path = look.world.project(item.project).map(|row| row.full_path.as_str());
            Out::maybe(path.map(|path| {
                let segment = match item.kind {
                    ItemKind::Issue => web_segment(&look.site.version),
                    ItemKind::MergeRequest => "/-/merge_requests/",
                };
                look.url(&format!("/{path}{segment}{}#note_{}", item.iid, note.id))
            }))
        }
        "resolvable" => (item.kind == ItemKind::MergeRequest && !note.system).into(),
        "resolved" | "imported" => false.into(),
        "resolvedAt" | "resolvedBy" | "systemNoteIconName" => Out::NULL,
        _ => Out::Unknown,
    }
}

/// Answers a field of a discussion.
pub(super) fn discussion_field(
    look: &Look<'_>,
    row: &Arc<NoteRow>,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    Ok(match name {
        "id" | "replyId" => {
            let id = hex40(&format!("discussion {}", row.note.id));
            format!("gid://gitlab/Discussion/{id}").into()
        }
        "notes" => return in_order(args, vec![Node::Note(Arc::clone(row))]),
        "noteable" => Out::node(match row.item.kind {
            ItemKind::Issue => IssueRow::find(look, row.item).map(Node::Issue),
            ItemKind::MergeRequest => MergeRow::find(look, row.item).map(Node::MergeRequest),
        }),
        "createdAt" | "resolvable" | "resolved" | "resolvedAt" | "resolvedBy" => {
            field(look, row, name)
        }
        _ => Out::Unknown,
    })
}
