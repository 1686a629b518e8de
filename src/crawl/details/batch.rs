//! Details of many projects by GraphQL: ids first, and the contents of what changed.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::rest::{as_text, of_settings};
use super::{Crawler, Due, Error, Findings, Report, Sure, several, unless_stopped};
use crate::codeowners::PLACES;
use crate::crawl::digest;
use crate::gitlab::{self, Fetched, FoundFile, FoundPipeline, ProjectDetails, ProjectFiles, Want};
use crate::model::{ItemKind, Pipeline, Project, ProjectId, Template};
use crate::store::{CatalogFile, ProjectParts, Run};
use crate::telemetry::chain;

/// Files in the root of a repository in which catalogues describe a project.
pub(in crate::crawl) const CATALOG: [&str; 10] = [
    "catalog-info.yaml",
    "catalog-info.yml",
    "opslevel.yml",
    "cortex.yaml",
    "service.datadog.yaml",
    "entity.datadog.yaml",
    "port.yml",
    "port.yaml",
    "compass.yml",
    "compass.yaml",
];

/// So many paths at most in one question for contents: each costs a little of the complexity that a
/// query may have.
const PATHS_AT_ONCE: usize = 40;

/// A project of which files changed.
struct Changed<'a> {
    due: Due<'a>,
    parts: ProjectParts,
    sure: Sure,
    files: Vec<FoundFile>,
}

impl Crawler {
    /// Reads a batch of projects of one default branch, and stores what they hold.
    pub(super) async fn read_batch(
        &self,
        run: &Run,
        branch: Option<&str>,
        batch: &[Due<'_>],
        findings: &Findings,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let ids: Vec<ProjectId> = batch.iter().map(|due| due.project.id).collect();
        let paths: Vec<&str> = PLACES.into_iter().chain(CATALOG).collect();
        let asked = self.inner.client.project_details(&ids, &paths, branch);
        let mut answer = unless_stopped(stop, asked).await?;
        if let Some(failure) = answer.failure.take() {
            self.judge(failure)?;
        }
        findings.note_enterprise(answer.enterprise);
        let (mut settled, mut changed) = (Vec::new(), Vec::new());
        for due in batch {
            let told = answer.projects.remove(&due.project.id).unwrap_or_default();
            let (parts, mut sure) = take_told(*due, branch, &told);
            match told.files.filter(|_| !due.features.is_sketch).map(|files| wanted(*due, files)) {
                None => settled.push((*due, parts, sure)),
                Some(files) if due.stored.files_print.as_deref() == Some(&print(*due, &files)) => {
                    sure.files = true;
                    settled.push((*due, parts, sure));
                }
                Some(files) => changed.push(Changed { due: *due, parts, sure, files }),
            }
        }
        several(settled, self.concurrency(), |(due, parts, sure)| {
            self.complete(run, due, parts, sure, report, stop)
        })
        .await?;
        self.read_changed_files(run, changed, report, stop).await
    }

    /// Asks for the contents of files, many projects at a time, and stores them.
    async fn read_changed_files(
        &self,
        run: &Run,
        mut changed: Vec<Changed<'_>>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        // Those that hold the same paths stand together, so that few paths are asked of many.
        changed.sort_by(|a, b| {
            let paths = |row: &Changed<'_>| -> Vec<String> {
                row.files.iter().map(|file| file.path.clone()).collect()
            };
            paths(a).cmp(&paths(b))
        });
        while !changed.is_empty() {
            let mut paths: BTreeSet<String> = BTreeSet::new();
            let mut count = 0;
            for row in &changed {
                let more = row.files.iter().filter(|file| !paths.contains(&file.path)).count();
                let is_full = paths.len() + more > PATHS_AT_ONCE
                    || count == self.inner.client.files_at_once();
                if is_full && count > 0 {
                    break;
                }
                paths.extend(row.files.iter().map(|file| file.path.clone()));
                count += 1;
            }
            let chunk: Vec<Changed<'_>> = changed.drain(..count).collect();
            let holders = chunk.iter().filter(|row| !row.files.is_empty());
            let ids: Vec<ProjectId> = holders.map(|row| row.due.project.id).collect();
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let mut told = BTreeMap::new();
            if !ids.is_empty() {
                let asked = self.inner.client.project_files(&ids, &paths, Want::All);
                let answer = unless_stopped(stop, asked).await?;
                told = answer.projects;
                if let Some(failure) = answer.failure {
                    self.judge(failure)?;
                }
            }
            for mut row in chunk {
                let contents = told.remove(&row.due.project.id);
                let texts = self.texts(&row, contents, stop).await?;
                if let Some(texts) = texts {
                    take_texts(&mut row, &texts);
                    row.sure.files = true;
                }
                self.complete(run, row.due, row.parts, row.sure, report, stop).await?;
            }
        }
        Ok(())
    }

    /// Returns the texts of all files of a project by path; `None` when they are not sure. One that
    /// GraphQL does not show exactly is read as it is.
    async fn texts(
        &self,
        row: &Changed<'_>,
        contents: Option<Fetched<ProjectFiles>>,
        stop: &CancellationToken,
    ) -> Result<Option<BTreeMap<String, String>>, Error> {
        let mut texts = BTreeMap::new();
        let contents = match contents {
            Some(Fetched::Whole(contents)) => contents,
            None if row.files.is_empty() => return Ok(Some(texts)),
            Some(Fetched::Failed(_) | Fetched::Absent) | None => return Ok(None),
        };
        for file in &row.files {
            let Some(content) = contents.file(&file.path) else { return Ok(None) };
            if content.oid.as_ref().is_some_and(|oid| *oid != file.oid) {
                // It changed in between.
                return Ok(None);
            }
            // Templates come as the interface for them has them, the others as they are.
            let is_template = is_template(&file.path);
            let read = |bytes: &[u8]| {
                if is_template {
                    String::from_utf8_lossy(bytes).into_owned()
                } else {
                    as_text(bytes)
                }
            };
            let text = if let Some(text) = &content.text {
                read(text.as_bytes())
            } else {
                let branch = row.due.project.default_branch.as_deref();
                let raw = self.inner.client.raw_file(row.due.project.id, &file.path, branch);
                match unless_stopped(stop, raw).await? {
                    Ok(Some(raw)) => read(&raw.bytes),
                    Ok(None) => return Ok(None),
                    Err(error) => {
                        tracing::debug!("a file is asked for with its project: {}", chain(&error));
                        return Ok(None);
                    }
                }
            };
            texts.insert(file.path.clone(), text);
        }
        Ok(Some(texts))
    }
}

/// Takes labels and pipeline as they were told.
fn take_told(due: Due<'_>, branch: Option<&str>, told: &ProjectDetails) -> (ProjectParts, Sure) {
    let mut parts = ProjectParts { labels: told.labels.clone(), ..ProjectParts::default() };
    let mut sure = Sure { labels: told.labels.is_some(), ..Sure::default() };
    if let (Some(own), Some(found)) = (due.pipeline_branch(), &told.pipelines)
        && Some(own) == branch
    {
        sure.pipeline = true;
        parts.pipeline = Some(found.first().map(|found| pipeline_of(due.project, found)));
    }
    (parts, sure)
}

fn pipeline_of(project: &Project, found: &FoundPipeline) -> Pipeline {
    Pipeline {
        id: found.id,
        status: found.status.clone(),
        git_ref: found.git_ref.clone(),
        sha: found.sha.clone(),
        web_url: format!("{}/-/pipelines/{}", project.web_url, found.id),
        created_at: found.created_at,
        updated_at: found.updated_at,
    }
}

/// Returns the name of a template file of a kind; `None` for any other file.
fn template_name(kind: ItemKind, path: &str) -> Option<&str> {
    path.strip_prefix(gitlab::template_folder(kind))?.strip_prefix('/')?.strip_suffix(".md")
}

/// Returns the files that count: the first CODEOWNERS, catalogue files, and the templates of what
/// the project has switched on.
fn wanted(due: Due<'_>, mut files: Vec<FoundFile>) -> Vec<FoundFile> {
    let is_there = |place: &&str| files.iter().any(|file| file.path == *place);
    let code_owners = PLACES.into_iter().find(is_there);
    files.retain(|file| {
        let path = file.path.as_str();
        Some(path) == code_owners
            || CATALOG.contains(&path)
            || [ItemKind::Issue, ItemKind::MergeRequest]
                .into_iter()
                .any(|kind| due.features.offers(kind) && template_name(kind, path).is_some())
    });
    files
}

/// Returns a digest of what the stored files of a project were read from.
fn print(due: Due<'_>, files: &[FoundFile]) -> Vec<u8> {
    let settings = of_settings(due.project.id, due.features);
    let texts: Vec<&str> = files
        .iter()
        .flat_map(|file| [file.path.as_str(), file.oid.as_str()])
        .chain(settings.iter().flat_map(|text| [text.kind.as_str(), text.content.as_str()]))
        .collect();
    digest(&texts)
}

/// Takes the texts of a project's files.
fn take_texts(row: &mut Changed<'_>, texts: &BTreeMap<String, String>) {
    let (project, features) = (row.due.project.id, row.due.features);
    let place = PLACES.iter().find_map(|place| texts.get_key_value(*place));
    row.parts.code_owners = Some(place.map(|(place, text)| (place.clone(), text.clone())));
    let mut templates = of_settings(project, features);
    for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
        templates.extend(texts.iter().filter_map(|(path, text)| {
            let name = template_name(kind, path)?.to_owned();
            Some(Template { project, kind, name, content: text.clone() })
        }));
    }
    row.parts.templates = Some(templates);
    let catalog = row.files.iter().filter(|file| CATALOG.contains(&file.path.as_str()));
    let catalog = catalog.filter_map(|file| {
        let content = texts.get(&file.path)?.clone();
        Some(CatalogFile { path: file.path.clone(), oid: Some(file.oid.clone()), content })
    });
    row.parts.catalog = Some(catalog.collect());
    row.parts.files_print = Some(Some(print(row.due, &row.files)));
}

/// True for the path of a description template, as GitLab spells it.
fn is_template(path: &str) -> bool {
    let extension = path.strip_prefix(".gitlab/").and_then(|rest| rest.rsplit_once('.'));
    extension.is_some_and(|(_, extension)| extension == "md")
}
