//! How far each list of each root was read, as it is told.
//!
//! Everything stands in the index, so it is the same whoever tells it, with or without a daemon.
//! Only how late a list is needs the present moment, by GitLab's clock, in which watermarks are
//! written; who crawls knows it. Nothing here asks for anything.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::read::{ProblemRow, StreamRow, WalkLeft};
use crate::store::{Origin, StreamKind};

/// A list of a root, and how far it was read. Times are by GitLab's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamStatus {
    /// `group:shop`, `project:tools/cli`, `membership`, or `project 7` for a project that is read
    /// on its own.
    pub root: String,
    /// Why it is crawled: `configured`, `member`, or `joined` (a project that came below a root,
    /// until its older items are read).
    pub origin: String,
    /// `projects`, `issues`, `merge_requests`; where something of them could not be read, also
    /// `comments`, `files` and other parts.
    pub stream: String,
    /// How it is read at present.
    pub state: StreamState,
    /// Per cent of the time of creation that a walk over all has covered; null without one.
    pub progress: Option<u8>,
    /// Every change before this was read; null before all of it was read once.
    pub watermark: Option<Timestamp>,
    /// When it was last read to its end.
    pub last_success: Option<Timestamp>,
    /// When all of it was last read, not only what changed.
    pub whole_at: Option<Timestamp>,
    /// How long ago the watermark is; null without one, and where nothing crawls.
    pub lag_seconds: Option<u64>,
    /// What could not be read in the last sync; null when nothing.
    pub incomplete: Option<StreamGap>,
}

/// How a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// Not begun.
    Waiting,
    /// All of it is being read; a sync that was interrupted goes on with it.
    Full,
    /// Only what changed is asked for.
    Incremental,
    /// It is read with the list of a group that holds it.
    Covered,
    /// A part that is read with others and has no progress of its own.
    Part,
}

/// What is missing of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamGap {
    /// How many roots and projects it is missing of; `problems` lists them.
    pub parts: u64,
    /// Why the first of them is.
    pub reason: String,
    /// When the first of them is tried again.
    pub retry_at: Timestamp,
}

/// Problems by source and subject in small letters.
type BySubject<'a> = BTreeMap<(&'a str, String), Vec<&'a ProblemRow>>;

/// Tells of all streams by source, each with the path of its root.
pub(super) fn told(
    rows: &[StreamRow],
    problems: &[ProblemRow],
    moments: &BTreeMap<String, Timestamp>,
) -> BTreeMap<String, Vec<(String, StreamStatus)>> {
    let mut told: BTreeMap<String, Vec<(String, StreamStatus)>> = BTreeMap::new();
    let mut by_subject: BySubject<'_> = BTreeMap::new();
    for problem in problems {
        let subject = (problem.source.as_str(), problem.subject.to_lowercase());
        by_subject.entry(subject).or_default().push(problem);
    }
    for of_root in rows.chunk_by(|a, b| (&a.source, &a.root) == (&b.source, &b.root)) {
        let Some(root) = of_root.first() else { continue };
        let mut gaps = gaps(root, &by_subject);
        let covered = is_covered(root, rows);
        let now = moments.get(&root.source).copied();
        let list = told.entry(root.source.clone()).or_default();
        for kind in kinds(root) {
            let kind = kind.as_str();
            let row = of_root.iter().find(|row| row.kind.as_deref() == Some(kind));
            let gap = gaps.remove(kind);
            list.push((root.path.clone(), status(root, kind, row, covered, now, gap)));
        }
        for (part, gap) in gaps {
            let mut status = status(root, part, None, covered, None, Some(gap));
            status.state = StreamState::Part;
            list.push((root.path.clone(), status));
        }
    }
    for problem in problems {
        let Some((path, root)) = unfound(problem, rows) else { continue };
        let gap = gaps(&root, &by_subject).remove(problem.stream.as_str());
        let list = told.entry(root.source.clone()).or_default();
        list.push((path, status(&root, &problem.stream, None, false, None, gap)));
    }
    told
}

/// Returns the path of a configured root that was never found, and so is no root of the index, and
/// what stands for it.
fn unfound(problem: &ProblemRow, rows: &[StreamRow]) -> Option<(String, StreamRow)> {
    let (kind, path) = problem.subject.split_once(':')?;
    let same = |row: &StreamRow| row.source == problem.source && row.root == problem.subject;
    if !["group", "project"].contains(&kind) || rows.iter().any(same) {
        return None;
    }
    let root = StreamRow {
        source: problem.source.clone(),
        root: problem.subject.clone(),
        // What is said of other projects is not said of it.
        path: String::new(),
        origin: Origin::Configured,
        kind: None,
        watermark: None,
        read_at: None,
        whole_at: None,
        walk: None,
    };
    Some((path.to_owned(), root))
}

/// Returns the lists that a root has.
fn kinds(root: &StreamRow) -> &'static [StreamKind] {
    match root.origin {
        // Membership is a list of projects, each of which is a root.
        Origin::Configured if root.path.is_empty() => &[StreamKind::Projects],
        Origin::Configured => &StreamKind::ALL,
        Origin::Member | Origin::Joined => &[StreamKind::Issues, StreamKind::MergeRequests],
    }
}

fn status(
    root: &StreamRow,
    stream: &str,
    row: Option<&StreamRow>,
    covered: bool,
    now: Option<Timestamp>,
    incomplete: Option<StreamGap>,
) -> StreamStatus {
    let walk = row.and_then(|row| row.walk);
    let watermark = row.and_then(|row| row.watermark);
    let state = match (walk, watermark) {
        _ if covered => StreamState::Covered,
        (Some(_), _) => StreamState::Full,
        (None, Some(_)) => StreamState::Incremental,
        (None, None) => StreamState::Waiting,
    };
    // A clock that is a little ahead is no negative lag.
    let lag = |watermark: Timestamp| {
        now.map(|now| u64::try_from(now.duration_since(watermark).as_secs()).unwrap_or_default())
    };
    StreamStatus {
        root: root.root.clone(),
        origin: root.origin.as_str().to_owned(),
        stream: stream.to_owned(),
        state,
        progress: walk.map(per_cent),
        watermark,
        last_success: row.and_then(|row| row.read_at),
        whole_at: row.and_then(|row| row.whole_at),
        lag_seconds: watermark.and_then(lag),
        incomplete,
    }
}

/// Returns how much of the time of creation was walked over. A walk that has not ended is not done.
fn per_cent(walk: WalkLeft) -> u8 {
    let Some(first) = walk.first else { return 0 };
    let all = walk.began_at.duration_since(first).max(SignedDuration::from_millis(1));
    let done = all.saturating_sub(walk.left).max(SignedDuration::ZERO);
    let per_cent = done.as_millis().saturating_mul(100) / all.as_millis();
    u8::try_from(per_cent).unwrap_or(u8::MAX).min(99)
}

/// Gathers what could not be read below a root, by stream.
fn gaps<'a>(root: &StreamRow, problems: &BySubject<'a>) -> BTreeMap<&'a str, StreamGap> {
    let (source, path) = (root.source.as_str(), root.path.to_lowercase());
    // Everything below the path, and nothing that only begins like it: `0` follows `/`.
    let end = if path.is_empty() { '/' } else { '0' };
    let below = (source, format!("{path}/"))..(source, format!("{path}{end}"));
    let own = [root.root.to_lowercase(), path];
    let own = own.into_iter().filter_map(|subject| problems.get(&(source, subject)));
    let mut gaps: BTreeMap<&str, StreamGap> = BTreeMap::new();
    for problem in own.chain(problems.range(below).map(|(_, below)| below)).flatten() {
        let gap = gaps.entry(&problem.stream).or_insert_with(|| StreamGap {
            parts: 0,
            reason: problem.reason.clone(),
            retry_at: problem.retry_at,
        });
        gap.parts += 1;
        gap.retry_at = gap.retry_at.min(problem.retry_at);
    }
    gaps
}

/// True when a root is read with a group that holds it.
fn is_covered(root: &StreamRow, rows: &[StreamRow]) -> bool {
    let is_below_group = |other: &StreamRow| {
        other.source == root.source
            && other.root != root.root
            && other.root.starts_with("group:")
            && other.path.len() < root.path.len()
            && is_within(&root.path, &other.path)
    };
    root.origin == Origin::Configured && rows.iter().any(is_below_group)
}

/// True when a path is a root's own or lies below it.
fn is_within(path: &str, root: &str) -> bool {
    let (path, root) = (path.to_lowercase(), root.to_lowercase());
    let rest = path.strip_prefix(&root).filter(|_| !root.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn row(root: &str, path: &str, kind: Option<&str>) -> StreamRow {
        StreamRow {
            source: "main".to_owned(),
            root: root.to_owned(),
            path: path.to_owned(),
            origin: Origin::Configured,
            kind: kind.map(str::to_owned),
            watermark: None,
            read_at: None,
            whole_at: None,
            walk: None,
        }
    }

    fn problem(subject: &str, stream: &str, retry_at: i64) -> ProblemRow {
        ProblemRow {
            source: "main".to_owned(),
            subject: subject.to_owned(),
            stream: stream.to_owned(),
            reason: format!("{subject} is closed"),
            at: at(1),
            retry_at: at(retry_at),
        }
    }

    fn all(rows: &[StreamRow], problems: &[ProblemRow], now: i64) -> Vec<StreamStatus> {
        let moments = BTreeMap::from([("main".to_owned(), at(now))]);
        let mut told = told(rows, problems, &moments);
        told.remove("main").unwrap_or_default().into_iter().map(|(_, status)| status).collect()
    }

    #[test]
    fn a_root_that_was_never_read_waits_with_all_its_lists() {
        let told = all(&[row("group:shop", "shop", None)], &[], 10);
        let states: Vec<_> = told.iter().map(|s| (s.stream.as_str(), s.state)).collect();
        let waiting = StreamState::Waiting;
        assert_eq!(
            states,
            [("projects", waiting), ("issues", waiting), ("merge_requests", waiting)]
        );
        assert!(told.iter().all(|s| s.lag_seconds.is_none() && s.watermark.is_none()));
    }

    #[test]
    fn a_list_is_as_late_as_its_watermark_is_old_by_gitlabs_clock() {
        let read = StreamRow {
            watermark: Some(at(100)),
            read_at: Some(at(100)),
            ..row("group:shop", "shop", Some("issues"))
        };
        let issues = |now| all(std::slice::from_ref(&read), &[], now).remove(1);
        assert_eq!(
            (issues(130).state, issues(130).lag_seconds),
            (StreamState::Incremental, Some(30))
        );
        assert_eq!(issues(90).lag_seconds, Some(0), "a clock that was set back");
    }

    #[test]
    fn the_progress_of_a_walk_is_the_share_of_the_time_that_is_behind_it() {
        let walk = |first, left| {
            let left = SignedDuration::from_secs(left);
            per_cent(WalkLeft { began_at: at(1_000), first, left })
        };
        assert_eq!(walk(None, 1_000), 0, "nothing was read");
        assert_eq!(walk(Some(at(500)), 500), 0);
        assert_eq!(walk(Some(at(500)), 125), 75);
        assert_eq!(walk(Some(at(500)), 0), 99, "until it has ended");
        assert_eq!(walk(Some(at(500)), 1_000), 0, "what an older list left");
        assert_eq!(walk(Some(at(1_000)), 0), 99, "a list that begins where it ends");
    }

    #[test]
    fn problems_stand_with_the_list_that_they_concern_and_others_as_parts() {
        let problems = [
            problem("group:shop", "issues", 50),
            problem("Shop/web", "files", 70),
            problem("shop/app", "files", 60),
            problem("shopping/web", "files", 5),
            problem("source", "graphql", 5),
        ];
        let told = all(&[row("group:shop", "shop", None)], &problems, 10);
        let gap = |stream: &str| {
            let found = told.iter().find(|status| status.stream == stream);
            found.and_then(|status| status.incomplete.clone())
        };
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(gap("issues").map(|gap| gap.retry_at), Some(at(50)));
        let files = gap("files").expect("two projects lack them");
        assert_eq!((files.parts, files.retry_at), (2, at(60)));
        assert_eq!(files.reason, "shop/app is closed");
        assert_eq!(gap("merge_requests"), None);
    }

    #[test]
    fn a_root_that_is_not_found_is_told_of_with_the_reason() {
        let problems = [problem("group:shpo", "projects", 50), problem("shop/web", "files", 60)];
        let told = all(&[row("membership", "", None)], &problems, 10);
        let lost = told.iter().find(|status| status.root == "group:shpo").expect("it is told of");
        assert_eq!((lost.stream.as_str(), lost.state), ("projects", StreamState::Waiting));
        assert_eq!(
            lost.incomplete.as_ref().map(|gap| (gap.parts, gap.retry_at)),
            Some((1, at(50)))
        );
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[test]
    fn a_root_below_another_is_read_with_that_one() {
        let rows = [
            row("group:shop", "shop", None),
            row("group:shop/web", "shop/web", None),
            row("project:shop/app", "shop/app", None),
            row("project:shopping/app", "shopping/app", None),
        ];
        let told = all(&rows, &[], 10);
        let covered: Vec<&str> = told
            .iter()
            .filter(|status| status.state == StreamState::Covered && status.stream == "issues")
            .map(|status| status.root.as_str())
            .collect();
        assert_eq!(covered, ["group:shop/web", "project:shop/app"]);
    }
}
