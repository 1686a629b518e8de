//! Lists to their end, whichever way GitLab pages them, and lists that have none.

use super::*;

#[tokio::test]
async fn list_that_leads_in_a_circle_over_several_pages_ends() {
    let stub = Stub::start(|asked, _| {
        let page: u64 = asked
            .uri
            .rsplit_once("page=")
            .and_then(|(_, page)| page.parse().ok())
            .filter(|page| *page < 4)
            .unwrap_or(1);
        let next = if page == 3 { 1 } else { page + 1 };
        let link = format!("</api/v4/projects/7/labels?page={next}>; rel=\"next\"");
        answer(200, &[JSON, ("link", &link)], r#"[{"name":"a","description":null}]"#)
    })
    .await;
    let error = stub.client().project_labels(project()).await.expect_err("a circle");
    assert!(matches!(error, Error::LoopingLink { .. }), "{error:?}");
    assert_eq!(stub.asked().len(), 4, "the first page has two addresses");
}

#[tokio::test]
async fn list_of_ever_new_empty_pages_ends() {
    let stub = Stub::start(|_, turn| {
        let link = format!("</api/v4/projects/7/labels?cursor={turn}>; rel=\"next\"");
        answer(200, &[JSON, ("link", &link)], "[]")
    })
    .await;
    let mut settings = settings(&stub.url);
    settings.requests_per_minute = 1_000_000;
    let error = client(settings).project_labels(project()).await.expect_err("no end");
    assert!(matches!(error, Error::EndlessList { pages: 101, .. }), "{error:?}");
    assert_eq!(stub.asked().len(), 101);
}

#[tokio::test]
async fn fewer_rows_than_asked_for_are_followed_by_what_the_server_says() {
    // The server's maximum is 20; its links and pages go by that, and repeat what was asked.
    for linked in [true, false] {
        let stub = Stub::start(move |asked, _| {
            let second = asked.uri.contains("&page=2");
            let link = format!("<{}&page=2>; rel=\"next\"", asked.uri);
            let mut headers = vec![JSON, ("x-per-page", "20"), ("x-total", "21")];
            match (second, linked) {
                (false, true) => headers.push(("link", &link)),
                (false, false) => headers.push(("x-next-page", "2")),
                (true, _) => headers.push(("x-next-page", "")),
            }
            let rows = if second { 1 } else { 20 };
            let body = vec![r#"{"name":"a","description":null}"#; rows].join(",");
            answer(200, &headers, &format!("[{body}]"))
        })
        .await;
        let labels = stub.client().project_labels(project()).await.expect("labels");
        assert_eq!(labels.len(), 21, "linked: {linked}");
        assert!(stub.uris().iter().all(|uri| uri.contains("per_page=100")));
    }
}

#[tokio::test]
async fn keyset_list_ends_with_an_empty_page_without_a_link() {
    let stub = Stub::start(|asked, _| match asked.uri.split_once("id_after=") {
        None => {
            let link = format!("<{}&id_after=7>; rel=\"next\"", asked.uri);
            answer(200, &[JSON, ("link", &link)], r#"[{"id":7,"path_with_namespace":"a/b"}]"#)
        }
        Some(_) => answer(200, &[JSON], "[]"),
    })
    .await;
    let client = stub.client();
    let first = client.projects_member(ProjectQuery::default()).await.expect("a page");
    assert_eq!((first.items.len(), first.total), (1, None));
    let next = client.follow_projects(&first.next.expect("a next page")).await.expect("a page");
    assert_eq!((next.items.len(), next.next), (0, None));
}

const CEILING: &str = r#"{"error":"Offset pagination has a maximum allowed offset of 50000 for requests that return objects of type Project. Remaining records can be retrieved using keyset pagination."}"#;

#[tokio::test]
async fn list_of_all_projects_goes_on_by_keyset_where_offsets_end() {
    // Keyset was asked for and silently not given; then the offsets end.
    let stub = Stub::start(|asked, _| {
        if asked.uri.contains("id_after=9") {
            return answer(200, &[JSON], r#"[{"id":12,"path_with_namespace":"a/c"}]"#);
        }
        if asked.uri.contains("&page=2") {
            return json(405, CEILING);
        }
        let body = r#"[{"id":9,"path_with_namespace":"a/b"},{"id":3,"path_with_namespace":"a/a"}]"#;
        answer(200, &[JSON, ("x-next-page", "2")], body)
    })
    .await;
    let client = stub.client();
    let first = client.projects_member(ProjectQuery::default()).await.expect("a page");
    let next = first.next.expect("a next page");
    let stored = NextPage::from_stored(next.as_str());
    let page = client.follow_projects(&stored).await.expect("a page");
    assert_eq!(page.items[0].project.id, ProjectId::new(12));
    let uris = stub.uris();
    assert!(uris.iter().all(|uri| !uri.contains('#')), "{uris:?}");
    let last = uris.last().expect("a request");
    assert!(last.contains("pagination=keyset") && last.contains("membership=true"), "{last}");
    assert!(!last.contains("page=2"), "{last}");
}

#[tokio::test]
async fn list_without_keyset_that_ends_at_the_ceiling_says_so() {
    let stub = Stub::start(|asked, _| {
        if asked.uri.contains("&page=2") {
            return json(405, CEILING);
        }
        answer(200, &[JSON, ("x-next-page", "2")], "[]")
    })
    .await;
    let client = stub.client();
    let first = client.group_projects(GroupId::new(5), ProjectQuery::default()).await;
    let next = first.expect("a page").next.expect("a next page");
    let error = client.follow_projects(&next).await.expect_err("the ceiling");
    assert!(error.to_string().contains("maximum allowed offset"), "{error}");
    assert!(error.hint().expect("a next step").contains("smaller groups"));
}

#[tokio::test]
async fn list_of_projects_is_asked_for_by_offsets_where_there_is_no_keyset() {
    let refusal = r#"{"error":"Keyset pagination is not yet available for this type of request"}"#;
    let stub = Stub::start(move |asked, _| {
        if asked.uri.contains("pagination=keyset") {
            return json(405, refusal);
        }
        json(200, r#"[{"id":7,"path_with_namespace":"a/b"}]"#)
    })
    .await;
    let page = stub.client().projects_member(ProjectQuery::default()).await.expect("a page");
    assert_eq!(page.items.len(), 1);
    assert_eq!(
        stub.uris()[1],
        "/api/v4/projects?order_by=id&sort=asc&per_page=100&archived=false&membership=true"
    );
}
