//! `xrefd plan`: what a sync would cost, before it is run.
//!
//! It needs no index and changes nothing. The arithmetic is [`crate::crawl::plan`]'s.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::build::{self, Parts};
use super::output::{self, Format, plain, table};
use crate::config::Environment;
use crate::crawl::plan::{self, Cost, Plan};
use crate::telemetry::chain;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How to print the price [default: table on a terminal, else json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Plans {
    sources: Vec<Plan>,
}

/// Runs the command. A source that cannot be read does not keep the others from being counted; when
/// none can, the first failure is the result.
pub async fn run(
    arguments: &Arguments,
    config: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    build::log("error", environment)?;
    let parts = Parts::load(config, environment)?;
    let (mut sources, mut failures) = (Vec::new(), Vec::new());
    for source in parts.config.require_sources()? {
        match plan::plan(source, environment, parts.clock.clone()).await {
            Ok(plan) => sources.push(plan),
            Err(error) => {
                let what = format!("the source {}: {}", source.name, chain(&error));
                failures.push((error, what));
            }
        }
    }
    let is_whole = failures.is_empty() && sources.iter().all(|plan| plan.uncounted.is_empty());
    if sources.is_empty() {
        if let Some((error, _)) = failures.into_iter().next() {
            return Err(error.into());
        }
    } else {
        for (error, what) in failures {
            output::error(&what, error.hint());
        }
    }
    match Format::settle(arguments.format) {
        Format::Json => output::json(&Plans { sources }),
        Format::Table => {
            let texts: Vec<String> = sources.iter().map(shown).collect();
            output::data(&texts.join("\n\n"));
        }
    }
    Ok(if is_whole { Outcome::Done } else { Outcome::Incomplete })
}

fn shown(plan: &Plan) -> String {
    let mut rows = table(&["root", "kind", "count", "first sync", "idle sync"]);
    for list in &plan.roots {
        rows.add_row([
            plain(&list.root),
            list.kind.to_owned(),
            list.count.map(|count| count.to_string()).unwrap_or_default(),
            list.full.requests.to_string(),
            list.idle.requests.to_string(),
        ]);
    }
    let mut lines = vec![
        rows.to_string(),
        format!(
            "{}: {} of {} requests a minute may be used",
            plain(&plan.source),
            plan.permitted_per_minute,
            plan.limit_per_minute
        ),
        format!("first sync: {}", sum(&plan.full)),
        format!("idle sync: {}", sum(&plan.idle)),
    ];
    for part in &plan.uncounted {
        let (root, reason) = (plain(&part.root), plain(&part.reason));
        lines.push(format!("not counted: {} of {root}: {reason}", part.kind));
    }
    lines.extend(plan.margins.iter().map(|margin| format!("note: {margin}")));
    lines.join("\n")
}

fn sum(cost: &Cost) -> String {
    format!(
        "{} requests, {:.1} minutes at this pace, {:.1} % of the limit",
        cost.requests,
        cost.minutes,
        cost.share * 100.0
    )
}
