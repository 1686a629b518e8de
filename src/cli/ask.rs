//! What all look-ups share: options, and whom they ask.

use std::path::Path;

use clap::Args;

use super::build::{self, Parts};
use super::output::Format;
use super::remote::Remote;
use crate::config::Environment;
use crate::lookup::{Lookup, Viewer};

/// Options of every look-up.
#[derive(Debug, Args)]
pub struct Options {
    /// How to print [default: table on a terminal, else json]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Ask the daemon at this address, with the key in `XREFD_API_KEY`, instead of the database
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Show confidential issues and internal comments too (a daemon decides that by the key)
    #[arg(long, conflicts_with = "server")]
    confidential: bool,
}

/// Whom a look-up asks.
pub enum Asked {
    /// The database, through the read side.
    Index(Box<Lookup>, Viewer),
    /// A running daemon.
    Daemon(Box<Remote>),
}

impl Options {
    /// Returns the format to print in.
    pub fn format(&self) -> Format {
        Format::settle(self.format)
    }

    /// Opens the database, or prepares to ask the daemon.
    pub async fn ask(
        &self,
        config: Option<&Path>,
        environment: &Environment,
    ) -> anyhow::Result<Asked> {
        build::log("warn", environment)?;
        if let Some(server) = &self.server {
            return Ok(Asked::Daemon(Box::new(Remote::new(server, environment)?)));
        }
        let parts = Parts::load(config, environment)?;
        let lookup = parts.lookup(parts.open_existing().await?);
        let viewer = Viewer { confidential: self.confidential, groups: None };
        Ok(Asked::Index(Box::new(lookup), viewer))
    }
}
