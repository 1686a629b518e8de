//! Life in a running instance, and the truth of now against what a client is served.

use std::collections::{BTreeMap, BTreeSet};

use gitlab_sim::life::{Deed, Step, Weights};
use gitlab_sim::truth::ItemState;
use gitlab_sim::world::AccessLevel;
use gitlab_sim::{Generator, GitLab, Life, Options, Pace};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::{get, get_as, serve};

fn now() -> Timestamp {
    "2026-11-22T12:00:00.123456Z".parse().unwrap()
}

fn generator(seed: u64) -> Generator {
    Generator {
        seed,
        projects: 12,
        issues_per_project: 8,
        merge_requests_per_project: 8,
        now: now(),
    }
}

/// Serves a generated organisation whose clock stands still.
async fn organisation(seed: u64) -> GitLab {
    let (world, ledger) = generator(seed).organisation();
    world.clock().set(now());
    serve(world).await.with_ledger(ledger)
}

/// Lists every row of a list, page by page, following what the server says. A refusal is an empty
/// list.
async fn all(gitlab: &GitLab, token: Option<&str>, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut page = "1".to_owned();
    while !page.is_empty() {
        let reply = get_as(gitlab, token, &format!("{path}per_page=100&page={page}")).await;
        if reply.status != 200 {
            assert!([401, 403, 404].contains(&reply.status), "{path}: {}", reply.status);
            break;
        }
        rows.extend(reply.json().as_array().unwrap().iter().cloned());
        reply.header("x-next-page").unwrap().clone_into(&mut page);
    }
    rows
}

/// What a client can read of an item, in the form of the truth.
fn fields(row: &Value) -> (String, Vec<String>, String, String, bool) {
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let labels = row["labels"].as_array().unwrap().iter().map(|x| x.as_str().unwrap().to_owned());
    let confidential = row["confidential"] == true;
    (text("title"), labels.collect(), text("state"), text("updated_at"), confidential)
}

fn wanted(row: &ItemState) -> (String, Vec<String>, String, String, bool) {
    let updated_at = row.updated_at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    (row.title.clone(), row.labels.clone(), row.state.to_owned(), updated_at, row.confidential)
}

/// Compares the state and the truth of now with what the lists of each project say.
async fn compare(gitlab: &GitLab, token: Option<&str>, who: &str) {
    let (state, truth) = (gitlab.state(token), gitlab.truth(token));
    let projects = all(gitlab, token, "/projects?order_by=id&").await;
    let ids: BTreeSet<u64> = projects.iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, state.projects.keys().copied().collect(), "projects of {who}");
    let mut served = BTreeMap::new();
    for id in ids {
        for kind in ["issues", "merge_requests"] {
            for row in all(gitlab, token, &format!("/projects/{id}/{kind}?")).await {
                let reference = row["references"]["full"].as_str().unwrap().to_owned();
                served.insert(reference, fields(&row));
            }
        }
    }
    let rows = state.items();
    let kept: BTreeMap<String, _> =
        rows.iter().map(|(reference, row)| ((*reference).to_owned(), wanted(row))).collect();
    assert_eq!(served, kept, "items of {who}");
    assert_eq!(truth.items.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>(), "{who}");
    for (reference, row) in rows {
        let kind = if reference.contains('#') { "issues" } else { "merge_requests" };
        let path = format!("/projects/{}/{kind}/{}/notes?sort=asc&", row.project, row.iid);
        if row.iid % 4 == 1 {
            let notes = all(gitlab, token, &path).await;
            let notes: Vec<u64> = notes.iter().map(|note| note["id"].as_u64().unwrap()).collect();
            assert_eq!(notes, row.notes, "notes of {reference} for {who}");
        }
    }
}

#[tokio::test]
async fn the_truth_after_a_long_life_is_what_each_token_is_served() {
    for seed in 1..3 {
        let (mut world, mut ledger) = generator(seed).organisation();
        world.clock().set(now());
        let mut tokens = vec![("the bot", Some(world.bot_token().to_owned())), ("nobody", None)];
        for (name, level) in [
            ("visitor", None),
            ("guest", Some(AccessLevel::Guest)),
            ("reporter", Some(AccessLevel::Reporter)),
            ("ann", None),
        ] {
            let user = world.add_user(name);
            tokens.push((name, Some(world.add_token(user, &["read_api"], None))));
            if let Some(level) = level {
                let group = world.find_group("acme/shop").unwrap().id;
                world.add_group_member(group, user, level);
            }
        }
        let mut life = Life::seeded(seed).weights(Weights::default().with(Deed::DeleteProject, 1));
        for _ in 0..2_000 {
            life.step(&mut world, &mut ledger);
        }
        let gitlab = serve(world).await.with_ledger(ledger);
        for (who, token) in &tokens {
            compare(&gitlab, token.as_deref(), who).await;
        }
        gitlab.stop().await;
    }
}

#[tokio::test]
async fn life_after_requests_is_the_same_for_the_same_requests() {
    async fn steps() -> Vec<Step> {
        let gitlab = organisation(7).await;
        gitlab.live(Life::seeded(9), Pace::AfterRequests(3));
        for page in 1..=12 {
            get(&gitlab, &format!("/groups/acme/issues?per_page=10&page={page}")).await;
        }
        let steps = gitlab.steps();
        assert_eq!(gitlab.quiet().await, steps);
        get(&gitlab, "/version").await;
        assert!(gitlab.steps().is_empty(), "the life has ended");
        gitlab.stop().await;
        steps
    }
    let first = steps().await;
    assert_eq!(first.len(), 4);
    assert!(first.iter().all(|step| step.deed.is_some() && !step.line.is_empty()));
    assert_eq!(first, steps().await);
}

#[tokio::test]
async fn life_in_real_time_goes_on_by_itself_and_ends_with_the_instance() {
    let gitlab = organisation(1).await;
    gitlab.live(Life::seeded(1), Pace::PerSecond(500));
    while gitlab.steps().len() < 20 {
        get(&gitlab, "/version").await;
    }
    let token = gitlab.token().to_owned();
    compare_quiet(&gitlab, &token).await;
    gitlab.live(Life::seeded(2), Pace::PerSecond(500));
    gitlab.stop().await;
}

async fn compare_quiet(gitlab: &GitLab, token: &str) {
    assert!(gitlab.quiet().await.len() >= 20);
    compare(gitlab, Some(token), "the bot").await;
}

#[tokio::test]
async fn a_token_that_is_refused_sees_nothing() {
    let gitlab = organisation(1).await;
    let token = gitlab.token().to_owned();
    assert!(!gitlab.truth(Some(&token)).items.is_empty());
    gitlab.world().revoke(&token);
    assert_eq!(get(&gitlab, "/projects").await.status, 401);
    assert!(gitlab.truth(Some(&token)).items.is_empty());
    assert_eq!(gitlab.state(Some(&token)), gitlab_sim::State::default());
    assert_eq!(gitlab.state(Some("glpat-unknown")), gitlab_sim::State::default());
}

#[tokio::test]
async fn texts_written_by_hand_can_be_given_a_meaning() {
    use gitlab_sim::world::{ItemRef, NewIssue};

    let gitlab = organisation(1).await;
    let project = gitlab.world().find_project("acme/shop/web-shop").unwrap().id;
    gitlab.write(|world, ledger| {
        let issue = NewIssue::new("By hand").labels(["area/checkout"]);
        ledger.mean_label("area/checkout", "component", "checkout");
        ItemRef::issue(project, world.add_issue(project, issue))
    });
    let truth = gitlab.truth(Some(gitlab.token()));
    let tagged = truth.tag("component", "checkout").unwrap();
    assert_eq!(tagged.items.iter().next().map(String::as_str), Some("acme/shop/web-shop#9"));
}

/// Sends a command of the control API and returns status and answer.
#[expect(clippy::disallowed_methods, reason = "a test is not paced")]
async fn command(gitlab: &GitLab, method: &str, path: &str, body: &str) -> (u16, Value) {
    let url = format!("{}/_sim{path}", gitlab.url());
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = reqwest::Client::new().request(method, url).body(body.to_owned());
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

/// Serves an organisation with the control API.
async fn controlled() -> GitLab {
    let (world, ledger) = generator(1).organisation();
    world.clock().set(now());
    let options = Options { control: true, ..Options::default() };
    GitLab::start(world, options).await.unwrap().with_ledger(ledger)
}

#[tokio::test]
async fn life_is_led_by_the_control_api() {
    let gitlab = controlled().await;
    let (status, refusal) = command(&gitlab, "POST", "/life/steps", "").await;
    assert_eq!((status, refusal["error"].as_str()), (404, Some("nobody lives here")));
    let body = r#"{"seed": 5, "weights": {"close": 100}}"#;
    assert_eq!(command(&gitlab, "POST", "/life", body).await.0, 200);
    let (_, made) = command(&gitlab, "POST", "/life/steps", r#"{"steps": 30}"#).await;
    assert_eq!(made["steps"].as_array().unwrap().len(), 30);
    assert_eq!(command(&gitlab, "GET", "/life", "").await.1, made);
    assert_eq!(gitlab.requests().len(), 0, "commands are no requests");
    assert_eq!(command(&gitlab, "DELETE", "/life", "").await.1, made);
    assert_eq!(command(&gitlab, "GET", "/life", "").await.1["steps"], serde_json::json!([]));
    for (path, body) in [
        ("/life", r#"{"weights": {"sleep": 1}}"#),
        ("/life", r#"{"per_second": 1, "after_requests": 1}"#),
        ("/life", r#"{"speed": 1}"#),
        ("/life/steps", r#"{"steps": 10001}"#),
    ] {
        assert_eq!(command(&gitlab, "POST", path, body).await.0, 400, "{body}");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn nobody_lives_in_a_world_that_was_not_generated() {
    let options = Options { control: true, ..Options::default() };
    let gitlab = GitLab::start(gitlab_sim::World::new(), options).await.unwrap();
    assert_eq!(command(&gitlab, "POST", "/life", "").await.0, 400);
}

#[tokio::test]
async fn the_control_api_tells_the_truth_and_the_rows_of_a_token() {
    let gitlab = controlled().await;
    let token = gitlab.token();
    let (_, truth) = command(&gitlab, "GET", &format!("/truth?token={token}"), "").await;
    assert_eq!(truth, serde_json::to_value(gitlab.truth(Some(token))).unwrap());
    assert!(truth["references"]["jira"].is_object() && truth["tags"]["service"].is_object());
    let (_, rows) = command(&gitlab, "GET", &format!("/rows?token={token}"), "").await;
    assert_eq!(rows, serde_json::to_value(gitlab.state(Some(token))).unwrap());
    let (_, everybody) = command(&gitlab, "GET", "/truth", "").await;
    assert_eq!(everybody, serde_json::to_value(gitlab.truth(None)).unwrap());
    assert_eq!(command(&gitlab, "GET", "/rows?token=unknown", "").await.0, 400);
}

#[tokio::test]
async fn a_pace_that_no_timer_keeps_is_a_life_all_the_same() {
    let (world, ledger) = generator(1).organisation();
    world.clock().set(now());
    let gitlab = serve(world).await.with_ledger(ledger);
    gitlab.live(Life::seeded(1), Pace::PerSecond(u32::MAX));
    while gitlab.steps().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!gitlab.quiet().await.is_empty());
    gitlab.stop().await;
}
