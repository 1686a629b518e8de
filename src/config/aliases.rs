//! `[aliases.KEY]`: names that mean the same, per key of a tag.
//!
//! It refuses nothing but empty names. One alias may stand under several names: which of them is
//! meant is for `correlate` to answer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::section::Section;
use super::show::Toml;

/// The sections `[aliases.…]`: key of a tag, then name, then its aliases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Aliases(pub BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Aliases {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut keys = BTreeMap::new();
        for key in section.keys() {
            let names = section.read(&key, |names| {
                let mut read = BTreeMap::new();
                for name in names.keys() {
                    let aliases = names.parse_each(&name, |alias| {
                        if alias.is_empty() {
                            return Err("an alias may not be empty".to_owned());
                        }
                        Ok(alias.to_owned())
                    });
                    read.insert(name, aliases);
                }
                read
            });
            keys.insert(key.to_lowercase(), names);
        }
        Self(keys)
    }

    pub(super) fn show(&self, toml: &mut Toml) {
        for (key, names) in &self.0 {
            toml.header(&format!("[aliases.{}]", super::show::quote_key(key)));
            for (name, aliases) in names {
                toml.texts(name, aliases);
            }
        }
    }
}
