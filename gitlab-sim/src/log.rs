//! The log of requests, for tests that assert what was not fetched.
//!
//! Without a bound it keeps everything; with one the oldest go first, so that a long run does not
//! grow without end. What was counted stays counted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use crate::rest::query::decode;

/// One request that came, whether or not it was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The verb.
    pub method: String,
    /// The path as sent, percent escapes included.
    pub path: String,
    /// The query as sent.
    pub query: String,
    /// The status of the answer, or 0 when there was none: a fault struck, or the client left.
    pub status: u16,
    /// The user behind the token.
    pub user: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
    /// When it came, by the world's clock.
    pub at: Timestamp,
    /// How long it took until the head of the answer was ready, waits included.
    pub duration: Duration,
    /// The size of the body of the answer, or nothing when that was not known beforehand.
    pub size_bytes: Option<u64>,
    /// The faults that struck it.
    pub faults: Vec<&'static str>,
}

impl Request {
    /// Tells whether path and query hold some text, as sent or decoded.
    pub fn holds(&self, part: &str) -> bool {
        let sent = format!("{}?{}", self.path, self.query);
        sent.contains(part) || decode(&sent, false).contains(part)
    }
}

/// The requests of late.
#[derive(Debug, Default)]
pub(crate) struct Log {
    kept: VecDeque<Request>,
    /// How many are kept at most.
    bound: Option<usize>,
    /// How many came since the log was last emptied.
    counted: u64,
    by_status: BTreeMap<u16, u64>,
}

impl Log {
    /// Makes an empty log.
    pub(crate) fn bounded(bound: Option<usize>) -> Self {
        Self { bound, ..Self::default() }
    }

    /// Takes note of a request.
    pub(crate) fn push(&mut self, request: Request) {
        self.counted += 1;
        *self.by_status.entry(request.status).or_default() += 1;
        self.kept.push_back(request);
        if self.bound.is_some_and(|bound| self.kept.len() > bound) {
            self.kept.pop_front();
        }
    }

    /// Lists what is kept, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Request> {
        self.kept.iter()
    }

    /// Forgets everything, counts too.
    pub(crate) fn clear(&mut self) {
        *self = Self::bounded(self.bound);
    }

    /// Returns how many are kept at most.
    pub(crate) fn bound(&self) -> Option<usize> {
        self.bound
    }

    /// Returns how many requests came.
    pub(crate) fn counted(&self) -> u64 {
        self.counted
    }

    /// Returns how many requests came, by status.
    pub(crate) fn by_status(&self) -> &BTreeMap<u16, u64> {
        &self.by_status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_log_forgets_the_oldest_and_counts_all() {
        let mut log = Log::bounded(Some(2));
        for path in ["/a", "/b", "/c"] {
            log.push(Request { path: path.to_owned(), status: 200, ..Request::default() });
        }
        let paths: Vec<&str> = log.iter().map(|request| request.path.as_str()).collect();
        assert_eq!(paths, ["/b", "/c"]);
        assert_eq!((log.counted(), log.by_status()[&200]), (3, 3));
        log.clear();
        assert_eq!((log.counted(), log.iter().count()), (0, 0));
    }
}
