//! Every kind of change, one by one: the second sync brings it, and nothing else.

use gitlab_sim::World;
use gitlab_sim::world::{
    ItemRef, LabelOwner, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject, Visibility,
};
use jiff::SignedDuration;

use super::check;
use crate::support::content;
use crate::support::facts::assert_same;
use crate::support::shop::{Projects, Shop};

type Change = fn(&mut World, Projects) -> bool;

fn issue(projects: Projects, iid: u64) -> ItemRef {
    ItemRef::issue(projects.webshop, iid)
}

fn invoice(projects: Projects) -> ItemRef {
    ItemRef::merge_request(projects.webshop, 1)
}

fn note_of(world: &World, item: ItemRef) -> u64 {
    world.item(item).and_then(|row| row.notes.first()).expect("it has a comment").id
}

/// Finds a label by title, wherever it is defined.
fn label(world: &World, title: &str) -> gitlab_sim::world::LabelId {
    world.labels().find(|label| label.title == title).expect("it is there").id
}

const INCIDENT: &str = "https://acme.pagerduty.com/incidents/Q9NEWLYADDED99";

const ITEMS: [(&str, Change); 15] = [
    ("a title", |world, projects| {
        world.edit(issue(projects, 1), |row| "OPS: WEB-77".clone_into(&mut row.title))
    }),
    ("a description", |world, projects| {
        world.edit(issue(projects, 1), |row| row.description = Some(INCIDENT.into()))
    }),
    ("a description taken away", |world, projects| {
        world.edit(invoice(projects), |row| row.description = None)
    }),
    ("labels", |world, projects| world.relabel(issue(projects, 1), ["service::other", "env:prod"])),
    ("a close", |world, projects| world.close(issue(projects, 1), world.bot())),
    ("a reopening", |world, projects| world.reopen(issue(projects, 3))),
    ("a merge", |world, projects| world.merge(projects.webshop, 2, world.bot())),
    ("a new issue", |world, projects| {
        let new = NewIssue::new("New").description(INCIDENT).labels(["service::fresh"]);
        world.add_issue(projects.ledger, new) > 0
    }),
    ("a new merge request", |world, projects| {
        let new = NewMergeRequest::new("New").source_branch("WEB-5-new");
        world.add_merge_request(projects.ledger, new) > 0
    }),
    ("a deleted issue", |world, projects| world.delete_item(issue(projects, 1))),
    ("a deleted merge request", |world, projects| world.delete_item(invoice(projects))),
    ("an issue made confidential", |world, projects| {
        world.set_confidential(projects.webshop, 1, true)
    }),
    ("an issue made public", |world, projects| world.set_confidential(projects.webshop, 2, false)),
    ("the last item of a service", |world, projects| {
        world.relabel(issue(projects, 2), Vec::<String>::new())
    }),
    ("an item that was touched and no more", |world, projects| {
        world.edit(issue(projects, 1), |_| {})
    }),
];

const COMMENTS: [(&str, Change); 6] = [
    ("a first comment", |world, projects| {
        world.add_note(issue(projects, 1), NewNote::new(INCIDENT)) > 0
    }),
    ("another comment", |world, projects| {
        world.add_note(invoice(projects), NewNote::new(INCIDENT)) > 0
    }),
    ("an internal comment", |world, projects| {
        world.add_note(issue(projects, 1), NewNote::new(INCIDENT).internal()) > 0
    }),
    ("an edited comment", |world, projects| {
        let note = note_of(world, invoice(projects));
        world.edit_note(invoice(projects), note, INCIDENT)
    }),
    ("a deleted comment", |world, projects| {
        let note = note_of(world, invoice(projects));
        world.delete_note(invoice(projects), note)
    }),
    ("the only internal comment deleted", |world, projects| {
        let note = note_of(world, issue(projects, 3));
        world.delete_note(issue(projects, 3), note)
    }),
];

const LABELS: [(&str, Change); 4] = [
    ("a renamed label", |world, _| {
        let label = label(world, "service::webshop");
        world.rename_label(label, "service::storefront")
    }),
    ("a label renamed to another spelling", |world, _| {
        let label = label(world, "service:Web-Shop");
        world.rename_label(label, "service:WEB_SHOP")
    }),
    ("a deleted label", |world, _| {
        let label = label(world, "component::belt");
        world.delete_label(label)
    }),
    ("a new label that nothing carries", |world, projects| {
        world.add_label(LabelOwner::Project(projects.webshop), "team::nobody");
        true
    }),
];

const PROJECTS: [(&str, Change); 21] = [
    ("a renamed project", |world, projects| world.rename_project(projects.webshop, "storefront")),
    ("a moved project", |world, projects| world.transfer_project(projects.webshop, "acme/web")),
    ("a project moved out of the root", |world, projects| {
        world.transfer_project(projects.ledger, "elsewhere")
    }),
    ("a renamed group", |world, _| {
        let group = world.find_group("acme/shop").expect("it is there").id;
        world.rename_group(group, "store")
    }),
    ("a deleted project", |world, projects| world.delete_project(projects.webshop)),
    ("a new project", |world, _| {
        let id = world.add_project(NewProject::at("acme/shop/till").topics(["service-till"]));
        world.add_issue(id, NewIssue::new("Till is stuck")) > 0
    }),
    ("a new project with the name of a service", |world, _| {
        let id = world.add_project(NewProject::at("acme/tools/Shadow"));
        world.add_issue(id, NewIssue::new("In the dark")) > 0
    }),
    ("an archived project", |world, projects| world.archive(projects.webshop, true)),
    ("a project's visibility", |world, projects| {
        world.set_visibility(projects.webshop, Visibility::Public)
    }),
    ("a project's name and description", |world, projects| {
        let row = world.project_mut(projects.ledger).expect("it is there");
        "Webshop".clone_into(&mut row.name);
        "Books".clone_into(&mut row.description);
        true
    }),
    ("a service's topic taken away", |world, projects| {
        world.set_topics(projects.webshop, ["team-storefront"])
    }),
    ("a second service's topic", |world, projects| {
        world.set_topics(projects.webshop, ["service-webshop", "service-till", "team-other"])
    }),
    ("all topics taken away", |world, projects| {
        world.set_topics(projects.ledger, Vec::<String>::new())
    }),
    ("a changed CODEOWNERS", |world, projects| {
        world.add_file(projects.webshop, ".gitlab/CODEOWNERS", "* @acme/others\n");
        true
    }),
    ("a CODEOWNERS in a place that counts more", |world, projects| {
        world.add_file(projects.webshop, "CODEOWNERS", "* @acme/first\n");
        true
    }),
    ("a deleted CODEOWNERS", |world, projects| {
        world.delete_file(projects.webshop, ".gitlab/CODEOWNERS")
    }),
    ("a repository emptied", |world, projects| {
        world.project_mut(projects.ledger).expect("it is there").files.clear();
        true
    }),
    ("a template that says what an item says", |world, projects| {
        let path = ".gitlab/merge_request_templates/Default.md";
        let text = "Closes #1, see https://acme.pagerduty.com/incidents/Q285NZXJG65XDH";
        world.add_file(projects.webshop, path, text);
        true
    }),
    ("a changed template", |world, projects| {
        world.add_file(projects.webshop, ".gitlab/issue_templates/Bug.md", "## Other\n");
        true
    }),
    ("a deleted template", |world, projects| {
        world.delete_file(projects.webshop, ".gitlab/issue_templates/Bug.md")
    }),
    ("a new pipeline", |world, projects| {
        world.add_pipeline(projects.webshop, NewPipeline::new("failed")) > 0
    }),
];

/// Makes each change on an index of its own, and reads once more.
async fn check_each(changes: &[(&str, Change)]) {
    for (what, change) in changes {
        let shop = Shop::open().await;
        let before = content::of(&shop.index).await;
        {
            let mut world = shop.gitlab.world();
            world.clock().advance(SignedDuration::from_mins(5));
            assert!(change(&mut world, shop.projects), "{what} can be made");
        }
        shop.index.settle().await;
        assert!(before != content::of(&shop.index).await, "{what} shows");
        check(what, &shop.gitlab, &shop.index).await;
        shop.gitlab.stop().await;
    }
}

#[tokio::test]
async fn changes_of_items_are_seen() {
    check_each(&ITEMS).await;
}

#[tokio::test]
async fn changes_of_comments_are_seen() {
    check_each(&COMMENTS).await;
}

#[tokio::test]
async fn changes_of_labels_are_seen() {
    check_each(&LABELS).await;
}

#[tokio::test]
async fn changes_of_projects_are_seen() {
    check_each(&PROJECTS).await;
}

#[tokio::test]
async fn a_project_marked_for_deletion_stays_as_long_as_it_can_be_read() {
    let shop = Shop::open().await;
    let before = content::of(&shop.index).await;
    assert!(shop.gitlab.world().mark_for_deletion(shop.projects.ledger));
    assert_eq!(shop.index.sync().await.removed, 0);
    assert_same("marked for deletion", &before, &content::of(&shop.index).await);
}
