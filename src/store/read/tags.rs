//! Tags: names with counts, and what projects carry.

use super::Visibility;
use crate::store::{Error, Store};

/// A name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// The store's key.
    pub id: i64,
    /// `service`, `team`, ….
    pub key: String,
    /// The spelling that is shown.
    pub value: String,
    /// What it is compared by.
    pub match_key: String,
}

/// How much carries a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TagCounts {
    /// Projects.
    pub projects: i64,
    /// Issues, inherited tags included.
    pub issues: i64,
    /// Of these, the open ones.
    pub open_issues: i64,
    /// Merge requests, inherited tags included.
    pub merge_requests: i64,
    /// Of these, the open ones.
    pub open_merge_requests: i64,
}

/// Why a project carries a tag.
#[derive(Debug, Clone)]
pub struct ProjectTagRow {
    /// The project's key.
    pub project: i64,
    /// Tag key.
    pub key: String,
    /// Tag value as shown.
    pub value: String,
    /// Evidence: the way.
    pub via: String,
    /// Evidence: the place.
    pub location: String,
    /// Evidence: the text.
    pub text: String,
    /// Evidence: the rule.
    pub rule: String,
}

impl Store {
    /// Finds a name by its key and match key.
    pub async fn find_tag(&self, key: &str, match_key: &str) -> Result<Option<TagRow>, Error> {
        sqlx::query_as!(
            TagRow,
            r#"select id as "id!", key, value, match_key from tag where key = ?1 and match_key = ?2"#,
            key,
            match_key,
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "looking up a name", source })
    }

    /// Lists the names of a key that something visible carries, by match key above `after`.
    pub async fn list_tags(
        &self,
        key: &str,
        after: &str,
        limit: i64,
        visibility: &Visibility,
    ) -> Result<Vec<TagRow>, Error> {
        sqlx::query_as!(
            TagRow,
            r#"select t.id as "id!", t.key, t.value, t.match_key from tag as t
            where t.key = ?1 and t.match_key > ?2 and (
                exists (select 1 from project_tag as p where p.tag_id = t.id
                    and (?4 is null or p.project_id in (select value from json_each(?4))))
                or exists (select 1 from item_tag as g join item as i on i.id = g.item_id
                    where g.tag_id = t.id and (?5 or i.confidential = 0)
                    and (?4 is null or i.project_id in (select value from json_each(?4))))
            )
            order by t.match_key limit ?3"#,
            key,
            after,
            limit,
            visibility.projects,
            visibility.confidential,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "listing names", source })
    }

    /// Counts what carries a name.
    pub async fn count_tag(&self, tag: i64, visibility: &Visibility) -> Result<TagCounts, Error> {
        let query = |source| Error::Query { doing: "counting what carries a name", source };
        let projects = sqlx::query_scalar!(
            r#"select count(distinct project_id) as "n!: i64" from project_tag where tag_id = ?1
            and (?2 is null or project_id in (select value from json_each(?2)))"#,
            tag,
            visibility.projects,
        )
        .fetch_one(&self.reader)
        .await
        .map_err(query)?;
        let items = sqlx::query!(
            r#"select
                count(*) filter (where g.kind = 1) as "issues!: i64",
                count(*) filter (where g.kind = 1 and i.state = 'opened') as "open_issues!: i64",
                count(*) filter (where g.kind = 2) as "merge_requests!: i64",
                count(*) filter (where g.kind = 2 and i.state = 'opened')
                    as "open_merge_requests!: i64"
            from item_tag as g join item as i on i.id = g.item_id
            where g.tag_id = ?1 and (?3 or i.confidential = 0)
            and (?2 is null or i.project_id in (select value from json_each(?2)))"#,
            tag,
            visibility.projects,
            visibility.confidential,
        )
        .fetch_one(&self.reader)
        .await
        .map_err(query)?;
        Ok(TagCounts {
            projects,
            issues: items.issues,
            open_issues: items.open_issues,
            merge_requests: items.merge_requests,
            open_merge_requests: items.open_merge_requests,
        })
    }

    /// Lists why projects carry their tags. `projects` is a JSON array of keys.
    pub async fn list_project_tags(&self, projects: &str) -> Result<Vec<ProjectTagRow>, Error> {
        sqlx::query_as!(
            ProjectTagRow,
            r#"select p.project_id as "project!", t.key as "key!", t.value as "value!",
                p.via as "via!", p.location as "location!", p.text as "text!", p.rule as "rule!"
            from json_each(?1) as j join project_tag as p on p.project_id = j.value
            join tag as t on t.id = p.tag_id
            order by p.project_id, t.key, t.match_key, p.ordinal"#,
            projects,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading the tags of projects", source })
    }
}
