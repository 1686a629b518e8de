//! Faults made up from a seed, for a whole run.
//!
//! Two things happen. Deploys: time is cut into slots that begin at multiples of their length since
//! 1970, and in some of them every request gets the proxy's error page for 5 to 60 seconds. And
//! single mishaps: so many requests of ten thousand go wrong in some way. Both follow from the seed:
//! the deploys from the time, the mishaps from the number of the request. All of them pass, so a
//! client that tries again gets through.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chance::{between, draw};
use super::kind::FaultKind;
use super::requests::{RequestKind, Seen};

/// How bad it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultProfile {
    /// A good month: a short deploy now and then, one request of a thousand fails.
    Calm,
    /// A bad day: deploys every few minutes, three of a hundred requests fail.
    Rough,
    /// Nothing can be relied on: every fault that passes, one request of eight.
    Hostile,
}

/// A seeded schedule of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSchedule {
    /// Where chance starts.
    pub seed: u64,
    /// How bad it gets.
    pub profile: FaultProfile,
}

/// The deploys of a profile.
struct Deploys {
    /// How long a slot is, in seconds.
    slot: u64,
    /// In how many of a hundred slots there is a deploy.
    percent: u64,
    /// The shortest, in seconds.
    shortest: u64,
    /// The longest, in seconds.
    longest: u64,
}

impl FaultProfile {
    const fn deploys(self) -> Deploys {
        match self {
            Self::Calm => Deploys { slot: 900, percent: 30, shortest: 5, longest: 15 },
            Self::Rough => Deploys { slot: 240, percent: 50, shortest: 5, longest: 30 },
            Self::Hostile => Deploys { slot: 120, percent: 75, shortest: 5, longest: 60 },
        }
    }

    /// Returns the single mishaps, each with how many of ten thousand requests it strikes.
    fn mishaps(self) -> Vec<(u64, FaultKind)> {
        let html = |status| FaultKind::Html { status };
        let slow = |bytes_per_second| FaultKind::Slow { bytes_per_second };
        match self {
            Self::Calm => vec![(7, FaultKind::ServerError), (3, html(502))],
            Self::Rough => vec![
                (100, FaultKind::ServerError),
                (50, html(502)),
                (20, html(504)),
                (30, FaultKind::Locked),
                (40, FaultKind::Cut),
                (20, FaultKind::Reset),
                (20, FaultKind::Truncated),
                (10, slow(200_000)),
            ],
            Self::Hostile => vec![
                (200, FaultKind::ServerError),
                (100, html(502)),
                (100, html(503)),
                (50, html(504)),
                (100, FaultKind::Locked),
                (100, FaultKind::Cut),
                (100, FaultKind::CutChunked),
                (100, FaultKind::Reset),
                (100, FaultKind::ResetAfterHead),
                (80, FaultKind::Truncated),
                (50, FaultKind::Empty { status: 200 }),
                (20, FaultKind::Login),
                (20, FaultKind::WrongType { content_type: "text/plain".to_owned() }),
                (20, FaultKind::ByteOrderMark),
                (50, FaultKind::TooMany { form: super::Refusal::Application, retry_after: None }),
                (20, FaultKind::TooMany { form: super::Refusal::Throttle, retry_after: Some(1) }),
                (20, slow(100_000)),
                (10, FaultKind::Oversized { bytes: 2_000_000 }),
                (2, FaultKind::Stall),
                (2, FaultKind::StallInBody),
            ],
        }
    }
}

impl FaultSchedule {
    /// Makes a schedule. The same seed makes the same one.
    pub const fn seeded(seed: u64, profile: FaultProfile) -> Self {
        Self { seed, profile }
    }

    /// Returns the status of the deploy that goes on at a moment.
    fn deploy(self, now: Timestamp) -> Option<u16> {
        let Deploys { slot, percent, shortest, longest } = self.profile.deploys();
        let second = u64::try_from(now.as_second()).ok()?;
        let (number, into) = (second / slot, second % slot);
        let seed = draw(self.seed, number);
        if draw(seed, 0) % 100 >= percent {
            return None;
        }
        let length = between(seed, 1, shortest, longest);
        let start = between(seed, 2, 0, slot - length);
        if !(start..start + length).contains(&into) {
            return None;
        }
        // The servers are gone, then they come back one by one.
        Some(if into - start < length / 2 { 502 } else { 503 })
    }

    /// Returns what strikes a request, which is the so-manyth.
    pub(super) fn strike(
        self,
        seen: &Seen<'_>,
        number: u64,
        stands_still: bool,
    ) -> Option<FaultKind> {
        if let Some(status) = self.deploy(seen.now).filter(|_| !stands_still) {
            return Some(FaultKind::Html { status });
        }
        let mut drawn = draw(!self.seed, number) % 10_000;
        for (share, kind) in self.profile.mishaps() {
            if drawn < share {
                return Some(fitting(kind, seen));
            }
            drawn -= share;
        }
        None
    }
}

/// Turns a failed list of merge requests into the timeout that GitLab gives there.
fn fitting(kind: FaultKind, seen: &Seen<'_>) -> FaultKind {
    let merge_requests = seen.kind == RequestKind::List && seen.path.ends_with("/merge_requests");
    match kind {
        FaultKind::ServerError if merge_requests => FaultKind::Timeout,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(second: i64) -> Seen<'static> {
        Seen {
            method: "GET",
            path: "/api/v4/projects",
            query: "",
            kind: RequestKind::List,
            user: None,
            now: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn deploys_last_from_five_to_sixty_seconds() {
        let schedule = FaultSchedule::seeded(3, FaultProfile::Hostile);
        let start = 1_790_000_000;
        let mut lengths = Vec::new();
        let mut length = 0;
        for second in start..start + 20_000 {
            match schedule.deploy(Timestamp::from_second(second).unwrap()) {
                Some(status) => {
                    assert!([502, 503].contains(&status));
                    length += 1;
                }
                None if length > 0 => lengths.push(std::mem::take(&mut length)),
                None => {}
            }
        }
        assert!(lengths.len() > 50, "{lengths:?}");
        // Two slots can touch, so a few stretches are longer than one deploy.
        let single = lengths.iter().filter(|length| (5..=60).contains(*length)).count();
        assert!(single * 10 > lengths.len() * 9, "{lengths:?}");
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests() {
        let run = |seed| {
            let schedule = FaultSchedule::seeded(seed, FaultProfile::Rough);
            (0..3000).map(|number| schedule.strike(&seen(9), number, true)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let struck = run(1).iter().flatten().count();
        assert!((50..150).contains(&struck), "{struck} of 3000");
    }

    #[test]
    fn while_the_clock_stands_still_no_burst_begins() {
        let schedule = FaultSchedule::seeded(1, FaultProfile::Calm);
        let second = (1_790_000_000..1_790_100_000)
            .find(|second| schedule.deploy(Timestamp::from_second(*second).unwrap()).is_some())
            .unwrap();
        let struck =
            |still| (0..50).filter_map(|n| schedule.strike(&seen(second), n, still)).count();
        assert_eq!(struck(false), 50);
        assert!(struck(true) < 5);
    }

    #[test]
    fn a_lists_failure_is_a_timeout_where_gitlab_has_one() {
        let schedule = FaultSchedule::seeded(1, FaultProfile::Rough);
        let path = "/api/v4/groups/1/merge_requests";
        let kinds: Vec<FaultKind> = (0..3000)
            .filter_map(|number| schedule.strike(&Seen { path, ..seen(9) }, number, true))
            .collect();
        assert!(kinds.contains(&FaultKind::Timeout));
        assert!(!kinds.contains(&FaultKind::ServerError));
    }
}
