//! Speaks to GitLab.
//!
//! A crawl wants to ask simple questions and get `model` back. Between the two lie credentials,
//! limits, paging, moved projects, eleven shapes of error and three major versions of GitLab; all
//! of that ends here. This module knows no database and no rules, never writes to GitLab, and
//! sends the token to the configured origin only.
//!
//! Where to look: `calls.rs` and `query.rs` for what can be asked, `client.rs` for the way of one request,
//! `credential.rs`, `pacing/` (the design of the pace is there), `retry.rs`, `paging.rs` and
//! `address.rs` (where links and redirects may lead), `error.rs` and `refusal.rs`, and `wire/` for
//! the shapes of the answers.

mod address;
mod calls;
mod client;
mod credential;
mod error;
mod pacing;
mod paging;
mod query;
mod refusal;
mod retry;
mod settings;
#[cfg(test)]
mod stub;
pub mod wire;

pub use client::{Client, Stats};
pub use credential::Credential;
pub use error::{CredentialFault, Error, Missing, Verdict};
pub use pacing::{Budget, WindowBudget};
pub use paging::{NextPage, Page};
pub use query::{ItemOrder, ItemQuery, ProjectQuery, Scope};
pub use reqwest::{StatusCode, Url};
pub use settings::Settings;
pub use wire::{FetchedProject, Group, ProjectFeatures, RawFile, Version};
