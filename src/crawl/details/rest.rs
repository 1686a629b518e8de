//! Files of one project by REST: what GraphQL did not tell, and everything where it is not to be
//! had.

use tokio_util::sync::CancellationToken;

use super::{Crawler, Due, Error, Report, Taken, unless_stopped};
use crate::codeowners::PLACES;
use crate::gitlab::{self, Feature};
use crate::model::{ItemKind, ProjectFeatures, ProjectId, Template};
use crate::store::ProjectParts;

/// The name under which a text from a project's settings is kept beside its template files.
const SETTINGS_TEMPLATE: &str = "(settings)";

/// The largest CODEOWNERS that is read. GitLab names no limit; its own viewer reads this much.
const MAX_CODEOWNERS_BYTES: usize = 10 << 20;

impl Crawler {
    /// Reads CODEOWNERS and the templates of a project.
    pub(super) async fn read_files_by_rest(
        &self,
        due: Due<'_>,
        parts: &mut ProjectParts,
        whole: &mut bool,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        parts.files_print = Some(None);
        let path = &due.project.path;
        if !due.may_hold_files() {
            parts.code_owners = Some(None);
            parts.catalog = Some(Vec::new());
        } else if Self::may_be_asked("files", due, report, whole)
            && self.asks_of(Feature::Files, due.features, report)
        {
            let file = unless_stopped(stop, self.read_code_owners(due)).await?;
            match self.take(Feature::Files, file, path, "files", report)? {
                Taken::Found(file) => parts.code_owners = Some(file),
                Taken::Failed => *whole = false,
                Taken::NotToBeHad => {}
            }
        }
        if Self::may_be_asked("templates", due, report, whole)
            && self.asks_of(Feature::Templates, due.features, report)
        {
            let found = unless_stopped(stop, self.read_templates(due)).await?;
            let found = self.take(Feature::Templates, found, path, "templates", report)?;
            parts.templates = found.or_miss(whole);
        }
        Ok(())
    }

    /// Finds the CODEOWNERS file that counts: the first of its three places that exists.
    async fn read_code_owners(
        &self,
        due: Due<'_>,
    ) -> Result<Option<(String, String)>, gitlab::Error> {
        let branch = due.project.default_branch.as_deref();
        for place in PLACES {
            let file = self.inner.client.raw_file(due.project.id, place, branch).await?;
            if let Some(file) = file {
                return Ok(Some((place.to_owned(), as_text(&file.bytes))));
            }
        }
        Ok(None)
    }

    async fn read_templates(&self, due: Due<'_>) -> Result<Vec<Template>, gitlab::Error> {
        let mut templates = of_settings(due.project.id, due.features);
        for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
            if due.features.offers(kind) {
                templates.extend(self.inner.client.templates(due.project.id, kind).await?);
            }
        }
        Ok(templates)
    }
}

/// Returns the templates that a project's settings hold.
pub(super) fn of_settings(project: ProjectId, features: &ProjectFeatures) -> Vec<Template> {
    [
        (ItemKind::Issue, &features.issues_template),
        (ItemKind::MergeRequest, &features.merge_requests_template),
    ]
    .into_iter()
    .filter(|(kind, text)| features.offers(*kind) && !text.trim().is_empty())
    .map(|(kind, text)| Template {
        project,
        kind,
        name: SETTINGS_TEMPLATE.to_owned(),
        content: text.clone(),
    })
    .collect()
}

/// Reads a file as text. A binary file counts as empty, as GitLab has it; bytes that are no text are
/// dropped.
pub(super) fn as_text(bytes: &[u8]) -> String {
    let bytes = if bytes.contains(&0) { &[][..] } else { bytes };
    let bytes = &bytes[..bytes.len().min(MAX_CODEOWNERS_BYTES)];
    bytes.utf8_chunks().map(|chunk| chunk.valid()).collect()
}
