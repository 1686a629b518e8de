//! Offset and keyset paging, with all their headers.
//!
//! `Link` addresses are built on the configured external address and repeat every effective
//! parameter, the defaults and the ids of the path included: a client must follow them as they are.
//!
//! Where there is no keyset paging, `pagination=keyset` has no effect, as GitLab ignores what it
//! does not declare: so it is for lists of issues of groups and of the instance, for all lists of
//! merge requests, for projects of groups, notes, labels and pipelines. Where there is, an order
//! that it cannot page by is a 405; issues of projects fall back to offsets instead.

use serde::Serialize;

use super::answer::{Answer, Failure};
use super::query::Query;
use super::{Call, json};

/// GitLab's default and largest page.
const DEFAULT_PAGE: u64 = 20;
const LARGEST_PAGE: u64 = 100;

/// Above this many rows GitLab no longer says how many there are.
const COUNT_LIMIT: u64 = 10_000;

/// A guess of how many bytes a row takes, so that a body is not copied while it grows.
const ROW_BYTES: usize = 4_500;

/// A page as asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    number: u64,
    /// As asked, which `Link` repeats.
    asked: u64,
    /// As served.
    size: u64,
}

/// The rows of a page, and what is known of the others.
#[derive(Debug)]
pub(super) struct Cut<T> {
    pub(super) rows: Vec<T>,
    /// How many rows there are in all; above [`COUNT_LIMIT`] any number that is larger.
    pub(super) total: u64,
}

impl Page {
    pub(super) fn read(query: &Query) -> Result<Self, Failure> {
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

    /// Returns how many rows lie before the page.
    pub(super) fn start(self) -> usize {
        let start = self.number.saturating_sub(1).saturating_mul(self.size);
        usize::try_from(start).unwrap_or(usize::MAX)
    }

    /// Returns how many rows the page holds at most.
    pub(super) fn size(self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }

    /// Cuts the page out of all rows.
    pub(super) fn cut<T: Clone>(self, rows: &[T]) -> Cut<T> {
        let start = self.start().min(rows.len());
        let end = start.saturating_add(self.size()).min(rows.len());
        Cut { rows: rows[start..end].to_vec(), total: rows.len() as u64 }
    }

    /// Cuts the page out of rows of which the first is that of the page.
    pub(super) fn cut_at<T>(self, rows: impl Iterator<Item = T>, total: usize) -> Cut<T> {
        Cut { rows: rows.take(self.size()).collect(), total: total as u64 }
    }

    /// Cuts the page out of rows that come one by one, and counts no further than GitLab does.
    pub(super) fn cut_from<T>(self, mut rows: impl Iterator<Item = T>) -> Cut<T> {
        let start = self.start();
        let skipped = rows.by_ref().take(start).count();
        let page: Vec<T> = rows.by_ref().take(self.size()).collect();
        let seen = skipped + page.len();
        let limit = usize::try_from(COUNT_LIMIT).unwrap_or(usize::MAX);
        // One row more tells that there is a next page.
        let more = rows.take((limit + 1).saturating_sub(seen).max(1)).count();
        Cut { rows: page, total: (seen + more) as u64 }
    }
}

/// Returns how many rows a page has.
pub(super) fn size(query: &Query) -> Result<usize, Failure> {
    Ok(usize::try_from(Page::read(query)?.size).unwrap_or(usize::MAX))
}

/// Returns the rows of the page that is asked for, for an answer that is more than one list.
pub(crate) fn window<'r, T>(query: &Query, rows: &'r [T]) -> Result<&'r [T], Failure> {
    let page = Page::read(query)?;
    let start = page.start().min(rows.len());
    Ok(&rows[start..start.saturating_add(page.size()).min(rows.len())])
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
    echo: Query,
    rows: &[T],
    shape: impl Fn(&T) -> Option<S>,
) -> Result<Answer, Failure> {
    let page = Page::read(&echo)?;
    let rows: Vec<&T> = rows.iter().collect();
    let cut = page.cut(&rows);
    let body = body(cut.rows.iter().filter_map(|row| shape(row)));
    Ok(answer(call, echo, page, cut.total, body))
}

/// Answers as [`list`] does, but refuses offsets beyond the ceiling, as GitLab does for models that
/// have keyset paging too.
pub(crate) fn capped<T, S: Serialize>(
    call: &Call<'_>,
    echo: Query,
    rows: &[T],
    model: &'static str,
    shape: impl Fn(&T) -> S,
) -> Result<Answer, Failure> {
    let page = Page::read(&echo)?;
    let ceiling = call.site.offset_ceiling;
    if ceiling > 0 && page.number.saturating_mul(page.size) > ceiling {
        return Err(Failure::TooDeep { ceiling, model });
    }
    list(call, echo, rows, shape)
}

/// Answers with a page that was cut and written already, out of so many rows.
pub(super) fn answer(
    call: &Call<'_>,
    mut echo: Query,
    page: Page,
    total: u64,
    body: Vec<u8>,
) -> Answer {
    let pages = total.div_ceil(page.size).max(1);
    let counted = total <= COUNT_LIMIT;
    let previous = (page.number > 1 && page.number <= pages).then(|| page.number - 1);
    let following = (page.number < pages).then(|| page.number + 1);

    let mut links = String::new();
    echo.set("per_page", page.asked.to_string());
    let mut link = |number: Option<u64>, relation: &str| {
        if let Some(number) = number {
            echo.set("page", number.to_string());
            let comma = if links.is_empty() { "" } else { ", " };
            links.push_str(comma);
            links.push_str(&next_link(call, &echo, relation));
        }
    };
    link(previous, "prev");
    link(following, "next");
    link(Some(1), "first");
    link(counted.then_some(pages), "last");

    let text = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let mut answer = Answer::json_bytes(body)
        .header("link", links)
        .header("x-next-page", text(following))
        .header("x-page", page.number.to_string())
        .header("x-per-page", page.size.to_string())
        .header("x-prev-page", text(previous));
    if counted {
        answer =
            answer.header("x-total", total.to_string()).header("x-total-pages", pages.to_string());
    }
    answer
}

fn next_link(call: &Call<'_>, echo: &Query, relation: &str) -> String {
    format!("<{}?{}>; rel=\"{relation}\"", call.address(), echo.render())
}

/// Writes rows as a JSON array.
fn body<S: Serialize>(rows: impl Iterator<Item = S>) -> Vec<u8> {
    let mut body = Vec::with_capacity(rows.size_hint().1.unwrap_or(0) * ROW_BYTES + 2);
    body.push(b'[');
    for (place, row) in rows.enumerate() {
        if place > 0 {
            body.push(b',');
        }
        json::write(&mut body, &row)
            .expect("the shapes have text keys and no fallible serializers");
    }
    body.push(b']');
    body
}

/// Answers with the first page of `rows`, which are what remains behind the id in the parameter
/// `cursor`. As on GitLab every page that is not empty has a `next`, so that the walk ends with an
/// empty one.
pub(crate) fn keyset<T, S: Serialize>(
    call: &Call<'_>,
    mut echo: Query,
    rows: &[T],
    cursor: &str,
    id: impl Fn(&T) -> u64,
    shape: impl Fn(&T) -> S,
) -> Result<Answer, Failure> {
    let page = Page { number: 1, ..Page::read(&echo)? };
    let rows = &rows[..page.size().min(rows.len())];
    let answer = Answer::json_bytes(body(rows.iter().map(shape)));
    let Some(last) = rows.last() else {
        return Ok(answer);
    };
    echo.remove("page");
    echo.set("per_page", page.asked.to_string());
    echo.set(cursor, id(last).to_string());
    Ok(answer.header("link", next_link(call, &echo, "next")))
}

/// Answers with the first page of `rows`, which are what remains behind the cursor of the request.
/// The last page has no `next`. `cursor` makes the cursor that lies behind a row.
pub(crate) fn cursor<T, S: Serialize>(
    call: &Call<'_>,
    mut echo: Query,
    rows: &[T],
    cursor: impl Fn(&T) -> String,
    shape: impl Fn(&T) -> S,
) -> Result<Answer, Failure> {
    let page = Page { number: 1, ..Page::read(&echo)? };
    let shown = &rows[..page.size().min(rows.len())];
    let answer = Answer::json_bytes(body(shown.iter().map(shape)));
    match shown.last() {
        Some(last) if shown.len() < rows.len() => {
            echo.remove("page");
            echo.set("per_page", page.asked.to_string());
            echo.set("cursor", cursor(last));
            Ok(answer.header("link", next_link(call, &echo, "next")))
        }
        _ => Ok(answer),
    }
}
