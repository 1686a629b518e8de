//! Rules of GraphQL that the engine (async-graphql 7.2) does not enforce.
//!
//! It takes a text for the name of an enum value, a nullable variable where a value is required,
//! null for a variable that may not be null, and numbers that no `Int` holds. GitLab refuses all of
//! these, so a client that got away with them here would fail there. The module refuses to repeat
//! what the engine checks, and tolerates what that finds wrong.
//!
//! Values of a document are looked at with their variables replaced by [`Value::Binary`], which no
//! document can hold: the engine keeps its own type for them to itself.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
    Type, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, ServerError, Value, Variables};
use bytes::Bytes;

use super::schema::{self, Slot, shape};

/// How many fields are looked at. Dearer documents are refused for their cost.
const PATIENCE: u32 = 20_000;

/// Returns what is wrong with an operation and its variables, in the order of the document.
pub(super) fn complaints(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Vec<ServerError> {
    let declared = &operation.variable_definitions;
    let mut check = Check {
        document,
        declared: declared.iter().map(|row| (row.node.name.node.clone(), &row.node)).collect(),
        patience: PATIENCE,
        found: Vec::new(),
    };
    check.selection("Query", &operation.selection_set.node);
    // A query that is wrong in itself is not told what is wrong with its variables.
    if check.found.is_empty() {
        check.found.extend(declared.iter().filter_map(|row| given(row, variables)));
    }
    check.found
}

/// Finds a fragment that holds itself, however far below.
pub(super) fn circle(document: &ExecutableDocument) -> Option<&Name> {
    let mut rows: Vec<&Name> = document.fragments.keys().collect();
    rows.sort_unstable();
    rows.into_iter().find(|start| {
        let mut seen: BTreeSet<&Name> = BTreeSet::new();
        let mut left: Vec<&Name> = vec![start];
        while let Some(row) = left.pop().and_then(|name| document.fragments.get(name)) {
            let mut sets = vec![&row.node.selection_set.node];
            while let Some(set) = sets.pop() {
                for item in &set.items {
                    match &item.node {
                        Selection::Field(field) => sets.push(&field.node.selection_set.node),
                        Selection::InlineFragment(row) => sets.push(&row.node.selection_set.node),
                        Selection::FragmentSpread(row) => {
                            let name = &row.node.fragment_name.node;
                            if seen.insert(name) && document.fragments.contains_key(name) {
                                left.push(name);
                            }
                        }
                    }
                }
            }
        }
        seen.contains(*start)
    })
}

/// Complains of a variable whose value is missing or does not fit its type.
fn given(row: &Positioned<VariableDefinition>, variables: &Variables) -> Option<ServerError> {
    let VariableDefinition { name, var_type, default_value, .. } = &row.node;
    let expected = &var_type.node;
    let fits = match variables.get(&name.node) {
        None => expected.nullable || default_value.is_some(),
        Some(value) => fits(value, expected, Source::Variable),
    };
    let message =
        || format!("Variable ${} of type {expected} was provided invalid value", name.node);
    (!fits).then(|| ServerError::new(message(), Some(row.pos)))
}

/// Where a value stands. Enum values have quotes in JSON, and none in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Document,
    Variable,
}

/// Tells whether a value fits a type, as far as the engine does not look. Variables fit here.
fn fits(value: &Value, expected: &Type, source: Source) -> bool {
    let strict = source == Source::Variable;
    match (value, &expected.base) {
        (Value::Binary(_), _) => true,
        (Value::Null, _) => expected.nullable,
        (Value::List(values), BaseType::List(inner)) => {
            values.iter().all(|value| fits(value, inner, source))
        }
        // One value stands for a list of one.
        (value, BaseType::List(inner)) => fits(value, inner, source),
        (value, BaseType::Named(name)) => match (name.as_str(), value) {
            ("Int", Value::Number(number)) => {
                number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
            }
            ("String" | "ID" | "Boolean" | "Int" | "Float", Value::List(_) | Value::Object(_))
            | ("Int" | "Float" | "Boolean", Value::String(_))
            | ("String" | "ID" | "Int" | "Float", Value::Boolean(_))
            | ("String" | "Boolean", Value::Number(_)) => false,
            (name, Value::String(text)) => match schema::enum_values(name) {
                Some(values) => strict && values.contains(text),
                None => schema::input_fields(name).is_none(),
            },
            (name, Value::Object(values)) => match schema::input_fields(name) {
                Some(fields) => fits_object(values.iter(), fields, source),
                None => false,
            },
            (name, _) if strict => {
                schema::enum_values(name).is_none() && schema::input_fields(name).is_none()
            }
            _ => true,
        },
    }
}

fn fits_object<'v>(
    values: impl Iterator<Item = (&'v Name, &'v Value)>,
    fields: &BTreeMap<String, Slot>,
    source: Source,
) -> bool {
    values.into_iter().all(|(name, value)| match fields.get(name.as_str()) {
        Some(slot) => fits(value, &slot.kind, source),
        None => source == Source::Document,
    })
}

/// Tells whether a variable of one type may stand where another is expected.
fn may_stand(variable: &Type, expected: &Type) -> bool {
    let inner = match (&variable.base, &expected.base) {
        (BaseType::List(variable), BaseType::List(expected)) => may_stand(variable, expected),
        (BaseType::Named(variable), BaseType::Named(expected)) => variable == expected,
        (BaseType::List(_), BaseType::Named(_)) | (BaseType::Named(_), BaseType::List(_)) => false,
    };
    inner && (expected.nullable || !variable.nullable)
}

struct Check<'d> {
    document: &'d ExecutableDocument,
    declared: BTreeMap<Name, &'d VariableDefinition>,
    patience: u32,
    found: Vec<ServerError>,
}

impl<'d> Check<'d> {
    fn selection(&mut self, parent: &str, set: &'d SelectionSet) {
        for item in &set.items {
            let Some(left) = self.patience.checked_sub(1) else {
                return;
            };
            self.patience = left;
            self.directives(item.node.directives());
            match &item.node {
                Selection::Field(field) => self.field(parent, &field.node),
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref();
                    let on = on.map_or(parent, |on| on.node.on.node.as_str());
                    self.selection(on, &inline.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let document = self.document;
                    if let Some(row) = document.fragments.get(&spread.node.fragment_name.node) {
                        let on = row.node.type_condition.node.on.node.as_str();
                        self.selection(on, &row.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, parent: &str, field: &'d Field) {
        let name = field.name.node.as_str();
        let Some(shape) = shape(parent) else {
            return;
        };
        for (argument, value) in &field.arguments {
            let slots = shape.arguments.get(name);
            let Some(slot) = slots.and_then(|slots| slots.get(argument.node.as_str())) else {
                continue;
            };
            let Ok(value) =
                value.node.clone().into_const_with(|name| Ok::<_, Infallible>(marker(&name)));
            self.variables(&value, slot, argument.node.as_str(), argument.pos);
            if !fits(&value, &slot.kind, Source::Document) {
                let shown = match &value {
                    Value::String(text) => format!("{text:?}"),
                    value => value.to_string(),
                };
                let message = format!(
                    "Argument '{}' on Field '{name}' has an invalid value ({shown}). Expected type \
                     '{}'.",
                    argument.node, slot.kind
                );
                self.found.push(ServerError::new(message, Some(argument.pos)));
            }
        }
        if let Some(kind) = shape.fields.get(name) {
            self.selection(kind, &field.selection_set.node);
        }
    }

    fn directives(&mut self, rows: &'d [Positioned<Directive>]) {
        let Some(condition) = Type::new("Boolean!") else {
            return;
        };
        let slot = Slot { kind: condition, has_default: false };
        for (argument, value) in rows.iter().flat_map(|row| &row.node.arguments) {
            if argument.node == "if" {
                let Ok(value) =
                    value.node.clone().into_const_with(|name| Ok::<_, Infallible>(marker(&name)));
                self.variables(&value, &slot, "if", argument.pos);
            }
        }
    }

    /// Complains of variables that may not stand where they do.
    fn variables(&mut self, value: &Value, slot: &Slot, argument: &str, pos: Pos) {
        match (value, &slot.kind.base) {
            (Value::Binary(name), _) => {
                let name = Name::new(String::from_utf8_lossy(name));
                let Some(row) = self.declared.get(&name) else {
                    return;
                };
                let written = &row.var_type.node;
                let mut kind = written.clone();
                let default = row.default_value.as_ref();
                if slot.has_default || default.is_some_and(|value| value.node != Value::Null) {
                    kind.nullable = false;
                }
                if !may_stand(&kind, &slot.kind) {
                    let what = mismatch(&kind, &slot.kind);
                    let message = format!(
                        "{what} mismatch on variable ${name} and argument {argument} ({written} / \
                         {})",
                        slot.kind
                    );
                    self.found.push(ServerError::new(message, Some(pos)));
                }
            }
            (Value::List(values), BaseType::List(inner)) => {
                let slot = Slot { kind: (**inner).clone(), has_default: false };
                for value in values {
                    self.variables(value, &slot, argument, pos);
                }
            }
            (Value::Object(values), BaseType::Named(name)) => {
                let fields = schema::input_fields(name.as_str());
                for (name, value) in values {
                    if let Some(slot) = fields.and_then(|fields| fields.get(name.as_str())) {
                        self.variables(value, slot, name.as_str(), pos);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns what stands for a variable.
fn marker(name: &Name) -> Value {
    Value::Binary(Bytes::from(name.to_string()))
}

/// Says in which way a variable does not fit.
fn mismatch(variable: &Type, expected: &Type) -> &'static str {
    match (&variable.base, &expected.base) {
        (BaseType::Named(variable), BaseType::Named(expected)) if variable != expected => "Type",
        (BaseType::List(variable), BaseType::List(expected)) if !may_stand(variable, expected) => {
            mismatch(variable, expected)
        }
        (BaseType::Named(_), BaseType::Named(_)) | (BaseType::List(_), BaseType::List(_)) => {
            "Nullability"
        }
        (BaseType::List(_), BaseType::Named(_)) | (BaseType::Named(_), BaseType::List(_)) => {
            "List dimension"
        }
    }
}
