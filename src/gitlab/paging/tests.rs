//! Which page comes next, and when there is none.

use super::*;

#[test]
fn next_is_found_whatever_the_order_and_the_spelling() {
    for (header, expected) in [
        (
            r#"<https://g.example/a?page=2>; rel="next", <https://g.example/a?page=1>; rel="first""#,
            Some("https://g.example/a?page=2"),
        ),
        (
            r#"<https://g.example/a?l=x,y;z&page=1>; rel="prev", <https://g.example/a?l=x,y;z&page=3>; title="t"; rel="next""#,
            Some("https://g.example/a?l=x,y;z&page=3"),
        ),
        ("</a?page=2>;REL=Next", Some("/a?page=2")),
        (r#"</a>; rel="last next""#, Some("/a")),
        (r#"</a>; rel="first", </b>; rel="last""#, None),
        (r#"</a>; rel="nextish""#, None),
        ("<broken", None),
        ("", None),
    ] {
        assert_eq!(next_link(header), expected, "{header}");
    }
}

fn next_of(headers: &[(&'static str, &str)]) -> Result<Option<String>, Error> {
    let base = Base::new(&"https://g.example".parse().expect("an address")).expect("a base");
    let query = [("labels", "a,b".to_owned()), ("page", "2".to_owned())];
    let asked = base.target(&["projects", "7", "issues"], &query).expect("a target");
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().expect("a header value"));
    }
    Ok(find_next(&base, &asked, &map)?.map(|next| next.0))
}

#[test]
fn next_page_number_is_used_where_there_is_no_link() {
    let next = next_of(&[("x-next-page", "3")]).expect("a next page").expect("some");
    assert_eq!(next, "projects/7/issues?labels=a%2Cb&page=3");
    let link = r#"<https://g.example/api/v4/projects/7/issues?cursor=x>; rel="next""#;
    let next = next_of(&[("x-next-page", "3"), ("link", link)]).expect("a next page");
    assert_eq!(next.as_deref(), Some("projects/7/issues?cursor=x"));
}

#[test]
fn list_ends_where_no_next_page_is_named() {
    assert_eq!(next_of(&[("x-next-page", "")]).expect("no error"), None);
    assert_eq!(next_of(&[]).expect("no error"), None);
}

#[test]
fn list_that_leads_back_is_an_error() {
    assert!(matches!(next_of(&[("x-next-page", "2")]), Err(Error::LoopingLink { .. })));
    let link = "<https://g.example/api/v4/projects/7/issues?labels=a%2Cb&page=2>; rel=next";
    assert!(matches!(next_of(&[("link", link)]), Err(Error::LoopingLink { .. })));
}

#[test]
fn a_trail_notices_circles_and_lists_without_an_end() {
    let page = |number: usize| NextPage(format!("projects/7/labels?page={number}"));
    let mut trail = Trail::of_pages(1_000);
    for number in [2, 3, 4] {
        trail.follow(&page(number), true).expect("a new page");
    }
    let error = trail.follow(&page(3), true).expect_err("a circle");
    assert!(matches!(&error, Error::LoopingLink { path } if path == "/projects/7/labels"));

    let mut trail = Trail::of_pages(5);
    let ended = (2..100).find(|number| trail.follow(&page(*number), true).is_err());
    assert_eq!(ended, Some(6), "the first page and four more");

    let mut trail = Trail::of_pages(1_000);
    for number in 2..IDLE_PAGES + 2 {
        trail.follow(&page(number), false).expect("an empty page is legal");
    }
    trail.follow(&page(0), true).expect("news begins the count anew");
    trail.follow(&page(1), false).expect("the first of new empty pages");
    let error = (IDLE_PAGES + 2..1_000)
        .find_map(|number| trail.follow(&page(number), false).err())
        .expect("an end");
    assert!(matches!(error, Error::EndlessList { pages: 202, .. }), "{error:?}");
}

#[test]
fn page_of_all_projects_is_found_again_by_its_last_id() {
    let id = ProjectId::new(4711);
    let next = |text: &str| NextPage(text.to_owned()).after_project(id);
    let marked =
        next("projects?id_after=3&membership=true&order_by=id&page=501&per_page=100&sort=asc");
    assert_eq!(
        marked.by_keyset().expect("a way on").as_str(),
        "projects?membership=true&order_by=id&per_page=100&sort=asc&pagination=keyset&id_after=4711"
    );
    for text in [
        // By keyset already; in another order; another list.
        "projects?id_after=4711&order_by=id&pagination=keyset&per_page=100&sort=asc",
        "projects?order_by=name&page=501&sort=asc",
        "projects?order_by=id&page=501&sort=desc",
        "groups/7/projects?order_by=id&page=501&sort=asc",
    ] {
        assert_eq!(next(text).as_str(), text);
        assert_eq!(next(text).by_keyset(), None);
    }
}

#[test]
fn list_without_keyset_is_asked_for_by_offsets_from_its_beginning_only() {
    let base = Base::new(&"https://g.example/gl".parse().expect("an address")).expect("a base");
    let other = |text: &str| {
        let target = base.resolve(text).expect("a target");
        by_offset(&base, &target).map(|target| target.relative())
    };
    assert_eq!(
        other("projects?order_by=id&pagination=keyset&per_page=100").as_deref(),
        Some("projects?order_by=id&per_page=100")
    );
    for text in [
        "projects?order_by=id",
        "projects",
        "projects?pagination=keyset&id_after=7",
        "projects/7/issues?pagination=keyset&cursor=x",
    ] {
        assert_eq!(other(text), None, "{text}");
    }
}
