//! Rows of projects, kept until the world changes.
//!
//! A project in full is three kilobytes of settings that nobody changes, and its number of open
//! issues is counted row by row. A crawler reads it again and again, so what was written for a user
//! is kept for that user until the next change of anything. Nothing is kept for job tokens: what
//! they see depends on more than their user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::project_shape::ProjectShape;
use super::{Call, json};
use crate::server::lock;
use crate::world::{Caller, Project, ProjectId, UserId};

/// For so many users, twice for both forms, rows are kept; when there are more, all are forgotten.
const READERS: usize = 32;

/// One row as JSON.
type Row = Arc<[u8]>;

/// Rows by who reads them in which form.
type Rows = HashMap<(Option<UserId>, bool), HashMap<ProjectId, Row>>;

/// Rows of one state of the world.
#[derive(Debug, Default)]
pub(crate) struct ProjectRows(Mutex<(u64, Rows)>);

impl ProjectRows {
    /// Writes some projects as a JSON array.
    pub(super) fn body(&self, call: &Call<'_>, projects: &[&Project], simple: bool) -> Vec<u8> {
        let rows: Vec<Row> = match call.caller {
            Caller::User { token, .. } if token.job().is_some() => {
                projects.iter().map(|project| row(call, project, simple)).collect()
            }
            Caller::User { .. } | Caller::Anonymous => self.rows(call, projects, simple),
        };
        let bytes = rows.iter().map(|row| row.len() + 1).sum::<usize>() + 2;
        let mut body = Vec::with_capacity(bytes);
        body.push(b'[');
        for (place, row) in rows.iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            body.extend_from_slice(row);
        }
        body.push(b']');
        body
    }

    fn rows(&self, call: &Call<'_>, projects: &[&Project], simple: bool) -> Vec<Row> {
        let reader = (call.caller.user().map(|user| user.id), simple);
        let mut kept = lock(&self.0);
        let (state, readers) = &mut *kept;
        if *state != call.world.state() || readers.len() > READERS {
            readers.clear();
            *state = call.world.state();
        }
        let known = readers.entry(reader).or_default();
        let row = |project: &&Project| {
            Arc::clone(known.entry(project.id).or_insert_with(|| row(call, project, simple)))
        };
        projects.iter().map(row).collect()
    }
}

fn row(call: &Call<'_>, project: &Project, simple: bool) -> Row {
    let mut row = Vec::new();
    json::write(&mut row, &shape(call, project, simple))
        .expect("the shapes have text keys and no fallible serializers");
    Arc::from(row)
}

/// Shapes a project in one of its forms.
pub(super) fn shape<'w>(call: &Call<'w>, project: &'w Project, simple: bool) -> ProjectShape<'w> {
    if simple { ProjectShape::simple(call, project) } else { ProjectShape::full(call, project) }
}
