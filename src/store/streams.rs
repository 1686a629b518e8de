//! Roots, and how far each of their lists was read.
//!
//! A list is read in two ways: once over all of it, in windows of creation time, and from then on
//! along the times of change, from its watermark. What moves a list on is written in the
//! transaction that stores what was read ([`Moves`]), so a process killed at any moment goes on
//! where the last commit stands. Nothing here knows how a list is asked for.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use crate::model::ProjectId;

use super::{Error, Run, SourceKey, Store, Write, codes, commit};

/// The store's own key of a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootKey(pub(crate) i64);

/// Why something is crawled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The configuration names it.
    Configured,
    /// A project that only membership leads to, or that stands alone.
    Member,
    /// A project that came below a root after that root was read, until its older items are too.
    Joined,
}

impl Origin {
    /// Returns the word used in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Member => "member",
            Self::Joined => "joined",
        }
    }

    pub(super) fn of(word: &str) -> Self {
        match word {
            "member" => Self::Member,
            "joined" => Self::Joined,
            _ => Self::Configured,
        }
    }
}

/// The lists of a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// Projects.
    Projects,
    /// Issues.
    Issues,
    /// Merge requests.
    MergeRequests,
}

impl StreamKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Projects, Self::Issues, Self::MergeRequests];

    /// Returns the word used in SQL, JSON and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::Issues => "issues",
            Self::MergeRequests => "merge_requests",
        }
    }
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is crawled of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRow {
    /// Its key.
    pub key: RootKey,
    /// `group:shop`, `project:tools/cli`, `membership`, `project 7`.
    pub name: String,
    /// Why it is crawled.
    pub origin: Origin,
    /// GitLab's number of the group or project; `None` for `membership`.
    pub gitlab_id: Option<i64>,
    /// Its path as GitLab spells it.
    pub path: String,
    /// When it was last looked up by its path.
    pub found_at: Option<Timestamp>,
}

/// A root to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootWrite {
    /// See [`RootRow`].
    pub name: String,
    /// See [`RootRow`].
    pub origin: Origin,
    /// See [`RootRow`].
    pub gitlab_id: Option<i64>,
    /// See [`RootRow`].
    pub path: String,
    /// See [`RootRow`].
    pub found_at: Option<Timestamp>,
}

/// How far a list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stream {
    /// Everything that changed before this, by GitLab's clock, was read. `None` until the first
    /// walk over all has ended.
    pub watermark: Option<Timestamp>,
    /// How many things GitLab counted in the list when it was last read.
    pub total: Option<u64>,
    /// The walk over all that is under way.
    pub walk: Option<WalkRow>,
    /// When it was last read to its end.
    pub read_at: Option<Timestamp>,
    /// When all of it was last read.
    pub whole_at: Option<Timestamp>,
}

/// A walk over all of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkRow {
    /// When it began, by GitLab's clock: what changed since is read along the times of change.
    pub began_at: Timestamp,
    /// The run that began it. What a run of at least this number has seen, the walk has.
    pub run: i64,
}

/// A span of creation times of a walk over all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its beginning, inclusive; it never changes, and names the window.
    pub lower: Timestamp,
    /// Its end, inclusive.
    pub upper: Timestamp,
    /// Everything created before this was stored.
    pub position: Timestamp,
    /// True when it was read to its end.
    pub done: bool,
}

/// What a page that is stored moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moves {
    /// Nothing: the page is no part of a list.
    #[default]
    Nothing,
    /// Everything that changed before `to` was read.
    Watermark {
        /// The root.
        root: RootKey,
        /// Which of its lists.
        kind: StreamKind,
        /// By GitLab's clock.
        to: Timestamp,
    },
    /// A window of a walk over all.
    Window {
        /// The root.
        root: RootKey,
        /// Which of its lists.
        kind: StreamKind,
        /// The window's name.
        lower: Timestamp,
        /// Everything created before this was stored.
        position: Timestamp,
        /// True when the window was read to its end.
        done: bool,
    },
}

impl Store {
    /// Stores roots of a source, by their names, and returns all that it has.
    pub async fn put_roots(
        &self,
        source: SourceKey,
        roots: &[RootWrite],
    ) -> Result<Vec<RootRow>, Error> {
        const DOING: &str = "storing what is crawled";
        let mut write = self.write(DOING).await?;
        for root in roots {
            let (origin, found_at) =
                (root.origin.as_str(), root.found_at.map(Timestamp::as_millisecond));
            sqlx::query!(
                "insert into root (source_id, name, origin, gitlab_id, path, found_at)
                values (?1, ?2, ?3, ?4, ?5, ?6)
                on conflict (source_id, name) do update set origin = excluded.origin,
                    gitlab_id = excluded.gitlab_id, path = excluded.path,
                    found_at = coalesce(excluded.found_at, root.found_at)",
                source.0,
                root.name,
                origin,
                root.gitlab_id,
                root.path,
                found_at,
            )
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        }
        commit(write, false, DOING).await?;
        self.list_roots(source).await
    }

    /// Lists the roots of a source, by name.
    pub async fn list_roots(&self, source: SourceKey) -> Result<Vec<RootRow>, Error> {
        let rows = sqlx::query!(
            r#"select id as "id!", name, origin, gitlab_id, path, found_at from root
            where source_id = ?1 order by name"#,
            source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading what is crawled", source })?;
        Ok(rows
            .into_iter()
            .map(|row| RootRow {
                key: RootKey(row.id),
                name: row.name,
                origin: Origin::of(&row.origin),
                gitlab_id: row.gitlab_id,
                path: row.path,
                found_at: row.found_at.map(codes::instant),
            })
            .collect())
    }

    /// Removes a root with its streams. Projects and items stay; whether another root still holds
    /// them is for the crawl to find out.
    pub async fn remove_root(&self, root: RootKey) -> Result<(), Error> {
        const DOING: &str = "removing what is no longer crawled";
        let mut write = self.write(DOING).await?;
        sqlx::query!("delete from root where id = ?1", root.0)
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }

    /// Forgets how far the lists of a root were read. The root stays.
    pub async fn forget_lists(&self, root: RootKey) -> Result<(), Error> {
        const DOING: &str = "forgetting how far lists were read";
        let mut write = self.write(DOING).await?;
        sqlx::query!("delete from stream where root_id = ?1", root.0)
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }

    /// Notes where a root is now.
    pub async fn move_root(&self, root: RootKey, path: &str) -> Result<(), Error> {
        const DOING: &str = "noting where a root is now";
        let mut write = self.write(DOING).await?;
        sqlx::query!("update root set path = ?2 where id = ?1", root.0, path)
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }

    /// Returns how far a list was read.
    pub async fn find_stream(&self, root: RootKey, kind: StreamKind) -> Result<Stream, Error> {
        let kind = kind.as_str();
        let row = sqlx::query!(
            "select watermark, total, walk_began_at, walk_run, read_at, whole_at from stream
            where root_id = ?1 and kind = ?2",
            root.0,
            kind,
        )
        .fetch_optional(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading how far a list was read", source })?;
        Ok(row.map_or_else(Stream::default, |row| Stream {
            watermark: row.watermark.map(codes::instant),
            total: row.total.and_then(|total| u64::try_from(total).ok()),
            walk: row
                .walk_began_at
                .zip(row.walk_run)
                .map(|(began_at, run)| WalkRow { began_at: codes::instant(began_at), run }),
            read_at: row.read_at.map(codes::instant),
            whole_at: row.whole_at.map(codes::instant),
        }))
    }

    /// Lists the projects of a root that the configuration leaves out, as its list last showed them.
    pub async fn list_passed_over(&self, root: RootKey) -> Result<BTreeSet<ProjectId>, Error> {
        let ids =
            sqlx::query_scalar!("select gitlab_id from passed_over where root_id = ?1", root.0)
                .fetch_all(&self.writer)
                .await
                .map_err(|source| Error::Query { doing: "reading what is left out", source })?;
        Ok(ids.into_iter().map(ProjectId::new).collect())
    }

    /// Stores which projects of a root the configuration leaves out.
    pub async fn put_passed_over(
        &self,
        root: RootKey,
        projects: &BTreeSet<ProjectId>,
    ) -> Result<(), Error> {
        const DOING: &str = "noting what is left out";
        let query = |source| Error::Query { doing: DOING, source };
        let ids = codes::json(projects);
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "delete from passed_over where root_id = ?1
            and gitlab_id not in (select value from json_each(?2))",
            root.0,
            ids,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        sqlx::query!(
            "insert into passed_over (root_id, gitlab_id)
            select ?1, value from json_each(?2) where true on conflict do nothing",
            root.0,
            ids,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        commit(write, false, DOING).await
    }

    /// Begins a walk over all of a list, which marks what it sees with this run, in one window from
    /// `first` to `began_at`. One that was under way is given up.
    pub async fn begin_walk(
        &self,
        run: &Run,
        root: RootKey,
        kind: StreamKind,
        first: Timestamp,
        began_at: Timestamp,
    ) -> Result<(), Error> {
        const DOING: &str = "beginning to read all of a list";
        let query = |source| Error::Query { doing: DOING, source };
        let (kind, first, began_at) =
            (kind.as_str(), first.as_millisecond(), began_at.as_millisecond());
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "insert into stream (root_id, kind, walk_began_at, walk_run) values (?1, ?2, ?3, ?4)
            on conflict (root_id, kind) do update set walk_began_at = excluded.walk_began_at,
                walk_run = excluded.walk_run",
            root.0,
            kind,
            began_at,
            run.key,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        sqlx::query!("delete from stream_window where root_id = ?1 and kind = ?2", root.0, kind)
            .execute(&mut *write)
            .await
            .map_err(query)?;
        sqlx::query!(
            "insert into stream_window (root_id, kind, lower, upper, position, done)
            values (?1, ?2, ?3, ?4, ?3, 0)",
            root.0,
            kind,
            first,
            began_at,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        commit(write, false, DOING).await
    }

    /// Lists the windows of a walk over all, by their beginnings.
    pub async fn list_windows(
        &self,
        root: RootKey,
        kind: StreamKind,
    ) -> Result<Vec<Window>, Error> {
        let kind = kind.as_str();
        let rows = sqlx::query!(
            "select lower, upper, position, done from stream_window
            where root_id = ?1 and kind = ?2 order by lower",
            root.0,
            kind,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading how far a walk has come", source })?;
        Ok(rows
            .into_iter()
            .map(|row| Window {
                lower: codes::instant(row.lower),
                upper: codes::instant(row.upper),
                position: codes::instant(row.position),
                done: row.done == 1,
            })
            .collect())
    }

    /// Forgets up to when a list was read, and a walk over it that is under way.
    pub async fn forget_watermark(&self, root: RootKey, kind: StreamKind) -> Result<(), Error> {
        const DOING: &str = "forgetting how far a list was read";
        let query = |source| Error::Query { doing: DOING, source };
        let kind = kind.as_str();
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "update stream set watermark = null, walk_began_at = null, walk_run = null
            where root_id = ?1 and kind = ?2",
            root.0,
            kind,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        sqlx::query!("delete from stream_window where root_id = ?1 and kind = ?2", root.0, kind)
            .execute(&mut *write)
            .await
            .map_err(query)?;
        commit(write, false, DOING).await
    }

    /// Cuts a window in two at `at`, which belongs to both.
    pub async fn split_window(
        &self,
        root: RootKey,
        kind: StreamKind,
        lower: Timestamp,
        at: Timestamp,
    ) -> Result<(), Error> {
        const DOING: &str = "dividing a walk";
        let query = |source| Error::Query { doing: DOING, source };
        let (kind, lower, at) = (kind.as_str(), lower.as_millisecond(), at.as_millisecond());
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "insert into stream_window (root_id, kind, lower, upper, position, done)
            select root_id, kind, ?4, upper, ?4, 0 from stream_window
            where root_id = ?1 and kind = ?2 and lower = ?3 and ?4 > lower and ?4 < upper
            on conflict do nothing",
            root.0,
            kind,
            lower,
            at,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        sqlx::query!(
            "update stream_window set upper = ?4
            where root_id = ?1 and kind = ?2 and lower = ?3 and ?4 > lower and ?4 < upper",
            root.0,
            kind,
            lower,
            at,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        commit(write, false, DOING).await
    }

    /// Ends a walk over all that was read whole. The list's watermark becomes the time when the
    /// walk began, unless it is further already.
    pub async fn end_walk(&self, root: RootKey, kind: StreamKind) -> Result<(), Error> {
        const DOING: &str = "ending a walk";
        let query = |source| Error::Query { doing: DOING, source };
        let kind = kind.as_str();
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "update stream set watermark = max(coalesce(watermark, walk_began_at), walk_began_at),
                whole_at = walk_began_at, walk_began_at = null, walk_run = null
            where root_id = ?1 and kind = ?2 and walk_began_at is not null",
            root.0,
            kind,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        sqlx::query!("delete from stream_window where root_id = ?1 and kind = ?2", root.0, kind)
            .execute(&mut *write)
            .await
            .map_err(query)?;
        commit(write, false, DOING).await
    }

    /// Notes that a list was read to its end at `read_at` by GitLab's clock, up to which everything
    /// that changed was read, and how many things GitLab counts in it where it says so.
    pub async fn end_of_list(
        &self,
        root: RootKey,
        kind: StreamKind,
        read_at: Timestamp,
        total: Option<u64>,
    ) -> Result<(), Error> {
        const DOING: &str = "noting how far a list was read";
        let (kind, read_at) = (kind.as_str(), read_at.as_millisecond());
        let total = total.and_then(|total| i64::try_from(total).ok());
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "insert into stream (root_id, kind, watermark, total, read_at)
            values (?1, ?2, ?3, ?4, ?3)
            on conflict (root_id, kind) do update set
                watermark = max(coalesce(stream.watermark, excluded.watermark), excluded.watermark),
                total = coalesce(excluded.total, stream.total), read_at = excluded.read_at",
            root.0,
            kind,
            read_at,
            total,
        )
        .execute(&mut *write)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }
}

/// Moves a list on, in the transaction that stores what was read.
pub(super) async fn advance(
    write: &mut Write,
    moves: &Moves,
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    match moves {
        Moves::Nothing => {}
        Moves::Watermark { root, kind, to } => {
            let (kind, to) = (kind.as_str(), to.as_millisecond());
            sqlx::query!(
                "insert into stream (root_id, kind, watermark) values (?1, ?2, ?3)
                on conflict (root_id, kind) do update set
                    watermark = max(coalesce(stream.watermark, excluded.watermark),
                        excluded.watermark)",
                root.0,
                kind,
                to,
            )
            .execute(&mut **write)
            .await
            .map_err(query)?;
        }
        Moves::Window { root, kind, lower, position, done } => {
            let kind = kind.as_str();
            let (lower, position) = (lower.as_millisecond(), position.as_millisecond());
            sqlx::query!(
                "update stream_window set position = ?4, done = ?5
                where root_id = ?1 and kind = ?2 and lower = ?3",
                root.0,
                kind,
                lower,
                position,
                done,
            )
            .execute(&mut **write)
            .await
            .map_err(query)?;
        }
    }
    Ok(())
}
