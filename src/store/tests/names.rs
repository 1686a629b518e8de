//! Names: services by a project's own name, the spelling shown, and names that nothing carries.

use super::build::{ALL, Index, issue, project};
use crate::model::ProjectId;

async fn settle(index: &Index) {
    index.store.settle_names(&index.run).await.unwrap();
}

async fn shown(index: &Index, key: &str) -> Vec<String> {
    let rows = index.store.list_tags(key, "", 100, &ALL).await.unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

#[tokio::test]
async fn a_project_named_as_a_service_that_something_else_tells_of_carries_it() {
    let index = Index::new().await;
    let builders = [project(1, "shop/web-shop"), project(2, "shop/tools").named("Check Out")];
    index.projects(&builders).await;
    let (web, tools) =
        (index.key_of(ProjectId::new(1)).await, index.key_of(ProjectId::new(2)).await);
    let other = index.project(&project(3, "ops/infra")).await;
    index
        .items(
            other,
            &[issue(1).label("service", "webshop"), issue(2).label("service", "checkout")],
        )
        .await;
    index.items(web, &[issue(3)]).await;
    settle(&index).await;
    assert_eq!(index.tags_of(web).await, ["service:webshop by name"]);
    assert_eq!(index.tags_of(tools).await, ["service:checkout by name"]);
    assert!(index.tags_of(other).await.is_empty());
    assert_eq!(index.tags_on(&issue(3)).await, ["service:webshop (inherited)"]);
    let why = index.store.list_project_tags(&format!("[{}]", web.0)).await.unwrap().remove(0);
    assert_eq!((why.location.as_str(), why.text.as_str()), ("title", "shop/web-shop"));
    assert_eq!(why.rule, "name:service");
}

#[tokio::test]
async fn a_name_alone_makes_no_service() {
    let index = Index::new().await;
    index.projects(&[project(1, "shop/webshop"), project(2, "store/webshop")]).await;
    settle(&index).await;
    for id in [1, 2] {
        let key = index.key_of(ProjectId::new(id)).await;
        assert!(index.tags_of(key).await.is_empty());
    }
    assert!(shown(&index, "service").await.is_empty());
}

#[tokio::test]
async fn a_name_that_is_only_a_team_or_component_makes_no_service() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    index.items(key, &[issue(1).label("team", "webshop").label("component", "webshop")]).await;
    settle(&index).await;
    assert!(index.tags_of(key).await.is_empty());
}

#[tokio::test]
async fn stronger_evidence_of_another_service_wins_over_the_name() {
    let index = Index::new().await;
    let named = project(1, "shop/webshop").topic("service", "checkout");
    let key = index.project(&named).await;
    let other = index.project(&project(2, "ops/infra").topic("service", "webshop")).await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:checkout by topic"]);
    assert_eq!(index.tags_of(other).await, ["service:webshop by topic"]);

    // The topic goes: now the name counts.
    index.project(&project(1, "shop/webshop")).await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:webshop by name"]);
    // And it comes back.
    index.project(&named).await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:checkout by topic"]);
}

#[tokio::test]
async fn the_name_stands_beside_stronger_evidence_of_the_same_service() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:webshop by topic", "service:webshop by name"]);
    assert_eq!(index.counts("service", "webshop", &ALL).await.projects, 1);
}

#[tokio::test]
async fn a_name_goes_when_what_told_of_the_service_goes() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let teller = issue(1).label("service", "webshop");
    index.items(key, &[teller.clone(), issue(2)]).await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:webshop by name"]);
    assert_eq!(index.tags_on(&issue(2)).await, ["service:webshop (inherited)"]);

    let before = index.generation().await;
    settle(&index).await;
    assert_eq!(index.generation().await, before, "nothing changed");

    index.items(key, &[issue(1)]).await;
    settle(&index).await;
    assert!(index.tags_of(key).await.is_empty());
    assert!(index.tags_on(&issue(2)).await.is_empty());
    assert!(shown(&index, "service").await.is_empty());
    assert_eq!(index.number("select count(*) from tag").await, 0);
}

#[tokio::test]
async fn two_projects_do_not_keep_each_other_s_name_alive() {
    let index = Index::new().await;
    let builders = [project(1, "shop/webshop"), project(2, "store/webshop")];
    index.projects(&builders).await;
    let a = index.key_of(ProjectId::new(1)).await;
    index.items(a, &[issue(1).label("service", "webshop")]).await;
    settle(&index).await;
    assert_eq!(index.counts("service", "webshop", &ALL).await.projects, 2);
    index.items(a, &[issue(1)]).await;
    settle(&index).await;
    assert_eq!(index.counts("service", "webshop", &ALL).await.projects, 0);
}

#[tokio::test]
async fn a_renamed_project_carries_the_service_of_its_new_name() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let other = index.project(&project(2, "ops/infra")).await;
    let items = [issue(1).label("service", "webshop"), issue(2).label("service", "checkout")];
    index.items(other, &items).await;
    settle(&index).await;
    index.project(&project(1, "shop/checkout")).await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:checkout by name"]);
}

#[tokio::test]
async fn a_moved_project_quotes_its_present_path() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    index.items(key, &[issue(1).label("service", "webshop")]).await;
    settle(&index).await;
    index.project(&project(1, "store/webshop")).await;
    settle(&index).await;
    let why = index.store.list_project_tags(&format!("[{}]", key.0)).await.unwrap();
    let texts: Vec<&str> = why.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(texts, ["store/webshop"]);
}

#[tokio::test]
async fn a_project_may_be_named_as_two_services() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").named("Checkout")).await;
    let items =
        [issue(1).label("service", "webshop"), issue(2).label("service", "checkout"), issue(3)];
    index.items(key, &items).await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:checkout by name", "service:webshop by name"]);
    assert!(index.tags_on(&issue(3)).await.is_empty(), "two values hand nothing down");
}

#[tokio::test]
async fn sources_settle_their_own_projects() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let other = index.store.begin_sync("other", "https://other.example.com", super::build::at(9));
    let other = other.await.unwrap();
    index.items(key, &[issue(1).label("service", "webshop")]).await;
    index.store.settle_names(&other).await.unwrap();
    assert!(index.tags_of(key).await.is_empty());
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:webshop by name"]);
}

#[tokio::test]
async fn the_spelling_shown_is_that_of_projects_then_the_most_used() {
    // Topics of projects, labels of items, and what is shown.
    let cases: [(&[&str], &[&str], &str); 6] = [
        (&[], &["webshop"], "webshop"),
        (&[], &["Web-Shop", "Web-Shop", "webshop"], "Web-Shop"),
        (&["web_shop"], &["Web-Shop", "Web-Shop"], "web_shop"),
        (&["WebShop", "web-shop", "web-shop"], &[], "web-shop"),
        // As often used: the one in lower case, then the first by letter.
        (&[], &["Web-Shop", "web-shop"], "web-shop"),
        (&[], &["web-shop", "web.shop"], "web-shop"),
    ];
    for (topics, labels, expected) in cases {
        let index = Index::new().await;
        let plain = index.project(&project(90, "ops/infra")).await;
        for (id, spelling) in (1..).zip(topics) {
            let path = format!("shop/project-{id}");
            index.project(&project(id, &path).topic("service", spelling)).await;
        }
        let items: Vec<_> =
            (1..).zip(labels).map(|(id, spelling)| issue(id).label("service", spelling)).collect();
        index.items(plain, &items).await;
        settle(&index).await;
        assert_eq!(shown(&index, "service").await, [expected], "{topics:?} {labels:?}");
    }
}

#[tokio::test]
async fn a_project_s_own_path_does_not_decide_the_spelling() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/web-shop")).await;
    index.items(key, &[issue(1).label("service", "WebShop")]).await;
    settle(&index).await;
    assert_eq!(shown(&index, "service").await, ["WebShop"]);
}

#[tokio::test]
async fn a_spelling_that_changes_changes_answers() {
    let index = Index::new().await;
    let key = index.project(&project(1, "ops/infra")).await;
    index.items(key, &[issue(1).label("service", "WEB-SHOP")]).await;
    settle(&index).await;
    index.items(key, &[issue(1).label("service", "web-shop")]).await;
    let before = index.generation().await;
    settle(&index).await;
    assert_eq!(index.generation().await, before + 1);
    assert_eq!(shown(&index, "service").await, ["web-shop"]);
}

#[tokio::test]
async fn names_are_listed_in_order_page_by_page() {
    let index = Index::new().await;
    let key = index.project(&project(1, "ops/infra")).await;
    let names = ["Zeta", "alpha", "Beta", "web-shop", "webber", "delta"];
    let items: Vec<_> =
        (1..).zip(names).map(|(id, name)| issue(id).label("service", name)).collect();
    index.items(key, &items).await;
    settle(&index).await;
    let mut after = String::new();
    let mut found = Vec::new();
    loop {
        let page = index.store.list_tags("service", &after, 2, &ALL).await.unwrap();
        let Some(last) = page.last() else { break };
        last.match_key.clone_into(&mut after);
        found.extend(page.into_iter().map(|row| row.value));
    }
    assert_eq!(found, ["alpha", "Beta", "delta", "webber", "web-shop", "Zeta"]);
}
