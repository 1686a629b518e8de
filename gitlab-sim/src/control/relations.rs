//! Commands about what hangs together: links, duplicates, shares, inherited templates, trackers
//! elsewhere.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal, Role, find_group, find_project};
use super::places::Name;
use crate::server::Shared;
use crate::world::{
    AccessLevel, ExternalTracker, Group, GroupId, ItemKind, ItemRef, LinkKind, ProjectId, World,
};

/// An issue that is named in a body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    /// The project; by default that of the path.
    #[serde(default)]
    project: Option<Name>,
    iid: u64,
}

impl Other {
    /// Finds the issue.
    fn find(&self, world: &World, near: ItemRef) -> Result<ItemRef, Refusal> {
        let project = match &self.project {
            Some(name) => find_project(world, &name.text())?.id,
            None => near.project,
        };
        let issue = ItemRef::issue(project, self.iid);
        if world.item(issue).is_some() {
            return Ok(issue);
        }
        Err(Refusal::missing(
            format!("there is no issue {} in project {project}", self.iid),
            "name one by {\"project\": \"acme/pay/api\", \"iid\": 1}",
        ))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLink {
    to: Other,
    #[serde(default)]
    link_type: Option<String>,
}

fn link_kind(word: &str) -> Result<LinkKind, Refusal> {
    let kinds = [LinkKind::RelatesTo, LinkKind::Blocks, LinkKind::IsBlockedBy];
    kinds.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
        Refusal::wrong(
            format!("there is no link_type {word}"),
            "take relates_to, blocks or is_blocked_by",
        )
    })
}

fn show_links(world: &World, issue: ItemRef) -> Value {
    let rows: Vec<Value> = world
        .links_of(issue.project, issue.iid)
        .into_iter()
        .map(|link| {
            json!({
                "id": link.id,
                "to": world.reference(link.other),
                "link_type": link.kind.word(),
            })
        })
        .collect();
    json!({"links": rows})
}

pub(super) fn links(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    ask.item_of(&world, ItemKind::Issue).map(|issue| show_links(&world, issue))
}

pub(super) fn link(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: NewLink = ask.read()?;
    let kind = new.link_type.as_deref().map_or(Ok(LinkKind::RelatesTo), link_kind)?;
    let mut world = ask.change(shared);
    let issue = ask.item_of(&world, ItemKind::Issue)?;
    let other = new.to.find(&world, issue)?;
    match world.link_issues(issue, other, kind) {
        Some(_) => Ok(show_links(&world, issue)),
        None => Err(Refusal::conflict(
            "the issues are linked already, or are one and the same",
            "take another issue, or DELETE the link first",
        )),
    }
}

pub(super) fn unlink(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let id = ask.number("link")?;
    let mut world = ask.change(shared);
    let issue = ask.item_of(&world, ItemKind::Issue)?;
    let known = world.links_of(issue.project, issue.iid).iter().any(|link| link.id == id);
    if known && world.unlink_issues(id) {
        return Ok(show_links(&world, issue));
    }
    Err(Refusal::missing(
        format!("{} has no link {id}", world.reference(issue).unwrap_or_default()),
        "GET the links of the issue to see them",
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Duplicate {
    of: Other,
}

pub(super) fn close_as_duplicate(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Duplicate { of } = ask.read()?;
    let mut world = ask.change(shared);
    let issue = ask.item_of(&world, ItemKind::Issue)?;
    let of = of.find(&world, issue)?;
    let by = world.acting();
    if world.close_as_duplicate(issue, of, by) {
        return Ok(json!({
            "closed": world.reference(issue),
            "duplicate_of": world.reference(of),
        }));
    }
    Err(Refusal::conflict("an issue is no duplicate of itself", "name another issue"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    access_level: Role,
}

fn rows<'w>(shares: impl Iterator<Item = (&'w Group, AccessLevel)>) -> Value {
    let rows: serde_json::Map<String, Value> =
        shares.map(|(group, level)| (group.full_path.clone(), json!(level.number()))).collect();
    json!({"shared_with": rows})
}

/// Reads with whom something is to be shared, and at which level.
fn partner(world: &World, ask: &Ask) -> Result<(GroupId, AccessLevel), Refusal> {
    let level = ask.read::<Share>()?.access_level.level()?;
    find_group(world, ask.value("with")).map(|group| (group.id, level))
}

fn not_shared(with: &str) -> Refusal {
    Refusal::missing(
        format!("it is not shared with {with}"),
        "PUT the same address with an access_level to share it",
    )
}

pub(super) fn share_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let (id, (with, level)) = (ask.project_id(&world)?, partner(&world, ask)?);
    world.share_project(id, with, level);
    Ok(rows(world.shares_of_project(id)))
}

pub(super) fn unshare_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let id = ask.project_id(&world)?;
    let with = find_group(&world, ask.value("with"))?.id;
    if world.unshare_project(id, with) {
        return Ok(rows(world.shares_of_project(id)));
    }
    Err(not_shared(ask.value("with")))
}

pub(super) fn share_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let (id, (with, level)) = (ask.group_id(&world)?, partner(&world, ask)?);
    if world.share_group(id, with, level) {
        return Ok(rows(world.shares_of_group(id)));
    }
    Err(Refusal::conflict("a group is not shared with itself", "name another group"))
}

pub(super) fn unshare_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let id = ask.group_id(&world)?;
    let with = find_group(&world, ask.value("with"))?.id;
    if world.unshare_group(id, with) {
        return Ok(rows(world.shares_of_group(id)));
    }
    Err(not_shared(ask.value("with")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Templates {
    project: Option<Name>,
}

pub(super) fn set_templates(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Templates { project } = ask.read()?;
    let mut world = ask.change(shared);
    let group = ask.group_id(&world)?;
    let project: Option<ProjectId> = match project {
        Some(name) => Some(find_project(&world, &name.text())?.id),
        None => None,
    };
    world.set_template_project(group, project);
    Ok(json!({"template_project": project}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tracker {
    #[serde(default)]
    name: Option<String>,
    issue_url: String,
}

pub(super) fn set_tracker(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Tracker { name, issue_url } = ask.read()?;
    if !issue_url.contains(":id") {
        return Err(Refusal::wrong(
            "issue_url does not say where the key goes",
            "send one such as https://jira.example.com/browse/:id",
        ));
    }
    let name = name.unwrap_or_else(|| "Jira".to_owned());
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    let shown = json!({"name": name, "issue_url": issue_url});
    world.set_external_tracker(project, Some(ExternalTracker { name, issue_url }));
    Ok(shown)
}

pub(super) fn remove_tracker(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let project = ask.project_id(&world)?;
    world.set_external_tracker(project, None);
    Ok(json!({}))
}
