//! Lists of issues and merge requests: orders, filters, shapes, statistics.

use gitlab_sim::world::{
    IssueType, ItemRef, NewIssue, NewMergeRequest, NewNote, NewProject, SELF_URL, World,
};
use jiff::Timestamp;
use serde_json::json;

use crate::client::{get, serve};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn ties_come_by_falling_id_in_both_directions() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let bulk = time("2026-11-20T10:00:00.000500Z");
    for title in ["a", "b", "c"] {
        world.add_issue(project, NewIssue::new(title).updated_at(bulk));
    }
    let early = NewIssue::new("d").created_at(bulk).updated_at(time("2026-11-20T09:00:00Z"));
    world.add_issue(project, early);
    let gitlab = serve(world).await;
    let order = |sort: &str| format!("/projects/1/issues?order_by=updated_at&sort={sort}");
    assert_eq!(get(&gitlab, &order("asc")).await.texts("title"), ["d", "c", "b", "a"]);
    assert_eq!(get(&gitlab, &order("desc")).await.texts("title"), ["c", "b", "a", "d"]);
    let by_title = get(&gitlab, "/projects/1/issues?order_by=title&sort=asc").await;
    assert_eq!(by_title.texts("title"), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn time_filters_include_their_bounds_and_compare_microseconds() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let stored = time("2026-11-20T10:00:00.081500Z");
    world.add_issue(project, NewIssue::new("x").updated_at(stored));
    let gitlab = serve(world).await;
    let printed = get(&gitlab, "/projects/1/issues").await.texts("updated_at").remove(0);
    assert_eq!(printed, "2026-11-20T10:00:00.081Z", "cut, not rounded");
    let count = async |filter: &str| {
        get(&gitlab, &format!("/projects/1/issues?{filter}")).await.numbers("iid").len()
    };
    assert_eq!(count(&format!("updated_after={printed}")).await, 1);
    assert_eq!(count(&format!("updated_before={printed}")).await, 0, "the rest is cut off");
    assert_eq!(count("updated_after=2026-11-20T10:00:00.081500Z").await, 1);
    assert_eq!(count("updated_before=2026-11-20T10:00:00.081500Z").await, 1);
    assert_eq!(count("updated_after=2026-11-20T10:00:00.081501Z").await, 0);
    assert_eq!(count("created_after=2026-11-21").await, 0);
}

#[tokio::test]
async fn filters_choose_and_wrong_values_are_refused() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_issue(project, NewIssue::new("one").labels(["bug", "service::web"]).author("ann"));
    world.add_issue(project, NewIssue::new("two").issue_type(IssueType::Incident).labels(["bug"]));
    let closed = time("2026-11-20T10:00:00Z");
    let three = NewIssue::new("three").confidential(true).closed_at(closed);
    world.add_issue(project, three.description("a Needle in it"));
    let gitlab = serve(world).await;
    for (query, expected) in [
        ("state=opened", vec![1, 2]),
        ("state=closed", vec![3]),
        ("labels=bug", vec![1, 2]),
        ("labels=bug,service::web", vec![1]),
        ("labels[]=bug&labels[]=service::web", vec![1]),
        ("labels=BUG", vec![]),
        ("labels=None", vec![3]),
        ("labels=Any", vec![1, 2]),
        ("iids[]=1&iids[]=3", vec![1, 3]),
        ("issue_type=incident", vec![2]),
        ("confidential=true", vec![3]),
        ("author_username=ann", vec![1]),
        ("author_username=nobody", vec![]),
        ("search=needle", vec![3]),
        ("search=needle&in=title", vec![]),
        ("no_such_parameter=1", vec![1, 2, 3]),
    ] {
        let path = format!("/projects/1/issues?order_by=created_at&sort=asc&{query}");
        let mut iids = get(&gitlab, &path).await.numbers("iid");
        iids.sort_unstable();
        assert_eq!(iids, expected, "{query}");
    }
    for (query, error) in [
        ("state=open", "state does not have a valid value"),
        ("order_by=iid", "order_by does not have a valid value"),
        ("sort=up", "sort does not have a valid value"),
        ("issue_type=bug", "issue_type does not have a valid value"),
        ("scope=mine", "scope does not have a valid value"),
        ("updated_after=soon", "updated_after is invalid"),
        ("iids[]=x", "iids is invalid"),
    ] {
        let reply = get(&gitlab, &format!("/projects/1/issues?{query}")).await;
        assert_eq!((reply.status, reply.json()), (400, json!({ "error": error })), "{query}");
    }
    let statistics = get(&gitlab, "/groups/acme/issues_statistics").await.json();
    let counts = json!({"all": 3, "closed": 1, "opened": 2});
    assert_eq!(statistics, json!({"statistics": {"counts": counts}}));
}

#[tokio::test]
async fn group_lists_recurse_and_leave_archived_projects_out_by_default() {
    let mut world = World::new();
    let shop = world.add_project(NewProject::at("acme/shop/web"));
    let old = world.add_project(NewProject::at("acme/old").archived(true));
    for project in [shop, old] {
        world.add_issue(project, NewIssue::new("x"));
        world.add_merge_request(project, NewMergeRequest::new("y"));
    }
    let gitlab = serve(world).await;
    for kind in ["issues", "merge_requests"] {
        let by_default = get(&gitlab, &format!("/groups/acme/{kind}")).await;
        assert_eq!(by_default.numbers("project_id"), [1], "{kind}");
        let all = get(&gitlab, &format!("/groups/acme/{kind}?non_archived=false")).await;
        assert_eq!(all.numbers("project_id"), [2, 1], "{kind}");
        assert!(all.link("first").unwrap().contains("non_archived=false"));
    }
    let reference = &get(&gitlab, "/groups/acme/issues").await.json()[0]["references"];
    assert_eq!(
        *reference,
        json!({"short": "#1", "relative": "shop/web#1", "full": "acme/shop/web#1"})
    );
}

#[tokio::test]
async fn labels_come_as_titles_or_with_details() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_merge_request(project, NewMergeRequest::new("x").labels(["b", "a", "B"]));
    let gitlab = serve(world).await;
    let titles = get(&gitlab, "/projects/1/merge_requests").await.json();
    assert_eq!(titles[0]["labels"], json!(["B", "a", "b"]));
    let details = get(&gitlab, "/groups/acme/merge_requests?with_labels_details=true").await.json();
    assert_eq!(details[0]["labels"][1]["name"], "a");
    assert!(details[0]["labels"][1]["color"].as_str().unwrap().starts_with('#'));
}

#[tokio::test]
async fn merge_requests_tell_their_state_and_draft() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let at = time("2026-11-20T10:00:00Z");
    world.add_merge_request(project, NewMergeRequest::new("Draft: one").source_branch("a"));
    world.add_merge_request(project, NewMergeRequest::new("WIP: two").merged_at(at));
    world.add_merge_request(project, NewMergeRequest::new("three").closed_at(at));
    let gitlab = serve(world).await;
    let reply = get(&gitlab, "/projects/1/merge_requests?sort=asc&order_by=title").await;
    assert_eq!(reply.texts("state"), ["opened", "closed", "merged"]);
    assert_eq!(reply.column("draft"), [json!(true), json!(false), json!(false)]);
    let merged = get(&gitlab, "/projects/1/merge_requests?order_by=merged_at&sort=asc").await;
    assert_eq!(merged.numbers("iid"), [2, 3, 1], "never merged comes last");
    let simple = get(&gitlab, "/projects/1/merge_requests?view=simple").await.json();
    assert!(simple[0].get("source_branch").is_none() && simple[0].get("web_url").is_some());
    assert_eq!(get(&gitlab, "/projects/1/merge_requests?wip=yes").await.numbers("iid"), [1]);
    let one = get(&gitlab, "/projects/1/merge_requests/1").await.json();
    assert_eq!(one["changes_count"], "1");
    assert_eq!(one["source_branch"], "a");
}

#[tokio::test]
async fn a_note_moves_updated_at_only_after_a_minute() {
    let clock = gitlab_sim::Clock::at(time("2026-11-22T10:00:00Z"));
    let mut world = World::with_clock(clock.clone());
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_issue(project, NewIssue::new("x"));
    let gitlab = serve(world).await;
    let item = ItemRef::issue(project, 1);
    let updated = async || get(&gitlab, "/projects/1/issues").await.texts("updated_at").remove(0);
    clock.advance(jiff::SignedDuration::from_secs(59));
    gitlab.world().add_note(item, NewNote::new("soon"));
    assert_eq!(updated().await, "2026-11-22T10:00:00.000Z");
    clock.advance(jiff::SignedDuration::from_secs(2));
    gitlab.world().add_note(item, NewNote::new("later"));
    assert_eq!(updated().await, "2026-11-22T10:01:01.000Z");
    let count = get(&gitlab, "/projects/1/issues/1").await.json()["user_notes_count"].clone();
    assert_eq!(count, 2);
}

#[tokio::test]
async fn notes_are_ordered_by_id_and_filtered_by_activity() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_merge_request(project, NewMergeRequest::new("x"));
    let item = ItemRef::merge_request(project, 1);
    world.add_note(item, NewNote::new("first").created_at(time("2026-11-20T12:00:00Z")));
    world.add_note(item, NewNote::new("assigned to @ann").system());
    world.add_note(item, NewNote::new("third").created_at(time("2026-11-20T11:00:00Z")));
    let gitlab = serve(world).await;
    let bodies = async |query: &str| {
        get(&gitlab, &format!("/projects/1/merge_requests/1/notes?{query}")).await.texts("body")
    };
    assert_eq!(bodies("").await, ["third", "assigned to @ann", "first"]);
    assert_eq!(bodies("activity_filter=only_comments&sort=asc").await, ["first", "third"]);
    assert_eq!(bodies("activity_filter=only_activity").await, ["assigned to @ann"]);
    let updated = bodies("order_by=updated_at&sort=asc&activity_filter=only_comments").await;
    assert_eq!(updated, ["third", "first"]);
}

#[tokio::test]
async fn texts_name_the_instance_by_its_address() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let text = format!("see {SELF_URL}/acme/shop/-/issues/1");
    world.add_issue(project, NewIssue::new("x").description(&text));
    world.add_issue(project, NewIssue::new("y"));
    let gitlab = serve(world).await;
    let rows = get(&gitlab, "/projects/1/issues?sort=asc").await.json();
    let rows = rows.as_array().unwrap();
    let served = rows.iter().find(|row| row["iid"] == 1).unwrap();
    assert_eq!(served["description"], format!("see {}/acme/shop/-/issues/1", gitlab.url()));
    let without = rows.iter().find(|row| row["iid"] == 2).unwrap();
    assert!(without["description"].is_null());
}

#[tokio::test]
async fn a_deleted_item_leaves_no_trace() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_issue(project, NewIssue::new("x"));
    let gitlab = serve(world).await;
    assert!(gitlab.world().delete_item(ItemRef::issue(project, 1)));
    assert_eq!(get(&gitlab, "/projects/1/issues").await.text, "[]");
    let gone = get(&gitlab, "/projects/1/issues/1").await;
    assert_eq!((gone.status, gone.json()), (404, json!({"message": "404 Not found"})));
    let next = gitlab.world().add_issue(project, NewIssue::new("y"));
    assert_eq!(next, 2, "numbers are not given twice");
}

#[tokio::test]
async fn every_filter_that_a_client_can_send_is_known() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let at = time("2026-11-20T10:00:00Z");
    for (title, author) in [("Draft: alpha", "ann"), ("beta", "ben"), ("gamma", "ann")] {
        world.add_issue(project, NewIssue::new(title).author(author).labels([title]));
        let row = NewMergeRequest::new(title).author(author).labels([title]).source_branch(title);
        world.add_merge_request(project, row);
    }
    let (ann, ben) = (world.add_user("ann"), world.add_user("ben"));
    for item in [ItemRef::issue(project, 1), ItemRef::merge_request(project, 1)] {
        assert!(world.edit(item, |row| row.assignees = vec![ann, ben]));
    }
    assert!(world.close(ItemRef::issue(project, 3), ben));
    assert!(world.merge(project, 3, ben));
    world.add_merge_request(project, NewMergeRequest::new("delta").merged_at(at).author("cid"));
    world.delete_item(ItemRef::merge_request(project, 4));
    let gitlab = serve(world).await;
    let rows: [(&str, &[u64]); 30] = [
        ("assignee_id=Any", &[1]),
        ("assignee_id=None", &[2, 3]),
        ("assignee_username=ann", &[1]),
        ("assignee_username[]=ann&assignee_username[]=ben", &[1]),
        ("assignee_username=nobody", &[]),
        ("author_username=ann", &[1, 3]),
        ("not[author_username]=ann", &[2]),
        ("not[labels]=beta", &[1, 3]),
        ("not[labels]=beta,gamma", &[1]),
        ("not[assignee_username]=ben", &[2, 3]),
        ("milestone=None", &[1, 2, 3]),
        ("milestone=Any", &[]),
        ("milestone=v1", &[]),
        ("milestone_id=None", &[1, 2, 3]),
        ("not[milestone]=v1", &[1, 2, 3]),
        ("my_reaction_emoji=None", &[1, 2, 3]),
        ("my_reaction_emoji=star", &[]),
        ("search=ALPHA", &[1]),
        ("search=alpha&in=description", &[]),
        ("search=alpha&in=title,description", &[1]),
        ("state=all", &[1, 2, 3]),
        ("iids[]=2&iids[]=9", &[2]),
        ("not[author_id]=999", &[1, 2, 3]),
        ("scope=all", &[1, 2, 3]),
        ("scope=created_by_me", &[]),
        ("created_before=2020-01-01", &[]),
        ("labels=beta", &[2]),
        ("labels=Any", &[1, 2, 3]),
        ("labels=beta,gamma", &[]),
        ("updated_after=2020-01-01&created_after=2020-01-01", &[1, 2, 3]),
    ];
    for (query, expected) in rows {
        // The project's list is sorted, the group's is walked: both must choose the same.
        for place in ["/projects/1", "/groups/acme"] {
            for kind in ["issues", "merge_requests"] {
                let mut iids =
                    get(&gitlab, &format!("{place}/{kind}?{query}")).await.numbers("iid");
                iids.sort_unstable();
                assert_eq!(iids, expected, "{place} {kind} {query}");
            }
        }
    }
    let rows: [(&str, &[u64]); 14] = [
        ("state=locked", &[]),
        ("state=merged", &[3]),
        ("wip=yes", &[1]),
        ("wip=no", &[2, 3]),
        ("source_branch=beta", &[2]),
        ("target_branch=main", &[1, 2, 3]),
        ("target_branch=release", &[]),
        ("merge_user_username=ben", &[3]),
        ("merge_user_username=ann", &[]),
        ("reviewer_id=None", &[1, 2, 3]),
        ("reviewer_username=ann", &[]),
        ("approved=yes", &[]),
        ("source_project_id=1", &[1, 2, 3]),
        ("source_project_id=2", &[]),
    ];
    for (query, expected) in rows {
        let path = format!("/projects/1/merge_requests?{query}");
        let mut iids = get(&gitlab, &path).await.numbers("iid");
        iids.sort_unstable();
        assert_eq!(iids, expected, "{query}");
    }
    for (query, expected) in
        [("closed_by_id=999", &[][..]), ("due_date=0", &[1, 2, 3]), ("due_date=overdue", &[])]
    {
        let mut iids = get(&gitlab, &format!("/groups/acme/issues?{query}")).await.numbers("iid");
        iids.sort_unstable();
        assert_eq!(iids, expected, "{query}");
    }
    let both = get(&gitlab, "/projects/1/issues?author_id=1&author_username=ann").await;
    let error = json!({"error": "author_id, author_username are mutually exclusive"});
    assert_eq!((both.status, both.json()), (400, error));
}

#[tokio::test]
async fn a_bulk_world_serves_its_made_texts_in_lists_and_single_reads() {
    let bulk =
        gitlab_sim::Bulk { projects: 3, issues: 400, merge_requests: 300, ..Default::default() };
    let gitlab = serve(bulk.generate()).await;
    let mut seen = 0;
    for page in 1..=4 {
        let path =
            format!("/groups/acme/issues?order_by=created_at&sort=asc&per_page=100&page={page}");
        let reply = get(&gitlab, &path).await;
        for row in reply.json().as_array().unwrap() {
            let id = row["id"].as_u64().unwrap();
            seen += 1;
            assert_eq!(id, seen, "made in the order of their ids");
            let text = row["description"].as_str().unwrap();
            assert!(text.len() >= 2_000 && text.contains("\n\n"));
            let mention = bulk.mentioned_by(gitlab_sim::world::ItemKind::Issue, id);
            assert_eq!(mention.is_some(), text.contains("timeline."), "{id}");
            if let Some(mention) = mention {
                assert!(text.contains(&mention.text()), "{id}");
            }
        }
    }
    assert_eq!(seen, 400);
    let listed = get(&gitlab, "/projects/1/issues?iids[]=7").await.json()[0].clone();
    let single = get(&gitlab, "/projects/1/issues/7").await.json();
    assert_eq!(listed["description"], single["description"]);
}
