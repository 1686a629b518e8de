//! The pacer before a simulated server of any limits, beside others, for hours.

use super::*;

/// Which answers carry headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Always,
    Only429,
    /// Not even refusals do.
    Never,
}

/// A GitLab with fixed windows.
#[derive(Debug)]
struct Server {
    began: Instant,
    mode: Mode,
    /// Requests and seconds.
    limits: Vec<(u64, u64)>,
    /// By limit and window.
    counted: BTreeMap<(usize, u64), u64>,
    ours: BTreeMap<u64, u64>,
    others: BTreeMap<u64, u64>,
    refused_ours: BTreeMap<u64, u64>,
    refused_others: BTreeMap<u64, u64>,
    /// Limits of single routes a minute, without headers.
    routes: BTreeMap<&'static str, u64>,
    route_counted: BTreeMap<(&'static str, u64), u64>,
}

impl Server {
    fn new(mode: Mode, limits: &[(u64, u64)]) -> Self {
        Self {
            began: Instant::now(),
            mode,
            limits: limits.to_vec(),
            counted: BTreeMap::new(),
            ours: BTreeMap::new(),
            others: BTreeMap::new(),
            refused_ours: BTreeMap::new(),
            refused_others: BTreeMap::new(),
            routes: BTreeMap::new(),
            route_counted: BTreeMap::new(),
        }
    }

    /// Counts a request, and says whether it is refused and what is shown: limit, period, count.
    fn count(&mut self, second: u64) -> (bool, Option<(u64, u64, u64)>) {
        let mut seen = Vec::new();
        for (place, (limit, period)) in self.limits.iter().enumerate() {
            let count = self.counted.entry((place, second / period)).or_default();
            *count += 1;
            seen.push((*limit, *period, *count));
        }
        let refusing = seen
            .iter()
            .filter(|(limit, _, count)| count > limit)
            .max_by_key(|(_, period, _)| period - second % period)
            .copied();
        let shown =
            seen.iter().min_by_key(|(limit, _, count)| limit.saturating_sub(*count)).copied();
        (refusing.is_some(), refusing.or(shown))
    }

    fn answer(&mut self, route: &'static str) -> Hints {
        let second = self.began.elapsed().as_secs();
        let (is_refused, shown) = self.count(second);
        *self.ours.entry(second / 60).or_default() += 1;
        let date = Timestamp::from_second(NOON + i64::try_from(second).expect("small"));
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&date.expect("a time"))
            .expect("printable");
        let mut headers = vec![("date", date)];
        let is_open = self.mode == Mode::Always || (self.mode == Mode::Only429 && is_refused);
        if let Some((limit, period, count)) = shown
            && is_open
        {
            let reset = NOON + i64::try_from((second / period + 1) * period).expect("small");
            headers.extend([
                ("ratelimit-name", "throttle_authenticated_api".to_owned()),
                ("ratelimit-limit", (limit * 60).div_ceil(period).to_string()),
                ("ratelimit-observed", count.to_string()),
                ("ratelimit-remaining", limit.saturating_sub(count).to_string()),
                ("ratelimit-reset", reset.to_string()),
            ]);
        }
        if is_refused {
            *self.refused_ours.entry(second / 60).or_default() += 1;
            headers.push(("content-type", "text/plain".to_owned()));
            return hints(429, &headers);
        }
        if let Some(limit) = self.routes.get(route) {
            let count = self.route_counted.entry((route, second / 60)).or_default();
            *count += 1;
            if *count > *limit {
                *self.refused_ours.entry(second / 60).or_default() += 1;
                let json = ("content-type", "application/json".to_owned());
                return hints(429, &[headers[0].clone(), json]);
            }
        }
        hints(200, &headers)
    }

    fn serve_other(&mut self) {
        let second = self.began.elapsed().as_secs();
        *self.others.entry(second / 60).or_default() += 1;
        if self.count(second).0 {
            *self.refused_others.entry(second / 60).or_default() += 1;
        }
    }

    /// Requests of ours that passed in these minutes.
    fn passed(&self, minutes: std::ops::Range<u64>) -> u64 {
        let sum =
            |map: &BTreeMap<u64, u64>| map.range(minutes.clone()).map(|(_, n)| n).sum::<u64>();
        sum(&self.ours) - sum(&self.refused_ours)
    }

    fn refused(&self, minutes: std::ops::Range<u64>) -> (u64, u64) {
        let sum = |map: &BTreeMap<u64, u64>| map.range(minutes.clone()).map(|(_, n)| n).sum();
        (sum(&self.refused_ours), sum(&self.refused_others))
    }
}

type Shared = Arc<Mutex<Server>>;

fn server(mode: Mode, limits: &[(u64, u64)]) -> Shared {
    Arc::new(Mutex::new(Server::new(mode, limits)))
}

/// How another client asks.
#[derive(Debug, Clone, Copy)]
enum Other {
    Nobody,
    /// Evenly, so many a minute.
    Steady(u64),
    /// So many at once in each minute, after so many seconds.
    Burst(u64, u64),
}

/// Sends requests for a time, from several tasks, each answered after about 100 ms.
async fn work(
    pacer: &Arc<Pacer>,
    server: &Shared,
    routes: &[&'static str],
    other: Other,
    minutes: u64,
) {
    let time = Duration::from_mins(minutes);
    let mut all = tokio::task::JoinSet::new();
    for task in 0..32 {
        let (pacer, server) = (Arc::clone(pacer), Arc::clone(server));
        let route = routes[task % routes.len()];
        all.spawn(tokio::time::timeout(time, async move {
            loop {
                let mut admission = pacer.admit(route).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                let hints = server.lock().expect("not poisoned").answer(route);
                tokio::time::sleep(Duration::from_millis(rand::random_range(10..90))).await;
                admission.observe(&hints);
            }
        }));
    }
    let server = Arc::clone(server);
    all.spawn(tokio::time::timeout(time, async move {
        match other {
            Other::Nobody => {}
            Other::Steady(per_minute) => loop {
                server.lock().expect("not poisoned").serve_other();
                let times = u32::try_from(per_minute).expect("small");
                tokio::time::sleep(Duration::from_mins(1) / times).await;
            },
            Other::Burst(size, after) => {
                tokio::time::sleep(Duration::from_secs(after)).await;
                loop {
                    for _ in 0..size {
                        server.lock().expect("not poisoned").serve_other();
                    }
                    tokio::time::sleep(Duration::from_mins(1)).await;
                }
            }
        }
    }));
    while all.join_next().await.is_some() {}
}

const ISSUES: &str = "/projects/:x/issues";

#[tokio::test(start_paused = true)]
async fn stated_limit_is_used_up_to_its_share_and_never_overrun() {
    for (limit, share) in [(2_000, 800), (2_000, 1_000), (200, 800), (60, 800), (60, 1_000)] {
        let (pacer, server) =
            (Arc::new(pacer(600, share, 8)), server(Mode::Always, &[(limit, 60)]));
        work(&pacer, &server, &[ISSUES], Other::Nobody, 5).await;
        let server = server.lock().expect("not poisoned");
        assert_eq!(server.refused(0..6), (0, 0), "limit {limit}");
        let allowed = limit * share / 1_000;
        for minute in 0..5 {
            let passed = server.passed(minute..minute + 1);
            assert!(passed <= allowed, "limit {limit}, minute {minute}: {passed}");
            assert!(passed * 100 >= allowed * 95, "limit {limit}, minute {minute}: {passed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn limit_that_is_stated_only_with_a_refusal_is_remembered() {
    for (limit, share) in [(2_000, 800), (200, 800), (200, 1_000)] {
        let pacer = Arc::new(pacer(6_000, share, 8));
        let server = server(Mode::Only429, &[(limit, 60)]);
        work(&pacer, &server, &[ISSUES], Other::Nobody, 90).await;
        let server = server.lock().expect("not poisoned");
        assert!(server.refused(0..1).0 <= 8, "only those that were out together");
        assert_eq!(server.refused(1..90), (0, 0), "limit {limit}");
        let (passed, allowed) = (server.passed(1..90), limit * share * 89 / 1_000);
        assert!(passed * 100 >= allowed * 95, "limit {limit}: {passed} of {allowed}");
    }
}

#[tokio::test(start_paused = true)]
async fn limit_that_is_never_stated_is_learnt_from_a_refusal() {
    let (pacer, server) = (Arc::new(pacer(6_000, 800, 8)), server(Mode::Never, &[(200, 60)]));
    work(&pacer, &server, &[ISSUES], Other::Nobody, 50).await;
    let server = server.lock().expect("not poisoned");
    assert!(server.refused(0..1).0 <= 8);
    assert_eq!(server.refused(1..50), (0, 0));
    let passed = server.passed(2..50);
    assert!(passed >= 160 * 48 * 90 / 100, "{passed}");
}

#[tokio::test(start_paused = true)]
async fn hour_and_minute_hold_both_though_only_one_is_shown() {
    for (mode, share) in [(Mode::Always, 1_000), (Mode::Always, 800), (Mode::Only429, 1_000)] {
        let pacer = Arc::new(pacer(600, share, 8));
        let server = server(mode, &[(100, 60), (5_000, 3_600)]);
        work(&pacer, &server, &[ISSUES], Other::Nobody, 180).await;
        let server = server.lock().expect("not poisoned");
        if mode == Mode::Always {
            assert_eq!(server.refused(0..180), (0, 0), "{mode:?} {share}");
        }
        assert_eq!(server.refused(60..180), (0, 0), "{mode:?} {share}");
        // Alone within 80 % of both, the hour is never shown: 4,800 requests leave 200.
        let allowed = if share == 1_000 { 5_000 } else { 4_800 };
        let passed = server.passed(60..180);
        assert!(passed * 100 >= allowed * 2 * 95, "{mode:?} {share}: {passed}");
    }
}

#[tokio::test(start_paused = true)]
async fn beside_others_we_use_what_they_leave_and_nobody_is_refused() {
    for (limit, percent) in [(2_000, 10), (2_000, 30), (2_000, 60), (200, 10), (200, 30), (200, 60)]
    {
        let (pacer, server) = (Arc::new(pacer(600, 800, 8)), server(Mode::Always, &[(limit, 60)]));
        let other = limit * percent / 100;
        work(&pacer, &server, &[ISSUES], Other::Steady(other), 20).await;
        // Those of ours that were dropped while they were out may be taken for others'.
        assert!(pacer.budget().windows[0].others <= other + 8);
        let server = server.lock().expect("not poisoned");
        assert_eq!(server.refused(0..20).0, 0, "{limit} with {percent} %");
        // What they use of a window is known from the second on.
        assert_eq!(server.refused(2..20), (0, 0), "{limit} with {percent} %");
        let permitted = (limit * 8 / 10).min(limit - other) * 18;
        let passed = server.passed(2..20);
        assert!(passed * 100 >= permitted * 95, "{limit}, {percent} %: {passed} of {permitted}");
        assert!(passed <= permitted, "{limit}, {percent} %: {passed} of {permitted}");
    }
}

#[tokio::test(start_paused = true)]
async fn bursts_of_others_are_expected_once_they_were_seen() {
    for after in [0, 20, 40, 57] {
        let (pacer, server) = (Arc::new(pacer(600, 800, 8)), server(Mode::Always, &[(2_000, 60)]));
        work(&pacer, &server, &[ISSUES], Other::Burst(500, after), 20).await;
        let server = server.lock().expect("not poisoned");
        assert_eq!(server.refused(2..20), (0, 0), "after {after} s");
        let (passed, permitted) = (server.passed(2..20), 1_500 * 18);
        assert!(passed * 100 >= permitted * 95, "after {after} s: {passed} of {permitted}");
    }
}

#[tokio::test(start_paused = true)]
async fn others_are_noticed_by_refusals_where_nothing_else_tells_of_them() {
    let (pacer, server) = (Arc::new(pacer(6_000, 800, 8)), server(Mode::Only429, &[(2_000, 60)]));
    work(&pacer, &server, &[ISSUES], Other::Steady(500), 60).await;
    let server = server.lock().expect("not poisoned");
    assert_eq!(server.refused(3..60), (0, 0));
    let (passed, permitted) = (server.passed(3..60), 1_500 * 57);
    assert!(passed * 100 >= permitted * 95, "{passed} of {permitted}");
}

#[tokio::test(start_paused = true)]
async fn work_is_spread_over_the_window_but_a_short_sync_does_not_wait() {
    let (pacer, server) = (Arc::new(pacer(600, 800, 8)), server(Mode::Always, &[(2_000, 60)]));
    let began = Instant::now();
    for _ in 0..30 {
        let mut admission = pacer.admit(ISSUES).await;
        admission.observe(&server.lock().expect("not poisoned").answer(ISSUES));
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let second = |second: u64| Duration::from_secs(second).saturating_sub(began.elapsed());
    tokio::time::sleep(second(60)).await;
    work(&pacer, &server, &[ISSUES], Other::Nobody, 1).await;
    assert!(server.lock().expect("not poisoned").passed(1..2) > 1_500);
    // The end of a window brings no rush: in its first second no more than in any other.
    let before = server.lock().expect("not poisoned").passed(2..3);
    let _ = tokio::time::timeout(
        Duration::from_secs(1),
        work(&pacer, &server, &[ISSUES], Other::Nobody, 1),
    )
    .await;
    let rush = server.lock().expect("not poisoned").passed(2..3) - before;
    assert!((15..=60).contains(&rush), "{rush}");
}

#[tokio::test(start_paused = true)]
async fn limit_of_a_route_is_learnt_and_not_exceeded_again() {
    // A request is kept back for safety, which is much of a limit of five.
    // So low a limit is doubted at first, which costs one more refusal.
    for (limit, percent, more) in [(200, 85, 0), (5, 60, 1)] {
        let (pacer, server) =
            (Arc::new(pacer(6_000, 800, 8)), server(Mode::Always, &[(2_000, 60)]));
        // The first interval begins in the middle of one.
        tokio::time::sleep(Duration::from_secs(37)).await;
        server.lock().expect("not poisoned").routes.insert(ISSUES, limit);
        work(&pacer, &server, &[ISSUES, "/groups/:x"], Other::Nobody, 30).await;
        let server = server.lock().expect("not poisoned");
        let first = *server.refused_ours.keys().next().expect("a refusal");
        assert!(server.refused(first..first + 1).0 <= 16, "only those that were out");
        assert_eq!(server.refused(first + 1..70), (more, 0), "limit {limit}");
        let passed: u64 =
            server.route_counted.range((ISSUES, 5)..(ISSUES, 30)).map(|(_, n)| n).sum();
        assert!(passed * 100 >= limit * 25 * percent, "limit {limit}: {passed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_holds_after_a_restart_in_the_middle_of_a_window() {
    for (mode, limits) in
        [(Mode::Only429, vec![(200, 60)]), (Mode::Never, vec![(200, 60)]), (Mode::Always, vec![])]
    {
        let (first, server) = (Arc::new(pacer(6_000, 800, 8)), server(mode, &limits));
        server.lock().expect("not poisoned").routes.insert(ISSUES, 150);
        work(&first, &server, &[ISSUES, "/groups/:x"], Other::Nobody, 5).await;
        tokio::time::sleep(Duration::from_secs(31)).await;
        let learnt = first.learnt();
        assert!(!learnt.is_empty());

        let since = server.lock().expect("not poisoned").began.elapsed();
        let wall = Timestamp::from_second(NOON).expect("a time") + since;
        let pace = first.pace;
        let second = Arc::new(Pacer::new(pace, Arc::new(FakeClock::new(wall))));
        second.recall(learnt.clone());
        assert_eq!(second.learnt(), learnt, "{mode:?}");
        work(&second, &server, &[ISSUES, "/groups/:x"], Other::Nobody, 20).await;
        assert_eq!(server.lock().expect("not poisoned").refused(5..30), (0, 0), "{mode:?}");

        let month = wall + jiff::SignedDuration::from_hours(31 * 24);
        let third = Pacer::new(pace, Arc::new(FakeClock::new(month)));
        third.recall(learnt);
        assert_eq!(third.learnt(), [], "too old");
    }
}

#[tokio::test(start_paused = true)]
async fn window_that_is_gone_is_forgotten() {
    let (pacer, server) = (Arc::new(pacer(600, 1_000, 8)), server(Mode::Always, &[(100, 60)]));
    work(&pacer, &server, &[ISSUES], Other::Nobody, 2).await;
    server.lock().expect("not poisoned").limits = vec![(2_000, 60)];
    work(&pacer, &server, &[ISSUES], Other::Nobody, 3).await;
    let limits: Vec<u64> = pacer.budget().windows.iter().map(|window| window.limit).collect();
    assert_eq!(limits, [2_000]);
    assert!(server.lock().expect("not poisoned").passed(3..5) > 3_500);

    server.lock().expect("not poisoned").mode = Mode::Never;
    work(&pacer, &server, &[ISSUES], Other::Nobody, 2).await;
    assert!(pacer.budget().windows.is_empty(), "nothing is stated any more");
}

#[tokio::test(start_paused = true)]
async fn thousands_wait_in_turn_and_one_route_does_not_hold_up_another() {
    let pacer = Arc::new(pacer(60_000, 800, 4));
    let asked = ("retry-after", "60".to_owned());
    let refusal = hints(429, &[("content-type", "application/json".to_owned()), asked]);
    pacer.admit("/a").await.observe(&refusal);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut all = tokio::task::JoinSet::new();
    for number in 0..5_000 {
        let (waiting, order) = (Arc::clone(&pacer), Arc::clone(&order));
        all.spawn(async move {
            let route = if number % 2 == 0 { "/a" } else { "/b" };
            let mut admission = waiting.admit(route).await;
            order.lock().expect("not poisoned").push((route, number));
            tokio::time::sleep(Duration::from_millis(2)).await;
            admission.observe(&nothing());
        });
        // Each joins its line before the next.
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(order.lock().expect("not poisoned").len(), 2_500, "all of the other route");
    while all.join_next().await.is_some() {}
    let order = order.lock().expect("not poisoned");
    for route in ["/a", "/b"] {
        let numbers: Vec<i32> =
            order.iter().filter(|(of, _)| *of == route).map(|(_, number)| *number).collect();
        assert!(numbers.is_sorted(), "first come, first served");
        assert_eq!(numbers.len(), 2_500);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_lower_the_number_of_requests_that_are_out() {
    let pacer = pacer(6_000, 800, 8);
    assert_eq!(pacer.budget().concurrency, 8);
    for _ in 0..3 {
        let mut admission = pacer.admit(ISSUES).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        admission.observe(&hints(502, &[]));
        admission.ended(Ending::Answered(502));
    }
    assert_eq!(pacer.budget().concurrency, 1);
    let _out = pacer.admit(ISSUES).await;
    let next = tokio::time::timeout(Duration::from_secs(5), pacer.admit(ISSUES));
    assert!(next.await.is_err(), "one is out");
}
