//! `xrefd config show` and `xrefd config check`.

use std::path::Path;

use clap::{Args, Subcommand};

use super::Outcome;
use super::output::{self, Format};
use crate::config::{Config, Environment};

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the effective configuration without secrets
    Show {
        /// How to print [default: table on a terminal, else json]
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
    /// Say whether the configuration can be used
    Check,
}

/// Runs the command.
pub fn run(
    arguments: &Arguments,
    path: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    let loaded = Config::load(path, environment)?;
    match arguments.command {
        Command::Show { format } => match Format::settle(format) {
            Format::Json => output::json(&loaded.config),
            Format::Table => output::data(loaded.config.redacted().trim_end()),
        },
        Command::Check => {
            loaded.config.reader()?;
            loaded.config.require_sources()?;
            let file = loaded.file.as_ref().map_or_else(
                || "no file; defaults and environment".to_owned(),
                |file| file.display().to_string(),
            );
            output::note(&format!("the configuration is valid ({file})"));
        }
    }
    Ok(Outcome::Done)
}
