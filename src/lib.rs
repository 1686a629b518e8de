//! `xrefd`, the cross-reference daemon: reads a GitLab instance under its rate limits, works out
//! which service, team, incident, ticket, runbook and cloud resource every project, issue and
//! merge request belongs to or mentions, keeps that in SQLite, and answers look-ups.
//!
//! The map, from the bottom up; `a <- b` reads "b uses a", and never the other way
//! (`tests/architecture.rs` holds it):
//!
//! ```text
//! model <- extract, codeowners, correlate <- gitlab, store <- crawl, lookup <- serve <- cli
//! ```
//!
//! - [`model`] is plain data. [`extract`] reads references and fields out of texts, [`codeowners`]
//!   reads CODEOWNERS files, [`correlate`] turns what was read into tags with evidence. These four
//!   do no IO, read no clock, and are never `async`.
//! - [`gitlab`] speaks to GitLab and knows no database; [`store`] is SQLite and knows no GitLab.
//! - [`crawl`] alone knows both, and brings the one into the other. [`lookup`] is the read side.
//! - [`serve`] is the HTTP face of the read side, [`cli`] the command line, where everything is
//!   built and put together.
//! - [`clock`], [`config`] and [`telemetry`] serve everyone above the first four; [`lifecycle`]
//!   starts and stops the daemon.
//!
//! `docs/architecture.md` walks an item through all of it.

pub mod cli;
pub mod clock;
pub mod codeowners;
pub mod config;
pub mod correlate;
pub mod crawl;
pub mod extract;
pub mod gitlab;
pub mod lifecycle;
pub mod lookup;
pub mod model;
pub mod serve;
pub mod store;
pub mod telemetry;
