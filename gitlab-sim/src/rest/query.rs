//! Query strings: decoding, and typed parameters with GitLab's words for what is wrong.
//!
//! As on GitLab a parameter that nobody declared is ignored, and a declared one with an unknown
//! value is a 400.

use jiff::Timestamp;
use jiff::civil::Date;

use super::answer::Failure;

/// The parameters of a request in the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name, true), decode(value, true))
            })
            .collect();
        Self { pairs }
    }

    /// Adds defaults for parameters that did not come.
    pub(crate) fn with_defaults(mut self, defaults: &[(&str, &str)]) -> Self {
        for (name, value) in defaults {
            if self.text(name).is_none() {
                self.pairs.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        self
    }

    /// Sets a parameter, replacing what came.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.pairs.retain(|(known, _)| known != name);
        self.pairs.push((name.to_owned(), value.into()));
    }

    /// Drops a parameter.
    pub(crate) fn remove(&mut self, name: &str) {
        self.pairs.retain(|(known, _)| known != name);
    }

    /// Returns the last value of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter unless it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|value| !value.is_empty())
    }

    /// Returns a list, given as `name=a,b`, as `name[]=a&name[]=b`, or both.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let mut values = None;
        for (known, value) in &self.pairs {
            if known == name || known.strip_suffix("[]") == Some(name) {
                values
                    .get_or_insert_with(Vec::new)
                    .extend(value.split(',').map(str::trim).filter(|part| !part.is_empty()));
            }
        }
        values
    }

    /// Returns a list of numbers.
    pub(crate) fn numbers(&self, name: &str) -> Result<Option<Vec<u64>>, Failure> {
        self.list(name)
            .map(|values| {
                values
                    .into_iter()
                    .map(|value| value.parse().map_err(|_| is_invalid(name)))
                    .collect()
            })
            .transpose()
    }

    /// Returns a number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.filled(name)
            .map(|value| value.trim().parse().map_err(|_| is_invalid(name)))
            .transpose()
    }

    /// Returns a truth value.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.filled(name)
            .map(|value| match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "t" | "on" => Ok(true),
                "false" | "0" | "f" | "off" => Ok(false),
                _ => Err(is_invalid(name)),
            })
            .transpose()
    }

    /// Returns one of the allowed words.
    pub(crate) fn one_of(
        &self,
        name: &str,
        allowed: &[&'static str],
    ) -> Result<Option<&'static str>, Failure> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        allowed
            .iter()
            .find(|word| **word == value)
            .copied()
            .map(Some)
            .ok_or_else(|| Failure::Invalid(format!("{name} does not have a valid value")))
    }

    /// Returns a moment, given with or without a time of day. Without an offset it is UTC.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        self.filled(name).map(|value| moment(value).ok_or_else(|| is_invalid(name))).transpose()
    }

    /// Returns a day.
    pub(crate) fn date(&self, name: &str) -> Result<Option<Date>, Failure> {
        self.filled(name).map(|value| value.parse().map_err(|_| is_invalid(name))).transpose()
    }

    /// Tells whether the sort goes down. The default differs by endpoint.
    pub(crate) fn descending(&self, default: bool) -> Result<bool, Failure> {
        Ok(self.one_of("sort", &["asc", "desc"])?.map_or(default, |word| word == "desc"))
    }

    /// Renders the parameters as Rails does: sorted by name, percent-encoded.
    pub(crate) fn render(&self) -> String {
        let mut pairs: Vec<&(String, String)> = self.pairs.iter().collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let mut text = String::new();
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push('&');
            }
            encode(name, &mut text);
            text.push('=');
            encode(value, &mut text);
        }
        text
    }
}

pub(super) fn is_invalid(name: &str) -> Failure {
    Failure::Invalid(format!("{name} is invalid"))
}

/// Reads a moment, given with or without a time of day.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // A `+` that was not encoded arrives as a space.
    let repaired = text.replace(' ', "+");
    if let Ok(time) = repaired.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
        return time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    }
    let date: Date = text.parse().ok()?;
    date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Decodes percent escapes; in a query also `+`. What is no escape stays as it is, and bytes that
/// are no UTF-8 are replaced.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escape = (bytes[index] == b'%')
            .then(|| bytes.get(index + 1..index + 3))
            .flatten()
            .and_then(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?));
        match (escape, bytes[index]) {
            (Some(byte), _) => {
                decoded.push(byte);
                index += 3;
            }
            (None, b'+') if plus_is_space => {
                decoded.push(b' ');
                index += 1;
            }
            (None, byte) => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn encode(text: &str, into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                into.push(char::from(byte));
            }
            b' ' => into.push('+'),
            _ => {
                into.push('%');
                into.push(char::from(DIGITS[usize::from(byte >> 4)]));
                into.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_with_commas_or_brackets() {
        let query = Query::parse("labels=a%2Cb&iids[]=1&iids%5B%5D=2");
        assert_eq!(query.list("labels"), Some(vec!["a", "b"]));
        assert_eq!(query.numbers("iids").unwrap(), Some(vec![1, 2]));
        assert_eq!(query.list("none"), None);
    }

    #[test]
    fn wrong_values_are_named_as_gitlab_names_them() {
        let query = Query::parse("state=open&confidential=perhaps&updated_after=yesterday");
        let text = |failure: Failure| match failure {
            Failure::Invalid(text) => text,
            other => format!("{other:?}"),
        };
        assert_eq!(
            text(query.one_of("state", &["opened"]).unwrap_err()),
            "state does not have a valid value"
        );
        assert_eq!(text(query.flag("confidential").unwrap_err()), "confidential is invalid");
        assert_eq!(text(query.time("updated_after").unwrap_err()), "updated_after is invalid");
    }

    #[test]
    fn times_are_read_with_offset_without_and_as_dates() {
        for (text, expected) in [
            ("2026-11-22T10:00:00.081Z", "2026-11-22T10:00:00.081Z"),
            ("2026-11-22T10:00:00%2B02:00", "2026-11-22T08:00:00Z"),
            ("2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z"),
            ("2026-11-22T10:00:00", "2026-11-22T10:00:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
        ] {
            let query = Query::parse(&format!("at={text}"));
            assert_eq!(query.time("at").unwrap().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn rendering_sorts_and_encodes() {
        let mut query = Query::parse("page=1&b=x+y%2Fz");
        query.set("page", "2");
        query.set("id", "acme/shop");
        assert_eq!(query.render(), "b=x+y%2Fz&id=acme%2Fshop&page=2");
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(decode("100%&%zz%4", true), "100%&%zz%4");
        assert_eq!(decode("%C3%A9%FF", false), "é\u{fffd}");
    }
}
