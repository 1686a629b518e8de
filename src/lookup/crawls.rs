//! How fresh each source is.

use super::{Error, Lookup, SourceProblem, SourceStatus, Viewer};

impl Lookup {
    /// Lists the sources with their freshness and problems. A viewer who is limited to groups is
    /// told of the problems of projects of these groups only.
    pub async fn crawls(&self, viewer: &Viewer) -> Result<Vec<SourceStatus>, Error> {
        let problems = self.store.list_problems().await?;
        let sources = self.store.list_sources().await?;
        Ok(sources
            .into_iter()
            .map(|source| SourceStatus {
                problems: problems
                    .iter()
                    .filter(|problem| problem.source == source.name)
                    .filter(|problem| may_know(viewer, &problem.subject))
                    .map(|problem| SourceProblem {
                        subject: problem.subject.clone(),
                        stream: problem.stream.clone(),
                        reason: problem.reason.clone(),
                        at: problem.at,
                        retry_at: problem.retry_at,
                    })
                    .collect(),
                source: source.name,
                url: source.url,
                as_of: source.synced_at,
                complete_as_of: source.complete_at,
                outcome: source.outcome,
                state: None,
                budget: None,
                token: None,
                gitlab: None,
                unavailable: None,
            })
            .collect())
    }
}

/// True when a viewer may know of a root or project.
pub(super) fn may_know(viewer: &Viewer, subject: &str) -> bool {
    let Some(groups) = &viewer.groups else { return true };
    let path = subject.rsplit(':').next().unwrap_or_default().to_lowercase();
    groups.iter().any(|group| {
        let rest = path.strip_prefix(&group.to_lowercase());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
