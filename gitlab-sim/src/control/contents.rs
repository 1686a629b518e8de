//! Commands about what a project holds besides items: files, pushes, pipelines, tags, releases,
//! approval rules.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal, find_group, find_user};
use super::places::Name;
use crate::server::Shared;
use crate::world::{GroupId, NewCommit, NewPipeline, UserId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    content_base64: Option<String>,
}

impl File {
    /// Returns the content.
    fn bytes(self) -> Result<Vec<u8>, Refusal> {
        match (self.content, self.content_base64) {
            (Some(text), None) => Ok(text.into_bytes()),
            (None, Some(encoded)) => STANDARD.decode(encoded.trim()).map_err(|error| {
                Refusal::wrong(
                    format!("content_base64 cannot be decoded: {error}"),
                    "send standard base64 with its padding, or a text as content",
                )
            }),
            (None, None) | (Some(_), Some(_)) => Err(Refusal::wrong(
                "a file has one content",
                "send either content or content_base64",
            )),
        }
    }
}

fn check_file(path: &str) -> Result<(), Refusal> {
    let odd = |part: &str| part.is_empty() || part == "." || part == "..";
    if path.split('/').any(odd) {
        return Err(Refusal::wrong(
            format!("{path:?} is no path of a file"),
            "give one such as docs/README.md, without a slash at either end; in an address its \
             slashes are %2F",
        ));
    }
    Ok(())
}

pub(super) fn put_file(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let content = ask.read::<File>()?.bytes()?;
    let path = ask.value("path");
    check_file(path)?;
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
struct Push {
    commits: Vec<PushedCommit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushedCommit {
    message: String,
    #[serde(default)]
    write: BTreeMap<String, String>,
    #[serde(default)]
    remove: Vec<String>,
}

pub(super) fn push(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Push { commits } = ask.read()?;
    let mut new = Vec::with_capacity(commits.len());
    for commit in commits {
        let mut row = NewCommit::new(&commit.message);
        for (path, content) in commit.write {
            check_file(&path)?;
            row = row.write(&path, content);
        }
        for path in commit.remove {
            row = row.remove(&path);
        }
        new.push(row);
    }
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    if world.push(project, new) {
        return Ok(json!({"commit": ask.project(&world)?.head()}));
    }
    Err(Refusal::wrong(
        "there is nothing to push",
        "send {\"commits\": [{\"message\": \"…\", \"write\": {\"README.md\": \"…\"}}]}; removing a \
         file that is not there changes nothing",
    ))
}

pub(super) fn delete_branch(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let name = ask.value("branch");
    if world.delete_branch(project, name) {
        return Ok(json!({"deleted": name}));
    }
    Err(Refusal::conflict(format!("{name} is the default branch"), "name another branch"))
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

pub(super) fn delete_tag(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let name = ask.value("tag");
    if world.delete_tag(project, name) {
        return Ok(json!({"deleted": name}));
    }
    Err(Refusal::missing(
        format!("there is no tag {name}"),
        format!("GET /api/v4/projects/{project}/repository/tags lists them"),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    #[serde(default = "one")]
    approvals_required: u64,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    groups: Vec<Name>,
}

/// How many approvals a rule asks for when nobody says.
fn one() -> u64 {
    1
}

pub(super) fn add_approval_rule(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: Rule = ask.read()?;
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let users: Vec<UserId> = new
        .users
        .iter()
        .map(|name| find_user(&world, name).map(|user| user.id))
        .collect::<Result<_, _>>()?;
    let groups: Vec<GroupId> = new
        .groups
        .iter()
        .map(|name| find_group(&world, &name.text()).map(|group| group.id))
        .collect::<Result<_, _>>()?;
    world.add_approval_rule(project, &new.name, new.approvals_required, users, groups);
    Ok(json!({"name": new.name, "approvals_required": new.approvals_required}))
}
