//! Tags: their dictionary, what a project carries and hands down, and the spelling shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Error, Run, Store, Write, codes, commit, settled};
use crate::correlate::{TagReading, inherited};
use crate::model::Via;

/// A tag reading as it travels to SQLite in a JSON parameter.
#[derive(Serialize)]
pub(super) struct TagRow<'a> {
    pub owner: i64,
    pub key: &'a str,
    pub match_key: &'a str,
    pub spelling: &'a str,
    pub ordinal: usize,
    pub via: &'static str,
    pub location: &'static str,
    pub text: &'a str,
    pub rule: &'a str,
}

impl<'a> TagRow<'a> {
    /// Returns the rows of one project's or item's tags.
    pub fn rows(owner: i64, tags: &'a [TagReading]) -> impl Iterator<Item = Self> {
        tags.iter().enumerate().map(move |(ordinal, reading)| Self {
            owner,
            key: &reading.tag.key,
            match_key: &reading.match_key,
            spelling: &reading.tag.value,
            ordinal,
            via: reading.evidence.via.as_str(),
            location: reading.evidence.location.as_str(),
            text: &reading.evidence.text,
            rule: &reading.evidence.rule,
        })
    }
}

/// Makes sure that every tag of the rows is in the dictionary.
pub(super) async fn intern_tags(
    write: &mut Write,
    rows: &str,
    doing: &'static str,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into tag (key, match_key, value)
        select e.value ->> 'key', e.value ->> 'match_key', min(e.value ->> 'spelling')
        from json_each(?1) as e
        group by 1, 2
        on conflict (key, match_key) do nothing",
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// Works out again what some projects hand down, and rebuilds the tags of the items of those
/// where that changed. `projects` is a JSON array of keys.
pub(super) async fn settle_inheritance(
    write: &mut Write,
    projects: &str,
    doing: &'static str,
) -> Result<bool, Error> {
    let query = |source| Error::Query { doing, source };
    let carried = sqlx::query!(
        r#"select distinct p.project_id as "project!", t.id as "tag!", t.key, t.match_key
        from project_tag as p join tag as t on t.id = p.tag_id
        where p.project_id in (select value from json_each(?1))"#,
        projects,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(query)?;
    let stored = sqlx::query!(
        r#"select project_id as "project!", tag_id as "tag!" from project_inheritance
        where project_id in (select value from json_each(?1))"#,
        projects,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(query)?;

    let mut wanted: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let mut by_project: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for row in &carried {
        by_project.entry(row.project).or_default().push(row);
    }
    for (project, rows) in by_project {
        let down = inherited(rows.iter().map(|r| (r.key.as_str(), r.match_key.as_str())));
        let tags = rows
            .iter()
            .filter(|r| down.contains(&(r.key.as_str(), r.match_key.as_str())))
            .map(|r| r.tag)
            .collect();
        wanted.insert(project, tags);
    }
    let mut present: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for row in stored {
        present.entry(row.project).or_default().insert(row.tag);
    }
    let none = BTreeSet::new();
    let changed: Vec<i64> = wanted
        .keys()
        .chain(present.keys())
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|project| {
            wanted.get(project).unwrap_or(&none) != present.get(project).unwrap_or(&none)
        })
        .collect();
    if changed.is_empty() {
        return Ok(false);
    }

    let changed_json = codes::json(&changed);
    sqlx::query!(
        "delete from project_inheritance where project_id in (select value from json_each(?1))",
        changed_json,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    for project in &changed {
        for tag in wanted.get(project).unwrap_or(&none) {
            sqlx::query!(
                "insert into project_inheritance (project_id, tag_id) values (?1, ?2)",
                project,
                tag,
            )
            .execute(&mut **write)
            .await
            .map_err(query)?;
        }
    }
    sqlx::query!(
        "delete from item_tag where item_id in
            (select id from item where project_id in (select value from json_each(?1)))",
        changed_json,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    sqlx::query!(
        "insert into item_tag (tag_id, kind, updated_at, item_id, own, inherited)
        select tag_id, kind, updated_at, item_id, max(own), max(inherited) from (
            select e.tag_id, i.kind, i.updated_at, i.id as item_id, 1 as own, 0 as inherited
            from item as i join item_tag_evidence as e on e.item_id = i.id
            where i.project_id in (select value from json_each(?1))
            union all
            select h.tag_id, i.kind, i.updated_at, i.id, 0, 1
            from item as i join project_inheritance as h on h.project_id = i.project_id
            where i.project_id in (select value from json_each(?1))
        )
        group by tag_id, kind, updated_at, item_id",
        changed_json,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    Ok(true)
}

impl Store {
    /// Settles what can only be known when a source was read whole: which projects carry a
    /// service by their name alone, and which spelling of a name is shown.
    ///
    /// A project whose own path or name equals a service known from stronger evidence carries it,
    /// unless stronger evidence gives the project another service. What only confidential issues
    /// name is not known in this sense: the project would tell it.
    ///
    /// Where nothing changed since that was done, nothing is.
    pub async fn settle_names(&self, run: &Run) -> Result<(), Error> {
        const DOING: &str = "settling names";
        if self.is_settled(run.source).await? {
            return Ok(());
        }
        let query = |source| Error::Query { doing: DOING, source };
        let mut write = self.write(DOING).await?;
        let mut changed = self.settle_projects_by_name(&mut write, run, DOING).await?;

        let unused = sqlx::query!(
            "delete from tag where not exists (select 1 from project_tag as p where p.tag_id = tag.id)
            and not exists (select 1 from item_tag_evidence as e where e.tag_id = tag.id)
            and not exists (select 1 from item_tag as i where i.tag_id = tag.id)
            and not exists (select 1 from project_inheritance as h where h.tag_id = tag.id)",
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        changed |= unused.rows_affected() > 0;

        let unmentioned = sqlx::query!(
            "delete from reference where not exists
                (select 1 from reference_evidence as e where e.reference_id = reference.id)",
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        changed |= unmentioned.rows_affected() > 0;

        // Projects know best how a service is spelt; else the spelling that most items use.
        let spelt = sqlx::query!(
            "update tag set value = s.spelling from (
                select tag_id, spelling from (
                    select tag_id, spelling, row_number() over (
                        partition by tag_id
                        order by trust desc, uses desc, spelling <> lower(spelling), spelling
                    ) as place
                    from (
                        select tag_id, spelling, 2 * (via <> 'name') as trust, count(*) as uses
                        from project_tag group by tag_id, spelling, via <> 'name'
                        union all
                        select tag_id, spelling, 1, count(*) from item_tag_evidence
                        group by tag_id, spelling
                    )
                ) where place = 1
            ) as s
            where s.tag_id = tag.id and s.spelling <> tag.value",
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        changed |= spelt.rows_affected() > 0;
        settled::settle(&mut write, run.source, changed, DOING).await?;
        commit(write, changed, DOING).await
    }

    async fn settle_projects_by_name(
        &self,
        write: &mut Write,
        run: &Run,
        doing: &'static str,
    ) -> Result<bool, Error> {
        let query = |source| Error::Query { doing, source };
        let name = Via::Name.as_str();
        let wanted = sqlx::query!(
            r#"select p.id as "project!", t.id as "tag!", p.name, p.path,
                t.match_key = p.path_key as "by_path!: bool"
            from project as p join tag as t
                on t.key = 'service' and t.match_key in (p.path_key, p.name_key)
            where p.source_id = ?1
            and (exists (select 1 from project_tag as o where o.tag_id = t.id and o.via <> ?2)
                or exists (select 1 from item_tag_evidence as e join item as i on i.id = e.item_id
                    where e.tag_id = t.id and i.confidential = 0))
            and not exists (
                select 1 from project_tag as o join tag as s on s.id = o.tag_id
                where o.project_id = p.id and o.via <> ?2 and s.key = 'service' and s.id <> t.id)
            order by p.id, t.id"#,
            run.source.0,
            name,
        )
        .fetch_all(&mut **write)
        .await
        .map_err(query)?;
        let present = sqlx::query!(
            r#"select o.project_id as "project!", o.tag_id as "tag!", o.text from project_tag as o
            join project as p on p.id = o.project_id
            where p.source_id = ?1 and o.via = ?2"#,
            run.source.0,
            name,
        )
        .fetch_all(&mut **write)
        .await
        .map_err(query)?;

        let wanted: BTreeMap<(i64, i64), (String, String)> = wanted
            .into_iter()
            .map(|row| {
                let last = row.path.rsplit('/').next().unwrap_or_default().to_owned();
                let (spelling, text) =
                    if row.by_path { (last, row.path) } else { (row.name.clone(), row.name) };
                ((row.project, row.tag), (spelling, text))
            })
            .collect();
        let present: BTreeMap<(i64, i64), String> =
            present.into_iter().map(|row| ((row.project, row.tag), row.text)).collect();
        let mut touched = BTreeSet::new();
        for (&(project, tag), text) in &present {
            if wanted.get(&(project, tag)).is_none_or(|(_, wanted)| wanted != text) {
                touched.insert(project);
                sqlx::query!(
                    "delete from project_tag where project_id = ?1 and tag_id = ?2 and via = ?3",
                    project,
                    tag,
                    name,
                )
                .execute(&mut **write)
                .await
                .map_err(query)?;
            }
        }
        for (&(project, tag), (spelling, text)) in &wanted {
            if present.get(&(project, tag)) == Some(text) {
                continue;
            }
            touched.insert(project);
            // Far above any ordinal that a topic can have.
            sqlx::query!(
                "insert into project_tag
                    (project_id, tag_id, ordinal, spelling, via, location, text, rule)
                values (?1, ?2, 1000000, ?3, ?4, 'title', ?5, 'name:service')",
                project,
                tag,
                spelling,
                name,
                text,
            )
            .execute(&mut **write)
            .await
            .map_err(query)?;
        }
        if touched.is_empty() {
            return Ok(false);
        }
        let touched = codes::json(&touched);
        settle_inheritance(write, &touched, doing).await?;
        Ok(true)
    }
}
