//! The command line: one file per command, and the only place that builds everything.
//!
//! Data goes to stdout, all else to stderr. Messages name the thing, the cause and the next step.
//! Exit codes are the contract's ([`Outcome`]).

mod ask;
mod build;
mod config;
mod demo;
mod doctor;
mod key;
mod names;
mod output;
mod owners;
mod plan;
mod progress;
mod reconcile;
mod reference;
mod remote;
mod resolve;
mod serve;
mod sync;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Environment;

/// Finds which service, team, incident and ticket every GitLab project, issue and merge request
/// belongs to.
#[derive(Debug, Parser)]
#[command(name = "xrefd", version, about, max_term_width = 100)]
struct Arguments {
    /// Configuration file [default: ./xrefd.toml, then /etc/xrefd/xrefd.toml]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Crawl a simulated GitLab, show three look-ups, and serve until stopped; needs nothing
    Demo(demo::Arguments),
    /// Run the daemon: schedule and HTTP API
    Serve,
    /// Bring the index up to date once
    Sync(sync::Arguments),
    /// Say what a sync would cost, before it is run
    Plan(plan::Arguments),
    /// Find what GitLab does not announce: what is gone, renamed or hidden
    Reconcile(reconcile::Arguments),
    /// List services, or show all about one
    Service(names::Arguments),
    /// List teams, or show all about one
    Team(names::Arguments),
    /// Show everything that mentions the id, key or URL in a text
    Ref(reference::Arguments),
    /// Say what a URL, ARN, project, id or name is, and which services it belongs to
    Resolve(resolve::Arguments),
    /// Show whom CODEOWNERS names for a path, or all its entries
    Owners(owners::Arguments),
    /// Say what stands in the way of a sync, and what to do about it
    Doctor(doctor::Arguments),
    /// Show or check the configuration
    Config(config::Arguments),
    /// Make API keys
    Key(key::Arguments),
}

/// How a command ended (design.md, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    NothingFound,
    Incomplete,
}

/// Exit code of a command that failed.
const FAILED: u8 = 1;

/// Exit code for wrong usage or configuration.
const WRONG: u8 = 2;

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::NothingFound => 3,
            Outcome::Incomplete => 4,
        })
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { WRONG } else { 0 };
            // The pipe may be closed; there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error(&format!("cannot start: {error}"), None);
            return ExitCode::from(FAILED);
        }
    };
    let result = runtime.block_on(run(arguments));
    // What still blocks a thread, such as a look-up of a host, must not hold the exit.
    runtime.shutdown_background();
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            output::error(&format!("{error:#}"), hint(&error));
            ExitCode::from(code(&error))
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let environment = Environment::capture();
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments, &environment).await,
        Command::Serve => serve::run(config, &environment).await,
        Command::Sync(arguments) => sync::run(&arguments, config, &environment).await,
        Command::Plan(arguments) => plan::run(&arguments, config, &environment).await,
        Command::Reconcile(arguments) => reconcile::run(&arguments, config, &environment).await,
        Command::Service(arguments) => {
            names::run("service", &arguments, config, &environment).await
        }
        Command::Team(arguments) => names::run("team", &arguments, config, &environment).await,
        Command::Ref(arguments) => reference::run(&arguments, config, &environment).await,
        Command::Resolve(arguments) => resolve::run(&arguments, config, &environment).await,
        Command::Owners(arguments) => owners::run(&arguments, config, &environment).await,
        Command::Doctor(arguments) => doctor::run(&arguments, config, &environment).await,
        Command::Config(arguments) => config::run(&arguments, config, &environment),
        Command::Key(arguments) => Ok(key::run(&arguments)),
    }
}

/// Wrong usage or configuration is told from a failure.
fn code(error: &anyhow::Error) -> u8 {
    let wrong = error.chain().any(|cause| {
        cause.is::<crate::config::Error>()
            || cause.is::<crate::extract::Error>()
            || cause.is::<crate::telemetry::Error>()
            || cause.is::<output::Usage>()
    });
    if wrong { WRONG } else { FAILED }
}

/// What a person can do about an error, where it knows.
fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| cause.downcast_ref::<crate::crawl::Error>()?.hint())
}
