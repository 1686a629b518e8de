//! How fresh each source is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Error, Lookup, SourceProblem, SourceStatus, Viewer, streams};

impl Lookup {
    /// Lists the sources with their freshness and problems. A viewer who is limited to groups is
    /// told of the roots and of the problems of projects of these groups only.
    ///
    /// `moments` is the present by GitLab's clock, for each source whose clock is known.
    pub async fn crawls(
        &self,
        viewer: &Viewer,
        moments: &BTreeMap<String, Timestamp>,
    ) -> Result<Vec<SourceStatus>, Error> {
        let problems = self.store.list_problems().await?;
        let mut streams = streams::told(&self.store.list_streams().await?, &problems, moments);
        let sources = self.store.list_sources().await?;
        Ok(sources
            .into_iter()
            .map(|source| SourceStatus {
                streams: streams
                    .remove(&source.name)
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|(path, _)| may_know(viewer, path))
                    .map(|(_, stream)| stream)
                    .collect(),
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
                webhooks: None,
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
