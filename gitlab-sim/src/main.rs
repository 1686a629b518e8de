//! Serves a simulated GitLab alone.
//!
//! The address, a token and what else a script needs go to standard output, as lines or as one JSON
//! object; everything else goes to standard error. The options are in `arguments`.

mod arguments;

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use arguments::Arguments;
use clap::Parser;
use gitlab_sim::{Clock, Generator, GitLab, Ledger, Life, Pace};

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
    let now = arguments.clock.unwrap_or_else(|| Clock::system().now());
    let (mut world, ledger) = if arguments.bulk {
        (arguments.bulk_world(now).generate(), Ledger::default())
    } else {
        Generator {
            seed: arguments.seed,
            projects: arguments.projects,
            issues_per_project: arguments.issues,
            merge_requests_per_project: arguments.merge_requests,
            now,
        }
        .organisation()
    };
    if arguments.clock_stands {
        world.clock().set(now);
    } else if arguments.clock.is_some() {
        world.clock().run_from(now);
    }
    world.set_commit_delay(arguments.lag);
    // The generator and the plain world have one top-level group.
    let group = world.groups().next().map_or_else(String::new, |group| group.full_path.clone());
    let projects = world.projects().count();
    let address = SocketAddr::new(arguments.bind, arguments.port);
    let gitlab = GitLab::bind(address, world, arguments.options()).await.with_context(|| {
        format!("cannot listen at {address}; is the port in use? --port chooses another")
    })?;
    let gitlab = gitlab.with_ledger(ledger);
    if arguments.life > 0 {
        gitlab.live(Life::seeded(arguments.life_seed), Pace::PerSecond(arguments.life));
    }
    let facts = arguments.facts(&gitlab, &group);
    let mut stdout = std::io::stdout();
    if arguments.json {
        let object: serde_json::Map<String, serde_json::Value> = facts.into_iter().collect();
        writeln!(stdout, "{}", serde_json::Value::Object(object))?;
    } else {
        for (name, value) in facts {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            writeln!(stdout, "{name:<15} {text}")?;
        }
    }
    stdout.flush()?;
    tracing::info!(projects, "serving until stopped with Ctrl-C");
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    gitlab.stop().await;
    Ok(())
}
