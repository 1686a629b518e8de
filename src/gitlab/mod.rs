//! Speaks to GitLab.
//!
//! A crawl wants to ask simple questions and get `model` back. Between the two lie credentials,
//! limits, paging, moved projects, eleven shapes of error and three major versions of GitLab; all
//! of that ends here. This module knows no database and no rules, never writes to GitLab, and
//! sends the token to the configured origin only.
//!
//! Where to look: `calls.rs` and `query.rs` for what can be asked, `client.rs` for the way of one question,
//! `graphql/`, `credential/`, `pacing/` (the design of the pace is there), `host.rs` and
//! `breaker.rs`, `retry.rs`, `paging.rs` and `address.rs` (where links and redirects may lead),
//! `error.rs`, `refusal.rs` and `trouble.rs` (the table of what follows from what), `features.rs` (what is to be had), `meter.rs`, and `wire/` for the
//! shapes of the answers.

mod address;
mod breaker;
mod calls;
mod client;
mod credential;
mod error;
mod features;
mod graphql;
mod host;
mod meter;
mod pacing;
mod paging;
mod query;
mod refusal;
mod retry;
mod settings;
#[cfg(test)]
mod stub;
mod trouble;
pub mod wire;

pub use client::{Client, Stats};
pub use credential::{Credential, EXPIRY_WARNING_DAYS, Keyring, ScopeFinding, TokenCheck};
pub use error::{CredentialFault, Error, Missing, TimeLimit, Verdict};
pub use features::{Capabilities, Feature, Lack, Unavailable};
pub use graphql::{
    Cursor, FailedAt, Fetched, FilesAnswer, GraphqlFailure, Instance, ItemPage, ItemWithNotes,
    ItemsQuery, NotePage, Partial, Place, ProjectFile, ProjectFiles, Step, Want,
};
pub use meter::RouteFigures;
pub use pacing::{Budget, LearntLimit, WindowBudget};
pub use paging::{NextPage, Page};
pub use query::{ItemOrder, ItemQuery, ProjectQuery, Scope};
pub use reqwest::{StatusCode, Url};
pub use settings::Settings;
pub use wire::{FetchedProject, Group, ProjectFeatures, RawFile, Version};
