//! Templates: which was used, and what is its own.

use super::*;
use crate::extract::Settings;

const TEMPLATE: &str = "## Summary\n\n<!-- what? WEB-9 -->\n\n## Affected service\n\n\
    Name the service here\n\n## Details\n\n- Severity: S3\n- Team:\n- Runbook: \
    https://runbooks.acme.example/incidents\n\n## Checklist\n\n- [ ] Announce in #12\n\
    - [ ] See https://acme.pagerduty.com/incidents/PT4KHLK\n\n/label ~incident\n";

fn read(templates: &[&str], text: &str) -> (Vec<String>, Vec<String>) {
    let settings = Settings {
        prefixes: BTreeMap::from([("jira".to_owned(), vec!["WEB".to_owned()])]),
        ..Settings::default()
    };
    let references = References::new(&settings).expect("the settings compile");
    let fields = Fields::new(&Fields::default_names());
    let templates: Vec<_> = templates.iter().map(|content| Template::new(content)).collect();
    let context = Context { project: "acme/web" };
    let (mentions, fields) = read_description(&references, &fields, &templates, text, &context);
    let mentions = mentions.into_iter().map(|m| m.reference.to_string()).collect();
    (mentions, fields.into_iter().map(|f| format!("{}={}", f.key, f.value)).collect())
}

#[test]
fn untouched_template_says_nothing() {
    assert_eq!(read(&[TEMPLATE], TEMPLATE), (vec![], vec![]));
    let respaced = TEMPLATE.replace('\n', "  \r\n").replace("## Details", "##  Details ");
    assert_eq!(read(&[TEMPLATE], &respaced), (vec![], vec![]));
}

#[test]
fn what_the_author_adds_is_read() {
    let text = TEMPLATE
        .replace("<!-- what? WEB-9 -->", "Broken since WEB-1, see #12")
        .replace("Name the service here", "Name the service here\n\nwebshop")
        .replace("Severity: S3", "Severity: S1")
        .replace("- Team:", "- Team: platform");
    let (mentions, fields) = read(&[TEMPLATE], &text);
    assert_eq!(mentions, ["jira:WEB-1", "gitlab_issue:acme/web#12"]);
    assert_eq!(fields, ["service=webshop", "severity=S1", "team=platform"]);
}

#[test]
fn value_may_replace_the_hint_of_the_template() {
    let text = TEMPLATE.replace("Name the service here", "webshop");
    assert_eq!(read(&[TEMPLATE], &text).1, ["service=webshop"]);
}

#[test]
fn ticked_box_is_still_the_line_of_the_template() {
    let text = TEMPLATE.replace("[ ]", "[x]");
    assert_eq!(read(&[TEMPLATE], &text).0, [""; 0]);
    // Nor does a changed line make its reference the author's.
    let text = TEMPLATE.replace("Announce in #12", "Announced in #12");
    assert_eq!(read(&[TEMPLATE], &text).0, [""; 0]);
}

#[test]
fn list_of_options_counts_once_it_was_shortened() {
    let template = "## Summary\n\n## Affected services\n\n- webshop\n- basket\n- search\n";
    assert_eq!(read(&[template], template).1, [""; 0]);
    let chosen = template.replace("- basket\n- search\n", "");
    assert_eq!(read(&[template], &chosen).1, ["service=webshop"]);
    let boxes = "## Summary\n\n## Affected services\n\n- [ ] webshop\n- [x] basket\n";
    assert_eq!(read(&[boxes], boxes).1, [""; 0]);
    let ticked = boxes.replace("[ ]", "[x]");
    assert_eq!(read(&[boxes], &ticked).1, ["service=webshop", "service=basket"]);
}

#[test]
fn free_description_keeps_what_a_template_says_too() {
    let text = "Announce in #12\n\nSeverity: S3";
    let expected = (vec!["gitlab_issue:acme/web#12".to_owned()], vec!["severity=S3".to_owned()]);
    assert_eq!(read(&[TEMPLATE], text), expected);
    assert_eq!(read(&[], text), expected);
    assert_eq!(read(&["", "## Summary\n\nsee #12"], text), expected);
}

#[test]
fn description_is_known_by_the_headings_of_its_template() {
    let made = |template: &str, text: &str| Template::new(template).made(text);
    let cases = [
        (TEMPLATE, "## Summary\n\n## Affected service:\n\nx\n\n## other", true),
        (TEMPLATE, "## Summary\n\nx", false),
        ("## Summary\n\nSay why", "## Summary\n\nx", false),
        ("## Summary\n\nSay why", "## Summary\n\nx\n\nSay  why", true),
        ("## Summary", "# summary\n\nx", true),
        ("Service:\nTeam:", "Service: web", true),
        ("Service:\nTeam:\nImpact:", "Service: web", false),
        ("Please check the guide", "Please check the guide\nx", true),
        ("Please check the guide", "x", false),
        ("", "", false),
        ("", "x", false),
        ("<!-- only a comment -->", "x", false),
    ];
    for (template, text, expected) in cases {
        assert_eq!(made(template, text), expected, "{template:?} {text:?}");
    }
}

#[test]
fn row_of_a_table_counts_once_it_was_filled() {
    let template = "## Scope\n\n## Impact\n\n| Service | Impact |\n|---|---|\n| name | high |\n";
    assert_eq!(read(&[template], template).1, [""; 0]);
    let filled = template.replace("| name | high |", "| webshop | high |");
    assert_eq!(read(&[template], &filled).1, ["service=webshop"]);
}

#[test]
fn comment_of_a_template_stays_a_comment() {
    let template = "- <!-- ## Team\nService: webshop\n";
    assert_eq!(read(&[template], template).1, [""; 0]);
    let template = "## A\n\n## B\n\n```\nService: x\n```\n";
    assert_eq!(read(&[template], &template.replace(": x", ": webshop")).1, [""; 0]);
}
