//! Labels of projects, and what became of their names.
//!
//! GitLab moves no item's time when a label is renamed or removed, so the items that carry it in the
//! index are out of date without a sign. A label keeps its number: by that a rename is told from a
//! label that went and another that came. What changed is kept in the transaction that stores the
//! labels, until somebody has brought the items up to date and says so
//! ([`Store::settle_label_changes`]). Which items those are, and how they are brought up to date, is
//! the crawl's to decide.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, ProjectKey, SourceKey, Store, Write, codes, commit};
use crate::model::{Label, ProjectId};

/// A name that a label of a project no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelChange {
    /// Names the change. Later ones have higher numbers; apply them in this order.
    pub key: i64,
    /// The project that offers the label. A change of a group's label comes once for each of the
    /// projects below.
    pub project: ProjectId,
    /// The name that it had, and that items in the index may still carry.
    pub name: String,
    /// The name that it has now; `None` when it is gone.
    pub new_name: Option<String>,
}

impl Store {
    /// Lists the changes of labels' names that the items of a source were not brought up to date
    /// with, oldest first.
    pub async fn list_label_changes(&self, source: SourceKey) -> Result<Vec<LabelChange>, Error> {
        let rows = sqlx::query!(
            r#"select c.id as "id!", p.gitlab_id as "project!", c.name as "name!", c.new_name
            from project as p join label_change as c on c.project_id = p.id
            where p.source_id = ?1 order by c.id"#,
            source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which labels changed", source })?;
        let changes = rows.into_iter().map(|row| LabelChange {
            key: row.id,
            project: ProjectId::new(row.project),
            name: row.name,
            new_name: row.new_name,
        });
        Ok(changes.collect())
    }

    /// Forgets changes of labels' names that the items were brought up to date with.
    pub async fn settle_label_changes(&self, changes: &[LabelChange]) -> Result<(), Error> {
        const DOING: &str = "noting which labels' changes were applied";
        let keys: Vec<i64> = changes.iter().map(|change| change.key).collect();
        let keys = codes::json(&keys);
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "delete from label_change where id in (select value from json_each(?1))",
            keys
        )
        .execute(&mut *write)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }
}

/// Stores all labels of a project, notes which names changed, and returns how many rows did. Of
/// labels of one name the one with the lowest number counts, in whatever order they were read.
pub(super) async fn store_labels(
    write: &mut Write,
    project: ProjectKey,
    labels: &[Label],
    doing: &'static str,
) -> Result<u64, Error> {
    let query = |source| Error::Query { doing, source };
    let mut by_name: BTreeMap<&str, &Label> = BTreeMap::new();
    for label in labels {
        let known = by_name.entry(&label.name).or_insert(label);
        if label.id.is_some() && (known.id.is_none() || label.id < known.id) {
            *known = label;
        }
    }
    let stored = sqlx::query!(
        r#"select name, null as "number?: i64" from label as l where project_id = ?1
            and not exists (select 1 from label_number as n
                where n.project_id = ?1 and n.name = l.name)
        union all
        select name, gitlab_id from label_number where project_id = ?1"#,
        project.0
    )
    .fetch_all(&mut **write)
    .await
    .map_err(query)?;
    let names: BTreeMap<i64, &str> =
        labels.iter().filter_map(|label| Some((label.id?.get(), label.name.as_str()))).collect();
    // Without a number, a label is the one that had its name.
    let unnumbered = |name: &str| by_name.get(name).is_some_and(|label| label.id.is_none());
    let mut changes: Vec<(&str, Option<&str>)> = Vec::new();
    for row in &stored {
        let name = row.name.as_str();
        let change = match row.number.map(|number| names.get(&number).copied()) {
            Some(Some(new_name)) => (new_name != name).then_some(Some(new_name)),
            // Another of the same name is not the one that items carried.
            Some(None) => (!unnumbered(name)).then_some(None),
            None => (!by_name.contains_key(name)).then_some(None),
        };
        changes.extend(change.map(|new_name| (name, new_name)));
    }
    let changes = in_order(changes);
    if !changes.is_empty() {
        let changes = codes::json(&changes);
        sqlx::query!(
            "insert into label_change (project_id, name, new_name)
            select ?1, e.value ->> 0, e.value ->> 1 from json_each(?2) as e order by e.key",
            project.0,
            changes,
        )
        .execute(&mut **write)
        .await
        .map_err(query)?;
    }
    let numbers = codes::json(&names.iter().collect::<Vec<_>>());
    sqlx::query!("delete from label_number where project_id = ?1", project.0)
        .execute(&mut **write)
        .await
        .map_err(query)?;
    sqlx::query!(
        "insert into label_number (project_id, gitlab_id, name)
        select ?1, e.value ->> 0, e.value ->> 1 from json_each(?2) as e",
        project.0,
        numbers,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    let rows: Vec<(&str, &str)> =
        by_name.values().map(|label| (label.name.as_str(), label.description.as_str())).collect();
    let rows = codes::json(&rows);
    let gone = sqlx::query!(
        "delete from label where project_id = ?1
        and name not in (select e.value ->> 0 from json_each(?2) as e)",
        project.0,
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    let written = sqlx::query!(
        "insert into label (project_id, name, description)
        select ?1, e.value ->> 0, e.value ->> 1 from json_each(?2) as e
        where true
        on conflict (project_id, name) do update set description = excluded.description
        where label.description <> excluded.description",
        project.0,
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    Ok(gone.rows_affected() + written.rows_affected())
}

/// Puts changes into an order in which they can be applied one by one: `b` becomes `c` before `a`
/// becomes `b`. Where labels changed places there is none, and such items are to be read again.
fn in_order<'a>(mut left: Vec<(&'a str, Option<&'a str>)>) -> Vec<(&'a str, Option<&'a str>)> {
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let names: BTreeSet<&str> = left.iter().map(|(name, _)| *name).collect();
        let (blocked, mut free): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|(_, new)| new.is_some_and(|new| names.contains(new)));
        left = blocked;
        if free.is_empty() {
            free.append(&mut left);
        }
        ordered.append(&mut free);
    }
    ordered
}
