//! All that is known of one host's limits, behind the pacer's lock.
//!
//! Plain figures and what follows from them. It waits for nothing and wakes nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::concurrency::Concurrency;
use super::hints::{Hints, Stated, Throttle};
use super::learnt::{self, LearntLimit};
use super::sent::Sent;
use super::server_clock::ServerClock;
use super::tally::{Obstacle, Refusal, Tally};
use super::window::{Around, Family, Window};
use super::{Budget, Pace, WindowBudget};

/// The shortest rest after a 429, whatever the server says: `Retry-After: 0` happens.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// How many windows are kept. A server has two or three; more would be one that invents names,
/// and then all are forgotten and learnt anew.
const MOST_WINDOWS: usize = 16;

/// How many routes are counted. More would be made up by links; those of which nothing is known
/// are forgotten then.
const MOST_ROUTES: usize = 256;

/// After so many answers without a window, a server that used to state one on all answers does so
/// no more: its throttle is off, or we are on its list of exceptions.
const SILENT_ANSWERS: u64 = 100;

/// Routes with a limit in ten intervals of the usual length: 600 s instead of 60 s.
/// [src: `lib/gitlab/application_rate_limiter.rb`]
const SLOW_ROUTES: [&str; 2] = ["/projects", "/users/:x"];

/// All that is known of one host's limits.
#[derive(Debug)]
pub(super) struct State {
    started: Instant,
    server: ServerClock,
    /// By name and normalised limit: one throttle may have an hourly and a per-minute limit.
    windows: BTreeMap<(String, u64), Window>,
    /// Answers without a window since the last with one.
    silent: u64,
    /// All requests, where no window is stated.
    host: Tally,
    routes: BTreeMap<String, Tally>,
    sent: Sent,
    /// Requests whose answer has not come.
    unanswered: BTreeMap<Family, u64>,
    /// Requests whose answer has not been read.
    in_use: usize,
    pub(super) concurrency: Concurrency,
}

/// Whether a request is the first after a rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probes {
    pub(super) host: bool,
    pub(super) route: bool,
}

impl State {
    pub(super) fn new(pace: &Pace, now: Instant) -> Self {
        Self {
            started: now,
            server: ServerClock::default(),
            windows: BTreeMap::new(),
            silent: 0,
            host: Tally::new(pace.unstated_pause, pace.share_permille),
            routes: BTreeMap::new(),
            sent: Sent::default(),
            unanswered: BTreeMap::new(),
            in_use: 0,
            concurrency: Concurrency::new(pace.concurrency),
        }
    }

    /// Says what stands in the way of a route, and of no other.
    pub(super) fn route_obstacle(
        &mut self,
        pace: &Pace,
        route: &str,
        now: Instant,
    ) -> Option<Obstacle> {
        self.route(pace, route, now).obstacle(now)
    }

    /// Says what stands in the way of a family of requests.
    pub(super) fn host_obstacle(
        &mut self,
        pace: &Pace,
        family: Family,
        now: Instant,
    ) -> Option<Obstacle> {
        if let Some(obstacle) = self.host.obstacle(now) {
            return Some(obstacle);
        }
        if self.in_use >= self.concurrency.present() {
            return Some(Obstacle::Answer);
        }
        self.roll(now);
        self.windows_of(family)
            .filter_map(|window| window.obstacle(pace.share_permille, pace.concurrency, now))
            .max()
            .map(Obstacle::Until)
    }

    /// Says whether the server has stated any window.
    pub(super) fn knows_window(&self) -> bool {
        !self.windows.is_empty()
    }

    /// Counts a request that goes out.
    pub(super) fn enter(
        &mut self,
        pace: &Pace,
        route: &str,
        family: Family,
        now: Instant,
    ) -> Probes {
        for window in self.windows_of(family) {
            window.count(now);
        }
        self.sent.count(family, now);
        self.in_use += 1;
        *self.unanswered.entry(family).or_default() += 1;
        Probes { host: self.host.count(), route: self.route(pace, route, now).count() }
    }

    /// Takes in that an answer was read, or that there is none.
    pub(super) fn leave(&mut self) {
        self.in_use = self.in_use.saturating_sub(1);
    }

    /// Takes in that no answer came.
    pub(super) fn broke(
        &mut self,
        pace: &Pace,
        route: &str,
        family: Family,
        probes: Probes,
        now: Instant,
    ) {
        self.settle(family);
        self.host.broke(probes.host, now);
        self.route(pace, route, now).broke(probes.route, now);
    }

    /// Takes in what the headers of an answer say.
    pub(super) fn answered(
        &mut self,
        pace: &Pace,
        (route, family): (&str, Family),
        hints: &Hints,
        probes: Probes,
        (sent_at, now, wall): (Instant, Instant, Timestamp),
    ) {
        self.settle(family);
        let stated_second = hints.stated.as_ref().and_then(|stated| {
            stated.reset.checked_sub(i64::try_from(stated.ends_in.as_secs()).ok()?)
        });
        if let Some(second) = hints.date().map(Timestamp::as_second).or(stated_second) {
            self.server.take(second, now);
        }
        match &hints.stated {
            Some(stated) => self.state_window(stated, family, hints.throttle, (sent_at, now, wall)),
            None if hints.throttle == Throttle::None => self.stay_silent(),
            None => {}
        }
        let wait = |unstated: Duration| hints.wait().unwrap_or(unstated).max(SHORTEST_PAUSE);
        match hints.throttle {
            Throttle::None => {
                self.host.passed(probes.host, now);
                self.route(pace, route, now).passed(probes.route, now);
            }
            Throttle::Host => {
                self.route(pace, route, now).refused_elsewhere(probes.route);
                let interval = self.host.interval();
                let wait = wait(interval);
                let window_began = self.window_began(interval, now);
                // Where a window is stated there is nothing to guess; and who asks for a longer
                // rest than an interval counts in other intervals.
                // Who gives a time that is no window's end is something in front of GitLab, which
                // counts we know not how.
                let is_unstated = hints.stated.is_none() && hints.wait().is_none();
                let is_windows_end = ends_window(hints, interval, wall);
                let is_telling =
                    hints.stated.is_none() && (is_unstated || is_windows_end) && wait <= interval;
                let refusal = Refusal {
                    sent_at,
                    now,
                    wall,
                    wait,
                    window_began,
                    is_telling,
                    may_be_chance: is_unstated,
                    is_vague: false,
                };
                self.host.refused(refusal);
            }
            Throttle::Route => {
                self.host.passed(probes.host, now);
                let interval = self.route(pace, route, now).interval();
                let refusal = Refusal {
                    sent_at,
                    now,
                    wall,
                    wait: wait(interval),
                    window_began: self.window_began(interval, now),
                    is_telling: true,
                    may_be_chance: hints.wait().is_none(),
                    is_vague: hints.wait().is_some() && !ends_window(hints, interval, wall),
                };
                self.route(pace, route, now).refused(refusal);
            }
        }
    }

    /// Returns what is left of the budget.
    pub(super) fn budget(&mut self, pace: &Pace, wall: Timestamp, now: Instant) -> Budget {
        self.roll(now);
        let moment = |instant: Instant| {
            let left = instant.saturating_duration_since(now);
            wall.saturating_add(left).unwrap_or(Timestamp::MAX)
        };
        Budget {
            windows: self
                .windows
                .iter()
                .map(|((name, _), window)| WindowBudget {
                    name: name.clone(),
                    limit: window.limit,
                    allowed: window.allowed(pace.share_permille),
                    used: window.used(),
                    others: window.others(),
                    resets_at: moment(window.ends),
                })
                .collect(),
            paused_until: self.host.rests_until().filter(|until| *until > now).map(moment),
            paused_routes: self
                .routes
                .iter()
                .filter(|(_, tally)| tally.rests_until().is_some())
                .map(|(route, _)| route.clone())
                .collect(),
            in_flight: self.unanswered.values().sum(),
            concurrency: self.concurrency.present(),
        }
    }

    /// Returns what was learnt and is not too old.
    pub(super) fn learnt(&self, pace: &Pace, wall: Timestamp) -> Vec<LearntLimit> {
        let windows = self.windows.iter().map(|((name, _), window)| {
            // Without a name it is recalled as a limit that was found by counting.
            let share = if name.is_empty() { pace.share_permille } else { 1_000 };
            LearntLimit {
                route: None,
                throttle: name.clone(),
                requests: (window.limit.saturating_mul(share) / 1_000).max(1),
                interval: window.period,
                learnt_at: window.learnt_at,
            }
        });
        let counted = |route: Option<&String>, tally: &Tally| {
            let (requests, learnt_at) = tally.learnt()?;
            let (route, interval) = (route.cloned(), tally.interval());
            Some(LearntLimit { route, throttle: String::new(), requests, interval, learnt_at })
        };
        let host = counted(None, &self.host);
        let routes = self.routes.iter().filter_map(|(route, tally)| counted(Some(route), tally));
        windows
            .chain(host)
            .chain(routes)
            .filter(|limit| !learnt::is_old(limit.learnt_at, wall))
            .collect()
    }

    /// Takes in what was learnt before a restart. What is too old or makes no sense is left out.
    pub(super) fn recall(
        &mut self,
        pace: &Pace,
        limits: Vec<LearntLimit>,
        wall: Timestamp,
        now: Instant,
    ) {
        for limit in limits {
            let LearntLimit { route, throttle, requests, interval, learnt_at } = limit;
            let is_sensible = (1..=86_400).contains(&interval.as_secs()) && requests > 0;
            if !is_sensible || learnt::is_old(learnt_at, wall) {
                continue;
            }
            match route {
                Some(route) => {
                    self.route(pace, &route, now).recall(requests, interval, learnt_at, now);
                }
                None if throttle.is_empty() => {
                    self.host.recall(requests, interval, learnt_at, now);
                }
                None => {
                    let per_minute =
                        requests.saturating_mul(60).div_ceil(interval.as_secs().max(1));
                    // Windows end at multiples of their length.
                    let period = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
                    let left = period - wall.as_millisecond().rem_euclid(period);
                    let ends = now + Duration::from_millis(left.unsigned_abs());
                    let share = pace.share_permille;
                    self.windows.entry((throttle, per_minute)).or_insert_with(|| {
                        Window::recalled(requests, interval, ends, now, learnt_at, share)
                    });
                }
            }
        }
    }

    /// Takes in a window that the server stated.
    fn state_window(
        &mut self,
        stated: &Stated,
        family: Family,
        throttle: Throttle,
        (sent_at, now, wall): (Instant, Instant, Timestamp),
    ) {
        self.roll(now);
        // The server counts for us: what was guessed without it is void.
        self.host.unlearn();
        let ends = self.server.instant_of(stated.reset).unwrap_or(now + stated.ends_in);
        let around = Around { ends, sent_at, now, wall };
        let key = (stated.name.clone(), stated.per_minute);
        let unanswered = count(&self.unanswered);
        let window = if let Some(window) = self.windows.get_mut(&key) {
            window.update(stated, family, &unanswered, around);
            window
        } else {
            let Some(mut window) = Window::new(stated, family, around) else {
                return;
            };
            let began = ends.checked_sub(window.period);
            let is_whole = began.is_some_and(|began| began >= self.started);
            let ours = self.sent.since(began.unwrap_or(self.started), &window.families);
            window.adopt(ours, unanswered(&window.families), is_whole);
            if self.windows.len() >= MOST_WINDOWS {
                self.windows.clear();
            }
            // A throttle has one limit for each length: this one took the place of that.
            self.windows.retain(|(name, _), other| *name != key.0 || other.period != window.period);
            self.windows.entry(key.clone()).or_insert(window)
        };
        if throttle == Throttle::None {
            window.is_open = true;
            self.silent = 0;
        }
        let out = unanswered(&window.families);
        self.windows.retain(|other_key, other| {
            *other_key == key
                || !other.families.contains(&family)
                || other.can_have_left(stated.remaining, out)
        });
        join_families(&mut self.windows);
    }

    /// Takes in an answer that states no window.
    fn stay_silent(&mut self) {
        self.silent = self.silent.saturating_add(1);
        if self.silent == SILENT_ANSWERS {
            self.windows.retain(|_, window| !window.is_open);
        }
    }

    fn roll(&mut self, now: Instant) {
        let unanswered = count(&self.unanswered);
        for window in self.windows.values_mut() {
            window.roll(&unanswered, now);
        }
    }

    /// The windows that count a family: those it was seen in or, before it was seen in any, all.
    fn windows_of(&mut self, family: Family) -> impl Iterator<Item = &mut Window> {
        let is_known = self.windows.values().any(|window| window.families.contains(&family));
        self.windows
            .values_mut()
            .filter(move |window| !is_known || window.families.contains(&family))
    }

    fn route(&mut self, pace: &Pace, route: &str, now: Instant) -> &mut Tally {
        if self.routes.len() >= MOST_ROUTES && !self.routes.contains_key(route) {
            self.routes.retain(|_, tally| !tally.is_blank(now));
        }
        self.routes.entry(route.to_owned()).or_insert_with(|| {
            let slow = if SLOW_ROUTES.contains(&route) { 10 } else { 1 };
            Tally::new(pace.unstated_pause * slow, 1_000)
        })
    }

    /// Returns when the server's present interval began, as it counts in multiples of it.
    fn window_began(&self, interval: Duration, now: Instant) -> Option<Instant> {
        let second = self.server.second_at(now)?;
        let interval = i64::try_from(interval.as_secs()).ok().filter(|secs| *secs > 0)?;
        self.server.instant_of(second - second.rem_euclid(interval))
    }

    fn settle(&mut self, family: Family) {
        if let Some(out) = self.unanswered.get_mut(&family) {
            *out = out.saturating_sub(1);
        }
    }
}

/// Counts what is out in any of the families.
fn count(unanswered: &BTreeMap<Family, u64>) -> impl Fn(&BTreeSet<Family>) -> u64 + use<'_> {
    |families| families.iter().filter_map(|family| unanswered.get(family)).sum()
}

/// Where files were seen to count with all else, they count in all that counts all else.
fn join_families(windows: &mut BTreeMap<(String, u64), Window>) {
    let has = |window: &Window, family| window.families.contains(&family);
    let are_joined =
        windows.values().any(|window| has(window, Family::Files) && has(window, Family::General));
    if are_joined {
        for window in windows.values_mut().filter(|window| has(window, Family::General)) {
            window.families.insert(Family::Files);
        }
    }
}

/// Says whether the time that a refusal gives is the end of one of GitLab's windows, which lie at
/// multiples of their length. `Date` is cut to a second and `Retry-After` filled up to one, so that
/// the two meet exactly.
fn ends_window(hints: &Hints, interval: Duration, wall: Timestamp) -> bool {
    let Some(wait) = hints.wait() else { return false };
    let length = interval.as_secs().max(1);
    let now = hints.date().unwrap_or(wall).as_second().unsigned_abs();
    now.saturating_add(wait.as_secs()).is_multiple_of(length)
}
