//! What each kind of event marks, real payloads and any JSON.

use proptest::prelude::*;

use super::*;

fn placeholder_project() -> ProjectId {
    ProjectId::new(7)
}

fn read(body: &serde_json::Value) -> Subject {
    Event::read(body.to_string().as_bytes()).subject
}

#[test]
fn a_push_marks_the_files_only_where_it_may_have_changed_them() {
    let push = |branch: &str, total: u64, paths: &[&str]| {
        read(&serde_json::json!({
            "object_kind": "push", "ref": branch, "before": "a1", "after": "b2",
            "project": {"id": 7, "default_branch": "main"}, "total_commits_count": total,
            "commits": [{"added": paths, "modified": [], "removed": []}],
        }))
    };
    let files = Subject::Files(placeholder_project());
    for (branch, total, path, subject) in [
        ("refs/heads/main", 1, "src/lib.rs", Subject::Nothing),
        ("refs/heads/main", 1, ".gitlab/CODEOWNERS", files),
        ("refs/heads/main", 1, ".gitlab/issue_templates/Bug.md", files),
        ("refs/heads/main", 1, "catalog-info.yaml", files),
        ("refs/heads/main", 21, "src/lib.rs", files),
        ("refs/heads/topic", 1, "CODEOWNERS", Subject::Nothing),
        ("refs/tags/main", 1, "CODEOWNERS", Subject::Nothing),
    ] {
        assert_eq!(push(branch, total, &[path]), subject, "{branch} {total} {path}");
    }
}

#[test]
fn what_has_another_shape_than_expected_is_about_nothing() {
    for body in ["", "null", "[]", "{}", "{\"object_kind\": 3}", "{\"object_kind\": \"issue\"}"] {
        assert_eq!(Event::read(body.as_bytes()).subject, Subject::Nothing, "{body}");
    }
    let odd = serde_json::json!({"object_kind": "note", "project": [], "issue": {"iid": "x"}});
    assert_eq!(read(&odd), Subject::Nothing);
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-z_/0]{0,12}".prop_map(Into::into),
        prop_oneof!["issue", "note", "push", "pipeline", "refs/heads/main"].prop_map(Into::into),
    ];
    let key = prop_oneof![
        "object_kind",
        "event_name",
        "project",
        "id",
        "iid",
        "object_attributes",
        "issue",
        "merge_request",
        "ref",
        "refs",
        "commits",
        "added",
        "total_commits_count",
        "[a-z]{1,4}",
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(body in json()) {
        let _ = read(&body);
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::read(&body);
    }
}

/// Writes down what an event marks, as the table of recorded ones has it.
fn written(event: Event) -> String {
    let subject = match event.subject {
        Subject::Nothing => "Nothing".to_owned(),
        Subject::Projects => "Projects".to_owned(),
        Subject::Files(project) => format!("Files({project})"),
        Subject::Pipeline(project) => format!("Pipeline({project})"),
        Subject::Item(project, kind, iid) => format!("Item({project}, {}, {iid})", kind.as_str()),
    };
    format!("{} {subject}", event.kind)
}

#[test]
fn every_recorded_payload_marks_what_it_is_about() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gitlab/webhooks");
    if !std::path::Path::new(folder).exists() {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    }
    for line in include_str!("../../../tests/data/webhooks.txt").lines() {
        let (file, marks) = line.split_once(' ').expect("a file and what it marks");
        let body = std::fs::read(format!("{folder}/{file}.json")).expect("it was recorded");
        assert_eq!(written(Event::read(&body)), marks, "{file}");
    }
}
