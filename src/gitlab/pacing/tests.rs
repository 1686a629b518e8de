//! Laws of pace, on the runtime's stopped clock.

mod simulated;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::*;
use crate::clock::FakeClock;

/// The server's time when a test begins, on a minute.
const NOON: i64 = 1_795_348_800;

fn pacer(requests_per_minute: u32, share_permille: u64, concurrency: usize) -> Pacer {
    let pace = Pace {
        requests_per_minute: NonZeroU32::new(requests_per_minute).expect("not zero"),
        share_permille,
        concurrency,
        unstated_pause: Duration::from_mins(1),
    };
    let noon = Timestamp::from_second(NOON).expect("a time");
    Pacer::new(pace, Arc::new(FakeClock::new(noon)))
}

fn hints(status: u16, headers: &[(&'static str, String)]) -> Hints {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().expect("a header value"));
    }
    let noon = Timestamp::from_second(NOON).expect("a time");
    Hints::read(StatusCode::from_u16(status).expect("a status"), &map, noon)
}

/// What a GitLab with a limit says; `second` counts from noon.
fn window(status: u16, limit: u64, observed: u64, second: u64) -> Hints {
    let at = |offset: u64| NOON + i64::try_from(offset).expect("small");
    let date = Timestamp::from_second(at(second)).expect("a time");
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&date)
        .expect("printable");
    hints(
        status,
        &[
            ("date", date),
            ("ratelimit-name", "throttle_authenticated_api".to_owned()),
            ("ratelimit-limit", limit.to_string()),
            ("ratelimit-observed", observed.to_string()),
            ("ratelimit-remaining", limit.saturating_sub(observed).to_string()),
            ("ratelimit-reset", at((second / 60 + 1) * 60).to_string()),
        ],
    )
}

fn nothing() -> Hints {
    hints(200, &[])
}

#[tokio::test(start_paused = true)]
async fn without_any_header_the_own_bucket_decides() {
    let pacer = pacer(600, 800, 8);
    let began = Instant::now();
    for _ in 0..660 {
        pacer.admit("/projects/:x/issues").await.observe(&nothing());
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(59) && took <= Duration::from_secs(61), "{took:?}");
    assert!(pacer.budget().windows.is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_out_than_there_are_slots() {
    let pacer = pacer(6_000, 800, 2);
    let first = pacer.admit("/version").await;
    let _second = pacer.admit("/version").await;
    assert_eq!(pacer.budget().in_flight, 2);
    let third = tokio::time::timeout(Duration::from_secs(5), pacer.admit("/version"));
    assert!(third.await.is_err());
    drop(first);
    tokio::time::timeout(Duration::from_secs(5), pacer.admit("/version")).await.expect("a slot");
}

#[tokio::test(start_paused = true)]
async fn refusal_of_the_host_pauses_every_route_as_long_as_it_says() {
    for (headers, seconds) in [
        (vec![("retry-after", "7".to_owned())], 7),
        (vec![("retry-after", "0".to_owned())], 1),
        // Nobody says so long: it may be chance, and one request sees.
        (vec![], 2),
    ] {
        let pacer = pacer(6_000, 800, 8);
        pacer.admit("/version").await.observe(&hints(429, &headers));
        let paused = pacer.budget().paused_until.expect("a pause").as_second() - NOON;
        assert_eq!(paused, seconds);
        let seconds = seconds.unsigned_abs();
        let began = Instant::now();
        pacer.admit("/projects/:x/labels").await.observe(&nothing());
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(seconds), "{waited:?}");
        assert!(waited <= Duration::from_secs(seconds + 2), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn application_limiter_pauses_its_route_alone_and_one_request_tries_again() {
    let pacer = Arc::new(pacer(6_000, 800, 8));
    let refusal = hints(429, &[("content-type", "application/json".to_owned())]);
    pacer.admit("/groups/:x/projects").await.observe(&refusal);

    let began = Instant::now();
    pacer.admit("/projects/:x/issues").await.observe(&nothing());
    assert!(began.elapsed() < Duration::from_secs(1), "other routes go on");
    assert_eq!(pacer.budget().paused_routes, ["/groups/:x/projects"]);

    let tries = Arc::new(Mutex::new(0));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (pacer, tries) = (Arc::clone(&pacer), Arc::clone(&tries));
        let refusal = refusal.clone();
        all.spawn(async move {
            let mut admission = pacer.admit("/groups/:x/projects").await;
            *tries.lock().expect("not poisoned") += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            admission.observe(&refusal);
        });
    }
    tokio::time::sleep(Duration::from_secs(90)).await;
    let count = || *tries.lock().expect("not poisoned");
    assert_eq!(count(), 2, "one to confirm it, and one in the next interval");
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(count(), 3, "one in the third");
    all.abort_all();
    while all.join_next().await.is_some() {}

    pacer.admit("/groups/:x/projects").await.observe(&nothing());
    assert!(pacer.budget().paused_routes.is_empty(), "a success ends the pause");
}

#[tokio::test(start_paused = true)]
async fn cancelled_waiter_and_cancelled_request_leave_nothing_behind() {
    let pacer = pacer(6_000, 800, 1);
    let asked = ("retry-after", "60".to_owned());
    let refusal = hints(429, &[("content-type", "application/json".to_owned()), asked]);
    pacer.admit("/a").await.observe(&refusal);
    for _ in 0..20 {
        let cancelled = tokio::time::timeout(Duration::from_secs(1), pacer.admit("/a"));
        assert!(cancelled.await.is_err());
    }
    // The one that tries again is cancelled while it is out: the next may try.
    drop(pacer.admit("/a").await);
    let began = Instant::now();
    pacer.admit("/a").await.observe(&nothing());
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(pacer.budget().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn use_by_others_counts() {
    let pacer = pacer(600, 800, 8);
    pacer.admit("/version").await.observe(&window(200, 100, 99, 10));
    let budget = pacer.budget();
    let window = &budget.windows[0];
    assert_eq!((window.used, window.others, window.allowed), (99, 98, 2));
    assert_eq!(window.resets_at.as_second(), NOON + 50);
    let began = Instant::now();
    pacer.admit("/version").await.observe(&nothing());
    assert!(began.elapsed() < Duration::from_secs(50), "a trickle");
    pacer.admit("/version").await.observe(&nothing());
    assert!(began.elapsed() >= Duration::from_secs(50));
}

#[tokio::test(start_paused = true)]
async fn files_with_a_throttle_of_their_own_do_not_hold_up_the_rest() {
    let pacer = pacer(6_000, 1_000, 8);
    pacer.admit("/projects/:x").await.observe(&window(200, 1_000, 1, 0));
    let mut files = window(200, 10, 10, 0);
    if let Some(stated) = &mut files.stated {
        stated.name = "throttle_authenticated_files_api".to_owned();
    }
    pacer.admit("/projects/:x/repository/files/:x/raw").await.observe(&files);
    let began = Instant::now();
    pacer.admit("/projects/:x").await.observe(&nothing());
    assert!(began.elapsed() < Duration::from_secs(1));
    pacer.admit("/projects/:x/repository/files/:x/raw").await.observe(&nothing());
    assert!(began.elapsed() >= Duration::from_secs(59));
}

#[tokio::test(start_paused = true)]
async fn time_that_ends_a_window_teaches_a_limit_and_any_other_is_only_obeyed() {
    // Noon is a multiple of a minute: 40 seconds later a window has 20 left.
    for (retry_after, learns) in [("20", true), ("5", false)] {
        let pacer = pacer(6_000, 1_000, 8);
        for _ in 0..50 {
            pacer.admit("/a").await.observe(&nothing());
        }
        let date = ("date", "Sun, 22 Nov 2026 12:00:40 GMT".to_owned());
        let refusal = hints(429, &[date, ("retry-after", retry_after.to_owned())]);
        pacer.admit("/a").await.observe(&refusal);
        assert_eq!(!pacer.learnt().is_empty(), learns, "{retry_after}: {:?}", pacer.learnt());
    }
}
