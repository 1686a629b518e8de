//! Laws of counting.

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn refusal(sent_at: Instant, now: Instant, window_began: Option<Instant>) -> Refusal {
    let wall = Timestamp::UNIX_EPOCH;
    Refusal {
        sent_at,
        now,
        wall,
        wait: MINUTE,
        window_began,
        is_telling: true,
        may_be_chance: true,
        is_vague: false,
    }
}

/// Takes in a refusal shortly after another was confirmed, so that it is believed at once.
fn refuse(tally: &mut Tally, refusal: Refusal) {
    tally.confirmed_at = Some(refusal.now);
    tally.refused(refusal);
}

/// Lets so many requests pass, one each `gap`, and returns when the last did.
fn pass(tally: &mut Tally, count: u32, gap: Duration, mut now: Instant) -> Instant {
    for _ in 0..count {
        now += gap;
        tally.count();
        tally.passed(true, now);
    }
    now
}

#[tokio::test(start_paused = true)]
async fn limit_is_what_passed_since_the_servers_window_began() {
    let begin = Instant::now();
    for (window_began, learnt) in [
        // 300 passed in the last minute: 200 of them since the window began.
        (Some(begin + Duration::from_secs(20)), 196),
        // So few in the window: it lies elsewhere, and half is safe.
        (Some(begin + Duration::from_secs(55)), 147),
        (None, 147),
    ] {
        let mut tally = Tally::new(MINUTE, 1_000);
        let now = pass(&mut tally, 300, Duration::from_millis(200), begin);
        tally.count();
        refuse(&mut tally, refusal(now, now, window_began));
        let (requests, _) = tally.learnt().expect("a limit");
        assert!(requests.abs_diff(learnt) <= 1, "{requests}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusal_that_follows_nothing_teaches_nothing_and_those_sent_together_count_once() {
    let begin = Instant::now();
    let mut tally = Tally::new(MINUTE, 1_000);
    tally.count();
    refuse(&mut tally, refusal(begin, begin, None));
    assert_eq!(tally.learnt(), None);
    let until = tally.rests_until();
    refuse(&mut tally, refusal(begin - Duration::from_millis(1), begin + MINUTE / 2, None));
    assert_eq!(tally.rests_until(), until);
}

#[tokio::test(start_paused = true)]
async fn limit_is_raised_slowly_and_a_refusal_sets_it_back() {
    let begin = Instant::now();
    let mut tally = Tally::new(MINUTE, 1_000);
    let now = pass(&mut tally, 40, Duration::from_secs(1), begin);
    refuse(&mut tally, refusal(now, now, None));
    assert_eq!(tally.learnt().map(|(requests, _)| requests), Some(20));
    let limit_at = |tally: &mut Tally, now| {
        tally.obstacle(now);
        tally.learnt().map(|(requests, _)| requests)
    };
    tally.rest = None;
    assert_eq!(limit_at(&mut tally, now + MINUTE * 59), Some(20));
    let raised = now + MINUTE * 60;
    assert_eq!(limit_at(&mut tally, raised), Some(25));
    let later = pass(&mut tally, 21, Duration::from_secs(1), raised);
    refuse(&mut tally, refusal(later, later, None));
    assert_eq!(limit_at(&mut tally, later), Some(20));
    tally.rest = None;
    assert_eq!(limit_at(&mut tally, later + MINUTE * 119), Some(20), "twice as long");
    assert_eq!(limit_at(&mut tally, later + MINUTE * 120), Some(25));
}

#[tokio::test(start_paused = true)]
async fn recalled_limit_counts_as_used_evenly() {
    let now = Instant::now() + MINUTE * 10;
    let mut tally = Tally::new(MINUTE, 1_000);
    tally.recall(60, MINUTE, Timestamp::UNIX_EPOCH, now);
    let Some(Obstacle::Until(until)) = tally.obstacle(now) else { panic!("no room yet") };
    assert!(until <= now + Duration::from_secs(2), "{:?}", until - now);
}

#[tokio::test(start_paused = true)]
async fn refusal_after_a_few_requests_is_doubted_until_another_confirms_it() {
    let begin = Instant::now();
    let mut tally = Tally::new(MINUTE, 1_000);
    let now = pass(&mut tally, 3, Duration::from_secs(1), begin);
    refuse(&mut tally, refusal(now, now, Some(begin)));
    tally.rest = None;
    let limit = |tally: &Tally| tally.learnt.as_ref().map(|learnt| learnt.requests);
    assert_eq!((limit(&tally), tally.learnt()), (Some(3), None), "it is not worth keeping");
    // Beyond it requests go one at a time, until enough have passed in an interval.
    let now = pass(&mut tally, 3, Duration::from_secs(1), now + MINUTE * 2);
    assert_eq!(tally.obstacle(now), None);
    tally.count();
    assert_eq!(tally.obstacle(now), Some(Obstacle::Answer));
    tally.passed(false, now);
    let now = pass(&mut tally, 36, Duration::from_secs(1), now);
    assert_eq!((tally.obstacle(now), limit(&tally)), (None, None));

    let later = pass(&mut tally, 3, Duration::from_secs(1), now + MINUTE * 20);
    refuse(&mut tally, refusal(later, later, Some(now + MINUTE * 20)));
    tally.rest = None;
    let again = pass(&mut tally, 4, Duration::from_secs(1), later + MINUTE);
    refuse(&mut tally, refusal(again, again, None));
    tally.rest = None;
    tally.obstacle(again + MINUTE * 30);
    assert_eq!(tally.learnt().map(|(requests, _)| requests), Some(3), "confirmed");
}

#[tokio::test(start_paused = true)]
async fn lone_refusal_is_confirmed_by_one_more_request_before_it_is_believed() {
    let begin = Instant::now();
    let lone = |now| Refusal { may_be_chance: true, ..refusal(now, now, Some(begin)) };
    let mut tally = Tally::new(MINUTE, 1_000);
    let now = pass(&mut tally, 50, Duration::from_millis(100), begin);
    tally.refused(lone(now));
    let Some(Obstacle::Until(until)) = tally.obstacle(now) else { panic!("it rests") };
    assert!(until - now <= Duration::from_secs(4), "{:?}", until - now);
    assert!(tally.count(), "one goes ahead");
    assert_eq!(tally.obstacle(until), Some(Obstacle::Answer));
    tally.passed(true, until);
    assert_eq!((tally.obstacle(until), tally.learnt()), (None, None), "it was chance");

    // One that another confirms is believed, whichever went out first.
    for sent_at in [begin, begin + MINUTE] {
        let mut tally = Tally::new(MINUTE, 1_000);
        let now = pass(&mut tally, 50, Duration::from_millis(100), begin);
        tally.refused(lone(now));
        let second = now + Duration::from_secs(3);
        tally.refused(Refusal { sent_at, ..lone(second) });
        assert_eq!(tally.learnt().map(|(requests, _)| requests), Some(49));
        assert!(tally.rests_until().is_some_and(|until| until >= second + MINUTE));
    }
}
