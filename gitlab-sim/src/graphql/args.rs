//! Arguments of a field, with the defaults of the schema filled in.
//!
//! The engine has checked their types, but not what the texts mean: times, global ids and user
//! names are read here, and refused in GitLab's words.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Error, Name, Value};
use jiff::Timestamp;

use crate::rest::query::moment;

/// The arguments of a field, or the fields of an input object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Args<'a>(pub(super) &'a IndexMap<Name, Value>);

impl<'a> Args<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| **value != Value::Null)
    }

    /// Returns a text or the name of an enum value.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(text)
    }

    /// Returns a text unless it is empty.
    pub(super) fn filled(self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Returns a list of texts. A single text is a list of one.
    pub(super) fn texts(self, name: &str) -> Option<Vec<&'a str>> {
        match self.get(name)? {
            Value::List(values) => Some(values.iter().filter_map(text).collect()),
            value => text(value).map(|text| vec![text]),
        }
    }

    /// Returns a truth value.
    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Returns a number that counts rows. Less than nothing is nothing.
    pub(super) fn count(self, name: &str) -> Option<usize> {
        match self.get(name)? {
            Value::Number(number) => {
                Some(number.as_u64().map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX)))
            }
            _ => None,
        }
    }

    /// Returns an input object.
    pub(super) fn object(self, name: &str) -> Option<Args<'a>> {
        match self.get(name)? {
            Value::Object(object) => Some(Args(object)),
            _ => None,
        }
    }

    /// Returns a moment.
    pub(super) fn time(self, name: &str) -> Result<Option<Timestamp>, Error> {
        let wrong = |value: &dyn std::fmt::Display| {
            Err(Error::new(format!("{name}: {value} is not a time")))
        };
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => match moment(text) {
                Some(time) => Ok(Some(time)),
                None => wrong(text),
            },
            Some(other) => wrong(other),
        }
    }

    /// Returns the number of a global id such as `gid://gitlab/Project/12`.
    pub(super) fn id(self, name: &str, class: &str) -> Result<Option<u64>, Error> {
        self.text(name).map(|text| number(text, class)).transpose()
    }

    /// Returns the numbers of several global ids.
    pub(super) fn ids(self, name: &str, class: &str) -> Result<Option<Vec<u64>>, Error> {
        self.texts(name)
            .map(|texts| texts.into_iter().map(|text| number(text, class)).collect())
            .transpose()
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Enum(name) => Some(name.as_str()),
        _ => None,
    }
}

fn number(text: &str, class: &str) -> Result<u64, Error> {
    let (kind, number) = text
        .strip_prefix("gid://gitlab/")
        .and_then(|rest| rest.rsplit_once('/'))
        .ok_or_else(|| Error::new(format!("{text} is not a valid GitLab ID.")))?;
    if kind != class {
        return Err(Error::new(format!("{text} is not a valid ID for {class}.")));
    }
    number.parse().map_err(|_| Error::new(format!("{text} is not a valid GitLab ID.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_ids_name_their_class() {
        assert_eq!(number("gid://gitlab/Project/12", "Project").unwrap(), 12);
        assert_eq!(number("gid://gitlab/Ci::Pipeline/3", "Ci::Pipeline").unwrap(), 3);
        for wrong in ["12", "gid://gitlab/Project/x", "gid://gitlab/Group/12", ""] {
            assert!(number(wrong, "Project").is_err(), "{wrong}");
        }
    }
}
