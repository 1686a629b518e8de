//! Offset paging, keyset paging, and their headers.

use gitlab_sim::world::{ItemRef, NewIssue, NewNote, NewProject, World};
use gitlab_sim::{Clock, GitLab, Options};

use crate::client::{fetch, get, serve};

/// Makes a project of issues that were all made at the same moment.
fn with_issues(count: usize) -> World {
    let mut world = World::with_clock(Clock::at(jiff::Timestamp::UNIX_EPOCH));
    let project = world.add_project(NewProject::at("acme/shop"));
    for number in 0..count {
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
    }
    world
}

#[tokio::test]
async fn a_middle_page_has_all_headers() {
    let gitlab = serve(with_issues(5)).await;
    let reply = get(&gitlab, "/projects/1/issues?per_page=2&page=2&sort=asc").await;
    assert_eq!(reply.numbers("iid"), [3, 2], "equal times come by falling id");
    for (name, value) in [
        ("x-page", "2"),
        ("x-per-page", "2"),
        ("x-prev-page", "1"),
        ("x-next-page", "3"),
        ("x-total", "5"),
        ("x-total-pages", "3"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    let link = |page: u8| {
        format!(
            "{}/api/v4/projects/1/issues?id=1&order_by=created_at&page={page}&per_page=2&sort=asc\
             &state=all&with_labels_details=false",
            gitlab.url()
        )
    };
    assert_eq!(reply.link("prev"), Some(link(1)));
    assert_eq!(reply.link("next"), Some(link(3)));
    assert_eq!(reply.link("first"), Some(link(1)));
    assert_eq!(reply.link("last"), Some(link(3)));
}

#[tokio::test]
async fn the_ends_have_empty_headers() {
    let gitlab = serve(with_issues(2)).await;
    let only = get(&gitlab, "/projects/1/issues").await;
    assert_eq!(only.header("x-prev-page"), Some(""));
    assert_eq!(only.header("x-next-page"), Some(""));
    assert_eq!(only.link("next"), None);
    let beyond = get(&gitlab, "/projects/1/issues?page=9").await;
    assert_eq!((beyond.status, beyond.text.as_str()), (200, "[]"));
    assert_eq!(beyond.header("x-page"), Some("9"));
    assert_eq!(beyond.header("x-prev-page"), Some(""));
    assert!(beyond.link("prev").is_none() && beyond.link("first").is_some());
    let empty = get(&gitlab, "/projects/1/merge_requests").await;
    assert_eq!(empty.header("x-total"), Some("0"));
    assert_eq!(empty.header("x-total-pages"), Some("1"));
}

#[tokio::test]
async fn following_next_visits_every_row_once() {
    let gitlab = serve(with_issues(7)).await;
    let mut next = Some(format!("{}/api/v4/projects/acme%2Fshop/issues?per_page=3", gitlab.url()));
    let mut seen = Vec::new();
    while let Some(url) = next {
        let reply = fetch(&url, &[("authorization", &format!("Bearer {}", gitlab.token()))]).await;
        seen.extend(reply.numbers("iid"));
        next = reply.link("next");
        if let Some(next) = &next {
            assert!(next.contains("/projects/acme%2Fshop/issues?id=acme%2Fshop&"), "{next}");
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn page_sizes_are_clamped_and_checked() {
    let gitlab = serve(with_issues(130)).await;
    let large = get(&gitlab, "/projects/1/issues?per_page=500").await;
    assert_eq!(large.numbers("iid").len(), 100);
    assert_eq!(large.header("x-per-page"), Some("100"));
    assert!(large.link("next").unwrap().contains("per_page=500"));
    assert_eq!(get(&gitlab, "/projects/1/issues").await.numbers("iid").len(), 20);
    for (query, error) in [
        ("per_page=0", "per_page does not have a valid value"),
        ("per_page=-1", "per_page does not have a valid value"),
        ("page=-1", "page does not have a valid value"),
        ("per_page=many", "per_page is invalid"),
    ] {
        let reply = get(&gitlab, &format!("/projects/1/issues?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.json()["error"], error, "{query}");
    }
    let huge = get(&gitlab, "/projects/1/issues?page=9223372036854775807&per_page=100").await;
    assert_eq!((huge.status, huge.text.as_str()), (200, "[]"));
}

#[tokio::test]
async fn totals_are_dropped_above_ten_thousand_rows() {
    let gitlab = serve(with_issues(10_000)).await;
    let exact = get(&gitlab, "/projects/1/issues?per_page=100").await;
    assert_eq!(exact.header("x-total"), Some("10000"));
    assert!(exact.link("last").is_some());
    let project = gitlab.world().find_project("acme/shop").unwrap().id;
    gitlab.world().add_issue(project, NewIssue::new("one more"));
    let above = get(&gitlab, "/projects/1/issues?per_page=100").await;
    assert_eq!(above.header("x-total"), None);
    assert_eq!(above.header("x-total-pages"), None);
    assert_eq!(above.header("x-next-page"), Some("2"));
    assert!(above.link("last").is_none() && above.link("next").is_some());
}

#[tokio::test]
async fn links_are_built_on_the_external_address() {
    let options = Options {
        external_url: Some("http://gitlab.acme.example/".to_owned()),
        ..Options::default()
    };
    let gitlab = GitLab::start(with_issues(3), options).await.unwrap();
    let reply = get(&gitlab, "/projects/1/issues?per_page=1").await;
    let next = reply.link("next").unwrap();
    assert!(next.starts_with("http://gitlab.acme.example/api/v4/projects/1/issues?"), "{next}");
    let web_url = reply.texts("web_url").remove(0);
    assert_eq!(web_url, "http://gitlab.acme.example/acme/shop/-/work_items/3");
}

#[tokio::test]
async fn keyset_paging_of_projects_ends_with_an_empty_page() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.add_project(NewProject::at(&format!("acme/{name}")));
    }
    let gitlab = serve(world).await;
    let mut path =
        "/projects?pagination=keyset&order_by=id&sort=asc&per_page=2&membership=true".to_owned();
    let mut pages = Vec::new();
    loop {
        let reply = get(&gitlab, &path).await;
        assert_eq!(reply.header("x-page"), None);
        assert_eq!(reply.header("x-total"), None);
        pages.push(reply.numbers("id"));
        let Some(next) = reply.link("next") else { break };
        let (_, rest) = next.split_once("/api/v4").unwrap();
        path = rest.to_owned();
    }
    assert_eq!(pages, [vec![1, 2], vec![3], vec![]]);
    let down = get(&gitlab, "/projects?pagination=keyset&order_by=id&sort=desc&id_before=3").await;
    assert_eq!(down.numbers("id"), [2, 1]);
    let name = get(&gitlab, "/projects?pagination=keyset&order_by=name").await;
    assert_eq!(name.status, 405);
    assert!(name.json()["error"].as_str().unwrap().starts_with("Keyset pagination is not yet"));
}

#[tokio::test]
async fn hidden_notes_make_short_pages() {
    let mut world = with_issues(1);
    let project = world.find_project("acme/shop").unwrap().id;
    world.set_visibility(project, gitlab_sim::world::Visibility::Public);
    let issue = ItemRef::issue(project, 1);
    for number in 0..4 {
        let note = NewNote::new(&format!("note {number}"));
        world.add_note(issue, if number % 2 == 0 { note } else { note.internal() });
    }
    let stranger = world.add_user("stranger");
    let token = world.add_token(stranger, &["read_api"], None);
    let gitlab = serve(world).await;
    let path = "/projects/1/issues/1/notes?per_page=2&sort=asc";
    let reply = crate::client::get_as(&gitlab, Some(&token), path).await;
    assert_eq!(reply.texts("body"), ["note 0"]);
    assert_eq!(reply.header("x-next-page"), Some("2"));
    assert_eq!(reply.header("x-total"), Some("4"));
    assert_eq!(get(&gitlab, path).await.texts("body"), ["note 0", "note 1"]);
    let next = reply.link("next").unwrap();
    assert!(
        next.ends_with(
            "?activity_filter=all_notes&id=1&noteable_id=1&order_by=created_at&page=2&per_page=2\
             &sort=asc"
        ),
        "{next}"
    );
}
