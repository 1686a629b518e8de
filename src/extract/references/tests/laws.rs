//! Laws that hold for every text, tested on generated ones and on real ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use proptest::string::string_regex;

use super::super::*;
use crate::extract::{Fields, Template, read_description};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gitlab");

fn settings() -> Settings {
    let map = |key: &str, names: &[&str]| {
        BTreeMap::from([(
            key.to_owned(),
            names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>(),
        )])
    };
    Settings {
        prefixes: map("jira", &["WEB", "OPS"]),
        hosts: map("kibana", &["kibana.acme.example"]),
        sentry_projects: vec!["checkout-api".to_owned()],
        ..Settings::default()
    }
}

fn references(custom: Vec<CustomReference>) -> References {
    References::new(&Settings { custom, ..settings() }).expect("the settings compile")
}

/// Texts of parts that rules look at, in any order.
fn texts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("WEB-12"),
        Just("OPS-1"),
        Just("#12"),
        Just("!3"),
        Just("&4"),
        Just("acme/api"),
        Just("https://acme.pagerduty.com/incidents/PT4KHLK"),
        Just("https://"),
        Just("`"),
        Just("```\n"),
        Just("<!--"),
        Just("-->"),
        Just("["),
        Just("]("),
        Just(")"),
        Just("_"),
        Just("**"),
        Just("\\"),
        Just(" "),
        Just("\n"),
        Just("\n\n"),
        Just("\n    "),
        Just("- "),
        Just("é"),
        Just("、"),
        Just("🔥"),
        Just("\u{200b}"),
        Just("arn:aws:s3:::b"),
        Just("commit 1a2b3c4"),
        Just("CVE-2024-1234"),
        Just("INC0010023"),
        Just("deploy/web"),
        Just("Closes "),
        Just(", "),
        Just("/"),
        Just("^alert#1"),
        Just("@9ba12248"),
        Just("CHECKOUT-API-2ZT"),
        Just("a.b.svc"),
        Just("[issue:1]"),
        Just("\r\n"),
        Just("Service: "),
        Just("## Team\n"),
        Just("| Service | a |\n"),
        Just("---\n"),
        Just("[x] "),
        Just("0123456789abcdef0123456789abcdef01234567"),
        Just("%20"),
        Just("projects/acme-prod/topics/x"),
        Just(
            "/subscriptions/0f3c1a2b-1111-2222-3333-444455556666/resourceGroups/r/providers/M.W/s/x"
        ),
        Just("<br>"),
        Just("<pre>"),
        Just("</pre>"),
        Just("'\"“"),
        Just("\0"),
        Just("{{ x }}"),
        Just("*"),
    ];
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// Failures are told, not written into the source tree.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn sound(text: &str, mentions: &[Mention]) -> Result<(), TestCaseError> {
    let mut seen = BTreeSet::new();
    for mention in mentions {
        prop_assert!(text.get(mention.span.clone()).is_some_and(|part| !part.is_empty()));
        prop_assert!(seen.insert(mention.reference.clone()), "{} twice", mention.reference);
        prop_assert!(!mention.reference.id.is_empty());
        let quote = mention.quote(text);
        prop_assert!(!quote.chars().any(char::is_control) && quote.chars().count() < 400);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_text_is_read_without_panic_and_spans_lie_inside(text in texts(), any in "(?s).{0,80}") {
        let references = cached();
        let context = Context { project: "acme/web" };
        let fields = Fields::new(&Fields::default_names());
        for text in [&text, &any] {
            for kind in [TextKind::Markdown, TextKind::Title, TextKind::Branch, TextKind::Commit] {
                sound(text, &references.read(text, kind, &context))?;
            }
            sound(text, &references.read_query(text))?;
            for field in fields.read(text).into_iter().chain(fields.read_none(text)) {
                prop_assert!(text.get(field.span.clone()).is_some_and(|part| !part.is_empty()));
                prop_assert!(!field.value.is_empty() && !field.key.is_empty());
            }
            let template = Template::new(text);
            let (mentions, filled) =
                read_description(references, &fields, std::slice::from_ref(&template), text, &context);
            if template.made(text) {
                prop_assert!(mentions.is_empty() && filled.is_empty(), "{mentions:?} {filled:?}");
            }
        }
    }

    #[test]
    fn unrelated_rule_changes_nothing(text in texts()) {
        let rule = CustomReference {
            kind: "other".to_owned(),
            pattern: "[A-Z]+-?[0-9]+|#[0-9]+|Closes".to_owned(),
            ..CustomReference::default()
        };
        let with = with_rule(rule);
        let context = Context { project: "acme/web" };
        for kind in [TextKind::Markdown, TextKind::Branch] {
            let mut read = with.read(&text, kind, &context);
            read.retain(|mention| mention.reference.kind != "other");
            let expected = cached().read(&text, kind, &context);
            let ids = |m: &[Mention]| m.iter().map(|m| (m.reference.clone(), m.span.clone(), m.certain)).collect::<Vec<_>>();
            prop_assert_eq!(ids(&read), ids(&expected));
        }
    }

    #[test]
    fn surrounding_prose_changes_no_mention(before in "[a-z ,.\n]{0,40}", after in "[a-z ,.\n]{0,40}") {
        let text = format!("{before} \n\nWEB-12 {after}");
        let read = cached().read(&text, TextKind::Markdown, &Context::default());
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(&read[0].reference.id, "WEB-12");
    }
}

/// Compiling takes longer than reading, so the laws share one set of rules.
fn cached() -> &'static References {
    static REFERENCES: std::sync::LazyLock<References> =
        std::sync::LazyLock::new(|| references(vec![]));
    &REFERENCES
}

fn with_rule(rule: CustomReference) -> &'static References {
    static REFERENCES: std::sync::OnceLock<References> = std::sync::OnceLock::new();
    REFERENCES.get_or_init(|| references(vec![rule]))
}

/// Ids by kind, as patterns, for every kind of which addresses are read.
const IDS: [(&str, &str); 61] = [
    ("pagerduty_incident", "[PQR][A-Z0-9]{6,13}"),
    ("pagerduty_service", "P[A-Z0-9]{6}"),
    ("pagerduty_escalation_policy", "P[A-Z0-9]{6}"),
    ("pagerduty_postmortem", UUID),
    (
        "opsgenie_alert",
        concat!("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-", "[0-9]{13}"),
    ),
    ("opsgenie_incident", UUID),
    ("opsgenie_service", UUID),
    ("incident_io_incident", "INC-[1-9][0-9]{0,5}"),
    ("firehydrant_incident", UUID),
    ("rootly_incident", NUMBER),
    ("statuspage_incident", "[a-z0-9]{12}"),
    ("victorops_incident", "[a-z][a-z-]{1,9}/[1-9][0-9]{0,5}"),
    ("grafana_oncall_alert_group", "I[A-Z0-9]{12}"),
    ("grafana_incident", "[a-z]{2,9}\\.grafana\\.net/[1-9][0-9]{0,5}"),
    ("servicenow_number", "(INC|CHG|UR)[0-9]{7,10}"),
    ("servicenow_record", "[a-z_]{3,12}/[0-9a-f]{32}"),
    ("jira", "[A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,5}"),
    ("linear", "[A-Z0-9]{1,10}-[1-9][0-9]{0,5}"),
    ("youtrack", "[A-Z][A-Z0-9_]{0,9}-[1-9][0-9]{0,5}"),
    ("asana_task", "[1-9][0-9]{5,20}"),
    ("zendesk_ticket", "acme/[1-9][0-9]{0,5}"),
    ("freshdesk_ticket", "acme/[1-9][0-9]{0,5}"),
    ("sentry_issue", "[1-9][0-9]{2,10}"),
    ("sentry_short_id", "[A-Z][A-Z0-9-]{1,9}-[0-9A-HJKMNP-TV-Z]{1,6}"),
    ("rollbar_item", "[a-z]{2,9}/[a-z.]{2,9}/[1-9][0-9]{0,5}"),
    ("datadog_monitor", NUMBER),
    ("datadog_incident", NUMBER),
    ("datadog_dashboard", "[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}"),
    ("datadog_notebook", NUMBER),
    ("datadog_trace", "[0-9a-f]{16}|[0-9a-f]{32}"),
    ("datadog_service", "[a-z][a-z.-]{1,9}[a-z]"),
    ("newrelic_entity", "[A-Za-z0-9]{16,40}={0,2}"),
    ("grafana_dashboard", "[A-Za-z0-9][A-Za-z0-9_-]{1,38}[a-z]"),
    ("grafana_alert_rule", "[A-Za-z0-9][A-Za-z0-9_-]{1,38}"),
    ("grafana_short_url", "[A-Za-z0-9-]{5,39}[a-z]"),
    ("honeycomb_result", "[A-Za-z0-9]{8,12}"),
    ("honeycomb_trace", "[0-9a-f]{16,32}"),
    ("honeycomb_board", "[A-Za-z0-9]{8,12}"),
    ("kibana_short_url", "[A-Za-z0-9-]{5,40}"),
    ("kibana_dashboard", UUID),
    ("confluence_page", "[0-9]{1,12}"),
    ("notion_page", "[0-9a-f]{32}"),
    ("google_doc", "[A-Za-z0-9_-]{24}[a-z]"),
    ("sharepoint_file", "[A-Za-z0-9_-]{29}[a-z]"),
    ("slack_message", "[CDG][A-Z0-9]{8,12}/[0-9]{10}\\.[0-9]{6}"),
    ("slack_channel", "[CDG][A-Z0-9]{8,12}"),
    ("teams_message", "19:[0-9a-f]{32}@thread\\.(tacv2|skype)/[0-9]{13}"),
    ("github_issue", "[a-z]{1,9}/[a-z.-]{1,9}#[1-9][0-9]{0,5}"),
    ("github_pull", "[a-z]{1,9}/[a-z.-]{1,9}#[1-9][0-9]{0,5}"),
    ("github_commit", "[a-z]{1,9}/[a-z.-]{1,9}@[0-9a-f]{7,40}"),
    ("gitlab_issue", "[a-z]{1,9}(/[a-z][a-z.-]{1,9}){1,3}#[1-9][0-9]{0,8}"),
    ("gitlab_work_item", "[a-z]{1,9}(/[a-z][a-z.-]{1,9}){1,3}#[1-9][0-9]{0,8}"),
    ("gitlab_merge_request", "[a-z]{1,9}(/[a-z][a-z.-]{1,9}){1,3}![1-9][0-9]{0,8}"),
    ("gitlab_epic", "[a-z]{1,9}(/[a-z][a-z.-]{1,9}){0,3}&[1-9][0-9]{0,8}"),
    ("gitlab_commit", "[a-z]{1,9}(/[a-z][a-z.-]{1,9}){1,3}@[0-9a-f]{7,40}"),
    ("gitlab_alert", "[a-z]{1,9}(/[a-z][a-z.-]{1,9}){1,3}\\^alert#[1-9][0-9]{0,8}"),
    ("gitlab_vulnerability", "[a-z]{1,9}(/[a-z][a-z.-]{1,9}){1,3}/[1-9][0-9]{0,8}"),
    ("aws_lambda", "[a-z]{2}-[a-z]{4}-[1-9]/[A-Za-z0-9_-]{1,64}"),
    ("gcp_run", "[a-z]{2}-[a-z]{4}[1-9]/[a-z][a-z0-9-]{1,20}"),
    (
        "azure_resource",
        "/subscriptions/0f3c1a2b-1111-2222-3333-444455556666/resourcegroups/[a-z-]{1,9}/providers/microsoft\\.web/sites/[a-z]{1,9}",
    ),
    ("launchdarkly_flag", "[a-z]{1,9}/[a-z][a-z.-]{1,9}"),
];

const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const NUMBER: &str = "[1-9][0-9]{0,9}";

#[test]
fn address_of_an_id_reads_back_to_the_id() {
    let known: BTreeSet<_> = cached().catalogue.kinds();
    let tested: BTreeSet<_> = IDS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(known, tested, "every kind has ids to test");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for (kind, pattern) in IDS {
        let ids = string_regex(pattern).expect("the pattern makes strings");
        let law = |id: String| {
            prop_assert!(cached().kinds_of(&id).contains(&kind), "{kind} {id}");
            Ok(())
        };
        let result = runner.run(&ids, law);
        assert!(result.is_ok(), "{kind}: {result:?}");
    }
}

/// Texts that make careless engines take quadratic time.
fn hostile(length: usize) -> Vec<String> {
    let units = [
        "a",
        "a/",
        "A-",
        "1-",
        "#",
        "#1",
        "a#1b",
        "WEB-1x",
        "WEB-1/",
        "_",
        "-",
        ".",
        "https://",
        "https://a.b/(",
        "https://a.b/)",
        "arn:aws:a::",
        "CVE-2024-",
        "0",
        "f",
        "a@1",
        "commit ",
        "deploy/",
        "a.",
        ".svc",
        "projects/abcdef/topics/",
        "[issue:1](",
        "Closes #1, ",
        "Service: a\n",
        "## Service\n",
        "- Service:\n",
        "| Service |\n",
        "**",
        "Service: **a:** ",
        "Service: (",
        "/subscriptions/",
        "é",
        "`WEB-1` ",
        ",arn:",
        "**Service**\n",
        "## Service\n_x_\n\n",
        "a:b:",
    ];
    let mut texts: Vec<_> = units.iter().map(|unit| unit.repeat(length / unit.len())).collect();
    let mut mixed = String::new();
    for number in 0..length / 40 {
        let _ = writeln!(mixed, "sha256:{number:040x} WEB-{number} a/b#{number}!");
    }
    texts.push(mixed);
    texts
}

#[test]
fn hostile_texts_are_read_in_linear_time() {
    let fields = Fields::new(&Fields::default_names());
    let context = Context { project: "acme/web" };
    for text in hostile(200_000) {
        // Quadratic work on such a text takes minutes, and the runner ends it.
        let read = cached().read(&text, TextKind::Markdown, &context).len()
            + cached().read_query(&text).len()
            + cached().read(&text, TextKind::Branch, &context).len()
            + fields.read(&text).len();
        assert!(read <= text.len());
    }
}

#[test]
fn real_templates_say_nothing_about_items_made_from_them() {
    let templates = files(&Path::new(SHARED).join("templates"));
    if templates.is_empty() {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    }
    let fields = Fields::new(&Fields::default_names());
    let context = Context { project: "acme/web" };
    let mut count = 0;
    for content in templates {
        let template = Template::new(&content);
        let (mentions, filled) = read_description(
            cached(),
            &fields,
            std::slice::from_ref(&template),
            &content,
            &context,
        );
        if template.made(&content) {
            count += 1;
            assert!(
                mentions.is_empty() && filled.is_empty(),
                "{content}\n{mentions:?}\n{filled:?}"
            );
        }
        let added = format!("{content}\n\nBroken since WEB-12, see acme/api#7");
        let (mentions, _) = read_description(cached(), &fields, &[template], &added, &context);
        assert!(mentions.iter().any(|m| m.reference.id == "acme/api#7"), "{added}");
    }
    assert!(count > 100, "only {count} templates were recognised in their own text");
}

fn files(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "md") && !path.ends_with("SOURCE.md") {
            texts.extend(std::fs::read_to_string(&path).ok());
        }
    }
    texts
}
