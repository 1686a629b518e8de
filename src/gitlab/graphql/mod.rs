//! GraphQL: many things in one request, where GitLab has it and the token may use it.
//!
//! Queries stand in `queries/`, one file each beside the fragments that they share, and are held
//! against GitLab's published schema by a test. A query counts as one request of the ordinary
//! budget. There is no mutation among them and no way to send one: what is posted is one of the
//! documents below, with variables.
//!
//! GitLab answers a query in parts, and the rules for that are the reason for this module:
//!
//! - What is null without an error is absent *or invisible*. What is null beside an error failed.
//!   Neither is ever taken for deleted: see [`Partial`] and [`Fetched`].
//! - A query may be too complex, too deep, too slow or too large. [`size`] keeps a page size for
//!   each kind of query that fits this server, and finds it by GitLab's own figures.
//! - A field that this GitLab lacks switches one kind of query off for a day; a GitLab that refuses
//!   GraphQL altogether is remembered as such, once, in [`super::Capabilities`]. Then REST is asked:
//!   that decision lies with the caller, who gets a [`GraphqlFailure`].
//! - Times are whole seconds here and milliseconds in REST.
//!
//! Where to look: `query.rs` for the way of one query, `reply.rs` for envelopes, `trouble.rs` for
//! what a refusal means, `standing.rs` for what is remembered; `details.rs`, `files.rs`,
//! `counts.rs`, `totals.rs`, `items.rs` and `instance.rs` for what can be asked.

mod counts;
mod details;
mod document;
mod files;
mod global_id;
mod instance;
mod items;
mod links;
mod query;
mod reply;
mod row;
mod size;
mod standing;
mod totals;
mod trouble;

#[cfg(test)]
mod tests;

pub use counts::ItemCounts;
pub use details::{DetailsAnswer, FoundFile, FoundPipeline, ProjectDetails, template_folder};
pub use files::{FilesAnswer, ProjectFile, ProjectFiles, Want};
pub use instance::Instance;
pub use items::{Cursor, ItemPage, ItemWithNotes, ItemsQuery, NotePage, Place};
pub use reply::{FailedAt, Fetched, Partial, Step};
pub(super) use standing::Standing;
pub use totals::{GroupCounts, Rows};
pub use trouble::GraphqlFailure;
