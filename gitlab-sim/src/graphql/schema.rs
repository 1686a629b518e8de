//! Builds the engine's schema from `schema.graphql`.
//!
//! The file is the single place that names types, fields and arguments; every field is resolved by
//! [`super::node`], which is given its name. The file refuses descriptions: they are GitLab's, and
//! no client depends on them. It leaves out interfaces whose fields are stricter in the objects that
//! implement them: the engine (async-graphql 7.2) takes the rule of covariance the wrong way round.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use async_graphql::dynamic::{
    Enum, EnumItem, Field, FieldFuture, InputObject, InputValue, Interface, InterfaceField, Object,
    Scalar, Schema, SchemaError, Type, TypeRef, Union,
};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type as Written, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{Positioned, ServerError, ValidationResult, Value};

use super::node::{self, Asking, Node};

/// The names, arguments and types of everything that is served.
pub(super) const SDL: &str = include_str!("schema.graphql");

/// What the visitor of costs has to know of a type.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Types of the fields, without list and non-null marks.
    pub(super) fields: HashMap<String, String>,
    /// What the fields take, by field and argument.
    pub(super) arguments: HashMap<String, BTreeMap<String, Slot>>,
    /// Object types that an interface or union stands for. Empty for other types.
    pub(super) possible: Vec<String>,
}

/// A place for a value: an argument, or a field of an input object.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) kind: Written,
    pub(super) has_default: bool,
}

impl Slot {
    fn named(row: &Positioned<InputValueDefinition>) -> (String, Self) {
        let InputValueDefinition { name, ty, default_value, .. } = &row.node;
        let has_default = default_value.as_ref().is_some_and(|value| value.node != Value::Null);
        (name.node.to_string(), Self { kind: ty.node.clone(), has_default })
    }
}

/// What values are made of: fields of input objects, and values of enums.
#[derive(Debug, Default)]
struct Inputs {
    objects: HashMap<String, BTreeMap<String, Slot>>,
    enums: HashMap<String, BTreeSet<String>>,
}

static EVERYTHING: LazyLock<Schema> = LazyLock::new(|| finished(false));
static CURRENT: LazyLock<Schema> = LazyLock::new(|| finished(true));
static SHAPES: LazyLock<HashMap<String, Shape>> = LazyLock::new(read_shapes);
static INPUTS: LazyLock<Inputs> = LazyLock::new(read_inputs);

/// Returns the schema, with or without what is deprecated.
pub(super) fn schema(without_deprecated: bool) -> &'static Schema {
    if without_deprecated { &CURRENT } else { &EVERYTHING }
}

/// Finds the shape of an object, interface or union.
pub(super) fn shape(name: &str) -> Option<&'static Shape> {
    SHAPES.get(name)
}

/// Finds the fields of an input object.
pub(super) fn input_fields(name: &str) -> Option<&'static BTreeMap<String, Slot>> {
    INPUTS.objects.get(name)
}

/// Finds the values of an enum.
pub(super) fn enum_values(name: &str) -> Option<&'static BTreeSet<String>> {
    INPUTS.enums.get(name)
}

fn definitions() -> Vec<TypeDefinition> {
    let document = parse_schema(SDL).expect("the file is checked by a test");
    document
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        })
        .collect()
}

fn read_shapes() -> HashMap<String, Shape> {
    let mut shapes: HashMap<String, Shape> = HashMap::new();
    for definition in definitions() {
        let name = definition.name.node.to_string();
        let (fields, interfaces) = match definition.kind {
            TypeKind::Object(object) => (object.fields, object.implements),
            TypeKind::Interface(interface) => (interface.fields, Vec::new()),
            TypeKind::Union(union) => {
                let members = union.members.iter().map(|member| member.node.to_string());
                shapes.entry(name).or_default().possible = members.collect();
                continue;
            }
            TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => continue,
        };
        for interface in interfaces {
            shapes.entry(interface.node.to_string()).or_default().possible.push(name.clone());
        }
        let shape = shapes.entry(name).or_default();
        for field in &fields {
            let FieldDefinition { name, ty, arguments, .. } = &field.node;
            let name = name.node.to_string();
            shape.arguments.insert(name.clone(), arguments.iter().map(Slot::named).collect());
            shape.fields.insert(name, base(&ty.node).to_owned());
        }
    }
    shapes
}

fn read_inputs() -> Inputs {
    let mut inputs = Inputs::default();
    for definition in definitions() {
        let name = definition.name.node.to_string();
        match definition.kind {
            TypeKind::InputObject(row) => {
                inputs.objects.insert(name, row.fields.iter().map(Slot::named).collect());
            }
            TypeKind::Enum(row) => {
                let values = row.values.iter().map(|value| value.node.value.node.to_string());
                inputs.enums.insert(name, values.collect());
            }
            TypeKind::Scalar
            | TypeKind::Object(_)
            | TypeKind::Interface(_)
            | TypeKind::Union(_) => {}
        }
    }
    inputs
}

fn finished(without_deprecated: bool) -> Schema {
    build(without_deprecated).expect("the file is checked by a test")
}

fn build(without_deprecated: bool) -> Result<Schema, SchemaError> {
    let definitions = definitions();
    let named = |name: &str| {
        definitions.iter().find(|definition| definition.name.node == *name).map(|found| &found.kind)
    };
    let mut builder = Schema::build("Query", None, None)
        .disable_suggestions()
        .limit_recursive_depth(RECURSION)
        .extension(Guard);
    for definition in &definitions {
        let name = definition.name.node.as_str();
        let kept = |field: &&Positioned<FieldDefinition>| {
            !(without_deprecated && is_deprecated(&field.node.directives))
        };
        let built: Type = match &definition.kind {
            TypeKind::Scalar => Scalar::new(name).into(),
            TypeKind::Enum(row) => {
                let items = row
                    .values
                    .iter()
                    .filter(|value| !(without_deprecated && is_deprecated(&value.node.directives)))
                    .map(|value| {
                        let item = EnumItem::new(value.node.value.node.as_str());
                        if is_deprecated(&value.node.directives) {
                            item.deprecation(Some(DEPRECATED))
                        } else {
                            item
                        }
                    });
                Enum::new(name).items(items).into()
            }
            TypeKind::InputObject(row) => row
                .fields
                .iter()
                .fold(InputObject::new(name), |object, field| object.field(input(&field.node)))
                .into(),
            TypeKind::Union(row) => row
                .members
                .iter()
                .fold(Union::new(name), |union, member| union.possible_type(member.node.as_str()))
                .into(),
            TypeKind::Interface(row) => {
                let start = row
                    .implements
                    .iter()
                    .fold(Interface::new(name), |row, parent| row.implement(parent.node.as_str()));
                row.fields
                    .iter()
                    .filter(kept)
                    .fold(start, |interface, field| {
                        let field = &field.node;
                        let built = InterfaceField::new(
                            field.name.node.as_str(),
                            reference(&field.ty.node),
                        );
                        interface.field(
                            field
                                .arguments
                                .iter()
                                .fold(built, |built, row| built.argument(input(&row.node))),
                        )
                    })
                    .into()
            }
            TypeKind::Object(row) => {
                let start = row
                    .implements
                    .iter()
                    .fold(Object::new(name), |row, parent| row.implement(parent.node.as_str()));
                row.fields
                    .iter()
                    .filter(kept)
                    .fold(start, |object, field| {
                        let kind = named(base(&field.node.ty.node));
                        let open =
                            matches!(kind, Some(TypeKind::Interface(_) | TypeKind::Union(_)));
                        object.field(output(name, &field.node, open))
                    })
                    .into()
            }
        };
        builder = builder.register(built);
    }
    builder.finish()
}

/// The mark of a field that may not be null and failed: its error is already noted.
pub(super) const NO_VALUE: &str = "no value";

/// Why something is deprecated. The language says this where a schema says nothing; a client takes
/// what has no reason for current.
const DEPRECATED: &str = "No longer supported";

/// How deep a document may nest before it is not even read.
const RECURSION: usize = 64;

/// Builds a field. `open` says that its type stands for several, so that values name theirs.
fn output(parent: &str, field: &FieldDefinition, open: bool) -> Field {
    let required = !field.ty.node.nullable;
    let (owner, name): (Arc<str>, Arc<str>) = (parent.into(), field.name.node.as_str().into());
    let built = Field::new(field.name.node.as_str(), reference(&field.ty.node), move |context| {
        let (owner, name) = (Arc::clone(&owner), Arc::clone(&name));
        FieldFuture::new(async move {
            node::resolve(&context, &owner, &name, open).or_else(|error| {
                // The engine would forget where a field failed, and leave the field out.
                let error = error.into_server_error(context.item.pos);
                context.add_error(context.set_error_path(error));
                if required { Err(NO_VALUE.into()) } else { Ok(None) }
            })
        })
    });
    let built =
        if is_deprecated(&field.directives) { built.deprecation(Some(DEPRECATED)) } else { built };
    field.arguments.iter().fold(built, |built, row| built.argument(input(&row.node)))
}

fn input(row: &InputValueDefinition) -> InputValue {
    let built = InputValue::new(row.name.node.as_str(), reference(&row.ty.node));
    match &row.default_value {
        Some(value) => built.default_value(value.node.clone()),
        None => built,
    }
}

fn reference(written: &Written) -> TypeRef {
    let inner = match &written.base {
        BaseType::Named(name) => TypeRef::named(name.as_str()),
        BaseType::List(inner) => TypeRef::List(Box::new(reference(inner))),
    };
    if written.nullable { inner } else { TypeRef::NonNull(Box::new(inner)) }
}

/// Returns the name of a type without lists and marks.
fn base(written: &Written) -> &str {
    match &written.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => base(inner),
    }
}

fn is_deprecated(directives: &[Positioned<async_graphql::parser::types::ConstDirective>]) -> bool {
    directives.iter().any(|directive| directive.node.name.node == "deprecated")
}

/// Refuses a query that is valid but too dear, after it was found valid.
struct Guard;

impl ExtensionFactory for Guard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Guard {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(context).await;
        let Some(asking) = context.data_opt::<Arc<Asking>>() else {
            return result;
        };
        // Of a value that is wrong the engine may complain, too, in words of its own.
        match result {
            Err(errors) if asking.complaints.is_empty() || !errors.iter().all(is_about_a_value) => {
                Err(errors)
            }
            _ if !asking.complaints.is_empty() => Err(asking.complaints.clone()),
            result if asking.refusals.is_empty() => result,
            _ => {
                let refusals = asking.refusals.iter();
                Err(refusals.map(|message| ServerError::new(message.clone(), None)).collect())
            }
        }
    }
}

/// Tells whether the engine complains of a value, not of the query around it.
fn is_about_a_value(error: &ServerError) -> bool {
    let message = &error.message;
    message.starts_with("Invalid value for argument")
        || (message.starts_with("Variable ") && message.ends_with(" is not defined."))
}

/// Returns the node that a field belongs to: the root has none.
pub(super) fn parent<'a>(context: &'a async_graphql::dynamic::ResolverContext<'_>) -> &'a Node {
    context.parent_value.downcast_ref::<Node>().unwrap_or(&Node::Root)
}
