//! What a GitLab does not have, or not for this credential: told once, and skipped.
//!
//! Whether a refusal means that is [`crate::gitlab`]'s to judge. Here it is turned into one problem
//! of the source in place of one for each project. What is stored of such a part stays.

use std::sync::PoisonError;

use jiff::SignedDuration;

use super::{Crawler, Error, Report};
use crate::gitlab::{self, Feature, Lack, Unavailable};
use crate::telemetry::chain;

/// When it is found out anew what a GitLab has. Versions and licences change by the day.
const PROBE_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// What became of a part of a project.
pub(super) enum Taken<T> {
    /// It was read.
    Found(T),
    /// It could not be read this time.
    Failed,
    /// It is not to be had, for any project.
    NotToBeHad,
}

impl<T> Taken<T> {
    /// Returns what was read; what was not is noted in `whole`.
    pub(super) fn or_miss(self, whole: &mut bool) -> Option<T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Failed => {
                *whole = false;
                None
            }
            Self::NotToBeHad => None,
        }
    }
}

impl Crawler {
    /// Says whether a part of a project may be asked for. One that is known not to be had is
    /// recorded once, for the whole source.
    pub(super) fn asks(&self, feature: Feature, report: &Report) -> bool {
        match self.inner.client.find_lack(feature) {
            None => true,
            Some(lack) => {
                self.record_lack(&lack, report);
                false
            }
        }
    }

    /// Takes a part of a project: notes that it was answered, or what a refusal of it means. A
    /// refusal that is not of this project alone is recorded once, for the whole source; any other
    /// failure is survived. `None` when there is nothing.
    pub(super) fn take<T>(
        &self,
        feature: Feature,
        answer: Result<T, gitlab::Error>,
        subject: &str,
        stream: &str,
        report: &Report,
    ) -> Result<Taken<T>, Error> {
        match answer {
            Ok(found) => {
                self.inner.client.answered(feature);
                Ok(Taken::Found(found))
            }
            Err(error) => {
                let Some(lack) = self.inner.client.refused(feature, subject, &error) else {
                    self.survive(error, subject, stream, report)?;
                    return Ok(Taken::Failed);
                };
                // The first of those that decided it was recorded for itself.
                report.forget(stream, &self.inner.client.refusers(feature));
                self.record_lack(&lack, report);
                Ok(Taken::NotToBeHad)
            }
        }
    }

    /// Records what the credential does not reach: it is there, and the index lacks it. What the
    /// instance does not have is nothing that is missed.
    pub(super) fn record_lack(&self, lack: &Unavailable, report: &Report) {
        match lack.lack {
            Lack::Credential => {
                report.add(self.problem("source", lack.feature.as_str(), lack.reason.clone()));
            }
            Lack::Instance | Lack::Configuration => {}
        }
    }

    /// Finds out anew, once a day, what this GitLab is and has. A failure is of no consequence:
    /// the next sync meets it too, and says so.
    pub(super) async fn probe_daily(&self) {
        let now = self.inner.clock.now();
        let probed_at = self.inner.client.capabilities().probed_at;
        if probed_at.is_some_and(|at| now.duration_since(at).abs() < PROBE_PAUSE) {
            return;
        }
        let sample = self.inner.sample.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Err(error) = self.inner.client.probe_features(&sample).await {
            tracing::warn!(
                source = self.name(),
                "source {}: what its GitLab has could not be found out: {}",
                self.name(),
                chain(&error)
            );
        }
    }
}
