//! Names: when two spellings mean the same thing.
//!
//! Two names are equal when their match keys are. Aliases, written by hand, join names that no
//! rule of spelling could join. Nothing is merged by similarity: `web` and `web-api` may both
//! exist.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

/// Returns the key under which a name is compared: NFKC, lower case, letters and digits only.
///
/// `Web-Shop`, `web_shop` and `WebShop` share one. A name without any letter or digit has none.
pub fn match_key(name: &str) -> Option<String> {
    // NFKC again after lower-casing: folding may leave text that is not normalised (`İ`).
    let key: String =
        name.nfkc().flat_map(char::to_lowercase).nfkc().filter(|c| c.is_alphanumeric()).collect();
    (!key.is_empty()).then_some(key)
}

/// Aliases by tag key: which name a spelling stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Key, then match key of an alias or of the name itself, to the names it stands for.
    by_key: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Key, then match key of a name, to its aliases as written.
    aliases: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Names {
    /// Builds the table from `key -> name -> aliases`, as `[aliases.service]` writes it.
    pub fn new(aliases: &BTreeMap<String, BTreeMap<String, Vec<String>>>) -> Self {
        let mut names = Self::default();
        for (key, by_name) in aliases {
            let key = key.to_lowercase();
            for (name, spellings) in by_name {
                let Some(own) = match_key(name) else { continue };
                for spelling in std::iter::once(name).chain(spellings) {
                    let Some(folded) = match_key(spelling) else { continue };
                    let meant =
                        names.by_key.entry(key.clone()).or_default().entry(folded).or_default();
                    if !meant.contains(name) {
                        meant.push(name.clone());
                    }
                }
                names
                    .aliases
                    .entry(key.clone())
                    .or_default()
                    .entry(own)
                    .or_default()
                    .extend(spellings.iter().cloned());
            }
        }
        names
    }

    /// Returns the names that a spelling stands for: itself, unless aliases say otherwise. An
    /// ambiguous alias stands for all of its names.
    pub fn meant(&self, key: &str, spelling: &str) -> Vec<String> {
        let meant = match_key(spelling)
            .and_then(|folded| self.by_key.get(key).and_then(|names| names.get(&folded)));
        match meant {
            Some(names) => names.clone(),
            None => vec![spelling.to_owned()],
        }
    }

    /// Returns the aliases that configuration gives a name.
    pub fn aliases_of(&self, key: &str, name: &str) -> Vec<String> {
        match_key(name)
            .and_then(|folded| self.aliases.get(key).and_then(|names| names.get(&folded)))
            .cloned()
            .unwrap_or_default()
    }

    /// True when configuration names this value, so that its spelling is settled.
    pub fn is_configured(&self, key: &str, name: &str) -> bool {
        match_key(name)
            .is_some_and(|folded| self.aliases.get(key).is_some_and(|n| n.contains_key(&folded)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_share_a_match_key() {
        for spelling in ["Web-Shop", "web_shop", "WebShop", "web shop", "ｗｅｂshop", "web.shop"]
        {
            assert_eq!(match_key(spelling).as_deref(), Some("webshop"), "{spelling}");
        }
    }

    #[test]
    fn a_name_without_letters_or_digits_has_no_match_key() {
        assert_eq!(match_key("--"), None);
        assert_eq!(match_key(""), None);
    }

    #[test]
    fn letters_of_every_script_count() {
        assert_eq!(match_key("Été-7").as_deref(), Some("été7"));
        assert_eq!(match_key("结帐").as_deref(), Some("结帐"));
    }

    #[test]
    fn aliases_lead_to_the_name_and_back() {
        let names = Names::new(&BTreeMap::from([(
            "service".to_owned(),
            BTreeMap::from([
                ("webshop".to_owned(), vec!["shop-web".to_owned(), "cart".to_owned()]),
                ("basket".to_owned(), vec!["cart".to_owned()]),
            ]),
        )]));
        assert_eq!(names.meant("service", "Shop Web"), ["webshop"]);
        assert_eq!(names.meant("service", "WEB-SHOP"), ["webshop"]);
        assert_eq!(names.meant("service", "Cart"), ["basket", "webshop"]);
        assert_eq!(names.meant("service", "other"), ["other"]);
        assert_eq!(names.meant("team", "cart"), ["cart"]);
        assert_eq!(names.aliases_of("service", "webshop"), ["shop-web", "cart"]);
    }
}
