//! Pages that are found by walking an order, against the same pages found by sorting everything,
//! which is what happens when the client asks for the count.

use gitlab_sim::world::{AccessLevel, Visibility};
use gitlab_sim::{Bulk, Clock, GitLab};
use serde_json::{Value, json};

use super::post;
use crate::client::serve;

/// Asks for one page of a list of the group, with or without its count.
async fn page(
    gitlab: &GitLab,
    token: Option<&str>,
    (list, arguments): (&str, &str),
    counted: bool,
) -> Value {
    let count = if counted { "count" } else { "" };
    let query = format!(
        "{{group(fullPath:\"{}\"){{{list}(includeSubgroups:true,{arguments}){{{count} \
         edges{{cursor node{{iid updatedAt}}}} pageInfo{{hasNextPage hasPreviousPage startCursor \
         endCursor}}}}}}}}",
        Bulk::GROUP,
    );
    let reply = post(gitlab, token, &json!({"query": query})).await.json();
    assert_eq!(reply.get("errors"), None, "{query}");
    let mut page = reply["data"]["group"][list].clone();
    let told = page.as_object_mut().unwrap().remove("count");
    assert_eq!(told.is_some(), counted);
    page
}

/// A world large enough to be walked, of which a guest sees the half.
async fn large() -> (GitLab, String) {
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let bulk = Bulk {
        projects: 6,
        issues: 3_000,
        merge_requests: 3_000,
        notes: 0,
        now,
        ..Bulk::default()
    };
    let mut world = bulk.generate();
    world.clock().set(now);
    let guest = world.add_user("guest");
    let ids: Vec<_> = world.projects().map(|row| row.id).collect();
    for (place, id) in ids.iter().enumerate() {
        world.set_visibility(*id, Visibility::Private);
        if place % 6 != 5 {
            world.add_project_member(*id, guest, AccessLevel::Reporter);
        }
    }
    world.archive(ids[1], true);
    for iid in (1..=60).step_by(3) {
        world.set_confidential(ids[0], iid, true);
    }
    let token = world.add_token(guest, &["read_api"], None);
    (serve(world).await, token)
}

#[tokio::test]
async fn walked_pages_are_those_that_sorting_would_find() {
    let (gitlab, guest) = large().await;
    let sorts = ["UPDATED_ASC", "UPDATED_DESC", "CREATED_ASC", "CREATED_DESC"];
    for token in [gitlab.token(), guest.as_str()] {
        for list in ["issues", "mergeRequests"] {
            for sort in sorts {
                let mut after = String::new();
                let mut rows = 0;
                // Bulk edits left hundreds of rows with one time, so pages end within a time.
                for _ in 0..6 {
                    let arguments = format!("sort:{sort},first:97{after}");
                    let walked = page(&gitlab, Some(token), (list, &arguments), false).await;
                    let sorted = page(&gitlab, Some(token), (list, &arguments), true).await;
                    assert_eq!(walked, sorted, "{list} {arguments}");
                    rows += walked["edges"].as_array().unwrap().len();
                    let end = walked["pageInfo"]["endCursor"].as_str().unwrap();
                    after = format!(",after:\"{end}\"");
                }
                assert_eq!(rows, 6 * 97);
            }
        }
    }
}

#[tokio::test]
async fn filters_and_odd_pages_come_out_alike() {
    let (gitlab, _) = large().await;
    let middle = page(&gitlab, Some(gitlab.token()), ("issues", "sort:UPDATED_ASC,first:50"), true);
    let middle = middle.await;
    let time = middle["edges"][49]["node"]["updatedAt"].as_str().unwrap();
    let cursor = middle["pageInfo"]["endCursor"].as_str().unwrap();
    let by_title = page(&gitlab, Some(gitlab.token()), ("issues", "sort:TITLE_ASC,first:3"), true);
    let foreign = by_title.await["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    for arguments in [
        format!("updatedAfter:\"{time}\",sort:UPDATED_ASC,first:40"),
        format!("updatedBefore:\"{time}\",sort:UPDATED_DESC,first:40"),
        format!("updatedAfter:\"{time}\",updatedBefore:\"2026-01-01T00:00:00Z\",sort:UPDATED_ASC"),
        format!("createdAfter:\"{time}\",sort:CREATED_DESC,first:7"),
        format!("updatedAfter:\"{time}\",after:\"{cursor}\",sort:UPDATED_ASC,first:100"),
        "state:closed,sort:UPDATED_ASC,first:30".to_owned(),
        "iids:[\"3\",\"4\"],sort:CREATED_ASC".to_owned(),
        "sort:UPDATED_ASC,first:0".to_owned(),
        "sort:UPDATED_ASC,first:500".to_owned(),
        "sort:UPDATED_DESC,last:5".to_owned(),
        format!("sort:UPDATED_ASC,before:\"{cursor}\",first:5"),
        format!("sort:UPDATED_ASC,after:\"{foreign}\",first:5"),
        "sort:TITLE_DESC,first:5".to_owned(),
    ] {
        let walked = page(&gitlab, Some(gitlab.token()), ("issues", &arguments), false).await;
        let sorted = page(&gitlab, Some(gitlab.token()), ("issues", &arguments), true).await;
        assert_eq!(walked, sorted, "{arguments}");
    }
}

#[tokio::test]
async fn a_walk_is_not_led_astray_by_rows_that_move() {
    let (gitlab, _) = large().await;
    let clock: Clock = gitlab.world().clock().clone();
    let arguments = "sort:UPDATED_ASC,first:20";
    let first = page(&gitlab, Some(gitlab.token()), ("issues", arguments), false).await;
    let sorted = page(&gitlab, Some(gitlab.token()), ("issues", "sort:UPDATED_ASC,first:40"), true);
    let wanted = sorted.await["edges"].as_array().unwrap()[20..].to_vec();
    clock.advance(jiff::SignedDuration::from_hours(1));
    // What was read moves to the end, and a row that was not read stays where it was.
    let project = gitlab.world().projects().next().unwrap().id;
    let iids: Vec<u64> =
        gitlab.world().project(project).unwrap().issues.keys().copied().take(20).collect();
    let before = wanted.clone();
    for iid in iids {
        let item = gitlab_sim::world::ItemRef::issue(project, iid);
        let name = Value::from(iid.to_string());
        let stands_later = before.iter().any(|edge| edge["node"]["iid"] == name);
        if !stands_later {
            gitlab.world().edit(item, |_| {});
        }
    }
    let cursor = first["pageInfo"]["endCursor"].as_str().unwrap();
    let arguments = format!("{arguments},after:\"{cursor}\"");
    let second = page(&gitlab, Some(gitlab.token()), ("issues", &arguments), false).await;
    assert_eq!(second["edges"].as_array().unwrap()[..], wanted[..]);
}
