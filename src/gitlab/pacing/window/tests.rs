//! What is made of a window's figures.

use super::*;

/// A statement that came in at once.
fn around(stated: &Stated, now: Instant) -> Around {
    Around { ends: now + stated.ends_in, sent_at: now, now, wall: Timestamp::UNIX_EPOCH }
}

fn stated(per_minute: u64, observed: u64, remaining: u64, reset: i64, left: u64) -> Stated {
    Stated {
        name: String::new(),
        per_minute,
        observed,
        remaining,
        reset,
        ends_in: Duration::from_secs(left),
    }
}

#[tokio::test(start_paused = true)]
async fn limit_and_length_are_read_from_normalised_figures() {
    for (figures, limit, seconds) in [
        (stated(2_000, 1, 1_999, 1_776_937_500, 42), 2_000, 60),
        (stated(120, 3_000, 4_200, 1_776_934_800, 900), 7_200, 3_600),
        (stated(84, 100, 4_900, 1_776_934_800, 3_000), 5_000, 3_600),
        (stated(200, 0, 2_000, 1_776_934_800, 500), 2_000, 600),
        (stated(1, 3, 2, 1_776_934_800, 100), 5, 300),
        // Used up: a minute's window, and one that is plainly longer.
        (stated(600, 608, 0, 1_776_937_500, 42), 600, 60),
        (stated(120, 7_209, 0, 1_776_934_800, 900), 7_200, 3_600),
        (stated(84, 5_003, 0, 1_776_934_800, 900), 5_003, 3_600),
    ] {
        let window = Window::new(&figures, Family::General, around(&figures, Instant::now()))
            .expect("a window");
        assert_eq!((window.limit, window.period.as_secs()), (limit, seconds), "{figures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn window_with_more_time_left_than_it_lasts_is_not_believed() {
    let figures = stated(600, 1, 599, 1_776_937_500, 80_000);
    assert!(Window::new(&figures, Family::General, around(&figures, Instant::now())).is_none());
}

#[tokio::test(start_paused = true)]
async fn next_window_is_predicted_and_late_answers_do_not_disturb_it() {
    let now = Instant::now();
    let first = stated(600, 500, 100, 1_776_937_500, 10);
    let mut window = Window::new(&first, Family::General, around(&first, now)).expect("a window");
    let later = now + Duration::from_secs(11);
    window.roll(|_| 3, later);
    assert_eq!((window.used(), window.ends), (3, now + Duration::from_secs(70)));

    let late =
        Around { ends: now + first.ends_in, sent_at: now, now: later, ..around(&first, now) };
    window.update(&first, Family::General, |_| 2, late);
    assert_eq!(window.ours, 2, "an answer from the window that is over was counted there");

    let next = stated(600, 7, 593, 1_776_937_560, 58);
    window.update(&next, Family::General, |_| 2, around(&next, later));
    assert_eq!((window.used(), window.others()), (9, 5));
    let overtaken = stated(600, 5, 595, 1_776_937_560, 58);
    window.update(&overtaken, Family::General, |_| 1, around(&overtaken, later));
    assert_eq!((window.used(), window.others()), (8, 5));
}

#[tokio::test(start_paused = true)]
async fn what_others_used_is_kept_free_for_them_in_the_next_window() {
    let now = Instant::now();
    let first = stated(100, 40, 60, 1_776_937_500, 1);
    let mut window = Window::new(&first, Family::General, around(&first, now)).expect("a window");
    window.adopt(10, 0, true);
    assert_eq!((window.others(), window.allowed(1_000)), (30, 68), "one stays unused");
    window.roll(|_| 0, now + Duration::from_secs(1));
    assert_eq!(window.others(), 0);
    let allowed = window.allowed(1_000);
    assert!((66..=68).contains(&allowed), "{allowed}");
    assert_eq!(window.allowed(500), 50, "the share is the most");
}

#[tokio::test(start_paused = true)]
async fn however_much_others_use_a_trickle_is_left_until_the_limit_is_reached() {
    let now = Instant::now();
    for (observed, left) in [(990, 10.0), (1_000, 0.0)] {
        let first = stated(1_000, observed, 1_000 - observed, 1_776_937_500, 60);
        let window = Window::new(&first, Family::General, around(&first, now)).expect("a window");
        assert!((window.left(800) - left).abs() < 0.1, "{}", window.left(800));
    }
}

#[tokio::test(start_paused = true)]
async fn window_recalled_in_its_middle_counts_as_used_so_far() {
    let now = Instant::now();
    let ends = now + Duration::from_mins(15);
    let hour = Duration::from_hours(1);
    let mut window = Window::recalled(5_000, hour, ends, now, Timestamp::UNIX_EPOCH, 800);
    assert!((window.left(800) - 1_000.0).abs() < 1.0, "{}", window.left(800));
    let next = now + Duration::from_mins(16);
    window.roll(|_| 0, next);
    assert!(window.left(800) > 3_999.0);
}
