//! Pages of lists.
//!
//! A list ends when GitLab names no next page, and for no other reason: pages that are shorter
//! than asked, or empty, are legal in the middle of a list, since what the token may not see is
//! taken out after the page was cut. The next page is what `Link` calls `rel="next"`; where a
//! proxy drops `Link`, a non-empty `X-Next-Page`. Nothing is computed from page numbers or sizes:
//! GitLab may give fewer rows than asked for, and its links repeat the size that was asked. Totals
//! may be absent (more than 10,000 rows, keyset paging). Where a link may lead: `address.rs`.
//!
//! A list that leads in a circle, or on and on, is an error ([`Trail`]). Two answers of GitLab's
//! with 405 are ways on, not ends: where it has no keyset paging for a list, the list is asked for
//! with offsets; where offsets end at a ceiling, it is asked for by keyset, if it is the one list
//! whose key we know (all projects, by id).

use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LINK};
use serde::{Deserialize, Serialize};

use super::Error;
use super::address::{Base, Target};
use crate::model::ProjectId;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it; may be nothing although there is a next page.
    pub items: Vec<T>,
    /// Where the list goes on; `None` on the last page.
    pub next: Option<NextPage>,
    /// How many items the list has, if GitLab says.
    pub total: Option<u64>,
    /// What GitLab's clock showed, if it says: the base of watermarks.
    pub server_date: Option<Timestamp>,
}

/// How many pages without anything new are followed, one after the other. What GitLab takes out
/// of a page leaves it empty only where someone may see nothing of an item that has many comments,
/// and an item has 5,000 of those at most: 50 pages.
const IDLE_PAGES: usize = 100;

/// What begins the note of where to go on by keyset; never sent.
const BEYOND: &str = "#id_after=";

/// Where a list goes on: path and query below the API, so that it can be stored and is still
/// valid when the base has moved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NextPage(String);

impl NextPage {
    /// Takes back what [`NextPage::as_str`] gave.
    pub fn from_stored(stored: impl Into<String>) -> Self {
        Self(stored.into())
    }

    /// Returns a form to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Notes the last id of all projects before this page, in case their offsets have a ceiling.
    #[must_use]
    pub(super) fn after_project(self, id: ProjectId) -> Self {
        let by_offset = |query: &str| {
            let has = |wanted: &str| query.split('&').any(|pair| pair == wanted);
            has("order_by=id") && has("sort=asc") && query.split('&').any(is_page)
        };
        match self.0.strip_prefix("projects?") {
            Some(query) if by_offset(query) => Self(format!("{}{BEYOND}{id}", self.0)),
            _ => self,
        }
    }

    /// Returns the same page by keyset, where the last id is known.
    pub(super) fn by_keyset(&self) -> Option<Self> {
        let (offset, id) = self.0.split_once(BEYOND)?;
        let (path, query) = offset.split_once('?')?;
        let is_kept = |pair: &&str| {
            !is_page(pair) && !pair.starts_with("id_after=") && !pair.starts_with("pagination=")
        };
        let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
        Some(Self(format!("{path}?{}&pagination=keyset&id_after={id}", kept.join("&"))))
    }
}

/// The way through one list, which notices when it does not end.
#[derive(Debug)]
pub struct Trail {
    pages: usize,
    idle: usize,
    followed: BTreeSet<NextPage>,
}

impl Trail {
    /// Begins at the first page of a list that has a number of pages at most.
    pub fn of_pages(pages: usize) -> Self {
        Self { pages, idle: 0, followed: BTreeSet::new() }
    }

    /// Says whether the list may be followed to its next page. `news` tells whether the page
    /// before it brought anything new.
    ///
    /// # Errors
    ///
    /// [`Error::LoopingLink`] when it was followed there before; [`Error::EndlessList`] when it has
    /// more pages than it may have, or goes on and on without anything new.
    pub fn follow(&mut self, next: &NextPage, news: bool) -> Result<(), Error> {
        let path = || format!("/{}", next.0.split(['?', '#']).next().unwrap_or_default());
        self.idle = if news { 0 } else { self.idle + 1 };
        if !self.followed.insert(next.clone()) {
            return Err(Error::LoopingLink { path: path() });
        }
        let pages = self.followed.len();
        if pages >= self.pages || self.idle > IDLE_PAGES {
            return Err(Error::EndlessList { path: path(), pages });
        }
        Ok(())
    }
}

/// True for GitLab's word that a list is longer than its offsets reach (`405`,
/// `lib/api/helpers/pagination_strategies.rb`).
pub(super) fn is_ceiling(error: &Error) -> bool {
    is_not_allowed(error, "offset pagination has a maximum")
}

/// True for GitLab's word that a list has no keyset paging in this order (`405`, as above).
pub(super) fn lacks_keyset(error: &Error) -> bool {
    is_not_allowed(error, "keyset pagination is not yet available")
}

fn is_not_allowed(error: &Error, words: &str) -> bool {
    match error {
        Error::Refused { status, message, .. } => {
            *status == StatusCode::METHOD_NOT_ALLOWED
                && message.to_ascii_lowercase().contains(words)
        }
        _ => false,
    }
}

/// Returns the same list by offsets, if it was asked for by keyset and from its beginning.
pub(super) fn by_offset(base: &Base, asked: &Target) -> Option<Target> {
    let relative = asked.relative();
    let (path, query) = relative.split_once('?')?;
    let (keyset, kept): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|pair| *pair == "pagination=keyset");
    let goes_on = |pair: &&str| {
        ["cursor=", "id_after=", "id_before=", "page_token="]
            .iter()
            .any(|key| pair.starts_with(key))
    };
    if keyset.is_empty() || kept.iter().any(goes_on) {
        return None;
    }
    base.resolve(&format!("{path}?{}", kept.join("&"))).ok()
}

/// True for the number of a page in a query.
fn is_page(pair: &str) -> bool {
    pair.starts_with("page=")
}

/// Finds the next page in the headers of an answer.
pub(super) fn find_next(
    base: &Base,
    asked: &Target,
    headers: &HeaderMap,
) -> Result<Option<NextPage>, Error> {
    let link = headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
        .find_map(next_link);
    if let Some(link) = link {
        let target = base.link(asked, link)?;
        return Ok(Some(NextPage(target.relative())));
    }
    let Some(page) = number(headers, "x-next-page") else {
        return Ok(None);
    };
    let mut next = asked.clone();
    let kept: Vec<(String, String)> = asked
        .url
        .query_pairs()
        .filter(|(key, _)| key != "page")
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    next.url.query_pairs_mut().clear().extend_pairs(kept).append_pair("page", &page.to_string());
    let came_from = asked.url.query_pairs().find(|(key, _)| key == "page");
    let came_from = came_from.and_then(|(_, page)| page.parse::<u64>().ok()).unwrap_or(1);
    if page <= came_from {
        return Err(Error::LoopingLink { path: asked.path.clone() });
    }
    Ok(Some(NextPage(next.relative())))
}

/// Reads a header that holds a whole number; empty counts as absent.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Finds the address with `rel="next"` in a `Link` header.
///
/// The addresses stand in angle brackets because they may hold commas and semicolons.
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, tail) = rest.split_once('<')?;
        let (address, tail) = tail.split_once('>')?;
        // The parameters reach to the next address, or to the end.
        let parameters = tail.split_once('<').map_or(tail, |(front, _)| front);
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let Some((key, value)) = parameter.split_once('=') else {
                return false;
            };
            key.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split_ascii_whitespace()
                    .any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(address.trim());
        }
        rest = tail;
    }
}

#[cfg(test)]
mod tests;
