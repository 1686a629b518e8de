//! Tests of the store, on real files.
//!
//! What is written comes from the builders in `build`, which the tests of `lookup` share. What is
//! stored is looked at through the store's own questions where it has one, and else in the tables.

pub(crate) mod build;
mod cursors;
mod items;
mod limits;
mod links;
mod names;
mod notes;
mod opening;
mod projects;
mod prune;
mod runs;
mod settled;
mod tombstones;
mod visibility;
