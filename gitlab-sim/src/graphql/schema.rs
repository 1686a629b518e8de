//! Builds the engine's schema from `schema.graphql`.
//!
//! The file is the single place that names types, fields and arguments; every field is resolved by
//! [`super::node`], which is given its name. The file refuses descriptions: they are GitLab's, and
//! no client depends on them. It leaves out interfaces whose fields are stricter in the objects that
//! implement them: the engine (async-graphql 7.2) takes the rule of covariance the wrong way round.

use std::collections::HashMap;
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
use async_graphql::{Positioned, ServerError, ValidationResult};

use super::node::{self, Asking, Node};

/// The names, arguments and types of everything that is served.
pub(super) const SDL: &str = include_str!("schema.graphql");

/// What the visitor of costs has to know of a type.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Types of the fields, without list and non-null marks.
    pub(super) fields: HashMap<String, String>,
    /// Object types that an interface or union stands for. Empty for other types.
    pub(super) possible: Vec<String>,
}

static EVERYTHING: LazyLock<Schema> = LazyLock::new(|| finished(false));
static CURRENT: LazyLock<Schema> = LazyLock::new(|| finished(true));
static SHAPES: LazyLock<HashMap<String, Shape>> = LazyLock::new(read_shapes);

/// Returns the schema, with or without what is deprecated.
pub(super) fn schema(without_deprecated: bool) -> &'static Schema {
    if without_deprecated { &CURRENT } else { &EVERYTHING }
}

/// Finds the shape of an object, interface or union.
pub(super) fn shape(name: &str) -> Option<&'static Shape> {
    SHAPES.get(name)
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
        let fields = fields
            .iter()
            .map(|field| (field.node.name.node.to_string(), base(&field.node.ty.node).to_owned()));
        shapes.entry(name).or_default().fields = fields.collect();
    }
    shapes
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
                            item.deprecation(None)
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
    let built = if is_deprecated(&field.directives) { built.deprecation(None) } else { built };
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
        let result = next.run(context).await?;
        let refusals = context.data_opt::<Arc<Asking>>().map(|asking| asking.refusals.as_slice());
        match refusals {
            Some([_, ..]) => Err(refusals
                .unwrap_or_default()
                .iter()
                .map(|message| ServerError::new(message.clone(), None))
                .collect()),
            Some([]) | None => Ok(result),
        }
    }
}

/// Returns the node that a field belongs to: the root has none.
pub(super) fn parent<'a>(context: &'a async_graphql::dynamic::ResolverContext<'_>) -> &'a Node {
    context.parent_value.downcast_ref::<Node>().unwrap_or(&Node::Root)
}
