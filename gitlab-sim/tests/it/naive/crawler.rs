//! The two crawlers: how it is usually written, and how it has to be.

use std::collections::{BTreeMap, BTreeSet};

use gitlab_sim::GitLab;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::client::{get, get_as};

/// What a crawler keeps of an issue: its reference and when it was last changed.
pub type Rows = BTreeMap<u64, String>;

/// Reads a printed time.
pub fn at(printed: &str) -> Timestamp {
    printed.parse().unwrap()
}

/// Lists the issues of the instance that a copy lacks, or has in an old form.
pub fn missed(gitlab: &GitLab, seen: &Rows) -> Vec<String> {
    let state = gitlab.state(Some(gitlab.token()));
    state
        .issues
        .iter()
        .filter(|(id, row)| {
            let printed = row.updated_at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            seen.get(id) != Some(&printed)
        })
        .map(|(_, row)| row.reference.clone())
        .collect()
}

fn rows(reply: &crate::client::Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json().as_array().unwrap().clone()
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap()
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap().to_owned()
}

/// How it is usually written.
#[derive(Debug, Default)]
pub struct Naive {
    watermark: Option<String>,
    comments: BTreeMap<u64, Vec<String>>,
}

impl Naive {
    /// Reads the issues of the group by offset pages, until a page is short.
    pub async fn walk(gitlab: &GitLab, size: usize) -> Rows {
        let mut seen = Rows::new();
        for page in 1.. {
            let path = format!(
                "/groups/acme/issues?order_by=updated_at&sort=asc&non_archived=false\
                 &per_page={size}&page={page}"
            );
            let rows = rows(&get(gitlab, &path).await);
            seen.extend(rows.iter().map(|row| (number(row, "id"), text(row, "updated_at"))));
            if rows.len() < size {
                break;
            }
        }
        seen
    }

    /// Reads the comments of an issue until a page is short.
    pub async fn comments(gitlab: &GitLab, token: &str, iid: u64, size: usize) -> Vec<String> {
        let mut bodies = Vec::new();
        for page in 1.. {
            let path =
                format!("/projects/1/issues/{iid}/notes?sort=asc&per_page={size}&page={page}");
            let rows = rows(&get_as(gitlab, Some(token), &path).await);
            bodies.extend(rows.iter().map(|row| text(row, "body")));
            if rows.len() < size {
                break;
            }
        }
        bodies
    }

    /// Reads what changed since the last time, with its comments.
    pub async fn sync(&mut self, gitlab: &GitLab) {
        let since = self.watermark.as_deref().unwrap_or("1970-01-01T00:00:00Z");
        let path = format!(
            "/projects/1/issues?order_by=updated_at&sort=asc&per_page=100&updated_after={since}"
        );
        for row in rows(&get(gitlab, &path).await) {
            let (iid, updated) = (number(&row, "iid"), text(&row, "updated_at"));
            // What has not changed since is known already.
            if self.watermark.as_ref() != Some(&updated) {
                let bodies = Self::comments(gitlab, gitlab.token(), iid, 100).await;
                self.comments.insert(iid, bodies);
            }
            self.watermark = Some(updated);
        }
    }

    /// Returns the comments of an issue as far as they are known.
    pub fn comments_of(&self, iid: u64) -> Vec<&str> {
        self.comments[&iid].iter().map(String::as_str).collect()
    }
}

/// How it has to be.
#[derive(Debug, Default)]
pub struct Careful {
    /// Issues by id, with the time that was printed.
    pub rows: Rows,
    watermark: Option<Timestamp>,
    comments: BTreeMap<u64, Vec<String>>,
    /// Issues whose comments must be looked at again, since they had changed within the minute.
    again: BTreeSet<u64>,
}

impl Careful {
    /// Walks by the watermark until nothing new comes: always the first page behind it, and further
    /// pages only where a whole page has one time. It begins a little before the last end.
    pub async fn walk(&mut self, gitlab: &GitLab, size: usize) {
        let overlap = SignedDuration::from_mins(5);
        let mut since = self.watermark.map_or(Timestamp::UNIX_EPOCH, |end| end - overlap);
        let mut page = 1;
        loop {
            let path = format!(
                "/groups/acme/issues?order_by=updated_at&sort=asc&non_archived=false\
                 &per_page={size}&page={page}&updated_after={since}"
            );
            let reply = get(gitlab, &path).await;
            let rows = rows(&reply);
            for row in &rows {
                self.rows.insert(number(row, "id"), text(row, "updated_at"));
            }
            let more = reply.header("x-next-page").is_some_and(|next| !next.is_empty());
            let end = rows.last().map_or(since, |row| at(&text(row, "updated_at")));
            self.watermark = self.watermark.max(Some(end));
            if !more {
                return;
            }
            (since, page) = if end > since { (end, 1) } else { (since, page + 1) };
        }
    }

    /// Reads the comments of an issue until the server names no further page.
    pub async fn comments(gitlab: &GitLab, token: &str, iid: u64, size: usize) -> Vec<String> {
        let mut bodies = Vec::new();
        let mut page = "1".to_owned();
        while !page.is_empty() {
            let path =
                format!("/projects/1/issues/{iid}/notes?sort=asc&per_page={size}&page={page}");
            let reply = get_as(gitlab, Some(token), &path).await;
            bodies.extend(rows(&reply).iter().map(|row| text(row, "body")));
            reply.header("x-next-page").unwrap().clone_into(&mut page);
        }
        bodies
    }

    /// Reads what changed since the last time, with its comments, and looks once more at those
    /// whose issue had been changed less than a minute before the last look.
    pub async fn sync(&mut self, gitlab: &GitLab) {
        let since = self.watermark.unwrap_or(Timestamp::UNIX_EPOCH);
        let path = format!(
            "/projects/1/issues?order_by=updated_at&sort=asc&per_page=100&updated_after={since}"
        );
        let mut look = std::mem::take(&mut self.again);
        let now = gitlab.world().clock().now();
        for row in rows(&get(gitlab, &path).await) {
            let updated = at(&text(&row, "updated_at"));
            look.insert(number(&row, "iid"));
            if now.duration_since(updated) < SignedDuration::from_secs(61) {
                self.again.insert(number(&row, "iid"));
            }
            self.watermark = self.watermark.max(Some(updated));
        }
        for iid in look {
            let bodies = Self::comments(gitlab, gitlab.token(), iid, 100).await;
            self.comments.insert(iid, bodies);
        }
    }

    /// Returns the comments of an issue as far as they are known.
    pub fn comments_of(&self, iid: u64) -> Vec<&str> {
        self.comments[&iid].iter().map(String::as_str).collect()
    }
}
