//! Rows to answers: items and projects with their tags and evidence.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Evidence, Item, Lookup, Pipeline, Project, ProjectLink, ProjectPipeline, Tag};
use crate::model::Via;
use crate::store::read::{ItemRow, ProjectRow, ProjectTagRow, Visibility};

fn keys(keys: impl IntoIterator<Item = i64>) -> String {
    let keys: BTreeSet<i64> = keys.into_iter().collect();
    serde_json::to_string(&keys).expect("numbers serialise")
}

fn by_project(rows: Vec<ProjectTagRow>) -> BTreeMap<i64, Vec<ProjectTagRow>> {
    let mut map: BTreeMap<i64, Vec<ProjectTagRow>> = BTreeMap::new();
    for row in rows {
        map.entry(row.project).or_default().push(row);
    }
    map
}

fn project_evidence(row: &ProjectTagRow, inherited: bool) -> Evidence {
    Evidence {
        subject: format!("{}:{}", row.key, row.value),
        via: row.via.clone(),
        location: row.location.clone(),
        text: row.text.clone(),
        inherited,
        rule: row.rule.clone(),
        url: None,
    }
}

impl Lookup {
    /// Adds tags and evidence to rows, keeping their order.
    pub(super) async fn items(
        &self,
        rows: Vec<ItemRow>,
        visibility: &Visibility,
    ) -> Result<Vec<Item>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids = keys(rows.iter().map(|row| row.key));
        let tags = self.store.list_item_tags(&ids).await?;
        let why = self.store.list_tag_evidence(&ids).await?;
        let mentions = self.store.list_reference_evidence(&ids, visibility).await?;
        let projects = keys(rows.iter().map(|row| row.project));
        let projects = by_project(self.store.list_project_tags(&projects).await?);

        let mut items: BTreeMap<i64, Item> = rows.iter().map(|row| (row.key, item(row))).collect();
        let project_of: BTreeMap<i64, i64> =
            rows.iter().map(|row| (row.key, row.project)).collect();
        for tag in &tags {
            let Some(item) = items.get_mut(&tag.item) else { continue };
            let subject = format!("{}:{}", tag.key, tag.value);
            item.tags.push(Tag { key: tag.key.clone(), value: tag.value.clone() });
            for row in why.iter().filter(|row| row.item == tag.item && row.tag == tag.tag) {
                item.evidence.push(Evidence {
                    subject: subject.clone(),
                    via: row.via.clone(),
                    location: row.location.clone(),
                    text: row.text.clone(),
                    inherited: false,
                    rule: row.rule.clone(),
                    url: None,
                });
            }
            if tag.inherited {
                let rows = project_of.get(&tag.item).and_then(|project| projects.get(project));
                item.evidence.extend(
                    rows.into_iter()
                        .flatten()
                        .filter(|row| row.key == tag.key && row.value == tag.value)
                        .map(|row| project_evidence(row, true)),
                );
            }
        }
        for mention in mentions {
            let Some(item) = items.get_mut(&mention.item) else { continue };
            let url =
                (mention.note != 0).then(|| format!("{}#note_{}", item.web_url, mention.note));
            item.evidence.push(Evidence {
                subject: format!("{}:{}", mention.kind, mention.id),
                via: Via::Reference.as_str().to_owned(),
                location: mention.location,
                text: mention.text,
                inherited: false,
                rule: mention.rule,
                url,
            });
        }
        Ok(rows.iter().filter_map(|row| items.remove(&row.key)).collect())
    }

    /// Adds tags and evidence to projects, keeping their order.
    pub(super) async fn projects(&self, rows: Vec<ProjectRow>) -> Result<Vec<Project>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids = keys(rows.iter().map(|row| row.key));
        let mut tags = by_project(self.store.list_project_tags(&ids).await?);
        Ok(rows
            .into_iter()
            .map(|row| {
                let tags = tags.remove(&row.key).unwrap_or_default();
                project(row, &tags)
            })
            .collect())
    }
}

fn item(row: &ItemRow) -> Item {
    let sigil = row.kind.sigil();
    Item {
        kind: row.kind.into(),
        reference: format!("{}{sigil}{}", row.project_path, row.iid),
        id: row.id,
        iid: row.iid,
        project: ProjectLink {
            id: row.project_id,
            path: row.project_path.clone(),
            web_url: row.project_url.clone(),
        },
        title: row.title.clone(),
        state: row.state.clone(),
        draft: row.draft,
        confidential: row.confidential,
        issue_type: row.issue_type.clone(),
        author: row.author.clone(),
        labels: row.labels.clone(),
        web_url: row.web_url.clone(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        closed_at: row.closed_at,
        merged_at: row.merged_at,
        tags: Vec::new(),
        evidence: Vec::new(),
    }
}

fn project(row: ProjectRow, tags: &[ProjectTagRow]) -> Project {
    let mut carried: Vec<Tag> =
        tags.iter().map(|row| Tag { key: row.key.clone(), value: row.value.clone() }).collect();
    carried.dedup();
    Project {
        id: row.id,
        source: row.source,
        path: row.path,
        name: row.name,
        description: row.description,
        web_url: row.web_url,
        default_branch: row.default_branch,
        visibility: row.visibility,
        archived: row.archived,
        topics: row.topics,
        last_activity_at: row.last_activity_at,
        pipeline: row.pipeline.map(Pipeline::from),
        tags: carried,
        evidence: tags.iter().map(|row| project_evidence(row, false)).collect(),
    }
}

impl From<crate::model::Pipeline> for Pipeline {
    fn from(pipeline: crate::model::Pipeline) -> Self {
        Self {
            id: pipeline.id.get(),
            status: pipeline.status,
            git_ref: pipeline.git_ref,
            sha: pipeline.sha,
            web_url: pipeline.web_url,
            created_at: pipeline.created_at,
            updated_at: pipeline.updated_at,
        }
    }
}

/// Returns a project's address.
pub(super) fn link(project: &Project) -> ProjectLink {
    ProjectLink { id: project.id, path: project.path.clone(), web_url: project.web_url.clone() }
}

/// Returns the pipelines of those projects that have one.
pub(super) fn pipelines(projects: &[Project]) -> Vec<ProjectPipeline> {
    projects
        .iter()
        .filter_map(|project| {
            let pipeline = project.pipeline.clone()?;
            Some(ProjectPipeline { project: link(project), pipeline })
        })
        .collect()
}
