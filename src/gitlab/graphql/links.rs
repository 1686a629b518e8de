//! How an issue stands to others, as GraphQL shows it beside the issue.
//!
//! These fields are younger than those of the issue itself, and one of them is an experiment of
//! GitLab's: where a GitLab lacks one, the pages of issues are asked without them. What fails or is
//! hidden leaves the issue whole. Why no field of merge requests is asked: `docs/adr/0016`.

use serde::Deserialize;

use super::global_id;
use super::row::Connection;
use crate::gitlab::wire::lenient::text;
use crate::model::{ItemId, ItemKind, Link, LinkKind, LinkTarget, ShownLinks};

/// The fields of links that an issue has; all are absent on a merge request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkFields {
    #[serde(default)]
    moved_to: Option<Far>,
    #[serde(default)]
    closed_as_duplicate_of: Option<Far>,
    #[serde(default)]
    linked_work_items: Option<Connection<Linked>>,
}

/// The names of the fields, as they stand in the path of an error.
pub(super) const FIELDS: [&str; 3] = ["movedTo", "closedAsDuplicateOf", "linkedWorkItems"];

#[derive(Debug, Deserialize)]
struct Far {
    #[serde(default, deserialize_with = "text")]
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Linked {
    #[serde(default, deserialize_with = "text")]
    link_type: String,
    #[serde(default)]
    work_item: Option<Far>,
}

impl LinkFields {
    /// Returns the links. A linked item that we may not see is not shown; what has no known type
    /// makes the rest incomplete, as a page that does not hold all does.
    pub(super) fn into_links(self) -> ShownLinks {
        let one = |kind, far: Option<Far>| Some(Link { kind, to: far?.target()? });
        let mut links = Vec::new();
        links.extend(one(LinkKind::MovedTo, self.moved_to));
        links.extend(one(LinkKind::DuplicateOf, self.closed_as_duplicate_of));
        let Some(page) = self.linked_work_items else {
            return ShownLinks { links, relations: false };
        };
        let has_more = page.has_more();
        let Some(rows) = page.nodes else { return ShownLinks { links, relations: false } };
        let mut relations = !has_more;
        for row in rows.into_iter().flatten() {
            let kind = LinkKind::parse(&row.link_type.to_lowercase());
            match kind.filter(|kind| kind.is_relation()) {
                Some(kind) => links.extend(one(kind, row.work_item)),
                None => relations = false,
            }
        }
        ShownLinks { links, relations }
    }
}

impl Far {
    fn target(&self) -> Option<LinkTarget> {
        let id = ItemId::new(global_id::read(&self.id)?);
        Some(LinkTarget::Id { kind: ItemKind::Issue, id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(fields: Value) -> ShownLinks {
        serde_json::from_value::<LinkFields>(fields).expect("fields").into_links()
    }

    fn link(kind: LinkKind, id: i64) -> Link {
        Link { kind, to: LinkTarget::Id { kind: ItemKind::Issue, id: ItemId::new(id) } }
    }

    #[test]
    fn issue_shows_where_it_went_what_it_repeats_and_what_it_is_linked_with() {
        let shown = read(json!({
            "movedTo": {"id": "gid://gitlab/Issue/4"},
            "closedAsDuplicateOf": {"id": "gid://gitlab/Issue/5"},
            "linkedWorkItems": {"pageInfo": {"hasNextPage": false}, "nodes": [
                {"linkType": "relates_to", "workItem": {"id": "gid://gitlab/WorkItem/6"}},
                {"linkType": "is_blocked_by", "workItem": {"id": "gid://gitlab/WorkItem/7"}},
            ]},
        }));
        let links = vec![
            link(LinkKind::MovedTo, 4),
            link(LinkKind::DuplicateOf, 5),
            link(LinkKind::RelatesTo, 6),
            link(LinkKind::IsBlockedBy, 7),
        ];
        assert_eq!(shown, ShownLinks { links, relations: true });
    }

    #[test]
    fn what_is_hidden_cut_or_unknown_never_makes_links_complete() {
        let hidden = json!({"linkType": "blocks", "workItem": null});
        for (fields, relations) in [
            (json!({}), false),
            (json!({"movedTo": null, "linkedWorkItems": null}), false),
            (json!({"linkedWorkItems": {"nodes": null}}), false),
            (json!({"linkedWorkItems": {"nodes": [], "pageInfo": {"hasNextPage": true}}}), false),
            (json!({"linkedWorkItems": {"nodes": [{"linkType": "haunts"}]}}), false),
            (json!({"linkedWorkItems": {"nodes": [null, hidden]}}), true),
        ] {
            assert_eq!(read(fields.clone()), ShownLinks { links: vec![], relations }, "{fields}");
        }
    }
}
