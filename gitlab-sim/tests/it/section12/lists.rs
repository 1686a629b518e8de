//! Points of section 12 about lists: shifting pages, ties, precision, totals, keyset.

use std::collections::BTreeSet;

use gitlab_sim::world::{
    AccessLevel, ItemRef, NewIssue, NewMergeRequest, NewNote, NewProject, ProjectId, Visibility,
    World,
};
use gitlab_sim::{Clock, GitLab, Options};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::client::{Reply, get, get_anonymously, get_as, serve};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// Makes a project of issues that were made one a second, and the clock that stands behind them.
fn one_a_second(count: i64) -> (World, ProjectId, Clock) {
    let start = time("2026-11-22T10:00:00Z");
    let clock = Clock::at(start + seconds(count + 3_600));
    let mut world = World::with_clock(clock.clone());
    let project = world.add_project(NewProject::at("acme/shop"));
    for number in 0..count {
        let issue = NewIssue::new(&format!("issue {number}")).created_at(start + seconds(number));
        world.add_issue(project, issue);
    }
    (world, project, clock)
}

/// Follows `Link` from a path to the end.
async fn follow(gitlab: &GitLab, token: Option<&str>, path: &str) -> Vec<Reply> {
    let mut pages = Vec::new();
    let mut path = path.to_owned();
    loop {
        let reply = get_as(gitlab, token, &path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let next = reply.link("next");
        pages.push(reply);
        let Some(next) = next else { return pages };
        next.split_once("/api/v4").unwrap().1.clone_into(&mut path);
    }
}

#[tokio::test]
async fn point_01_rising_offset_pages_skip_a_row_when_an_earlier_one_is_updated() {
    let (world, project, clock) = one_a_second(6);
    let gitlab = serve(world).await;
    for place in ["/projects/1", "/groups/acme"] {
        clock.advance(seconds(1));
        let path = |page: u8| {
            format!("{place}/issues?order_by=updated_at&sort=asc&per_page=3&page={page}")
        };
        let first = get(&gitlab, &path(1)).await.numbers("id");
        let touched = ItemRef::issue(project, first[1]);
        assert!(gitlab.world().edit(touched, |row| row.title.push('!')));
        let second = get(&gitlab, &path(2)).await.numbers("id");
        let seen: BTreeSet<u64> = first.iter().chain(&second).copied().collect();
        assert_eq!(seen.len(), 5, "the first row of page 2 moved to page 1: {first:?} {second:?}");
        assert_eq!(second.last(), Some(&first[1]), "the updated row is the last now");
    }
}

#[tokio::test]
async fn point_01_falling_offset_pages_show_a_row_twice_when_another_is_updated() {
    let (world, project, _) = one_a_second(6);
    let gitlab = serve(world).await;
    let path = |page: u8| format!("/groups/acme/issues?order_by=updated_at&per_page=3&page={page}");
    let first = get(&gitlab, &path(1)).await.numbers("iid");
    assert_eq!(first, [6, 5, 4]);
    assert!(gitlab.world().edit(ItemRef::issue(project, 2), |row| row.title.push('!')));
    assert_eq!(get(&gitlab, &path(2)).await.numbers("iid"), [4, 3, 1], "4 again, 2 nowhere");
}

#[tokio::test]
async fn point_02_a_note_within_a_minute_of_the_last_change_does_not_move_updated_at() {
    let clock = Clock::at(time("2026-11-22T10:00:00Z"));
    let mut world = World::with_clock(clock.clone());
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_issue(project, NewIssue::new("x"));
    world.add_merge_request(project, NewMergeRequest::new("y"));
    let gitlab = serve(world).await;
    for (kind, item) in [
        ("issues", ItemRef::issue(project, 1)),
        ("merge_requests", ItemRef::merge_request(project, 1)),
    ] {
        let updated = async || {
            get(&gitlab, &format!("/projects/1/{kind}/1")).await.json()["updated_at"].clone()
        };
        clock.set(time("2026-11-22T10:00:59.999Z"));
        gitlab.world().add_note(item, NewNote::new("too soon"));
        assert_eq!(updated().await, "2026-11-22T10:00:00.000Z", "{kind}");
        clock.set(time("2026-11-22T10:01:01Z"));
        let note = gitlab.world().add_note(item, NewNote::new("system").system());
        assert_eq!(updated().await, "2026-11-22T10:01:01.000Z", "{kind}");
        clock.set(time("2026-11-22T10:01:30Z"));
        assert!(gitlab.world().edit_note(item, note, "edited"));
        assert_eq!(updated().await, "2026-11-22T10:01:01.000Z", "{kind}: an edit is throttled too");
    }
}

#[tokio::test]
async fn point_05_pages_of_the_instance_are_short_and_empty_while_more_follow() {
    let clock = Clock::at(time("2026-11-22T10:00:00Z"));
    let mut world = World::with_clock(clock.clone());
    let open = world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    let hidden = world.add_project(NewProject::at("acme/hidden"));
    for project in [open, hidden, hidden, hidden, open, hidden, open] {
        clock.advance(seconds(1));
        world.add_issue(project, NewIssue::new("x"));
    }
    let stranger = world.add_user("stranger");
    let token = world.add_token(stranger, &["read_api"], None);
    let gitlab = serve(world).await;
    let path = "/issues?scope=all&order_by=created_at&sort=asc&per_page=2";
    let pages = follow(&gitlab, Some(&token), path).await;
    let ids: Vec<Vec<u64>> = pages.iter().map(|page| page.numbers("id")).collect();
    assert_eq!(ids, [vec![1], vec![], vec![5], vec![7]]);
    assert_eq!(pages[1].header("x-next-page"), Some("3"));
    assert_eq!(pages[1].header("x-per-page"), Some("2"));
    let all = follow(&gitlab, Some(gitlab.token()), path).await;
    assert_eq!(all.iter().map(|page| page.numbers("id").len()).sum::<usize>(), 7);
}

#[tokio::test]
async fn point_05_pages_of_notes_are_short_while_more_follow() {
    let mut world = World::with_clock(Clock::at(Timestamp::UNIX_EPOCH));
    let project = world.add_project(NewProject::at("acme/shop").visibility(Visibility::Public));
    let issue = ItemRef::issue(project, world.add_issue(project, NewIssue::new("x")));
    for number in 0..6 {
        let note = NewNote::new(&number.to_string());
        world.add_note(issue, if (1..5).contains(&number) { note.internal() } else { note });
    }
    let stranger = world.add_user("stranger");
    let token = world.add_token(stranger, &["read_api"], None);
    let gitlab = serve(world).await;
    let path = "/projects/1/issues/1/notes?sort=asc&per_page=2";
    let pages = follow(&gitlab, Some(&token), path).await;
    let bodies: Vec<Vec<String>> = pages.iter().map(|page| page.texts("body")).collect();
    assert_eq!(bodies, [vec!["0".to_owned()], vec![], vec!["5".to_owned()]]);
}

#[tokio::test]
async fn point_06_totals_are_there_at_ten_thousand_rows_and_gone_above() {
    let mut world = World::with_clock(Clock::at(Timestamp::UNIX_EPOCH));
    let project = world.add_project(NewProject::at("acme/shop"));
    for number in 0..10_000 {
        world.add_issue(project, NewIssue::new(&number.to_string()));
    }
    let gitlab = serve(world).await;
    // Offset lists of a project, of a group in an order with an index and in one without, and one
    // with a filter that has to look at every row.
    let lists = [
        "/projects/1/issues?per_page=100",
        "/groups/acme/issues?per_page=100&order_by=updated_at&sort=asc",
        "/groups/acme/issues?per_page=100&order_by=title",
        "/groups/acme/issues?per_page=100&state=opened",
        "/issues?scope=all&per_page=100",
    ];
    for list in lists {
        let exact = get(&gitlab, list).await;
        assert_eq!(exact.header("x-total"), Some("10000"), "{list}");
        assert_eq!(exact.header("x-total-pages"), Some("100"), "{list}");
        assert!(exact.link("last").unwrap().contains("page=100&"), "{list}");
        let last = get(&gitlab, &format!("{list}&page=100")).await;
        assert_eq!(last.header("x-next-page"), Some(""), "{list}");
    }
    gitlab.world().add_issue(project, NewIssue::new("one more"));
    for list in lists {
        let above = get(&gitlab, list).await;
        assert_eq!(above.header("x-total"), None, "{list}");
        assert_eq!(above.header("x-total-pages"), None, "{list}");
        assert!(above.link("last").is_none() && above.link("first").is_some(), "{list}");
        assert_eq!(above.header("x-next-page"), Some("2"), "{list}");
        let page = get(&gitlab, &format!("{list}&page=100")).await;
        assert_eq!(page.header("x-next-page"), Some("101"), "{list}");
        let end = get(&gitlab, &format!("{list}&page=101")).await;
        assert_eq!((end.numbers("id").len(), end.header("x-next-page")), (1, Some("")), "{list}");
        let beyond = get(&gitlab, &format!("{list}&page=102")).await;
        assert_eq!(
            (beyond.text.as_str(), beyond.header("x-next-page")),
            ("[]", Some("")),
            "{list}"
        );
    }
}

#[tokio::test]
async fn point_08_lists_of_the_instance_show_what_the_caller_wrote_unless_scope_is_all() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let bot = world.bot();
    for author in ["ann", "ben", "xrefd-bot"] {
        world.add_issue(project, NewIssue::new(author).author(author));
        world.add_merge_request(project, NewMergeRequest::new(author).author(author));
    }
    assert!(world.edit(ItemRef::issue(project, 1), |row| row.assignees = vec![bot]));
    let gitlab = serve(world).await;
    for kind in ["issues", "merge_requests"] {
        assert_eq!(get(&gitlab, &format!("/{kind}")).await.texts("title"), ["xrefd-bot"], "{kind}");
        let all = get(&gitlab, &format!("/{kind}?scope=all&sort=asc")).await;
        assert_eq!(all.numbers("id").len(), 3, "{kind}");
        assert!(all.link("first").unwrap().contains("scope=all"));
        let group = get(&gitlab, &format!("/groups/acme/{kind}")).await;
        assert_eq!(group.numbers("id").len(), 3, "{kind}: a group shows all without a scope");
        let refused = get_anonymously(&gitlab, &format!("/{kind}")).await;
        assert_eq!((refused.status, refused.json()), (401, json!({"message": "401 Unauthorized"})));
        let nothing = get_anonymously(&gitlab, &format!("/{kind}?scope=all")).await;
        assert_eq!((nothing.status, nothing.text.as_str()), (200, "[]"), "{kind}");
    }
    let mine = get(&gitlab, "/issues?scope=assigned_to_me").await;
    assert_eq!(mine.texts("title"), ["ann"]);
    let counts =
        |all: u8| json!({"statistics": {"counts": {"all": all, "closed": 0, "opened": all}}});
    assert_eq!(get(&gitlab, "/issues_statistics").await.json(), counts(1));
    assert_eq!(get(&gitlab, "/issues_statistics?scope=all").await.json(), counts(3));
}

#[tokio::test]
async fn point_15_filters_include_their_bounds_in_microseconds_while_milliseconds_are_printed() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let stored = time("2026-11-20T10:00:00.081500Z");
    world.add_issue(project, NewIssue::new("x").created_at(stored));
    world.add_merge_request(project, NewMergeRequest::new("y").created_at(stored));
    let gitlab = serve(world).await;
    for place in ["/projects/1", "/groups/acme"] {
        for kind in ["issues", "merge_requests"] {
            let list = format!("{place}/{kind}?order_by=updated_at&sort=asc");
            let printed = get(&gitlab, &list).await.texts("updated_at").remove(0);
            assert_eq!(printed, "2026-11-20T10:00:00.081Z", "cut, not rounded");
            for (filter, found) in [
                (format!("updated_after={printed}"), 1),
                (format!("updated_before={printed}"), 0),
                ("updated_before=2026-11-20T10:00:00.082Z".to_owned(), 1),
                ("updated_after=2026-11-20T10:00:00.0815Z".to_owned(), 1),
                ("updated_before=2026-11-20T10:00:00.0815Z".to_owned(), 1),
                ("updated_after=2026-11-20T10:00:00.0815001Z".to_owned(), 0),
                ("updated_before=2026-11-20T10:00:00.0814999Z".to_owned(), 0),
                (format!("created_after={printed}&updated_after={printed}"), 1),
                (format!("created_before={printed}"), 0),
            ] {
                let rows = get(&gitlab, &format!("{list}&{filter}")).await.numbers("id");
                assert_eq!(rows.len(), found, "{place} {kind} {filter}");
            }
        }
    }
}

#[tokio::test]
async fn point_16_rows_of_one_time_come_by_falling_id_in_both_directions_and_fill_pages() {
    let (mut world, project, clock) = one_a_second(300);
    // One bulk edit gives 250 rows one time, in an order that is not that of their ids.
    clock.advance(seconds(60));
    for iid in (1..=250).map(|number| number * 7 % 251) {
        assert!(world.edit(ItemRef::issue(project, iid), |row| row.title.push('!')));
    }
    let gitlab = serve(world).await;
    let tied: Vec<u64> = (1..=250).rev().collect();
    let others: Vec<u64> = (251..=300).collect();
    for place in ["/projects/1", "/groups/acme"] {
        let list = async |sort: &str| {
            let path = format!("{place}/issues?order_by=updated_at&sort={sort}&per_page=100");
            let pages = follow(&gitlab, Some(gitlab.token()), &path).await;
            pages.iter().flat_map(|page| page.numbers("id")).collect::<Vec<u64>>()
        };
        let rising: Vec<u64> = others.iter().chain(&tied).copied().collect();
        assert_eq!(list("asc").await, rising, "{place}");
        let falling: Vec<u64> = tied.iter().chain(others.iter().rev()).copied().collect();
        assert_eq!(list("desc").await, falling, "{place}");
    }
}

#[tokio::test]
async fn point_21_archived_projects_are_left_out_by_default_where_gitlab_leaves_them_out() {
    let mut world = World::new();
    for (path, archived) in [("acme/live", false), ("acme/old", true)] {
        let project = world.add_project(NewProject::at(path).archived(archived));
        world.add_issue(project, NewIssue::new(path));
        world.add_merge_request(project, NewMergeRequest::new(path));
    }
    let gitlab = serve(world).await;
    for (list, by_default) in [
        ("/groups/acme/issues?", vec![1]),
        ("/groups/acme/merge_requests?", vec![1]),
        ("/issues?scope=all&", vec![1]),
        ("/merge_requests?scope=all&", vec![2, 1]),
        ("/projects/2/issues?", vec![2]),
        ("/projects/2/merge_requests?", vec![2]),
    ] {
        assert_eq!(get(&gitlab, list).await.numbers("project_id"), by_default, "{list}");
        let inclusive = get(&gitlab, &format!("{list}non_archived=false")).await;
        assert_eq!(inclusive.numbers("project_id")[0], 2, "{list}");
        let exclusive = get(&gitlab, &format!("{list}non_archived=true")).await;
        let expected: &[u64] = if list.starts_with("/projects") { &[2] } else { &[1] };
        assert_eq!(exclusive.numbers("project_id"), expected, "{list}");
    }
}

#[tokio::test]
async fn point_23_keyset_of_projects_ends_with_an_empty_page_and_cursors_end_without_next() {
    let (mut world, ..) = one_a_second(4);
    world.add_project(NewProject::at("acme/two"));
    let gitlab = serve(world).await;
    let path = "/projects?pagination=keyset&order_by=id&sort=asc&per_page=1";
    let pages = follow(&gitlab, Some(gitlab.token()), path).await;
    let ids: Vec<Vec<u64>> = pages.iter().map(|page| page.numbers("id")).collect();
    assert_eq!(ids, [vec![1], vec![2], vec![]]);
    assert_eq!(pages[2].header("link"), None);
    let path = "/projects/1/issues?pagination=keyset&order_by=updated_at&sort=asc&per_page=2";
    let pages = follow(&gitlab, Some(gitlab.token()), path).await;
    let ids: Vec<Vec<u64>> = pages.iter().map(|page| page.numbers("id")).collect();
    assert_eq!(ids, [vec![1, 2], vec![3, 4]], "the last page is full and has no next");
    for page in &pages {
        let paging = page.headers.keys().filter(|name| {
            ["x-page", "x-per-page", "x-next-page", "x-prev-page", "x-total", "x-total-pages"]
                .contains(&name.as_str())
        });
        assert_eq!(paging.count(), 0);
    }
}

#[tokio::test]
async fn point_23_a_keyset_walk_of_issues_loses_nothing_while_rows_move() {
    let (mut world, project, _) = one_a_second(7);
    assert!(world.edit(ItemRef::issue(project, 3), |row| row.title = "issue 2".to_owned()));
    let gitlab = serve(world).await;
    for order in
        ["created_at", "updated_at", "title", "id", "weight", "due_date", "relative_position"]
    {
        for sort in ["asc", "desc"] {
            let path = format!(
                "/projects/1/issues?pagination=keyset&order_by={order}&sort={sort}&per_page=2"
            );
            let pages = follow(&gitlab, Some(gitlab.token()), &path).await;
            let ids: Vec<u64> = pages.iter().flat_map(|page| page.numbers("id")).collect();
            let unique: BTreeSet<u64> = ids.iter().copied().collect();
            assert_eq!((ids.len(), unique.len()), (7, 7), "{order} {sort}: {ids:?}");
        }
    }
    let first = get(
        &gitlab,
        "/projects/1/issues?pagination=keyset&order_by=updated_at&sort=asc&per_page=3",
    )
    .await;
    let seen = first.numbers("iid");
    assert!(gitlab.world().edit(ItemRef::issue(project, seen[0]), |row| row.title.push('!')));
    let next = first.link("next").unwrap();
    let rest = follow(&gitlab, Some(gitlab.token()), next.split_once("/api/v4").unwrap().1).await;
    let all: BTreeSet<u64> = rest.iter().flat_map(|page| page.numbers("iid")).chain(seen).collect();
    assert_eq!(all.len(), 7, "no row is skipped");
    let broken = get(
        &gitlab,
        "/projects/1/issues?pagination=keyset&order_by=updated_at&sort=asc&cursor=nonsense",
    )
    .await;
    assert_eq!(broken.status, 400);
}

#[tokio::test]
async fn point_24_keyset_is_refused_ignored_or_served_by_resource_order_and_caller() {
    let (mut world, project, _) = one_a_second(3);
    let open = world.add_project(NewProject::at("beta/open").visibility(Visibility::Public));
    world.add_project(NewProject::at("alpha/open").visibility(Visibility::Public));
    for group in ["alpha", "beta"] {
        let id = world.find_group(group).unwrap().id;
        world.set_group_visibility(id, Visibility::Public);
    }
    world.add_issue(open, NewIssue::new("x"));
    world.add_merge_request(project, NewMergeRequest::new("y"));
    let gitlab = serve(world).await;
    let refusal =
        json!({"error": "Keyset pagination is not yet available for this type of request"});
    for path in [
        "/projects?pagination=keyset&order_by=name",
        "/projects?pagination=keyset",
        "/groups?pagination=keyset&order_by=name&sort=asc",
    ] {
        let reply = get(&gitlab, path).await;
        assert_eq!((reply.status, reply.json()), (405, refusal.clone()), "{path}");
    }
    for path in [
        "/groups?pagination=keyset&order_by=path&sort=asc",
        "/groups?pagination=keyset&order_by=name&sort=desc",
    ] {
        assert_eq!(get_anonymously(&gitlab, path).await.status, 405, "{path}");
    }
    let path = "/groups?pagination=keyset&order_by=name&sort=asc&per_page=1";
    let pages = follow(&gitlab, None, path).await;
    let names: Vec<String> = pages.iter().flat_map(|page| page.texts("name")).collect();
    assert_eq!(names, ["Alpha", "Beta"]);
    assert_eq!(pages.len(), 2, "the last page has no next");
    assert_eq!(pages[0].header("x-page"), None);
    // Orders without keyset on project issues, and resources without keyset at all.
    for path in [
        "/projects/1/issues?pagination=keyset&order_by=priority&sort=asc",
        "/projects/1/merge_requests?pagination=keyset&order_by=updated_at&sort=asc",
        "/groups/acme/issues?pagination=keyset&order_by=updated_at&sort=asc",
        "/groups/acme/merge_requests?pagination=keyset&order_by=updated_at&sort=asc",
        "/groups/acme/projects?pagination=keyset&order_by=id&sort=asc",
        "/issues?scope=all&pagination=keyset&order_by=updated_at&sort=asc",
        "/merge_requests?scope=all&pagination=keyset&order_by=updated_at&sort=asc",
        "/projects/1/labels?pagination=keyset",
    ] {
        let reply = get(&gitlab, path).await;
        assert_eq!((reply.status, reply.header("x-page")), (200, Some("1")), "{path}");
    }
}

#[tokio::test]
async fn point_24_an_instance_before_18_3_pages_issues_of_projects_by_offset() {
    let (world, ..) = one_a_second(3);
    let options = Options { version: "18.2.4-ee".to_owned(), ..Options::default() };
    let gitlab = GitLab::start(world, options).await.unwrap();
    let path = "/projects/1/issues?pagination=keyset&order_by=updated_at&sort=asc&per_page=2";
    let reply = get(&gitlab, path).await;
    assert_eq!(reply.header("x-next-page"), Some("2"));
}

#[tokio::test]
async fn point_26_pages_are_clamped_to_a_hundred_rows_and_none_is_refused() {
    let (world, ..) = one_a_second(150);
    let gitlab = serve(world).await;
    for place in ["/projects/1", "/groups/acme"] {
        let reply = get(&gitlab, &format!("{place}/issues?per_page=500")).await;
        assert_eq!(reply.numbers("id").len(), 100);
        assert_eq!(reply.header("x-per-page"), Some("100"));
        assert_eq!(reply.header("x-total-pages"), Some("2"));
        assert!(reply.link("next").unwrap().contains("per_page=500"), "the link repeats it");
        for size in ["0", "-1"] {
            let refused = get(&gitlab, &format!("{place}/issues?per_page={size}")).await;
            let error = json!({"error": "per_page does not have a valid value"});
            assert_eq!((refused.status, refused.json()), (400, error), "{size}");
        }
    }
}

#[tokio::test]
async fn point_27_offsets_beyond_the_ceiling_are_405_for_groups_and_by_option_for_projects() {
    let (world, ..) = one_a_second(1);
    let gitlab = serve(world.clone()).await;
    let refusal = |model: &str| {
        json!({"error": format!(
            "Offset pagination has a maximum allowed offset of 50000 for requests that return \
             objects of type {model}. Remaining records can be retrieved using keyset pagination."
        )})
    };
    assert_eq!(get(&gitlab, "/groups?page=500&per_page=100").await.status, 200);
    let deep = get(&gitlab, "/groups?page=501&per_page=100").await;
    assert_eq!((deep.status, deep.json()), (405, refusal("Group")));
    assert_eq!(get(&gitlab, "/groups?page=2501").await.status, 405, "20 a page");
    for path in [
        "/projects?page=501&per_page=100",
        "/projects/1/issues?page=501&per_page=100",
        "/groups/acme/merge_requests?page=5001&per_page=100",
        "/groups/acme/subgroups?page=501&per_page=100",
    ] {
        let reply = get(&gitlab, path).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "[]"), "{path}");
    }
    let old = Options { projects_have_ceiling: true, ..Options::default() };
    let old = GitLab::start(world.clone(), old).await.unwrap();
    let deep = get(&old, "/projects?page=501&per_page=100").await;
    assert_eq!((deep.status, deep.json()), (405, refusal("Project")));
    let off = Options { offset_ceiling: 0, ..Options::default() };
    let off = GitLab::start(world, off).await.unwrap();
    assert_eq!(get(&off, "/groups?page=501&per_page=100").await.status, 200);
}

#[tokio::test]
async fn late_visibility_a_row_turns_up_behind_rows_that_were_read() {
    let (mut world, project, clock) = one_a_second(2);
    let start = clock.now();
    world.set_commit_delay(seconds(10));
    let gitlab = serve(world).await;
    let list = "/groups/acme/issues?order_by=updated_at&sort=asc";
    let slow = ItemRef::issue(project, 1);
    assert!(gitlab.world().edit(slow, |row| row.title = "slow".to_owned()));
    let new = gitlab.world().add_issue(project, NewIssue::new("new"));
    assert_eq!(new, 3, "the number is given out");
    assert_eq!(get(&gitlab, &format!("/projects/1/issues/{new}")).await.status, 404);
    clock.set(start + seconds(5));
    gitlab.world().set_commit_delay(seconds(0));
    assert!(gitlab.world().edit(ItemRef::issue(project, 2), |row| row.title = "quick".to_owned()));
    // The quick change is read first: its time becomes the watermark.
    assert_eq!(get(&gitlab, list).await.texts("title"), ["issue 0", "quick"]);
    assert_eq!(get(&gitlab, "/projects/1/issues/1").await.json()["title"], "issue 0");
    let watermark = get(&gitlab, "/projects/1/issues/2").await.json()["updated_at"].clone();
    clock.set(start + seconds(10));
    assert_eq!(get(&gitlab, list).await.texts("title"), ["new", "slow", "quick"]);
    let single = get(&gitlab, "/projects/1/issues/1").await.json();
    assert_eq!(single["title"], "slow");
    assert!(single["updated_at"].as_str() < watermark.as_str(), "it has the earlier time");
    let missed =
        get(&gitlab, &format!("{list}&updated_after={}", watermark.as_str().unwrap())).await;
    assert_eq!(missed.texts("title"), ["quick"], "a reader without overlap misses both");
}

#[tokio::test]
async fn late_visibility_deletions_and_comments_are_seen_late_too() {
    let (mut world, project, clock) = one_a_second(1);
    world.set_commit_delay(seconds(10));
    let gitlab = serve(world).await;
    let issue = ItemRef::issue(project, 1);
    gitlab.world().add_note(issue, NewNote::new("late"));
    let notes = async || get(&gitlab, "/projects/1/issues/1/notes").await.texts("body");
    assert!(notes().await.is_empty());
    clock.advance(seconds(10));
    assert_eq!(notes().await, ["late"]);
    assert!(gitlab.world().delete_item(issue));
    assert_eq!(get(&gitlab, "/projects/1/issues/1").await.status, 200);
    clock.advance(seconds(10));
    assert_eq!(get(&gitlab, "/projects/1/issues/1").await.status, 404);
    assert_eq!(get(&gitlab, "/groups/acme/issues").await.text, "[]");
}

#[tokio::test]
async fn group_lists_follow_whatever_changes_a_project() {
    let (mut world, project, _) = one_a_second(3);
    let member = world.add_user("member");
    let token = world.add_token(member, &["read_api"], None);
    world.add_project_member(project, member, AccessLevel::Guest);
    let gitlab = serve(world).await;
    let list = "/groups/acme/issues?order_by=updated_at&sort=asc";
    let ids = async |token: &str| get_as(&gitlab, Some(token), list).await.numbers("id");
    assert_eq!(ids(&token).await, [1, 2, 3]);
    assert!(gitlab.world().set_confidential(project, 2, true));
    assert_eq!(ids(&token).await, [1, 3]);
    assert_eq!(ids(gitlab.token()).await, [1, 3, 2]);
    // A project that is handed out to be changed at will.
    {
        let mut world = gitlab.world();
        let row = world.project_mut(project).unwrap();
        row.issues.get_mut(&3).unwrap().item.updated_at = Timestamp::UNIX_EPOCH;
        row.issues.remove(&1);
    }
    assert_eq!(ids(gitlab.token()).await, [3, 2]);
    assert!(gitlab.world().remove_project_member(project, member));
    let gone = get_as(&gitlab, Some(&token), list).await;
    assert_eq!(gone.status, 404, "the group cannot be seen any more");
    assert!(gitlab.world().delete_project(project));
    assert_eq!(get(&gitlab, list).await.text, "[]");
}
