//! Routes as figures and logs show them, beside the words of GitLab's own document.

use std::collections::BTreeSet;

use super::*;

/// Words of routes that the document leaves out (reference, sections 4.3, 4.6 and 4.11).
const BESIDE_THE_DOCUMENT: [&str; 3] = ["labels", "notes", "templates"];

/// The words in the paths of GitLab's own document; `None` where it is not there.
fn words_of_gitlab() -> Option<BTreeSet<String>> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gitlab/openapi/gitlab_v4_get_subset.json");
    let text = std::fs::read_to_string(path).ok()?;
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").keys();
    let words = paths.flat_map(|path| path.split('/')).filter(|word| !word.starts_with('{'));
    Some(words.chain(BESIDE_THE_DOCUMENT).map(str::to_owned).collect())
}

#[tokio::test]
async fn routes_keep_every_word_of_gitlabs_and_no_name() {
    let Some(words) = words_of_gitlab() else {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    };
    let stub = Stub::start(|_, _| json(404, r#"{"message":"404 Not Found"}"#)).await;
    let client = stub.client();
    let (iid, id) = (Iid::new(5), GroupId::new(6));
    client.version().await.ok();
    client.group("shop").await.ok();
    client.project("shop/web").await.ok();
    client.group_projects(id, ProjectQuery::default()).await.ok();
    client.projects_member(ProjectQuery::default()).await.ok();
    client.project_labels(project()).await.ok();
    client.latest_pipeline(project(), "main").await.ok();
    client.raw_file(project(), "docs/a.md", None).await.ok();
    for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
        for scope in [Scope::Group(id), Scope::Project(project())] {
            client.items(kind, scope, &ItemQuery::default()).await.ok();
        }
        client.notes(project(), kind, iid).await.ok();
        client.templates(project(), kind).await.ok();
    }
    let uris = stub.uris();
    assert_eq!(uris.len(), 16, "{uris:?}");
    let figures = client.figures();
    for uri in uris {
        let path = uri.trim_start_matches("/api/v4/").split('?').next().expect("a path");
        let target = client.base().resolve(path).expect("a target");
        for (word, shown) in path.split('/').zip(target.route.split('/').skip(1)) {
            assert_eq!(shown == word, words.contains(word), "{path}: {}", target.route);
        }
        assert!(figures.keys().any(|(route, _)| *route == target.route), "{}", target.route);
    }
}
