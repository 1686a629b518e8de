//! One rate-limit window, as far as it is known, and how it is shared out.
//!
//! Between two statements of the server we count for ourselves: what was sent since and has not
//! been reported counts as used. When a window ends and the next answer is still out, the next
//! one is predicted: same limit, same length, nothing used. Our own requests are counted apart,
//! so that those of others are known: they are what the server observed and we did not send.
//! How far that goes into the limit: [`Window::left`].

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::hints::Stated;
use super::spread::Spread;

/// Lengths that windows have in practice, in seconds. The stated figures give the length only to
/// within rounding, and a round length in that range is the true one.
const USUAL_PERIODS_SECS: [u64; 14] =
    [1, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600];

/// Which part of a limit stays unused, whoever uses it: 1 %. Our clock shows the end of a window
/// a little late, and others do not wait for us.
const HEADROOM_DIVISOR: u64 = 100;

/// Which part of a limit may be missing in our count of our own requests: 2 %.
const SLACK_DIVISOR: u64 = 50;

/// Which part of a limit we use at least, however much others use: 2 %.
const TRICKLE_DIVISOR: u64 = 50;

/// Which part of our requests may go out at once: 10 %, so that a short sync does not wait.
const BURST_DIVISOR: f64 = 10.0;

/// How many times as fast as on average we go to catch up after a slack time.
const CATCH_UP: f64 = 4.0;

/// Up to this length, what others are expected to use is kept free for them until the end, since
/// they may use it all at once. In longer windows it is given up as the server's figures go on.
const SHORT_WINDOW: Duration = Duration::from_mins(10);

/// After so long without a statement, a quarter of what others used is thought to be free again.
const OTHERS_FADE: Duration = Duration::from_hours(6);

/// The longest jitter after the end of a window.
const JITTER: Duration = Duration::from_secs(1);

/// Requests that can have a budget of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// Files of repositories.
    Files,
    /// All else.
    General,
}

impl Family {
    /// Tells the family of a route.
    pub(super) fn of(route: &str) -> Self {
        if route.contains("/repository/files/") { Self::Files } else { Self::General }
    }
}

/// A window.
#[derive(Debug)]
pub(super) struct Window {
    /// The families of requests that were seen to count in it.
    pub(super) families: BTreeSet<Family>,
    /// How many requests the server permits in it.
    pub(super) limit: u64,
    pub(super) period: Duration,
    /// When it ends.
    pub(super) ends: Instant,
    /// When somebody last said something about it, on our clock.
    pub(super) learnt_at: Timestamp,
    /// It was stated with an answer that was no refusal.
    pub(super) is_open: bool,
    /// Used by anyone, as the server last said.
    observed: u64,
    /// Sent by us and not in `observed` for certain.
    pending: u64,
    /// Sent by us, as far as it may count in this window.
    ours: u64,
    /// What we probably sent before we were restarted.
    guessed: u64,
    /// Used by others for certain.
    others: u64,
    /// What others use in a whole window, by experience.
    expected: Option<f64>,
    /// When that was found out, or last faded.
    expected_at: Instant,
    /// The end that the server last stated, on its own clock.
    stated_reset: i64,
    /// When it was last stated; `None` when the present window was not.
    stated_at: Option<Instant>,
    /// All our requests in it are known.
    is_whole: bool,
    /// When we last sent something that counts in it.
    sent_at: Instant,
    /// When the present window was entered here.
    entered: Instant,
    jitter: Duration,
    spread: Spread,
}

/// What surrounds a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// When the window ends, on the runtime's clock.
    pub(super) ends: Instant,
    /// When the request that was answered had been sent.
    pub(super) sent_at: Instant,
    pub(super) now: Instant,
    /// The same moment on the wall clock.
    pub(super) wall: Timestamp,
}

impl Window {
    /// Makes a window from the first statement about it; `None` when the figures contradict one
    /// another.
    pub(super) fn new(stated: &Stated, family: Family, around: Around) -> Option<Self> {
        let limit = if stated.remaining > 0 {
            stated.observed.saturating_add(stated.remaining)
        } else {
            used_up_limit(stated)
        };
        let limit = limit.max(1);
        let period = period(limit, stated)?;
        let mut window = Self::bare(limit, period, around.ends, around.now, around.wall);
        window.families.insert(family);
        window.observed = stated.observed;
        window.stated_reset = stated.reset;
        window.stated_at = Some(around.now);
        Some(window)
    }

    /// Makes a window from what was learnt before a restart. What has passed of it is thought to
    /// be used up to `share` as far as time has gone.
    pub(super) fn recalled(
        limit: u64,
        period: Duration,
        ends: Instant,
        now: Instant,
        learnt_at: Timestamp,
        share_permille: u64,
    ) -> Self {
        let mut window = Self::bare(limit, period, ends, now, learnt_at);
        window.families.insert(Family::General);
        let passed = 1.0 - window.left_of_period(now);
        window.guessed = whole(float(window.share(share_permille)) * passed);
        window.spread = Spread::new(0.0, now);
        window
    }

    fn bare(
        limit: u64,
        period: Duration,
        ends: Instant,
        now: Instant,
        learnt_at: Timestamp,
    ) -> Self {
        Self {
            families: BTreeSet::new(),
            limit,
            period,
            ends,
            learnt_at,
            is_open: false,
            observed: 0,
            pending: 0,
            ours: 0,
            guessed: 0,
            others: 0,
            expected: None,
            expected_at: now,
            stated_reset: 0,
            stated_at: None,
            is_whole: false,
            sent_at: now,
            entered: now,
            jitter: jitter(period),
            // The first look fills it up to a burst.
            spread: Spread::new(f64::MAX, now),
        }
    }

    /// Fills in what we know of our own requests in a window that was just seen first: how many
    /// were sent since it began, how many of them are out, and whether all of them are known.
    pub(super) fn adopt(&mut self, ours: u64, out: u64, is_whole: bool) {
        self.ours = ours;
        self.pending = out;
        self.others = self.observed.saturating_sub(ours);
        self.is_whole = is_whole;
    }

    /// Takes in a further statement. `unanswered` is what is still out in the window's families.
    pub(super) fn update(
        &mut self,
        stated: &Stated,
        family: Family,
        unanswered: impl Fn(&BTreeSet<Family>) -> u64,
        around: Around,
    ) {
        let now = around.now;
        self.families.insert(family);
        let is_same = self.stated_at.is_some() && stated.reset == self.stated_reset;
        if around.ends <= now || (stated.reset < self.stated_reset && around.ends < self.ends) {
            // An answer that was overtaken: it was counted in a window that is over.
            if around.sent_at < self.entered {
                self.ours = self.ours.saturating_sub(1);
            }
            return;
        }
        let limit = if stated.remaining > 0 {
            stated.observed.saturating_add(stated.remaining)
        } else {
            self.limit.min(stated.observed.max(1))
        };
        let Some(period) = period(limit, stated) else {
            return;
        };
        let out = unanswered(&self.families);
        if around.ends > self.ends + self.period / 2 {
            // The server is already in the next window.
            self.enter(out + 1, now);
        }
        self.limit = limit;
        self.period = period;
        // Answers overtake one another; within a window the count only grows.
        self.observed = if is_same { self.observed.max(stated.observed) } else { stated.observed };
        self.pending = out;
        // Those that are out may be among the observed.
        let unexplained = stated.observed.saturating_sub(self.ours);
        self.guessed = self.guessed.min(unexplained);
        self.others = self.others.max(unexplained - self.guessed);
        self.ends = around.ends;
        self.stated_reset = stated.reset;
        self.stated_at = Some(now);
        self.learnt_at = around.wall;
    }

    /// Moves on to the window that `now` lies in.
    pub(super) fn roll(&mut self, unanswered: impl Fn(&BTreeSet<Family>) -> u64, now: Instant) {
        if now < self.ends {
            return;
        }
        let period_nanos = self.period.as_nanos().max(1);
        let late = now.duration_since(self.ends).as_nanos() / period_nanos;
        let steps = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
        let next = self.ends + self.period.saturating_mul(steps);
        let out = unanswered(&self.families);
        self.enter(out, now);
        self.ends = next;
        if now.duration_since(self.expected_at) > OTHERS_FADE {
            self.expected = self.expected.map(|expected| expected * 0.75);
            self.expected_at = now;
        }
    }

    /// Begins the next window, in which `ours` of our requests may count already.
    fn enter(&mut self, ours: u64, now: Instant) {
        if let Some(stated_at) = self.stated_at
            && self.is_whole
        {
            let told = 1.0 - self.left_of_period(stated_at);
            // What was last said early says too little of the rest.
            if told >= 0.25 {
                let total = float(self.others) / told;
                self.expected = Some(self.expected.map_or(total, |known| known.midpoint(total)));
                self.expected_at = now;
            }
        }
        self.observed = 0;
        self.pending = ours;
        self.ours = ours;
        self.guessed = 0;
        self.others = 0;
        self.stated_at = None;
        self.is_whole = true;
        self.entered = now;
        self.jitter = jitter(self.period);
    }

    /// Counts a request of ours that goes out now.
    pub(super) fn count(&mut self, now: Instant) {
        self.sent_at = now;
        self.pending += 1;
        self.ours += 1;
        self.spread.take();
    }

    /// Says until when a request has to wait, if it has to.
    pub(super) fn obstacle(
        &mut self,
        share_permille: u64,
        concurrency: usize,
        now: Instant,
    ) -> Option<Instant> {
        let left = self.left(share_permille);
        let share = float(self.share(share_permille));
        let time_left = self.ends.saturating_duration_since(now).max(Duration::from_millis(50));
        let rate = (left / time_left.as_secs_f64())
            .clamp(0.0, CATCH_UP * share / self.period.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "nobody asks for 2^52 connections")]
        let capacity = (share / BURST_DIVISOR).max((concurrency as f64).min(share / 4.0));
        self.spread.fill(rate, capacity, now);
        if left < 1.0 {
            let until = self.ends + self.jitter;
            let waits_for_others = self.of_share(share_permille).min(self.room()) >= 1.0;
            return match self.stated_at {
                // Others may use less than we fear; only an answer tells.
                Some(stated_at) if waits_for_others => {
                    let probes = (self.limit / TRICKLE_DIVISOR).clamp(8, 100);
                    let gap = self.period.div_f64(float(probes));
                    let probe = stated_at.max(self.sent_at) + gap;
                    (probe > now).then_some(probe.min(until))
                }
                Some(_) | None => Some(until),
            };
        }
        self.spread.next(rate)
    }

    /// Returns how many requests we may still send.
    ///
    /// All of ours stay within our share. All together stay within the limit but for a little
    /// headroom, with room for what others are expected to use until the window's end. When they
    /// leave nothing, a trickle of ours remains, as long as the server has anything left.
    fn left(&self, share_permille: u64) -> f64 {
        let room = self.room();
        let free = room - float(self.headroom()) - self.others_to_come();
        let ours = self.ours.saturating_add(self.guessed);
        let trickle = float((self.limit / TRICKLE_DIVISOR).max(1)) - float(ours);
        self.of_share(share_permille).min(free.max(trickle.min(room)))
    }

    /// Returns what is left of our share, whatever others do.
    fn of_share(&self, share_permille: u64) -> f64 {
        float(self.share(share_permille)) - float(self.ours.saturating_add(self.guessed))
    }

    /// Returns what is left of the limit.
    fn room(&self) -> f64 {
        float(self.limit) - float(self.used())
    }

    /// Returns how many requests of ours this window has room for, those sent included.
    pub(super) fn allowed(&self, share_permille: u64) -> u64 {
        let free = float(self.limit)
            - float(self.others.saturating_add(self.headroom()))
            - self.others_to_come();
        let trickle = float((self.limit / TRICKLE_DIVISOR).max(1));
        whole(float(self.share(share_permille)).min(free.max(trickle)))
    }

    fn share(&self, share_permille: u64) -> u64 {
        (self.limit.saturating_mul(share_permille) / 1_000).max(1)
    }

    fn headroom(&self) -> u64 {
        (self.limit / HEADROOM_DIVISOR).max(u64::from(self.limit > 1))
    }

    /// Returns what others are expected to use until the end, from when the server last spoke: as
    /// much as before or, without experience and when they already use more, as quickly as so far.
    fn others_to_come(&self) -> f64 {
        let others = float(self.others);
        let left = self.stated_at.map_or(1.0, |stated_at| self.left_of_period(stated_at));
        match self.expected {
            Some(expected) if self.period > SHORT_WINDOW => expected * left,
            Some(expected) if others <= expected => expected - others,
            Some(_) | None => others * left / (1.0 - left).max(0.25),
        }
    }

    /// Returns which part of the window is still to come.
    fn left_of_period(&self, now: Instant) -> f64 {
        let left = self.ends.saturating_duration_since(now).as_secs_f64();
        (left / self.period.as_secs_f64()).clamp(0.0, 1.0)
    }

    /// Returns how much of it is used for all we know.
    pub(super) fn used(&self) -> u64 {
        let counted = self.ours.saturating_add(self.others).saturating_add(self.guessed);
        self.observed.saturating_add(self.pending).max(counted)
    }

    /// Returns what others have used of it for certain.
    pub(super) fn others(&self) -> u64 {
        self.others
    }

    /// Says whether so much can be left of it. The headers show the throttle with the least
    /// remaining; one that has less for certain is not in force any more.
    pub(super) fn can_have_left(&self, remaining: u64, out: u64) -> bool {
        // Those that are out may not have been counted, and the border of a window is not sharp.
        let slack = out.saturating_mul(2).saturating_add(self.limit / SLACK_DIVISOR);
        self.limit.saturating_sub(self.ours).saturating_add(slack) >= remaining
    }
}

/// Chooses how long after a window's end we go on: all clients wait for the same moment.
fn jitter(period: Duration) -> Duration {
    rand::random_range(Duration::ZERO..=JITTER.min(period / 100))
}

#[expect(clippy::cast_precision_loss, reason = "limits stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounding down is meant, and the cast stops at the ends"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

/// Works out the real limit of a window that is used up.
///
/// It is not in the figures, because refused requests count as observed. Of the usual lengths the
/// longest is taken whose limit would be reached by what was observed.
fn used_up_limit(stated: &Stated) -> u64 {
    let in_window = |per_minute: u64, period: u64| per_minute.saturating_mul(period) / 60;
    USUAL_PERIODS_SECS
        .into_iter()
        .rev()
        .filter(|period| stated.reset.unsigned_abs().is_multiple_of(*period))
        .find(|period| in_window(stated.per_minute.saturating_sub(1), *period) <= stated.observed)
        .map_or(stated.per_minute, |period| {
            in_window(stated.per_minute, period).min(stated.observed)
        })
}

/// Works out the length of a window: `per_minute` is the limit times 60 through the length,
/// rounded up, and windows end at multiples of their length.
///
/// Returns `None` when the window would have more time left than it lasts: then the figures, or
/// the clocks, are wrong.
fn period(limit: u64, stated: &Stated) -> Option<Duration> {
    let left = stated.ends_in.as_secs();
    let scaled = limit.saturating_mul(60);
    let per_minute = stated.per_minute.max(1);
    let shortest = scaled.div_ceil(per_minute).max(1);
    let longest = match per_minute {
        1 => u64::MAX,
        _ => scaled / (per_minute - 1),
    };
    let round = USUAL_PERIODS_SECS.into_iter().find(|period| {
        (shortest..=longest).contains(period)
            && *period >= left
            && stated.reset.unsigned_abs().is_multiple_of(*period)
    });
    let seconds = round.unwrap_or(shortest);
    // Twice the length leaves room for rounding and for a server's clock that is a little off.
    (left <= seconds.saturating_mul(2)).then(|| Duration::from_secs(seconds.max(left)))
}

#[cfg(test)]
mod tests;
