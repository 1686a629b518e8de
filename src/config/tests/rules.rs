//! The section `[rules]`: what is read, and what is refused.

use super::*;

/// A rule before the wrong one, so that the index counts.
const GOOD: &str = "[[rules.label]]\npattern = \"^a/(?<value>.+)$\"\nkey = \"service\"\n";

#[test]
fn wrong_rules_are_refused_with_section_index_pattern_and_reason() {
    for (text, words) in [
        (
            "[[rules.label]]\npattern = \"^svc/(?<value>.+\"\nkey = \"service\"",
            ["rules.label[1].pattern", "^svc/(?<value>.+", "unclosed group"],
        ),
        (
            "[[rules.label]]\npattern = \"^svc/(.+)$\"\nkey = \"service\"",
            ["rules.label[1].pattern", "^svc/(.+)$", "(?<value>"],
        ),
        (
            "[[rules.topic]]\npattern = \"^svc-.+$\"\nkey = \"service\"",
            ["rules.topic[0].pattern", "^svc-.+$", "(?<value>"],
        ),
        (
            "[[rules.topic]]\npattern = \"(?<value>a)\"\nkey = \"My Key\"",
            ["rules.topic[0].key", "My Key", "lower-case"],
        ),
        ("[[rules.field]]\nkey = \"service\"", ["rules.field[0].name", "missing", "field"]),
        (
            "[[rules.reference]]\nkind = \"incident\"\npattern = \"INC-[0-9\"",
            ["rules.reference[0].pattern", "INC-[0-9", "unclosed character class"],
        ),
        (
            "[[rules.reference]]\nkind = \"incident\"\npattern = \"a*\"",
            ["rules.reference[0].pattern", "a*", "empty text"],
        ),
        (
            "[[rules.reference]]\nkind = \"incident\"\npattern = \"a{1000}{1000}b{1000}\"",
            ["rules.reference[0].pattern", "a{1000}", "too large"],
        ),
        (
            "[[rules.reference]]\nkind = \"An Incident\"\npattern = \"a\"",
            ["rules.reference[0].kind", "An Incident", "lower-case"],
        ),
        (
            "[[rules.reference]]\nkind = \"i\"\npattern = \"I-([0-9]+)\"\nid = \"I-{2}\"",
            ["rules.reference[0].id", "{2}", "not a group"],
        ),
        (
            "[[rules.reference]]\nkind = \"i\"\npattern = \"I-([0-9]+)\"\nid = \"I\"",
            ["rules.reference[0].id", "names no group", "{1}"],
        ),
        (
            "[[rules.reference]]\nkind = \"i\"\npattern = \"I\"\nurl = \"status/{id}\"",
            ["rules.reference[0].url", "https://", "http://"],
        ),
        (
            "[[rules.reference]]\nkind = \"i\"\npattern = \"I\"\nurl = \"https://x/{nr}\"",
            ["rules.reference[0].url", "{id} once", "no other"],
        ),
    ] {
        expect_problem(&format!("{GOOD}{text}\n"), &words);
    }
}

#[test]
fn wrong_paths_owners_prefixes_and_hosts_are_refused_with_the_reason() {
    for (text, words) in [
        (
            "[[rules.path]]\nproject = \"shop/mono\"\npath = \"services/\"",
            ["rules.path[0].path", "{service}", "must hold"],
        ),
        (
            "[[rules.path]]\nproject = \"shop/mono\"\npath = \"{service}/{team}/\"",
            ["rules.path[0].path", "more than one", "keep one"],
        ),
        (
            "[[rules.path]]\nproject = \"shop/mono\"\npath = \"{service}/\"\nservice = \"a\"",
            ["rules.path[0].path", "beside it", "keep one"],
        ),
        (
            "[[rules.owner]]\nowner = \"platform\"\nteam = \"platform\"",
            ["rules.owner[0].owner", "@shop/platform", "CODEOWNERS"],
        ),
        ("[rules.prefixes]\njira = [\"WEB-1\"]", ["rules.prefixes.jira", "WEB-1", "prefix"]),
        (
            "[rules.prefixes]\njira = [\"WEB\"]\nlinear = [\"web\"]",
            ["rules.prefixes.linear", "WEB", "`jira`"],
        ),
        ("[rules.prefixes]\njirra = [\"WEB\"]", ["rules.prefixes.jirra", "unknown", "`jira`"]),
        (
            "[rules.hosts]\njira = [\"https://jira.example.com\"]",
            ["rules.hosts.jira", "https://jira.example.com", "without https://"],
        ),
    ] {
        expect_problem(&format!("{GOOD}{text}\n"), &words);
    }
}

#[test]
fn an_id_is_built_from_the_groups_of_its_pattern() {
    let rule = |id: &str| {
        format!("[[rules.reference]]\nkind = \"i\"\npattern = '(?<a>x)(y)'\nid = \"{id}\"\n")
    };
    for id in ["{0}", "{1}", "{a}", "{2^}", "A-{1_}{2}", "{project}#{a}", "{group}/{1%}", "{1-}"] {
        assert!(load(&rule(id)).is_ok(), "{id}");
    }
    for id in ["", "A", "{3}", "{b}", "{a^}", "{1!}", "{}", "{1", "{1}{", "{project}", "{-}"] {
        expect_problem(&rule(id), &["rules.reference[0].id"]);
    }
}

#[test]
fn rules_are_read_as_they_stand() {
    let config = load(
        "[rules]\ndefaults = false\n[[rules.reference]]\nkind = \"ticket\"\n\
         pattern = 'T-(?<n>\\d+)'\nid = \"{n}\"\nurl = \"https://t.example.com/{id}\"\n\
         [rules.prefixes]\njira = [\"web\", \"WEB\", \"OPS-\"]\nticket = [\"TK\"]\n\
         own_tracker = [\"OT\"]\n[rules.hosts]\njira = [\"Jira.Example.com/Base/\", \"[::1]:80\"]\n\
         [[rules.path]]\nproject = \"shop/*\"\npath = \"/services/{component}/\"\n\
         [aliases.service]\nwebshop = [\"web-shop\"]\n\"Big Shop\" = []\n",
    )
    .unwrap();
    let rules = &config.rules;
    assert!(!rules.defaults);
    assert_eq!(rules.references[0].id.as_deref(), Some("{n}"));
    assert_eq!(rules.prefixes["jira"], ["WEB", "OPS"]);
    assert_eq!(rules.prefixes["ticket"], ["TK"]);
    assert_eq!(rules.prefixes["own_tracker"], ["OT"]);
    assert_eq!(rules.hosts["jira"], ["jira.example.com/Base", "[::1]:80"]);
    assert_eq!(rules.paths[0].path, "services/{component}/");
    assert_eq!(rules.paths[0].key(), "component");
    assert!(rules.paths[0].project.matches("shop/mono"));
    assert_eq!(config.aliases.0["service"]["webshop"], ["web-shop"]);
}
