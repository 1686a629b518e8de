//! `xrefd key new NAME`.

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;

use super::Outcome;
use super::output;
use crate::config::NewKey;

/// Arguments of `key`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key: prints the secret once, and the section for the configuration
    New {
        /// What the key is called in logs
        name: String,
    },
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::New { name } = &arguments.command;
    let key = NewKey::generate();
    output::note("The key; it is shown this once:");
    output::data(key.secret.expose_secret());
    output::note("\nFor the configuration:");
    output::data(&format!("\n{}", key.to_toml(name).trim_end()));
    Outcome::Done
}
