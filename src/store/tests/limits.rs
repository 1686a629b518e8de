//! What was learnt of GitLab's limits.

use std::time::Duration;

use super::build::{Index, at};
use crate::store::LearntLimit;

fn limit(route: Option<&str>, requests: u64, seconds: u64) -> LearntLimit {
    LearntLimit {
        route: route.map(str::to_owned),
        throttle: "throttle_authenticated_api".to_owned(),
        requests,
        interval: Duration::from_secs(seconds),
        learnt_at: at(7),
    }
}

#[tokio::test]
async fn limits_are_kept_and_what_is_known_later_takes_their_place() {
    let index = Index::new().await;
    let (store, source) = (&index.store, index.run.source);
    assert_eq!(store.list_limits("main").await.unwrap(), []);

    let hour = limit(None, 5_000, 3_600);
    let minute = limit(None, 100, 60);
    let route = limit(Some("/groups/:x/issues"), 190, 60);
    store.store_limits(source, &[route.clone(), hour.clone(), minute.clone()]).await.unwrap();
    let found = store.list_limits("main").await.unwrap();
    assert_eq!(found, [minute, hour.clone(), route]);

    store.store_limits(source, std::slice::from_ref(&hour)).await.unwrap();
    assert_eq!(store.list_limits("main").await.unwrap(), [hour]);
    assert_eq!(store.list_limits("other").await.unwrap(), []);
}

#[tokio::test]
async fn of_two_limits_for_the_same_the_lower_is_kept_and_one_of_nothing_is_not() {
    let index = Index::new().await;
    let (store, source) = (&index.store, index.run.source);
    let limits = [limit(None, 60, 60), limit(None, 40, 60), limit(Some("/projects"), 0, 60)];
    store.store_limits(source, &limits).await.unwrap();
    assert_eq!(store.list_limits("main").await.unwrap(), [limit(None, 40, 60)]);
}

#[tokio::test]
async fn limits_go_with_their_source() {
    let index = Index::new().await;
    index.store.store_limits(index.run.source, &[limit(None, 100, 60)]).await.unwrap();
    index.store.remove_source("main").await.unwrap();
    assert_eq!(index.store.list_limits("main").await.unwrap(), []);
}
