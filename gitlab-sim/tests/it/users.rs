//! Lists of users: offsets up to the ceiling, cursors behind it.

use gitlab_sim::world::World;

use crate::client::{get, serve};

#[tokio::test]
async fn point_27_users_beyond_the_ceiling_are_405() {
    let gitlab = serve(World::new()).await;
    assert_eq!(get(&gitlab, "/users?per_page=100&page=500").await.status, 200);
    let reply = get(&gitlab, "/users?per_page=100&page=501").await;
    assert_eq!(reply.status, 405);
    let error = reply.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("maximum allowed offset of 50000"), "{error}");
    assert!(error.contains("objects of type User"), "{error}");
}

#[tokio::test]
async fn users_are_paged_by_cursor_in_every_order() {
    let mut world = World::new();
    for name in ["dora", "ann", "carl", "ben"] {
        world.add_user(name);
    }
    let gitlab = serve(world).await;
    for (query, expected) in [
        ("order_by=id&sort=asc", ["xrefd-bot", "dora", "ann", "carl", "ben"]),
        ("order_by=username&sort=asc", ["ann", "ben", "carl", "dora", "xrefd-bot"]),
        ("order_by=created_at&sort=desc", ["ben", "carl", "ann", "dora", "xrefd-bot"]),
    ] {
        let offsets = get(&gitlab, &format!("/users?{query}")).await;
        assert_eq!(offsets.texts("username"), expected, "{query}");
        let mut walked = Vec::new();
        let mut path = format!("/users?pagination=keyset&per_page=2&{query}");
        let mut requests = 0;
        loop {
            let reply = get(&gitlab, &path).await;
            requests += 1;
            walked.extend(reply.texts("username"));
            assert_eq!(reply.header("x-total"), None, "{query}");
            let Some(next) = reply.link("next") else { break };
            path = next.split_once("/api/v4").unwrap().1.to_owned();
        }
        assert_eq!((walked.as_slice(), requests), (&expected.map(str::to_owned)[..], 3), "{query}");
    }
    assert_eq!(get(&gitlab, "/users?pagination=keyset&cursor=zzz").await.status, 400);
    assert_eq!(get(&gitlab, "/users?order_by=shoe_size").await.status, 400);
}
