//! The bodies of webhooks.
//!
//! Rendered while the world is still locked after the change, so that they say what was true at
//! that moment: a delivery that waits in a queue is as old as its event. Fields follow the samples
//! that clients test against; what the world does not hold (milestones, time spent, weights) is
//! null or zero, as on an instance where nobody uses it.

mod changes;
mod code;
mod issue;
mod member;
mod merge_request;
mod note;
mod pipeline;
mod place;
mod release;
mod shape;

use serde_json::Value;

use super::outline::Form;
use crate::world::{Change, Event, SELF_URL, World};

/// What bodies are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'w> {
    pub(super) world: &'w World,
    /// The external address of the instance, without a slash at its end.
    pub(super) url: &'w str,
    pub(super) event: &'w Event,
}

/// Renders the body of an event, or nothing when what it speaks of is gone already.
pub(super) fn render(scene: Scene<'_>, form: Form) -> Option<String> {
    let body = match form {
        Form::Plain | Form::Subgroup => plain(scene, form),
        Form::RepositoryUpdate => code::repository_update(scene),
    }?;
    Some(body.to_string().replace(SELF_URL, scene.url))
}

fn plain(scene: Scene<'_>, form: Form) -> Option<Value> {
    match &scene.event.what {
        Change::Issue { project, action, before, after } => {
            issue::body(scene, *project, *action, before.as_deref(), after)
        }
        Change::MergeRequest { project, action, before, after } => {
            merge_request::body(scene, *project, *action, before.as_deref(), after)
        }
        Change::Note { item, note, edited } => note::body(scene, *item, note, *edited),
        Change::Push { .. }
        | Change::BranchDeleted { .. }
        | Change::Tag { .. }
        | Change::TagDeleted { .. } => code::body(scene),
        Change::Pipeline { project, pipeline } => pipeline::body(scene, *project, pipeline),
        Change::Release { project, release } => release::body(scene, *project, release),
        Change::Project { project, change } => Some(place::project(scene, project, change)),
        Change::Group { group, change } => match form {
            Form::Subgroup => place::subgroup(scene, group, change),
            Form::Plain | Form::RepositoryUpdate => place::group(scene, group, change),
        },
        Change::Member { of, user, before, level } => {
            member::body(scene, *of, *user, *before, *level)
        }
        Change::User { user } => member::user(scene, *user),
    }
}
