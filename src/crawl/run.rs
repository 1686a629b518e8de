//! One run over a source, from its first question to its summary.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::report::Report;
use super::{Crawler, Error, NEXT_SYNC, Pass, Summary, SummaryError, status, unless_stopped};
use crate::gitlab;
use crate::model::ItemKind;
use crate::store::read::ProblemRow;
use crate::store::{Ended, Outcome, Problem, Run};
use crate::telemetry::chain;

/// How far two readings of GitLab's clock may lie apart: its `Date` says whole seconds.
pub(super) const GRAIN: SignedDuration = SignedDuration::from_secs(2);

impl Crawler {
    /// Brings the index of this source up to date, as far as the pass goes.
    ///
    /// # Errors
    ///
    /// When nothing could be read to the end; what was read is kept, and the next run goes on
    /// from there.
    pub async fn sync(&self, pass: Pass, stop: &CancellationToken) -> Result<Summary, Error> {
        // Given back when the run ends, however it does.
        let _turn = unless_stopped(stop, self.inner.turn.lock()).await?;
        let (clock, before) = (&self.inner.clock, self.inner.client.stats());
        self.activity().begin(clock.now());
        let result = self.run(pass, stop).await;
        let requests = self.inner.client.stats().requests - before.requests;
        self.activity().end(status::outcome(&result), requests, clock.now());
        result
    }

    async fn run(&self, pass: Pass, stop: &CancellationToken) -> Result<Summary, Error> {
        self.forget_another_instance().await?;
        self.recall_limits().await?;
        let inner = &self.inner;
        let (began, stats) = (inner.clock.now(), inner.client.stats());
        let url = inner.source.url.as_str();
        let run = inner.store.begin_sync(&inner.source.name, url, began).await?;
        tracing::info!(
            source = %inner.source.name,
            crawl.pass = pass.as_str(),
            "{} of {} begins",
            pass.as_str(),
            inner.source.name
        );
        let postponed = self.postponed(pass, began).await?;
        let report = Report::new(postponed);
        let steps = self.steps(&run, pass, &report, stop).await;
        if matches!(steps, Err(Error::Stopped)) {
            return Err(Error::Stopped);
        }
        let now = inner.clock.now();
        if let Err(error) = &steps {
            report.add(self.problem("source", "sync", chain(error)));
        }
        self.carry(&run, pass, &report).await?;
        let problems = report.take();
        let outcome = match &steps {
            Err(_) => Outcome::Failed,
            Ok(()) if problems.is_empty() => Outcome::Complete,
            Ok(()) => Outcome::Incomplete,
        };
        // The first sync of a source reads everything that there is.
        let is_first = inner.store.list_passes(&inner.source.name).await?.is_empty();
        let done = if is_first && pass.reads_items() { Pass::Full } else { pass };
        let done = recorded(done, &problems, report.has_resumed());
        let ended = Ended {
            outcome,
            problems: &problems,
            passes: done.replaces(),
            reads_items: pass.reads_items(),
            began_by_gitlab: self.by_gitlab(began).saturating_sub(GRAIN).unwrap_or(began),
        };
        inner.store.finish_pass(&run, &ended, now).await?;
        self.keep_limits(&run).await?;
        steps?;

        let spent = inner.client.stats();
        let totals = inner.store.totals(run.source).await?;
        let elapsed = now.duration_since(began);
        let summary = Summary {
            requests: spent.requests - stats.requests,
            projects: totals.projects,
            issues: totals.issues,
            merge_requests: totals.merge_requests,
            references: totals.references,
            removed: report.removed(),
            throttled: spent.throttled - stats.throttled,
            duration_ms: u64::try_from(elapsed.as_millis()).unwrap_or_default(),
            complete: outcome == Outcome::Complete,
            errors: problems
                .into_iter()
                .map(|problem| SummaryError::new(&inner.source.name, problem))
                .collect(),
        };
        summary.log(&inner.source.name);
        Ok(summary)
    }

    /// Does the steps of a pass.
    async fn steps(
        &self,
        run: &Run,
        pass: Pass,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let mut roots = self.find_roots(run, pass, report, stop).await?;
        self.remove_unwanted(run, report).await?;
        self.read_projects(run, pass, &mut roots, report, stop).await?;
        // With a project that went, its own root went: there is no list of it to read.
        let standing = self.inner.store.list_roots(run.source).await?;
        roots.lists.retain(|root| standing.iter().any(|row| row.key == root.key));
        unless_stopped(stop, self.check_token(run)).await??;
        self.read_details(run, pass, &roots, report, stop).await?;
        if pass.reads_items() {
            let mut projects = self.known_projects(run).await?;
            if pass.reconciles() {
                self.remove_switched_off(run, &roots, &projects, report, stop).await?;
            }
            for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
                self.read_items(run, pass, kind, &roots, &projects, report, stop).await?;
            }
            if self.welcome_strangers(run, &mut roots, report, stop).await? {
                self.read_details(run, pass, &roots, report, stop).await?;
                projects = self.known_projects(run).await?;
                for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
                    self.read_joined(run, kind, &roots, &projects, report, stop).await?;
                }
            }
            if pass.reconciles() {
                self.reconcile(run, pass, &roots, &projects, report, stop).await?;
            }
            self.refresh_labels(run, &roots, &projects, report, stop).await?;
            self.read_notes(run, pass, &projects, report, stop).await?;
        }
        self.inner.store.settle_names(run).await?;
        Ok(())
    }

    /// Lists what the sync before could not read, and what is to be looked at later than now.
    async fn postponed(&self, pass: Pass, now: Timestamp) -> Result<Vec<Problem>, Error> {
        if pass.reconciles() {
            return Ok(Vec::new());
        }
        let problems = self.inner.store.list_problems().await?;
        let is_later = |problem: &ProblemRow| {
            problem.source == self.inner.source.name
                && problem.retry_at > now
                && problem.retry_at.duration_since(problem.at) > NEXT_SYNC
        };
        Ok(problems.into_iter().filter(is_later).map(problem_of).collect())
    }

    /// Keeps the problems of earlier runs with what this pass did not look at.
    async fn carry(&self, run: &Run, pass: Pass, report: &Report) -> Result<(), Error> {
        let roots = self.inner.store.list_roots(run.source).await?;
        let unseen = self.inner.store.list_unseen_projects(run).await?;
        for problem in self.inner.store.list_problems().await? {
            let is_covered = match problem.stream.as_str() {
                // Until the list is read whole again, or its root goes.
                "project drop" => {
                    report.has_listed(&problem.subject)
                        || roots.iter().all(|root| root.name != problem.subject)
                }
                // What a list left out is no matter of a pass that reads what changed.
                "projects" => {
                    pass.lists_all_projects()
                        || problem.retry_at <= run.started_at
                        || unseen.iter().all(|project| project.path != problem.subject)
                }
                stream => pass.covers(stream),
            };
            let is_ours = problem.source == self.inner.source.name;
            if is_ours && !is_covered && !report.is_gone(&problem.subject) {
                report.add(problem_of(problem));
            }
        }
        Ok(())
    }

    /// Removes what is stored of this source when its name now stands for another host: ids of
    /// two instances mean different things.
    async fn forget_another_instance(&self) -> Result<(), Error> {
        let source = &self.inner.source;
        let Some(stored) = self.inner.store.find_source_url(&source.name).await? else {
            return Ok(());
        };
        let stored = gitlab::Url::parse(&stored).ok();
        let host = stored.as_ref().and_then(|url| url.host_str());
        if host == source.url.host_str() {
            return Ok(());
        }
        tracing::warn!(
            source = %source.name,
            "the source {} was another host before: what was read from it is removed",
            source.name
        );
        self.inner.store.remove_source(&source.name).await?;
        Ok(())
    }
}

/// Returns the pass whose work was done. What could not be read by chance is to be tried again by one
/// of the same kind; what is refused for good is told, and tried again when its time comes. A walk
/// that began in an earlier run shows no loss of before it was gone on with.
fn recorded(pass: Pass, problems: &[Problem], has_resumed: bool) -> Pass {
    let by_chance = |problem: &Problem| problem.retry_at.duration_since(problem.at) <= NEXT_SYNC;
    if pass.reconciles() && problems.iter().any(by_chance) {
        return Pass::Sync;
    }
    match pass {
        Pass::Full | Pass::Sweep if has_resumed => Pass::Reconcile,
        Pass::Full | Pass::Sweep | Pass::Reconcile | Pass::Files | Pass::Sync => pass,
    }
}

pub(super) fn problem_of(row: ProblemRow) -> Problem {
    Problem {
        subject: row.subject,
        stream: row.stream,
        reason: row.reason,
        at: row.at,
        retry_at: row.retry_at,
    }
}
