//! Points of section 12 about addresses, visibility, files and shapes.

use gitlab_sim::world::{
    AccessLevel, ExternalTracker, ItemRef, LabelOwner, NewIssue, NewMergeRequest, NewNote,
    NewProject, ProjectId, Visibility, World,
};
use gitlab_sim::{Clock, GitLab, Limit, Options, Throttle};
use jiff::{SignedDuration, Timestamp};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::client::{fetch, get, get_as, serve};

fn start() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn world() -> (World, ProjectId) {
    let mut world = World::with_clock(Clock::at(start()));
    let shop = world.add_project(NewProject::at("acme/shop"));
    (world, shop)
}

#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
async fn send(gitlab: &GitLab, method: reqwest::Method, path: &str) -> (u16, String) {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let url = format!("{}/api/v4{path}", gitlab.url());
    let request = client.request(method, url).header("private-token", gitlab.token());
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn point_07_group_items_recurse_but_group_projects_do_not_and_shared_ones_leak_in() {
    let (mut world, shop) = world();
    let deep = world.add_project(NewProject::at("acme/sub/deep"));
    let foreign = world.add_project(NewProject::at("other/foreign"));
    let acme = world.find_group("acme").unwrap().id;
    for project in [shop, deep, foreign] {
        world.add_issue(project, NewIssue::new("x"));
        world.add_merge_request(project, NewMergeRequest::new("y"));
    }
    assert!(world.share_project(foreign, acme, AccessLevel::Reporter));
    let gitlab = serve(world).await;
    let paths = async |query: &str| {
        let path = format!("/groups/acme/projects?order_by=id&sort=asc{query}");
        get(&gitlab, &path).await.texts("path_with_namespace")
    };
    assert_eq!(paths("").await, ["acme/shop", "other/foreign"]);
    assert_eq!(paths("&with_shared=false").await, ["acme/shop"]);
    let all = paths("&include_subgroups=true&with_shared=false").await;
    assert_eq!(all, ["acme/shop", "acme/sub/deep"]);
    assert_eq!(get(&gitlab, "/groups/acme/issues").await.numbers("project_id"), [2, 1]);
    assert_eq!(get(&gitlab, "/groups/acme/merge_requests").await.numbers("project_id"), [2, 1]);
    let shared = get(&gitlab, "/groups/acme/projects/shared").await;
    assert_eq!(shared.texts("path_with_namespace"), ["other/foreign"]);
    let with = get(&gitlab, "/projects/3").await.json()["shared_with_groups"].clone();
    assert_eq!(with[0]["group_full_path"], "acme");
}

#[tokio::test]
async fn point_09_a_renamed_project_redirects_get_by_id_and_refuses_other_verbs() {
    let (mut world, shop) = world();
    world.add_issue(shop, NewIssue::new("x"));
    let group = world.find_group("acme").unwrap().id;
    let gitlab = serve(world).await;
    gitlab.world().rename_project(shop, "store");
    let reply = get(&gitlab, "/projects/acme%2Fshop/issues/1/notes?per_page=5&sort=asc").await;
    let location = format!("{}/api/v4/projects/1/issues/1/notes?per_page=5&sort=asc", gitlab.url());
    assert_eq!((reply.status, reply.header("location")), (301, Some(location.as_str())));
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert!(reply.text.contains("moved permanently"), "{}", reply.text);
    for method in [reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let (status, text) = send(&gitlab, method, "/projects/acme%2Fshop/issues").await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, 405);
        assert!(body["message"].as_str().unwrap().contains("moved projects"), "{text}");
    }
    let (status, _) = send(&gitlab, reqwest::Method::HEAD, "/projects/acme%2Fshop").await;
    assert_eq!(status, 405);
    assert_eq!(get(&gitlab, "/projects/ACME%2FStore").await.status, 200, "case does not matter");
    gitlab.world().rename_group(group, "corp");
    let gone = get(&gitlab, "/groups/acme").await;
    assert_eq!((gone.status, gone.json()), (404, json!({"message": "404 Group Not Found"})));
    assert_eq!(get(&gitlab, "/projects/acme%2Fstore").await.status, 301);
    assert_eq!(get(&gitlab, "/projects/store").await.status, 404, "a path without a slash");
}

#[tokio::test]
async fn point_10_what_may_not_be_seen_is_404_and_can_come_back() {
    let (mut world, shop) = world();
    world.add_issue(shop, NewIssue::new("secret").confidential(true));
    let stranger = world.add_user("stranger");
    let token = world.add_token(stranger, &["read_api"], None);
    let gitlab = serve(world).await;
    let ask = async |path: &str| {
        let reply = get_as(&gitlab, Some(&token), path).await;
        (reply.status, reply.text)
    };
    let none = (404, r#"{"message":"404 Project Not Found"}"#.to_owned());
    assert_eq!(ask("/projects/1").await, none);
    assert_eq!(ask("/projects/999").await, none, "the same as for one that does not exist");
    assert_eq!(ask("/projects/acme%2Fshop/issues").await, none);
    assert_eq!(ask("/groups/acme").await.0, 404);
    gitlab.world().set_visibility(shop, Visibility::Internal);
    assert_eq!(ask("/projects/1").await.0, 200);
    let hidden = (404, r#"{"message":"404 Not found"}"#.to_owned());
    assert_eq!(ask("/projects/1/issues/1").await, hidden);
    assert_eq!(ask("/projects/1/issues").await.1, "[]");
    gitlab.world().add_project_member(shop, stranger, AccessLevel::Reporter);
    assert_eq!(ask("/projects/1/issues/1").await.0, 200, "a 404 was no deletion");
}

#[tokio::test]
async fn point_11_a_deleted_item_leaves_no_trace() {
    let (mut world, shop) = world();
    for title in ["one", "two"] {
        world.add_issue(shop, NewIssue::new(title));
        world.add_merge_request(shop, NewMergeRequest::new(title));
    }
    let gitlab = serve(world).await;
    for (item, list) in
        [(ItemRef::issue(shop, 1), "issues"), (ItemRef::merge_request(shop, 1), "merge_requests")]
    {
        assert!(gitlab.world().delete_item(item));
        assert_eq!(get(&gitlab, &format!("/projects/1/{list}/1")).await.status, 404);
        let rest = get(&gitlab, &format!("/projects/1/{list}")).await;
        assert_eq!(rest.numbers("iid"), [2], "{list}");
        assert_eq!(rest.header("x-total"), Some("1"));
        assert_eq!(get(&gitlab, &format!("/groups/acme/{list}")).await.numbers("iid"), [2]);
    }
    assert_eq!(get(&gitlab, "/projects/1/events").await.text, "[]");
}

#[tokio::test]
async fn point_20_a_project_list_keeps_an_old_comment_count_for_eight_hours() {
    let (mut world, shop) = world();
    let iid = world.add_merge_request(shop, NewMergeRequest::new("x"));
    let other = world.add_user("other");
    world.add_project_member(shop, other, AccessLevel::Developer);
    let token = world.add_token(other, &["read_api"], None);
    let gitlab = serve(world).await;
    let list = "/projects/1/merge_requests";
    let count = async |path: &str| get(&gitlab, path).await.numbers("user_notes_count")[0];
    assert_eq!(count(list).await, 0);
    let item = ItemRef::merge_request(shop, iid);
    gitlab.world().add_note(item, NewNote::new("within the minute: nothing moves"));
    assert_eq!(count(list).await, 0, "from the cache");
    assert_eq!(count("/projects/1/merge_requests?with_labels_details=true").await, 1);
    assert_eq!(count("/groups/acme/merge_requests").await, 1);
    assert_eq!(get(&gitlab, "/projects/1/merge_requests/1").await.json()["user_notes_count"], 1);
    assert_eq!(get_as(&gitlab, Some(&token), list).await.numbers("user_notes_count"), [1]);
    let clock = gitlab.world().clock().clone();
    clock.advance(SignedDuration::from_mins(479));
    assert_eq!(count(list).await, 0, "still");
    clock.advance(SignedDuration::from_mins(1));
    assert_eq!(count(list).await, 1, "after eight hours");
    gitlab.world().add_note(item, NewNote::new("this one moves updated_at"));
    assert_eq!(count(list).await, 2);
}

#[tokio::test]
async fn point_22_projects_filtered_by_updated_at_must_be_ordered_by_it() {
    let (world, _) = world();
    let gitlab = serve(world).await;
    for query in [
        "updated_after=2020-01-01",
        "updated_before=2030-01-01",
        "updated_after=2020-01-01&order_by=id",
    ] {
        let reply = get(&gitlab, &format!("/projects?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("must be paired"), "{message}");
    }
    let paired = get(&gitlab, "/projects?updated_after=2020-01-01&order_by=updated_at").await;
    assert_eq!(paired.numbers("id"), [1]);
}

#[tokio::test]
async fn point_25_links_lead_to_the_external_host_and_repeat_the_id() {
    let (mut world, shop) = world();
    for _ in 0..3 {
        world.add_issue(shop, NewIssue::new("x"));
    }
    let external_url = Some("https://gitlab.example:8443".to_owned());
    let options = Options { external_url, ..Options::default() };
    let gitlab = GitLab::start(world, options).await.unwrap();
    let reply = get(&gitlab, "/projects/acme%2Fshop/issues?per_page=1&private_token=x").await;
    let next = reply.link("next").unwrap();
    let start = "https://gitlab.example:8443/api/v4/projects/acme%2Fshop/issues?";
    assert!(next.starts_with(start), "{next}");
    for part in ["id=acme%2Fshop", "page=2", "per_page=1"] {
        assert!(next.contains(part), "{next} holds {part}");
    }
}

#[tokio::test]
async fn point_30_the_message_of_a_refusal_has_four_forms() {
    let (mut world, _) = world();
    let bot = world.bot();
    let writer = world.add_token(bot, &["api"], None);
    let throttle = Throttle::None;
    let gitlab = GitLab::start(world, Options { throttle, ..Options::default() }).await.unwrap();
    let string = get(&gitlab, "/projects/999").await.json();
    assert!(string["message"].is_string() && string.get("error").is_none());
    let error = get(&gitlab, "/projects/1/issues?state=open").await;
    assert_eq!(
        (error.status, error.json()),
        (400, json!({"error": "state does not have a valid value"}))
    );
    let title = "x".repeat(256);
    let url = format!("/projects/1/issues?private_token={writer}&title={title}");
    let client = post_without_token(&gitlab, &url).await;
    assert_eq!(client.0, 400);
    let arrays: Value = serde_json::from_str(&client.1).unwrap();
    assert_eq!(arrays["message"]["title"], json!(["is too long (maximum is 255 characters)"]));
    let missing =
        post_without_token(&gitlab, &format!("/projects/1/issues?private_token={writer}")).await;
    assert_eq!(missing, (400, r#"{"error":"title is missing"}"#.to_owned()));
}

#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
async fn post_without_token(gitlab: &GitLab, path: &str) -> (u16, String) {
    let url = format!("{}/api/v4{path}", gitlab.url());
    let response = reqwest::Client::new().post(url).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn point_31_a_304_costs_quota_and_workhorse_answers_a_false_one() {
    let (mut world, shop) = world();
    world.add_file(shop, "README.md", "one");
    let throttle = Throttle::Always(Limit::per_minute(100));
    let options = Options { throttle, constant_etag: true, ..Options::default() };
    let gitlab = GitLab::start(world, options).await.unwrap();
    let url = format!("{}/api/v4/projects/1", gitlab.url());
    let token = gitlab.token().to_owned();
    let first = fetch(&url, &[("private-token", &token)]).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = fetch(&url, &[("private-token", &token), ("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("ratelimit-observed"), Some("2"), "it was counted");
    let archive = format!("{url}/repository/archive.tar");
    let constant = "W/\"12ae32cb1ec02d01eda3581b127c1fee\"";
    let whole = fetch(&archive, &[("private-token", &token)]).await;
    assert_eq!((whole.status, whole.header("etag")), (200, Some(constant)));
    gitlab.world().add_file(shop, "README.md", "two");
    let lie = fetch(&archive, &[("private-token", &token), ("if-none-match", constant)]).await;
    assert_eq!(lie.status, 304, "although the archive is another one");
    let raw = get(&gitlab, "/projects/1/repository/files/README.md/raw").await;
    assert_eq!(
        (raw.header("etag"), raw.header("cache-control")),
        (None, Some("no-store, no-cache"))
    );
}

#[tokio::test]
async fn point_32_last_activity_moves_at_most_hourly_and_sometimes_not_at_all() {
    let (world, shop) = world();
    let clock = world.clock().clone();
    let gitlab = serve(world).await;
    let seen = async || {
        get(&gitlab, "/projects/1").await.json()["last_activity_at"].as_str().unwrap().to_owned()
    };
    clock.advance(SignedDuration::from_mins(59));
    gitlab.world().add_issue(shop, NewIssue::new("too early"));
    assert_eq!(seen().await, "2026-11-22T10:00:00.000Z");
    clock.advance(SignedDuration::from_mins(1));
    gitlab.world().add_issue(shop, NewIssue::new("an hour later"));
    assert_eq!(seen().await, "2026-11-22T11:00:00.000Z");
    gitlab.world().project_mut(shop).unwrap().loses_activity = true;
    clock.advance(SignedDuration::from_hours(5));
    gitlab.world().add_issue(shop, NewIssue::new("lost"));
    assert_eq!(seen().await, "2026-11-22T11:00:00.000Z");
}

#[tokio::test]
async fn point_33_an_unencoded_slash_is_another_404_than_a_missing_object() {
    let (mut world, shop) = world();
    world.add_file(shop, "docs/a.md", "a");
    let gitlab = serve(world).await;
    let route = json!({"error": "404 Not Found"});
    for path in [
        "/projects/acme/shop",
        "/projects/acme/shop/issues",
        "/projects/1/repository/files/docs/a.md?ref=main",
        "/nowhere",
    ] {
        let reply = get(&gitlab, path).await;
        assert_eq!((reply.status, reply.json()), (404, route.clone()), "{path}");
    }
    let object = get(&gitlab, "/projects/acme%2Fnone").await.json();
    assert_eq!(object, json!({"message": "404 Project Not Found"}));
    let file = "/projects/1/repository/files/docs%2Fa.md?ref=main";
    assert_eq!(get(&gitlab, file).await.status, 200);
    assert_eq!(get(&gitlab, "/projects/acme%2Fshop").await.status, 200);
}

#[tokio::test]
async fn point_34_files_name_what_is_missing() {
    let (mut world, shop) = world();
    let empty = world.add_project(NewProject::at("acme/empty"));
    world.add_file(shop, "README.md", "hello");
    let guest = world.add_user("guest");
    world.add_project_member(shop, guest, AccessLevel::Guest);
    let token = world.add_token(guest, &["read_api"], None);
    let gitlab = serve(world).await;
    let raw = get(&gitlab, "/projects/1/repository/files/README.md/raw").await;
    assert_eq!((raw.status, raw.text.as_str()), (200, "hello"), "raw needs no ref");
    for (path, status, body) in [
        ("1/repository/files/README.md", 400, json!({"error": "ref is missing"})),
        ("1/repository/files/N?ref=main", 404, json!({"message": "404 File Not Found"})),
        ("1/repository/files/N?ref=x", 404, json!({"message": "404 Commit Not Found"})),
        ("2/repository/files/N/raw", 404, json!({"message": "404 Commit Not Found"})),
        ("2/repository/tree", 404, json!({"message": "404 Tree Not Found"})),
        ("1/repository/branches/x", 404, json!({"message": "404 Branch Not Found"})),
        ("1/repository/tags/x", 404, json!({"message": "404 Tag Not Found"})),
    ] {
        let reply = get(&gitlab, &format!("/projects/{path}")).await;
        assert_eq!((reply.status, reply.json()), (status, body), "{path}");
    }
    let bare = get(&gitlab, &format!("/projects/{empty}")).await.json();
    assert_eq!((&bare["default_branch"], &bare["empty_repo"]), (&Value::Null, &json!(true)));
    let unread = get_as(&gitlab, Some(&token), "/projects/1").await.json();
    assert!(unread["default_branch"].is_null(), "no permission to read code");
    let (status, _) =
        send(&gitlab, reqwest::Method::HEAD, "/projects/1/repository/files/README.md?ref=HEAD")
            .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn point_35_label_renames_and_transfers_move_no_updated_at() {
    let (mut world, shop) = world();
    world.add_issue(shop, NewIssue::new("x").labels(["service::a"]));
    world.add_merge_request(shop, NewMergeRequest::new("y").labels(["service::a"]));
    let top = world.find_group("acme").unwrap().id;
    let label = world.add_label(LabelOwner::Group(top), "service::a");
    let clock = world.clock().clone();
    let gitlab = serve(world).await;
    clock.advance(SignedDuration::from_hours(3));
    gitlab.world().rename_label(label, "service::b");
    gitlab.world().transfer_project(shop, "other/team");
    for (list, reference) in
        [("issues", "other/team/shop#1"), ("merge_requests", "other/team/shop!1")]
    {
        let row = get(&gitlab, &format!("/projects/1/{list}")).await.json()[0].clone();
        assert_eq!(row["labels"], json!(["service::b"]));
        assert_eq!(row["references"]["full"], reference);
        assert!(row["web_url"].as_str().unwrap().contains("/other/team/shop/"));
        assert_eq!(row["updated_at"], "2026-11-22T10:00:00.000Z");
    }
}

#[tokio::test]
async fn point_36_a_project_marked_for_deletion_stays_until_it_goes() {
    let (mut world, shop) = world();
    world.add_issue(shop, NewIssue::new("x"));
    let gitlab = serve(world).await;
    gitlab.world().mark_for_deletion(shop);
    let list = get(&gitlab, "/groups/acme/projects").await.json();
    assert_eq!(list[0]["marked_for_deletion_on"], "2026-11-22");
    assert_eq!(list[0]["marked_for_deletion_at"], "2026-11-22");
    assert_eq!(get(&gitlab, "/projects/1/issues/1").await.status, 200);
    assert_eq!(get(&gitlab, "/projects?active=true").await.text, "[]");
    gitlab.world().delete_project(shop);
    assert_eq!(get(&gitlab, "/projects/1").await.status, 404);
    assert_eq!(get(&gitlab, "/groups/acme/projects").await.text, "[]");
}

#[tokio::test]
async fn point_40_issues_of_an_external_tracker_have_a_text_for_an_id() {
    let (mut world, shop) = world();
    let issue_url = "https://jira.example/browse/:id".to_owned();
    let tracker = ExternalTracker { name: "Jira".to_owned(), issue_url };
    world.set_external_tracker(shop, Some(tracker));
    world.add_issue(shop, NewIssue::new("one"));
    world.add_issue(shop, NewIssue::new("two"));
    let text = "Closes #1, SHOP-7. See #2 and SHOP-8.";
    world.add_merge_request(shop, NewMergeRequest::new("x").description(text));
    let gitlab = serve(world).await;
    let closes = get(&gitlab, "/projects/1/merge_requests/1/closes_issues").await;
    assert_eq!(closes.column("iid"), [json!(1), Value::Null]);
    let external = closes.json()[1].clone();
    assert_eq!(external["id"], "SHOP-7");
    assert!(external.get("iid").is_none() && external["title"].is_string());
    assert_eq!(closes.header("x-total"), Some("2"));
    let related = get(&gitlab, "/projects/1/merge_requests/1/related_issues").await;
    let ids = related.column("id");
    assert_eq!(ids, [json!(1), json!("SHOP-7"), json!(2), json!("SHOP-8")]);
    let back = get(&gitlab, "/projects/1/issues/1/closed_by").await;
    assert_eq!(back.numbers("iid"), [1]);
    assert_eq!(get(&gitlab, "/projects/1/issues/2/closed_by").await.text, "[]");
    let mentions = get(&gitlab, "/projects/1/issues/2/related_merge_requests").await;
    assert_eq!(mentions.numbers("iid"), [1]);
}
