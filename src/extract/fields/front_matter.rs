//! Front matter: a YAML mapping between two lines of `---` at the very start of a text.
//!
//! Only what fields need is read: scalars, `[a, b]` lists and block lists under a name at the
//! left border. Anything deeper is passed over; this is no YAML reader.

use std::ops::Range;

/// An entry of the mapping: its name, and its values with their places.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) values: Vec<(&'a str, Range<usize>)>,
}

/// Reads the front matter of a text. Returns its entries and where the rest begins.
pub(super) fn read(text: &str) -> (Vec<Entry<'_>>, usize) {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        let trimmed = line.trim_end();
        if index == 0 {
            if trimmed != "---" {
                return (Vec::new(), 0);
            }
            continue;
        }
        if trimmed == "---" || trimmed == "..." {
            return (entries, at);
        }
        let item =
            trimmed.trim_start().strip_prefix('-').filter(|rest| rest.starts_with([' ', '\t']));
        if let (Some(item), Some(entry)) = (item, entries.last_mut()) {
            entry.values.extend(scalar(text, item, start + trimmed.len() - item.len()));
        } else if let Some((name, value)) = trimmed.split_once(':')
            && !name.is_empty()
            && !name.starts_with([' ', '\t', '#', '-'])
        {
            let mut values = Vec::new();
            let from = start + name.len() + 1;
            let list = value.trim().strip_prefix('[').and_then(|list| list.strip_suffix(']'));
            if let Some(list) = list {
                let mut from = from + value.find('[').map_or(0, |open| open + 1);
                for part in list.split(',') {
                    values.extend(scalar(text, part, from));
                    from += part.len() + 1;
                }
            } else {
                values.extend(scalar(text, value, from));
            }
            entries.push(Entry { name: name.trim_matches(['"', '\'']), values });
        }
    }
    // Never closed: a thematic break and a text, not front matter.
    (Vec::new(), 0)
}

/// Returns a scalar without quotes and comment.
fn scalar<'a>(text: &'a str, raw: &str, at: usize) -> Option<(&'a str, Range<usize>)> {
    let start = at + raw.len() - raw.trim_start().len();
    let value = text.get(start..at + raw.len())?.trim_end();
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let end = quoted.find(quote)?;
            let range = start + 1..start + 1 + end;
            return Some((&quoted[..end], range)).filter(|(value, _)| !value.is_empty());
        }
    }
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    let is_value =
        !value.is_empty() && !value.starts_with('#') && !["~", "null", "|", ">"].contains(&value);
    is_value.then(|| (value, start..start + value.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(&str, Vec<&str>)> {
        let (entries, _) = read(text);
        for (value, range) in entries.iter().flat_map(|entry| &entry.values) {
            assert_eq!(&text[range.clone()], *value);
        }
        let entries = entries.into_iter();
        entries.map(|e| (e.name, e.values.into_iter().map(|(value, _)| value).collect())).collect()
    }

    #[test]
    fn scalars_and_lists_are_read() {
        let text = "---\nservice: webshop # main\nteam: \"web, shop\"\nenv: [ prod, 'qa' ]\n\
                    services:\n  - a\n- b\nempty:\nnil: ~\nnested:\n  service: no\n---\nrest";
        let expected = vec![
            ("service", vec!["webshop"]),
            ("team", vec!["web, shop"]),
            ("env", vec!["prod", "qa"]),
            ("services", vec!["a", "b"]),
            ("empty", vec![]),
            ("nil", vec![]),
            ("nested", vec![]),
        ];
        assert_eq!(values(text), expected);
        assert!(text[read(text).1..].starts_with("rest"));
    }

    #[test]
    fn only_the_very_start_and_a_closed_block_count() {
        for text in ["\n---\na: b\n---\n", "---\na: b\n", "text\n---\na: b\n---", "----\na: b\n---"]
        {
            assert_eq!(read(text), (Vec::new(), 0), "{text:?}");
        }
    }
}
