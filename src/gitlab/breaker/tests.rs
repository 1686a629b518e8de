//! The breaker on a clock that stands still.

use reqwest::StatusCode;

use super::*;
use crate::clock::FakeClock;
use crate::gitlab::Verdict;

fn breaker() -> Breaker {
    let noon = Timestamp::from_second(1_795_348_800).expect("a time");
    let endurance = Endurance {
        rest: Duration::from_secs(1),
        patience: Duration::from_mins(3),
        first_patience: Duration::from_secs(10),
    };
    Breaker::new(endurance, Arc::new(FakeClock::new(noon)))
}

fn bad_gateway() -> Error {
    Error::Refused {
        status: StatusCode::BAD_GATEWAY,
        path: "/version".to_owned(),
        message: "an HTML page".to_owned(),
        is_gitlab: false,
        retry_after: None,
    }
}

/// Lets the breaker open, and says that it did.
async fn open(breaker: &Breaker) {
    for turn in 1..=FAILURES {
        let mut passage = breaker.passage();
        passage.wait().await.expect("closed");
        let noted = passage.failed(bad_gateway());
        assert_eq!(matches!(noted, Noted::Outage), turn == FAILURES, "{turn}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_few_looks_and_loses_no_request() {
    let breaker = breaker();
    let began = Instant::now();
    assert_eq!(breaker.open_since(), None);
    open(&breaker).await;
    assert_eq!(breaker.open_since(), Some(breaker.clock.now()));
    let mut looks = 0;
    // A deploy of a minute.
    let ask = || async {
        let mut failures = 0;
        loop {
            let mut passage = breaker.passage();
            passage.wait().await.expect("it is waited for");
            if began.elapsed() > Duration::from_mins(1) {
                passage.answered();
                return failures;
            }
            assert!(passage.is_probe(), "only one is sent ahead");
            assert!(matches!(passage.failed(bad_gateway()), Noted::Outage));
            failures += 1;
        }
    };
    for failures in futures_util::future::join_all((0..20).map(|_| ask())).await {
        looks += failures;
    }
    assert_eq!(breaker.open_since(), None);
    assert!((4..=10).contains(&looks), "{looks}");
    assert!(began.elapsed() < Duration::from_secs(95), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn patience_ends_and_says_since_when() {
    let breaker = breaker();
    let began = Instant::now();
    open(&breaker).await;
    let error = loop {
        let mut passage = breaker.passage();
        match passage.wait().await {
            Ok(()) => drop(passage.failed(bad_gateway())),
            Err(error) => break error,
        }
    };
    assert_eq!(error.verdict(), Verdict::Abort);
    assert_eq!(error.to_string(), "GitLab has not answered since 2026-11-22T12:00:00Z");
    let waited = began.elapsed();
    assert!(Duration::from_mins(2) < waited && waited <= Duration::from_mins(3), "{waited:?}");

    // The next sync looks once, and goes on when GitLab is back.
    tokio::time::advance(Duration::from_mins(2)).await;
    let mut passage = breaker.passage();
    passage.wait().await.expect("one look");
    passage.answered();
    let mut passage = breaker.passage();
    passage.wait().await.expect("closed");
    assert!(!passage.is_probe());
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_cancelled_lets_another_look() {
    let breaker = breaker();
    open(&breaker).await;
    let mut first = breaker.passage();
    first.wait().await.expect("the first look");
    assert!(first.is_probe());
    drop(first);
    let mut second = breaker.passage();
    second.wait().await.expect("the second look");
    assert!(second.is_probe());
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_between_keeps_it_closed() {
    let breaker = breaker();
    for _ in 0..10 {
        assert!(matches!(breaker.passage().failed(bad_gateway()), Noted::Single(_)));
        breaker.passage().answered();
    }
}

#[tokio::test(start_paused = true)]
async fn strange_answers_in_a_row_bar_everything_and_one_of_gitlab_ends_the_row() {
    let breaker = breaker();
    let blocked = || Error::Blocked { path: "/version".to_owned() };
    for _ in 0..5 {
        for _ in 1..STRANGE_ANSWERS {
            assert!(matches!(breaker.passage().failed(blocked()), Noted::Single(_)));
        }
        breaker.passage().answered();
    }
    for _ in 1..STRANGE_ANSWERS {
        drop(breaker.passage().failed(blocked()));
    }
    let Noted::Barred(error) = breaker.passage().failed(blocked()) else { panic!("not barred") };
    assert_eq!(error.verdict(), Verdict::Abort);
    assert!(error.hint().is_some());
}
