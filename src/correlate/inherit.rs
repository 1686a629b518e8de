//! What a project hands down to its items.

use std::collections::{BTreeMap, BTreeSet};

/// Returns, of the tags that a project carries as `(key, match key)`, those its items inherit: the
/// ones whose key has exactly one value. A project with two services is a monorepo or shared, and
/// says nothing about which of them an item is about.
pub fn inherited<'a>(
    tags: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> BTreeSet<(&'a str, &'a str)> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, match_key) in tags {
        values.entry(key).or_default().insert(match_key);
    }
    values
        .into_iter()
        .filter(|(_, values)| values.len() == 1)
        .flat_map(|(key, values)| values.into_iter().map(move |value| (key, value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_one_value_is_handed_down_and_one_with_two_is_not() {
        let tags =
            [("service", "a"), ("service", "b"), ("team", "x"), ("team", "x"), ("tier", "1")];
        assert_eq!(inherited(tags), BTreeSet::from([("team", "x"), ("tier", "1")]));
    }
}
