//! The schema of the simulator against that of a real instance.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use serde_json::Value;

use super::data;
use crate::client::serve;

const SERVED: &str = include_str!("../../../src/graphql/schema.graphql");

fn read(text: &str) -> BTreeMap<String, TypeDefinition> {
    let document = parse_schema(text).unwrap();
    document
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(row) => Some((row.node.name.node.to_string(), row.node)),
            _ => None,
        })
        .collect()
}

/// Renders everything that must be equal, one line for each thing, without what stands around it.
fn lines(definition: &TypeDefinition) -> Vec<String> {
    let name = &definition.name.node;
    let input = |row: &InputValueDefinition| {
        let mut text = format!("{}: {}", row.name.node, row.ty.node);
        if let Some(default) = &row.default_value {
            write!(text, " = {}", default.node).unwrap();
        }
        text
    };
    let fields = |kind: &str, rows: Vec<&FieldDefinition>| {
        let mut lines = vec![format!("{kind} {name}")];
        for row in rows {
            let field = &row.name.node;
            lines.push(format!("{name}.{field}: {}", row.ty.node));
            let arguments = row.arguments.iter();
            lines.extend(arguments.map(|row| format!("{name}.{field}({})", input(&row.node))));
            // A client may leave out only what GitLab lets it leave out.
        }
        lines
    };
    match &definition.kind {
        TypeKind::Scalar => vec![format!("scalar {name}")],
        TypeKind::Object(row) => {
            let mut lines = fields("type", row.fields.iter().map(|row| &row.node).collect());
            lines.extend(row.implements.iter().map(|row| format!("{name} is {}", row.node)));
            lines
        }
        TypeKind::Interface(row) => {
            fields("interface", row.fields.iter().map(|row| &row.node).collect())
        }
        TypeKind::Union(row) => {
            row.members.iter().map(|row| format!("{name} = {}", row.node)).collect()
        }
        TypeKind::Enum(row) => {
            row.values.iter().map(|row| format!("{name} has {}", row.node.value.node)).collect()
        }
        TypeKind::InputObject(row) => {
            row.fields.iter().map(|row| format!("{name} takes {}", input(&row.node))).collect()
        }
    }
}

#[test]
fn every_name_argument_and_type_is_gitlabs() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/gitlab/graphql/ce_18_schema.graphql");
    let Ok(real) = std::fs::read_to_string(path) else {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    };
    let (served, real) = (read(SERVED), read(&real));
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (name, definition) in &served {
        let known = real.get(name).map(lines).unwrap_or_default();
        for line in lines(definition) {
            checked += 1;
            if !known.contains(&line) {
                wrong.push(line);
            }
        }
        // What GitLab insists on must be insisted on here, or a query that works here fails there.
        if let (TypeKind::Object(here), Some(TypeKind::Object(there))) =
            (&definition.kind, real.get(name).map(|row| &row.kind))
        {
            for field in &here.fields {
                let field = &field.node;
                let twin = there.fields.iter().find(|row| row.node.name.node == field.name.node);
                for argument in twin.iter().flat_map(|row| &row.node.arguments) {
                    let argument = &argument.node;
                    let required = !argument.ty.node.nullable && argument.default_value.is_none();
                    let has =
                        field.arguments.iter().any(|row| row.node.name.node == argument.name.node);
                    if required && !has {
                        wrong.push(format!("{name}.{} lacks {}", field.name.node, argument.name));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(checked > 1500, "{checked}");
}

/// The engine's own account of the schema holds every type and field of the file, so that comparing
/// the file is comparing the schema.
#[tokio::test]
async fn introspection_tells_of_every_type_and_field() {
    let gitlab = serve(gitlab_sim::World::new()).await;
    let query = "{__schema{types{name fields(includeDeprecated:true){name args{name}} \
                 inputFields{name} enumValues(includeDeprecated:true){name}}}}";
    let told = data(&gitlab, query).await;
    let types: BTreeMap<&str, &Value> = told["__schema"]["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row))
        .collect();
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    for (name, definition) in read(SERVED) {
        let row = types.get(name.as_str()).unwrap_or_else(|| panic!("{name}"));
        match definition.kind {
            TypeKind::Object(object) => {
                assert_eq!(count(&row["fields"]), object.fields.len(), "{name}");
                for field in object.fields {
                    let wanted = field.node.name.node.as_str();
                    let rows = row["fields"].as_array().unwrap();
                    let found = rows.iter().find(|row| row["name"] == wanted).unwrap();
                    assert_eq!(
                        count(&found["args"]),
                        field.node.arguments.len(),
                        "{name}.{wanted}"
                    );
                }
            }
            TypeKind::Enum(row_) => {
                assert_eq!(count(&row["enumValues"]), row_.values.len(), "{name}");
            }
            TypeKind::InputObject(object) => {
                assert_eq!(count(&row["inputFields"]), object.fields.len(), "{name}");
            }
            TypeKind::Scalar | TypeKind::Interface(_) | TypeKind::Union(_) => {}
        }
    }
    gitlab.stop().await;
}
