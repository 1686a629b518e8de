//! Long texts of items.
//!
//! A description is read far more often than it is written, and in a large world there are a
//! million of them. Those that somebody wrote are kept; those of a bulk world are made again from
//! their number whenever they are asked for, always the same, so that a gigabyte of them takes no
//! memory. Everything outside this module reads a text by [`Text::read`] and need not know.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use super::prose::{PARAGRAPHS, PREDICATES, SUBJECTS};
use crate::digits::Decimal;
use crate::hash::mixed;

/// A made text has at least so many bytes: what a description of some care has.
const MADE_BYTES: usize = 2_000;

/// One made text in so many mentions something outside.
const MENTION_EVERY: u32 = 10;

/// So many ids that mention something share each of the things.
const SHARE: u32 = 8;

/// The text of a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Kept);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kept {
    Written(Box<str>),
    Made(Recipe),
}

/// Makes a text of about two kilobytes, like a description in Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// Where chance starts.
    pub(crate) seed: u32,
    /// Which of the texts it is: twice the id of the item, and one more for merge requests.
    pub(crate) number: u32,
}

/// Something outside that a made text mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outside {
    /// A PagerDuty incident, mentioned by its address. It is named by [`Outside::id`].
    PagerDuty(u32),
    /// A ServiceNow incident, mentioned by its number.
    ServiceNow(u32),
}

impl Outside {
    /// Returns the id by which the other system knows it: `Q…` with 14 characters, or `INC…` with
    /// seven digits.
    pub fn id(self) -> String {
        match self {
            Self::PagerDuty(number) => format!("Q{number:013}"),
            Self::ServiceNow(number) => format!("INC{number:07}"),
        }
    }

    /// Returns it as it stands in the text.
    pub fn text(self) -> String {
        match self {
            Self::PagerDuty(_) => format!("https://acme.pagerduty.com/incidents/{}", self.id()),
            Self::ServiceNow(_) => self.id(),
        }
    }
}

impl Recipe {
    /// Returns what the text mentions.
    pub(crate) fn mention(self) -> Option<Outside> {
        let id = self.number / 2;
        if !id.is_multiple_of(MENTION_EVERY) {
            return None;
        }
        let turn = id / MENTION_EVERY;
        let thing = 10_000 + turn / 2 / SHARE;
        Some(if turn.is_multiple_of(2) {
            Outside::PagerDuty(thing)
        } else {
            Outside::ServiceNow(thing)
        })
    }

    /// Makes a title out of a number.
    pub(crate) fn title(chance: u64) -> String {
        let pick = |shift: u32| usize::try_from(chance >> shift & 15).unwrap_or(0);
        // `concat` takes no more memory than the title needs.
        [SUBJECTS[pick(50)], " ", PREDICATES[pick(56)]].concat()
    }

    /// Returns the paragraphs of the text by their places in the pool.
    fn paragraphs(self) -> impl Iterator<Item = usize> {
        let mut chance = mixed(u64::from(self.seed) << 32 | u64::from(self.number));
        let mut bytes = 0;
        std::iter::from_fn(move || {
            if bytes >= MADE_BYTES {
                return None;
            }
            if chance == 0 {
                chance = mixed(u64::from(self.number) + 1) | 1;
            }
            let pick = usize::try_from(chance & 0xFF).unwrap_or(0) % PARAGRAPHS.len();
            chance >>= 8;
            bytes += PARAGRAPHS[pick].len();
            Some(pick)
        })
    }

    /// Writes the text into `to`, with each paragraph as it is given by `paragraph`.
    fn write(
        self,
        mut put: impl FnMut(&str),
        gap: &str,
        paragraph: impl Fn(usize) -> &'static str,
    ) {
        for (place, pick) in self.paragraphs().enumerate() {
            if place == 3
                && let Some(mention) = self.mention()
            {
                put(&format!("See {} for the timeline.{gap}", mention.text()));
            }
            put(paragraph(pick));
            put(gap);
        }
        put("Report ");
        put(Decimal::new(self.number.into()).text());
        put(" of ");
        put(Decimal::new(self.seed.into()).text());
        put(".");
    }
}

impl Recipe {
    /// Writes the text as it stands between the quotes of a JSON string.
    fn write_escaped(self, put: impl FnMut(&str)) {
        let escaped = LazyLock::force(&ESCAPED);
        self.write(put, "\\n\\n", |pick| &escaped[pick]);
    }
}

impl Text {
    /// Returns a text that is made when it is read.
    pub(crate) fn made(recipe: Recipe) -> Self {
        Self(Kept::Made(recipe))
    }

    /// Returns the text.
    pub fn read(&self) -> Cow<'_, str> {
        match &self.0 {
            Kept::Written(text) => Cow::Borrowed(text),
            Kept::Made(recipe) => {
                let mut text = String::with_capacity(MADE_BYTES + 512);
                recipe.write(|part| text.push_str(part), "\n\n", |pick| PARAGRAPHS[pick]);
                Cow::Owned(text)
            }
        }
    }

    /// Tells whether it is made when it is read.
    pub(crate) fn is_made(&self) -> bool {
        matches!(self.0, Kept::Made(_))
    }

    /// Writes a made text as it stands between the quotes of a JSON string. Of a text that
    /// somebody wrote nothing is written: it has to be escaped.
    pub(crate) fn write_escaped(&self, to: &mut impl fmt::Write) -> fmt::Result {
        match &self.0 {
            Kept::Written(_) => Ok(()),
            Kept::Made(recipe) => {
                let mut result = Ok(());
                recipe.write_escaped(|part| result = result.and_then(|()| to.write_str(part)));
                result
            }
        }
    }

    /// Appends a made text as [`Self::write_escaped`] writes it.
    pub(crate) fn append_escaped(&self, to: &mut Vec<u8>) {
        match &self.0 {
            Kept::Written(_) => {}
            Kept::Made(recipe) => {
                recipe.write_escaped(|part| to.extend_from_slice(part.as_bytes()));
            }
        }
    }

    /// Counts the check boxes: all, and those ticked.
    pub(crate) fn tasks(&self) -> (usize, usize) {
        match &self.0 {
            Kept::Written(text) => count_tasks(text),
            Kept::Made(recipe) => recipe.paragraphs().fold((0, 0), |(all, done), pick| {
                let (more, ticked) = TASKS[pick];
                (all + more, done + ticked)
            }),
        }
    }

    /// Returns what a made text mentions. Of other texts nothing is known.
    pub fn made_mention(&self) -> Option<Outside> {
        match &self.0 {
            Kept::Written(_) => None,
            Kept::Made(recipe) => recipe.mention(),
        }
    }
}

/// The paragraphs with their line ends escaped.
static ESCAPED: LazyLock<Vec<String>> =
    LazyLock::new(|| PARAGRAPHS.iter().map(|paragraph| paragraph.replace('\n', "\\n")).collect());

/// The check boxes of the paragraphs.
static TASKS: LazyLock<Vec<(usize, usize)>> =
    LazyLock::new(|| PARAGRAPHS.iter().map(|paragraph| count_tasks(paragraph)).collect());

/// Counts the check boxes of a text: all, and those ticked.
pub(crate) fn count_tasks(text: &str) -> (usize, usize) {
    text.lines().fold((0, 0), |(all, done), line| {
        let line = line.trim_start();
        let rest = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or_default();
        let ticked = rest.starts_with("[x] ") || rest.starts_with("[X] ");
        let open = rest.starts_with("[ ] ");
        (all + usize::from(ticked || open), done + usize::from(ticked))
    })
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Kept::Written(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Kept::Written(text.into()))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(number: u32) -> Text {
        Text::made(Recipe { seed: 7, number })
    }

    #[test]
    fn made_texts_are_the_same_whenever_they_are_read_and_differ_from_each_other() {
        assert_eq!(made(3).read(), made(3).read());
        assert_ne!(made(3).read(), made(4).read());
        for number in 0..500 {
            let bytes = made(number).read().len();
            assert!((MADE_BYTES..MADE_BYTES + 400).contains(&bytes), "{number}: {bytes}");
        }
    }

    #[test]
    fn the_escaped_form_is_what_a_json_writer_would_write() {
        for number in 0..500 {
            let mut escaped = String::new();
            made(number).write_escaped(&mut escaped).unwrap();
            let expected = serde_json::to_string(&*made(number).read()).unwrap();
            assert_eq!(format!("\"{escaped}\""), expected, "{number}");
            assert_eq!(made(number).tasks(), count_tasks(&made(number).read()), "{number}");
        }
        let mut untouched = String::new();
        Text::from("x").write_escaped(&mut untouched).unwrap();
        assert_eq!(untouched, "");
    }

    #[test]
    fn every_tenth_id_mentions_what_it_says_it_mentions() {
        for number in 0..500 {
            let text = made(number);
            assert_eq!(text.made_mention().is_some(), number / 2 % 10 == 0, "{number}");
            let incidents = text.read().matches("pagerduty.com").count();
            match text.made_mention() {
                Some(mention) => assert!(text.read().contains(&mention.text()), "{number}"),
                None => assert_eq!(incidents, 0),
            }
        }
    }
}
