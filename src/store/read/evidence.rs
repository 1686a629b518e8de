//! Tags and references of items, each with why.

use super::Visibility;
use crate::store::{Error, Store};

/// A tag that an item carries.
#[derive(Debug, Clone)]
pub struct ItemTagRow {
    /// The item's key.
    pub item: i64,
    /// The tag's key in the store.
    pub tag: i64,
    /// Tag key.
    pub key: String,
    /// Tag value as shown.
    pub value: String,
    /// True when its project hands it down.
    pub inherited: bool,
}

/// Why an item itself carries a tag.
#[derive(Debug, Clone)]
pub struct TagEvidenceRow {
    /// The item's key.
    pub item: i64,
    /// The tag's key in the store.
    pub tag: i64,
    /// The way.
    pub via: String,
    /// The place.
    pub location: String,
    /// The text.
    pub text: String,
    /// The rule.
    pub rule: String,
}

/// Why an item mentions a reference.
#[derive(Debug, Clone)]
pub struct ItemEvidence {
    /// The item's key.
    pub item: i64,
    /// Kind of the reference.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// GitLab's id of the comment, 0 for the item's own texts.
    pub note: i64,
    /// The place.
    pub location: String,
    /// The text.
    pub text: String,
    /// The rule.
    pub rule: String,
}

impl Store {
    /// Lists the tags of items. `items` is a JSON array of keys.
    pub async fn list_item_tags(&self, items: &str) -> Result<Vec<ItemTagRow>, Error> {
        sqlx::query_as!(
            ItemTagRow,
            r#"select g.item_id as "item!", g.tag_id as "tag!", t.key as "key!",
                t.value as "value!", g.inherited as "inherited!: bool"
            from json_each(?1) as j join item_tag as g on g.item_id = j.value
            join tag as t on t.id = g.tag_id
            order by g.item_id, t.key, t.match_key"#,
            items,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading the tags of items", source })
    }

    /// Lists why items carry their own tags. `items` is a JSON array of keys.
    pub async fn list_tag_evidence(&self, items: &str) -> Result<Vec<TagEvidenceRow>, Error> {
        sqlx::query_as!(
            TagEvidenceRow,
            r#"select e.item_id as "item!", e.tag_id as "tag!", e.via as "via!",
                e.location as "location!", e.text as "text!", e.rule as "rule!"
            from json_each(?1) as j join item_tag_evidence as e on e.item_id = j.value
            order by e.item_id, e.tag_id, e.ordinal"#,
            items,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading the evidence of tags", source })
    }

    /// Lists what items mention and where. `items` is a JSON array of keys.
    pub async fn list_reference_evidence(
        &self,
        items: &str,
        visibility: &Visibility,
    ) -> Result<Vec<ItemEvidence>, Error> {
        sqlx::query_as!(
            ItemEvidence,
            r#"select e.item_id as "item!", r.kind as "kind!", r.ref as "id!",
                e.note_gitlab_id as "note!", e.location as "location!", e.text as "text!",
                e.rule as "rule!"
            from json_each(?1) as j join reference_evidence as e on e.item_id = j.value
            join reference as r on r.id = e.reference_id
            where (?2 or e.internal = 0)
            order by e.item_id, r.kind, r.ref, e.note_gitlab_id, e.ordinal"#,
            items,
            visibility.confidential,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading the evidence of references", source })
    }
}
