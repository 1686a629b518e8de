//! Groups around projects and groups: what is shared with whom, namespaces, topics, languages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::{Call, groups, paging};
use crate::world::{Group, Project, World};

/// `GET /groups/:id/groups/shared`: the groups that are shared with this one.
pub(super) fn shared_groups(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let rows = call.world.groups_shared_with(group.id);
    let rows = rows.filter(|row| call.world.sees_group(call.caller, row)).collect();
    groups::page(call, call.echo(&[("order_by", "name"), ("sort", "asc")], id), rows)
}

/// `GET /groups/:id/invited_groups`: the groups that this one is shared with.
pub(super) fn invited_groups(call: &Call<'_>, group: &Group, id: &str) -> Result<Answer, Failure> {
    let rows = call.world.shares_of_group(group.id).map(|(group, _)| group);
    let rows = rows.filter(|row| call.world.sees_group(call.caller, row)).collect();
    groups::page(call, call.echo(&[], id), rows)
}

/// `GET /projects/:id/groups`: the groups it lies in, and with `with_shared` those it is shared
/// with.
pub(super) fn groups_of_project(
    call: &Call<'_>,
    project: &Project,
    id: &str,
) -> Result<Answer, Failure> {
    let mut rows: Vec<&Group> = call.world.lineage(project.group).collect();
    if call.query.flag("with_shared")?.unwrap_or(false) {
        rows.extend(call.world.shares_of_project(project.id).map(|(group, _)| group));
    }
    rows.retain(|row| call.world.sees_group(call.caller, row));
    let echo = call.echo(&[("shared_visible_only", "false"), ("with_shared", "false")], id);
    paging::list(call, echo, &rows, |group| {
        json!({
            "id": group.id,
            "web_url": format!("{}/groups/{}", call.site.url, group.full_path),
            "name": group.name,
            "avatar_url": null,
            "full_name": group.full_name,
            "full_path": group.full_path,
        })
    })
}

/// Counts the bytes of each language in a project.
pub(super) fn languages_of(project: &Project) -> BTreeMap<&'static str, usize> {
    let mut bytes: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (path, content) in &project.files {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        let language = match extension {
            "rs" => "Rust",
            "py" => "Python",
            "rb" => "Ruby",
            "go" => "Go",
            "js" => "JavaScript",
            "ts" => "TypeScript",
            "java" => "Java",
            "sh" => "Shell",
            _ => continue,
        };
        *bytes.entry(language).or_default() += content.len();
    }
    bytes
}

/// `GET /projects/:id/languages`: the share of each language by bytes, in percent.
pub(super) fn languages(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::Forbidden);
    }
    let bytes = languages_of(project);
    let all: usize = bytes.values().sum();
    let shares: BTreeMap<&str, f64> = bytes
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(language, bytes)| (language, hundredths(bytes, all)))
        .collect();
    Ok(Answer::json(&shares))
}

/// Returns a share in percent, to two places.
fn hundredths(part: usize, all: usize) -> f64 {
    let share = part.saturating_mul(10_000) / all.max(1);
    f64::from(u32::try_from(share).unwrap_or(u32::MAX)) / 100.0
}

fn namespace(call: &Call<'_>, group: &Group) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "path": group.path,
        "kind": "group",
        "full_path": group.full_path,
        "parent_id": group.parent,
        "avatar_url": null,
        "web_url": format!("{}/groups/{}", call.site.url, group.full_path),
    })
}

/// `GET /namespaces`
pub(super) fn namespaces(call: &Call<'_>) -> Result<Answer, Failure> {
    call.signed_in()?;
    let words = call.query.filled("search").map(str::to_lowercase);
    let rows: Vec<&Group> = call
        .world
        .groups()
        .filter(|group| call.world.group_access(call.caller, group).is_some())
        .filter(|group| {
            words.as_ref().is_none_or(|words| group.full_path.to_lowercase().contains(words))
        })
        .collect();
    paging::list(call, call.query.clone(), &rows, |group| namespace(call, group))
}

/// `GET /namespaces/:id`
pub(super) fn one_namespace(call: &Call<'_>, id: &str) -> Result<Answer, Failure> {
    call.signed_in()?;
    let group = call.group(id).map_err(|_| Failure::NotFound("Namespace"))?;
    Ok(Answer::json(&namespace(call, group)))
}

/// Lists all topics with their ids.
pub(super) fn topics_of(world: &World) -> BTreeMap<&str, i64> {
    let topics: BTreeSet<&str> =
        world.projects().flat_map(|row| row.topics.iter().map(String::as_str)).collect();
    topics.into_iter().zip(1..).collect()
}

/// `GET /topics`: those of visible projects, most used first.
pub(super) fn topics(call: &Call<'_>) -> Result<Answer, Failure> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for project in call.world.projects().filter(|row| call.world.sees_project(call.caller, row)) {
        for topic in &project.topics {
            *counts.entry(topic).or_default() += 1;
        }
    }
    let words = call.query.filled("search").map(str::to_lowercase);
    let ids = topics_of(call.world);
    let mut rows: Vec<(i64, &str, u64)> = counts
        .into_iter()
        .filter_map(|(topic, count)| Some((*ids.get(topic)?, topic, count)))
        .filter(|(_, topic, _)| {
            words.as_ref().is_none_or(|words| topic.to_lowercase().contains(words))
        })
        .collect();
    rows.sort_by(|a, b| b.2.cmp(&a.2).then(a.1.cmp(b.1)));
    paging::list(call, call.query.clone(), &rows, |(id, topic, count)| {
        json!({
            "id": id,
            "name": topic,
            "title": topic,
            "description": null,
            "total_projects_count": count,
            "organization_id": 1,
            "avatar_url": null,
        })
    })
}
