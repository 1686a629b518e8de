//! `changes`: what of an item is different, field by field.

use serde_json::{Map, Value, json};

use super::Scene;
use super::shape::{long_text, utc};
use crate::world::Item;

/// Differences, as `{"field": {"previous": …, "current": …}}`.
#[derive(Debug, Default)]
pub(super) struct Changes(Map<String, Value>);

impl Changes {
    /// Notes a field if it differs.
    pub(super) fn field(&mut self, name: &str, previous: Value, current: Value) {
        if previous != current {
            self.0.insert(name.to_owned(), json!({"previous": previous, "current": current}));
        }
    }

    /// Notes a field that differs, or is new.
    fn of<T: PartialEq>(&mut self, name: &str, pair: (Option<&T>, &T), show: impl Fn(&T) -> Value) {
        let (before, after) = pair;
        if before != Some(after) {
            self.field(name, before.map_or(Value::Null, &show), show(after));
        }
    }

    /// Notes what issues and merge requests have in common. Without an item before, everything
    /// is new.
    pub(super) fn item(&mut self, scene: Scene<'_>, before: Option<&Item>, after: &Item) {
        let time = |time: &Option<_>| json!(time.map(utc));
        self.of("title", (before.map(|row| &row.title), &after.title), |title| json!(title));
        let description = |row: &Item| long_text(row.description.as_ref());
        self.field("description", before.map_or(Value::Null, description), description(after));
        self.of("updated_at", (before.map(|row| &row.updated_at), &after.updated_at), |time| {
            json!(utc(*time))
        });
        self.of("closed_at", (before.map(|row| &row.closed_at), &after.closed_at), time);
        self.of("labels", (before.map(|row| &row.labels), &after.labels), |labels| {
            scene.labels(labels)
        });
        self.of("assignees", (before.map(|row| &row.assignees), &after.assignees), |users| {
            users.iter().map(|user| scene.user(*user)).collect()
        });
        if before.is_none() {
            self.field("id", Value::Null, json!(after.id));
            self.field("iid", Value::Null, json!(after.iid));
            self.field("author_id", Value::Null, json!(after.author));
            self.field("created_at", Value::Null, json!(utc(after.created_at)));
            self.0.retain(|_, change| change["current"] != json!([]));
        } else {
            self.field("updated_by_id", Value::Null, json!(scene.event.by));
        }
    }

    /// Returns the object.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
