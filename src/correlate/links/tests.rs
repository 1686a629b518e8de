//! GitLab's wordings, one line each.

use super::*;
use crate::extract::{Context, References, Settings, TextKind};
use crate::model::Iid;

fn own() -> LinkTarget {
    LinkTarget::Place { project: "shop/web".to_owned(), kind: ItemKind::Issue, iid: Iid::new(1) }
}

fn mentions(text: &str) -> Vec<Mention> {
    let settings =
        Settings { gitlab_hosts: vec!["gitlab.example.com".to_owned()], ..Settings::default() };
    let references = References::new(&settings).expect("the settings compile");
    references.read(text, TextKind::Markdown, &Context { project: "shop/web" })
}

/// Writes a reading as `closes > shop/web#2`; `<` from the other end, `-` in front when removed.
fn written(readings: Vec<LinkReading>) -> Vec<String> {
    readings
        .into_iter()
        .map(|reading| {
            let LinkTarget::Place { project, kind, iid } = &reading.link.to else {
                panic!("texts name places, not {:?}", reading.link.to)
            };
            let mark = match reading.change {
                Change::Made => "",
                Change::Removed => "-",
            };
            let arrow = match reading.direction {
                Direction::Outward => '>',
                Direction::Inward => '<',
            };
            format!("{mark}{} {arrow} {project}{}{iid}", reading.link.kind.as_str(), kind.sigil())
        })
        .collect()
}

#[test]
fn system_notes_tell_links_in_gitlabs_words() {
    let cases: [(&str, &[&str]); 22] = [
        ("mentioned in merge request !158", &["mentions < shop/web!158"]),
        ("mentioned in issue #57766", &["mentions < shop/web#57766"]),
        ("mentioned in issue ops/release/tasks#778", &["mentions < ops/release/tasks#778"]),
        ("mentioned in merge request api!10640", &["mentions < shop/api!10640"]),
        ("Mentioned in issue #7", &["mentions < shop/web#7"]),
        ("mentioned in commit 58d4099c1469dba9ff850733ba29da11f6eeb158", &[]),
        ("closed via merge request !5", &["closes < shop/web!5"]),
        ("closed via merge request shop/api!5", &["closes < shop/api!5"]),
        ("closed via commit 58d4099c", &[]),
        ("moved to shop/api#9", &["moved_to > shop/api#9"]),
        ("moved from shop/api#9", &["moved_to < shop/api#9"]),
        ("marked this issue as a duplicate of #2", &["duplicate_of > shop/web#2"]),
        ("marked #2 as a duplicate of this issue", &["duplicate_of < shop/web#2"]),
        ("marked this issue as related to #4", &["relates_to > shop/web#4"]),
        (
            "marked this issue as related to #4 and #5",
            &["relates_to > shop/web#4", "relates_to > shop/web#5"],
        ),
        ("marked this issue as blocked by #4", &["is_blocked_by > shop/web#4"]),
        ("marked this item as blocking #4", &["blocks > shop/web#4"]),
        ("removed the relation with #4", &["-relates_to > shop/web#4"]),
        ("marked the task **see #4** as completed", &[]),
        ("changed title from **see #4** to **see #5**", &[]),
        ("mentioned in issue #1", &[]),
        ("", &[]),
    ];
    for (body, expected) in cases {
        assert_eq!(written(of_system_note(&own(), body, &mentions(body))), expected, "{body}");
    }
}

#[test]
fn closing_words_close_from_merge_requests_only() {
    let text =
        "Closes #2, shop/api#3 and https://gitlab.example.com/ops/x/-/issues/4\n\nsee !6, JIRA-7";
    let read = |kind| written(of_description(&own(), kind, &mentions(text)));
    let expected =
        ["closes > shop/web#2", "closes > shop/api#3", "closes > ops/x#4", "mentions > shop/web!6"];
    assert_eq!(read(ItemKind::MergeRequest), expected);
    let expected = expected.map(|line| line.replace("closes", "mentions"));
    assert_eq!(read(ItemKind::Issue), expected);
}
