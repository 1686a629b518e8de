//! Releases and git tags.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::groups::directed;
use super::shape::{Stamp, UserShape, text};
use super::{Call, paging};
use crate::world::{GitTag, Project, Release};

fn commit(call: &Call<'_>, project: &Project, tag: &GitTag) -> Value {
    let short: String = tag.sha.chars().take(8).collect();
    let title = format!("Release {}", tag.name);
    json!({
        "id": tag.sha,
        "short_id": short,
        "created_at": Stamp(tag.created_at),
        "parent_ids": [],
        "title": title,
        "message": title,
        "author_name": "Release Bot",
        "author_email": "release-bot@acme.example",
        "authored_date": Stamp(tag.created_at),
        "committer_name": "Release Bot",
        "committer_email": "release-bot@acme.example",
        "committed_date": Stamp(tag.created_at),
        "web_url": format!("{}/{}/-/commit/{}", call.site.url, project.full_path, tag.sha),
    })
}

/// `GET /projects/:id/releases`
pub(super) fn list(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    let order =
        call.query.one_of("order_by", &["released_at", "created_at"])?.unwrap_or("released_at");
    let descending = call.query.descending(true)?;
    let mut rows: Vec<&Release> = project.releases.iter().collect();
    rows.sort_unstable_by(|a, b| {
        let ordering = match order {
            "created_at" => a.created_at.cmp(&b.created_at),
            _ => a.released_at.cmp(&b.released_at),
        };
        directed(ordering.then(a.id.cmp(&b.id)), descending)
    });
    let echo = call.echo(&[("order_by", "released_at"), ("sort", "desc")], id);
    paging::list(call, echo, &rows, |row| release_shape(call, project, row))
}

fn release_shape(call: &Call<'_>, project: &Project, row: &Release) -> Value {
    let now = call.world.clock().now();
    let tag = project.tags.iter().find(|tag| tag.name == row.tag);
    let page = format!("{}/{}/-/releases/{}", call.site.url, project.full_path, row.tag);
    let html = call.query.flag("include_html_description").ok().flatten().unwrap_or(false);
    let mut shape = json!({
        "name": row.name,
        "tag_name": row.tag,
        "description": text(call, &row.description),
        "created_at": Stamp(row.created_at),
        "released_at": Stamp(row.released_at),
        "upcoming_release": row.released_at > now,
        "author": UserShape::find(call, row.author),
        "commit": tag.map(|tag| commit(call, project, tag)),
        "commit_path": tag.map(|tag| format!("/{}/-/commit/{}", project.full_path, tag.sha)),
        "tag_path": format!("/{}/-/tags/{}", project.full_path, row.tag),
        "assets": {"count": 0, "sources": [], "links": []},
        "evidences": [],
        "_links": {"self": page},
    });
    if html {
        let words = text(call, &row.description).replace('&', "&amp;").replace('<', "&lt;");
        shape["description_html"] = json!(format!("<p>{words}</p>"));
    }
    shape
}

/// `GET /projects/:id/releases/:tag_name`
pub(super) fn one(call: &Call<'_>, project: &Project, tag: &str) -> Result<Answer, Failure> {
    let row = project.releases.iter().find(|row| row.tag == tag).ok_or(Failure::NoRecord)?;
    Ok(Answer::json(&release_shape(call, project, row)))
}

/// `GET /projects/:id/releases/permalink/latest`
pub(super) fn latest(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    let row = project
        .releases
        .iter()
        .max_by_key(|row| (row.released_at, row.id))
        .ok_or(Failure::NotFound("Release"))?;
    Ok(Answer::json(&release_shape(call, project, row)))
}

/// `GET /projects/:id/repository/tags/:tag_name`
pub(super) fn tag(call: &Call<'_>, project: &Project, name: &str) -> Result<Answer, Failure> {
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::Forbidden);
    }
    let tag = project.tags.iter().find(|tag| tag.name == name).ok_or(Failure::NotFound("Tag"))?;
    Ok(Answer::json(&tag_shape(call, project, tag)))
}

/// `GET /projects/:id/repository/tags`
pub(super) fn tags(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::Forbidden);
    }
    let order =
        call.query.one_of("order_by", &["name", "updated", "version"])?.unwrap_or("updated");
    let descending = call.query.descending(true)?;
    let words = call.query.filled("search");
    let mut rows: Vec<&GitTag> = project
        .tags
        .iter()
        .filter(|tag| words.is_none_or(|words| tag.name.contains(words)))
        .collect();
    rows.sort_by(|a, b| {
        let ordering = match order {
            "name" | "version" => a.name.cmp(&b.name),
            _ => a.created_at.cmp(&b.created_at),
        };
        directed(ordering, descending)
    });
    let echo = call.echo(&[("order_by", "updated"), ("sort", "desc")], id);
    paging::list(call, echo, &rows, |tag| tag_shape(call, project, tag))
}

fn tag_shape(call: &Call<'_>, project: &Project, tag: &GitTag) -> Value {
    let release = project.releases.iter().find(|release| release.tag == tag.name);
    json!({
        "name": tag.name,
        "message": tag.message,
        "target": tag.sha,
        "commit": commit(call, project, tag),
        "release": release.map(|release| {
            json!({"tag_name": release.tag, "description": text(call, &release.description)})
        }),
        "protected": false,
        "created_at": null,
    })
}
