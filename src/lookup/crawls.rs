//! How fresh each source is.

use super::{Error, Lookup, SourceProblem, SourceStatus, Viewer};

impl Lookup {
    /// Lists the sources with their freshness and problems. A viewer who is limited to groups is
    /// not told the names of projects that could not be read, which may be of other groups.
    pub async fn crawls(&self, viewer: &Viewer) -> Result<Vec<SourceStatus>, Error> {
        let problems = self.store.list_problems().await?;
        let sources = self.store.list_sources().await?;
        let told = viewer.groups.is_none();
        Ok(sources
            .into_iter()
            .map(|source| SourceStatus {
                problems: problems
                    .iter()
                    .filter(|problem| problem.source == source.name)
                    .map(|problem| SourceProblem {
                        subject: told.then(|| problem.subject.clone()),
                        stream: problem.stream.clone(),
                        reason: told.then(|| problem.reason.clone()),
                        at: problem.at,
                        retry_at: problem.retry_at,
                    })
                    .collect(),
                source: source.name,
                url: source.url,
                as_of: source.synced_at,
                complete_as_of: source.complete_at,
                outcome: source.outcome,
            })
            .collect())
    }
}
