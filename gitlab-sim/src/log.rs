//! The log of requests, for tests that assert what was not fetched.

use crate::rest::query::decode;

/// One request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The verb.
    pub method: String,
    /// The path as sent, percent escapes included.
    pub path: String,
    /// The query as sent.
    pub query: String,
    /// The status of the answer.
    pub status: u16,
    /// The user behind the token.
    pub user: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
}

impl Request {
    /// Tells whether path and query hold some text, as sent or decoded.
    pub fn holds(&self, part: &str) -> bool {
        let sent = format!("{}?{}", self.path, self.query);
        sent.contains(part) || decode(&sent, false).contains(part)
    }
}
