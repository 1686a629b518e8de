//! Names of fields: which words mean a service, a team, a severity.
//!
//! Authors write `**Affected Service(s):**`, `owning_team` or `:fire: Severity?`, so names are
//! compared after all decoration is gone. A name that the table does not hold is no field: lines
//! such as `Note:` are frequent in prose.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// The longest name in words; what is longer before a colon is a sentence.
const WORDS_MAX: usize = 5;

/// Characters of the longest name worth comparing.
const CHARS_MAX: usize = 80;

/// The names that are known without configuration, by key.
const DEFAULTS: [(&str, &[&str]); 6] = [
    (
        "service",
        &[
            "service",
            "services",
            "affected service",
            "affected services",
            "impacted service",
            "impacted services",
            "service name",
            "system",
            "systems",
            "affected system",
            "affected systems",
            "application",
            "applications",
            "affected application",
            "affected applications",
            "app",
            "apps",
            "product",
            "products",
        ],
    ),
    (
        "component",
        &[
            "component",
            "components",
            "affected component",
            "affected components",
            "impacted component",
            "impacted components",
        ],
    ),
    (
        "team",
        &[
            "team",
            "teams",
            "owning team",
            "owning teams",
            "responsible team",
            "responsible teams",
            "squad",
            "owning squad",
            "responsible squad",
            "owner",
            "team owner",
            "service owner",
        ],
    ),
    ("severity", &["severity", "sev", "severity level", "incident severity"]),
    ("priority", &["priority", "prio"]),
    (
        "environment",
        &["environment", "environments", "env", "affected environment", "affected environments"],
    ),
];

static CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(":[a-z0-9_+-]+:").expect("the pattern is fixed"));

/// Returns the default table, from name to key.
pub(super) fn defaults() -> BTreeMap<String, String> {
    let pairs =
        DEFAULTS.iter().flat_map(|(key, names)| names.iter().map(move |name| (*name, *key)));
    pairs.map(|(name, key)| (name.to_owned(), key.to_owned())).collect()
}

/// Returns a name without its decoration, for comparing. `None` when it is too long to be one.
pub(in crate::extract) fn normalised(name: &str) -> Option<String> {
    if name.len() > CHARS_MAX * 4 || name.chars().count() > CHARS_MAX {
        return None;
    }
    let name = CODE.replace_all(name, " ");
    let mut name: String = name.nfkc().flat_map(char::to_lowercase).collect();
    // Before the emphasis goes, which may stand on either side of these.
    loop {
        let length = name.len();
        name.truncate(
            name.trim_end_matches(|c: char| c.is_whitespace() || ":?*_`".contains(c)).len(),
        );
        if name.ends_with(')')
            && let Some(open) = name.rfind('(')
        {
            // `service(s)`: the plural in parentheses says nothing.
            name.truncate(open);
        }
        if name.len() == length {
            break;
        }
    }
    let numberless = name.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    let name = match numberless.strip_prefix(['.', ')']) {
        Some(rest) if numberless.len() < name.trim_start().len() => rest,
        Some(_) | None => &name,
    };
    let separated = name.replace(['_', '-', '*', '`', '#', '"', '~', '[', ']'], " ");
    let plain = separated.replace(|c: char| !c.is_ascii() && !c.is_alphanumeric(), " ");
    let words: Vec<_> = plain.split_whitespace().collect();
    (1..=WORDS_MAX).contains(&words.len()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoration_of_a_name_does_not_count() {
        let cases = [
            ("Service", Some("service")),
            ("  Affected   Service(s): ", Some("affected service")),
            ("**Affected services:**", Some("affected services")),
            ("`owning_team`", Some("owning team")),
            ("Affected-Component", Some("affected component")),
            (":fire: Severity", Some("severity")),
            ("🔥 Severity 🔥", Some("severity")),
            ("Environment (optional)", Some("environment")),
            ("Environment (optional):", Some("environment")),
            ("Service?", Some("service")),
            ("1. Service", Some("service")),
            ("2) Team", Some("team")),
            ("ＳＥＲＶＩＣＥ", Some("service")),
            ("", None),
            ("***", None),
            ("a b c d e f", None),
        ];
        for (name, expected) in cases {
            assert_eq!(normalised(name).as_deref(), expected, "{name:?}");
        }
        assert_eq!(normalised(&"x".repeat(100)), None);
    }

    #[test]
    fn default_names_are_written_as_they_are_compared() {
        for name in defaults().keys() {
            assert_eq!(normalised(name).as_deref(), Some(name.as_str()));
        }
    }
}
