//! Shapes that several endpoints share: times, users, texts.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Call;
use super::json::ESCAPED;
use crate::world::{LabelId, SELF_URL, Text, User, UserId};

/// A time as GitLab prints it: UTC, cut (not rounded) to milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp(pub(super) Timestamp);

impl Stamp {
    /// Writes `2026-11-22T10:00:00.081Z`. There are years that do not fit.
    pub(super) fn digits(self) -> Option<[u8; 24]> {
        let micros = self.0.as_microsecond();
        let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
        let (year, month, day) = civil(days);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |place: usize, width: usize, mut number: i64| {
            for digit in text[place..place + width].iter_mut().rev() {
                *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
                number /= 10;
            }
        };
        if !(0..=9999).contains(&year) {
            return None;
        }
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, rest / 3_600_000_000);
        put(14, 2, rest / 60_000_000 % 60);
        put(17, 2, rest / 1_000_000 % 60);
        put(20, 3, rest / 1_000 % 1_000);
        Some(text)
    }
}

/// Returns year, month and day of a day counted from 1970-01-01. The year is counted from March,
/// so that the leap day is its last and months follow a straight line.
fn civil(days: i64) -> (i64, i64, i64) {
    const FOUR_CENTURIES: i64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(FOUR_CENTURIES), days.rem_euclid(FOUR_CENTURIES));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let first = (153 * month + 2) / 5;
    let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + turn, month, day - first + 1)
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.digits().as_ref().map(|text| std::str::from_utf8(text)) {
            Some(Ok(text)) => serializer.serialize_str(text),
            _ => serializer.collect_str(&format_args!("{:.3}", self.0)),
        }
    }
}

/// An address that is put together while it is written: a page holds a thousand of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joined<'w, const N: usize>(pub(super) [Piece<'w>; N]);

/// A part of an address.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'w> {
    Text(&'w str),
    Number(u64),
}

impl<const N: usize> fmt::Display for Joined<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Number(number) => number.fmt(f),
        })
    }
}

impl<const N: usize> Serialize for Joined<'_, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A user where another thing mentions one.
#[derive(Debug, Serialize)]
pub(super) struct UserShape<'w> {
    id: UserId,
    username: &'w str,
    public_email: &'static str,
    name: &'w str,
    state: &'static str,
    locked: bool,
    avatar_url: Option<&'static str>,
    web_url: Joined<'w, 3>,
}

impl<'w> UserShape<'w> {
    pub(super) fn new(call: &Call<'w>, user: &'w User) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            public_email: "",
            name: &user.name,
            state: "active",
            locked: false,
            avatar_url: None,
            web_url: Joined([
                Piece::Text(&call.site.url),
                Piece::Text("/"),
                Piece::Text(&user.username),
            ]),
        }
    }

    pub(super) fn find(call: &Call<'w>, id: UserId) -> Option<Self> {
        call.world.user(id).map(|user| Self::new(call, user))
    }
}

/// The labels of an item: titles, or everything about them.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum LabelsShape<'w> {
    Titles(Vec<&'w str>),
    Details(Vec<LabelDetails<'w>>),
}

/// A label where an item carries it.
#[derive(Debug, Serialize)]
pub(super) struct LabelDetails<'w> {
    id: LabelId,
    name: &'w str,
    color: &'w str,
    description: Option<&'w str>,
    description_html: &'w str,
    text_color: &'static str,
}

/// The colour of the text on every label of the simulator.
pub(super) const TEXT_COLOR: &str = "#FFFFFF";

impl<'w> LabelsShape<'w> {
    pub(super) fn new(call: &Call<'w>, labels: &[LabelId], details: bool) -> Self {
        if !details {
            return Self::Titles(call.world.label_titles(labels));
        }
        let mut rows: Vec<LabelDetails<'w>> = labels
            .iter()
            .filter_map(|id| call.world.label(*id))
            .map(|label| LabelDetails {
                id: label.id,
                name: &label.title,
                color: &label.color,
                description: label.description.as_deref(),
                description_html: label.description.as_deref().unwrap_or_default(),
                text_color: TEXT_COLOR,
            })
            .collect();
        rows.sort_unstable_by_key(|label| label.name);
        Self::Details(rows)
    }
}

/// Puts the address of the instance into a text.
pub(super) fn text<'t>(call: &Call<'_>, text: &'t str) -> Cow<'t, str> {
    if text.contains(SELF_URL) {
        Cow::Owned(text.replace(SELF_URL, &call.site.url))
    } else {
        Cow::Borrowed(text)
    }
}

/// A long text on its way to a client.
#[derive(Debug)]
pub(super) enum Words<'t> {
    /// What somebody wrote.
    Written(Cow<'t, str>),
    /// What is made while it is written to the client.
    Made(&'t Text),
}

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Written(words) => serializer.serialize_str(words),
            Self::Made(text) => serializer.serialize_newtype_struct(ESCAPED, &Made(text)),
        }
    }
}

/// A made text, as it reads or, in the alternate form, as JSON has it.
struct Made<'t>(&'t Text);

impl fmt::Display for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { self.0.write_escaped(f) } else { f.write_str(&self.0.read()) }
    }
}

impl Serialize for Made<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns a long text with the address of the instance in it.
pub(super) fn long_text<'t>(call: &Call<'_>, long: &'t Text) -> Words<'t> {
    if long.is_made() {
        return Words::Made(long);
    }
    Words::Written(match long.read() {
        Cow::Borrowed(words) => text(call, words),
        Cow::Owned(words) => Cow::Owned(text(call, &words).into_owned()),
    })
}

/// How many check boxes of a description are ticked.
#[derive(Debug, Serialize)]
pub(super) struct TaskStatus {
    count: usize,
    completed_count: usize,
}

impl TaskStatus {
    pub(super) fn of(description: Option<&Text>) -> Self {
        let (count, completed_count) = description.map(Text::tasks).unwrap_or_default();
        Self { count, completed_count }
    }

    pub(super) fn words(&self) -> String {
        format!("{} of {} checklist items completed", self.completed_count, self.count)
    }
}

/// Time tracking, which the simulator does not have.
#[derive(Debug, Default, Serialize)]
pub(super) struct TimeStats {
    time_estimate: u64,
    total_time_spent: u64,
    human_time_estimate: Option<u64>,
    human_total_time_spent: Option<u64>,
}

/// The three forms of an item's reference.
#[derive(Debug, Serialize)]
pub(super) struct References {
    pub(super) short: String,
    pub(super) relative: String,
    pub(super) full: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_milliseconds() {
        for (stored, printed) in [
            ("2026-11-22T10:00:00.081999Z", "\"2026-11-22T10:00:00.081Z\""),
            ("2026-11-22T10:00:00Z", "\"2026-11-22T10:00:00.000Z\""),
        ] {
            let stamp = Stamp(stored.parse().unwrap());
            assert_eq!(serde_json::to_string(&stamp).unwrap(), printed);
        }
    }

    #[test]
    fn every_day_is_printed_as_the_calendar_has_it() {
        let first: Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
        for step in 0..40_000 {
            // Some thousand years in steps of days that hit every month and leap day.
            let time = first + jiff::SignedDuration::from_secs(step * 86_400 * 73 + step * 7);
            let printed = serde_json::to_string(&Stamp(time)).unwrap();
            assert_eq!(printed, format!("\"{time:.3}\""), "{step}");
        }
    }

    #[test]
    fn made_texts_reach_every_writer_alike() {
        let text = Text::made(crate::world::text::Recipe { seed: 1, number: 40 });
        let words = Words::Made(&text);
        let mut quick = Vec::new();
        crate::rest::json::write(&mut quick, &words).unwrap();
        assert_eq!(String::from_utf8(quick).unwrap(), serde_json::to_string(&words).unwrap());
        assert_eq!(serde_json::to_value(&words).unwrap(), *text.read());
    }

    #[test]
    fn check_boxes_are_counted() {
        let text = "- [x] one\n- [ ] two\n  * [X] three\n- plain\n[x] no bullet";
        assert_eq!(Text::from(text).tasks(), (3, 2));
    }
}
