//! One section of the configuration while it is read.
//!
//! Each `read` function asks its section for the keys it knows; what nobody asked for is an
//! unknown key. So the code that reads a key is the only list of keys there is. (Serde's
//! `deny_unknown_fields` was the alternative: it stops at the first mistake, quotes the value it
//! did not like, which may be a token, and cannot say which variable it came from.)
//!
//! Types are strict in a file, where `"8"` for a number is a slip. A variable is always text, so
//! there numbers and booleans are read out of it, lists with commas between, and lists and
//! sections also in TOML's own spelling.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use ::config::{Map, Value, ValueKind};

use super::inline::{parse_inline, split_commas};
use super::problem::{Place, Problems, find_choice, find_near};

/// A section and what has been asked of it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    values: BTreeMap<String, Value>,
    asked: BTreeSet<String>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// Wraps the whole tree.
    pub(super) fn root(values: Map<String, Value>, problems: &'a Problems) -> Self {
        Self::new(String::new(), values, problems)
    }

    fn new(path: String, values: Map<String, Value>, problems: &'a Problems) -> Self {
        Self { path, values: values.into_iter().collect(), asked: BTreeSet::new(), problems }
    }

    /// Returns the full name of a key, as in `gitlab[0].url`.
    pub(super) fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Returns the keys present, for sections whose keys are names.
    pub(super) fn keys(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    /// True when the key is present.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// True when the key is present and was set by a variable.
    pub(super) fn is_from_variable(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| value.origin().is_some())
    }

    /// True when the key holds a text, and not a section that a variable spells out.
    pub(super) fn is_text(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| match (&value.kind, value.origin()) {
            (ValueKind::String(text), Some(origin)) => parse_inline(text, origin).is_none(),
            (ValueKind::String(_), None) => true,
            _ => false,
        })
    }

    /// Drops a value unread.
    pub(super) fn discard(&mut self, key: &str) {
        self.take(key);
    }

    /// Gives an absent key the value of a short form. A key that is present stays.
    pub(super) fn fill(&mut self, key: &str, variable: &str, value: impl Into<ValueKind>) {
        self.values
            .entry(key.to_owned())
            .or_insert_with(|| Value::new(Some(&variable.to_owned()), value));
    }

    /// Returns the places that the values still unread come from, each once.
    pub(super) fn places(&self) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for value in self.values.values() {
            self.collect_places(value, &mut places);
        }
        places
    }

    fn collect_places(&self, value: &Value, places: &mut BTreeSet<Place>) {
        match &value.kind {
            ValueKind::Table(table) => {
                for inner in table.values() {
                    self.collect_places(inner, places);
                }
            }
            _ => {
                places.insert(self.problems.place(value.origin()));
            }
        }
    }

    /// Reports that something is wrong with a key.
    pub(super) fn report(&self, key: &str, place: Place, message: impl Into<String>) {
        self.problems.add(self.name_of(key), place, message);
    }

    /// Reports that a key is needed and absent.
    pub(super) fn report_absent(&self, key: &str, message: impl Into<String>) {
        self.report(key, self.problems.place(None), message);
    }

    /// Takes a text and turns it into what it means; the error of `parse` becomes a problem.
    pub(super) fn parse<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (text, place) = self.text_and_place(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.report(key, place, message);
                None
            }
        }
    }

    /// Takes a text that must be there.
    pub(super) fn parse_required<T>(
        &mut self,
        key: &str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.asked.insert(key.to_owned());
            self.report_absent(key, format!("is missing: {what}"));
            return None;
        }
        self.parse(key, parse)
    }

    /// Takes one of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        self.parse(key, |word| find_choice(word, choices))
    }

    /// Takes a boolean.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        let value = self.take(key)?;
        match (&value.kind, value.origin()) {
            (ValueKind::Boolean(value), _) => Some(*value),
            (ValueKind::String(text), Some(_)) => match text.trim().to_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => self.wrong(key, &value, "must be true or false"),
            },
            _ => self.wrong(key, &value, "must be true or false, without quotes"),
        }
    }

    /// Takes a whole number within a range.
    pub(super) fn integer(&mut self, key: &str, range: &RangeInclusive<u32>) -> Option<u32> {
        let value = self.take(key)?;
        let number = match (&value.kind, value.origin()) {
            (ValueKind::I64(number), _) => u32::try_from(*number).ok(),
            (ValueKind::String(text), Some(_)) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let rule = format!("must be a whole number from {} to {}", range.start(), range.end());
            return self.wrong(key, &value, &rule);
        }
        number
    }

    /// Takes a number that is accepted; `rule` says which are.
    pub(super) fn number(
        &mut self,
        key: &str,
        rule: &str,
        accepts: impl FnOnce(f64) -> bool,
    ) -> Option<f64> {
        let value = self.take(key)?;
        let number = match (&value.kind, value.origin()) {
            (ValueKind::Float(number), _) => Some(*number),
            // A whole number of this size is exact in both types.
            (ValueKind::I64(number), _) => i32::try_from(*number).ok().map(f64::from),
            (ValueKind::String(text), Some(_)) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| accepts(*number));
        if number.is_none() {
            return self.wrong(key, &value, rule);
        }
        number
    }

    /// Takes a list of texts. `None` when the key is absent.
    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let rule = "must be a list of texts, as in [\"one\", \"two\"]";
        let value = self.take(key)?;
        let entries = match (&value.kind, value.origin()) {
            (ValueKind::Array(entries), _) => entries.clone(),
            (ValueKind::String(text), Some(origin)) => match parse_inline(text, origin) {
                Some(ValueKind::Array(entries)) => entries,
                _ => return Some(split_commas(text)),
            },
            _ => return self.wrong(key, &value, rule),
        };
        let mut texts = Vec::with_capacity(entries.len());
        for entry in &entries {
            let ValueKind::String(text) = &entry.kind else {
                return self.wrong(key, entry, rule);
            };
            texts.push(text.trim().to_owned());
        }
        Some(texts)
    }

    /// Takes a list of texts and turns each into what it means. An absent key gives an empty
    /// list.
    pub(super) fn parse_each<T>(
        &mut self,
        key: &str,
        mut parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let place = self.place_of(key);
        let mut parsed = Vec::new();
        for text in self.texts(key).unwrap_or_default() {
            match parse(&text) {
                Ok(value) => parsed.push(value),
                Err(message) => self.report(key, place.clone(), message),
            }
        }
        parsed
    }

    /// Takes a list that may be absent but not empty; `empty` says what an empty one would mean.
    pub(super) fn parse_some<T>(
        &mut self,
        key: &str,
        empty: &str,
        parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.values.get(key)?;
        let is_empty = match &value.kind {
            ValueKind::Array(entries) => entries.is_empty(),
            ValueKind::String(text) => text.trim().is_empty(),
            _ => false,
        };
        if is_empty {
            self.report(key, self.place_of(key), empty);
        }
        Some(self.parse_each(key, parse))
    }

    /// Reads the section below a key; an absent one is read as an empty one.
    pub(super) fn read<T>(&mut self, key: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let table = self.table(key).unwrap_or_default();
        self.read_table(key, table, read)
    }

    /// Reads the section below a key. `None` when it is absent, or no section.
    pub(super) fn read_present<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> Option<T> {
        let table = self.table(key)?;
        Some(self.read_table(key, table, read))
    }

    fn read_table<T>(
        &self,
        key: &str,
        table: Map<String, Value>,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let mut section = Section::new(self.name_of(key), table, self.problems);
        let result = read(&mut section);
        section.finish();
        result
    }

    fn table(&mut self, key: &str) -> Option<Map<String, Value>> {
        let value = self.take(key)?;
        match (&value.kind, value.origin()) {
            (ValueKind::Table(table), _) => Some(table.clone()),
            (ValueKind::String(text), Some(origin)) => match parse_inline(text, origin) {
                Some(ValueKind::Table(table)) => Some(table),
                _ => self.wrong(key, &value, "must be a section with keys"),
            },
            _ => self.wrong(key, &value, "must be a section with keys"),
        }
    }

    /// Takes the sections of a list `[[key]]`, to be read one by one.
    pub(super) fn sections(&mut self, key: &str) -> Vec<Section<'a>> {
        let rule = format!("must be a list of sections, each written as [[{}]]", self.name_of(key));
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let entries = match (&value.kind, value.origin()) {
            (ValueKind::Array(entries), _) => Some(entries.clone()),
            (ValueKind::String(text), Some(origin)) => match parse_inline(text, origin) {
                Some(ValueKind::Array(entries)) => Some(entries),
                _ => None,
            },
            _ => None,
        };
        let Some(entries) = entries else {
            return self.wrong(key, &value, &rule).unwrap_or_default();
        };
        let mut sections = Vec::new();
        for (number, entry) in entries.into_iter().enumerate() {
            let name = format!("{key}[{number}]");
            match entry.kind {
                ValueKind::Table(table) => {
                    sections.push(Section::new(self.name_of(&name), table, self.problems));
                }
                ValueKind::Nil => {
                    sections.push(Section::new(self.name_of(&name), Map::new(), self.problems));
                }
                _ => {
                    self.wrong::<()>(&name, &entry, &rule);
                }
            }
        }
        sections
    }

    /// Makes a section that stands nowhere in the file, for a list that has none.
    pub(super) fn absent(&self, name: &str) -> Section<'a> {
        Section::new(self.name_of(name), Map::new(), self.problems)
    }

    /// Reads each section of a list `[[key]]`; those that could not be read are left out, with
    /// their problems reported.
    pub(super) fn read_each<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Section<'_>) -> Option<T>,
    ) -> Vec<T> {
        let mut results = Vec::new();
        for mut section in self.sections(key) {
            results.extend(read(&mut section));
            section.finish();
        }
        results
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for (key, value) in &self.values {
            let allowed: Vec<&str> = self.asked.iter().map(String::as_str).collect();
            let known = allowed.join(", ");
            let message = match find_near(key, allowed.iter().copied()) {
                Some(near) => format!("unknown key, did you mean `{near}`? Known here: {known}"),
                None => format!("unknown key; known here: {known}"),
            };
            self.report(key, self.problems.place(value.origin()), message);
        }
    }

    /// Returns the place that the value of a key comes from.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.problems.place(self.values.get(key).and_then(Value::origin))
    }

    fn text_and_place(&mut self, key: &str) -> Option<(String, Place)> {
        let value = self.take(key)?;
        let ValueKind::String(text) = &value.kind else {
            return self.wrong(key, &value, "must be a text in quotes");
        };
        let text = if value.origin().is_some() { text.trim() } else { text };
        Some((text.to_owned(), self.problems.place(value.origin())))
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.asked.insert(key.to_owned());
        self.values.remove(key)
    }

    /// Reports a value of the wrong type or out of range. Numbers and booleans are quoted, texts
    /// never.
    fn wrong<T>(&self, key: &str, value: &Value, rule: &str) -> Option<T> {
        let found = match &value.kind {
            ValueKind::Nil => "nothing".to_owned(),
            ValueKind::Boolean(value) => value.to_string(),
            ValueKind::I64(value) => value.to_string(),
            ValueKind::I128(value) => value.to_string(),
            ValueKind::U64(value) => value.to_string(),
            ValueKind::U128(value) => value.to_string(),
            ValueKind::Float(value) => value.to_string(),
            ValueKind::String(_) if value.origin().is_some() => "something else".to_owned(),
            ValueKind::String(_) => "a text".to_owned(),
            ValueKind::Table(_) => "a section".to_owned(),
            ValueKind::Array(_) => "a list".to_owned(),
        };
        let place = self.problems.place(value.origin());
        self.report(key, place, format!("{rule}; it is {found}"));
        None
    }
}
