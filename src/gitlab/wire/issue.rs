//! Issues of every type.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{UserName, flag, moment, names, some_flag, some_number, some_text, text};
use super::{Wire, absent};
use crate::model::{
    Iid, Item, ItemId, ItemKind, ItemState, Link, LinkKind, LinkTarget, ProjectId, ShownLinks,
};

/// An issue as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct Issue {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
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
    #[serde(default, deserialize_with = "some_flag")]
    closed: Option<bool>,
    #[serde(default, deserialize_with = "flag")]
    confidential: bool,
    #[serde(default, rename = "issue_type", deserialize_with = "some_text")]
    type_word: Option<String>,
    /// The same in upper case; some versions send only this.
    #[serde(default, rename = "type", deserialize_with = "some_text")]
    type_constant: Option<String>,
    #[serde(default)]
    author: UserName,
    #[serde(default, deserialize_with = "names")]
    labels: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    web_url: String,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    closed_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "some_number")]
    user_notes_count: Option<i64>,
    #[serde(default, deserialize_with = "some_number")]
    moved_to_id: Option<i64>,
    #[serde(default, rename = "_links")]
    links: Value,
}

/// Reads an address of the API, such as `https://gitlab.example.com/api/v4/projects/1/issues/75`.
fn addressed(address: &str) -> Option<LinkTarget> {
    let (rest, iid) = address.rsplit_once("/issues/")?;
    let project = rest.rsplit_once("/projects/")?.1;
    Some(LinkTarget::Number {
        project: ProjectId::new(project.parse().ok()?),
        kind: ItemKind::Issue,
        iid: Iid::new(iid.parse().ok()?),
    })
}

/// Reads where an issue went and what it repeats. What it relates to costs a request of its own in
/// REST, and is read from what GitLab notes below it.
fn shown(moved_to: Option<i64>, links: &Value) -> ShownLinks {
    let moved = moved_to.map(|id| Link {
        kind: LinkKind::MovedTo,
        to: LinkTarget::Id { kind: ItemKind::Issue, id: ItemId::new(id) },
    });
    let repeats = links.get("closed_as_duplicate_of").and_then(Value::as_str).and_then(addressed);
    let repeats = repeats.map(|to| Link { kind: LinkKind::DuplicateOf, to });
    ShownLinks { links: moved.into_iter().chain(repeats).collect(), relations: false }
}

impl Wire for Issue {
    type Model = Item;

    fn into_model(self) -> Result<Item, serde_json::Error> {
        let id = self.id.ok_or_else(|| absent("id"))?;
        let created_at = self.created_at.or(self.updated_at).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Item {
            kind: ItemKind::Issue,
            id: ItemId::new(id),
            // Before GitLab counted per project, the id was the number.
            iid: Iid::new(self.iid.unwrap_or(id)),
            project: ProjectId::new(self.project_id.ok_or_else(|| absent("project_id"))?),
            title: self.title,
            description: self.description,
            state: ItemState::new(self.state.unwrap_or_else(|| {
                if self.closed == Some(true) { "closed" } else { "opened" }.to_owned()
            })),
            draft: false,
            confidential: self.confidential,
            issue_type: self
                .type_word
                .or(self.type_constant)
                .map_or_else(|| "issue".to_owned(), |word| word.to_lowercase()),
            author: self.author.0,
            labels: self.labels,
            source_branch: String::new(),
            web_url: self.web_url,
            created_at,
            updated_at: self.updated_at.or(self.closed_at).unwrap_or(created_at),
            closed_at: self.closed_at,
            merged_at: None,
            notes_count: self.user_notes_count.unwrap_or(0),
            links: shown(self.moved_to_id, &self.links),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn barest_issue_becomes_an_item() {
        let item = decode::<Issue>(br#"{"id":9,"iid":2,"project_id":7}"#).expect("an item");
        assert_eq!((item.id.get(), item.iid.get(), item.project.get()), (9, 2, 7));
        assert_eq!((item.state.as_str(), item.issue_type.as_str()), ("opened", "issue"));
        assert_eq!((item.description.as_str(), item.author.as_str()), ("", ""));
        assert_eq!(item.updated_at, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn nulls_unknown_words_and_label_objects_are_taken() {
        let item = decode::<Issue>(
            br#"{"id":9,"iid":2,"project_id":7,"description":null,"author":null,
                "confidential":null,"state":"snoozed","type":"INCIDENT","user_notes_count":null,
                "labels":[{"id":1,"name":"service::webshop"},"bug"],"closed_at":null,
                "created_at":"2026-08-04T11:51:58.172+02:00","weight":{"new":true}}"#,
        )
        .expect("an item");
        assert_eq!(item.state.as_str(), "snoozed");
        assert_eq!(item.issue_type, "incident");
        assert_eq!(item.labels, ["service::webshop", "bug"]);
        assert_eq!(item.created_at.to_string(), "2026-08-04T09:51:58.172Z");
        assert_eq!(item.updated_at, item.created_at);
    }

    #[test]
    fn issue_says_where_it_went_and_what_it_repeats() {
        let item = decode::<Issue>(
            br#"{"id":9,"iid":2,"project_id":7,"moved_to_id":31,"_links":{"self":"x",
                "closed_as_duplicate_of":"https://gitlab.example.com/api/v4/projects/1/issues/75"}}"#,
        );
        let kind = ItemKind::Issue;
        let repeated = LinkTarget::Number { project: ProjectId::new(1), kind, iid: Iid::new(75) };
        let links = vec![
            Link { kind: LinkKind::MovedTo, to: LinkTarget::Id { kind, id: ItemId::new(31) } },
            Link { kind: LinkKind::DuplicateOf, to: repeated },
        ];
        assert_eq!(item.expect("an item").links, ShownLinks { links, relations: false });
        for links in [
            "null",
            "7",
            "{}",
            r#"{"closed_as_duplicate_of":null}"#,
            r#"{"closed_as_duplicate_of":"/projects/shop/issues/x"}"#,
        ] {
            let body =
                format!(r#"{{"id":9,"iid":2,"project_id":7,"moved_to_id":null,"_links":{links}}}"#);
            let item = decode::<Issue>(body.as_bytes()).expect("an item");
            assert_eq!(item.links, ShownLinks::default(), "{links}");
        }
    }

    #[test]
    fn issue_that_cannot_be_named_is_an_error() {
        for body in [r#"{"iid":2,"project_id":7}"#, r#"{"id":9,"iid":2}"#, r#"{"id":"JIRA-1"}"#] {
            assert!(decode::<Issue>(body.as_bytes()).is_err(), "{body}");
        }
    }
}
