//! Sources, runs of the sync and their problems.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Error, SourceKey, Store, codes, commit, settled};

/// What the index of a source holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Projects.
    pub projects: u64,
    /// Issues.
    pub issues: u64,
    /// Merge requests.
    pub merge_requests: u64,
    /// Different things that its items mention.
    pub references: u64,
}

/// A sync of one source that is under way.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub(crate) key: i64,
    /// The source.
    pub source: SourceKey,
    /// When it began.
    pub started_at: Timestamp,
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that the token can see was read.
    Complete,
    /// Some part could not be read; what was read is kept.
    Incomplete,
    /// Nothing could be read to the end.
    Failed,
}

impl Outcome {
    /// Returns the word used in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// How it did.
    pub outcome: Outcome,
    /// What could not be read.
    pub problems: &'a [Problem],
    /// The passes that it did the work of, by name.
    pub passes: &'a [&'a str],
    /// True when it read items: only then are answers fresher than before.
    pub reads_items: bool,
    /// When the run began, by GitLab's clock, in which lists note when they were read.
    pub began_by_gitlab: Timestamp,
}

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What: a root or a project.
    pub subject: String,
    /// Which of its lists.
    pub stream: String,
    /// Why, in words for the operator.
    pub reason: String,
    /// When it was tried.
    pub at: Timestamp,
    /// When it is tried again.
    pub retry_at: Timestamp,
}

impl Store {
    /// Makes or finds a source, and begins a run over it. What an earlier one had read before it
    /// was killed stands in the streams.
    pub async fn begin_sync(&self, name: &str, url: &str, now: Timestamp) -> Result<Run, Error> {
        const DOING: &str = "beginning a sync";
        let query = |source| Error::Query { doing: DOING, source };
        let mut write = self.write(DOING).await?;
        let source = sqlx::query_scalar!(
            r#"insert into source (name, url, outcome) values (?1, ?2, '')
            on conflict (name) do update set url = excluded.url
            returning id as "id!""#,
            name,
            url,
        )
        .fetch_one(&mut *write)
        .await
        .map_err(query)?;
        // A process that was killed cannot say so.
        sqlx::query!(
            "update sync_run set outcome = 'failed' where source_id = ?1 and outcome = 'running'",
            source,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        let started_at = now.as_millisecond();
        let key = sqlx::query_scalar!(
            r#"insert into sync_run (source_id, started_at, outcome)
            values (?1, ?2, 'running') returning id as "id!""#,
            source,
            started_at,
        )
        .fetch_one(&mut *write)
        .await
        .map_err(query)?;
        let run = Run { key, source: SourceKey(source), started_at: now };
        commit(write, false, DOING).await?;
        Ok(run)
    }

    /// Finds the run over a source that began last, whether it still runs or not.
    pub async fn find_last_run(&self, name: &str) -> Result<Option<Run>, Error> {
        let row = sqlx::query!(
            r#"select r.id as "id!", r.source_id, r.started_at from source as s
            join sync_run as r on r.source_id = s.id
            where s.name = ?1 order by r.id desc limit 1"#,
            name,
        )
        .fetch_optional(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "looking for the last sync", source })?;
        Ok(row.map(|row| Run {
            key: row.id,
            source: SourceKey(row.source_id),
            started_at: Timestamp::from_millisecond(row.started_at).unwrap_or_default(),
        }))
    }

    /// Removes the sources that are not among `names`, with everything of theirs, and returns the
    /// names of those removed.
    pub async fn remove_other_sources(&self, names: &[&str]) -> Result<Vec<String>, Error> {
        const DOING: &str = "removing sources that are no longer configured";
        let query = |source| Error::Query { doing: DOING, source };
        let names = codes::json(names);
        let mut write = self.write(DOING).await?;
        let removed = sqlx::query_scalar!(
            r#"delete from source where name not in (select value from json_each(?1))
            returning name as "name!""#,
            names,
        )
        .fetch_all(&mut *write)
        .await
        .map_err(query)?;
        commit(write, !removed.is_empty(), DOING).await?;
        Ok(removed)
    }

    /// Lists when each pass over a source last ended that was not a failure, by its beginning.
    pub async fn list_passes(&self, source: &str) -> Result<BTreeMap<String, Timestamp>, Error> {
        let rows = sqlx::query!(
            "select d.pass, d.began_at from source as s
            join pass_done as d on d.source_id = s.id
            where s.name = ?1",
            source,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading when passes ran", source })?;
        Ok(rows.into_iter().map(|row| (row.pass, codes::instant(row.began_at))).collect())
    }

    /// Finds the address that a source had when it was last synced.
    pub async fn find_source_url(&self, name: &str) -> Result<Option<String>, Error> {
        sqlx::query_scalar!("select url from source where name = ?1", name)
            .fetch_optional(&self.writer)
            .await
            .map_err(|source| Error::Query { doing: "looking up a source", source })
    }

    /// Removes a source with everything of its.
    pub async fn remove_source(&self, name: &str) -> Result<(), Error> {
        const DOING: &str = "removing a source";
        let mut write = self.write(DOING).await?;
        let removed = sqlx::query!("delete from source where name = ?1", name)
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, removed.rows_affected() > 0, DOING).await
    }

    /// Ends a run that read items: see [`Store::finish_pass`].
    pub async fn finish_run(
        &self,
        run: &Run,
        outcome: Outcome,
        problems: &[Problem],
        now: Timestamp,
    ) -> Result<(), Error> {
        let began_by_gitlab = run.started_at;
        let ended =
            Ended { outcome, problems, passes: &["sync"], reads_items: true, began_by_gitlab };
        self.finish_pass(run, &ended, now).await
    }

    /// Ends a run: stores its outcome and its problems. The progress of one that failed is kept,
    /// and the next goes on from there.
    ///
    /// The source is as fresh as the list of items that was read to its end longest ago: one that
    /// fails again and again makes answers old, whatever else was read.
    pub async fn finish_pass(
        &self,
        run: &Run,
        ended: &Ended<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        const DOING: &str = "ending a sync";
        let Ended { outcome, problems, passes, reads_items, began_by_gitlab } = *ended;
        let query = |source| Error::Query { doing: DOING, source };
        let mut write = self.write(DOING).await?;
        let word = outcome.as_str();
        let finished_at = now.as_millisecond();
        let started_at = run.started_at.as_millisecond();
        sqlx::query!(
            "update sync_run set outcome = ?2, finished_at = ?3 where id = ?1",
            run.key,
            word,
            finished_at,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        // Only the newest runs are of interest, and only of this source.
        sqlx::query!(
            "delete from sync_run where source_id = ?1 and id < ?2 - 100",
            run.source.0,
            run.key,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        sqlx::query!("delete from sync_problem where source_id = ?1", run.source.0)
            .execute(&mut *write)
            .await
            .map_err(query)?;
        for problem in problems {
            let (at, retry_at) = (problem.at.as_millisecond(), problem.retry_at.as_millisecond());
            sqlx::query!(
                "insert into sync_problem (source_id, subject, stream, reason, at, retry_at)
                values (?1, ?2, ?3, ?4, ?5, ?6)
                on conflict (source_id, subject, stream) do update set reason = excluded.reason,
                    at = excluded.at, retry_at = excluded.retry_at",
                run.source.0,
                problem.subject,
                problem.stream,
                problem.reason,
                at,
                retry_at,
            )
            .execute(&mut *write)
            .await
            .map_err(query)?;
        }
        let done = outcome != Outcome::Failed;
        if done {
            let passes = codes::json(passes);
            sqlx::query!(
                "insert into pass_done (source_id, pass, began_at)
                select ?1, e.value, ?3 from json_each(?2) as e
                where true
                on conflict (source_id, pass) do update set began_at = excluded.began_at",
                run.source.0,
                passes,
                started_at,
            )
            .execute(&mut *write)
            .await
            .map_err(query)?;
        }
        let oldest = sqlx::query_scalar!(
            r#"select min(s.read_at) as "at: i64" from root as r
            join stream as s on s.root_id = r.id and s.kind in ('issues', 'merge_requests')
            where r.source_id = ?1"#,
            run.source.0,
        )
        .fetch_one(&mut *write)
        .await
        .map_err(query)?;
        let lag = oldest.map_or(0, |oldest| began_by_gitlab.as_millisecond() - oldest);
        let as_of = started_at - lag.max(0);
        let synced_at = (done && reads_items).then_some(as_of);
        let complete_at = (outcome == Outcome::Complete && reads_items).then_some(as_of);
        sqlx::query!(
            "update source set outcome = ?2, synced_at = coalesce(?3, synced_at),
                complete_at = coalesce(?4, complete_at)
            where id = ?1",
            run.source.0,
            word,
            synced_at,
            complete_at,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        // `as_of` and `complete` are part of every answer, and of nothing that is settled.
        settled::keep(&mut write, DOING).await?;
        commit(write, true, DOING).await
    }
}
