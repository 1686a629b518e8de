//! Pages of lists.
//!
//! A list ends when GitLab names no next page, and for no other reason: pages that are shorter
//! than asked, or empty, are legal in the middle of a list, since what the token may not see is
//! taken out after the page was cut. The next page is what `Link` calls `rel="next"`; where a
//! proxy drops `Link`, a non-empty `X-Next-Page`. Totals may be absent (more than 10,000 rows,
//! keyset paging). Where a link may lead: `address.rs`.

use jiff::Timestamp;
use reqwest::header::{HeaderMap, LINK};
use serde::{Deserialize, Serialize};

use super::Error;
use super::address::{Base, Target};

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

/// Where a list goes on: path and query below the API, so that it can be stored and is still
/// valid when the base has moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
mod tests {
    use super::*;

    #[test]
    fn next_is_found_whatever_the_order_and_the_spelling() {
        for (header, expected) in [
            (
                r#"<https://g.example/a?page=2>; rel="next", <https://g.example/a?page=1>; rel="first""#,
                Some("https://g.example/a?page=2"),
            ),
            (
                r#"<https://g.example/a?l=x,y;z&page=1>; rel="prev", <https://g.example/a?l=x,y;z&page=3>; title="t"; rel="next""#,
                Some("https://g.example/a?l=x,y;z&page=3"),
            ),
            ("</a?page=2>;REL=Next", Some("/a?page=2")),
            (r#"</a>; rel="last next""#, Some("/a")),
            (r#"</a>; rel="first", </b>; rel="last""#, None),
            (r#"</a>; rel="nextish""#, None),
            ("<broken", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), expected, "{header}");
        }
    }

    fn next_of(headers: &[(&'static str, &str)]) -> Result<Option<String>, Error> {
        let base = Base::new(&"https://g.example".parse().expect("an address")).expect("a base");
        let query = [("labels", "a,b".to_owned()), ("page", "2".to_owned())];
        let asked = base.target(&["projects", "7", "issues"], &query).expect("a target");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        Ok(find_next(&base, &asked, &map)?.map(|next| next.0))
    }

    #[test]
    fn next_page_number_is_used_where_there_is_no_link() {
        let next = next_of(&[("x-next-page", "3")]).expect("a next page").expect("some");
        assert_eq!(next, "projects/7/issues?labels=a%2Cb&page=3");
        let link = r#"<https://g.example/api/v4/projects/7/issues?cursor=x>; rel="next""#;
        let next = next_of(&[("x-next-page", "3"), ("link", link)]).expect("a next page");
        assert_eq!(next.as_deref(), Some("projects/7/issues?cursor=x"));
    }

    #[test]
    fn list_ends_where_no_next_page_is_named() {
        assert_eq!(next_of(&[("x-next-page", "")]).expect("no error"), None);
        assert_eq!(next_of(&[]).expect("no error"), None);
    }

    #[test]
    fn list_that_leads_back_is_an_error() {
        assert!(matches!(next_of(&[("x-next-page", "2")]), Err(Error::LoopingLink { .. })));
        let link = "<https://g.example/api/v4/projects/7/issues?labels=a%2Cb&page=2>; rel=next";
        assert!(matches!(next_of(&[("link", link)]), Err(Error::LoopingLink { .. })));
    }
}
