//! Projects and what hangs on them: topics' tags, labels, templates, CODEOWNERS, pipeline.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::labels::store_labels;
use super::names::{TagRow, intern_tags, settle_inheritance};
use super::tombstones::unearth_projects;
use super::{Error, ProjectKey, Run, SourceKey, Store, Write, codes, commit, last_of_each, text};
use crate::correlate::TagReading;
use crate::model::{Label, Pipeline, Project, ProjectId, Template};

/// A project to store, with what was read out of it.
#[derive(Debug, Clone)]
pub struct ProjectWrite {
    /// As GitLab shows it.
    pub project: Project,
    /// Match keys of the last path segment and of the name.
    pub name_keys: (String, String),
    /// Its tags with evidence.
    pub tags: Vec<TagReading>,
    /// Digest of the above and of the rules.
    pub fingerprint: Vec<u8>,
}

/// The parts of a project that are read one by one. `None` is a part that was not read, and keeps
/// what is stored; an empty one was read and holds nothing.
#[derive(Debug, Clone, Default)]
pub struct ProjectParts {
    /// All labels that its items may carry.
    pub labels: Option<Vec<Label>>,
    /// All description templates it offers.
    pub templates: Option<Vec<Template>>,
    /// The CODEOWNERS file that counts, as `(place, text)`.
    pub code_owners: Option<Option<(String, String)>>,
    /// The latest pipeline of the default branch.
    pub pipeline: Option<Option<Pipeline>>,
}

/// A project of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProject {
    /// Its key.
    pub key: ProjectKey,
    /// Its path.
    pub path: String,
    /// True when a list of this run showed it.
    pub seen: bool,
    /// True when this run has read its parts already.
    pub parts_read: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    gitlab_id: ProjectId,
    path: &'a str,
    name: &'a str,
    description: &'a str,
    web_url: &'a str,
    default_branch: Option<&'a str>,
    topics: &'a [String],
    visibility: &'a str,
    archived: bool,
    last_activity_at: Option<i64>,
    path_key: &'a str,
    name_key: &'a str,
    fingerprint: String,
}

impl<'a> From<&'a ProjectWrite> for Row<'a> {
    fn from(write: &'a ProjectWrite) -> Self {
        let project = &write.project;
        Self {
            gitlab_id: project.id,
            path: &project.path,
            name: &project.name,
            description: &project.description,
            web_url: &project.web_url,
            default_branch: project.default_branch.as_deref(),
            topics: &project.topics,
            visibility: &project.visibility,
            archived: project.archived,
            last_activity_at: project.last_activity_at.map(Timestamp::as_millisecond),
            path_key: &write.name_keys.0,
            name_key: &write.name_keys.1,
            fingerprint: hex(&write.fingerprint),
        }
    }
}

/// Writes bytes in hex, as SQLite's `unhex` reads them.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text
}

impl Store {
    /// Stores a page of projects.
    pub async fn apply_projects(&self, run: &Run, page: &[ProjectWrite]) -> Result<(), Error> {
        const DOING: &str = "storing projects";
        let query = |source| Error::Query { doing: DOING, source };
        let mut write = self.write(DOING).await?;
        let known = known_projects(&mut write, run.source, page, DOING).await?;
        let once = last_of_each(page, |p| p.project.id);
        let (same, new): (Vec<&ProjectWrite>, Vec<&ProjectWrite>) =
            once.into_iter().partition(|p| {
                known.get(&p.project.id.get()).is_some_and(|(_, print)| *print == p.fingerprint)
            });

        let same: Vec<i64> = same.iter().map(|p| p.project.id.get()).collect();
        let same = codes::json(&same);
        sqlx::query!(
            "update project set seen_run = ?2
            where source_id = ?1 and gitlab_id in (select value from json_each(?3))",
            run.source.0,
            run.key,
            same,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        if !new.is_empty() {
            store_projects(&mut write, run, &new, DOING).await?;
        }
        commit(write, !new.is_empty(), DOING).await
    }

    /// Stores the parts of a project that were read. With `whole`, this run need not read them
    /// again when it is gone on with.
    pub async fn apply_parts(
        &self,
        run: &Run,
        project: ProjectKey,
        parts: &ProjectParts,
        whole: bool,
    ) -> Result<(), Error> {
        const DOING: &str = "storing the parts of a project";
        let mut write = self.write(DOING).await?;
        let mut changed = 0;
        if let Some(labels) = &parts.labels {
            changed += store_labels(&mut write, project, labels, DOING).await?;
        }
        if let Some(templates) = &parts.templates {
            changed += store_templates(&mut write, project, templates, DOING).await?;
        }
        if let Some(file) = &parts.code_owners {
            changed += store_code_owners(&mut write, project, file.as_ref(), DOING).await?;
        }
        if let Some(pipeline) = &parts.pipeline {
            changed += store_pipeline(&mut write, project, pipeline.as_ref(), DOING).await?;
        }
        if whole {
            sqlx::query!("update project set parts_run = ?2 where id = ?1", project.0, run.key)
                .execute(&mut *write)
                .await
                .map_err(|source| Error::Query { doing: DOING, source })?;
        }
        commit(write, changed > 0, DOING).await
    }

    /// Returns all projects of a source, by GitLab's id.
    pub async fn stored_projects(
        &self,
        run: &Run,
    ) -> Result<BTreeMap<ProjectId, StoredProject>, Error> {
        let rows = sqlx::query!(
            r#"select id as "id!", gitlab_id, path, seen_run, parts_run from project
            where source_id = ?1"#,
            run.source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which projects are stored", source })?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let stored = StoredProject {
                    key: ProjectKey(row.id),
                    path: row.path,
                    seen: row.seen_run == run.key,
                    parts_read: row.parts_run == run.key,
                };
                (ProjectId::new(row.gitlab_id), stored)
            })
            .collect())
    }

    /// Returns the stored templates of all projects of a source, as the reader of items needs them.
    pub async fn templates(
        &self,
        source: SourceKey,
    ) -> Result<BTreeMap<ProjectId, Vec<Template>>, Error> {
        const DOING: &str = "reading templates";
        let rows = sqlx::query!(
            r#"select p.gitlab_id as "project!", t.kind, t.name, t.content
            from project as p join template as t on t.project_id = p.id
            where p.source_id = ?1 order by p.gitlab_id, t.kind, t.name"#,
            source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        let mut templates: BTreeMap<ProjectId, Vec<Template>> = BTreeMap::new();
        for row in rows {
            let project = ProjectId::new(row.project);
            let content = text::unpack(&row.content)
                .map_err(|source| Error::Text { doing: DOING, source })?;
            let kind = codes::kind_of(row.kind);
            let template = Template { project, kind, name: row.name, content };
            templates.entry(project).or_default().push(template);
        }
        Ok(templates)
    }
}

async fn known_projects(
    write: &mut Write,
    source: SourceKey,
    page: &[ProjectWrite],
    doing: &'static str,
) -> Result<BTreeMap<i64, (i64, Vec<u8>)>, Error> {
    let ids: Vec<i64> = page.iter().map(|p| p.project.id.get()).collect();
    let ids = codes::json(&ids);
    let rows = sqlx::query!(
        r#"select id as "id!", gitlab_id, fingerprint from project
        where source_id = ?1 and gitlab_id in (select value from json_each(?2))"#,
        source.0,
        ids,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(rows.into_iter().map(|row| (row.gitlab_id, (row.id, row.fingerprint))).collect())
}

async fn store_projects(
    write: &mut Write,
    run: &Run,
    projects: &[&ProjectWrite],
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    unearth_projects(write, run, projects.iter().map(|write| write.project.id), doing).await?;
    let rows: Vec<Row<'_>> = projects.iter().map(|project| Row::from(*project)).collect();
    let rows = codes::json(&rows);
    // A path that is left stays an address of the project, until another takes it. `cross join`
    // keeps the order: one look-up for each row.
    sqlx::query!(
        "insert into former_path (path, project_id)
        select p.path, p.id from json_each(?2) as e
        cross join project as p on p.source_id = ?1 and p.gitlab_id = e.value ->> 'gitlab_id'
        where p.path <> e.value ->> 'path'
        on conflict do nothing",
        run.source.0,
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    let stored = sqlx::query!(
        r#"insert into project (source_id, gitlab_id, path, name, description, web_url,
            default_branch, topics, visibility, archived, last_activity_at, path_key, name_key,
            fingerprint, seen_run, parts_run)
        select ?1, e.value ->> 'gitlab_id', e.value ->> 'path', e.value ->> 'name',
            e.value ->> 'description', e.value ->> 'web_url', e.value ->> 'default_branch',
            e.value -> 'topics', e.value ->> 'visibility', e.value ->> 'archived',
            e.value ->> 'last_activity_at', e.value ->> 'path_key', e.value ->> 'name_key',
            unhex(e.value ->> 'fingerprint'), ?2, 0
        from json_each(?3) as e
        where true
        on conflict (source_id, gitlab_id) do update set
            path = excluded.path, name = excluded.name, description = excluded.description,
            web_url = excluded.web_url, default_branch = excluded.default_branch,
            topics = excluded.topics, visibility = excluded.visibility,
            archived = excluded.archived, last_activity_at = excluded.last_activity_at,
            path_key = excluded.path_key, name_key = excluded.name_key,
            fingerprint = excluded.fingerprint, seen_run = excluded.seen_run
        returning id as "id!", gitlab_id as "gitlab_id!""#,
        run.source.0,
        run.key,
        rows,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(query)?;
    let keys: BTreeMap<i64, i64> = stored.iter().map(|row| (row.gitlab_id, row.id)).collect();
    let all = codes::json(&keys.values().collect::<Vec<_>>());

    sqlx::query!(
        "delete from project_tag
        where project_id in (select value from json_each(?1)) and via <> 'name'",
        all,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    let tags: Vec<TagRow<'_>> = projects
        .iter()
        .filter_map(|project| keys.get(&project.project.id.get()).map(|key| (*key, &project.tags)))
        .flat_map(|(key, tags)| TagRow::rows(key, tags))
        .collect();
    let tags = codes::json(&tags);
    intern_tags(write, &tags, doing).await?;
    sqlx::query!(
        "insert into project_tag
            (project_id, tag_id, ordinal, spelling, via, location, text, rule)
        select e.value ->> 'owner', t.id, e.value ->> 'ordinal', e.value ->> 'spelling',
            e.value ->> 'via', e.value ->> 'location', e.value ->> 'text', e.value ->> 'rule'
        from json_each(?1) as e
        join tag as t on t.key = e.value ->> 'key' and t.match_key = e.value ->> 'match_key'",
        tags,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    settle_inheritance(write, &all, doing).await?;
    Ok(())
}

async fn store_templates(
    write: &mut Write,
    project: ProjectKey,
    templates: &[Template],
    doing: &'static str,
) -> Result<u64, Error> {
    let query = |source| Error::Query { doing, source };
    let names: Vec<(i64, &str)> =
        templates.iter().map(|t| (codes::kind_code(t.kind), t.name.as_str())).collect();
    let names = codes::json(&names);
    let gone = sqlx::query!(
        "delete from template where project_id = ?1 and (kind, name) not in
            (select e.value ->> 0, e.value ->> 1 from json_each(?2) as e)",
        project.0,
        names,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    let mut changed = gone.rows_affected();
    for template in templates {
        let (kind, content) = (codes::kind_code(template.kind), text::pack(&template.content));
        let written = sqlx::query!(
            "insert into template (project_id, kind, name, content) values (?1, ?2, ?3, ?4)
            on conflict (project_id, kind, name) do update set content = excluded.content
            where template.content <> excluded.content",
            project.0,
            kind,
            template.name,
            content,
        )
        .execute(&mut **write)
        .await
        .map_err(query)?;
        changed += written.rows_affected();
    }
    Ok(changed)
}

async fn store_code_owners(
    write: &mut Write,
    project: ProjectKey,
    file: Option<&(String, String)>,
    doing: &'static str,
) -> Result<u64, Error> {
    let query = |source| Error::Query { doing, source };
    let done = if let Some((place, content)) = file {
        let content = text::pack(content);
        sqlx::query!(
            "insert into code_owners (project_id, place, content) values (?1, ?2, ?3)
            on conflict (project_id) do update
            set place = excluded.place, content = excluded.content
            where (code_owners.place, code_owners.content) <> (excluded.place, excluded.content)",
            project.0,
            place,
            content,
        )
        .execute(&mut **write)
        .await
    } else {
        sqlx::query!("delete from code_owners where project_id = ?1", project.0)
            .execute(&mut **write)
            .await
    };
    Ok(done.map_err(query)?.rows_affected())
}

async fn store_pipeline(
    write: &mut Write,
    project: ProjectKey,
    pipeline: Option<&Pipeline>,
    doing: &'static str,
) -> Result<u64, Error> {
    let query = |source| Error::Query { doing, source };
    let done = if let Some(pipeline) = pipeline {
        let created_at = pipeline.created_at.as_millisecond();
        let updated_at = pipeline.updated_at.map(Timestamp::as_millisecond);
        let id = pipeline.id.get();
        sqlx::query!(
            "insert into pipeline
                (project_id, gitlab_id, status, git_ref, sha, web_url, created_at, updated_at)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            on conflict (project_id) do update set
                gitlab_id = excluded.gitlab_id, status = excluded.status,
                git_ref = excluded.git_ref, sha = excluded.sha, web_url = excluded.web_url,
                created_at = excluded.created_at, updated_at = excluded.updated_at
            where (pipeline.gitlab_id, pipeline.status, pipeline.web_url, pipeline.updated_at)
                is not (excluded.gitlab_id, excluded.status, excluded.web_url, excluded.updated_at)",
            project.0,
            id,
            pipeline.status,
            pipeline.git_ref,
            pipeline.sha,
            pipeline.web_url,
            created_at,
            updated_at,
        )
        .execute(&mut **write)
        .await
    } else {
        sqlx::query!("delete from pipeline where project_id = ?1", project.0)
            .execute(&mut **write)
            .await
    };
    Ok(done.map_err(query)?.rows_affected())
}
