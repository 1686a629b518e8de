//! Rows of answers: items and comments as GraphQL spells them, and `model` as it becomes.
//!
//! Read as leniently as `wire/` reads REST, with one difference: a list that is null is not an
//! empty list. An item whose labels GitLab does not show is not an item without labels.

use jiff::Timestamp;
use serde::Deserialize;

use super::global_id;
use super::links::LinkFields;
use crate::gitlab::wire::lenient::{
    UserName, flag, moment, some_flag, some_number, some_text, text,
};
use crate::model::{Iid, Item, ItemId, ItemKind, ItemState, Note, NoteId, ProjectId};

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    #[serde(default = "Option::default")]
    pub(super) nodes: Option<Vec<Option<T>>>,
    #[serde(default)]
    page_info: Option<PageInfo>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    #[serde(default, deserialize_with = "flag")]
    has_next_page: bool,
    #[serde(default, deserialize_with = "some_text")]
    end_cursor: Option<String>,
}

impl<T> Connection<T> {
    /// True when GitLab has more than it sent.
    pub(super) fn has_more(&self) -> bool {
        self.page_info.as_ref().is_some_and(|info| info.has_next_page)
    }

    /// Returns where the next page begins, if there is one.
    pub(super) fn next(&self) -> Option<&str> {
        self.page_info.as_ref().filter(|info| info.has_next_page)?.end_cursor.as_deref()
    }
}

/// An issue or a merge request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemRow {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "some_number")]
    iid: Option<i64>,
    #[serde(default, deserialize_with = "some_number")]
    project_id: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    title: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default, deserialize_with = "some_text")]
    state: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    confidential: bool,
    #[serde(default, deserialize_with = "flag")]
    draft: bool,
    #[serde(default, rename = "type", deserialize_with = "some_text")]
    issue_type: Option<String>,
    #[serde(default, deserialize_with = "text")]
    source_branch: String,
    #[serde(default, deserialize_with = "text")]
    web_url: String,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    closed_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    merged_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "some_number")]
    user_notes_count: Option<i64>,
    #[serde(default)]
    author: UserName,
    #[serde(default)]
    labels: Option<Connection<LabelRow>>,
    #[serde(default)]
    pub(super) notes: Option<Connection<NoteRow>>,
    #[serde(flatten)]
    pub(super) links: LinkFields,
}

#[derive(Debug, Deserialize)]
struct LabelRow {
    #[serde(default, deserialize_with = "some_text")]
    title: Option<String>,
}

impl ItemRow {
    /// Makes an item; the error says which part GitLab did not show.
    pub(super) fn into_item(self, kind: ItemKind) -> Result<Item, &'static str> {
        let id = global_id::read(&self.id).ok_or("its id is not shown")?;
        let project = self.project_id.ok_or("its project is not shown")?;
        let updated_at = self.updated_at.ok_or("the time of its last change is not shown")?;
        let created_at = self.created_at.unwrap_or(updated_at);
        let word = |word: Option<String>, default: &str| {
            word.map_or_else(|| default.to_owned(), |word| word.to_lowercase())
        };
        Ok(Item {
            kind,
            id: ItemId::new(id),
            iid: Iid::new(self.iid.ok_or("its number is not shown")?),
            project: ProjectId::new(project),
            title: self.title,
            description: self.description,
            state: ItemState::new(word(self.state, "opened")),
            draft: self.draft,
            confidential: self.confidential,
            issue_type: match kind {
                ItemKind::Issue => word(self.issue_type, "issue"),
                ItemKind::MergeRequest => String::new(),
            },
            author: self.author.0,
            labels: titles(self.labels)?,
            source_branch: self.source_branch,
            web_url: self.web_url,
            created_at,
            updated_at,
            closed_at: self.closed_at,
            merged_at: self.merged_at,
            notes_count: self.user_notes_count.unwrap_or(0),
            links: self.links.into_links(),
        })
    }
}

fn titles(labels: Option<Connection<LabelRow>>) -> Result<Vec<String>, &'static str> {
    let labels = labels.ok_or("its labels are not shown")?;
    if labels.has_more() {
        return Err("it has more labels than one page shows");
    }
    let rows = labels.nodes.ok_or("its labels are not shown")?;
    let titles = rows.into_iter().map(|row| row.and_then(|row| row.title));
    titles.collect::<Option<_>>().ok_or("one of its labels is not shown")
}

/// A comment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NoteRow {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    body: String,
    #[serde(default, deserialize_with = "flag")]
    system: bool,
    #[serde(default, deserialize_with = "some_flag")]
    internal: Option<bool>,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    #[serde(default)]
    author: UserName,
}

/// Makes comments; `None` when GitLab did not show all of the page. Those that it makes up from
/// events on labels, milestones and states have no number; REST leaves them out, and so do we.
pub(super) fn notes(rows: Option<Vec<Option<NoteRow>>>) -> Option<Vec<Note>> {
    let rows: Vec<NoteRow> = rows?.into_iter().collect::<Option<_>>()?;
    let numbered = rows.into_iter().filter_map(|row| {
        let id = NoteId::new(global_id::read(&row.id)?);
        let created_at = row.created_at.or(row.updated_at).unwrap_or(Timestamp::UNIX_EPOCH);
        Some(Note {
            id,
            author: row.author.0,
            body: row.body,
            system: row.system,
            internal: row.internal.unwrap_or(false),
            created_at,
            updated_at: row.updated_at.unwrap_or(created_at),
        })
    });
    Some(numbered.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn row(more: &Value) -> ItemRow {
        let mut row = json!({
            "id": "gid://gitlab/Issue/9", "iid": "2", "projectId": 7, "state": "opened",
            "updatedAt": "2026-01-01T00:00:00Z", "labels": {"nodes": []},
        });
        let fields = row.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        serde_json::from_value(row).expect("a row")
    }

    #[test]
    fn barest_row_becomes_an_item() {
        let item = row(&json!({"type": "TEST_CASE", "author": null, "description": null}));
        let item = item.into_item(ItemKind::Issue).expect("an item");
        assert_eq!((item.id.get(), item.iid.get(), item.project.get()), (9, 2, 7));
        assert_eq!((item.issue_type.as_str(), item.author.as_str()), ("test_case", ""));
        assert_eq!(item.created_at, item.updated_at);
    }

    #[test]
    fn item_of_which_a_part_is_not_shown_is_no_item() {
        for more in [
            json!({"labels": null}),
            json!({"labels": {"nodes": null}}),
            json!({"labels": {"nodes": [null]}}),
            json!({"labels": {"nodes": [{"title": "a"}], "pageInfo": {"hasNextPage": true}}}),
            json!({"id": null}),
            json!({"iid": null}),
            json!({"projectId": null}),
            json!({"updatedAt": null}),
        ] {
            assert!(row(&more).into_item(ItemKind::Issue).is_err(), "{more}");
        }
    }

    #[test]
    fn notes_without_a_number_are_left_out_and_hidden_ones_make_the_page_unknown() {
        let rows = |rows: Value| serde_json::from_value(rows).expect("rows");
        let page = notes(rows(json!([
            {"id": "gid://gitlab/DiffNote/4", "body": "see", "internal": null},
            {"id": "gid://gitlab/LabelNote/5a0b", "body": "added label", "system": true},
        ])));
        let page = page.expect("a page");
        assert_eq!(page.iter().map(|note| note.id.get()).collect::<Vec<_>>(), [4]);
        assert_eq!(notes(rows(json!([null]))), None);
        assert_eq!(notes(rows(json!(null))), None);
    }
}
