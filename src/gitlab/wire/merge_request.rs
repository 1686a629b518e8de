//! Merge requests.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{UserName, flag, moment, names, some_flag, some_number, some_text, text};
use super::{Wire, absent};
use crate::model::{Iid, Item, ItemId, ItemKind, ItemState, ProjectId, ShownLinks};

/// A merge request as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct MergeRequest {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "some_number")]
    iid: Option<i64>,
    #[serde(default, deserialize_with = "some_number")]
    project_id: Option<i64>,
    #[serde(default, deserialize_with = "some_number")]
    target_project_id: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    title: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default, deserialize_with = "some_text")]
    state: Option<String>,
    #[serde(default, deserialize_with = "some_flag")]
    closed: Option<bool>,
    #[serde(default, deserialize_with = "some_flag")]
    merged: Option<bool>,
    #[serde(default, deserialize_with = "some_flag")]
    draft: Option<bool>,
    /// The old name of `draft`.
    #[serde(default, deserialize_with = "flag")]
    work_in_progress: bool,
    #[serde(default)]
    author: UserName,
    #[serde(default, deserialize_with = "names")]
    labels: Vec<String>,
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
}

impl Wire for MergeRequest {
    type Model = Item;

    fn into_model(self) -> Result<Item, serde_json::Error> {
        let id = self.id.ok_or_else(|| absent("id"))?;
        let project = self.target_project_id.or(self.project_id);
        let created_at = self.created_at.or(self.updated_at).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Item {
            kind: ItemKind::MergeRequest,
            id: ItemId::new(id),
            // Before GitLab counted per project, the id was the number.
            iid: Iid::new(self.iid.unwrap_or(id)),
            project: ProjectId::new(project.ok_or_else(|| absent("project_id"))?),
            title: self.title,
            description: self.description,
            state: ItemState::new(self.state.unwrap_or_else(|| {
                match (self.merged, self.closed) {
                    (Some(true), _) => "merged",
                    (_, Some(true)) => "closed",
                    _ => "opened",
                }
                .to_owned()
            })),
            draft: self.draft.unwrap_or(self.work_in_progress),
            confidential: false,
            issue_type: String::new(),
            author: self.author.0,
            labels: self.labels,
            source_branch: self.source_branch,
            web_url: self.web_url,
            created_at,
            updated_at: self.updated_at.or(self.merged_at).or(self.closed_at).unwrap_or(created_at),
            closed_at: self.closed_at,
            merged_at: self.merged_at,
            notes_count: self.user_notes_count.unwrap_or(0),
            links: ShownLinks::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn merge_request_from_a_fork_lives_in_its_target_project() {
        let item = decode::<MergeRequest>(
            br#"{"id":9,"iid":2,"project_id":7,"source_project_id":8,"target_project_id":7,
                "state":"merged","merged_at":"2026-01-01T00:00:00Z","work_in_progress":true,
                "source_branch":"WEB-12-fix","draft":false,"sha":null}"#,
        )
        .expect("an item");
        assert_eq!(item.project.get(), 7);
        assert_eq!(item.source_branch, "WEB-12-fix");
        assert!(!item.draft, "the new name wins over the old one");
        assert_eq!(item.updated_at, item.merged_at.expect("merged"));
    }

    #[test]
    fn old_versions_say_the_state_in_two_flags() {
        for (body, state) in [
            (r#"{"id":1,"project_id":3,"closed":false,"merged":false}"#, "opened"),
            (r#"{"id":1,"project_id":3,"closed":true,"merged":false}"#, "closed"),
            (r#"{"id":1,"project_id":3,"closed":true,"merged":true}"#, "merged"),
        ] {
            let item = decode::<MergeRequest>(body.as_bytes()).expect("an item");
            assert_eq!(item.state.as_str(), state);
            assert_eq!(item.iid.get(), 1);
        }
    }
}
