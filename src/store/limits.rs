//! What was learnt of GitLab's limits, so that a new process knows it too.
//!
//! The store keeps figures and knows no rule of them: what a limit means, and when it is too old
//! to go by, is for those who learnt it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Error, SourceKey, Store, codes, commit};

/// A limit that was learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearntLimit {
    /// The route template that it holds for; `None` for all requests.
    pub route: Option<String>,
    /// GitLab's name of the throttle; "" where it has none.
    pub throttle: String,
    /// How many requests pass in an interval.
    pub requests: u64,
    /// The interval.
    pub interval: Duration,
    /// When it was learnt.
    pub learnt_at: Timestamp,
}

impl Store {
    /// Keeps what is known of a source's limits now, in place of what was known before.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub async fn store_limits(
        &self,
        source: SourceKey,
        limits: &[LearntLimit],
    ) -> Result<(), Error> {
        const DOING: &str = "keeping what was learnt of GitLab's limits";
        let query = |source| Error::Query { doing: DOING, source };
        let mut write = self.write(DOING).await?;
        sqlx::query!("delete from learnt_limit where source_id = ?1", source.0)
            .execute(&mut *write)
            .await
            .map_err(query)?;
        for limit in limits {
            let route = limit.route.as_deref().unwrap_or_default();
            let requests = i64::try_from(limit.requests).unwrap_or(i64::MAX);
            let interval_ms = i64::try_from(limit.interval.as_millis()).unwrap_or(i64::MAX);
            let learnt_at = limit.learnt_at.as_millisecond();
            // One that permits nothing, or holds for no time, would say nothing.
            if requests == 0 || interval_ms == 0 {
                continue;
            }
            sqlx::query!(
                "insert into learnt_limit
                    (source_id, route, throttle, requests, interval_ms, learnt_at)
                values (?1, ?2, ?3, ?4, ?5, ?6)
                on conflict (source_id, route, throttle, interval_ms)
                do update set requests = min(requests, excluded.requests),
                    learnt_at = max(learnt_at, excluded.learnt_at)",
                source.0,
                route,
                limit.throttle,
                requests,
                interval_ms,
                learnt_at,
            )
            .execute(&mut *write)
            .await
            .map_err(query)?;
        }
        commit(write, false, DOING).await
    }

    /// Lists what was learnt of the limits of a source; none for one that was never synced.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub async fn list_limits(&self, source: &str) -> Result<Vec<LearntLimit>, Error> {
        let rows = sqlx::query!(
            "select l.route, l.throttle, l.requests, l.interval_ms, l.learnt_at
            from source as s join learnt_limit as l on l.source_id = s.id
            where s.name = ?1 order by l.route, l.throttle, l.interval_ms",
            source,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query {
            doing: "reading what was learnt of GitLab's limits",
            source,
        })?;
        Ok(rows
            .into_iter()
            .map(|row| LearntLimit {
                route: Some(row.route).filter(|route| !route.is_empty()),
                throttle: row.throttle,
                requests: u64::try_from(row.requests).unwrap_or_default(),
                interval: Duration::from_millis(u64::try_from(row.interval_ms).unwrap_or_default()),
                learnt_at: codes::instant(row.learnt_at),
            })
            .collect())
    }
}
