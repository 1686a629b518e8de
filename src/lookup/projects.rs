//! Projects, and who owns their paths.

use super::crawls::may_know;
use super::{Error, Lookup, Owner, PathOwners, ProjectDetail, SectionOwners, Viewer};
use crate::codeowners::CodeOwners;
use crate::store::read::{ProjectRow, Visibility};

impl Lookup {
    /// Finds a project by GitLab's id, its path, or a path it had before.
    pub async fn project(
        &self,
        id_or_path: &str,
        viewer: &Viewer,
    ) -> Result<Option<ProjectDetail>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(row) = self.project_row(id_or_path, &visibility).await? else { return Ok(None) };
        let key = row.key;
        let templates = self.store.list_templates(key).await?;
        let names = |kind| {
            let of_kind = templates.iter().filter(move |template| template.kind == kind);
            of_kind.map(|template| template.name.clone()).collect()
        };
        let (issue_templates, merge_request_templates) = (names(1), names(2));
        let mut former_paths = self.store.list_former_paths(key).await?;
        former_paths.retain(|path| may_know(viewer, path));
        let codeowners = self.store.find_code_owners(key).await?.map(|(place, _)| place);
        let project = self.projects(vec![row]).await?.pop();
        Ok(project.map(|project| ProjectDetail {
            project,
            former_paths,
            codeowners,
            issue_templates,
            merge_request_templates,
        }))
    }

    /// Finds whom a project's CODEOWNERS names for a path, or lists all its entries.
    pub async fn owners(
        &self,
        id_or_path: &str,
        path: Option<&str>,
        viewer: &Viewer,
    ) -> Result<Option<PathOwners>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(row) = self.project_row(id_or_path, &visibility).await? else { return Ok(None) };
        let file = self.store.find_code_owners(row.key).await?;
        let path = path.map(|path| path.trim_start_matches('/').to_owned());
        let Some((place, text)) = file else {
            return Ok(Some(PathOwners { path, file: None, sections: Vec::new() }));
        };
        let code_owners = CodeOwners::parse(&text);
        let owners = |owners: &[crate::model::Owner]| {
            let owners = owners.iter();
            owners.map(|o| Owner { kind: o.kind.into(), name: o.name.clone() }).collect()
        };
        let sections = match &path {
            Some(path) => code_owners
                .owners_of(path)
                .into_iter()
                .map(|found| SectionOwners {
                    section: found.section.to_owned(),
                    optional: found.optional,
                    approvals: found.approvals,
                    pattern: found.pattern.to_owned(),
                    line: found.line,
                    owners: owners(found.owners),
                })
                .collect(),
            None => code_owners
                .entries()
                .map(|entry| SectionOwners {
                    section: entry.section.to_owned(),
                    optional: entry.optional,
                    approvals: entry.approvals,
                    pattern: entry.pattern.to_owned(),
                    line: entry.line,
                    owners: owners(entry.owners),
                })
                .collect(),
        };
        Ok(Some(PathOwners { path, file: Some(place), sections }))
    }

    /// Finds a project's row by GitLab's id or by a path.
    pub(super) async fn project_row(
        &self,
        id_or_path: &str,
        visibility: &Visibility,
    ) -> Result<Option<ProjectRow>, Error> {
        let wanted = id_or_path.trim().trim_matches('/');
        let rows = match wanted.parse::<i64>() {
            Ok(id) => self.store.list_projects_with_id(id, visibility).await?,
            Err(_) => self.store.list_projects_at(wanted, visibility).await?,
        };
        Ok(rows.into_iter().next())
    }
}
