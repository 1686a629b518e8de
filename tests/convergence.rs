//! The judge of every sync: random organisations live while passes read them, fail and are killed;
//! then it is quiet, and the index must equal GitLab, both ways.
//!
//! One seed is one scene: an organisation, a configuration, a life and its troubles, all drawn from
//! the number ([`scene`]). It is played ([`play`]), and what the HTTP API then tells is compared with
//! the simulator's truth and with an index made anew ([`judge`]). A scene that fails prints its
//! seed, what was drawn, what people did, and the differences; `XREFD_SEEDS=7..8` plays it again.
//! The order of answers is the network's, so a rare seed fails now and then only.
//!
//! It refuses to say what a sync may cost, and how far a killed one got: see `second_sync` and
//! `crash`.

mod support;

#[path = "convergence/judge.rs"]
mod judge;
#[path = "convergence/play.rs"]
mod play;
#[path = "convergence/scene.rs"]
mod scene;

use std::ops::Range;
use std::time::Duration;

use scene::{Kills, Scene};

/// Seeds that once failed, each with what was wrong.
const REGRESSIONS: &[(u64, &str)] = &[
    (2, "the root of a project that went was read in the same run"),
    (5, "the same, by REST and in trouble"),
    (
        107,
        "a project hidden for a while was not looked at again for an hour, by a reconcile neither",
    ),
];

/// The longest that a scene may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// Plays scenes one after the other, and returns what went wrong in each that failed.
async fn play_all(seeds: impl Iterator<Item = u64>, kills: Kills) -> Vec<(u64, String)> {
    let mut failed = Vec::new();
    for seed in seeds {
        let scene = Scene::draw(seed, kills);
        let told = scene.to_string();
        // A task of its own: a panic in it is one more way to fail.
        #[expect(clippy::disallowed_methods, reason = "it is waited for right here")]
        let played = tokio::spawn(tokio::time::timeout(PATIENCE, play::play(scene)));
        let wrong = match played.await {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(wrong))) => wrong,
            Ok(Err(_)) => format!("it did not end within {PATIENCE:?}"),
            Err(error) => format!("it panicked: {error}"),
        };
        failed.push((seed, format!("seed {seed}: {told}\n{wrong}")));
    }
    failed
}

async fn expect_all(seeds: Range<u64>, kills: Kills) {
    let failed = play_all(seeds.clone(), kills).await;
    let numbers: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
    let told: Vec<&str> = failed.iter().map(|(_, wrong)| wrong.as_str()).collect();
    assert!(failed.is_empty(), "{numbers:?} of {seeds:?} failed\n{}", told.join("\n\n"));
}

macro_rules! scenes {
    ($($name:ident: $seeds:expr, $kills:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            expect_all($seeds, $kills).await;
        })*
    };
}

// Several tests, so that a runner can play them beside each other, and each ends in time.
scenes! {
    a_living_gitlab_is_indexed_as_it_is_in_scenes_0_to_15: 0..16, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_16_to_31: 16..32, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_32_to_47: 32..48, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_48_to_63: 48..64, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_64_to_79: 64..80, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_80_to_95: 80..96, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_96_to_111: 96..112, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_112_to_127: 112..128, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_128_to_143: 128..144, Kills::Within;
    a_living_gitlab_is_indexed_as_it_is_in_scenes_144_to_159: 144..160, Kills::Within;
    a_process_killed_in_a_living_gitlab_ends_with_the_index_as_it_is_0_to_3: 0..4, Kills::Process;
    a_process_killed_in_a_living_gitlab_ends_with_the_index_as_it_is_4_to_7: 4..8, Kills::Process;
}

#[tokio::test(flavor = "multi_thread")]
async fn scenes_that_once_failed_do_not_fail_again() {
    let seeds = REGRESSIONS.iter().map(|(seed, _)| *seed);
    let failed = play_all(seeds, Kills::Within).await;
    if let Some((seed, wrong)) = failed.first() {
        let before = REGRESSIONS.iter().find(|(number, _)| number == seed);
        let before = before.map_or("", |(_, what)| what);
        panic!("again: {before}\n{wrong}");
    }
}

/// `just converge SEEDS=10000`: as many scenes as one likes, told as they go.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "as many scenes as XREFD_SEEDS says, by `just converge`"]
async fn as_many_scenes_as_one_likes() {
    #[expect(clippy::disallowed_methods, reason = "a number for a person at a terminal")]
    let asked = std::env::var("XREFD_SEEDS").unwrap_or_else(|_| "0..1000".to_owned());
    let (from, to) = asked.split_once("..").expect("XREFD_SEEDS is like 0..1000");
    let (from, to): (u64, u64) = (from.parse().expect("a number"), to.parse().expect("a number"));
    let lanes = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let next = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(from));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..lanes {
        let next = std::sync::Arc::clone(&next);
        all.spawn(async move {
            let mut failed = Vec::new();
            loop {
                let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if seed >= to {
                    return failed;
                }
                if seed > from && (seed - from).is_multiple_of(50) {
                    eprintln!("{} of {} scenes", seed - from, to - from);
                }
                for (seed, wrong) in play_all(std::iter::once(seed), Kills::Within).await {
                    eprintln!("{wrong}\n");
                    failed.push(seed);
                }
            }
        });
    }
    let mut failed: Vec<u64> = all.join_all().await.into_iter().flatten().collect();
    failed.sort_unstable();
    eprintln!("{} of {} scenes failed: {failed:?}", failed.len(), to - from);
    assert!(failed.is_empty(), "{failed:?}");
}
