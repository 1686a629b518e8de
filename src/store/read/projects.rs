//! Projects, their pipelines and their CODEOWNERS.

use jiff::Timestamp;

use super::Visibility;
use crate::model::{Pipeline, PipelineId};
use crate::store::{Error, Store, codes, text};

/// A project as answers show it.
#[derive(Debug, Clone)]
pub struct ProjectRow {
    /// The store's key.
    pub key: i64,
    /// GitLab's id.
    pub id: i64,
    /// Name of its source.
    pub source: String,
    /// Full path.
    pub path: String,
    /// Display name.
    pub name: String,
    /// One-line description.
    pub description: String,
    /// Address of its page.
    pub web_url: String,
    /// Default branch.
    pub default_branch: Option<String>,
    /// Topics.
    pub topics: Vec<String>,
    /// Visibility on GitLab.
    pub visibility: String,
    /// True when it is archived.
    pub archived: bool,
    /// Last activity that GitLab saw.
    pub last_activity_at: Option<Timestamp>,
    /// Latest pipeline of the default branch.
    pub pipeline: Option<Pipeline>,
}

/// A description template.
#[derive(Debug, Clone)]
pub struct TemplateRow {
    /// `1` for issues, `2` for merge requests.
    pub kind: i64,
    /// Its name.
    pub name: String,
}

struct Row {
    key: i64,
    id: i64,
    source: String,
    path: String,
    name: String,
    description: String,
    web_url: String,
    default_branch: Option<String>,
    topics: String,
    visibility: String,
    archived: bool,
    last_activity_at: Option<i64>,
    pipeline_id: Option<i64>,
    pipeline_status: Option<String>,
    pipeline_ref: Option<String>,
    pipeline_sha: Option<String>,
    pipeline_url: Option<String>,
    pipeline_created_at: Option<i64>,
    pipeline_updated_at: Option<i64>,
}

impl From<Row> for ProjectRow {
    fn from(row: Row) -> Self {
        let pipeline = row.pipeline_id.map(|id| Pipeline {
            id: PipelineId::new(id),
            status: row.pipeline_status.unwrap_or_default(),
            git_ref: row.pipeline_ref.unwrap_or_default(),
            sha: row.pipeline_sha.unwrap_or_default(),
            web_url: row.pipeline_url.unwrap_or_default(),
            created_at: codes::instant(row.pipeline_created_at.unwrap_or_default()),
            updated_at: row.pipeline_updated_at.map(codes::instant),
        });
        Self {
            key: row.key,
            id: row.id,
            source: row.source,
            path: row.path,
            name: row.name,
            description: row.description,
            web_url: row.web_url,
            default_branch: row.default_branch,
            topics: serde_json::from_str(&row.topics).unwrap_or_default(),
            visibility: row.visibility,
            archived: row.archived,
            last_activity_at: row.last_activity_at.map(codes::instant),
            pipeline,
        }
    }
}

/// Reads projects chosen by the rest of a statement.
macro_rules! projects {
    ($from:literal, $($parameter:expr),+) => {
        sqlx::query_as!(
            Row,
            r#"select p.id as "key!: i64", p.gitlab_id as "id!: i64", s.name as "source!: String",
                p.path as "path!: String", p.name as "name!: String",
                p.description as "description!: String", p.web_url as "web_url!: String",
                p.default_branch as "default_branch?: String", p.topics as "topics!: String",
                p.visibility as "visibility!: String", p.archived as "archived!: bool",
                p.last_activity_at as "last_activity_at?: i64",
                l.gitlab_id as "pipeline_id?: i64", l.status as "pipeline_status?: String",
                l.git_ref as "pipeline_ref?: String", l.sha as "pipeline_sha?: String",
                l.web_url as "pipeline_url?: String",
                l.created_at as "pipeline_created_at?: i64",
                l.updated_at as "pipeline_updated_at?: i64" "# + $from,
            $($parameter),+
        )
    };
}

impl Store {
    /// Lists the projects that carry a tag, by path and key above `after`. Sources may share paths.
    pub async fn list_projects_of_tag(
        &self,
        tag: i64,
        after: Option<(&str, i64)>,
        limit: i64,
        visibility: &Visibility,
    ) -> Result<Vec<ProjectRow>, Error> {
        let (path, key) = after.unwrap_or(("", i64::MAX));
        projects!(
            "from project as p join source as s on s.id = p.source_id
            left join pipeline as l on l.project_id = p.id
            where p.id in (select g.project_id from project_tag as g where g.tag_id = ?1)
            and (p.path, p.id) > (?2, ?5)
            and (?4 is null or p.id in (select value from json_each(?4)))
            order by p.path, p.id limit ?3",
            tag,
            path,
            limit,
            visibility.projects,
            key
        )
        .fetch_all(&self.reader)
        .await
        .map(|rows| rows.into_iter().map(ProjectRow::from).collect())
        .map_err(|source| Error::Query { doing: "listing projects", source })
    }

    /// Lists the projects that have a path now or, where none has, had it before; several when
    /// sources share paths. Letters are compared without case, as GitLab does.
    pub async fn list_projects_at(
        &self,
        path: &str,
        visibility: &Visibility,
    ) -> Result<Vec<ProjectRow>, Error> {
        let query = |source| Error::Query { doing: "looking up a project", source };
        let exact = projects!(
            "from project as p join source as s on s.id = p.source_id
            left join pipeline as l on l.project_id = p.id
            where p.path = ?1 and (?2 is null or p.id in (select value from json_each(?2)))
            order by p.id",
            path,
            visibility.projects
        )
        .fetch_all(&self.reader)
        .await
        .map_err(query)?;
        if !exact.is_empty() {
            return Ok(exact.into_iter().map(ProjectRow::from).collect());
        }
        let folded = projects!(
            "from project as p join source as s on s.id = p.source_id
            left join pipeline as l on l.project_id = p.id
            where lower(p.path) = lower(?1)
            and (?2 is null or p.id in (select value from json_each(?2)))
            order by p.id",
            path,
            visibility.projects
        )
        .fetch_all(&self.reader)
        .await
        .map_err(query)?;
        if !folded.is_empty() {
            return Ok(folded.into_iter().map(ProjectRow::from).collect());
        }
        projects!(
            "from former_path as f join project as p on p.id = f.project_id
            join source as s on s.id = p.source_id left join pipeline as l on l.project_id = p.id
            where lower(f.path) = lower(?1) and (?2 is null or p.id in (select value from json_each(?2)))
            order by p.id",
            path,
            visibility.projects
        )
        .fetch_all(&self.reader)
        .await
        .map(|rows| rows.into_iter().map(ProjectRow::from).collect())
        .map_err(query)
    }

    /// Lists the projects with one of GitLab's ids; several when sources share ids.
    pub async fn list_projects_with_id(
        &self,
        id: i64,
        visibility: &Visibility,
    ) -> Result<Vec<ProjectRow>, Error> {
        projects!(
            "from project as p join source as s on s.id = p.source_id
            left join pipeline as l on l.project_id = p.id
            where p.source_id in (select id from source) and p.gitlab_id = ?1
            and (?2 is null or p.id in (select value from json_each(?2)))
            order by p.id",
            id,
            visibility.projects
        )
        .fetch_all(&self.reader)
        .await
        .map(|rows| rows.into_iter().map(ProjectRow::from).collect())
        .map_err(|source| Error::Query { doing: "looking up a project", source })
    }

    /// Finds the CODEOWNERS file that counts for a project, as `(place, text)`.
    pub async fn find_code_owners(&self, project: i64) -> Result<Option<(String, String)>, Error> {
        const DOING: &str = "reading a CODEOWNERS file";
        let row =
            sqlx::query!("select place, content from code_owners where project_id = ?1", project)
                .fetch_optional(&self.reader)
                .await
                .map_err(|source| Error::Query { doing: DOING, source })?;
        row.map(|row| {
            let content = text::unpack(&row.content)
                .map_err(|source| Error::Text { doing: DOING, source })?;
            Ok((row.place, content))
        })
        .transpose()
    }

    /// Lists the paths that a project had before.
    pub async fn list_former_paths(&self, project: i64) -> Result<Vec<String>, Error> {
        sqlx::query_scalar!(
            // A project that was renamed back is at one of them now.
            "select f.path from former_path as f join project as p on p.id = f.project_id
            where f.project_id = ?1 and f.path <> p.path order by f.path",
            project,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading former paths", source })
    }

    /// Lists the templates that a project offers.
    pub async fn list_templates(&self, project: i64) -> Result<Vec<TemplateRow>, Error> {
        sqlx::query_as!(
            TemplateRow,
            "select kind, name from template where project_id = ?1 order by kind, name",
            project,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading templates", source })
    }
}
