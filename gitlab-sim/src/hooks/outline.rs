//! What an event of the world is called as a webhook, and who hears of it.
//!
//! Cheap on purpose: bodies are made only for what some hook wants.

use super::hook::{Hook, Scope, Switch};
use crate::world::{Change, Event, GroupId, ItemKind, MemberOf, PlaceChange, ProjectId, World};

/// Who may hear of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Hooks of a project and of the groups above it. System hooks too, of what they know.
    Project { project: ProjectId, group: Option<GroupId> },
    /// Hooks of a group and of those above it.
    Group(GroupId),
    /// System hooks.
    Instance,
}

impl Audience {
    /// Finds the top-level group whose share a message counts against.
    pub(super) fn top_level(self, world: &World) -> Option<GroupId> {
        let group = match self {
            Self::Project { group, .. } => group?,
            Self::Group(group) => group,
            Self::Instance => return None,
        };
        world.lineage(group).last().map(|group| group.id)
    }
}

/// Which body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// That of the event itself.
    Plain,
    /// The summary of a push for system hooks.
    RepositoryUpdate,
    /// A subgroup instead of a group.
    Subgroup,
}

/// One message that an event gives rise to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline {
    pub(super) audience: Audience,
    /// The switch that lets it through; without one it always goes.
    pub(super) switch: Option<Switch>,
    /// The value of `X-Gitlab-Event`, unless it goes to a system hook.
    pub(super) name: &'static str,
    pub(super) form: Form,
}

/// What a system hook is told of the events of projects.
const OF_SYSTEM: [Switch; 3] = [Switch::Push, Switch::TagPush, Switch::MergeRequests];

impl Outline {
    /// Tells whether a hook hears of it.
    pub(super) fn reaches(&self, world: &World, hook: &Hook) -> bool {
        let in_reach = match (hook.scope, self.audience) {
            (Scope::Project(hooked), Audience::Project { project, .. }) => hooked == project,
            (
                Scope::Group(hooked),
                Audience::Project { group: Some(group), .. } | Audience::Group(group),
            ) => world.is_within(group, hooked),
            (Scope::System, Audience::Project { .. }) => {
                self.switch.is_some_and(|switch| OF_SYSTEM.contains(&switch))
            }
            (Scope::System, Audience::Instance) => true,
            (Scope::Group(_), Audience::Project { group: None, .. } | Audience::Instance)
            | (Scope::Project(_), Audience::Group(_) | Audience::Instance)
            | (Scope::System, Audience::Group(_)) => false,
        };
        in_reach && self.switch.is_none_or(|switch| hook.events.contains(&switch))
    }

    fn of_project(world: &World, project: ProjectId, switch: Switch, name: &'static str) -> Self {
        let group = world.project(project).map(|row| row.group);
        let audience = Audience::Project { project, group };
        Self { audience, switch: Some(switch), name, form: Form::Plain }
    }

    fn of_groups(group: GroupId, switch: Switch, name: &'static str, form: Form) -> Self {
        Self { audience: Audience::Group(group), switch: Some(switch), name, form }
    }

    const fn of_instance(switch: Option<Switch>, form: Form) -> Self {
        Self { audience: Audience::Instance, switch, name: "System Hook", form }
    }
}

/// Lists the messages that an event gives rise to.
pub(super) fn outlines(world: &World, event: &Event) -> Vec<Outline> {
    let of_project = |project, switch, name| Outline::of_project(world, project, switch, name);
    let update = Outline::of_instance(Some(Switch::RepositoryUpdate), Form::RepositoryUpdate);
    let told_to_system = Outline::of_instance(None, Form::Plain);
    match &event.what {
        Change::Issue { project, after, .. } => vec![if after.confidential {
            of_project(*project, Switch::ConfidentialIssues, "Confidential Issue Hook")
        } else {
            of_project(*project, Switch::Issues, "Issue Hook")
        }],
        Change::MergeRequest { project, .. } => {
            vec![of_project(*project, Switch::MergeRequests, "Merge Request Hook")]
        }
        Change::Note { item, note, .. } => {
            let hidden = note.internal
                || (item.kind == ItemKind::Issue
                    && world.issue(item.project, item.iid).is_some_and(|row| row.confidential));
            vec![if hidden {
                of_project(item.project, Switch::ConfidentialNote, "Confidential Note Hook")
            } else {
                of_project(item.project, Switch::Note, "Note Hook")
            }]
        }
        Change::Push { project, .. } | Change::BranchDeleted { project, .. } => {
            vec![of_project(*project, Switch::Push, "Push Hook"), update]
        }
        Change::Tag { project, .. } | Change::TagDeleted { project, .. } => {
            vec![of_project(*project, Switch::TagPush, "Tag Push Hook"), update]
        }
        Change::Pipeline { project, .. } => {
            vec![of_project(*project, Switch::Pipeline, "Pipeline Hook")]
        }
        Change::Release { project, .. } => {
            vec![of_project(*project, Switch::Releases, "Release Hook")]
        }
        Change::Project { project, change } => {
            let (switch, name) = (Switch::Project, "Project Hook");
            let groups = project.parent.filter(|_| made_or_gone(change));
            let of_groups = |group| Outline::of_groups(group, switch, name, Form::Plain);
            groups.map(of_groups).into_iter().chain([told_to_system]).collect()
        }
        Change::Group { group, change } => {
            let (switch, name) = (Switch::Subgroup, "Subgroup Hook");
            let groups = group.parent.filter(|_| made_or_gone(change));
            let of_groups = |group| Outline::of_groups(group, switch, name, Form::Subgroup);
            let system = match change {
                PlaceChange::Created | PlaceChange::Renamed { .. } | PlaceChange::Destroyed => {
                    Some(told_to_system)
                }
                // GitLab has no system hook for settings and moves of groups.
                PlaceChange::Updated | PlaceChange::Transferred { .. } => None,
            };
            groups.map(of_groups).into_iter().chain(system).collect()
        }
        Change::Member { of: MemberOf::Group(group), .. } => {
            let name = "Member Hook";
            vec![Outline::of_groups(*group, Switch::Member, name, Form::Plain), told_to_system]
        }
        Change::Member { of: MemberOf::Project(_), .. } | Change::User { .. } => {
            vec![told_to_system]
        }
    }
}

const fn made_or_gone(change: &PlaceChange) -> bool {
    match change {
        PlaceChange::Created | PlaceChange::Destroyed => true,
        PlaceChange::Updated | PlaceChange::Renamed { .. } | PlaceChange::Transferred { .. } => {
            false
        }
    }
}
