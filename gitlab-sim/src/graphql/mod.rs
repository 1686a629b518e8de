//! GraphQL at `/api/graphql`, executed by a real engine.
//!
//! ```text
//! transport -> check, cost -> schema -> root, group, project, issue, … -> page
//! ```
//!
//! - `transport` reads the request (one query, a batch, by POST or GET), refuses what is too large,
//!   and renders GitLab's envelopes.
//! - `check` looks for what the engine lets pass and GitLab does not.
//! - `cost` computes complexity and depth by GitLab's arithmetic, before anything is executed.
//! - `schema` builds the engine's schema from `schema.graphql`, whose names, arguments and types are
//!   GitLab's: a test compares each with the schema of a real instance.
//! - `node` says what a query can hold, and sends each field to the module that knows its type.
//! - `page` cuts lists into connections by keyset, so that no concurrent change shifts a page.
//!
//! What a caller may not see is null, without an error. The module refuses to change anything:
//! there are no mutations. No lock is held while the engine works: each field looks at the world
//! for itself, and items are copied when they are found, so that one item never contradicts itself.

mod args;
mod check;
mod cost;
mod group;
mod issue;
mod item;
mod merge_request;
mod node;
mod note;
mod page;
mod pipeline;
mod project;
mod repository;
mod root;
mod schema;
mod transport;
mod user;
mod walk;
mod work_item;

pub(crate) use transport::{Ask, LONGEST_BODY, answer, identity};

/// How blobs are charged and limited, which GitLab changed twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BlobRegime {
    /// Before 18.4.2: about 15 points and 2 for each path, so that 100 paths fit into one query.
    Old,
    /// 18.4.2 and 18.5: contents are dear. One path costs 35, two cost 346, each further one 11.
    Costly,
    /// Since late 2025: as cheap as before, but one request returns at most 20 MB of blobs. A larger
    /// file is served when it is alone.
    #[default]
    New,
}

/// Tells whether a path is the address of GraphQL.
pub(crate) fn serves(path: &str) -> bool {
    path == "/api/graphql"
}
