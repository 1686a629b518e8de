//! Projects, and what hangs on them.

use super::build::{ALL, Index, PUBLIC, at, issue, project};
use crate::model::{ItemKind, Label, LabelId, Pipeline, PipelineId, ProjectId, Template};
use crate::store::ProjectParts;

#[tokio::test]
async fn a_project_comes_back_as_it_was_stored() {
    let index = Index::new().await;
    let mut builder = project(7, "shop/webshop").named("Web Shop").topic("service", "webshop");
    builder.0.default_branch = None;
    builder.0.archived = true;
    builder.0.last_activity_at = None;
    index.project(&builder).await;
    let row = index.store.list_projects_at("shop/webshop", &PUBLIC).await.unwrap().remove(0);
    assert_eq!((row.id, row.source.as_str()), (7, "main"));
    assert_eq!((row.path.as_str(), row.name.as_str()), ("shop/webshop", "Web Shop"));
    assert_eq!(row.description, "About shop/webshop");
    assert_eq!(row.web_url, "https://gitlab.example.com/shop/webshop");
    assert_eq!((row.default_branch, row.last_activity_at), (None, None));
    assert_eq!((row.topics, row.archived), (vec!["service-webshop".to_owned()], true));
    assert_eq!(row.visibility, "private");
    assert!(row.pipeline.is_none());
}

#[tokio::test]
async fn an_unchanged_page_only_marks_its_projects_as_seen() {
    let mut index = Index::new().await;
    let builder = project(1, "shop/webshop").topic("service", "webshop");
    let key = index.project(&builder).await;
    index.next_run().await;
    assert!(!index.store.stored_projects(&index.run).await.unwrap()[&ProjectId::new(1)].seen);
    let before = index.generation().await;
    assert_eq!(index.project(&builder).await, key);
    assert_eq!(index.generation().await, before);
    index.project(&builder.clone().named("Another")).await;
    assert_eq!(index.generation().await, before + 1);
}

#[tokio::test]
async fn a_project_that_stands_twice_on_a_page_is_stored_as_it_was_last() {
    let index = Index::new().await;
    let first = project(1, "shop/old").topic("service", "webshop");
    let last = project(1, "shop/new").topic("service", "webshop").topic("team", "web");
    index.projects(&[first, last]).await;
    let key = index.key_of(ProjectId::new(1)).await;
    assert_eq!(index.tags_of(key).await, ["service:webshop by topic", "team:web by topic"]);
    assert_eq!(index.texts("select path from project").await, ["shop/new"]);
}

#[tokio::test]
async fn a_renamed_project_is_found_at_both_paths_and_keeps_its_items() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    index.items(key, &[issue(1).label("service", "webshop")]).await;
    assert_eq!(index.project(&project(1, "store/front")).await, key);
    for path in ["store/front", "shop/webshop", "Store/FRONT", "SHOP/webshop"] {
        let found = index.store.list_projects_at(path, &PUBLIC).await.unwrap();
        assert_eq!(found.len(), 1, "{path}");
        assert_eq!(found[0].path, "store/front", "{path}");
    }
    assert_eq!(index.store.list_former_paths(key.0).await.unwrap(), ["shop/webshop"]);
    assert_eq!(index.listed("webshop", ItemKind::Issue, &PUBLIC).await, [1]);
}

#[tokio::test]
async fn a_project_that_was_renamed_back_has_no_former_path_that_is_its_own() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/a")).await;
    index.project(&project(1, "shop/b")).await;
    index.project(&project(1, "shop/a")).await;
    assert_eq!(index.store.list_former_paths(key.0).await.unwrap(), ["shop/b"]);
}

#[tokio::test]
async fn a_path_that_another_project_took_is_that_project() {
    let index = Index::new().await;
    index.project(&project(1, "shop/webshop")).await;
    index.project(&project(1, "shop/legacy")).await;
    index.project(&project(2, "shop/webshop")).await;
    let found = index.store.list_projects_at("shop/webshop", &PUBLIC).await.unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn projects_that_swap_their_paths_are_both_found() {
    let index = Index::new().await;
    index.projects(&[project(1, "shop/a"), project(2, "shop/b")]).await;
    index.projects(&[project(1, "shop/b"), project(2, "shop/a")]).await;
    for (path, id) in [("shop/a", 2), ("shop/b", 1)] {
        let found = index.store.list_projects_at(path, &PUBLIC).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [id], "{path}");
    }
}

#[tokio::test]
async fn a_project_is_found_by_the_id_that_gitlab_gave_it() {
    let index = Index::new().await;
    index.project(&project(70, "shop/webshop")).await;
    let found = index.store.list_projects_with_id(70, &PUBLIC).await.unwrap();
    assert_eq!(found[0].path, "shop/webshop");
    assert!(index.store.list_projects_with_id(1, &PUBLIC).await.unwrap().is_empty());
}

#[tokio::test]
async fn items_inherit_a_key_of_which_their_project_has_one_value() {
    let index = Index::new().await;
    let builder = project(1, "shop/webshop").topic("service", "webshop").topic("team", "web");
    let key = index.project(&builder).await;
    let (plain, labelled) = (issue(1), issue(2).label("service", "Web-Shop"));
    index.items(key, &[plain.clone(), labelled.clone(), issue(3).label("team", "ops")]).await;
    let inherited = ["service:webshop (inherited)", "team:web (inherited)"];
    assert_eq!(index.tags_on(&plain).await, inherited);
    // It carries the tag itself as well.
    assert_eq!(index.tags_on(&labelled).await, inherited);
    assert_eq!(index.number("select count(*) from item_tag where own and inherited").await, 1);
    assert_eq!(
        index.tags_on(&issue(3)).await,
        ["service:webshop (inherited)", "team:ops", "team:web (inherited)"]
    );

    // Two values of a key: nothing says which of them an item is about.
    index.project(&builder.clone().topic("service", "checkout")).await;
    assert_eq!(index.tags_on(&plain).await, ["team:web (inherited)"]);
    assert_eq!(index.tags_on(&labelled).await, ["service:webshop", "team:web (inherited)"]);

    // None: nothing to hand down.
    index.project(&project(1, "shop/webshop")).await;
    assert!(index.tags_on(&plain).await.is_empty());
    assert_eq!(index.tags_on(&labelled).await, ["service:webshop"]);
    assert_eq!(index.tags_on(&issue(3)).await, ["team:ops"]);
}

#[tokio::test]
async fn two_spellings_of_one_name_are_one_value() {
    let index = Index::new().await;
    let builder = project(1, "shop/x").topic("service", "web-shop").topic("service", "WebShop");
    let key = index.project(&builder).await;
    index.items(key, &[issue(1)]).await;
    assert_eq!(index.counts("service", "webshop", &ALL).await.issues, 1);
    assert_eq!(index.counts("service", "webshop", &ALL).await.projects, 1);
    assert_eq!(index.number("select count(*) from tag where key = 'service'").await, 1);
}

#[tokio::test]
async fn a_changed_project_changes_the_tags_of_its_own_items_only() {
    let index = Index::new().await;
    let builders =
        [project(1, "shop/a").topic("service", "a"), project(2, "shop/b").topic("service", "b")];
    index.projects(&builders).await;
    let (a, b) = (index.key_of(ProjectId::new(1)).await, index.key_of(ProjectId::new(2)).await);
    index.items(a, &[issue(1)]).await;
    index.items(b, &[issue(2)]).await;
    index.project(&project(1, "shop/a").topic("service", "c")).await;
    assert_eq!(index.tags_on(&issue(1)).await, ["service:c (inherited)"]);
    assert_eq!(index.tags_on(&issue(2)).await, ["service:b (inherited)"]);
}

#[tokio::test]
async fn an_item_that_moves_inherits_from_its_new_project() {
    let index = Index::new().await;
    index
        .projects(&[
            project(1, "shop/a").topic("service", "a"),
            project(2, "shop/b").topic("service", "b"),
        ])
        .await;
    let (a, b) = (index.key_of(ProjectId::new(1)).await, index.key_of(ProjectId::new(2)).await);
    index.items(a, &[issue(1)]).await;
    index.items(b, &[issue(1)]).await;
    assert_eq!(index.tags_on(&issue(1)).await, ["service:b (inherited)"]);
    assert_eq!(index.number("select count(*) from item").await, 1);
}

fn label(name: &str, description: &str) -> Label {
    Label { id: None, name: name.to_owned(), description: description.to_owned() }
}

fn template(kind: ItemKind, name: &str, content: &str) -> Template {
    let (name, content) = (name.to_owned(), content.to_owned());
    Template { project: ProjectId::new(1), kind, name, content }
}

fn pipeline(id: i64, status: &str) -> Pipeline {
    Pipeline {
        id: PipelineId::new(id),
        status: status.to_owned(),
        git_ref: "main".to_owned(),
        sha: "c0ffee".to_owned(),
        web_url: format!("https://gitlab.example.com/shop/webshop/-/pipelines/{id}"),
        created_at: at(1),
        updated_at: Some(at(2)),
    }
}

fn parts() -> ProjectParts {
    ProjectParts {
        labels: Some(vec![label("bug", "it is broken"), label("svc/web", "")]),
        templates: Some(vec![
            template(ItemKind::Issue, "Bug", "## Steps"),
            template(ItemKind::MergeRequest, "Bug", "## What"),
        ]),
        code_owners: Some(Some(("CODEOWNERS".to_owned(), "* @ann".to_owned()))),
        pipeline: Some(Some(pipeline(5, "running"))),
        ..ProjectParts::default()
    }
}

#[tokio::test]
async fn parts_are_stored_and_stay_when_they_were_not_read() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let store = &index.store;
    store.apply_parts(&index.run, key, &parts(), true).await.unwrap();
    let stored = async || {
        let labels = "select name || '=' || description from label order by name";
        let templates = store.templates(index.run.source).await.unwrap();
        let row = store.list_projects_at("shop/webshop", &PUBLIC).await.unwrap().remove(0);
        (
            index.texts(labels).await,
            templates.get(&ProjectId::new(1)).cloned().unwrap_or_default(),
            store.find_code_owners(key.0).await.unwrap(),
            row.pipeline,
        )
    };
    let first = stored().await;
    assert_eq!(first.0, ["bug=it is broken", "svc/web="]);
    assert_eq!(Some(&first.1), parts().templates.as_ref());
    assert_eq!(first.2, parts().code_owners.unwrap());
    assert_eq!(first.3, Some(pipeline(5, "running")));

    let before = index.generation().await;
    store.apply_parts(&index.run, key, &ProjectParts::default(), true).await.unwrap();
    store.apply_parts(&index.run, key, &parts(), true).await.unwrap();
    assert_eq!(stored().await, first);
    assert_eq!(index.generation().await, before, "nothing changed");
}

#[tokio::test]
async fn parts_that_were_read_replace_what_was_stored() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let store = &index.store;
    store.apply_parts(&index.run, key, &parts(), true).await.unwrap();
    let changes = [
        ProjectParts { labels: Some(vec![label("bug", "it hurts")]), ..ProjectParts::default() },
        ProjectParts {
            templates: Some(vec![template(ItemKind::Issue, "Bug", "## Cause")]),
            ..ProjectParts::default()
        },
        ProjectParts {
            code_owners: Some(Some((".gitlab/CODEOWNERS".to_owned(), "* @ann".to_owned()))),
            ..ProjectParts::default()
        },
        ProjectParts { pipeline: Some(Some(pipeline(5, "failed"))), ..ProjectParts::default() },
    ];
    for change in changes {
        let before = index.generation().await;
        store.apply_parts(&index.run, key, &change, false).await.unwrap();
        assert_eq!(index.generation().await, before + 1, "{change:?}");
    }
    assert_eq!(index.texts("select name || '=' || description from label").await, ["bug=it hurts"]);
    let templates = store.templates(index.run.source).await.unwrap();
    assert_eq!(templates[&ProjectId::new(1)], [template(ItemKind::Issue, "Bug", "## Cause")]);
    let owners = store.find_code_owners(key.0).await.unwrap().unwrap();
    assert_eq!(owners, (".gitlab/CODEOWNERS".to_owned(), "* @ann".to_owned()));
    let row = store.list_projects_at("shop/webshop", &PUBLIC).await.unwrap().remove(0);
    assert_eq!(row.pipeline.unwrap().status, "failed");
}

#[tokio::test]
async fn parts_that_are_gone_are_removed() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let store = &index.store;
    store.apply_parts(&index.run, key, &parts(), true).await.unwrap();
    let empty = ProjectParts {
        labels: Some(Vec::new()),
        templates: Some(Vec::new()),
        code_owners: Some(None),
        catalog: Some(Vec::new()),
        pipeline: Some(None),
        files_print: Some(None),
    };
    store.apply_parts(&index.run, key, &empty, true).await.unwrap();
    for table in ["label", "template", "code_owners", "pipeline"] {
        assert_eq!(index.number(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_part_that_names_a_thing_twice_is_stored() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let twice = ProjectParts {
        labels: Some(vec![
            Label { id: Some(LabelId::new(9)), ..label("bug", "its own") },
            Label { id: Some(LabelId::new(4)), ..label("bug", "a group's") },
        ]),
        templates: Some(vec![
            template(ItemKind::Issue, "Bug", "a"),
            template(ItemKind::Issue, "Bug", "b"),
        ]),
        ..ProjectParts::default()
    };
    index.store.apply_parts(&index.run, key, &twice, true).await.unwrap();
    assert_eq!(index.texts("select description from label").await, ["a group's"]);
    assert_eq!(index.number("select count(*) from template").await, 1);
}

#[tokio::test]
async fn parts_are_read_once_in_a_run_when_all_could_be() {
    let mut index = Index::new().await;
    let builder = project(1, "shop/webshop");
    let key = index.project(&builder).await;
    let id = ProjectId::new(1);
    let read = async |index: &Index| {
        let stored = index.store.stored_projects(&index.run).await.unwrap().remove(&id).unwrap();
        assert_eq!(stored.details_due, stored.details_run < index.run.key);
        !stored.details_due
    };
    assert!(!read(&index).await);
    index.store.apply_parts(&index.run, key, &parts(), false).await.unwrap();
    assert!(!read(&index).await);
    index.store.apply_parts(&index.run, key, &parts(), true).await.unwrap();
    assert!(read(&index).await);
    // A page that comes again, changed or not, does not undo it.
    index.project(&builder.clone().named("Another")).await;
    assert!(read(&index).await);
    index.next_run().await;
    let mut moved = builder;
    moved.0.default_branch = Some("trunk".to_owned());
    index.project(&moved).await;
    let stored = index.store.stored_projects(&index.run).await.unwrap();
    assert!(stored[&id].details_due, "its files are others now");
}

#[tokio::test]
async fn texts_of_any_kind_are_kept_byte_for_byte() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let text = "[Ärger][2] \u{202e} 'quote' \"double\" \\ ; -- drop table\r\n".repeat(4000);
    let code_owners = Some(Some(("docs/CODEOWNERS".to_owned(), text.clone())));
    let parts = ProjectParts { code_owners, ..ProjectParts::default() };
    index.store.apply_parts(&index.run, key, &parts, true).await.unwrap();
    let (_, stored) = index.store.find_code_owners(key.0).await.unwrap().unwrap();
    assert_eq!(stored, text);
    let bytes = index.number("select length(content) from code_owners").await;
    assert!(bytes < 10_000, "{bytes} bytes are not compressed");
}

#[tokio::test]
async fn renamed_and_removed_labels_are_told_until_they_are_settled() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let store = &index.store;
    let numbered = |labels: &[(i64, &str)]| ProjectParts {
        labels: Some(
            labels
                .iter()
                .map(|(id, name)| Label { id: Some(LabelId::new(*id)), ..label(name, "") })
                .collect(),
        ),
        ..ProjectParts::default()
    };
    let told = async || {
        let changes = store.list_label_changes(index.run.source).await.unwrap();
        changes.into_iter().map(|change| (change.name, change.new_name)).collect::<Vec<_>>()
    };
    // Read before labels had numbers: none is taken for renamed.
    let bare = ProjectParts { labels: Some(vec![label("bug", "")]), ..ProjectParts::default() };
    store.apply_parts(&index.run, key, &bare, true).await.unwrap();
    let first = numbered(&[(1, "bug"), (2, "crash"), (3, "late")]);
    store.apply_parts(&index.run, key, &first, true).await.unwrap();
    assert_eq!(told().await, []);

    // `crash` takes another name, `bug` takes that of `crash`, `late` goes, and `new` is new.
    let second = numbered(&[(1, "crash"), (2, "outage"), (4, "bug"), (5, "new")]);
    store.apply_parts(&index.run, key, &second, true).await.unwrap();
    store.apply_parts(&index.run, key, &second, true).await.unwrap();
    let changes = store.list_label_changes(index.run.source).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        ("crash".to_owned(), text("outage")),
        ("late".to_owned(), None),
        ("bug".to_owned(), text("crash")),
    ];
    assert_eq!(told().await, expected);
    store.settle_label_changes(&changes).await.unwrap();
    assert_eq!(told().await, []);

    // `bug` is deleted and made again; of two labels named `new`, one goes and the other stays.
    let third = numbered(&[(1, "crash"), (2, "outage"), (5, "new"), (6, "bug"), (7, "new")]);
    store.apply_parts(&index.run, key, &third, true).await.unwrap();
    assert_eq!(told().await, [("bug".to_owned(), None)]);
    let fourth = numbered(&[(1, "crash"), (2, "outage"), (5, "new"), (6, "bug")]);
    store.apply_parts(&index.run, key, &fourth, true).await.unwrap();
    assert_eq!(told().await, [("bug".to_owned(), None), ("new".to_owned(), None)]);
}
