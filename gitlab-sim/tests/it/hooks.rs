//! Webhooks and system hooks: who hears of what.

use gitlab_sim::hooks::{Hook, HookOptions, Scope, Switch};
use gitlab_sim::world::{
    AccessLevel, GroupId, ItemRef, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject,
    ProjectId, Visibility, World,
};
use gitlab_sim::{GitLab, Options};

use crate::client::{get, get_anonymously, get_as, serve};
use crate::receiver::{Received, Receiver};

/// `acme/shop/webshop`, and `acme/other` beside it.
pub struct Place {
    pub gitlab: GitLab,
    pub acme: GroupId,
    pub shop: GroupId,
    pub webshop: ProjectId,
    pub other: ProjectId,
}

pub async fn place() -> Place {
    place_with(HookOptions::default()).await
}

pub async fn place_with(hooks: HookOptions) -> Place {
    let mut world = World::new();
    let webshop = world.add_project(NewProject::at("acme/shop/webshop"));
    let other = world.add_project(NewProject::at("acme/other"));
    let (acme, shop) = (world.add_group("acme"), world.add_group("acme/shop"));
    let gitlab = GitLab::start(world, Options { hooks, ..Options::default() }).await.unwrap();
    Place { gitlab, acme, shop, webshop, other }
}

impl Place {
    /// Starts a receiver of everything that a scope hears.
    pub async fn receiver(&self, scope: Scope) -> Receiver {
        let receiver = Receiver::start().await;
        let hook = match scope {
            Scope::Project(project) => Hook::on_project(project, &receiver.url),
            Scope::Group(group) => Hook::on_group(group, &receiver.url),
            Scope::System => Hook::on_system(&receiver.url),
        };
        self.gitlab.add_hook(hook.all_events()).unwrap();
        receiver
    }
}

#[tokio::test]
async fn every_change_of_a_project_is_told_in_its_own_event() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    let mut world = place.gitlab.world();
    let project = place.webshop;
    let issue = ItemRef::issue(project, world.add_issue(project, NewIssue::new("one")));
    let secret = NewIssue::new("two").confidential(true);
    let secret = ItemRef::issue(project, world.add_issue(project, secret));
    let new = NewMergeRequest::new("three").source_branch("topic");
    let merge_request = ItemRef::merge_request(project, world.add_merge_request(project, new));
    let note = world.add_note(issue, NewNote::new("a word"));
    world.edit_note(issue, note, "another word");
    world.add_note(merge_request, NewNote::new("a hidden word").internal());
    world.add_note(secret, NewNote::new("a word"));
    world.add_note(issue, NewNote::new("closed").system());
    world.add_file(project, "README.md", "text");
    world.add_tag(project, "v1", Some("First"), jiff::Timestamp::UNIX_EPOCH);
    world.delete_tag(project, "v1");
    world.delete_branch(project, "topic");
    world.add_pipeline(project, NewPipeline::new("success"));
    drop(world);
    place.gitlab.hooks_settled().await;
    let told: Vec<(String, String)> = receiver
        .take()
        .iter()
        .map(|row| {
            let body = row.json();
            let attributes = &body["object_attributes"];
            let said = [&attributes["action"], &body["ref"], &attributes["status"], &body["tag"]];
            let said = said.iter().find_map(|said| said.as_str()).unwrap();
            (row.event().to_owned(), said.to_owned())
        })
        .collect();
    let told: Vec<(&str, &str)> =
        told.iter().map(|(event, word)| (event.as_str(), word.as_str())).collect();
    assert_eq!(
        told,
        [
            ("Issue Hook", "open"),
            ("Confidential Issue Hook", "open"),
            ("Merge Request Hook", "open"),
            ("Note Hook", "create"),
            ("Note Hook", "update"),
            ("Confidential Note Hook", "create"),
            ("Confidential Note Hook", "create"),
            ("Push Hook", "refs/heads/main"),
            ("Tag Push Hook", "refs/tags/v1"),
            ("Release Hook", "v1"),
            ("Tag Push Hook", "refs/tags/v1"),
            ("Push Hook", "refs/heads/topic"),
            ("Pipeline Hook", "success"),
        ]
    );
    place.gitlab.stop().await;
}

#[tokio::test]
async fn items_tell_what_was_done_and_what_is_different() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    let mut world = place.gitlab.world();
    let (project, bot) = (place.webshop, world.bot());
    let iid = world.add_issue(project, NewIssue::new("old").labels(["a"]));
    let issue = ItemRef::issue(project, iid);
    world.edit(issue, |row| "new".clone_into(&mut row.title));
    world.relabel(issue, ["a", "b"]);
    world.close(issue, bot);
    world.reopen(issue);
    world.set_confidential(project, iid, true);
    let iid = world.add_merge_request(project, NewMergeRequest::new("Draft: x"));
    let merge_request = ItemRef::merge_request(project, iid);
    world.edit(merge_request, |row| "x".clone_into(&mut row.title));
    world.merge(project, iid, bot);
    drop(world);
    place.gitlab.hooks_settled().await;
    let bodies = receiver.bodies();
    let actions: Vec<_> = bodies.iter().map(|body| &body["object_attributes"]["action"]).collect();
    assert_eq!(
        actions,
        ["open", "update", "update", "close", "reopen", "update", "open", "update", "merge"]
    );
    let change = |body: usize, field: &str| {
        let change = &bodies[body]["changes"][field];
        (change["previous"].clone(), change["current"].clone())
    };
    assert_eq!(change(1, "title"), ("old".into(), "new".into()));
    let titles = |labels: serde_json::Value| -> Vec<String> {
        let labels = labels.as_array().unwrap().clone();
        labels.iter().map(|label| label["title"].as_str().unwrap().to_owned()).collect()
    };
    let (previous, current) = change(2, "labels");
    assert_eq!(
        (titles(previous), titles(current)),
        (vec!["a".into()], vec!["a".into(), "b".into()])
    );
    assert_eq!(bodies[2]["changes"].get("title"), None, "only what is different");
    assert_eq!(change(3, "state_id"), (1.into(), 2.into()));
    assert_eq!(change(3, "closed_at").0, serde_json::Value::Null);
    assert_eq!(bodies[3]["object_attributes"]["state"], "closed");
    assert_eq!(change(4, "state_id"), (2.into(), 1.into()));
    assert_eq!(change(5, "confidential"), (false.into(), true.into()));
    assert_eq!(bodies[5]["event_type"], "confidential_issue");
    assert_eq!(change(7, "draft"), (true.into(), false.into()));
    assert_eq!(change(8, "state_id").1, 3);
    assert_eq!(bodies[8]["object_attributes"]["state"], "merged");
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_body_says_what_was_true_when_it_happened() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    let mut world = place.gitlab.world();
    let issue = ItemRef::issue(place.webshop, world.add_issue(place.webshop, NewIssue::new("a")));
    drop(world);
    place.gitlab.world().edit(issue, |row| "b".clone_into(&mut row.title));
    place.gitlab.world().delete_project(place.webshop);
    place.gitlab.hooks_settled().await;
    let titles: Vec<_> = receiver
        .take()
        .iter()
        .map(|row| row.json()["object_attributes"]["title"].clone())
        .collect();
    assert_eq!(titles, ["a", "b"]);
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_switch_that_is_off_keeps_its_events_back() {
    let place = place().await;
    let receiver = Receiver::start().await;
    let hook = Hook::on_project(place.webshop, &receiver.url);
    let id = place.gitlab.add_hook(hook.clone()).unwrap();
    let act = || async {
        let mut world = place.gitlab.world();
        world.add_issue(place.webshop, NewIssue::new("one"));
        world.add_issue(place.webshop, NewIssue::new("two").confidential(true));
        world.add_file(place.webshop, "README.md", "text");
        drop(world);
        place.gitlab.hooks_settled().await;
    };
    act().await;
    assert_eq!(receiver.events(), ["Push Hook"], "a new hook hears of pushes");
    place.gitlab.remove_hook(id);
    act().await;
    assert!(receiver.take().is_empty());
    place.gitlab.add_hook(hook.events([Switch::Issues])).unwrap();
    act().await;
    assert_eq!(receiver.events(), ["Issue Hook"], "confidential issues have their own switch");
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_hook_of_a_group_hears_of_projects_in_all_subgroups() {
    let place = place().await;
    let acme = place.receiver(Scope::Group(place.acme)).await;
    let shop = place.receiver(Scope::Group(place.shop)).await;
    let mut world = place.gitlab.world();
    world.add_issue(place.webshop, NewIssue::new("in the shop"));
    world.add_issue(place.other, NewIssue::new("beside it"));
    let user = world.add_user("mona");
    world.add_group_member(place.shop, user, AccessLevel::Guest);
    world.add_group_member(place.shop, user, AccessLevel::Owner);
    world.remove_group_member(place.shop, user);
    let made = world.add_project(NewProject::at("acme/shop/new/site"));
    world.delete_project(made);
    drop(world);
    place.gitlab.hooks_settled().await;
    let told = |receiver: &Receiver| -> Vec<(String, String)> {
        let said = |body: &serde_json::Value| {
            let title = &body["object_attributes"]["title"];
            title.as_str().or(body["event_name"].as_str()).unwrap().to_owned()
        };
        receiver.take().iter().map(|row| (row.event().to_owned(), said(&row.json()))).collect()
    };
    let pair = |event: &str, word: &str| (event.to_owned(), word.to_owned());
    let members = [
        pair("Member Hook", "user_add_to_group"),
        pair("Member Hook", "user_update_for_group"),
        pair("Member Hook", "user_remove_from_group"),
        pair("Subgroup Hook", "subgroup_create"),
        pair("Project Hook", "project_create"),
        pair("Project Hook", "project_destroy"),
    ];
    let mut expected = vec![pair("Issue Hook", "in the shop")];
    expected.extend(members.clone());
    assert_eq!(told(&shop), expected);
    expected.insert(1, pair("Issue Hook", "beside it"));
    assert_eq!(told(&acme), expected);
    place.gitlab.stop().await;
}

#[tokio::test]
async fn system_hooks_hear_of_places_members_and_code_of_the_whole_instance() {
    let place = place().await;
    let receiver = place.receiver(Scope::System).await;
    let mut world = place.gitlab.world();
    let made = world.add_project(NewProject::at("acme/shop/site"));
    world.set_visibility(made, Visibility::Public);
    world.rename_project(made, "page");
    world.transfer_project(made, "acme");
    world.delete_project(made);
    world.add_group("acme/tools");
    let tools = world.add_group("acme/tools");
    world.rename_group(tools, "instruments");
    let user = world.add_user("mona");
    world.add_project_member(place.webshop, user, AccessLevel::Developer);
    world.add_project_member(place.webshop, user, AccessLevel::Maintainer);
    world.remove_project_member(place.webshop, user);
    world.add_group_member(place.shop, user, AccessLevel::Guest);
    world.add_file(place.webshop, "README.md", "text");
    world.add_tag(place.webshop, "v1", None, jiff::Timestamp::UNIX_EPOCH);
    world.add_merge_request(place.webshop, NewMergeRequest::new("three"));
    world.add_issue(place.webshop, NewIssue::new("not told"));
    drop(world);
    place.gitlab.hooks_settled().await;
    let came = receiver.take();
    assert!(came.iter().all(|row| row.event() == "System Hook"));
    let bodies: Vec<_> = came.iter().map(Received::json).collect();
    let names: Vec<_> = bodies
        .iter()
        .map(|body| body["event_name"].as_str().or(body["object_kind"].as_str()).unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "project_create",
            "project_update",
            "project_rename",
            "project_transfer",
            "project_destroy",
            "group_create",
            "group_rename",
            "user_create",
            "user_add_to_team",
            "user_update_for_team",
            "user_remove_from_team",
            "user_add_to_group",
            "push",
            "repository_update",
            "tag_push",
            "repository_update",
            "merge_request",
        ]
    );
    assert_eq!(bodies[2]["old_path_with_namespace"], "acme/shop/site");
    assert_eq!(bodies[2]["path_with_namespace"], "acme/shop/page");
    assert_eq!(bodies[3]["old_path_with_namespace"], "acme/shop/page");
    assert_eq!(bodies[3]["path_with_namespace"], "acme/page");
    assert_eq!(bodies[6]["old_full_path"], "acme/tools");
    assert_eq!(bodies[6]["full_path"], "acme/instruments");
    assert_eq!(bodies[10]["access_level"], "Maintainer", "the role that ended");
    assert_eq!(bodies[13]["refs"][0], "refs/heads/main");
    place.gitlab.stop().await;
}

#[tokio::test]
async fn first_pushes_and_deletions_have_zeros_for_the_commit_that_is_not_there() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    let mut world = place.gitlab.world();
    world.add_file(place.webshop, "CODEOWNERS", "* @mona");
    world.add_file(place.webshop, "CODEOWNERS", "* @other");
    world.delete_file(place.webshop, "CODEOWNERS");
    world.add_tag(place.webshop, "v1", None, jiff::Timestamp::UNIX_EPOCH);
    world.delete_tag(place.webshop, "v1");
    world.delete_branch(place.webshop, "topic");
    drop(world);
    place.gitlab.hooks_settled().await;
    let bodies = receiver.bodies();
    let zeros = "0".repeat(40);
    assert_eq!(bodies[0]["before"], zeros);
    assert_eq!(bodies[1]["before"], bodies[0]["after"]);
    assert_eq!(bodies[1]["checkout_sha"], bodies[1]["after"]);
    let files = |body: usize, field: &str| bodies[body]["commits"][0][field].clone();
    assert_eq!(files(0, "added")[0], "CODEOWNERS");
    assert_eq!(files(1, "modified")[0], "CODEOWNERS");
    assert_eq!(files(2, "removed")[0], "CODEOWNERS");
    assert_eq!(bodies[3]["before"], zeros);
    for body in &bodies[4..] {
        assert_eq!((&body["after"], body["checkout_sha"].is_null()), (&zeros.clone().into(), true));
    }
    place.gitlab.stop().await;
}

#[tokio::test]
async fn hooks_are_listed_for_those_who_may_manage_them() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let group = world.add_group("acme");
    let token = |world: &mut World, name: &str, level: Option<AccessLevel>| {
        let user = world.add_user(name);
        match level {
            Some(level) => world.add_group_member(group, user, level),
            None => world.set_admin(user, true),
        }
        world.add_token(user, &["read_api"], None)
    };
    let maintainer = token(&mut world, "maintainer", Some(AccessLevel::Maintainer));
    let owner = token(&mut world, "owner", Some(AccessLevel::Owner));
    let admin = token(&mut world, "admin", None);
    let gitlab = serve(world).await;
    let url = "http://127.0.0.1:9/";
    let hook = Hook::on_project(project, url).token("s3cret").header("X-Team", "shop");
    let of_project = gitlab.add_hook(hook).unwrap();
    gitlab.add_hook(Hook::on_group(group, url).events([Switch::Subgroup])).unwrap();
    gitlab.add_hook(Hook::on_system(url)).unwrap();

    assert_eq!(get(&gitlab, "/projects/1/hooks").await.status, 403, "a reporter may not");
    assert_eq!(get_anonymously(&gitlab, "/projects/1/hooks").await.status, 404);
    let reply = get_as(&gitlab, Some(&maintainer), "/projects/1/hooks").await;
    assert_eq!(reply.numbers("id"), [of_project.get()]);
    assert!(!reply.text.contains("s3cret"));
    let row = &reply.json()[0];
    assert_eq!((&row["push_events"], &row["note_events"]), (&true.into(), &false.into()));
    assert_eq!((&row["alert_status"], &row["project_id"]), (&"executable".into(), &1.into()));
    assert_eq!(row["custom_headers"][0]["key"], "X-Team");
    let one = get_as(&gitlab, Some(&maintainer), "/projects/acme%2Fshop/hooks/1").await;
    assert_eq!(one.json()["url"], url);
    assert_eq!(get_as(&gitlab, Some(&maintainer), "/projects/1/hooks/2").await.status, 404);
    assert_eq!(get_as(&gitlab, Some(&maintainer), "/groups/1/hooks").await.status, 403);
    let reply = get_as(&gitlab, Some(&owner), "/groups/1/hooks").await;
    assert_eq!(
        (reply.numbers("id"), reply.column("subgroup_events")),
        (vec![2], vec![true.into()])
    );
    let one = get_as(&gitlab, Some(&owner), "/groups/1/hooks/2").await;
    assert_eq!(one.json()["group_id"], 1);
    assert_eq!(get_as(&gitlab, Some(&owner), "/hooks").await.status, 403);
    assert_eq!(get_as(&gitlab, Some(&admin), "/hooks").await.numbers("id"), [3]);
    gitlab.stop().await;
}
