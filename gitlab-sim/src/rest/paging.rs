//! Offset and keyset paging, with all their headers.
//!
//! `Link` addresses are built on the configured external address and repeat every effective
//! parameter, the defaults and the ids of the path included: a client must follow them as they are.

use serde::Serialize;

use super::Call;
use super::answer::{Answer, Failure};
use super::query::Query;

/// GitLab's default and largest page.
const DEFAULT_PAGE: u64 = 20;
const LARGEST_PAGE: u64 = 100;

/// Above this many rows GitLab no longer says how many there are.
const COUNT_LIMIT: u64 = 10_000;

/// A page as asked for.
#[derive(Debug, Clone, Copy)]
struct Page {
    number: u64,
    /// As asked, which `Link` repeats.
    asked: u64,
    /// As served.
    size: u64,
}

impl Page {
    fn read(query: &Query) -> Result<Self, Failure> {
        let invalid = |name: &str| Failure::Invalid(format!("{name} does not have a valid value"));
        let positive = |name: &str, least: u64, default: u64| match query.number(name)? {
            None => Ok(default),
            Some(number) => u64::try_from(number)
                .ok()
                .filter(|number| *number >= least)
                .ok_or_else(|| invalid(name)),
        };
        let asked = positive("per_page", 1, DEFAULT_PAGE)?;
        let number = positive("page", 0, 1)?.max(1);
        Ok(Self { number, asked, size: asked.min(LARGEST_PAGE) })
    }

    fn slice<T>(self, rows: &[T]) -> &[T] {
        let start = self.number.saturating_sub(1).saturating_mul(self.size);
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(rows.len());
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        &rows[start..start.saturating_add(size).min(rows.len())]
    }
}

/// Returns how many rows a page has.
pub(super) fn size(query: &Query) -> Result<usize, Failure> {
    Ok(usize::try_from(Page::read(query)?.size).unwrap_or(usize::MAX))
}

/// Answers with one page of `rows`. `echo` holds the effective parameters of the request.
pub(crate) fn list<T, S: Serialize>(
    call: &Call<'_>,
    echo: Query,
    rows: &[T],
    shape: impl Fn(&T) -> S,
) -> Result<Answer, Failure> {
    filtered(call, echo, rows, |row| Some(shape(row)))
}

/// Answers with one page of `rows`, leaving out those without a shape only after the page was cut:
/// so GitLab hides notes, and the page gets short.
pub(crate) fn filtered<T, S: Serialize>(
    call: &Call<'_>,
    mut echo: Query,
    rows: &[T],
    shape: impl Fn(&T) -> Option<S>,
) -> Result<Answer, Failure> {
    let page = Page::read(&echo)?;
    let shapes: Vec<S> = page.slice(rows).iter().filter_map(shape).collect();
    let total = rows.len() as u64;
    let pages = total.div_ceil(page.size).max(1);
    let counted = total <= COUNT_LIMIT;
    let previous = (page.number > 1 && page.number <= pages).then(|| page.number - 1);
    let following = (page.number < pages).then(|| page.number + 1);

    let mut links = Vec::with_capacity(4);
    echo.set("per_page", page.asked.to_string());
    let mut link = |number: Option<u64>, relation: &str| {
        if let Some(number) = number {
            echo.set("page", number.to_string());
            links.push(format!("<{}?{}>; rel=\"{relation}\"", call.address(), echo.render()));
        }
    };
    link(previous, "prev");
    link(following, "next");
    link(Some(1), "first");
    link(counted.then_some(pages), "last");

    let text = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let mut answer = Answer::json(&shapes)
        .header("link", links.join(", "))
        .header("x-next-page", text(following))
        .header("x-page", page.number.to_string())
        .header("x-per-page", page.size.to_string())
        .header("x-prev-page", text(previous));
    if counted {
        answer =
            answer.header("x-total", total.to_string()).header("x-total-pages", pages.to_string());
    }
    Ok(answer)
}

/// Answers with the first page of `rows`, which are what remains behind the cursor. As on GitLab
/// every page that is not empty has a `next`, so that the walk ends with an empty one.
pub(crate) fn keyset<T, S: Serialize>(
    call: &Call<'_>,
    mut echo: Query,
    rows: &[T],
    cursor: &str,
    id: impl Fn(&T) -> u64,
    shape: impl Fn(&T) -> S,
) -> Result<Answer, Failure> {
    let page = Page { number: 1, ..Page::read(&echo)? };
    let rows = page.slice(rows);
    let shapes: Vec<S> = rows.iter().map(shape).collect();
    let answer = Answer::json(&shapes);
    let Some(last) = rows.last() else {
        return Ok(answer);
    };
    echo.remove("page");
    echo.set("per_page", page.asked.to_string());
    echo.set(cursor, id(last).to_string());
    Ok(answer.header("link", format!("<{}?{}>; rel=\"next\"", call.address(), echo.render())))
}
