//! Complexity and depth of a query, by GitLab's arithmetic.
//!
//! A plain field is 1, one that asks Gitaly 2. `sort` adds 1, `search` 5. A connection multiplies
//! what it holds by 1 and a hundredth for each row of the page that is asked for, rounded down;
//! without `first` or `last` that is a page of 100, and `iids` takes the factor away. Fields with
//! one response key count once. Of several fragments on an interface the dearest counts.
//!
//! The visitor tolerates what is not valid, because it runs before validation; it gives up on
//! documents that grow without end, which then count as too complex.

use std::collections::BTreeMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};

use super::BlobRegime;
use super::page::PAGE_MAXIMUM;
use super::schema::shape;

/// What a query costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) complexity: u64,
    pub(super) depth: u64,
}

/// The cost of a document that grows without end.
const ENDLESS: Cost = Cost { complexity: u64::MAX, depth: u64::MAX };

/// How many fields are looked at before a document counts as endless.
const PATIENCE: u32 = 200_000;

/// How deep the visitor goes.
const DEPTH: u64 = 64;

/// Fields that ask Gitaly.
const GITALY: [(&str, &str); 26] = [
    ("Project", "languages"),
    ("Repository", "blobs"),
    ("Repository", "branchNames"),
    ("Repository", "commit"),
    ("Repository", "empty"),
    ("Repository", "exists"),
    ("Repository", "lastCommit"),
    ("Repository", "paginatedTree"),
    ("Repository", "rootRef"),
    ("Repository", "tree"),
    ("RepositoryBlob", "base64EncodedBlob"),
    ("RepositoryBlob", "language"),
    ("RepositoryBlob", "plainData"),
    ("RepositoryBlob", "rawBlob"),
    ("RepositoryBlob", "rawTextBlob"),
    ("Tree", "blobs"),
    ("Tree", "lastCommit"),
    ("Tree", "trees"),
    ("MergeRequest", "divergedFromTargetBranch"),
    ("MergeRequest", "mergeable"),
    ("MergeRequest", "shouldBeRebased"),
    ("MergeRequest", "sourceBranchExists"),
    ("MergeRequest", "sourceBranchProtected"),
    ("MergeRequest", "targetBranchExists"),
    ("Pipeline", "commit"),
    ("Release", "commit"),
];

/// Fields that hold the content of a file.
pub(super) const CONTENT: [&str; 4] = ["rawBlob", "rawTextBlob", "plainData", "base64EncodedBlob"];

/// What `branchNames` costs, whatever it is asked for.
const BRANCH_NAMES: u64 = 170;

/// What listing the projects of a namespace costs beyond its rows.
const NAMESPACE_PROJECTS: u64 = 10;

/// Computes the cost of the operation that will be executed, if there is one.
pub(super) fn cost(
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
    regime: BlobRegime,
) -> Option<Cost> {
    let operation = chosen(document, operation)?;
    let mut visitor = Visitor { document, operation, variables, regime, patience: PATIENCE };
    let sets = [&operation.selection_set.node];
    let cost = visitor.sum("Query", &sets, 1);
    Some(if visitor.patience == 0 { ENDLESS } else { cost })
}

/// Finds the operation that will be executed.
pub(super) fn chosen<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Option<&'d OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name).map(|row| &row.node),
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => {
            all.values().next().map(|row| &row.node)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

struct Visitor<'d> {
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    variables: &'d Variables,
    regime: BlobRegime,
    patience: u32,
}

/// The fields that share a response key: the first of them, and all that is asked of them.
type Merged<'d> = BTreeMap<&'d str, (&'d Field, Vec<&'d SelectionSet>)>;

impl<'d> Visitor<'d> {
    /// Sums what is selected of a type: the dearest of the types that it stands for.
    fn sum(&mut self, parent: &str, sets: &[&'d SelectionSet], depth: u64) -> Cost {
        if depth > DEPTH {
            self.patience = 0;
            return ENDLESS;
        }
        let possible = shape(parent).map(|shape| shape.possible.as_slice()).unwrap_or_default();
        if possible.is_empty() {
            return self.of_object(parent, sets, depth);
        }
        possible.iter().fold(Cost { complexity: 0, depth: 0 }, |most, object| {
            let cost = self.of_object(object, sets, depth);
            Cost {
                complexity: most.complexity.max(cost.complexity),
                depth: most.depth.max(cost.depth),
            }
        })
    }

    fn of_object(&mut self, object: &str, sets: &[&'d SelectionSet], depth: u64) -> Cost {
        let mut merged = Merged::new();
        for set in sets {
            self.collect(object, set, &mut merged, 0);
        }
        let mut total = Cost { complexity: 0, depth: 0 };
        for (field, sets) in merged.into_values() {
            let cost = self.of_field(object, field, &sets, depth);
            total.complexity = total.complexity.saturating_add(cost.complexity);
            total.depth = total.depth.max(cost.depth);
        }
        total
    }

    fn collect(
        &mut self,
        object: &str,
        set: &'d SelectionSet,
        merged: &mut Merged<'d>,
        nesting: u64,
    ) {
        for item in &set.items {
            if self.patience == 0 || nesting > DEPTH {
                self.patience = 0;
                return;
            }
            self.patience -= 1;
            if self.skipped(item.node.directives()) {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let entry = merged
                        .entry(field.response_key().node.as_str())
                        .or_insert_with(|| (field, Vec::new()));
                    entry.1.push(&field.selection_set.node);
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map(|on| &on.node.on.node);
                    if on.is_none_or(|on| covers(on, object)) {
                        self.collect(object, &inline.node.selection_set.node, merged, nesting + 1);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let document = self.document;
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node)
                        && covers(&fragment.node.type_condition.node.on.node, object)
                    {
                        let set = &fragment.node.selection_set.node;
                        self.collect(object, set, merged, nesting + 1);
                    }
                }
            }
        }
    }

    fn of_field(
        &mut self,
        object: &str,
        field: &'d Field,
        sets: &[&'d SelectionSet],
        depth: u64,
    ) -> Cost {
        let name = field.name.node.as_str();
        // What a client asks of the schema itself is not charged.
        if name == "__schema" || name == "__type" {
            return Cost { complexity: 0, depth };
        }
        let kind = shape(object).and_then(|shape| shape.fields.get(name)).map(String::as_str);
        let below = match kind {
            Some(kind) if shape(kind).is_some() => self.sum(kind, sets, depth + 1),
            _ => Cost { complexity: 0, depth: 0 },
        };
        let complexity = self.complexity(object, field, kind, sets, below.complexity);
        Cost { complexity, depth: below.depth.max(depth) }
    }

    fn complexity(
        &self,
        object: &str,
        field: &Field,
        kind: Option<&str>,
        sets: &[&SelectionSet],
        below: u64,
    ) -> u64 {
        let name = field.name.node.as_str();
        if (object, name) == ("Repository", "branchNames") {
            return BRANCH_NAMES;
        }
        let mut sum = below.saturating_add(1);
        let mut add = |applies: bool, points: u64| {
            if applies {
                sum = sum.saturating_add(points);
            }
        };
        let given = |name: &str| self.argument(field, name).is_some();
        add(given("sort"), 1);
        add(given("search"), 5);
        add(GITALY.contains(&(object, name)), 1);
        add(matches!((object, name), ("Group" | "Namespace", "projects")), NAMESPACE_PROJECTS);
        let paths = match self.argument(field, "paths") {
            Some(Value::List(paths)) if object == "Repository" => paths.len() as u64,
            _ => 0,
        };
        add(true, paths);
        let is_connection = kind.is_some_and(|kind| kind.ends_with("Connection"));
        if is_connection && !given("iids") {
            let rows = ["first", "last"]
                .into_iter()
                .filter_map(|name| self.number(field, name))
                .fold(PAGE_MAXIMUM, u64::min);
            sum = sum.saturating_add(sum.saturating_mul(rows) / 100);
        }
        if (object, name) == ("Repository", "blobs") && self.holds_content(sets) {
            sum = sum.saturating_add(surcharge(self.regime, paths));
        }
        sum
    }

    fn holds_content(&self, sets: &[&SelectionSet]) -> bool {
        holds(self.document, sets, &CONTENT, 0)
    }

    /// Returns an argument, with variables filled in, unless it is null or absent.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let value = field.get_argument(name)?.node.clone();
        value.into_const_with(|name| self.variable(&name).ok_or(())).ok().filter(not_null)
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        let given = self.variables.get(name).cloned();
        let default = || {
            let row = self.operation.variable_definitions.iter();
            row.clone().find(|row| row.node.name.node == *name)?.node.default_value().cloned()
        };
        given.or_else(default).filter(not_null)
    }

    fn number(&self, field: &Field, name: &str) -> Option<u64> {
        match self.argument(field, name)? {
            Value::Number(number) => Some(number.as_u64().unwrap_or(0)),
            _ => None,
        }
    }

    fn skipped(&self, directives: &[Positioned<async_graphql::parser::types::Directive>]) -> bool {
        directives.iter().any(|directive| {
            let condition = directive.node.get_argument("if").and_then(|value| {
                let known = |name: Name| self.variable(&name).ok_or(());
                value.node.clone().into_const_with(known).ok()
            });
            match directive.node.name.node.as_str() {
                "skip" => condition == Some(Value::Boolean(true)),
                "include" => condition == Some(Value::Boolean(false)),
                _ => false,
            }
        })
    }
}

fn not_null(value: &Value) -> bool {
    *value != Value::Null
}

/// What contents cost beyond the old price: see [`BlobRegime`]. The figures are those of the report
/// that made GitLab take the change back: 35 for one path, 346 for two, 11 for each further one.
fn surcharge(regime: BlobRegime, paths: u64) -> u64 {
    match (regime, paths) {
        (BlobRegime::Old | BlobRegime::New, _) | (BlobRegime::Costly, 0) => 0,
        (BlobRegime::Costly, 1) => 18,
        (BlobRegime::Costly, paths) => 327 + 9 * (paths - 2),
    }
}

/// Tells whether a fragment on some type applies to an object.
fn covers(condition: &str, object: &str) -> bool {
    condition == object
        || shape(condition)
            .is_some_and(|shape| shape.possible.iter().any(|possible| possible == object))
}

/// Tells whether a selection holds one of some fields at any depth.
fn holds(
    document: &ExecutableDocument,
    sets: &[&SelectionSet],
    wanted: &[&str],
    nesting: u64,
) -> bool {
    nesting <= 12
        && sets.iter().flat_map(|set| &set.items).any(|item| match &item.node {
            Selection::Field(field) => {
                wanted.contains(&field.node.name.node.as_str())
                    || holds(document, &[&field.node.selection_set.node], wanted, nesting + 1)
            }
            Selection::InlineFragment(inline) => {
                holds(document, &[&inline.node.selection_set.node], wanted, nesting + 1)
            }
            Selection::FragmentSpread(spread) => {
                document.fragments.get(&spread.node.fragment_name.node).is_some_and(|fragment| {
                    holds(document, &[&fragment.node.selection_set.node], wanted, nesting + 1)
                })
            }
        })
}

#[cfg(test)]
mod tests;
