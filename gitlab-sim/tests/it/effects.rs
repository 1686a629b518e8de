//! What GitLab writes of its own when something changes, as REST, GraphQL and webhooks show it.

mod history;
mod mentions;
mod merging;
mod milestones;

use gitlab_sim::GitLab;
use gitlab_sim::world::{NewIssue, NewMergeRequest, NewProject, ProjectId, World};
use gitlab_sim::{Clock, Options};
use jiff::SignedDuration;
use serde_json::Value;

use crate::client::{get, get_as};

/// Serves two projects of one group, `acme/shop` and `acme/web`, each with the issues 1 and 2 and a
/// merge request 1. The clock stands still.
async fn organisation() -> (GitLab, Clock, [ProjectId; 2]) {
    let clock = Clock::at("2026-11-22T10:00:00Z".parse().unwrap());
    let mut world = World::with_clock(clock.clone());
    let projects = ["acme/shop", "acme/web"].map(|path| world.add_project(NewProject::at(path)));
    for project in projects {
        for title in ["one", "two"] {
            world.add_issue(project, NewIssue::new(title));
        }
        world.add_merge_request(project, NewMergeRequest::new("three"));
    }
    clock.advance(SignedDuration::from_mins(10));
    let gitlab = GitLab::start(world, Options::default()).await.unwrap();
    (gitlab, clock, projects)
}

/// Lists the system notes of an item, oldest first, as a token sees them.
async fn remarks_as(gitlab: &GitLab, token: &str, item: &str) -> Vec<String> {
    let path = format!("/projects/{item}/notes?activity_filter=only_activity&sort=asc");
    get_as(gitlab, Some(token), &path).await.texts("body")
}

/// Lists the system notes of an item, oldest first.
async fn remarks(gitlab: &GitLab, item: &str) -> Vec<String> {
    remarks_as(gitlab, gitlab.token(), item).await
}

/// Asks for one object.
async fn one(gitlab: &GitLab, path: &str) -> Value {
    get(gitlab, path).await.json()
}
