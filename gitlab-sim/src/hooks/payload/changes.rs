//! `changes`: what of an item is different, field by field.

use serde_json::{Map, Value, json};

use super::Scene;
use super::shape::{long_text, utc};
use crate::world::Item;

/// Differences, as `{"field": {"previous": …, "current": …}}`.
#[derive(Debug, Default)]
pub(super) struct Changes(Map<String, Value>);

impl Changes {
    /// Notes what is shown of two rows, if it differs.
    pub(super) fn row<R>(&mut self, name: &str, rows: (&R, &R), show: impl Fn(&R) -> Value) {
        self.field(name, &show(rows.0), &show(rows.1));
    }

    /// Notes a field if it differs.
    pub(super) fn field(&mut self, name: &str, previous: &Value, current: &Value) {
        if previous != current {
            self.0.insert(name.to_owned(), json!({"previous": previous, "current": current}));
        }
    }

    /// Notes what issues and merge requests have in common. Without an item before, everything
    /// is new.
    pub(super) fn item(&mut self, scene: Scene<'_>, before: Option<&Item>, after: &Item) {
        let (author, by) = (json!(after.author), json!(scene.event.by));
        let mut of = |name: &str, show: &dyn Fn(&Item) -> Value| {
            let previous = before.map_or(Value::Null, show);
            // In a new item an empty list is not news.
            if before.is_some() || show(after) != json!([]) {
                self.field(name, &previous, &show(after));
            }
        };
        of("title", &|row| json!(row.title));
        of("description", &|row| long_text(row.description.as_ref()));
        of("updated_at", &|row| json!(utc(row.updated_at)));
        of("closed_at", &|row| json!(row.closed_at.map(utc)));
        of("milestone_id", &|row| json!(row.milestone));
        of("labels", &|row| scene.labels(&row.labels));
        of("assignees", &|row| row.assignees.iter().map(|user| scene.user(*user)).collect());
        if before.is_none() {
            of("id", &|row| json!(row.id));
            of("iid", &|row| json!(row.iid));
            of("created_at", &|row| json!(utc(row.created_at)));
            self.field("author_id", &Value::Null, &author);
        } else {
            self.field("updated_by_id", &Value::Null, &by);
        }
    }

    /// Returns the object.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
