//! All that an index holds, one line for each row, without the keys that the store gives.
//!
//! Two indexes with the same lines give the same answers, whatever happened on the way. Times are in
//! seconds: GraphQL prints no more, and an index may hold what REST said as well.

use sqlx::Row;

use super::Index;
use super::facts::Facts;

/// What names an item in every statement below.
macro_rules! of_items {
    ($columns:literal, $from:literal) => {
        concat!(
            "select json_array(p.path, i.kind, i.iid, ",
            $columns,
            ") from item as i join project as p on p.id = i.project_id ",
            $from
        )
    };
}

/// Each kind of row with the statement that writes it down.
const ROWS: [(&str, &str); 16] = [
    ("source", "select json_array(name, url, outcome, complete_at = synced_at) from source"),
    (
        "problem",
        "select json_array(s.name, p.subject, p.stream, p.reason)
        from sync_problem as p join source as s on s.id = p.source_id",
    ),
    (
        "project",
        "select json_array(path, gitlab_id, name, description, web_url, default_branch, topics,
            visibility, archived, last_activity_at, path_key, name_key, hex(fingerprint))
        from project",
    ),
    (
        "label",
        "select json_array(p.path, l.name, l.description)
        from label as l join project as p on p.id = l.project_id",
    ),
    (
        "template",
        "select json_array(p.path, t.kind, t.name, hex(t.content))
        from template as t join project as p on p.id = t.project_id",
    ),
    (
        "CODEOWNERS",
        "select json_array(p.path, c.place, hex(c.content))
        from code_owners as c join project as p on p.id = c.project_id",
    ),
    (
        "pipeline",
        "select json_array(p.path, l.gitlab_id, l.status, l.git_ref, l.sha, l.web_url,
            l.created_at / 1000, l.updated_at / 1000)
        from pipeline as l join project as p on p.id = l.project_id",
    ),
    (
        "item",
        of_items!(
            "i.gitlab_id, i.title, i.state, i.draft, i.confidential, i.issue_type, i.author,
            i.labels, i.source_branch, i.web_url, i.created_at / 1000, i.updated_at / 1000,
            i.closed_at / 1000,
            i.merged_at / 1000, i.notes_count, i.notes_read_at is null, hex(t.description),
            hex(i.fingerprint)",
            "left join item_text as t on t.item_id = i.id"
        ),
    ),
    (
        "comment",
        of_items!(
            "n.gitlab_id, n.author, n.system, n.internal, n.created_at / 1000, n.updated_at / 1000,
                hex(n.body)",
            "join note as n on n.item_id = i.id"
        ),
    ),
    ("tag", "select json_array(key, match_key, value) from tag"),
    (
        "tag of a project",
        "select json_array(p.path, t.key, t.match_key, g.ordinal, g.spelling, g.via, g.location,
            g.text, g.rule)
        from project_tag as g join project as p on p.id = g.project_id
        join tag as t on t.id = g.tag_id",
    ),
    (
        "handed down",
        "select json_array(p.path, t.key, t.match_key)
        from project_inheritance as h join project as p on p.id = h.project_id
        join tag as t on t.id = h.tag_id",
    ),
    (
        "evidence of a tag",
        of_items!(
            "t.key, t.match_key, e.ordinal, e.spelling, e.via, e.location, e.text, e.rule",
            "join item_tag_evidence as e on e.item_id = i.id join tag as t on t.id = e.tag_id"
        ),
    ),
    (
        "tag of an item",
        of_items!(
            "t.key, t.match_key, g.kind, g.updated_at / 1000, g.own, g.inherited",
            "join item_tag as g on g.item_id = i.id join tag as t on t.id = g.tag_id"
        ),
    ),
    (
        "evidence of a reference",
        of_items!(
            "r.kind, r.ref, e.note_gitlab_id, e.ordinal, e.location, e.text, e.rule, e.internal",
            "join reference_evidence as e on e.item_id = i.id
            join reference as r on r.id = e.reference_id"
        ),
    ),
    (
        "reference of an item",
        of_items!(
            "r.kind, r.ref, m.kind, m.updated_at / 1000, m.internal",
            "join item_reference as m on m.item_id = i.id
            join reference as r on r.id = m.reference_id"
        ),
    ),
];

/// Writes an index down.
pub async fn of(index: &Index) -> Facts {
    let mut facts = Facts::new();
    for (kind, statement) in ROWS {
        for row in index.rows(statement).await {
            let line: String = row.get(0);
            let new = facts.insert(format!("{kind} {line}"));
            assert!(new, "{kind} {line} is there twice");
        }
    }
    facts
}

/// Returns the paths that projects had before, each with the present one.
pub async fn former_paths(index: &Index) -> Facts {
    let former = "select f.path || ' is now ' || p.path
        from former_path as f join project as p on p.id = f.project_id";
    index.rows(former).await.iter().map(|row| row.get(0)).collect()
}
