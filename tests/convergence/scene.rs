//! What happens in a scene, drawn from its seed.
//!
//! Everything a scene does is decided here, before it begins, so that its sentence tells all.

use std::fmt;

use gitlab_sim::faults::{Fault, FaultKind, Refusal};
use gitlab_sim::life::{Deed, Weights};
use gitlab_sim::{BlobRegime, Generator, Options};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use xrefd::crawl::Pass;

/// How the scene's syncs are killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kills {
    /// By dropping them in this process; the index is opened anew afterwards.
    Within,
    /// The process `xrefd sync`, by SIGKILL.
    Process,
}

/// What the configuration names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// The one group that holds everything.
    Group,
    /// Nothing: all that the token is a member of.
    Member,
    /// Half of the projects, by number.
    Projects,
    /// The group in two sources.
    Twice,
    /// The group, and some of its projects in a source before it.
    Overlapping,
    /// The group without one of its subgroups.
    Excluding,
}

/// One pass of a scene.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// What is run.
    pub pass: Pass,
    /// After how many requests it is killed.
    pub killed_after: Option<usize>,
    /// How long it is until then, in seconds.
    pub rest_seconds: i64,
    /// How many things people do in that time.
    pub deeds: u64,
}

/// All that is drawn from a seed.
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
#[derive(Debug, Clone)]
pub struct Scene {
    /// The seed.
    pub seed: u64,
    /// Who kills.
    pub kills: Kills,
    /// The size of the organisation: projects, and items of each kind in each.
    pub size: [usize; 3],
    /// What the configuration names.
    pub roots: Roots,
    /// Whether comments are read.
    pub comments: bool,
    /// Whether archived projects are crawled.
    pub archived: bool,
    /// Whether GraphQL is used.
    pub graphql: bool,
    /// How many requests are out at once.
    pub concurrency: u32,
    /// After how many requests people do something.
    pub pace: u64,
    /// How long changes of items stay unseen, in seconds.
    pub lag_seconds: i64,
    /// How many of a hundred requests fail.
    pub percent: f64,
    /// Whether the projects of a life are deleted, too.
    pub deletes_projects: bool,
    /// Bulk edits and comments weigh more.
    pub crowded: bool,
    /// Lists of GitLab with all their habits, or without.
    pub stale_lists: bool,
    /// What GraphQL charges for blobs.
    pub blobs: BlobRegime,
    /// Whether events tell what happens.
    pub hooks: Hooks,
    /// How long it is from one thing that people do to the next, in seconds, at most.
    pub stride_seconds: i64,
    /// What people do most of the time.
    pub rush: Option<Deed>,
    /// The passes.
    pub acts: Vec<Act>,
}

/// Whether GitLab tells what happens while a pass runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooks {
    /// It does not.
    None,
    /// It does.
    Told,
    /// Each event comes twice.
    Doubled,
    /// Most events are lost.
    Lost,
}

/// A sync right after another.
const SOON: Act = Act { pass: Pass::Sync, killed_after: None, rest_seconds: 0, deeds: 2 };

impl Scene {
    /// Draws a scene.
    pub fn draw(seed: u64, kills: Kills) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let random = &mut random;
        let size = if random.random_bool(0.1) {
            // More than a page of one kind.
            [3, 90, 60]
        } else {
            [random.random_range(3..=12), random.random_range(0..=8), random.random_range(0..=8)]
        };
        let roots = match random.random_range(0..10) {
            0..=3 => Roots::Group,
            4 | 5 => Roots::Member,
            6 => Roots::Projects,
            7 => Roots::Twice,
            8 => Roots::Overlapping,
            _ => Roots::Excluding,
        };
        let killed = random.random_bool(0.6);
        let first = act(random, Pass::Sync, killed);
        let mut acts = vec![first];
        for _ in 0..random.random_range(2..=6) {
            let pass = match random.random_range(0..12) {
                0..=6 => Pass::Sync,
                7 | 8 => Pass::Reconcile,
                9 => Pass::Sweep,
                10 => Pass::Files,
                _ => Pass::Full,
            };
            acts.push(act(random, pass, killed));
        }
        let drawn = Self {
            seed,
            kills,
            size,
            roots,
            comments: random.random_bool(0.8),
            archived: random.random_bool(0.5),
            graphql: random.random_bool(0.7),
            concurrency: random.random_range(1..=8),
            pace: random.random_range(1..=8),
            lag_seconds: if random.random_bool(0.25) { random.random_range(1..=90) } else { 0 },
            percent: if random.random_bool(0.5) { random.random_range(0.5..8.0) } else { 0.0 },
            deletes_projects: random.random_bool(0.3),
            crowded: random.random_bool(0.5),
            stale_lists: random.random_bool(0.7),
            blobs: match random.random_range(0..3) {
                0 => BlobRegime::Old,
                1 => BlobRegime::Costly,
                _ => BlobRegime::New,
            },
            hooks: match random.random_range(0..6) {
                0..=2 => Hooks::None,
                3 => Hooks::Told,
                4 => Hooks::Doubled,
                _ => Hooks::Lost,
            },
            stride_seconds: 40,
            rush: None,
            acts,
        };
        drawn.hardened()
    }

    /// Makes some scenes harder than chance would: each protection of the sync is needed in one of
    /// sixteen, so that its absence shows soon (`mutants.sh`).
    fn hardened(self) -> Self {
        let calm = Self { percent: 0.0, hooks: Hooks::None, roots: Roots::Group, ..self.clone() };
        match self.seed % 16 {
            // More items than a page change at one moment, where pages are asked for by time.
            9 => Self {
                size: [3, 60, 40],
                graphql: false,
                comments: false,
                rush: Some(Deed::BulkEdit),
                ..calm
            },
            // Changes are seen long after they were made.
            10 => Self { lag_seconds: 90, pace: 1, ..calm },
            // Comments are edited, which moves no item so soon after another change and shows in no
            // number, where they do not come with the items.
            11 => Self {
                size: [3, 2, 2],
                comments: true,
                graphql: false,
                crowded: true,
                pace: 1,
                stride_seconds: 4,
                rush: Some(Deed::EditComment),
                acts: vec![SOON; 10],
                ..calm
            },
            _ => self,
        }
    }

    /// Returns the organisation.
    pub fn generator(&self, now: jiff::Timestamp) -> Generator {
        let [projects, issues_per_project, merge_requests_per_project] = self.size;
        Generator { seed: self.seed, projects, issues_per_project, merge_requests_per_project, now }
    }

    /// Returns how GitLab behaves.
    pub fn options(&self) -> Options {
        Options { stale_lists: self.stale_lists, blobs: self.blobs, ..Options::default() }
    }

    /// Returns what people do how often.
    pub fn weights(&self) -> Weights {
        let mut weights = Weights::default();
        if self.deletes_projects {
            weights = weights.with(Deed::DeleteProject, 2);
        }
        if self.crowded {
            weights = weights.with(Deed::BulkEdit, 12).with(Deed::Comment, 60);
            weights = weights.with(Deed::EditComment, 15).with(Deed::DeleteItem, 8);
        }
        if let Some(deed) = self.rush {
            weights = weights.with(deed, 200);
        }
        if matches!(self.roots, Roots::Projects | Roots::Overlapping) {
            // A configured project that answers 404 stays, with a problem: nothing is removed on
            // doubt, and no list shows that it is gone.
            weights = weights.with(Deed::HideProject, 0).with(Deed::DeleteProject, 0);
        }
        weights
    }

    /// Returns what goes wrong.
    pub fn faults(&self) -> Vec<Fault> {
        let kinds = kinds();
        #[expect(clippy::cast_precision_loss, reason = "a few kinds")]
        let percent = self.percent / kinds.len() as f64;
        let seeds = self.seed * 1_000..;
        seeds.zip(kinds).map(|(seed, kind)| Fault::new(kind).percent(percent, seed)).collect()
    }
}

fn act(random: &mut StdRng, pass: Pass, killed: bool) -> Act {
    let rest_seconds = match random.random_range(0..4) {
        0 => 0,
        1 => random.random_range(0..60),
        2 => random.random_range(0..600),
        _ => random.random_range(0..90_000),
    };
    Act {
        pass,
        killed_after: (killed && random.random_bool(0.6)).then(|| random.random_range(1..60)),
        rest_seconds,
        deeds: random.random_range(0..12),
    }
}

/// Troubles that pass at once; those that must be waited for cost real time, and have tests of
/// their own in `trouble`.
fn kinds() -> Vec<FaultKind> {
    vec![
        FaultKind::Html { status: 502 },
        FaultKind::Html { status: 503 },
        FaultKind::ServerError,
        FaultKind::Timeout,
        FaultKind::Locked,
        FaultKind::Blocked,
        FaultKind::ExpiredToken,
        FaultKind::TooMany { form: Refusal::Throttle, retry_after: None },
        FaultKind::TooMany { form: Refusal::Application, retry_after: None },
        FaultKind::Login,
        FaultKind::Cut,
        FaultKind::CutChunked,
        FaultKind::Reset,
        FaultKind::ResetAfterHead,
        FaultKind::WrongType { content_type: "text/html".to_owned() },
        FaultKind::Truncated,
        FaultKind::Empty { status: 200 },
        FaultKind::ByteOrderMark,
        FaultKind::LinkHost { url: "http://other.example".to_owned() },
        FaultKind::LinkLoop,
    ]
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
