//! What people paste.

use super::*;
use crate::extract::Settings;

fn read(text: &str) -> Vec<String> {
    let settings = Settings {
        prefixes: [("jira".to_owned(), vec!["WEB".to_owned()])].into(),
        hosts: [("kibana".to_owned(), vec!["kibana.acme.example".to_owned()])].into(),
        ..Settings::default()
    };
    let references = References::new(&settings).expect("the settings compile");
    let mentions = references.read_query(text);
    for mention in &mentions {
        assert!(text.get(mention.span.clone()).is_some(), "{text:?}");
    }
    let named = |m: &Mention| format!("{}{}", m.reference, if m.certain { "" } else { "?" });
    mentions.iter().map(named).collect()
}

#[test]
fn pasted_text_is_read_with_guesses() {
    let cases: [(&str, &[&str]); 12] = [
        (
            "https://acme.pagerduty.com/incidents/Q285NZXJG65XDH",
            &["pagerduty_incident:Q285NZXJG65XDH"],
        ),
        ("web-12", &["jira:WEB-12"]),
        ("see Web-12 please", &["jira:WEB-12"]),
        ("look at foo-3", &["jira:FOO-3?", "linear:FOO-3?", "youtrack:FOO-3?"]),
        ("UTF-8 encoded", &[]),
        ("pagerduty_incident:Q285NZXJG65XDH", &["pagerduty_incident:Q285NZXJG65XDH"]),
        ("  gitlab_issue:acme/web#12 ", &["gitlab_issue:acme/web#12"]),
        ("nothing:here at all", &[]),
        ("CVE-2024-12345", &["cve:CVE-2024-12345"]),
        ("arn:aws:s3:::bucket", &["aws_arn:arn:aws:s3:::bucket"]),
        ("#12", &[]),
        ("", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn bare_id_may_be_of_every_kind_whose_ids_look_like_it() {
    let cases: [(&str, &[&str]); 5] = [
        (
            "acme/tool#45",
            &[
                "gitlab_issue:acme/tool#45",
                "github_issue:acme/tool#45?",
                "github_pull:acme/tool#45?",
            ],
        ),
        ("Q285NZXJG65XDH", &["pagerduty_incident:Q285NZXJG65XDH?"]),
        ("C0123ABCD/1648028606.962719", &["slack_message:C0123ABCD/1648028606.962719?"]),
        ("acme.grafana.net/29", &["grafana_incident:acme.grafana.net/29?"]),
        (
            "9ba12248",
            &["kibana_short_url:9ba12248?", "grafana_dashboard:9ba12248?", "git_sha:9ba12248?"],
        ),
    ];
    for (text, expected) in cases {
        let read = read(text);
        for reference in expected {
            assert!(read.iter().any(|r| r == reference), "{text}: {read:?}");
        }
    }
    // What has another shape is no id of that kind.
    assert!(!read("Q285NZXJG65XDH").iter().any(|r| r.contains("slack") || r.contains("cve")));
}
