use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/identifier-cases.json");

/// Returns a file that lies beside the checkout, or says that it does not.
fn shared(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: ../shared is not beside this checkout");
        }
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
            .map(|e| format!("{}:{}", e["kind"].as_str().unwrap_or(""), e["id"].as_str().unwrap_or("")))
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
