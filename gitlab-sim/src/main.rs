//! Serves a simulated GitLab alone.
//!
//! The address, a token and the top-level group go to standard output, so that a script can read
//! them; everything else goes to standard error.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use gitlab_sim::{Generator, GitLab, Limit, Options, Throttle};

/// A simulated GitLab with a made-up organisation, on a port of this machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How many projects the organisation has
    #[arg(long, default_value_t = 50)]
    projects: usize,
    /// How many issues each project has
    #[arg(long, default_value_t = 30)]
    issues: usize,
    /// How many merge requests each project has
    #[arg(long, default_value_t = 30)]
    merge_requests: usize,
    /// The seed: the same seed makes the same organisation
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The port to listen at; 0 takes a free one
    #[arg(long, default_value_t = 8929)]
    port: u16,
    /// The external address that links are built from; by default the listening address
    #[arg(long)]
    external_url: Option<String>,
    /// Whether requests are limited, and which answers say so
    #[arg(long, value_enum, default_value_t = Mode::None)]
    throttle: Mode,
    /// Requests per minute and user, where requests are limited
    #[arg(long, default_value_t = 600)]
    limit: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// No limit, no headers
    None,
    /// A limit, and headers on every answer
    Always,
    /// A limit, and headers on refusals only
    #[value(name = "only-429")]
    Only429,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let limit = Limit::per_minute(arguments.limit);
    let (world, truth) = Generator {
        seed: arguments.seed,
        projects: arguments.projects,
        issues_per_project: arguments.issues,
        merge_requests_per_project: arguments.merge_requests,
        ..Generator::default()
    }
    .generate();
    let options = Options {
        throttle: match arguments.throttle {
            Mode::None => Throttle::None,
            Mode::Always => Throttle::Always(limit),
            Mode::Only429 => Throttle::Only429(limit),
        },
        external_url: arguments.external_url,
        ..Options::default()
    };
    let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    let gitlab = GitLab::bind(address, world, options).await.with_context(|| {
        format!("cannot listen at {address}; is the port in use? --port chooses another")
    })?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "url    {}", gitlab.url())?;
    writeln!(stdout, "token  {}", gitlab.token())?;
    writeln!(stdout, "group  {}", truth.group)?;
    stdout.flush()?;
    tracing::info!(
        projects = truth.projects.len(),
        items = truth.items.len(),
        services = truth.services().len(),
        "serving until stopped with Ctrl-C"
    );
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    gitlab.stop().await;
    Ok(())
}
