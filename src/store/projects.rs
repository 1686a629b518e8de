//! Projects and what hangs on them: topics' tags, labels, templates, CODEOWNERS, pipeline.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::labels::store_labels;
use super::names::{TagRow, intern_tags, settle_inheritance};
use super::tombstones::unearth_projects;
use super::{Error, ProjectKey, Run, SourceKey, Store, Write, codes, commit, last_of_each, text};
use crate::correlate::TagReading;
use crate::model::{Label, Pipeline, Project, ProjectFeatures, ProjectId, Template};

/// A project to store, with what was read out of it.
#[derive(Debug, Clone)]
pub struct ProjectWrite {
    /// As GitLab shows it.
    pub project: Project,
    /// What it offers.
    pub features: ProjectFeatures,
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
    /// Files that describe the project, as they are.
    pub catalog: Option<Vec<CatalogFile>>,
    /// The latest pipeline of the default branch.
    pub pipeline: Option<Option<Pipeline>>,
    /// Digest of the ids of all files that the above were read from; `Some(None)` when they were
    /// read without knowing it.
    pub files_print: Option<Option<Vec<u8>>>,
}

/// A file that describes a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogFile {
    /// Its path from the root of the repository.
    pub path: String,
    /// GitLab's id of its content, where it says so.
    pub oid: Option<String>,
    /// Its content; what is no text is left out of it.
    pub content: String,
}

/// A project of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProject {
    /// Its key.
    pub key: ProjectKey,
    /// As GitLab showed it last.
    pub project: Project,
    /// What it offers; `None` when that was never told.
    pub features: Option<ProjectFeatures>,
    /// True when a list of this run showed it.
    pub seen: bool,
    /// True when its details are to be read: it is new, it changed, or they could not be read.
    pub details_due: bool,
    /// The run that last read all its details, by number.
    pub details_run: i64,
    /// Digest of the ids of its files when they were last read.
    pub files_print: Option<Vec<u8>>,
    /// Status of its latest pipeline, and when that was created.
    pub pipeline: Option<(String, Timestamp)>,
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
    features: &'a ProjectFeatures,
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
            features: &write.features,
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

    /// Stores the parts of a project that were read. With `whole`, they are not due any more;
    /// without, they are.
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
        if let Some(files) = &parts.catalog {
            store_catalog(&mut write, project, files, DOING).await?;
        }
        if let Some(print) = &parts.files_print {
            sqlx::query!("update project set files_print = ?2 where id = ?1", project.0, print)
                .execute(&mut *write)
                .await
                .map_err(|source| Error::Query { doing: DOING, source })?;
        }
        if let Some(pipeline) = &parts.pipeline {
            changed += store_pipeline(&mut write, project, pipeline.as_ref(), DOING).await?;
        }
        sqlx::query!(
            "update project set parts_run = case when ?3 then ?2 else parts_run end,
                details_due = not ?3
            where id = ?1",
            project.0,
            run.key,
            whole,
        )
        .execute(&mut *write)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, changed > 0, DOING).await
    }

    /// Returns all projects of a source, by GitLab's id.
    pub async fn stored_projects(
        &self,
        run: &Run,
    ) -> Result<BTreeMap<ProjectId, StoredProject>, Error> {
        let rows = sqlx::query!(
            r#"select p.id as "id!", p.gitlab_id as "gitlab_id!", p.path, p.name, p.description,
                p.web_url, p.default_branch, p.topics, p.visibility, p.archived,
                p.last_activity_at, p.features, p.seen_run, p.parts_run, p.details_due,
                p.files_print,
                l.status as "status?", l.created_at as "created_at?"
            from project as p left join pipeline as l on l.project_id = p.id
            where p.source_id = ?1"#,
            run.source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which projects are stored", source })?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let id = ProjectId::new(row.gitlab_id);
                let project = Project {
                    id,
                    path: row.path,
                    name: row.name,
                    description: row.description,
                    web_url: row.web_url,
                    default_branch: row.default_branch,
                    topics: serde_json::from_str(&row.topics).unwrap_or_default(),
                    visibility: row.visibility,
                    archived: row.archived == 1,
                    last_activity_at: row.last_activity_at.map(codes::instant),
                };
                let stored = StoredProject {
                    key: ProjectKey(row.id),
                    project,
                    features: row.features.and_then(|text| serde_json::from_str(&text).ok()),
                    seen: row.seen_run == run.key,
                    details_due: row.details_due == 1,
                    details_run: row.parts_run,
                    files_print: row.files_print,
                    pipeline: row.status.zip(row.created_at.map(codes::instant)),
                };
                (id, stored)
            })
            .collect())
    }

    /// Returns the stored templates of all projects of a source, those that groups lend included, as
    /// the reader of items needs them.
    pub async fn templates(
        &self,
        source: SourceKey,
    ) -> Result<BTreeMap<ProjectId, Vec<Template>>, Error> {
        let mut templates = self.own_templates(source).await?;
        self.add_lent(source, &mut templates).await?;
        Ok(templates)
    }

    /// Returns the templates that were read of the projects of a source themselves.
    pub async fn own_templates(
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

    /// Adds to the templates of each project those that its group lends, and that it has none of
    /// its own in place of.
    async fn add_lent(
        &self,
        source: SourceKey,
        templates: &mut BTreeMap<ProjectId, Vec<Template>>,
    ) -> Result<(), Error> {
        let lent = self.lent(source).await?;
        if lent.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query!(
            r#"select gitlab_id as "gitlab_id!", path from project where source_id = ?1"#,
            source.0
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading the paths of projects", source })?;
        for row in rows {
            let Some(lent) = row.path.rsplit_once('/').and_then(|(group, _)| lent.get(group))
            else {
                continue;
            };
            let project = ProjectId::new(row.gitlab_id);
            let own = templates.entry(project).or_default();
            for template in lent {
                if own.iter().all(|own| (own.kind, &own.name) != (template.kind, &template.name)) {
                    own.push(Template {
                        project,
                        kind: template.kind,
                        name: template.name.clone(),
                        content: template.content.clone(),
                    });
                }
            }
            own.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        }
        Ok(())
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
            fingerprint, features, seen_run, parts_run, details_due)
        select ?1, e.value ->> 'gitlab_id', e.value ->> 'path', e.value ->> 'name',
            e.value ->> 'description', e.value ->> 'web_url', e.value ->> 'default_branch',
            e.value -> 'topics', e.value ->> 'visibility', e.value ->> 'archived',
            e.value ->> 'last_activity_at', e.value ->> 'path_key', e.value ->> 'name_key',
            unhex(e.value ->> 'fingerprint'), e.value -> 'features', ?2, 0, 1
        from json_each(?3) as e
        where true
        on conflict (source_id, gitlab_id) do update set
            path = excluded.path, name = excluded.name, description = excluded.description,
            web_url = excluded.web_url, default_branch = excluded.default_branch,
            topics = excluded.topics, visibility = excluded.visibility,
            archived = excluded.archived, last_activity_at = excluded.last_activity_at,
            path_key = excluded.path_key, name_key = excluded.name_key,
            fingerprint = excluded.fingerprint, seen_run = excluded.seen_run,
            features = excluded.features,
            details_due = max(project.details_due,
                (project.path, project.default_branch, project.archived, project.features,
                    project.last_activity_at)
                is not (excluded.path, excluded.default_branch, excluded.archived,
                    excluded.features, excluded.last_activity_at))
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
        // GraphQL tells whole seconds, REST finer ones; the index is the same by either.
        let created_at = pipeline.created_at.as_second() * 1_000;
        let updated_at = pipeline.updated_at.map(|at| at.as_second() * 1_000);
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

async fn store_catalog(
    write: &mut Write,
    project: ProjectKey,
    files: &[CatalogFile],
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    sqlx::query!("delete from catalog_file where project_id = ?1", project.0)
        .execute(&mut **write)
        .await
        .map_err(query)?;
    for file in files {
        let content = text::pack(&file.content);
        sqlx::query!(
            "insert into catalog_file (project_id, path, oid, content) values (?1, ?2, ?3, ?4)
            on conflict (project_id, path) do update
            set oid = excluded.oid, content = excluded.content",
            project.0,
            file.path,
            file.oid,
            content,
        )
        .execute(&mut **write)
        .await
        .map_err(query)?;
    }
    Ok(())
}
