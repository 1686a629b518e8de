//! The cases of the reference, and those beyond it.

mod laws;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;

const CASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/identifier-cases.json");

/// Returns a file that lies beside the checkout, or says that it does not.
fn shared(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        eprintln!("skipped: ../shared is not beside this checkout");
    }
    text
}

fn strings(value: &Value) -> Vec<String> {
    let values = value.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn every_case_of_the_reference_is_read_as_it_says() {
    let Some(text) = shared(CASES) else { return };
    let file: Value = serde_json::from_str(&text).expect("the case file is JSON");
    let references = References::new(&settings_of(&file["config"])).expect("the settings compile");
    let context = Context { project: file["config"]["context"]["project"].as_str().unwrap_or("") };
    let cases = file["cases"].as_array().expect("there are cases");
    assert!(cases.len() >= 235, "cases are missing");
    let mut failures = Vec::new();
    for case in cases {
        let text = case["text"].as_str().expect("a case has a text");
        let kind = match case["field"].as_str() {
            None => TextKind::Markdown,
            Some("title") => TextKind::Title,
            Some("branch") => TextKind::Branch,
            Some("commit") => TextKind::Commit,
            Some(other) => panic!("unknown field {other}"),
        };
        let expected: BTreeSet<String> = case["expected"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| {
                format!("{}:{}", e["kind"].as_str().unwrap_or(""), e["id"].as_str().unwrap_or(""))
            })
            .collect();
        let read: BTreeSet<String> =
            references.read(text, kind, &context).iter().map(|m| m.reference.to_string()).collect();
        if read != expected {
            failures.push(format!("{text:?} ({}): {read:?}, not {expected:?}", case["why"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn settings_of(config: &Value) -> Settings {
    let mut settings = Settings {
        gitlab_hosts: strings(&config["gitlab_hosts"]),
        sentry_projects: strings(&config["sentry_projects"]),
        ..Settings::default()
    };
    for (prefix, kind) in config["keys"].as_object().into_iter().flatten() {
        let kind = kind.as_str().unwrap_or("").to_owned();
        settings.prefixes.entry(kind).or_default().push(prefix.clone());
    }
    for (family, key) in [
        ("jira", "jira_hosts"),
        ("youtrack", "youtrack_hosts"),
        ("grafana", "grafana_hosts"),
        ("kibana", "kibana_hosts"),
        ("confluence", "confluence_hosts"),
        ("statuspage", "status_hosts"),
        ("sentry", "sentry_hosts"),
        ("runbook", "runbook_hosts"),
    ] {
        settings.hosts.insert(family.to_owned(), strings(&config[key]));
    }
    settings
}

/// The settings of the reference's cases, with a rule of one's own.
fn references() -> References {
    References::new(&settings()).expect("the settings compile")
}

fn settings() -> Settings {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let map = |pairs: &[(&str, &[&str])]| {
        pairs
            .iter()
            .map(|(key, names)| ((*key).to_owned(), list(names)))
            .collect::<BTreeMap<_, _>>()
    };
    Settings {
        gitlab_hosts: list(&["gitlab.acme.example", "127.0.0.1:8929", "dev.acme.example/gitlab"]),
        prefixes: map(&[
            ("jira", &["WEB", "OPS", "DB2", "MY_APP"]),
            ("linear", &["ENG"]),
            ("youtrack", &["YT"]),
            ("incident_io_incident", &["INC"]),
            ("servicenow_number", &["UR"]),
        ]),
        hosts: map(&[
            ("jira", &["jira.acme.example"]),
            ("grafana", &["grafana.acme.example"]),
            ("kibana", &["kibana.acme.example"]),
            ("confluence", &["wiki.acme.example"]),
            ("statuspage", &["status.acme.example"]),
            ("sentry", &["sentry.acme.example"]),
            ("runbook", &["runbooks.acme.example", "wiki.acme.example/ops"]),
        ]),
        sentry_projects: list(&["checkout-api", "apple-macos"]),
        custom: Vec::new(),
    }
}

fn found(references: &References, text: &str, kind: TextKind) -> Vec<String> {
    let context = Context { project: "acme/shop/web" };
    let mentions = references.read(text, kind, &context);
    mentions.into_iter().map(|mention| mention.reference.to_string()).collect()
}

#[test]
fn addresses_are_read_by_host_and_path() {
    let uuid = "652f14b3-019a-4d4c-8b83-e4da527a416c";
    let cases = [
        (format!("https://acme.app.opsgenie.com/incident/detail/{uuid}/x"), format!("opsgenie_incident:{uuid}")),
        (format!("https://acme.pagerduty.com/postmortems/{uuid}"), format!("pagerduty_postmortem:{uuid}")),
        (format!("https://app.firehydrant.io/org/acme/incidents/{uuid}"), format!("firehydrant_incident:{uuid}")),
        ("https://stspg.io/3k2j1h4g5f6d".to_owned(), "statuspage_incident:3k2j1h4g5f6d".to_owned()),
        ("https://status.acme.example/incidents/3k2j1h4g5f6d".to_owned(), "statuspage_incident:3k2j1h4g5f6d".to_owned()),
        ("https://acme.statuspage.io/incidents/3k2j1h4g5f6d".to_owned(), "statuspage_incident:3k2j1h4g5f6d".to_owned()),
        ("<https://portal.victorops.com/ui/acme-eng/incident/12/details|Incident>".to_owned(), "victorops_incident:acme-eng/12".to_owned()),
        ("https://acme.service-now.com/nav_to.do?uri=incident.do%3Fsysparm_query=number%3DINC0010023".to_owned(), "servicenow_number:INC0010023".to_owned()),
        ("https://acme.zendesk.com/agent/tickets/12".to_owned(), "zendesk_ticket:acme/12".to_owned()),
        ("https://sentry.acme.example/organizations/acme/issues/CHECKOUT-API-2ZT/".to_owned(), "sentry_short_id:CHECKOUT-API-2ZT".to_owned()),
        ("https://grafana.acme.example/alerting/grafana/abc_DEF-1/view".to_owned(), "grafana_alert_rule:abc_DEF-1".to_owned()),
        ("https://ui.honeycomb.io/acme/board/krThv8DvcwS/x".to_owned(), "honeycomb_board:krThv8DvcwS".to_owned()),
        ("https://one.newrelic.com/redirect/entity/MXxBUE18QVBQTElDQVRJT058MQ==".to_owned(), "newrelic_entity:MXxBUE18QVBQTElDQVRJT058MQ==".to_owned()),
        ("https://wiki.acme.example/spaces/OPS/pages/98765/Title".to_owned(), "confluence_page:98765".to_owned()),
        (format!("https://www.notion.so/{uuid}"), format!("notion_page:{}", uuid.replace('-', ""))),
        ("http://127.0.0.1:8929/acme/web/-/issues/3".to_owned(), "gitlab_issue:acme/web#3".to_owned()),
        ("https://dev.acme.example/gitlab/acme/web/-/merge_requests/3".to_owned(), "gitlab_merge_request:acme/web!3".to_owned()),
        ("https://gitlab.com/gitlab-org/cli/issues/7#note_1".to_owned(), "gitlab_issue:gitlab-org/cli#7".to_owned()),
        ("https://GitLab.com/a/b/-/security/vulnerabilities/8".to_owned(), "gitlab_vulnerability:a/b/8".to_owned()),
        ("https://wiki.acme.example/ops/checkout/".to_owned(), "runbook_url:https://wiki.acme.example/ops/checkout".to_owned()),
        ("https://docs.acme.example/Runbooks/db.md?x#y".to_owned(), "runbook_url:https://docs.acme.example/Runbooks/db.md".to_owned()),
        ("https://gitlab.com/gitlab-com/runbooks/-/blob/master/docs/db.md".to_owned(), "runbook_url:https://gitlab.com/gitlab-com/runbooks/-/blob/master/docs/db.md".to_owned()),
        ("https://slack-redir.net/link?url=https%3A%2F%2Flinear.app%2Facme%2Fissue%2FENG-1".to_owned(), "linear:ENG-1".to_owned()),
        ("`https://acme.slack.com/archives/C0123ABCD/p1648028606962719?thread_ts=1`".to_owned(), "slack_message:C0123ABCD/1648028606.962719".to_owned()),
        ("```\ncurl https://acme.pagerduty.com/incidents/PT4KHLK\n```".to_owned(), "pagerduty_incident:PT4KHLK".to_owned()),
        ("[https://acme.pagerduty.com/incidents/PT4KHLK](https://acme.pagerduty.com/incidents/PT4KHLK)".to_owned(), "pagerduty_incident:PT4KHLK".to_owned()),
        ("https://acme.atlassian.net/browse/WEB-1，已修复".to_owned(), "jira:WEB-1".to_owned()),
        ("https://linear.app/acme/issue/eng-7".to_owned(), "linear:ENG-7".to_owned()),
    ];
    let references = references();
    for (text, expected) in cases {
        assert_eq!(found(&references, &text, TextKind::Markdown), [expected], "{text}");
    }
    let nothing = [
        "http://127.0.0.1:8930/acme/web/-/issues/3",
        "https://dev.acme.example/acme/web/-/issues/3",
        "https://gitlab.acme.example/acme/web/-/issues/3000000000",
        "https://runbooks.acme.example/",
        "https://gitlab.com/gitlab-com/runbooks",
        "https://gitlab.com/gitlab-com/runbooks/-/merge_requests",
        "https://github.com/acme/runbooks/issues",
        "https://app.datadoghq.com/incidents/settings",
        "https://app.asana.com/0/1210723072035418/board",
        "https://acme.us3.datadoghq.com/monitors/1",
        "https://evil.example/?u=https://acme.pagerduty.com/incidents/PT4KHLK",
        "https://acme.pagerduty.com.evil.example/incidents/PT4KHLK",
        "https://evil.example/@acme.pagerduty.com/incidents/PT4KHLK",
    ];
    for text in nothing {
        assert_eq!(found(&references, text, TextKind::Markdown), [""; 0], "{text}");
    }
}

#[test]
fn running_text_is_read_by_pattern_and_neighbours() {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let cases: Vec<(String, &[&str])> = vec![
        ("ENG-1/WEB-2/ENG-3".into(), &["linear:ENG-1", "jira:WEB-2", "linear:ENG-3"]),
        ("path/ENG-2 =ENG-3 a.ENG-4".into(), &[]),
        ("DB2-7, MY_APP-8 and _OPS-9_".into(), &["jira:DB2-7", "jira:MY_APP-8", "jira:OPS-9"]),
        ("feature_WEB-1 WEB-1_x WEB-007 WEB-0 WEB-1234567890".into(), &[]),
        ("WEB-1-2 WEB-1-x WEB-1%20 WEB-1.5".into(), &[]),
        ("WEB-1- WEB-2. WEB-3% (WEB-4)".into(), &["jira:WEB-1", "jira:WEB-2", "jira:WEB-3", "jira:WEB-4"]),
        ("#WEB-1 !OPS-2".into(), &["jira:WEB-1", "jira:OPS-2"]),
        ("REQ0010023/SCTASK0010023, UR00104789, INC123".into(), &["servicenow_number:REQ0010023", "servicenow_number:SCTASK0010023", "servicenow_number:UR00104789"]),
        ("see RFC 9110, RFC2119 and RFC-793 or RFC 12".into(), &["rfc:RFC9110", "rfc:RFC2119"]),
        ("`CVE-2024-12345` and `WEB-1` and `GHSA-JFH8-c2jp-5v3q`".into(), &["cve:CVE-2024-12345", "ghsa:GHSA-jfh8-c2jp-5v3q"]),
        ("ROLE=arn:aws:iam::123456789012:role/a,arn:aws-cn:s3:::b/*,".into(), &["aws_arn:arn:aws:iam::123456789012:role/a", "aws_arn:arn:aws-cn:s3:::b/*"]),
        ("**arn:aws:iam::123456789012:role/a** xarn:aws:s3:::b arn:aws:iam::123456789012:role/${x}".into(), &["aws_arn:arn:aws:iam::123456789012:role/a"]),
        ("`/subscriptions/0F3C1a2b-1111-2222-3333-444455556666/resourceGroups/rg/providers/Microsoft.Web/sites/Shop`.".into(), &["azure_resource:/subscriptions/0f3c1a2b-1111-2222-3333-444455556666/resourcegroups/rg/providers/microsoft.web/sites/shop"]),
        ("topic projects/acme-prod/topics/orders. And myprojects/acme-prod/topics/x".into(), &["gcp_resource:projects/acme-prod/topics/orders"]),
        ("GL-7 and [GL-8]".into(), &["gitlab_issue:acme/shop/web#7", "gitlab_issue:acme/shop/web#8"]),
        ("acme/api#1, acme/api!2, a/b/c&3, other&4".into(), &["gitlab_issue:acme/api#1", "gitlab_merge_request:acme/api!2", "gitlab_epic:a/b/c&3", "gitlab_epic:other&4"]),
        ("api#5 &6; &#39; main.rs#7 docs/setup.md#8 2024#9".into(), &["gitlab_issue:acme/shop/api#5"]),
        ("_acme/api#1_ and _api!2_".into(), &["gitlab_issue:acme/api#1", "gitlab_merge_request:acme/shop/api!2"]),
        ("acme/api^alert#4 ^alert#0".into(), &["gitlab_alert:acme/api^alert#4"]),
        ("[feature_flag:3] [issue:other/9] [issue:1](x) [epic:5] \\[issue:2]".into(), &["gitlab_feature_flag:acme/shop/web/3", "gitlab_issue:acme/shop/other#9", "gitlab_epic:acme/shop&5"]),
        ("#2147483647 #2147483648".into(), &["gitlab_issue:acme/shop/web#2147483647"]),
        ("[#11](x) [x](#12) <a href=\"/x\">#13</a> [a #14][ref]".into(), &["gitlab_issue:acme/shop/web#12", "gitlab_issue:acme/shop/web#14"]),
        (format!("sha256:{sha}{} and {sha}", &sha[..24]), &["git_sha:0123456789abcdef0123456789abcdef01234567"]),
        ("reverts 1a2b3c4, cherry picked from commit 5a6b7c8d9 and commits: 12ab34c".into(), &["git_sha:1a2b3c4", "git_sha:5a6b7c8d9", "git_sha:12ab34c"]),
        ("kubectl logs pod/web-0, deployment.apps/api and sts/db".into(), &["k8s_object:pod/web-0", "k8s_object:deployment/api", "k8s_object:statefulset/db"]),
        ("svc/web-api/x deploy/web.yaml /pod/web a.b.svc.example.com".into(), &[]),
        ("CHECKOUT-API-2ZT_x FOO-CHECKOUT-API-2ZT CHECKOUT-API-2ZT-3".into(), &[]),
        ("see https://x.y/WEB-1).WEB-2".into(), &[]),
        ("Iñtërnâtiônàl WEB-1 ✅OPS-2🎉".into(), &["jira:WEB-1", "jira:OPS-2"]),
    ];
    let references = references();
    for (text, expected) in cases {
        assert_eq!(found(&references, &text, TextKind::Markdown), expected, "{text}");
    }
}

#[test]
fn branch_names_have_rules_of_their_own() {
    let cases: [(&str, &[&str]); 11] = [
        ("12-fix-login", &["gitlab_issue:acme/shop/web#12"]),
        ("12-WEB-45", &["gitlab_issue:acme/shop/web#12", "jira:WEB-45"]),
        ("feature/12-fix", &[]),
        ("2026-11-22-release", &[]),
        ("12", &[]),
        ("012-x", &[]),
        ("feature_web-45.eng-6", &["jira:WEB-45", "linear:ENG-6"]),
        ("web-45a xweb-45", &[]),
        ("fix/my_app-3", &["jira:MY_APP-3"]),
        ("inc0010023", &["servicenow_number:INC0010023"]),
        ("fix-#12-0123456789abcdef0123456789abcdef01234567", &[]),
    ];
    let references = references();
    for (name, expected) in cases {
        assert_eq!(found(&references, name, TextKind::Branch), expected, "{name}");
    }
}

#[test]
fn titles_and_commits_are_not_markdown() {
    let references = references();
    for kind in [TextKind::Title, TextKind::Commit] {
        let text = "`WEB-1` <!-- WEB-2 --> [#3](x)";
        assert_eq!(
            found(&references, text, kind),
            ["jira:WEB-1", "jira:WEB-2", "gitlab_issue:acme/shop/web#3"]
        );
    }
}

#[test]
fn text_outside_a_project_has_no_short_references() {
    let read = |project| {
        let context = Context { project };
        references()
            .read("#1 !2 &3 other#4 [issue:5] acme/web#6", TextKind::Markdown, &context)
            .len()
    };
    assert_eq!((read("acme/web"), read("")), (6, 1));
}

#[test]
fn closing_words_are_gitlabs() {
    let closing = |text: &str| {
        let mentions =
            references().read(text, TextKind::Markdown, &Context { project: "acme/web" });
        mentions.into_iter().filter(|m| m.closing).map(|m| m.reference.id).collect::<Vec<_>>()
    };
    let cases: [(&str, &[&str]); 14] = [
        ("Closes #1", &["acme/web#1"]),
        ("closed: #1", &["acme/web#1"]),
        ("Fixing   WEB-1", &["WEB-1"]),
        ("Resolves acme/api#3", &["acme/api#3"]),
        ("Implements https://gitlab.acme.example/acme/web/-/issues/4", &["acme/web#4"]),
        (
            "Closes #1, #2 and #3, and WEB-4; #5",
            &["acme/web#1", "acme/web#2", "acme/web#3", "WEB-4"],
        ),
        ("Closes issues #1 #2", &["acme/web#1", "acme/web#2"]),
        ("Fixes **WEB-1**", &["WEB-1"]),
        ("CLOSES #1", &[]),
        ("Closes\n#1", &[]),
        ("Closes #1,\n#2", &["acme/web#1"]),
        ("Closes !1", &[]),
        ("Encloses #1", &[]),
        ("Related to #1", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(closing(text), expected, "{text}");
    }
}

#[test]
fn what_only_an_index_can_tell_is_uncertain() {
    let certain = |text: &str| {
        let mentions =
            references().read(text, TextKind::Markdown, &Context { project: "acme/web" });
        mentions.iter().map(|m| m.certain).collect::<Vec<_>>()
    };
    for text in ["WEB-1", "acme/api#1", "#1", "CVE-2024-12345", "https://linear.app/a/issue/ENG-1"]
    {
        assert_eq!(certain(text), [true], "{text}");
    }
    for text in ["api#1", "deploy/web", "commit 1a2b3c4"] {
        assert_eq!(certain(text), [false], "{text}");
    }
    // Said twice, once with certainty.
    assert_eq!(certain("api#1 and acme/api#1"), [true]);
}

#[test]
fn mention_says_where_and_by_which_rule_it_was_read() {
    let text = "See **WEB-1** and\nhttps://acme.atlassian.net/browse/WEB-1";
    let mentions = references().read(text, TextKind::Markdown, &Context::default());
    assert_eq!(mentions.len(), 1);
    assert_eq!(&text[mentions[0].span.clone()], "WEB-1");
    assert_eq!(
        (mentions[0].rule.as_str(), mentions[0].quote(text).as_str()),
        ("key:jira", "See **WEB-1** and")
    );
}

fn custom(kind: &str, pattern: &str, id: Option<&str>, url: Option<&str>) -> CustomReference {
    CustomReference {
        kind: kind.to_owned(),
        pattern: pattern.to_owned(),
        id: id.map(str::to_owned),
        url: url.map(str::to_owned),
    }
}

#[test]
fn own_rules_read_text_branches_and_addresses() {
    let url = "https://status.acme.example/x/{id}";
    let rules = vec![
        custom("incident", "INC-[0-9]{4,}", None, Some(url)),
        custom("ticket", r"(?i)ticket[ #]+(?<number>[0-9]+)", Some("T{number}"), None),
        custom("event", r"acme\.xmatters\.com/events/([0-9a-f]+)", Some("{1}"), None),
        custom("place", "PLACE", Some("{project}"), None),
    ];
    let references =
        References::new(&Settings { custom: rules, ..Settings::default() }).expect("compiles");
    let cases: [(&str, &[&str]); 12] = [
        ("see INC-1234.", &["incident:INC-1234"]),
        ("INC-123 XINC-1234 INC-1234x INC-1234-x path/INC-1234", &[]),
        ("https://example.com/?q=INC-1234", &[]),
        ("https://status.acme.example/x/INC-1234?y", &["incident:INC-1234"]),
        ("https://status.acme.example/x/other", &[]),
        (
            "Ticket #12 and ticket 13",
            &["ticket:T12", "gitlab_issue:acme/shop/web#12", "ticket:T13"],
        ),
        ("https://acme.xmatters.com/events/0af3/", &["event:0af3"]),
        ("https://example.com/acme.xmatters.com/events/0af3/", &[]),
        ("`INC-1234` <!-- INC-1234 -->", &[]),
        ("PLACE", &["place:acme/shop/web"]),
        ("[INC-1234](https://example.com)", &["incident:INC-1234"]),
        ("INC-1234, INC-1234", &["incident:INC-1234"]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&references, text, TextKind::Markdown), expected, "{text}");
    }
    assert_eq!(found(&references, "fix/INC-1234-pool", TextKind::Branch), ["incident:INC-1234"]);
    let link = references.link(&Reference::new("incident", "INC-1234"));
    assert_eq!(link.as_deref(), Some("https://status.acme.example/x/INC-1234"));
    assert_eq!(references.link(&Reference::new("event", "0af3")), None);
}

#[test]
fn unusable_rule_is_named_with_its_reason() {
    let error = |rule| {
        let settings = Settings { custom: vec![rule], ..Settings::default() };
        let error = References::new(&settings).expect_err("the rule is wrong");
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error} {source}")
    };
    let message = error(custom("incident", "INC-(", None, None));
    assert!(
        message.contains("incident") && message.contains("INC-(") && message.contains("unclosed")
    );
    let message = error(custom("incident", "INC", Some("{1}"), None));
    assert!(message.contains("incident") && message.contains("{1}"), "{message}");
    assert!(error(custom("incident", "INC", None, Some("https://x.y/"))).contains("{id}"));
}

#[test]
fn address_proves_the_prefix_of_its_key() {
    let learned = |text: &str| {
        let mentions = references().read(text, TextKind::Markdown, &Context::default());
        mentions.first().and_then(learned_prefix).map(|(kind, prefix)| format!("{kind} {prefix}"))
    };
    assert_eq!(learned("https://acme.atlassian.net/browse/NEW-1").as_deref(), Some("jira NEW"));
    assert_eq!(learned("https://linear.app/a/issue/NEW-1").as_deref(), Some("linear NEW"));
    for text in [
        "WEB-1",
        "https://linear.app/a/issue/V2-1",
        "https://linear.app/a/issue/100-1",
        "https://acme.atlassian.net/browse/UTF-8",
        "https://app.incident.io/a/incidents/1",
    ] {
        assert_eq!(learned(text), None, "{text}");
    }
}
