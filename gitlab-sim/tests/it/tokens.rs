//! Tokens: how they are sent, what they tell of themselves, how they are rotated.

use gitlab_sim::world::{AccessLevel, NewProject, Visibility, World};
use gitlab_sim::{Clock, GitLab};
use serde_json::{Value, json};

use crate::client::{Reply, fetch, get, get_as, serve};

fn clock() -> Clock {
    Clock::at("2026-11-22T10:00:00Z".parse().unwrap())
}

/// Posts to a path below `/api/v4`.
#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
async fn post(gitlab: &GitLab, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let response = reqwest::Client::new()
        .post(format!("{}/api/v4{path}", gitlab.url()))
        .header("private-token", token)
        .json(body)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn ask(gitlab: &GitLab, path: &str, headers: &[(&str, &str)]) -> Reply {
    fetch(&format!("{}/api/v4{path}", gitlab.url()), headers).await
}

#[tokio::test]
async fn a_token_is_taken_in_every_place_that_gitlab_takes_it() {
    let mut world = World::new();
    let ann = world.add_user("ann");
    let personal = world.add_token(ann, &["read_api"], None);
    let oauth = world.add_oauth_token(ann, &["read_api"]);
    let gitlab = serve(world).await;
    let bearer = format!("Bearer {personal}");
    let oauth_bearer = format!("bearer {oauth}");
    for (path, headers) in [
        ("/user".to_owned(), vec![("private-token", personal.as_str())]),
        ("/user".to_owned(), vec![("authorization", bearer.as_str())]),
        ("/user".to_owned(), vec![("authorization", oauth_bearer.as_str())]),
        (format!("/user?private_token={personal}"), vec![]),
        (format!("/user?access_token={personal}"), vec![]),
        (format!("/user?access_token={oauth}"), vec![]),
    ] {
        let reply = ask(&gitlab, &path, &headers).await;
        assert_eq!((reply.status, &reply.json()["username"]), (200, &json!("ann")), "{path}");
    }
    for (path, headers) in [
        ("/user".to_owned(), vec![("private-token", oauth.as_str())]),
        (format!("/user?private_token={oauth}"), vec![]),
        ("/user".to_owned(), vec![("authorization", "Bearer nobody-knows")]),
        ("/user".to_owned(), vec![("authorization", "Basic YW5uOnB3")]),
        ("/user".to_owned(), vec![("deploy-token", "gldt-something")]),
        ("/user".to_owned(), vec![("private-token", "gldt-something")]),
    ] {
        let reply = ask(&gitlab, &path, &headers).await;
        assert_eq!((reply.status, reply.json()), (401, json!({"message": "401 Unauthorized"})));
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
async fn bytes_that_are_no_text_are_an_unknown_token() {
    let gitlab = serve(World::new()).await;
    let request = reqwest::Client::new()
        .get(format!("{}/api/v4/projects", gitlab.url()))
        .header("private-token", reqwest::header::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    assert_eq!(request.send().await.unwrap().status(), 401);
    for nothing in ["", "  "] {
        let reply = ask(&gitlab, "/projects", &[("private-token", nothing)]).await;
        assert_eq!(reply.status, 200, "no token at all");
    }
}

#[tokio::test]
async fn a_token_in_the_query_is_echoed_in_links() {
    let mut world = World::new();
    world.add_project(NewProject::at("acme/a"));
    world.add_project(NewProject::at("acme/b"));
    let gitlab = serve(world).await;
    let path = format!("/projects?per_page=1&private_token={}", gitlab.token());
    let next = ask(&gitlab, &path, &[]).await.link("next").unwrap();
    assert!(next.contains(gitlab.token()), "{next}");
}

#[tokio::test]
async fn an_oauth_token_ends_after_two_hours_on_the_clock() {
    let clock = clock();
    let mut world = World::with_clock(clock.clone());
    let ann = world.add_user("ann");
    let oauth = format!("Bearer {}", world.add_oauth_token(ann, &["api"]));
    let gitlab = serve(world).await;
    let headers = [("authorization", oauth.as_str())];
    clock.advance(jiff::SignedDuration::from_secs(7199));
    assert_eq!(ask(&gitlab, "/user", &headers).await.status, 200);
    assert_eq!(ask(&gitlab, "/personal_access_tokens/self", &headers).await.status, 404);
    clock.advance(jiff::SignedDuration::from_secs(1));
    let late = ask(&gitlab, "/user", &headers).await;
    assert_eq!((late.status, &late.json()["error"]), (401, &json!("invalid_token")));
}

#[tokio::test]
async fn project_and_group_tokens_act_as_bots_of_their_own() {
    let mut world = World::new();
    let shop = world.add_project(NewProject::at("acme/shop"));
    world.add_project(NewProject::at("acme/other"));
    let acme = world.find_group("acme").unwrap().id;
    let level = AccessLevel::Reporter;
    let narrow = world.add_project_token(shop, "crawler", level, &["read_api"], None);
    let wide = world.add_group_token(acme, "crawler", level, &["read_api"], None);
    let gitlab = serve(world).await;
    let bot = get_as(&gitlab, Some(&narrow), "/user").await.json();
    let name = bot["username"].as_str().unwrap();
    let tail = name.strip_prefix("project_1_bot_").unwrap();
    assert!(tail.len() == 32 && tail.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    assert_eq!((&bot["bot"], &bot["name"]), (&json!(true), &json!("crawler")));
    let other = get_as(&gitlab, Some(&wide), "/user").await.json();
    assert!(other["username"].as_str().unwrap().starts_with("group_1_bot_"), "{other}");
    assert_ne!(bot["id"], other["id"]);
    let sees = async |token: &String| {
        let reply = get_as(&gitlab, Some(token), "/projects?order_by=id&sort=asc").await;
        reply.numbers("id")
    };
    assert_eq!((sees(&narrow).await, sees(&wide).await), (vec![1], vec![1, 2]));
    let own = get_as(&gitlab, Some(&narrow), "/personal_access_tokens/self").await.json();
    assert_eq!((&own["name"], &own["user_id"]), (&json!("crawler"), &bot["id"]));
}

#[tokio::test]
async fn a_token_tells_everything_about_itself() {
    let mut world = World::with_clock(clock());
    let ann = world.add_user("ann");
    let day = Some("2027-01-31".parse().unwrap());
    let token = world.add_token(ann, &["read_api", "self_rotate"], day);
    world.describe_token(&token, "for the crawler");
    let gitlab = serve(world).await;
    let own = get_as(&gitlab, Some(&token), "/personal_access_tokens/self").await;
    assert_eq!(
        own.json(),
        json!({
            "id": 2,
            "name": "token 2",
            "description": "for the crawler",
            "revoked": false,
            "created_at": "2026-11-22T10:00:00.000Z",
            "scopes": ["read_api", "self_rotate"],
            "user_id": 2,
            "last_used_at": "2026-11-22T10:00:00.000Z",
            "active": true,
            "expires_at": "2027-01-31",
        })
    );
}

#[tokio::test]
async fn tokens_are_listed_for_their_owner_only() {
    let mut world = World::with_clock(clock());
    let ann = world.add_user("ann");
    let root = world.add_user("root");
    world.set_admin(root, true);
    let used = world.add_token(ann, &["read_api"], None);
    let gone = world.add_token(ann, &["read_api"], None);
    world.revoke(&gone);
    let root = world.add_token(root, &["read_api"], None);
    let gitlab = serve(world).await;
    let own = get_as(&gitlab, Some(&used), "/personal_access_tokens").await;
    assert_eq!(own.numbers("id"), [2, 3]);
    assert_eq!(own.column("active"), [json!(true), json!(false)]);
    assert_eq!(own.column("last_used_at")[1], Value::Null, "never used");
    assert_eq!(own.header("x-total"), Some("2"));
    let list = async |token: &String, query: &str| {
        get_as(&gitlab, Some(token), &format!("/personal_access_tokens?{query}")).await
    };
    assert_eq!(list(&used, "state=active").await.numbers("id"), [2]);
    assert_eq!(list(&used, "revoked=true").await.numbers("id"), [3]);
    assert_eq!(list(&used, "search=TOKEN+3").await.numbers("id"), [3]);
    assert_eq!(list(&used, "user_id=1").await.status, 401, "another's");
    assert_eq!(list(&used, "state=perhaps").await.status, 400);
    assert_eq!(list(&root, "").await.numbers("id"), [1, 2, 3, 4]);
    assert_eq!(list(&root, "user_id=1").await.numbers("id"), [1]);
    for (token, id, status) in [(&used, 2, 200), (&used, 1, 401), (&root, 1, 200), (&root, 9, 404)]
    {
        let path = format!("/personal_access_tokens/{id}");
        assert_eq!(get_as(&gitlab, Some(token), &path).await.status, status, "{id}");
    }
}

#[tokio::test]
async fn associations_are_the_groups_and_projects_of_a_role() {
    let mut world = World::with_clock(clock());
    let shop = world.add_project(NewProject::at("acme/shop"));
    world.add_project(NewProject::at("other/thing").visibility(Visibility::Public));
    let web = world.add_project(NewProject::at("acme/web"));
    let ann = world.add_user("ann");
    let acme = world.find_group("acme").unwrap().id;
    world.add_group_member(acme, ann, AccessLevel::Guest);
    world.add_project_member(web, ann, AccessLevel::Maintainer);
    let token = world.add_token(ann, &["read_api"], None);
    let gitlab = serve(world).await;
    let path = "/personal_access_tokens/self/associations";
    let all = get_as(&gitlab, Some(&token), path).await.json();
    assert_eq!(all["groups"].as_array().unwrap().len(), 1);
    assert_eq!(all["groups"][0]["access_levels"], 10);
    assert_eq!(all["groups"][0]["name"], "Acme");
    let ids = |body: &Value| -> Vec<u64> {
        let rows = body["projects"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids(&all), [shop.get(), web.get()], "public ones of strangers are not among them");
    assert_eq!(
        all["projects"][1]["access_levels"],
        json!({"project_access_level": 40, "group_access_level": 10})
    );
    let high = get_as(&gitlab, Some(&token), &format!("{path}?min_access_level=40")).await.json();
    assert_eq!((&high["groups"], ids(&high)), (&json!([]), vec![web.get()]));
    let second = format!("{path}?per_page=1&page=2");
    let second = get_as(&gitlab, Some(&token), &second).await.json();
    assert_eq!((&second["groups"], ids(&second)), (&json!([]), vec![web.get()]));
    let wrong = get_as(&gitlab, Some(&token), &format!("{path}?min_access_level=7")).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_token_rotates_itself_and_is_gone_at_once() {
    let mut world = World::with_clock(clock());
    let ann = world.add_user("ann");
    let token = world.add_token(ann, &["read_api", "self_rotate"], None);
    let gitlab = serve(world).await;
    let path = "/personal_access_tokens/self/rotate";
    let (status, fresh) = post(&gitlab, &token, path, &json!({})).await;
    assert_eq!((status, &fresh["expires_at"]), (200, &json!("2026-11-29")), "{fresh}");
    assert_eq!(fresh["scopes"], json!(["read_api", "self_rotate"]));
    let secret = fresh["token"].as_str().unwrap();
    assert_eq!(get_as(&gitlab, Some(secret), "/user").await.status, 200);
    let old = get_as(&gitlab, Some(&token), "/user").await;
    assert_eq!((old.status, &old.json()["error"]), (401, &json!("invalid_token")));
    let day = json!({"expires_at": "2027-03-01"});
    let (status, third) = post(&gitlab, secret, path, &day).await;
    assert_eq!((status, &third["expires_at"]), (200, &json!("2027-03-01")));
    let third = third["token"].as_str().unwrap();
    let shown = get_as(&gitlab, Some(third), "/personal_access_tokens/self").await.json();
    assert_eq!(shown.get("token"), None, "the secret is shown once");
    assert_eq!(gitlab.requests_for("rotate"), 2);
}

#[tokio::test]
async fn two_who_rotate_the_same_token_lock_each_other_out() {
    let mut world = World::with_clock(clock());
    let ann = world.add_user("ann");
    let token = world.add_token(ann, &["api"], None);
    let other = world.add_token(ann, &["api"], None);
    let gitlab = serve(world).await;
    let path = "/personal_access_tokens/self/rotate";
    let (_, fresh) = post(&gitlab, &token, path, &json!({})).await;
    let fresh = fresh["token"].as_str().unwrap().to_owned();
    assert_eq!(get_as(&gitlab, Some(&token), "/user").await.status, 401);
    assert_eq!(get_as(&gitlab, Some(&fresh), "/user").await.status, 200, "reading does no harm");
    let (status, second) = post(&gitlab, &token, path, &json!({})).await;
    assert_eq!((status, &second["error"]), (401, &json!("invalid_token")));
    assert_eq!(get_as(&gitlab, Some(&fresh), "/user").await.status, 401, "the newest is revoked");
    assert_eq!(get_as(&gitlab, Some(&other), "/user").await.status, 200, "another family");
}

#[tokio::test]
async fn a_rotation_is_refused_in_the_words_of_gitlab() {
    let clock = clock();
    let mut world = World::with_clock(clock.clone());
    let ann = world.add_user("ann");
    let reader = world.add_token(ann, &["read_api"], None);
    let writer = world.add_token(ann, &["api"], None);
    let expired = world.add_token(ann, &["api"], Some("2026-11-22".parse().unwrap()));
    let gitlab = serve(world).await;
    let rotate = async |token: &str, id: &str, body: Value| {
        post(&gitlab, token, &format!("/personal_access_tokens/{id}/rotate"), &body).await
    };
    let (status, body) = rotate(&reader, "self", json!({})).await;
    assert_eq!((status, &body["error"]), (403, &json!("insufficient_scope")));
    assert_eq!(body["scope"], "api self_rotate");
    assert_eq!(rotate(&expired, "self", json!({})).await.0, 401);
    assert_eq!(rotate("glpat-unknown", "self", json!({})).await.0, 401);
    assert_eq!(rotate(&writer, "4", json!({})).await.0, 401, "expired");
    assert_eq!(rotate(&writer, "1", json!({})).await.0, 401, "another's");
    assert_eq!(rotate(&writer, "999", json!({})).await.0, 401, "no such token");
    let (status, body) = rotate(&writer, "self", json!({"expires_at": "tomorrow"})).await;
    assert_eq!((status, body), (400, json!({"error": "expires_at is invalid"})));
    for day in ["2026-11-21", "2028-01-01"] {
        let (status, body) = rotate(&writer, "self", json!({"expires_at": day})).await;
        assert!(status == 400 && body["message"].is_string(), "{day}: {body}");
    }
    assert_eq!(rotate(&writer, "self", json!([1])).await.0, 400, "a body that is no object");
    let (status, fresh) = rotate(&writer, "2", json!({"expires_at": null})).await;
    assert_eq!((status, &fresh["user_id"]), (200, &json!(2)));
    assert_eq!(get_as(&gitlab, Some(&reader), "/user").await.status, 401, "it was rotated");
    assert_eq!(get_as(&gitlab, Some(&writer), "/user").await.status, 200);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
async fn only_personal_tokens_rotate_and_a_form_is_as_good_as_json() {
    let mut world = World::with_clock(clock());
    let ann = world.add_user("ann");
    let oauth = world.add_oauth_token(ann, &["api"]);
    let token = world.add_token(ann, &["api"], None);
    let gitlab = serve(world).await;
    let url = format!("{}/api/v4/personal_access_tokens/self/rotate", gitlab.url());
    let client = reqwest::Client::new();
    let refused = client.post(&url).bearer_auth(&oauth).send().await.unwrap();
    assert_eq!(refused.status(), 405);
    let anonymous = client.post(&url).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    let form = client
        .post(&url)
        .bearer_auth(&token)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("expires_at=2026-12-24");
    let fresh: Value = form.send().await.unwrap().json().await.unwrap();
    assert_eq!(fresh["expires_at"], "2026-12-24");
}

#[tokio::test]
async fn tokens_of_projects_and_groups_are_rotated_by_those_who_run_them() {
    let mut world = World::with_clock(clock());
    let shop = world.add_project(NewProject::at("acme/shop"));
    let acme = world.find_group("acme").unwrap().id;
    let ann = world.add_user("ann");
    world.add_project_member(shop, ann, AccessLevel::Maintainer);
    let ann = world.add_token(ann, &["api"], None);
    let level = AccessLevel::Reporter;
    let bot = world.add_project_token(shop, "crawler", level, &["read_api"], None);
    world.add_group_token(acme, "crawler", level, &["read_api"], None);
    let gitlab = serve(world).await;
    let (status, fresh) =
        post(&gitlab, &ann, "/projects/acme%2Fshop/access_tokens/3/rotate", &json!({})).await;
    assert_eq!(status, 200, "{fresh}");
    assert_eq!(get_as(&gitlab, Some(&bot), "/user").await.status, 401);
    assert_eq!(get_as(&gitlab, fresh["token"].as_str(), "/user").await.json()["name"], "crawler");
    let (status, _) = post(&gitlab, &ann, "/groups/acme/access_tokens/4/rotate", &json!({})).await;
    assert_eq!(status, 403, "she does not own the group");
    let (status, _) = post(&gitlab, &ann, "/projects/1/access_tokens/4/rotate", &json!({})).await;
    assert_eq!(status, 404, "a token of another place");
}

#[tokio::test]
async fn an_administrator_may_act_as_another_with_the_scope_for_it() {
    let mut world = World::new();
    let root = world.add_user("root");
    world.set_admin(root, true);
    let ann = world.add_user("ann");
    let sudo = world.add_token(root, &["api", "sudo"], None);
    let plain = world.add_token(root, &["api"], None);
    let own = world.add_token(ann, &["api", "sudo"], None);
    let id = ann.to_string();
    let gitlab = serve(world).await;
    let as_user = async |token: &str, who: &str| {
        ask(&gitlab, "/user", &[("private-token", token), ("sudo", who)]).await
    };
    assert_eq!(as_user(&sudo, "ann").await.json()["username"], "ann");
    assert_eq!(as_user(&sudo, &id).await.json()["username"], "ann");
    let query = ask(&gitlab, "/user?sudo=ann", &[("private-token", &sudo)]).await;
    assert_eq!(query.json()["username"], "ann");
    let refused = as_user(&own, "root").await;
    assert_eq!((refused.status, refused.json()["message"].is_string()), (403, true));
    let narrow = as_user(&plain, "ann").await;
    assert_eq!((narrow.status, &narrow.json()["scope"]), (403, &json!("sudo")));
    assert_eq!(as_user(&sudo, "nobody").await.status, 404);
    assert_eq!(ask(&gitlab, "/user", &[("sudo", "ann")]).await.status, 401);
}

#[tokio::test]
async fn the_account_has_the_fields_of_a_recorded_one() {
    const RECORDS: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/gitlab/recorded/ogr/exchanges.json");
    let Ok(text) = std::fs::read_to_string(RECORDS) else {
        eprintln!("skipped: ../shared is not beside this checkout");
        return;
    };
    let records: Value = serde_json::from_str(&text).unwrap();
    let newest = records.as_array().unwrap().iter().find(|row| {
        row["url"] == "https://gitlab.com/api/v4/user"
            && row["body"].get("scim_identities").is_some()
    });
    let gitlab = serve(World::new()).await;
    let account = get(&gitlab, "/user").await.json();
    let fields = newest.unwrap()["body"].as_object().unwrap();
    let missing: Vec<&String> =
        fields.keys().filter(|name| account.get(name.as_str()).is_none()).collect();
    assert_eq!(missing, Vec::<&String>::new());
    assert_eq!(account.get("is_admin"), None, "only administrators see that");
}
