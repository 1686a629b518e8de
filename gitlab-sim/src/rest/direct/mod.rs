//! Rows of the long lists, written straight into the body.
//!
//! A crawl reads pages of a hundred issues or merge requests, four kilobytes each, and nearly all
//! of it is the same in every row or in many: keys, nulls, people, addresses. The shapes of
//! [`super::issues`] and [`super::merge_requests`] say what a row holds, and answer everything but
//! lists; here the same bytes are put down by a [`Pen`] that writes constant stretches at once and
//! copies what it has written before on the same page. Nothing is kept from page to page, so
//! nothing can get old. `tests` compares every row of a generated organisation with its shape, byte
//! for byte: a field that is added there has to be added here.

mod issue;
mod merge_request;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(super) use issue::write as write_issue;
pub(super) use merge_request::write as write_merge_request;

use super::Call;
use super::json::{self, escape};
use super::milestones::MilestoneShape;
use super::select::{Listed, Row};
use super::shape::{LabelsShape, Stamp, UserShape, Words, long_text};
use crate::digits::Decimal;
use crate::world::{Item, LabelId, MilestoneId, Text, UserId};

/// A guess of how many bytes a row takes, so that a body is not copied while it grows.
const ROW_BYTES: usize = 4_500;

/// So many people are remembered on a page, a power of two; others are written again.
const PEOPLE: usize = 64;

/// Writes JSON into a body.
pub(super) struct Pen<'w> {
    call: &'w Call<'w>,
    body: Vec<u8>,
    /// The address of the instance, escaped.
    url: Vec<u8>,
    /// Where people stand in the body, by the last digits of their ids.
    people: [Option<(UserId, usize, usize)>; PEOPLE],
}

/// Writes some rows as a JSON array.
pub(super) fn body<'w, T: Listed>(
    call: &'w Call<'w>,
    rows: &[Row<'w, T>],
    mut write: impl FnMut(&mut Pen<'w>, &Row<'w, T>),
) -> Vec<u8> {
    fetch(rows.iter().map(|(_, row)| row.item()));
    let mut pen = Pen::new(call, rows.len() * ROW_BYTES + 2);
    pen.put("[");
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            pen.put(",");
        }
        write(&mut pen, row);
    }
    pen.put("]");
    pen.body
}

/// Looks at every item once, before any is written. They lie anywhere in half a gigabyte: read one
/// by one while writing, each would be waited for; here the processor waits for many at a time.
fn fetch<'w>(items: impl Iterator<Item = &'w Item>) {
    let seen = items.fold(0, |seen, item| {
        let title = item.title.as_bytes().first().map_or(0, |byte| u64::from(*byte));
        let label = item.labels.first().map_or(0, |id| id.get());
        let user = item.assignees.first().map_or(0, |id| id.get());
        seen ^ title ^ label ^ user ^ item.author.get()
    });
    std::hint::black_box(seen);
}

impl<'w> Pen<'w> {
    fn new(call: &'w Call<'w>, bytes: usize) -> Self {
        let mut url = Vec::with_capacity(call.site.url.len());
        escape(&mut url, &call.site.url);
        Self { call, body: Vec::with_capacity(bytes), url, people: [None; PEOPLE] }
    }

    /// Writes what is JSON already.
    #[inline]
    fn put(&mut self, json: &str) -> &mut Self {
        self.body.extend_from_slice(json.as_bytes());
        self
    }

    /// Writes what can stand between quotes after it is escaped.
    fn plain(&mut self, text: &str) -> &mut Self {
        escape(&mut self.body, text);
        self
    }

    /// Writes the address of something in a project, up to its path, and returns where the path
    /// stands.
    fn path(&mut self, full_path: &str) -> Range<usize> {
        self.url().put("/");
        let start = self.here();
        self.plain(full_path);
        start..self.here()
    }

    /// Writes digits.
    #[inline]
    fn digits(&mut self, number: &Decimal) -> &mut Self {
        self.body.extend_from_slice(number.bytes());
        self
    }

    /// Writes a number.
    fn number(&mut self, number: u64) -> &mut Self {
        self.digits(&Decimal::new(number))
    }

    /// Writes a count.
    fn count(&mut self, count: usize) -> &mut Self {
        self.number(count as u64)
    }

    fn flag(&mut self, flag: bool) -> &mut Self {
        self.put(if flag { "true" } else { "false" })
    }

    /// Writes the address of the instance, without quotes.
    fn url(&mut self) -> &mut Self {
        self.body.extend_from_slice(&self.url);
        self
    }

    /// Returns where the next byte goes.
    fn here(&self) -> usize {
        self.body.len()
    }

    /// Writes once more what stands elsewhere in the body.
    fn again(&mut self, stretch: Range<usize>) -> &mut Self {
        self.body.extend_from_within(stretch);
        self
    }

    fn time(&mut self, time: Stamp) -> &mut Self {
        match time.digits() {
            Some(digits) => {
                self.put("\"");
                self.body.extend_from_slice(&digits);
                self.put("\"")
            }
            None => self.value(&time),
        }
    }

    fn time_or_null(&mut self, time: Option<jiff::Timestamp>) -> &mut Self {
        match time {
            Some(time) => self.time(Stamp(time)),
            None => self.put("null"),
        }
    }

    /// Writes whatever has a shape.
    fn value(&mut self, value: &impl serde::Serialize) -> &mut Self {
        json::write(&mut self.body, value)
            .expect("the shapes have text keys and no fallible serializers");
        self
    }

    /// Writes a milestone, or null.
    fn milestone(&mut self, id: Option<MilestoneId>) -> &mut Self {
        match id {
            Some(_) => self.value(&MilestoneShape::find(self.call, id)),
            None => self.put("null"),
        }
    }

    /// Writes a person, or null.
    fn user(&mut self, id: Option<UserId>) -> &mut Self {
        let Some(id) = id else {
            return self.put("null");
        };
        let slot = usize::try_from(id.get()).unwrap_or(0) % PEOPLE;
        if let Some((known, start, end)) = self.people[slot]
            && known == id
        {
            return self.again(start..end);
        }
        let start = self.here();
        match UserShape::find(self.call, id) {
            Some(user) => self.value(&user),
            None => self.put("null"),
        };
        self.people[slot] = Some((id, start, self.here()));
        self
    }

    /// Writes those of some people who are known.
    fn users(&mut self, ids: &[UserId]) -> &mut Self {
        self.put("[");
        let mut first = true;
        for id in ids {
            if self.call.world.user(*id).is_none() {
                continue;
            }
            if !first {
                self.put(",");
            }
            first = false;
            self.user(Some(*id));
        }
        self.put("]")
    }

    fn labels(&mut self, labels: &[LabelId], details: bool) -> &mut Self {
        if details {
            return self.value(&LabelsShape::new(self.call, labels, true));
        }
        self.put("[");
        for (place, title) in self.call.world.label_titles(labels).into_iter().enumerate() {
            self.put(if place > 0 { ",\"" } else { "\"" }).plain(title).put("\"");
        }
        self.put("]")
    }

    fn long_text(&mut self, text: Option<&Text>) -> &mut Self {
        match text.map(|text| long_text(self.call, text)) {
            None => return self.put("null"),
            Some(Words::Written(words)) => drop(self.put("\"").plain(&words)),
            Some(Words::Made(text)) => {
                self.put("\"");
                text.append_escaped(&mut self.body);
            }
        }
        self.put("\"")
    }
}
