//! The environment, captured once.
//!
//! [`Environment::capture`] is the only place that asks the process; everybody else is handed
//! this map, so that tests never touch the process. It refuses to show values: any variable may
//! be the one that a token is read from.

use std::collections::BTreeMap;
use std::fmt;

use ::config::{Map, Value, ValueKind};

use super::problem::{Place, Problems};

/// What the names of variables that set one key begin with: `XREFD__SERVER__LISTEN`.
const PREFIX: &str = "XREFD__";

/// The keys that hold lists of sections; a variable names an entry by its number.
const LISTS: [&str; 8] = [
    "api_keys",
    "gitlab",
    "rules.field",
    "rules.label",
    "rules.owner",
    "rules.path",
    "rules.reference",
    "rules.topic",
];

/// The variables of a process, by name.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the environment of this process. Text that is not Unicode is read with marks in the
    /// place of what cannot be, so that a wrong value is reported rather than overlooked.
    pub fn capture() -> Self {
        std::env::vars_os()
            .map(|(name, value)| {
                (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
            })
            .collect()
    }

    /// Returns the value of a variable. An empty one counts as not set, because container tools
    /// pass variables that nobody gave as empty.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// Puts the variables `XREFD__SECTION__KEY` over the values of the file.
    pub(super) fn overlay(&self, values: &mut Map<String, Value>, problems: &Problems) {
        let mut root = Value::new(None, ValueKind::Table(std::mem::take(values)));
        let mut settings: Vec<(Vec<Step>, &String, &String)> = self
            .0
            .iter()
            .filter_map(|(name, value)| {
                let path = name.strip_prefix(PREFIX)?;
                Some((path.split("__").map(Step::new).collect(), name, value))
            })
            .collect();
        // By number, not by letter: entry 10 comes after entry 2.
        settings.sort();
        for (steps, name, value) in settings {
            let value = Value::new(Some(name), value.as_str());
            if let Err(message) = set(&mut root, "", &steps, value) {
                let key: Vec<&str> = steps.iter().map(|step| step.word.as_str()).collect();
                problems.add(key.join("."), Place::Variable(name.clone()), message);
            }
        }
        if let ValueKind::Table(table) = root.kind {
            *values = table;
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// One part of a variable's name. The number comes first, so that sorting goes by it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    number: Option<usize>,
    word: String,
}

impl Step {
    fn new(part: &str) -> Self {
        let word = part.to_lowercase();
        Self { number: word.parse().ok(), word }
    }
}

/// Sets one value in the tree, making the sections and the list entry it stands in.
fn set(node: &mut Value, path: &str, steps: &[Step], value: Value) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *node = value;
        return Ok(());
    };
    if step.word.is_empty() {
        return Err("a part of the name is empty; write XREFD__SECTION__KEY".to_owned());
    }
    let listed = LISTS.contains(&path);
    let origin = value.origin().map(str::to_owned);
    if matches!(node.kind, ValueKind::Nil) {
        let kind = if listed { ValueKind::Array(Vec::new()) } else { ValueKind::Table(Map::new()) };
        *node = Value::new(origin.as_ref(), kind);
    }
    match &mut node.kind {
        ValueKind::Array(entries) if listed => {
            let upper = path.to_uppercase().replace('.', "__");
            let Some(number) = step.number else {
                return Err(format!(
                    "`{path}` is a list: name its entry by number, as in {PREFIX}{upper}__0__{}",
                    step.word.to_uppercase()
                ));
            };
            if number > entries.len() {
                return Err(format!(
                    "`{path}` has {} entries, counted from 0; a new one is {PREFIX}{upper}__{}__…",
                    entries.len(),
                    entries.len()
                ));
            }
            if number == entries.len() {
                entries.push(Value::new(origin.as_ref(), ValueKind::Nil));
            }
            set(&mut entries[number], &format!("{path}[]"), rest, value)
        }
        ValueKind::Table(table) if !listed => {
            let below =
                if path.is_empty() { step.word.clone() } else { format!("{path}.{}", step.word) };
            let entry =
                table.entry(step.word.clone()).or_insert_with(|| Value::new(None, ValueKind::Nil));
            set(entry, &below, rest, value)
        }
        _ => Err(format!("`{path}` holds a value, so nothing can stand below it")),
    }
}
