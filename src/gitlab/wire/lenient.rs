//! Reads single fields as forgivingly as JSON allows.
//!
//! A field is read into a [`Value`] first, so that an odd type in a field that hardly matters
//! never costs the whole object. What cannot be understood counts as absent.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a text; absent, null and anything that is no text become "".
pub(in crate::gitlab) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    })
}

/// Reads a text that may be missing; "" counts as missing.
pub(in crate::gitlab) fn some_text<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Some(text(deserializer)?).filter(|text| !text.is_empty()))
}

/// Reads a yes or no that may be missing.
pub(in crate::gitlab) fn some_flag<'de, D>(deserializer: D) -> Result<Option<bool>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Some(flag),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(word) => match word.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

/// Reads a yes or no; GitLab documents that null means no.
pub(in crate::gitlab) fn flag<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<bool, D::Error> {
    Ok(some_flag(deserializer)?.unwrap_or(false))
}

/// Reads a whole number that may be missing.
pub(in crate::gitlab) fn some_number<'de, D>(deserializer: D) -> Result<Option<i64>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(digits) => digits.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// Reads a moment that may be missing; see [`parse_moment`].
pub(in crate::gitlab) fn moment<'de, D>(deserializer: D) -> Result<Option<Timestamp>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => parse_moment(&text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    })
}

/// Reads the names in a list of texts or of objects with a `name` or `title`.
pub(in crate::gitlab) fn names<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Ok(some_names(deserializer)?.unwrap_or_default())
}

/// Reads a list of names that may be missing.
pub(in crate::gitlab) fn some_names<'de, D>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let Value::Array(values) = Value::deserialize(deserializer)? else {
        return Ok(None);
    };
    let named = values.into_iter().filter_map(|value| match value {
        Value::String(name) => Some(name),
        Value::Object(mut fields) => {
            ["name", "title"].into_iter().find_map(|key| match fields.remove(key) {
                Some(Value::String(name)) => Some(name),
                _ => None,
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    });
    Ok(Some(named.collect()))
}

/// A user inside another object, of whom only the user name is kept.
#[derive(Debug, Default)]
pub(in crate::gitlab) struct UserName(pub(in crate::gitlab) String);

impl<'de> Deserialize<'de> for UserName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = match Value::deserialize(deserializer)? {
            Value::Object(mut fields) => match fields.remove("username") {
                Some(Value::String(name)) => name,
                _ => String::new(),
            },
            // Null stands for a deleted user.
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => String::new(),
        };
        Ok(Self(name))
    }
}

/// Reads a moment in any of GitLab's forms: RFC 3339 with `Z` or an offset, and the form of
/// webhooks and old versions, `2023-01-01 10:00:00 UTC` or `2023-01-01 10:00:00 +0200`.
pub(in crate::gitlab) fn parse_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    // Neither jiff nor RFC 3339 knows the zone name or the blank before an offset; old versions
    // also put blanks after the colons.
    let compact: String = match text.strip_suffix("UTC") {
        Some(front) => format!("{}Z", front.trim_end()),
        None => text.to_owned(),
    };
    let (date, time) = compact.split_once(['T', ' '])?;
    let time: String = time.chars().filter(|c| !c.is_whitespace()).collect();
    format!("{date}T{time}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form_gitlab_uses() {
        for (text, expected) in [
            ("2023-01-01T10:00:00Z", "2023-01-01T10:00:00Z"),
            ("2023-01-01T10:00:00.123456Z", "2023-01-01T10:00:00.123456Z"),
            ("2026-08-04T11:51:58.172+02:00", "2026-08-04T09:51:58.172Z"),
            ("2023-01-01 10:00:00 UTC", "2023-01-01T10:00:00Z"),
            ("2023-01-01 10:00:00 +0200", "2023-01-01T08:00:00Z"),
            ("2023-01-01 10:00:00.5 -0130", "2023-01-01T11:30:00.5Z"),
            ("2013-09-30T13: 46: 02Z", "2013-09-30T13:46:02Z"),
        ] {
            let expected: Timestamp = expected.parse().expect("a valid time");
            assert_eq!(parse_moment(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_counts_as_absent() {
        for text in ["", "UTC", "yesterday", "2023-13-01T00:00:00Z", "2023-01-01", "é T", "  "] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }
}
