//! `xrefd reconcile [--counts]`.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::output::Format;
use super::sync;
use crate::config::Environment;
use crate::crawl::Pass;

/// Arguments of `reconcile`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Compare the numbers of items first, and read the ids only where these differ, as the
    /// scheduled `reconcile` does
    #[arg(long)]
    counts: bool,
    /// How to print the summary [default: table on a terminal, else json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs the command. Whoever asks wants to know: without `--counts` every list is read.
pub async fn run(
    arguments: &Arguments,
    config: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    let pass = if arguments.counts { Pass::Reconcile } else { Pass::Sweep };
    sync::run_pass(pass, arguments.format, config, environment).await
}
