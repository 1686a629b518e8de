//! What is asked for, and what comes back, against real servers.

use super::*;
use crate::gitlab::ItemOrder;
use crate::gitlab::stub::{Stub, answer, client, json, settings};

mod lists;
mod routes;

const JSON: (&str, &str) = ("content-type", "application/json");

fn project() -> ProjectId {
    ProjectId::new(7)
}

#[tokio::test]
async fn list_is_walked_by_links_over_short_and_empty_pages() {
    let stub = Stub::start(|asked, _| {
        let (next, body) = match asked.uri.split_once("page=").map(|(_, page)| page) {
            Some("2") => ("3", "[]"),
            Some("3") => ("", r#"[{"id":3,"body":"c"}]"#),
            _ => ("2", r#"[{"id":1,"body":"a"},{"id":2,"body":"b"}]"#),
        };
        // The external address of this GitLab is another than the one it is asked under.
        let path = "api/v4/projects/7/issues/5/notes";
        let link = format!("<https://gitlab.example.com/{path}?page={next}>; rel=\"next\"");
        match next {
            "" => answer(200, &[JSON], body),
            _ => answer(200, &[JSON, ("link", &link), ("x-next-page", next)], body),
        }
    })
    .await;
    let notes =
        stub.client().notes(project(), ItemKind::Issue, Iid::new(5)).await.expect("all notes");
    assert_eq!(notes.iter().map(|note| note.id.get()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        stub.uris(),
        [
            "/api/v4/projects/7/issues/5/notes?order_by=created_at&sort=asc&per_page=100",
            "/api/v4/projects/7/issues/5/notes?page=2",
            "/api/v4/projects/7/issues/5/notes?page=3",
        ]
    );
}

#[tokio::test]
async fn page_number_is_followed_where_there_is_no_link() {
    let stub = Stub::start(|asked, _| {
        let last = asked.uri.contains("&page=2");
        let next = ("x-next-page", if last { "" } else { "2" });
        answer(200, &[JSON, next, ("x-total", "2")], r#"[{"name":"a","description":null}]"#)
    })
    .await;
    let labels = stub.client().project_labels(project()).await.expect("labels");
    assert_eq!(labels.len(), 2);
    assert_eq!(
        stub.uris()[1],
        "/api/v4/projects/7/labels?include_ancestor_groups=true&per_page=100&page=2"
    );
}

#[tokio::test]
async fn foreign_link_is_an_error_and_is_not_followed() {
    let other = Stub::start(|_, _| json(200, "[]")).await;
    for path in ["/api/v4/projects/8/labels?page=2", "/steal"] {
        // The test's hosts differ in name only, which is what counts.
        let link = format!("<{}{path}>; rel=next", other.url.replace("127.0.0.1", "localhost"));
        let stub = Stub::start(move |_, _| answer(200, &[JSON, ("link", &link)], "[]")).await;
        let error = stub.client().project_labels(project()).await.expect_err("refused");
        assert!(matches!(error.cause(), Error::ForeignLink { .. }), "{error:?}");
    }
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn link_to_another_port_comes_back_to_the_base() {
    let other = Stub::start(|_, _| json(200, "[]")).await;
    let link = format!("<{}/api/v4/projects/7/labels?page=2>; rel=next", other.url);
    let stub = Stub::start(move |_, turn| match turn {
        0 => answer(200, &[JSON, ("link", &link)], "[]"),
        _ => json(200, "[]"),
    })
    .await;
    stub.client().project_labels(project()).await.expect("labels");
    assert_eq!(stub.uris()[1], "/api/v4/projects/7/labels?page=2");
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn page_carries_total_and_the_servers_time_and_can_be_stored() {
    let stub = Stub::start(|_, turn| {
        let link = format!("</gl/api/v4/groups/3/issues?page={}>; rel=\"next\"", turn + 2);
        let date = ("date", "Sun, 22 Nov 2026 12:00:10 GMT");
        let body = r#"[{"id":9,"iid":2,"project_id":7,"title":"t"}]"#;
        answer(200, &[JSON, ("x-total", "201"), date, ("link", &link)], body)
    })
    .await;
    let client = client(settings(&format!("{}/gl", stub.url)));
    let query = ItemQuery {
        updated_after: Some("2026-11-22T10:00:00.123Z".parse().expect("a time")),
        ..ItemQuery::default()
    };
    let page = client.issues(Scope::Group(GroupId::new(3)), &query).await.expect("a page");
    assert_eq!(page.total, Some(201));
    assert_eq!(page.server_date, Some("2026-11-22T12:00:10Z".parse().expect("a time")));
    assert_eq!(page.items[0].title, "t");

    let stored = page.next.expect("a next page").as_str().to_owned();
    let next = NextPage::from_stored(stored);
    client.follow_items(ItemKind::Issue, &next).await.expect("a page");
    assert_eq!(
        stub.uris(),
        [
            "/gl/api/v4/groups/3/issues?scope=all&state=all&order_by=updated_at&sort=asc\
             &per_page=100&updated_after=2026-11-22T10%3A00%3A00.123Z&non_archived=true",
            "/gl/api/v4/groups/3/issues?page=2",
        ]
    );
}

#[tokio::test]
async fn lists_are_asked_for_with_what_the_defaults_would_hide() {
    let stub = Stub::start(|_, _| json(200, "[]")).await;
    let client = stub.client();
    let group = GroupId::new(3);
    let archived = ProjectQuery { archived: true, per_page: 500 };
    client.group_projects(group, archived).await.expect("a page");
    client.projects_member(ProjectQuery::default()).await.expect("a page");
    let query = ItemQuery {
        order: ItemOrder::Created,
        ascending: false,
        iids: vec![Iid::new(1), Iid::new(2)],
        per_page: 0,
        ..ItemQuery::default()
    };
    client.merge_requests(Scope::Project(project()), &query).await.expect("a page");
    assert_eq!(
        stub.uris(),
        [
            "/api/v4/groups/3/projects?order_by=id&sort=asc&per_page=100&include_subgroups=true\
             &with_shared=false",
            "/api/v4/projects?order_by=id&sort=asc&per_page=100&archived=false&membership=true\
             &pagination=keyset",
            "/api/v4/projects/7/merge_requests?scope=all&state=all&order_by=created_at&sort=desc\
             &per_page=1&iids%5B%5D=1&iids%5B%5D=2&with_labels_details=true",
        ]
    );
}

#[tokio::test]
async fn object_that_cannot_be_decoded_is_named_by_path_and_index() {
    let stub = Stub::start(|_, _| json(200, r#"[{"name":"a"},{"color":"red"}]"#)).await;
    let error = stub.client().project_labels(project()).await.expect_err("an error");
    let text = error.cause().to_string();
    assert!(text.contains("/projects/7/labels") && text.contains("object 1"), "{text}");
    assert_eq!(stub.asked().len(), 3, "again, in case it was chance");
}

#[tokio::test]
async fn file_is_read_with_its_blob_id() {
    let stub = Stub::start(|_, _| {
        answer(200, &[("content-type", "text/plain"), ("x-gitlab-blob-id", "e2e4")], "* @ann\n")
    })
    .await;
    let file = stub
        .client()
        .raw_file(project(), ".gitlab/CODEOWNERS", Some("main"))
        .await
        .expect("no error")
        .expect("a file");
    let expected = RawFile { blob_id: Some("e2e4".to_owned()), bytes: b"* @ann\n".to_vec() };
    assert_eq!(file, expected);
    assert_eq!(
        stub.uris(),
        ["/api/v4/projects/7/repository/files/.gitlab%2FCODEOWNERS/raw?ref=main"]
    );
}

#[tokio::test]
async fn only_a_file_or_commit_that_is_not_there_is_no_file() {
    for (status, body, is_none) in [
        (404, r#"{"message":"404 File Not Found"}"#, true),
        (404, r#"{"message":"404 Commit Not Found"}"#, true),
        (404, r#"{"message":"404 Project Not Found"}"#, false),
        (404, r#"{"message":"404 Not found"}"#, false),
        (404, r#"{"error":"404 Not Found"}"#, false),
        (404, "<html>", false),
        (403, r#"{"message":"403 Forbidden"}"#, false),
    ] {
        let stub = Stub::start(move |_, _| json(status, body)).await;
        let read = stub.client().raw_file(project(), "CODEOWNERS", None).await;
        assert_eq!(matches!(read, Ok(None)), is_none, "{body}: {read:?}");
        assert_eq!(read.is_err(), !is_none, "{body}");
    }
}

#[tokio::test]
async fn sign_in_page_is_not_taken_for_a_file() {
    let stub = Stub::start(|_, _| answer(200, &[("content-type", "text/html")], "<html>")).await;
    let error = stub.client().raw_file(project(), "a", None).await.expect_err("an error");
    assert!(matches!(error.cause(), Error::NotGitLab { .. }), "{error:?}");
}

#[tokio::test]
async fn templates_are_read_one_by_one_and_one_that_is_gone_is_left_out() {
    let stub = Stub::start(|asked, _| match asked.uri.as_str() {
        "/api/v4/projects/7/templates/issues?per_page=100" => {
            json(200, r#"[{"key":"Bug report","name":"Bug report"},{"key":"a/b"},{"key":"Gone"}]"#)
        }
        "/api/v4/projects/7/templates/issues/Bug%20report" => {
            json(200, r###"{"name":"Bug report","content":"## Service\n"}"###)
        }
        "/api/v4/projects/7/templates/issues/a%2Fb" => json(200, r#"{"content":null}"#),
        _ => json(404, r#"{"message":"404 Template Not Found"}"#),
    })
    .await;
    let templates =
        stub.client().templates(project(), ItemKind::Issue).await.expect("the templates");
    let read: Vec<_> = templates.iter().map(|t| (t.name.as_str(), t.content.as_str())).collect();
    assert_eq!(read, [("Bug report", "## Service\n"), ("a/b", "")]);
}

#[tokio::test]
async fn latest_pipeline_is_found_or_there_is_none() {
    let stub = Stub::start(|asked, _| {
        if asked.uri.contains("ref=main") {
            json(200, r#"[{"id":5,"status":"success","ref":"main","sha":"ab"}]"#)
        } else {
            json(200, "[]")
        }
    })
    .await;
    let client = stub.client();
    let found = client.latest_pipeline(project(), "main").await.expect("no error");
    assert_eq!(found.expect("a pipeline").id.get(), 5);
    assert_eq!(client.latest_pipeline(project(), "a&b").await.expect("no error"), None);
    assert_eq!(
        stub.uris()[1],
        "/api/v4/projects/7/pipelines?ref=a%26b&order_by=id&sort=desc&per_page=1"
    );
}

#[tokio::test]
async fn project_and_group_are_asked_for_by_path_as_one_segment() {
    let stub = Stub::start(|_, _| {
        json(200, r#"{"id":3,"full_path":"shop/backend","path_with_namespace":"shop/backend/x"}"#)
    })
    .await;
    let client = stub.client();
    assert_eq!(client.group("shop/backend").await.expect("a group").id.get(), 3);
    client.project("shop/backend/x").await.expect("a project");
    assert!(matches!(client.group("").await, Err(Error::Name { .. })));
    assert_eq!(
        stub.uris(),
        [
            "/api/v4/groups/shop%2Fbackend?with_projects=false",
            "/api/v4/projects/shop%2Fbackend%2Fx",
        ]
    );
}
