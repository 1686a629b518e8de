//! What is counted where the server states nothing: the answers of one route, or of a host.
//!
//! A refusal without headers says only "too many". How many is found by counting what passed. The
//! limit that is learnt so is kept as one on every interval of its length, which no fixed window
//! of the server can be exceeded by: an answer counts from when it came, a request that is out
//! counts as now. This module refuses to guess from a refusal that follows no success.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::spread::Spread;

/// How soon after a lone refusal one more request is sent, to see whether it was chance: a proxy's
/// mood, a replica's. It is the one further try that an interval may have.
const CONFIRM_AFTER: Duration = Duration::from_secs(2);

/// Before the first raise of a limit, and the longest time before one.
const RAISE_AFTER: Duration = Duration::from_hours(1);
const LONGEST_RAISE_AFTER: Duration = Duration::from_hours(48);

/// How many times as long a limit is left alone that was counted in a whole window of the server.
const SURE_TIMES: u32 = 6;

/// A limit below this many in an interval is doubted: GitLab's lowest limit of what we ask is 30 a
/// minute. The refusal was rather chance, or others had used most of it.
const PLAUSIBLE: u64 = 20;

/// When so many passed in an interval, and twice as many as it, a doubted limit was none.
const DISPROVEN: u64 = 40;

/// Which part of a learnt limit stays unused: 2 %.
const SAFETY_DIVISOR: u64 = 50;

/// Which part of a learnt limit may go out at once.
const BURST_DIVISOR: f64 = 10.0;

/// The longest jitter after a rest.
const JITTER: Duration = Duration::from_secs(1);

/// Counts answers and keeps what was learnt from refusals.
#[derive(Debug)]
pub(super) struct Tally {
    /// The interval in which a limit is looked for.
    interval: Duration,
    /// Which part of a limit we may use, in thousandths.
    share_permille: u64,
    /// When answers came that were no refusals, in the last interval.
    passed: VecDeque<Instant>,
    /// Requests that are out.
    out: u64,
    rest: Option<Rest>,
    /// When the last refusal came that told something new.
    refused_at: Option<Instant>,
    learnt: Option<Learnt>,
    /// A lone refusal that the next request is to confirm.
    suspicion: Option<Refusal>,
    /// When a suspicion was confirmed last: refusals soon after it are no chance.
    confirmed_at: Option<Instant>,
}

/// The rest after a refusal.
#[derive(Debug)]
struct Rest {
    until: Instant,
    /// One went ahead after the rest; the others wait for its answer.
    is_tried: bool,
}

/// A limit that was learnt.
#[derive(Debug)]
struct Learnt {
    requests: u64,
    /// When it was learnt, on the wall clock.
    since: Timestamp,
    spread: Spread,
    /// When it was last changed, and how long it stays so.
    changed: Instant,
    raise_after: Duration,
    /// What it was before the last raise.
    before_raise: Option<u64>,
    /// It is so low that the refusal may have been chance: beyond it requests go one at a time, until
    /// another refusal confirms it or enough have passed.
    is_doubted: bool,
}

/// What stands in a request's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Nothing before this moment.
    Until(Instant),
    /// Nothing before an answer comes.
    Answer,
}

/// What surrounds a refusal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    /// When the refused request had been sent.
    pub(super) sent_at: Instant,
    pub(super) now: Instant,
    /// The same moment on the wall clock.
    pub(super) wall: Timestamp,
    /// How long to rest.
    pub(super) wait: Duration,
    /// When the present interval of the server's clock began, if that is known.
    pub(super) window_began: Option<Instant>,
    /// Whether a limit can be learnt from it.
    pub(super) is_telling: bool,
    /// Whether the server gave no time, so that asking once more soon is not against its word.
    pub(super) may_be_chance: bool,
    /// Whether the server gave a time that says nothing of a window.
    pub(super) is_vague: bool,
}

impl Tally {
    pub(super) fn new(interval: Duration, share_permille: u64) -> Self {
        Self {
            interval,
            share_permille,
            passed: VecDeque::new(),
            out: 0,
            rest: None,
            refused_at: None,
            learnt: None,
            suspicion: None,
            confirmed_at: None,
        }
    }

    /// Returns the interval in which a limit is looked for.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Says what stands in a request's way.
    pub(super) fn obstacle(&mut self, now: Instant) -> Option<Obstacle> {
        self.forget(now);
        if let Some(rest) = &self.rest {
            if now < rest.until {
                return Some(Obstacle::Until(rest.until));
            }
            if rest.is_tried {
                return Some(Obstacle::Answer);
            }
        }
        let interval = self.interval;
        if self.learnt.as_ref()?.is_doubted {
            let known = self.learnt.as_ref()?.requests;
            if self.passed.len() as u64 >= DISPROVEN.max(known.saturating_mul(2)) {
                self.learnt = None;
                return None;
            }
            let used = self.out + self.passed.len() as u64;
            return (used >= known && self.out > 0).then_some(Obstacle::Answer);
        }
        let learnt = self.learnt.as_mut()?;
        learnt.raise(now);
        let rate = float(learnt.requests) / interval.as_secs_f64();
        let capacity = float(learnt.requests) / BURST_DIVISOR;
        learnt.spread.fill(rate, capacity, now);
        let limit = usize::try_from(learnt.requests).unwrap_or(usize::MAX).max(1);
        let out = usize::try_from(self.out).unwrap_or(usize::MAX);
        if out >= limit {
            return Some(Obstacle::Answer);
        }
        // So many of the newest may be younger than the interval.
        let room = limit - out;
        if let Some(place) = self.passed.len().checked_sub(room)
            && let Some(oldest) = self.passed.get(place)
        {
            return Some(Obstacle::Until(*oldest + interval + Duration::from_millis(1)));
        }
        learnt.spread.next(rate).map(Obstacle::Until)
    }

    /// Counts a request that goes out. Returns whether it is the one that tries after a rest.
    pub(super) fn count(&mut self) -> bool {
        self.out += 1;
        if let Some(learnt) = &mut self.learnt {
            learnt.spread.take();
        }
        match &mut self.rest {
            Some(rest) => {
                rest.is_tried = true;
                true
            }
            None => false,
        }
    }

    /// Takes in an answer that is no refusal. One that tried after a rest ends the rest.
    pub(super) fn passed(&mut self, is_probe: bool, now: Instant) {
        self.out = self.out.saturating_sub(1);
        self.passed.push_back(now);
        self.forget(now);
        if is_probe {
            self.rest = None;
            self.suspicion = None;
        }
    }

    /// Takes in that no answer came: the server may have counted the request.
    pub(super) fn broke(&mut self, is_probe: bool, now: Instant) {
        self.out = self.out.saturating_sub(1);
        self.passed.push_back(now);
        if is_probe && let Some(rest) = &mut self.rest {
            rest.is_tried = false;
        }
    }

    /// Takes in a refusal of somebody else: nothing passed, and nothing is to be learnt.
    pub(super) fn refused_elsewhere(&mut self, is_probe: bool) {
        self.out = self.out.saturating_sub(1);
        if is_probe && let Some(rest) = &mut self.rest {
            rest.is_tried = false;
        }
    }

    /// Takes in a refusal: there is a rest, and something to learn.
    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.out = self.out.saturating_sub(1);
        self.forget(refusal.now);
        let is_late = self.refused_at.is_some_and(|refused_at| refusal.sent_at < refused_at);
        if let Some(first) = self.suspicion.take() {
            // Another that went out with it, or the one that went ahead: it was no chance. What
            // had passed was counted then; the rest is that of an interval.
            self.take_rest(refusal);
            self.refused_at = Some(refusal.now);
            self.confirmed_at = Some(refusal.now);
            self.learn(Refusal { now: first.now, ..refusal });
            return;
        }
        if is_late {
            // It went out with the one that was refused first, and tells nothing new.
            return;
        }
        self.refused_at = Some(refusal.now);
        if refusal.is_telling && refusal.may_be_chance && self.is_unsuspected(refusal.now) {
            self.suspicion = Some(refusal);
            let wait = CONFIRM_AFTER.min(refusal.wait);
            self.take_rest(Refusal { wait, ..refusal });
            return;
        }
        self.take_rest(refusal);
        if refusal.is_telling {
            self.learn(refusal);
        }
    }

    fn take_rest(&mut self, refusal: Refusal) {
        let jitter = JITTER.min(refusal.wait / 20);
        let until = refusal.now + refusal.wait + rand::random_range(Duration::ZERO..=jitter);
        self.rest = Some(Rest { until, is_tried: false });
    }

    /// True when nothing is known of a limit, so that a lone refusal may be chance.
    fn is_unsuspected(&self, now: Instant) -> bool {
        let lately = |at: Instant| now.duration_since(at) <= self.interval * 3;
        self.learnt.is_none() && !self.confirmed_at.is_some_and(lately)
    }

    /// Learns from a refusal how many requests pass in an interval.
    ///
    /// GitLab counts in windows that begin at multiples of the interval, so what passed since the
    /// last one began is the limit, if nobody else used it. It is believed when it is at least half
    /// of what passed in the whole interval, because one window's worth and part of another's have
    /// passed then. Otherwise the windows lie differently, or others used it: half is a limit that
    /// would not have been exceeded by us in any window.
    fn learn(&mut self, refusal: Refusal) {
        let in_interval = self.passed.len() as u64;
        if in_interval == 0 {
            // Others used it all. The limit that we know may still be right.
            return;
        }
        let half = in_interval.div_ceil(2);
        let in_window = refusal
            .window_began
            .map(|began| self.passed.iter().rev().take_while(|at| **at >= began).count() as u64);
        let sure = in_window.filter(|count| *count >= half);
        let counted = sure.unwrap_or(half);
        let safe = (counted - counted / SAFETY_DIVISOR).saturating_mul(self.share_permille) / 1_000;
        let times = if sure.is_some() { SURE_TIMES } else { 1 };
        // A refusal after the first confirms that there is a limit.
        let is_doubted = self.learnt.is_none() && (counted < PLAUSIBLE || refusal.is_vague);
        let (requests, raise_after) = match &self.learnt {
            None => (safe, RAISE_AFTER * times),
            Some(known) if known.is_doubted => (known.requests, RAISE_AFTER),
            Some(known) => {
                let below = match known.before_raise {
                    // The raise was too much.
                    Some(before) => before,
                    None => known.requests.saturating_sub(1).min(safe),
                };
                let doubled = known.raise_after.saturating_mul(2);
                (below, doubled.min(LONGEST_RAISE_AFTER))
            }
        };
        self.learnt = Some(Learnt {
            requests: requests.max(1),
            since: refusal.wall,
            spread: Spread::new(0.0, refusal.now),
            changed: refusal.now,
            raise_after,
            before_raise: None,
            is_doubted,
        });
    }

    /// Sets what was learnt before a restart. How much of it was used since is not known, so it is
    /// taken as used evenly.
    pub(super) fn recall(
        &mut self,
        requests: u64,
        interval: Duration,
        learnt_at: Timestamp,
        now: Instant,
    ) {
        let requests = requests.max(1);
        self.interval = interval;
        let place = |step: u64| {
            let age = interval.mul_f64(float(requests - step) / float(requests));
            now.checked_sub(age)
        };
        // More than this is not counted by the one: the rate holds anyway.
        if self.passed.is_empty() && requests <= 100_000 {
            self.passed = (0..requests).filter_map(place).collect();
        }
        self.learnt = Some(Learnt {
            requests,
            since: learnt_at,
            spread: Spread::new(0.0, now),
            changed: now,
            raise_after: RAISE_AFTER * SURE_TIMES,
            before_raise: None,
            is_doubted: false,
        });
    }

    /// Forgets what was learnt, because the server states limits itself or it is too old.
    pub(super) fn unlearn(&mut self) {
        self.learnt = None;
    }

    /// Returns what was learnt and is not doubted: how many requests, and when.
    pub(super) fn learnt(&self) -> Option<(u64, Timestamp)> {
        let learnt = self.learnt.as_ref().filter(|learnt| !learnt.is_doubted);
        learnt.map(|learnt| (learnt.requests, learnt.since))
    }

    /// Returns until when there is a rest.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        self.rest.as_ref().map(|rest| rest.until)
    }

    /// Says whether nothing would be lost with it.
    pub(super) fn is_blank(&self, now: Instant) -> bool {
        let is_idle = self.passed.back().is_none_or(|at| now.duration_since(*at) > self.interval);
        is_idle && self.out == 0 && self.rest.is_none() && self.learnt.is_none()
    }

    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.passed.front()
            && now.duration_since(*oldest) > self.interval
        {
            self.passed.pop_front();
        }
    }
}

impl Learnt {
    /// Raises a limit that was not exceeded for long: it may have been learnt while others used
    /// part of it.
    fn raise(&mut self, now: Instant) {
        if now.duration_since(self.changed) < self.raise_after {
            return;
        }
        self.before_raise = Some(self.requests);
        self.requests = self.requests.saturating_add((self.requests / 4).max(1));
        self.changed = now;
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
