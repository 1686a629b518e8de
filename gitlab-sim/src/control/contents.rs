//! Commands about what a project holds besides items: files, pipelines, tags, releases.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::server::Shared;
use crate::world::NewPipeline;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    content_base64: Option<String>,
}

pub(super) fn put_file(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let file: File = ask.read()?;
    let content = match (file.content, file.content_base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(encoded)) => STANDARD.decode(encoded.trim()).map_err(|error| {
            Refusal::wrong(
                format!("content_base64 cannot be decoded: {error}"),
                "send standard base64 with its padding, or a text as content",
            )
        })?,
        (None, None) | (Some(_), Some(_)) => {
            return Err(Refusal::wrong(
                "a file has one content",
                "send either content or content_base64",
            ));
        }
    };
    let path = ask.value("path");
    let odd = |part: &str| part.is_empty() || part == "." || part == "..";
    if path.split('/').any(odd) {
        return Err(Refusal::wrong(
            format!("{path:?} is no path of a file"),
            "give one such as docs%2FREADME.md, without a slash at either end",
        ));
    }
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let size = content.len();
    world.add_file(project, path, content);
    Ok(json!({"path": path, "size_bytes": size, "commit": ask.project(&world)?.head()}))
}

pub(super) fn delete_file(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let path = ask.value("path");
    if world.delete_file(project, path) {
        return Ok(json!({"path": path, "commit": ask.project(&world)?.head()}));
    }
    Err(Refusal::missing(
        format!("there is no file {path}"),
        format!("GET /api/v4/projects/{project}/repository/tree?recursive=true lists the files"),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pipeline {
    status: String,
    #[serde(default)]
    branch: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// The states of pipelines.
const STATUSES: [&str; 10] = [
    "created",
    "waiting_for_resource",
    "preparing",
    "pending",
    "running",
    "success",
    "failed",
    "canceled",
    "skipped",
    "manual",
];

fn check_status(status: &str) -> Result<(), Refusal> {
    if STATUSES.contains(&status) {
        return Ok(());
    }
    Err(Refusal::wrong(
        format!("{status:?} is no status of a pipeline"),
        format!("take one of {}", STATUSES.join(", ")),
    ))
}

pub(super) fn add_pipeline(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: Pipeline = ask.read()?;
    check_status(&new.status)?;
    let mut pipeline = NewPipeline::new(&new.status);
    if let Some(branch) = &new.branch {
        pipeline = pipeline.branch(branch);
    }
    if let Some(source) = &new.source {
        pipeline = pipeline.source(source);
    }
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let id = world.add_pipeline(project, pipeline);
    Ok(json!({"id": id, "status": new.status}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditPipeline {
    status: String,
}

pub(super) fn edit_pipeline(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let EditPipeline { status } = ask.read()?;
    check_status(&status)?;
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let id = ask.number("pipeline")?;
    if world.set_pipeline_status(project, id, &status) {
        return Ok(json!({"id": id, "status": status}));
    }
    Err(Refusal::missing(
        format!("there is no pipeline {id} in project {project}"),
        format!("GET /api/v4/projects/{project}/pipelines lists them"),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    name: String,
    #[serde(default)]
    release: Option<String>,
    #[serde(default)]
    at: Option<Timestamp>,
}

pub(super) fn add_tag(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: Tag = ask.read()?;
    let mut world = ask.change(shared);
    let project = ask.project(&world)?;
    if new.name.is_empty() || new.name.contains(char::is_whitespace) {
        return Err(Refusal::wrong(
            format!("{:?} is no name of a tag", new.name),
            "take one without spaces, such as v1.2.0",
        ));
    }
    if project.tags.iter().any(|tag| tag.name == new.name) {
        return Err(Refusal::conflict(
            format!("{} has a tag {} already", project.full_path, new.name),
            "take another name",
        ));
    }
    let (project, at) = (project.id, new.at.unwrap_or_else(|| world.clock().now()));
    world.add_tag(project, &new.name, new.release.as_deref(), at);
    Ok(json!({"name": new.name, "release": new.release.is_some()}))
}
