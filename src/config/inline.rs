//! Lists and sections in the text of one environment variable.
//!
//! A variable may hold `shop, tools`, `["shop", "tools"]` or `{ env = "X" }`. It refuses to guess:
//! what does not parse as TOML is left to the caller as the text it is.

use ::config::{Value, ValueKind};

use super::file;

/// Parses a list or section that a variable holds in TOML's spelling.
pub(super) fn parse_inline(text: &str, origin: &str) -> Option<ValueKind> {
    if !text.trim_start().starts_with(['[', '{']) {
        return None;
    }
    let value = file::parse(&format!("value = {text}")).ok()?.remove("value")?;
    Some(with_origin(value, &origin.to_owned()).kind)
}

fn with_origin(value: Value, origin: &String) -> Value {
    let kind = match value.kind {
        ValueKind::Table(table) => ValueKind::Table(
            table.into_iter().map(|(key, value)| (key, with_origin(value, origin))).collect(),
        ),
        ValueKind::Array(entries) => {
            ValueKind::Array(entries.into_iter().map(|value| with_origin(value, origin)).collect())
        }
        other => other,
    };
    Value::new(Some(origin), kind)
}

/// Parses a list with commas between its entries; empty entries are dropped.
pub(super) fn split_commas(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
