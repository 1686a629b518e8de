//! The truth as JSON, for readers in other languages.
//!
//! A reference is two words, which JSON cannot use as one key: `references` is a map by kind, then
//! by id, then by item, to the places.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::{Place, Reference};

type Items = BTreeMap<String, BTreeSet<Place>>;

/// Writes references by kind and id.
pub(super) fn references<S: Serializer>(
    references: &BTreeMap<Reference, Items>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut kinds: BTreeMap<&str, BTreeMap<&str, &Items>> = BTreeMap::new();
    for (reference, items) in references {
        kinds.entry(reference.kind).or_default().insert(&reference.id, items);
    }
    kinds.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Truth;

    #[test]
    fn a_truth_is_written_with_references_by_kind_and_id() {
        let mut truth = Truth::default();
        let reference = Reference { kind: "jira", id: "SHOP-1".to_owned() };
        let items = Items::from([("acme/web#4".to_owned(), BTreeSet::from([Place::Title]))]);
        truth.references.insert(reference, items);
        let json = serde_json::to_value(&truth).unwrap();
        assert_eq!(json["references"]["jira"]["SHOP-1"]["acme/web#4"][0], "title");
        assert_eq!(json["tags"], serde_json::json!({}));
    }
}
