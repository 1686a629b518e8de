//! Speaks to GitLab.
//!
//! A crawl wants to ask simple questions and get `model` back. Between the two lie credentials,
//! limits, paging, moved projects, eleven shapes of error and three major versions of GitLab; all
//! of that ends here. This module knows no database and no rules, never writes to GitLab, and
//! sends the token to the configured origin only.
//!
//! Where to look: `calls.rs` and `query.rs` for what can be asked, `client/` for the way of one
//! question, `graphql/`, `credential/`, `pacing/` (the design of the pace is there), `host.rs` and
//! `breaker.rs`, `retry.rs`, `paging.rs` and `address.rs` (where links and redirects may lead),
//! `proxy.rs` and `tls.rs` (the way to the host), `error.rs`, `refusal.rs` and `trouble.rs` (the
//! table of what follows from what), `features.rs`, `probe.rs` and `sketch.rs` (what is to be had),
//! `meter.rs`, and `wire/` for the shapes of the answers.

mod address;
mod breaker;
mod calls;
mod client;
mod credential;
mod error;
mod event;
mod features;
mod graphql;
mod host;
mod meter;
mod pacing;
mod paging;
mod probe;
mod proxy;
mod query;
mod refusal;
mod retry;
mod settings;
mod sketch;
#[cfg(test)]
mod stub;
mod tls;
mod trouble;
pub mod wire;

pub use crate::model::ProjectFeatures;
pub use client::{Client, Stats};
pub use credential::{
    Credential, EXPIRY_WARNING_DAYS, Keyring, ScopeFinding, TokenCheck, TokenKind,
};
pub use error::{CredentialFault, Error, Missing, TimeLimit, Verdict};
pub use event::{Event, Subject};
pub use features::{Capabilities, Feature, Lack, Tier, Unavailable};
pub use graphql::{
    Cursor, DetailsAnswer, FailedAt, Fetched, FilesAnswer, FoundFile, FoundPipeline,
    GraphqlFailure, GroupCounts, Instance, ItemCounts, ItemPage, ItemWithNotes, ItemsQuery,
    NotePage, Partial, Place, ProjectDetails, ProjectFile, ProjectFiles, Rows, Step, Want,
    template_folder,
};
pub use meter::{DURATION_BOUNDS, RouteFigures};
pub use pacing::{Budget, LearntLimit, WindowBudget};
pub use paging::{NextPage, Page, Trail};
pub use proxy::Proxies;
pub use query::{ItemOrder, ItemQuery, ProjectQuery, Scope};
pub use reqwest::{StatusCode, Url};
pub use settings::Settings;
pub use tls::CaFault;
pub use wire::{ApprovalRule, FetchedProject, Group, RawFile, Version};
